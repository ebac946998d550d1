//! The API's rules, one request after the other.

use serde_json::{Value, json};

use super::*;

const DEVICES: &str = "/api/loraNetwork/whitelist/devices";

fn ask(api: &mut Api, method: &str, target: &str, body: Value) -> (u16, Value) {
    let reply = api.handle(method, target, body.to_string().as_bytes());
    let envelope: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(envelope["code"], reply.status);
    assert_eq!(envelope["status"], if reply.status == 200 { "success" } else { "fail" });
    (reply.status, envelope)
}

fn get(api: &mut Api, target: &str) -> Value {
    let (status, envelope) = ask(api, "GET", target, Value::Null);
    assert_eq!(status, 200, "{target}: {envelope}");
    envelope["result"].clone()
}

fn sensor() -> Value {
    json!({"deveui": "0018B21000004A2F", "appeui": "0018B24441524632", "class": "A",
           "appkey": "00112233445566778899AABBCCDDEEFF", "device_profile_id": "LW102-OTA-EU868"})
}

#[test]
fn a_write_runs_and_lasts_only_when_saved() {
    let mut api = Api::factory(20412345);
    let (_, before) = ask(&mut api, "GET", "/api/loraNetwork/lora", Value::Null);
    let patch = json!({"lora": {"channelPlan": "EU868"}, "mqtt": {"enabled": true}});
    let (status, after) = ask(&mut api, "PUT", "/api/loraNetwork", patch);
    assert_eq!((status, &after["result"]["lora"]["channelPlan"]), (200, &json!("EU868")));
    assert_eq!(after["result"]["lora"]["netID"], before["result"]["netID"]);
    assert_eq!(get(&mut api, "/api/system/dbDirty"), json!(true));
    ask(&mut api, "POST", "/api/command/revert", Value::Null);
    assert_eq!(get(&mut api, "/api/loraNetwork/lora/channelPlan"), json!("US915"));
    assert_eq!(get(&mut api, "/api/system")["dbDirty"], json!(false));
}

#[test]
fn the_network_server_runs_with_what_it_loaded() {
    let mut api = Api::factory(20412345);
    ask(&mut api, "PUT", "/api/loraNetwork/lora", json!({"channelPlan": "EU868"}));
    ask(&mut api, "POST", "/api/command/save", Value::Null);
    assert_eq!(get(&mut api, "/api/lora/config")["lora"]["channelPlan"], json!("US915"));
    ask(&mut api, "POST", "/api/lora/restart", Value::Null);
    assert_eq!(get(&mut api, "/api/lora/config/lora/channelPlan"), json!("EU868"));
}

#[test]
fn wrong_requests_are_refused_with_a_reason() {
    let mut api = Api::factory(20412345);
    let factory = get(&mut api, "/api/loraNetwork");
    for (method, target, body, status) in [
        ("GET", "/api/nonsense", Value::Null, 404),
        ("PUT", "/api/loraNetwork", json!({"lora": {"enabled": "yes"}}), 400),
        ("PUT", "/api/loraNetwork", json!({"lora": {"channelPlan": "EU8"}}), 400),
        ("PUT", "/api/loraNetwork", json!({"network": {"key": "short"}}), 400),
        ("PUT", "/api/loraNetwork", json!({"lora": {"enabeld": true}}), 400),
        ("PUT", "/api/system", json!({"firmware": "9"}), 400),
        ("POST", DEVICES, json!({"deveui": "1"}), 400),
        ("GET", "/api/commissioning", Value::Null, 400),
        ("POST", "/api/loraNetwork", json!({}), 405),
        ("DELETE", "/api/loraNetwork/whitelist/devices/0", Value::Null, 404),
    ] {
        let (answered, envelope) = ask(&mut api, method, target, body);
        assert_eq!(answered, status, "{method} {target}: {envelope}");
        assert!(envelope["error"].as_str().is_some_and(|error| !error.is_empty()), "{envelope}");
    }
    assert_eq!(get(&mut api, "/api/loraNetwork"), factory);
}

#[test]
fn sensors_are_listed_once_and_removed_by_any_name() {
    let mut api = Api::factory(20412345);
    for name in ["0", "0018b21000004a2f", "00-18-b2-10-00-00-4a-2f"] {
        assert_eq!(ask(&mut api, "POST", DEVICES, sensor()).0, 200);
        assert_eq!(ask(&mut api, "POST", DEVICES, sensor()).0, 400);
        assert_eq!(get(&mut api, DEVICES)[0]["deveui"], "00-18-b2-10-00-00-4a-2f");
        assert_eq!(ask(&mut api, "DELETE", &format!("{DEVICES}/{name}"), Value::Null).0, 200);
        assert_eq!(get(&mut api, DEVICES), json!([]));
    }
    let whole = json!({"enabled": true, "devices": [sensor()]});
    assert_eq!(ask(&mut api, "PUT", "/api/loraNetwork/whitelist", whole).0, 200);
    assert_eq!(get(&mut api, DEVICES).as_array().unwrap().len(), 1);
    let empty = json!({"devices": []});
    ask(&mut api, "PUT", "/api/loraNetwork/whitelist", empty);
    assert_eq!(get(&mut api, "/api/loraNetwork/whitelist")["enabled"], json!(true));
    assert_eq!(get(&mut api, DEVICES), json!([]));
}

#[test]
fn a_listed_sensor_joins_once_the_network_server_knows_it() {
    let mut api = Api::factory(20412345);
    let eui: Eui = "0018B21000004A2F".parse().unwrap();
    ask(&mut api, "POST", DEVICES, sensor());
    assert!(api.join(eui).is_err());
    ask(&mut api, "POST", "/api/lora/restart", Value::Null);
    api.join(eui).unwrap();
    assert_eq!(get(&mut api, "/api/lora/devices")[0]["deveui"], "00-18-b2-10-00-00-4a-2f");
    assert_eq!(ask(&mut api, "DELETE", "/api/lora/devices/00-18-b2-10-00-00-4a-2f", Value::Null).0, 200);
    assert_eq!(get(&mut api, "/api/lora/devices"), json!([]));
}

#[test]
fn a_reset_gives_back_the_factory() {
    let mut api = Api::factory(20412345);
    let factory = get(&mut api, "/api?fields=loraNetwork,system");
    ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true}));
    ask(&mut api, "POST", "/api/command/save_apply?allowRestart=false", Value::Null);
    api.reset();
    assert_eq!(get(&mut api, "/api?fields=loraNetwork,system"), factory);
    assert_eq!(factory["system"]["deviceId"], "20412345");
}

#[test]
fn a_unit_that_is_not_commissioned_answers_nothing_else() {
    let mut api = Api::factory(20412345);
    api.uncommission();
    assert_eq!(ask(&mut api, "GET", "/api/commissioning", Value::Null).0, 200);
    assert_eq!(ask(&mut api, "GET", "/api/system", Value::Null).0, 409);
    assert_eq!(ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true})).0, 409);
}
