//! One thing of the inventory changes: that is planned and done, with what it needs, and nothing else.

use std::process::Stdio;

use super::bed::{BROKER, GATEWAY, bed, succeed};
use super::clients::{Client, Listener, Uplink, send};
use super::endured::whitelist;
use super::site::{self, Site};

const PANTRY: &str = "\
sensors:
  pantry:
    gateway: pool-gw
    model: adeunis-comfort
    dev_eui: 0018B21000007777
    app_eui: 0018B24441524632
    app_key: {secret: sensors/pantry/app_key}
    topic: sites/pool/pantry
";
const ACL: &str = "update file /etc/mosquitto/rocade/acl";
const RELAY_CONFIG: &str = "update file /var/config/rocade/relay/config.json";
const BROKER_WAKES: &str = "wake service mosquitto";
const RELAY_WAKES: &str = "wake service rocade-relay";
const SENSORS_WAKE: [&str; 2] = ["wake saved settings", "wake service lora"];

fn broker_process() -> String {
    bed().on(BROKER, "systemctl show --property MainPID mosquitto")
}

#[track_caller]
fn are(mut planned: Vec<String>, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    planned.sort_unstable();
    assert_eq!(planned, expected);
}

/// The keys of the gateway's devices, by DevEUI.
fn key_of(dev_eui: &str) -> Option<String> {
    let list = whitelist();
    let devices = list["devices"].as_array().unwrap();
    let device = devices.iter().find(|device| device["deveui"] == dev_eui)?;
    Some(device["appkey"].as_str().unwrap().replace(['-', '.', ':'], "").to_lowercase())
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_sensor_comes_gets_another_key_and_goes() {
    let mut site = site::ready();
    let broker = broker_process();
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, "sites/#");
    site.add("inventory/pantry.yaml", PANTRY);
    site.set("sensors/pantry/app_key", "00112233445566778899aabbccddee01");
    let [saved, lora] = SENSORS_WAKE;
    let other = [ACL, BROKER_WAKES, RELAY_CONFIG, RELAY_WAKES, saved, lora];
    are(site.applied(), &[&["create sensor pantry"][..], &other].concat());
    send(&[Uplink::new("0018b21000007777", 7701, 1, &hex::decode("4c2000d72d").unwrap())]);
    assert_eq!(listener.reading("sites/pool/pantry", 7701).json()["measures"]["temperature"]["value"], 21.5);

    let dev_eui = "00-18-b2-10-00-00-77-77";
    assert_eq!(key_of(dev_eui).unwrap(), "00112233445566778899aabbccddee01");
    site.set("sensors/pantry/app_key", "00112233445566778899aabbccddee02");
    are(site.applied(), &["update sensor pantry", saved, lora]);
    assert_eq!(key_of(dev_eui).unwrap(), "00112233445566778899aabbccddee02");

    joined(dev_eui);
    site.remove("inventory/pantry.yaml");
    are(site.applied(), &[&["delete sensor 0018b21000007777"][..], &other].concat());
    assert_eq!(key_of(dev_eui), None);
    let devices = bed().on(GATEWAY, "curl -sS http://127.0.0.1/api/lora/devices");
    assert!(!devices.contains(dev_eui), "{devices}");
    assert_eq!(broker, broker_process(), "the broker was restarted");
}

/// The sensor has joined: its row stands in the network server when the gateway comes up again.
fn joined(dev_eui: &str) {
    let path = bed().api_file("conduit-state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let row = serde_json::json!({"deveui": dev_eui, "name": "", "class": "A", "last_seen": ""});
    state["joined"].as_array_mut().unwrap().push(row);
    std::fs::write(path, state.to_string()).unwrap();
    bed().reboot(GATEWAY);
    let devices =
        bed().on(GATEWAY, "curl -sS --retry 9 --retry-connrefused http://127.0.0.1/api/lora/devices");
    assert!(devices.contains(dev_eui), "{devices}");
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_new_password_replaces_the_old_without_a_restart() {
    let mut site = site::ready();
    let (broker, old) = (broker_process(), Client::signage(&mut site));
    site.set("brokers/main/signage", "a password of ünusual \\ 'form'");
    are(site.applied(), &["update account signage", BROKER_WAKES]);
    let new = Client::signage(&mut site);
    assert!(!old.subscribe(&site, "sites/#").status.success(), "the old password still works");
    assert!(new.subscribe(&site, "sites/#").status.success(), "the new password does not work");
    assert_eq!(broker, broker_process());
    site.set("brokers/main/signage", &old.password);
}

/// The SHA-256 of the certificate that the broker shows.
fn shown(port: u16) -> String {
    let mut command = bed().operator("openssl");
    command.args(["s_client", "-connect", &format!("192.168.145.100:{port}")]).stdin(Stdio::null());
    let pem = succeed(&mut command);
    let begin = pem.find("-----BEGIN CERTIFICATE").unwrap();
    let end = pem.find("-----END CERTIFICATE").unwrap();
    pem[begin..end].to_owned()
}

fn issued(site: &Site) -> String {
    let pem = std::fs::read_to_string(site.path("pki/leaves/main.pem")).unwrap();
    pem[..pem.find("-----END CERTIFICATE").unwrap()].to_owned()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_new_name_of_the_broker_brings_a_new_certificate() {
    let site = site::ready();
    let (before, process) = (shown(8883), broker_process());
    site.edit("brokers.yaml", "names: [", "names: [mqtt.example.net, ");
    let planned = site.applied();
    assert!(planned.contains(&"update certificate main".to_owned()), "{planned:?}");
    assert_ne!(shown(8883), before);
    assert_eq!(shown(8883), issued(&site));
    assert_eq!(process, broker_process(), "the broker was restarted");
    site.rocade(&["verify"]).ends_with(0);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn another_port_moves_the_listener_and_the_relay_follows() {
    let mut site = site::ready();
    let process = broker_process();
    site.edit("brokers.yaml", "port: 8883", "port: 8899");
    let conf = "update file /etc/mosquitto/conf.d/rocade.conf";
    are(site.applied(), &[conf, BROKER_WAKES, RELAY_CONFIG, RELAY_WAKES]);
    assert_ne!(process, broker_process());
    let old = Client::signage(&mut site);
    assert!(!old.subscribe(&site, "sites/#").status.success(), "the old port still serves");
    let new = Client { port: 8899, ..old };
    let listener = Listener::open(&site, &new, "sites/#");
    send(&[Uplink::new("0018b21000004a2f", 7801, 1, &hex::decode("6a2000d72d0190").unwrap())]);
    listener.reading("sites/pool/hall", 7801);
    site.rocade(&["verify"]).ends_with(0);
}
