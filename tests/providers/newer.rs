//! The broker's provider against the real Mosquitto 2.1 of Debian unstable, which wants the same settings in
//! other words and ends where 2.0 goes on.

use rocade::inventory::Inventory;
use rocade::model::{Key, Outcome};
use rocade::providers::mosquitto::MosquittoProvider;

use super::flow::{apply, inventory, settle, wish};
use super::mosquitto::INVENTORY;
use super::own_broker::{Machine, host};
use super::shelf::Shelf;

const CONF: &str = "/etc/mosquitto/conf.d/rocade.conf";

fn broker() -> Inventory {
    inventory(&INVENTORY.replace("MQTTS", "8883").replace("WS", "9001"))
}

fn pid(machine: &Machine) -> String {
    machine.shell("cat /run/mosquitto/mosquitto.pid").trim().to_owned()
}

/// A publish with MQTT 5, whose acknowledgement tells what the ACL refused.
fn publishes(machine: &Machine, user: &str, password: &str, topic: &str) -> bool {
    let rest = ["-V", "5", "-q", "1", "-r", "-t", topic, "-m", topic];
    let said = machine.client("mosquitto_pub", user, password, &rest);
    said.status.success() && !String::from_utf8_lossy(&said.stderr).contains("ot authori")
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_2_1_is_given_its_own_words_and_accounts_change_while_it_runs() {
    let Some(machine) = Machine::boot_newer() else { return };
    let first = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &first, &host(&machine)).await;
    assert!(machine.shell("/usr/sbin/mosquitto -h; true").contains("version 2.1"));
    let conf = machine.shell(&format!("cat {CONF}"));
    assert!(
        conf.contains("/mosquitto_acl_file.so\nplugin_opt_acl_file /etc/mosquitto/rocade/acl\n"),
        "{conf}"
    );
    assert!(!conf.contains("\nacl_file") && !conf.contains("\npassword_file"), "{conf}");
    let log = machine.shell("cat /var/log/mosquitto/mosquitto.log");
    assert!(!log.contains("deprecated") && !log.contains("will refuse"), "{log}");

    assert!(publishes(&machine, "relay-pool-gw", "relay password", "sites/pool/hall"));
    assert!(!publishes(&machine, "relay-pool-gw", "relay password", "sites/pool/other"));
    assert!(!publishes(&machine, "relay-pool-gw", "wrong", "sites/pool/hall"));
    assert!(!publishes(&machine, "signage", "signage password", "sites/pool/hall"));

    let before = pid(&machine);
    let shelf = Shelf::filled().with("brokers/main/signage", "a new one");
    let second = wish(&MosquittoProvider, &broker(), "main", &shelf);
    let lines = settle(&MosquittoProvider, &second, &host(&machine)).await;
    assert_eq!(lines, ["~ account signage", "! service mosquitto"]);
    assert_eq!(pid(&machine), before, "it was not restarted");
    let read = |password| {
        let read = machine.client("mosquitto_sub", "signage", password, &["-q", "1", "-W", "1", "-t", "#"]);
        String::from_utf8(read.stdout).unwrap()
    };
    assert_eq!(read("a new one"), "sites/pool/hall\n");
    assert_eq!(read("signage password"), "");
}

/// What `--test-config` of 2.1 does not look at would end the running broker at its reload.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_would_end_mosquitto_2_1_at_its_reload_never_reaches_it() {
    let Some(machine) = Machine::boot_newer() else { return };
    let good = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &good, &host(&machine)).await;
    let (before, acl) = (pid(&machine), machine.shell("cat /etc/mosquitto/rocade/acl"));
    let refused = async |path: &str, from: &str, to: &str| {
        let mut bad = good.clone();
        let wished = bad.resources.get_mut(&Key::new("file", path)).unwrap();
        let rocade::model::Value::Text(text) = &wished.fields["content"] else { panic!() };
        let text = text.replace(from, to);
        wished.fields.insert("content".to_owned(), text.into());
        let ends = apply(&MosquittoProvider, &bad, &host(&machine)).await;
        let Outcome::Failed(reason) = &ends[0].1 else { panic!("{ends:?}") };
        reason.clone()
    };
    let reason = refused("/etc/mosquitto/rocade/acl", "topic write", "topic writ").await;
    assert!(reason.contains("Invalid topic access type"), "{reason}");
    let reason = refused(CONF, "allow_anonymous", "no_such_option").await;
    assert!(reason.contains("no_such_option"), "{reason}");
    assert_eq!((pid(&machine), machine.shell("cat /etc/mosquitto/rocade/acl")), (before.clone(), acl));
    assert!(publishes(&machine, "relay-pool-gw", "relay password", "sites/pool/hall"));

    // That it would have ended is not taken for granted.
    machine
        .shell("sed -i 's/topic write/topic writ/' /etc/mosquitto/rocade/acl; /etc/init.d/mosquitto reload");
    machine.shell(&format!("timeout 10 sh -c 'while kill -0 {before} 2>/dev/null; do sleep 0.1; done'"));
}

/// An upgrade of the system: 2.1 runs with what 2.0 was given, and gets its own words by the next apply.
#[tokio::test(flavor = "multi_thread")]
async fn what_2_0_was_given_is_put_in_the_words_of_2_1_after_an_upgrade() {
    let Some(machine) = Machine::boot_newer() else { return };
    let wish = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &wish, &host(&machine)).await;
    let old =
        "s,^global_plugin.*,,; s/^plugin_opt_acl_file/acl_file/; s/^plugin_opt_password_file/password_file/";
    machine.shell(&format!("sed -i '{old}' {CONF}; /etc/init.d/mosquitto restart"));
    assert!(publishes(&machine, "relay-pool-gw", "relay password", "sites/pool/hall"));
    let lines = settle(&MosquittoProvider, &wish, &host(&machine)).await;
    assert_eq!(lines, [&format!("~ file {CONF}"), "~ service mosquitto"]);
    assert!(publishes(&machine, "relay-pool-gw", "relay password", "sites/pool/hall"));
}
