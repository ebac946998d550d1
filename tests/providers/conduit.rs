//! The gateway's provider against the simulated Conduit.

use rocade::lab::{ApiFault, DevicePlan};
use rocade::model::{Key, Outcome, Target, Value};
use rocade::providers::Provider;
use rocade::providers::conduit::ConduitProvider;
use serde_json::json;

use super::flow::{Bench, apply, inventory, lines, plan, settle, wish};
use super::shelf::Shelf;

const INVENTORY: &str = "
sites:
  pool: {title: Indoor pool}
gateways:
  pool-gw:
    site: pool
    model: multitech-conduit
    address: 192.168.2.1
    serial: '20412345'
    firmware: {require: '>=6.0.1, <7'}
    lorawan: {region: EU868, network_key: {secret: gateways/pool-gw/network}}
    relay: {broker: main, spool: 1 MiB}
sensors:
  hall:
    gateway: pool-gw
    model: adeunis-comfort-co2
    dev_eui: 0018B21000004A2F
    app_eui: 0018B24441524632
    app_key: {secret: sensors/hall}
    period: 10m
    topic: sites/pool/hall
  basin:
    gateway: pool-gw
    model: adeunis-comfort
    dev_eui: 0018B21000004A30
    app_eui: 0018B24441524632
    app_key: {secret: sensors/basin}
    topic: sites/pool/basin
brokers:
  main:
    model: mosquitto
    address: broker.example.net
    names: [broker.example.net]
    listeners: {mqtts: {port: 8883}}
pki:
  authority: {name: Test Root}
";

const BASIN: &str = "  basin:
    gateway: pool-gw
    model: adeunis-comfort
    dev_eui: 0018B21000004A30
    app_eui: 0018B24441524632
    app_key: {secret: sensors/basin}
    topic: sites/pool/basin
";

const PROVIDER: ConduitProvider = ConduitProvider;

async fn factory_fresh() -> Bench {
    Bench::start(DevicePlan::conduit("pool-gw")).await
}

/// What the API answers, as the page in front of it would show.
fn api(bench: &Bench, method: &str, path: &str, body: &serde_json::Value) -> serde_json::Value {
    let body = body.to_string();
    let reply = bench.device().conduit().unwrap().with_api(|api| api.handle(method, path, body.as_bytes()));
    serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["result"].clone()
}

fn get(bench: &Bench, path: &str) -> serde_json::Value {
    api(bench, "GET", path, &json!(null))
}

#[tokio::test]
async fn a_unit_from_the_factory_becomes_the_gateway_and_stays_so() {
    let bench = factory_fresh().await;
    let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    let lines = settle(&PROVIDER, &wish, &bench.host).await;
    assert_eq!(&lines[..3], ["~ lorawan network-server", "+ sensor basin", "+ sensor hall"]);
    assert_eq!(&lines[lines.len() - 3..], ["! saved settings", "! service lora", "+ service rocade-relay"]);
    let running = get(&bench, "/api/lora/config");
    assert_eq!(running["lora"]["channelPlan"], "EU868");
    assert_eq!(running["whitelist"]["devices"].as_array().unwrap().len(), 2);
    assert_eq!(get(&bench, "/api/system")["dbDirty"], false);
    let config: serde_json::Value =
        serde_json::from_str(&bench.text("/var/config/rocade/relay/config.json")).unwrap();
    assert_eq!(
        config["sensors"]["0018b21000004a2f"],
        json!({
            "name": "hall", "site": "pool", "model": "adeunis-comfort-co2", "topic": "sites/pool/hall",
            "period_s": 600,
        })
    );
    assert_eq!(config["remote"]["host"], "broker.example.net");
    let mode = |path: &str| bench.device().with_state(|state| state.files.get(path).unwrap().facts().mode);
    assert_eq!(mode("/var/config/rocade/relay/password"), "600");
    assert_eq!(mode("/etc/init.d/rocade-relay"), "755");
    assert_eq!(bench.text("/var/config/rocade/relay/password"), "relay password");
    bench.device().log().clear();
    plan(&PROVIDER, &wish, &bench.host).await;
    assert_eq!(bench.did(), Vec::<String>::new());
    assert_eq!(bench.device().log().execs(), 1, "one exec reads a gateway");
}

