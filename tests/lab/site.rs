//! The repository that `lab up` writes: a valid inventory, secrets that open, host keys that fit.

use rocade::inventory;
use rocade::lab::{self, Kind};
use rocade::secrets::{IdentitySource, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::clients::{askpass, err, installed, out, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_written_inventory_holds() {
    let folder = TempDir::new().unwrap();
    let lab = lab::up(folder.path()).await.unwrap();
    let loaded = match inventory::load(folder.path()) {
        Ok(loaded) => loaded,
        Err(report) => panic!("{report:?}"),
    };
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert_eq!(loaded.inventory.sensors.len(), 2);
    let store = Store::open(folder.path(), IdentitySource::Default { config_dir: None }).unwrap();
    let gateway = &loaded.inventory.gateways["pool-gw"];
    let password = &gateway.ssh.password.as_ref().unwrap().secret;
    let expected = &lab.device("pool-gw").unwrap().plan.password;
    assert_eq!(store.get(password).unwrap().reveal_text(), Some(expected.as_str()));
    for sensor in loaded.inventory.sensors.values() {
        let key = store.get(&sensor.app_key.secret).unwrap();
        assert_eq!(inventory::lint::weak_key(key.reveal_text().unwrap()), None);
    }
    let ports: Vec<u16> = lab.devices().iter().map(|device| device.plan.https_port).collect();
    lab.stop().await;
    // The same folder is the same lab again; what is no lab's stays untouched.
    let again = lab::up(folder.path()).await.unwrap();
    assert_eq!(again.devices().iter().map(|device| device.plan.https_port).collect::<Vec<_>>(), ports);
    again.stop().await;
    let other = TempDir::new().unwrap();
    std::fs::write(other.path().join("notes.txt"), "mine").unwrap();
    assert!(lab::up(other.path()).await.is_err(), "a folder that holds something else");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_enough_to_log_in() {
    if !installed(&["ssh"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let lab = lab::up(folder.path()).await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("lab.json")).unwrap();
    let described: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&described["format"], lab.devices().len()), (&Value::from(1), 3));
    for device in described["devices"].as_array().unwrap() {
        let login = &device["ssh"];
        if device["kind"] == "threecx" {
            continue;
        }
        let word = |name: &str| login[name].as_str().unwrap();
        let known_hosts = folder.path().join("inventory/known_hosts");
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-T", "-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=none"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known_hosts.display()))
            .args(["-o", "PubkeyAuthentication=no", "-p", &login["port"].to_string(), "-l", word("user")])
            .args([word("address"), "hostname"])
            .env("SSH_ASKPASS", askpass(folder.path(), word("password")))
            .env("SSH_ASKPASS_REQUIRE", "force");
        let output = run(ssh, b"").await;
        let kind: Kind = serde_json::from_value(device["kind"].clone()).unwrap();
        let expected = if kind == Kind::Conduit { "mtcdt\n" } else { "broker\n" };
        assert_eq!(out(&output), expected, "{}", err(&output));
        let log = std::fs::read_to_string(folder.path().join(device["log"].as_str().unwrap())).unwrap();
        assert!(log.contains("hostname"), "{log}");
    }
}
