//! The API's rules, one request after the other.

use serde_json::{Value, json};

use super::*;

const DEVICES: &str = "/api/loraNetwork/whitelist/devices";

fn unit() -> Api {
    Api::commissioned(Firmware::of("6.0.1").unwrap(), 20_412_345, "admin", "Secret-01")
}

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
    let mut api = unit();
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
    let mut api = unit();
    ask(&mut api, "PUT", "/api/loraNetwork/lora", json!({"channelPlan": "EU868"}));
    ask(&mut api, "POST", "/api/command/save", Value::Null);
    assert_eq!(get(&mut api, "/api/lora/config")["lora"]["channelPlan"], json!("US915"));
    ask(&mut api, "POST", "/api/lora/restart", Value::Null);
    assert_eq!(get(&mut api, "/api/lora/config/lora/channelPlan"), json!("EU868"));
}

#[test]
fn wrong_requests_are_refused_with_a_reason() {
    let mut api = unit();
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
    let mut api = unit();
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
    let mut api = unit();
    let eui: Eui = "0018B21000004A2F".parse().unwrap();
    ask(&mut api, "POST", DEVICES, sensor());
    assert!(api.join(eui).is_err());
    ask(&mut api, "POST", "/api/lora/restart", Value::Null);
    api.join(eui).unwrap();
    assert_eq!(get(&mut api, "/api/lora/devices")[0]["deveui"], "00-18-b2-10-00-00-4a-2f");
    assert_eq!(ask(&mut api, "DELETE", "/api/lora/devices/00-18-b2-10-00-00-4a-2f", Value::Null).0, 200);
    assert_eq!(get(&mut api, "/api/lora/devices"), json!([]));
}

/// Does what a restart does, which a request must have started.
fn restart(api: &mut Api) -> bool {
    let due = api.take_due().expect("a restart was started");
    api.boot(&due)
}

#[test]
fn a_restart_loses_what_was_not_saved_of_every_resource() {
    for (target, before, after) in [
        ("/api/loraNetwork/lora", json!({"channelPlan": "EU868"}), "US915"),
        ("/api/remoteMgmt", json!({"serverName": "other"}), "api.multitech.com"),
    ] {
        let mut api = unit();
        let name = before.as_object().unwrap().keys().next().unwrap().clone();
        ask(&mut api, "PUT", target, before.clone());
        ask(&mut api, "POST", "/api/command/restart", Value::Null);
        assert_eq!(get(&mut api, target)[&name], before[&name], "it is not restarted yet");
        assert!(!restart(&mut api));
        assert_eq!(get(&mut api, target)[&name], after);
        ask(&mut api, "PUT", target, before.clone());
        ask(&mut api, "POST", "/api/command/save_restart", Value::Null);
        restart(&mut api);
        assert_eq!(get(&mut api, target)[&name], before[&name]);
        assert_eq!(get(&mut api, "/api/system/dbDirty"), json!(false));
    }
}

#[test]
fn ssh_follows_what_its_service_was_started_with() {
    let ssh = |api: &Api| api.settings().has_ssh(2222);
    let mut api = Api::boxed(Firmware::of("6.0.1").unwrap(), 1);
    api.settings.commission("admin", "Secret-01");
    assert!(!ssh(&api));
    let on = json!({"ssh": {"enabled": true, "lan": true}});
    assert_eq!(ask(&mut api, "PUT", "/api/remoteAccess", on).0, 200);
    ask(&mut api, "POST", "/api/command/save", Value::Null);
    assert!(!ssh(&api));
    ask(&mut api, "POST", "/api/command/save_apply", Value::Null);
    assert!(ssh(&api));
    ask(&mut api, "PUT", "/api/remoteAccess/ssh", json!({"port": 2223}));
    ask(&mut api, "POST", "/api/command/save_apply", Value::Null);
    assert!(!ssh(&api), "another port");
    ask(&mut api, "PUT", "/api/remoteAccess/ssh", json!({"port": 2222}));
    api.apply_late();
    ask(&mut api, "POST", "/api/command/save_apply", Value::Null);
    assert!(!ssh(&api));
    ask(&mut api, "POST", "/api/command/restart", Value::Null);
    restart(&mut api);
    assert!(ssh(&api));
}

#[test]
fn resets_give_back_the_box_or_what_was_made_the_default() {
    let mut api = unit();
    ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true}));
    assert!(api.boot(&Restart::Defaults), "there are no user-defined defaults");
    assert_eq!(ask(&mut api, "GET", "/api/system", Value::Null).0, 409);

    let mut api = unit();
    ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true}));
    ask(&mut api, "POST", "/api/command/save_oem", Value::Null);
    ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": false}));
    ask(&mut api, "POST", "/api/command/save", Value::Null);
    assert!(!api.boot(&Restart::Defaults));
    assert_eq!(get(&mut api, "/api/loraNetwork/mqtt/enabled"), json!(true));
    assert_eq!(get(&mut api, "/api/users"), json!([{"name": "admin", "permission": "admin"}]));
    ask(&mut api, "POST", "/api/command/factory_reset", Value::Null);
    assert!(restart(&mut api));
    assert!(!api.settings().is_commissioned());
    assert!(api.boot(&Restart::Defaults), "a factory reset takes them too");
}