#[tokio::test]
async fn before_the_first_apply_what_is_not_made_yet_is_pending() {
    let bench = factory_fresh().await;
    let mut shelf = Shelf::filled();
    shelf.certificates = None;
    shelf.secrets.remove("gateways/pool-gw/relay");
    let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &shelf);
    let plan = plan(&PROVIDER, &wish, &bench.host).await;
    let pending = plan.changes.iter().filter(|change| change.is_pending());
    let pending: Vec<&str> = pending.map(|change| change.address.key.name.as_str()).collect();
    assert_eq!(pending, ["/var/config/rocade/relay/ca.pem", "/var/config/rocade/relay/password"]);
}

#[tokio::test]
async fn a_sensor_that_leaves_the_inventory_is_forgotten_by_the_network_server_too() {
    let bench = factory_fresh().await;
    let both = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    settle(&PROVIDER, &both, &bench.host).await;
    bench.device().conduit().unwrap().join("0018B21000004A30".parse().unwrap()).unwrap();
    assert_eq!(get(&bench, "/api/lora/devices").as_array().unwrap().len(), 1);
    bench.device().log().clear();
    let one = inventory(&INVENTORY.replace(BASIN, ""));
    let one = wish(&PROVIDER, &one, "pool-gw", &Shelf::filled());
    let lines = settle(&PROVIDER, &one, &bench.host).await;
    assert_eq!(
        lines,
        [
            "~ file /var/config/rocade/relay/config.json",
            "- sensor 0018b21000004a30",
            "! saved settings",
            "! service lora",
            "! service rocade-relay",
        ]
    );
    assert_eq!(get(&bench, "/api/lora/devices"), json!([]));
    assert_eq!(get(&bench, "/api/loraNetwork/whitelist")["devices"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_put_right_and_nothing_else_is_touched() {
    let bench = factory_fresh().await;
    let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    settle(&PROVIDER, &wish, &bench.host).await;
    api(
        &bench,
        "PUT",
        "/api/loraNetwork",
        &json!({ "mqtt": { "enabled": false }, "lora": { "maxTxPower": 14 } }),
    );
    bench.put("/var/config/rocade/relay/rocade_relay/old.py", "import os", "root");
    bench.put("/var/config/rocade/relay/main.py", "import sys", "root");
    let cache = "/var/config/rocade/relay/rocade_relay/__pycache__";
    bench.device().with_state(|state| state.files.directory(cache, 0o755, "root", "root")).unwrap();
    bench.put("/var/config/rocade/relay/rocade_relay/__pycache__/main.cpython-38.pyc", "x", "root");
    bench.device().log().clear();
    let lines = settle(&PROVIDER, &wish, &bench.host).await;
    assert_eq!(
        lines,
        [
            "~ lorawan network-server",
            "~ file /var/config/rocade/relay/main.py",
            "- file /var/config/rocade/relay/rocade_relay/old.py",
            "~ saved settings",
            "~ service lora",
            "~ service rocade-relay",
        ]
    );
    assert_eq!(get(&bench, "/api/loraNetwork")["lora"]["maxTxPower"], 14, "not named in the inventory");
    let restarts = bench.did().iter().filter(|deed| deed.contains("restart rocade-relay")).count();
    assert_eq!(restarts, 1);
}

#[tokio::test]
async fn an_api_that_does_not_answer_leaves_the_rest_of_the_plan_standing() {
    for fault in [ApiFault::Down, ApiFault::Status(503), ApiFault::Garbage, ApiFault::Half] {
        let bench = factory_fresh().await;
        let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
        bench.device().knobs().set(|knobs| knobs.api = Some(fault));
        let plan = plan(&PROVIDER, &wish, &bench.host).await;
        let mut unread: Vec<&str> =
            plan.unread.iter().map(|unread| unread.collection.as_deref().unwrap_or("all")).collect();
        unread.sort_unstable();
        assert_eq!(unread, ["lorawan", "saved", "sensor", "service", "unit"], "{fault:?}");
        let collections: Vec<&str> =
            plan.changes.iter().map(|change| change.address.key.collection.as_str()).collect();
        assert!(collections.contains(&"file") && collections.contains(&"service"), "{fault:?}");
        assert!(!collections.iter().any(|one| ["lorawan", "sensor", "saved"].contains(one)), "{fault:?}");
    }
}

#[tokio::test]
async fn another_unit_is_never_written_to() {
    let bench = factory_fresh().await;
    for (from, to, word) in [("'20412345'", "'20499999'", "20499999"), (">=6.0.1, <7", ">=7", "6.0.1")] {
        let other = inventory(&INVENTORY.replace(from, to));
        let wish = wish(&PROVIDER, &other, "pool-gw", &Shelf::filled());
        let plan = plan(&PROVIDER, &wish, &bench.host).await;
        assert_eq!(lines(&plan), Vec::<String>::new());
        assert!(plan.unread[0].collection.is_none());
        assert!(plan.unread[0].reason.contains(word), "{}", plan.unread[0].reason);
    }
}

#[tokio::test]
async fn a_relay_that_leaves_the_inventory_is_stopped_and_removed() {
    let bench = factory_fresh().await;
    let with = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    settle(&PROVIDER, &with, &bench.host).await;
    let without = inventory(&INVENTORY.replace("    relay: {broker: main, spool: 1 MiB}\n", ""));
    let without = wish(&PROVIDER, &without, "pool-gw", &Shelf::filled());
    let lines = settle(&PROVIDER, &without, &bench.host).await;
    assert_eq!(lines[0], "- service rocade-relay");
    assert!(lines.contains(&"- file /etc/init.d/rocade-relay".to_owned()), "{lines:?}");
    assert!(bench.device().with_state(|state| state.files.below("/var/config/rocade/relay")).is_empty());
}

#[tokio::test]
async fn a_refused_order_ends_the_apply_and_the_next_one_goes_on() {
    let bench = factory_fresh().await;
    let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    bench.device().knobs().set(|knobs| knobs.fail_order = Some(2));
    let ends = apply(&PROVIDER, &wish, &bench.host).await;
    assert_eq!(ends[0], ("lorawan network-server".to_owned(), Outcome::Done));
    assert!(matches!(ends[1].1, Outcome::Failed(_)), "{ends:?}");
    assert!(ends[2..].iter().all(|(_, end)| matches!(end, Outcome::NotStarted(_))), "{ends:?}");
    settle(&PROVIDER, &wish, &bench.host).await;
}

#[tokio::test]
async fn settings_without_their_restart_are_restarted_by_the_next_run() {
    let bench = factory_fresh().await;
    let wish = wish(&PROVIDER, &inventory(INVENTORY), "pool-gw", &Shelf::filled());
    settle(&PROVIDER, &wish, &bench.host).await;
    let list = get(&bench, "/api/loraNetwork/whitelist")["devices"].clone();
    api(&bench, "PUT", "/api/loraNetwork/whitelist", &json!({ "enabled": true, "devices": [] }));
    api(&bench, "POST", "/api/lora/restart", &json!(null));
    api(&bench, "PUT", "/api/loraNetwork/whitelist", &json!({ "enabled": true, "devices": list }));
    api(&bench, "POST", "/api/command/save", &json!(null));
    let lines = settle(&PROVIDER, &wish, &bench.host).await;
    assert_eq!(
        lines,
        ["~ service lora", "! saved settings"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
}

#[test]
fn keys_that_others_can_guess_or_share_are_refused_all_at_once() {
    let shelf = Shelf::filled()
        .with("gateways/pool-gw/network", "01020304050607080102030405060708")
        .with("sensors/basin", "1C9E77A0-5B3F4D21-86E0BA94-D35F7C21");
    let faults =
        PROVIDER.desire(&inventory(INVENTORY), &Target::new("gateway", "pool-gw"), &shelf).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("gateways/pool-gw/network") && messages[0].contains("factory"));
    assert!(messages[1].contains("same key"));
    assert!(faults.iter().all(|fault| fault.place.is_some()));
}

#[test]
fn a_networks_eui_follows_from_the_gateways_name() {
    let eui = |name: &str| {
        let inventory = inventory(
            &INVENTORY
                .replace("pool-gw:", &format!("{name}:"))
                .replace("gateway: pool-gw", &format!("gateway: {name}")),
        );
        let wish = wish(&PROVIDER, &inventory, name, &Shelf::filled());
        let Value::Text(eui) = &wish.resources[&Key::new("lorawan", "network-server")].fields["network_eui"]
        else {
            panic!()
        };
        eui.clone()
    };
    assert_eq!(eui("pool-gw"), eui("pool-gw"));
    assert_ne!(eui("pool-gw"), eui("other-gw"));
}
