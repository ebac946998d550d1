//! curl against the simulated Conduit's API, and its answers against recorded ones.

use std::path::PathBuf;

use rocade::lab::{Api, ApiFault, Device, DevicePlan, Firmware, Knobs, Lab, LabPlan, serve_plain};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::clients::{installed, out, run};

async fn gateway() -> Lab {
    let devices = vec![DevicePlan::conduit("pool-gw")];
    Lab::start(LabPlan { devices, logs: None }).await.unwrap()
}

/// Status and JSON body of a request.
async fn curl(args: &[&str]) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["-sk", "--noproxy", "*", "-w", "\n%{http_code}"]).args(args);
    let output = out(&run(curl, b"").await);
    let (body, status) = output.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

fn base(device: &Device) -> String {
    format!("https://127.0.0.1:{}/api", device.plan.https_port)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_without_a_login() {
    if !installed(&["curl"]) {
        return;
    }
    let lab = gateway().await;
    let device = lab.device("pool-gw").unwrap();
    let (base, password) = (base(device), device.plan.password.as_str());
    assert_eq!(curl(&[&format!("{base}/system")]).await.0, 401);
    let (status, login) = curl(&[&format!("{base}/login?username=admin&password={password}")]).await;
    assert_eq!(status, 200);
    let token = login["result"]["token"].as_str().unwrap();
    let (status, system) = curl(&[&format!("{base}/system?token={token}")]).await;
    assert_eq!((status, &system["result"]["deviceId"]), (200, &json!("20412345")));
    assert_eq!(curl(&["-b", &format!("token={token}"), &format!("{base}/logout")]).await.0, 200);
    assert_eq!(curl(&["-b", &format!("token={token}"), &format!("{base}/system")]).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_carries_a_session() {
    if !installed(&["curl"]) {
        return;
    }
    let lab = gateway().await;
    let device = lab.device("pool-gw").unwrap();
    let folder = TempDir::new().unwrap();
    let jar = folder.path().join("jar").display().to_string();
    let login = json!({"username": "admin", "password": device.plan.password}).to_string();
    let base = base(device);
    assert_eq!(curl(&["-c", &jar, "-d", &login, &format!("{base}/login")]).await.0, 200);
    let (_, who) = curl(&["-b", &jar, &format!("{base}/whoami")]).await;
    assert_eq!((&who["result"]["user"], &who["result"]["permission"]), (&json!("admin"), &json!("admin")));
    let put = ["-b", &jar, "-X", "PUT", "-d", r#"{"enabled": true}"#, &format!("{base}/loraNetwork/mqtt")];
    assert_eq!(curl(&put).await.1["result"]["enabled"], json!(true));
    assert_eq!(curl(&["-b", &jar, &format!("{base}/system/dbDirty")]).await.1["result"], json!(true));
    assert_eq!(device.log().writes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_passwords_lock_the_web_login() {
    if !installed(&["curl"]) {
        return;
    }
    let lab = gateway().await;
    let device = lab.device("pool-gw").unwrap();
    let login = |password: &str| format!("{}/login?username=admin&password={password}", base(device));
    for left in [2, 1, 0] {
        let (status, refusal) = curl(&[&login("wrong")]).await;
        let expected = format!("authorize failed. {left} attempts remaining.");
        assert_eq!((status, &refusal["error"]), (401, &json!(expected)));
    }
    assert_eq!(curl(&[&login(&device.plan.password)]).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_api_goes_on_where_it_ended() {
    if !installed(&["curl"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let (state, log) = (folder.path().join("state.json"), folder.path().join("log.jsonl"));
    let listen = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let url = format!("http://{listen}/api/loraNetwork/lora");
    for (knobs, method, body, expected) in [
        (Knobs::default(), "PUT", r#"{"channelPlan": "EU868"}"#, (200, json!("EU868"))),
        (Knobs::default(), "GET", "", (200, json!("EU868"))),
        (Knobs { api: Some(ApiFault::Status(503)), ..Knobs::default() }, "GET", "", (503, Value::Null)),
        (Knobs { api: Some(ApiFault::Half), ..Knobs::default() }, "GET", "", (200, Value::Null)),
    ] {
        let (state, log) = (state.clone(), log.clone());
        let server = tokio::spawn(async move { serve_plain(listen, &state, &log, knobs).await });
        // curl tries again until the server listens.
        let mut args = vec!["--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-d", body]);
        }
        args.retain(|word| expected.0 == 200 || !word.starts_with("--retry") && !["20", "1"].contains(word));
        let (status, answer) = loop {
            let answered = curl(&args).await;
            if answered.0 != 0 {
                break answered;
            }
        };
        assert_eq!((status, answer["result"]["channelPlan"].clone()), expected);
        server.abort();
        let _ = server.await;
    }
    assert!(std::fs::read_to_string(log).unwrap().contains("GET /api/loraNetwork/lora"));
}

fn shared(name: &str) -> Option<Value> {
    let root = std::env::var_os("ROCADE_SHARED").map_or_else(|| "../shared".into(), PathBuf::from);
    let path = root.join("reference/conduit/api").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn unit() -> Api {
    Api::commissioned(Firmware::of("6.0.1").unwrap(), 20_412_345, "admin", "Secret-01")
}

fn answer(api: &mut Api, target: &str) -> Value {
    serde_json::from_str(&api.handle("GET", target, b"").body).unwrap()
}

/// Every name of `ours` is in `theirs` with a value of the same kind; in lists the first entries are compared.
fn fits(ours: &Value, theirs: &Value, place: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let place = format!("{place}.{name}");
                fits(value, theirs.get(name).unwrap_or_else(|| panic!("{place} was never recorded")), &place);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                fits(ours, theirs, place);
            }
        }
        _ => assert_eq!(std::mem::discriminant(ours), std::mem::discriminant(theirs), "{place}"),
    }
}

#[test]
fn answers_have_the_recorded_shapes() {
    let mut api = unit();
    for (target, file) in [
        ("/api/lora/config", "lora-config.get.live-us915-mpower7.json"),
        ("/api/lora/status", "lora-status.get.json"),
        ("/api/autoReboot", "autoReboot.put-response.json"),
    ] {
        if let Some(recorded) = shared(file) {
            fits(&answer(&mut api, target), &recorded, target);
        }
    }
    for name in ["remoteAccess", "resetButton", "customAppsConfig", "remoteMgmt"] {
        if let Some(recorded) = shared(&format!("{name}.put-body.json")) {
            fits(&answer(&mut api, &format!("/api/{name}"))["result"], &recorded, name);
        }
    }
}

#[test]
fn rows_of_joined_devices_have_the_recorded_shape() {
    let Some(recorded) = shared("lora-devices.get.json") else { return };
    let mut api = unit();
    let entry = json!({"deveui": "0018b21000004a2f", "appeui": "0018b24441524632",
                       "appkey": "8f3a5c0e91d7426bb0c2e4f6187a9d35"});
    let list = "/api/loraNetwork/whitelist/devices";
    assert_eq!(api.handle("POST", list, entry.to_string().as_bytes()).status, 200);
    api.handle("POST", "/api/lora/restart", b"");
    api.join("0018b21000004a2f".parse().unwrap()).unwrap();
    fits(&answer(&mut api, "/api/lora/devices"), &recorded, "devices");
    let Some(recorded) = shared("lora-sessions.get.json") else { return };
    fits(&answer(&mut api, "/api/lora/sessions"), &recorded, "sessions");
}

#[test]
fn the_known_dialogue_makes_a_user() {
    let mut say = {
        let mut api = Api::boxed(Firmware::of("6.0.1").unwrap(), 1);
        move |method: &str, body: &Value| {
            let reply = api.handle(method, "/api/commissioning", body.to_string().as_bytes());
            (reply.status, serde_json::from_str::<Value>(&reply.body).unwrap())
        }
    };
    let Some(steps) = shared("commissioning.dialogue-5x-6x.json") else { return };
    let mut id = Value::Null;
    for step in steps.as_array().unwrap() {
        let request = &step["request"];
        let mut body = request["json"].clone();
        if body["aasID"] == "<aasID>" {
            body["aasID"] = id.clone();
        }
        let (status, envelope) = say(request["method"].as_str().unwrap(), &body);
        assert_eq!(status, 200, "{step}: {envelope}");
        id = envelope["result"]["aasID"].clone();
    }
    let (status, envelope) = say("GET", &Value::Null);
    assert_eq!((status, &envelope["error"]), (400, &json!("commissioning is finished")));
}

#[test]
fn the_documented_request_makes_a_user() {
    let Some(documented) = shared("commissioning.documented-7x.json") else { return };
    let mut api = Api::boxed(Firmware::of("7.1.0").unwrap(), 1);
    let seen = answer(&mut api, "/api/commissioning");
    assert_eq!(seen["result"], documented["get_response"]["result"]);
    let body = documented["post_body"].to_string();
    assert_eq!(api.handle("POST", "/api/commissioning", body.as_bytes()).status, 200);
    assert_eq!(answer(&mut api, "/api/commissioning")["result"]["commissioned"], true);
}

#[test]
fn recorded_requests_are_taken() {
    let mut api = unit();
    if let Some(body) = shared("loraNetwork.put-eu868.CONSTRUCTED.json") {
        assert_eq!(api.handle("PUT", "/api/loraNetwork", body.to_string().as_bytes()).status, 200);
    }
    let Some(requests) = shared("whitelist.requests.json") else { return };
    for request in requests.as_array().unwrap() {
        let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
        let body = request["json"].to_string();
        let reply = api.handle(method, path, body.as_bytes());
        // The first DELETE takes the only entry, so what follows it finds none.
        let gone = method == "DELETE" && reply.status == 404;
        assert!(reply.status == 200 || gone, "{method} {path}: {}", reply.body);
    }
}