#[test]
fn a_wipe_leaves_its_users_and_the_way_to_reach_it() {
    let mut api = unit();
    let before = get(&mut api, "/api?fields=loraNetwork,system,users,remoteAccess");
    ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true}));
    ask(&mut api, "POST", "/api/command/save_apply?allowRestart=false", Value::Null);
    api.wipe();
    assert_eq!(get(&mut api, "/api?fields=loraNetwork,system,users,remoteAccess"), before);
    assert_eq!(before["system"]["deviceId"], "20412345");
}

#[test]
fn a_unit_in_its_box_answers_nothing_but_commissioning() {
    let mut api = Api::boxed(Firmware::of("6.0.1").unwrap(), 1);
    assert_eq!(ask(&mut api, "GET", "/api/commissioning", Value::Null).0, 200);
    assert_eq!(ask(&mut api, "GET", "/api/system", Value::Null).0, 409);
    assert_eq!(ask(&mut api, "PUT", "/api/loraNetwork/mqtt", json!({"enabled": true})).0, 409);
}

#[test]
fn a_user_is_made_in_a_dialogue() {
    for firmware in ["5.3.0", "6.3.1"] {
        let mut api = Api::boxed(Firmware::of(firmware).unwrap(), 1);
        let mut id = json!("");
        let mut say = |answer: &str| {
            let body = json!({"username": "admin", "aasID": id, "aasAnswer": answer});
            let (status, envelope) = ask(&mut api, "POST", "/api/commissioning", body);
            assert_eq!(status, 200, "{envelope}");
            id = envelope["result"]["aasID"].clone();
            envelope["result"]["aasType"].clone()
        };
        let asked = ["", "weak", "Secret-01", "Secret-02", "Secret-01", "Secret-01"].map(&mut say);
        assert_eq!(
            asked,
            [json!("info"), json!("error"), json!("info"), json!("error"), json!("info"), json!(null)]
        );
        assert_eq!(ask(&mut api, "GET", "/api/commissioning", Value::Null).0, 400);
        assert_eq!(get(&mut api, "/api/system/firstTimeSetup"), json!(true));
        assert_eq!(api.settings().users().collect::<Vec<_>>(), [("admin", "Secret-01")]);
        let body = json!({"username": "other", "aasID": "", "aasAnswer": ""});
        assert_eq!(ask(&mut api, "POST", "/api/commissioning", body).0, 400);
    }
}

#[test]
fn an_answer_outside_the_dialogue_is_refused_and_ends_it() {
    let mut api = Api::boxed(Firmware::of("6.0.1").unwrap(), 1);
    let body = |id: &Value| json!({"username": "admin", "aasID": id, "aasAnswer": "Secret-01"});
    let start = json!({"username": "admin", "aasID": "", "aasAnswer": ""});
    let id = ask(&mut api, "POST", "/api/commissioning", start).1["result"]["aasID"].clone();
    assert_eq!(ask(&mut api, "POST", "/api/commissioning", body(&json!("other"))).0, 400);
    assert_eq!(ask(&mut api, "POST", "/api/commissioning", body(&id)).0, 400);
    assert_eq!(ask(&mut api, "POST", "/api/commissioning", json!({"password": "Secret-01"})).0, 400);
    assert!(!api.settings().is_commissioned());
}

#[test]
fn firmware_7_makes_its_user_in_one_request() {
    let mut api = Api::boxed(Firmware::of("7.1.0").unwrap(), 1);
    assert_eq!(get(&mut api, "/api/commissioning"), json!({"commissioned": false}));
    assert_eq!(ask(&mut api, "POST", "/api/commissioning", json!({"password": "short"})).0, 400);
    assert_eq!(ask(&mut api, "POST", "/api/commissioning", json!({"password": "Secret-01"})).0, 200);
    assert_eq!(get(&mut api, "/api/commissioning"), json!({"commissioned": true}));
    assert_eq!(api.settings().users().collect::<Vec<_>>(), [("admin", "Secret-01")]);
}

#[test]
fn uplinks_show_in_every_list() {
    let mut api = unit();
    let eui: Eui = "0018B21000004A2F".parse().unwrap();
    ask(&mut api, "POST", DEVICES, sensor());
    ask(&mut api, "POST", "/api/lora/restart", Value::Null);
    let uplink = Uplink { fcnt: Some(7), rssi: -101, ..Uplink::new(eui, &[0x10, 0x22]) };
    assert!(api.hear(&uplink).is_err(), "it did not join");
    api.join(eui).unwrap();
    api.hear(&uplink).unwrap();
    assert!(api.hear(&uplink).is_err(), "the same counter again");
    api.hear(&Uplink::new(eui, &[0x4d])).unwrap();
    let packets = get(&mut api, "/api/lora/packets/recent");
    assert_eq!((&packets[1]["fcnt"], &packets[1]["rssi"]), (&json!(7), &json!(-101)));
    assert_eq!((&packets[0]["fcnt"], &packets[1]["data"]), (&json!(8), &json!("ECI=")));
    let session = get(&mut api, "/api/lora/sessions");
    assert_eq!(session[0]["up_counter"], 9);
    assert_eq!(get(&mut api, "/api/lora/devices")[0]["last_seen"], session[0]["last_seen"]);
    assert_eq!(get(&mut api, "/api/lora/stats/rx_pkts"), 2);
}
