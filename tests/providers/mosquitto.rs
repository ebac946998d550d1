//! The broker's provider against the simulated Debian host.

use rocade::lab::DevicePlan;
use rocade::model::{Key, Outcome, Target, Value};
use rocade::providers::Provider;
use rocade::providers::mosquitto::MosquittoProvider;

use super::flow::{Bench, apply, inventory, lines, plan, settle, wish};
use super::shelf::Shelf;

pub const INVENTORY: &str = "
sites:
  pool: {title: Indoor pool}
gateways:
  pool-gw:
    site: pool
    model: multitech-conduit
    address: 192.168.2.1
    lorawan: {region: EU868, network_key: {secret: gateways/pool-gw/network}}
    relay: {broker: main}
sensors:
  hall:
    gateway: pool-gw
    model: adeunis-comfort-co2
    dev_eui: 0018B21000004A2F
    app_eui: 0018B24441524632
    app_key: {secret: sensors/hall}
    topic: sites/pool/hall
brokers:
  main:
    model: mosquitto
    address: 127.0.0.1
    names: [127.0.0.1, localhost]
    listeners: {mqtts: {port: MQTTS, bind: 127.0.0.1}, websockets: {port: WS, bind: 127.0.0.1}}
    clients:
      signage: {password: {secret: brokers/main/signage}, read: ['sites/pool/#']}
pki:
  authority: {name: Test Root}
";

/// The inventory with two ports nobody uses.
pub fn with_free_ports() -> String {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, two) = (free(), free());
    let port = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port().to_string();
    INVENTORY.replace("MQTTS", &port(&one)).replace("WS", &port(&two))
}

async fn debian() -> Bench {
    Bench::start(DevicePlan::debian("main")).await
}

#[tokio::test]
async fn a_new_host_becomes_the_broker_and_stays_so() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let wish = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    let lines = settle(&MosquittoProvider, &wish, &bench.host).await;
    assert_eq!(lines[0], "+ package mosquitto");
    assert_eq!(lines.last().unwrap(), "+ service mosquitto");
    assert_eq!(
        bench.text("/etc/mosquitto/rocade/acl"),
        "# Written by rocade: what no line grants is refused.\n\
         \nuser relay-pool-gw\ntopic write sites/pool/hall\ntopic write rocade/relays/pool-gw/#\n\
         \nuser rocade-verify\ntopic read rocade/relays/#\ntopic read rocade/verify/#\ntopic write rocade/verify/#\n\
         \nuser signage\ntopic read sites/pool/#\n"
    );
    let ours = bench.device().with_state(|state| state.files.below("/etc/mosquitto/rocade"));
    assert!(!ours.iter().any(|path| path.contains("candidate")), "{ours:?}");
    bench.device().log().clear();
    plan(&MosquittoProvider, &wish, &bench.host).await;
    assert_eq!(bench.did(), Vec::<String>::new());
    assert_eq!(
        MosquittoProvider.observe(&wish, rocade::transport::Reading::on(&bench.host)).await.title,
        "Mosquitto 2.0.11, Debian 12"
    );
}

#[tokio::test]
async fn before_the_first_apply_what_is_not_made_yet_is_pending() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let shelf = Shelf::empty().with("brokers/main/signage", "x");
    let wish = wish(&MosquittoProvider, &inventory, "main", &shelf);
    let plan = plan(&MosquittoProvider, &wish, &bench.host).await;
    let pending: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.is_pending())
        .map(|change| change.address.key.to_string())
        .collect();
    assert_eq!(
        pending,
        [
            "account relay-pool-gw",
            "account rocade-verify",
            "file /etc/mosquitto/rocade/ca.pem",
            "file /etc/mosquitto/rocade/server.key",
            "file /etc/mosquitto/rocade/server.pem",
        ]
    );
}

#[tokio::test]
async fn a_changed_password_is_one_new_line_and_a_reload() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let first = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    settle(&MosquittoProvider, &first, &bench.host).await;
    let before = bench.text("/etc/mosquitto/rocade/passwd");
    bench.device().log().clear();
    let shelf = Shelf::filled().with("brokers/main/signage", "another");
    let second = wish(&MosquittoProvider, &inventory, "main", &shelf);
    let lines = settle(&MosquittoProvider, &second, &bench.host).await;
    assert_eq!(lines, ["~ account signage", "! service mosquitto"]);
    let after = bench.text("/etc/mosquitto/rocade/passwd");
    let kept = before.lines().zip(after.lines()).filter(|(before, after)| before == after).count();
    assert_eq!((kept, after.lines().count()), (2, 3));
    let deeds = bench.did();
    assert_eq!(deeds.last().unwrap(), "reload mosquitto");
    assert!(!deeds.iter().any(|deed| deed.starts_with("restart")), "{deeds:?}");
}

#[tokio::test]
async fn what_others_left_goes_and_the_clear_port_closes() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let wish = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    settle(&MosquittoProvider, &wish, &bench.host).await;
    bench.put("/etc/mosquitto/conf.d/pilot.conf", "listener 1883\nallow_anonymous true\n", "mosquitto");
    bench.put("/etc/mosquitto/conf.d/README", "read by nobody", "mosquitto");
    let accounts = bench.text("/etc/mosquitto/rocade/passwd");
    bench.put("/etc/mosquitto/rocade/passwd", &format!("guest:plain\nnonsense\n{accounts}"), "mosquitto");
    bench.device().log().clear();
    let lines = settle(&MosquittoProvider, &wish, &bench.host).await;
    assert_eq!(
        lines,
        [
            "- file /etc/mosquitto/conf.d/pilot.conf",
            "- account guest",
            "- account line 2",
            "~ service mosquitto",
        ]
    );
    assert_eq!(bench.text("/etc/mosquitto/rocade/passwd"), accounts);
    assert!(bench.did().contains(&"restart mosquitto".to_owned()), "{:?}", bench.did());
}

#[tokio::test]
async fn a_configuration_that_would_not_start_is_not_put_in_place() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let good = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    settle(&MosquittoProvider, &good, &bench.host).await;
    let before = bench.text("/etc/mosquitto/conf.d/rocade.conf");
    bench.device().log().clear();
    let shelf = Shelf::filled().with_template("mosquitto/rocade.conf.j2", "acl_file /nowhere\n");
    let bad = wish(&MosquittoProvider, &inventory, "main", &shelf);
    let ends = apply(&MosquittoProvider, &bad, &bench.host).await;
    assert!(matches!(ends[0].1, Outcome::Failed(_)), "{ends:?}");
    assert!(ends[1..].iter().all(|(_, end)| matches!(end, Outcome::NotStarted(_))), "{ends:?}");
    assert_eq!(bench.text("/etc/mosquitto/conf.d/rocade.conf"), before);
    assert!(!bench.did().iter().any(|deed| deed.contains("restart") || deed.contains("reload")));
    // What the trial left behind is ours to remove.
    settle(&MosquittoProvider, &good, &bench.host).await;
}

#[tokio::test]
async fn a_broker_older_than_ours_is_left_alone() {
    let (bench, inventory) = (debian().await, inventory(&with_free_ports()));
    let wish = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    bench
        .device()
        .with_state(|state| state.packages.insert("mosquitto".to_owned(), "1.5.7-1+deb10u1".to_owned()));
    let plan = plan(&MosquittoProvider, &wish, &bench.host).await;
    assert_eq!(lines(&plan), Vec::<String>::new());
    assert!(plan.unread[0].collection.is_none() && plan.unread[0].reason.contains("1.5.7"));
}

#[test]
fn nothing_can_be_granted_by_a_line_end_and_every_fault_is_named() {
    let text = with_free_ports()
        .replace("sites/pool/#'", "sites/x'")
        .replace("[127.0.0.1, localhost]", "[127.0.0.1]");
    let mut inventory = inventory(&text);
    let broker = inventory.brokers.get_mut("main").unwrap();
    broker.value.clients.get_mut("signage").unwrap().value.read[0].value = "a\ntopic #".to_owned();
    broker.value.listeners.websockets.as_mut().unwrap().bind = None;
    let faults =
        MosquittoProvider.desire(&inventory, &Target::new("broker", "main"), &Shelf::filled()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("control characters"));
    assert!(messages[1].contains("loopback"));
}

#[test]
fn under_a_prefix_no_service_is_wished() {
    let inventory =
        inventory(&with_free_ports().replace("    names: [127", "    root: /srv/image\n    names: [127"));
    let wish = wish(&MosquittoProvider, &inventory, "main", &Shelf::filled());
    assert!(!wish.resources.keys().any(|key| ["service", "listener"].contains(&key.collection.as_str())));
    let content = &wish.resources[&Key::new("file", "/etc/mosquitto/conf.d/rocade.conf")].fields["content"];
    let Value::Text(content) = content else { panic!() };
    assert!(content.contains("allow_anonymous false\n"));
}
