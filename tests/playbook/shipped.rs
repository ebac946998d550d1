//! The playbooks that come with rocade, each on simulated devices.

use rocade::lab::{Firmware, firmware_image};
use sha2::{Digest, Sha256};

use crate::bench::{self, boxed};
use crate::place::Place;

/// Copies the shipped playbooks, changed for a test's time.
pub fn ship(root: &std::path::Path, change: impl Fn(&str, String) -> String) {
    std::fs::create_dir_all(root.join("playbooks")).unwrap();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".yaml") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(root.join("playbooks").join(&name), change(stem, text)).unwrap();
        }
    }
}

pub fn as_they_are(_: &str, text: String) -> String {
    text
}

/// Nothing sends in a test: sensors are not waited for, and restarts are quick.
fn in_haste(_: &str, text: String) -> String {
    let text = text.replace("redeploy: {", "redeploy: {wait: 0s, patience: 20s, ");
    text.replace("      upgrade: true\n", "      upgrade: true\n      wait: 0s\n      patience: 20s\n")
        .replace("gate: [verify, sensors]", "gate: []")
}

/// A unit in its box and a broker that runs, with the playbooks, less what only a running relay can prove.
async fn bench_of() -> bench::Place {
    let place = bench::Place::with(boxed()).await;
    ship(place.root(), |name, text| {
        let text = in_haste(name, text);
        let lines = text.lines().filter(|line| !line.starts_with("  - verify: {names"));
        lines.map(|line| format!("{line}\n")).collect::<String>().replace(", gate: [verify]", "")
    });
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn redeploy_gateway_brings_a_unit_from_its_box_and_replace_gateway_another() {
    let mut place = bench_of().await;
    place.rocade(&["playbook", "run", "redeploy-gateway", "gateway=pool-gw", "--yes"]).ended(6);
    let resume = ["playbook", "resume", "--confirmed", "--yes"];
    place.rocade(&resume).ended(0).says("in its factory state").says("redeploy-gateway is done");
    place.nothing_left();

    place.swap(rocade::lab::DevicePlan { serial: 21_999_999, ..boxed() }).await;
    place.rocade(&["playbook", "run", "replace-gateway", "gateway=pool-gw", "--yes"]).ended(6);
    place.rocade(&resume).ended(6).says("The new serial number of pool-gw is committed");
    assert!(place.text("inventory/gateways.yaml").contains("21999999"), "its serial number was not written");
    place.rocade(&["playbook", "resume", "--confirmed"]).ended(0);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn firmware_round_upgrades_what_is_not_accepted_and_leaves_the_rest() {
    let place = bench_of().await;
    place.redeploy(&[]).ended(0);
    place.rocade(&["playbook", "run", "firmware-round", "--yes"]).ended(0);
    assert_eq!(place.asked("POST /api/command/firmware_upgrade"), 0);
    let image = firmware_image("MTCDT", Firmware::of("6.3.1").unwrap(), false).unwrap();
    std::fs::create_dir_all(place.file("images")).unwrap();
    std::fs::write(place.file("images/mpower.bin"), &image).unwrap();
    let sha256 = hex::encode(Sha256::digest(&image));
    let policy = format!("{{require: \">=6.3, <7\", image: images/mpower.bin, sha256: {sha256}}}");
    place.edit("gateways.yaml", "{require: \">=6.0.1, <7\"}", &policy);
    place.rocade(&["playbook", "run", "firmware-round", "--yes"]).ended(0).says("sending images/mpower.bin");
    assert_eq!(place.asked("POST /api/command/firmware_upgrade"), 1);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_site_brings_everything_up_and_a_second_run_changes_nothing() {
    let place = Place::new().await;
    ship(place.root(), in_haste);
    let run = ["playbook", "run", "new-site", "site=pool", "--yes"];
    place.rocade(&run).ended(6);
    place.rocade(&["playbook", "resume", "--confirmed", "--yes"]).ended(0);
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
    place.forget_requests();
    place.rocade(&run).ended(6);
    place.rocade(&["playbook", "resume", "--confirmed", "--yes"]).ended(0);
    // What verify publishes on the gateway's own broker changes nothing there.
    assert_eq!(place.writes(), ["pool-gw: run python3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_certificates_issues_anew_and_the_broker_shows_it() {
    let place = Place::applied().await;
    ship(place.root(), as_they_are);
    let serial =
        || place.rocade(&["pki", "status", "--json"]).ended(0).json()["leaves"][0]["serial"].to_string();
    let before = serial();
    let ran = place.rocade(&["playbook", "run", "rotate-certificates", "--yes"]).ended(0);
    assert!(ran.err.contains("issued: main; commit pki/"), "{}", ran.err);
    assert!(serial() != before, "it is the same certificate");
    assert!(!place.writes().is_empty(), "the broker was not given it");
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
    place.rocade(&["verify"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plans_of_all_shipped_playbooks_write_nothing() {
    let place = Place::applied().await;
    ship(place.root(), as_they_are);
    place.rocade(&["validate"]).ended(0);
    let secret = "secret=gateways/pool-gw/network";
    let recipients = std::fs::read_to_string(place.file("inventory/secrets/recipients.txt")).unwrap();
    let key =
        recipients.lines().find(|line| line.starts_with("age1")).unwrap().split('#').next().unwrap().trim();
    let recipient = format!("recipient={key}");
    let given: [(&str, &[&str]); 8] = [
        ("redeploy-gateway", &["gateway=pool-gw"]),
        ("replace-gateway", &["gateway=pool-gw"]),
        ("rotate-certificates", &[]),
        ("rotate-ca", &[]),
        ("rotate-keys", &[secret, "target=pool-gw"]),
        ("new-site", &["site=pool"]),
        ("engineer-leaves", &[&recipient]),
        ("firmware-round", &[]),
    ];
    for (name, with) in &given {
        place.rocade(&[&["playbook", "plan", name], *with].concat()).ended(0);
        place.rocade(&[&["playbook", "run", name, "--dry-run", "--json"], *with].concat()).ended(0).json();
        place.rocade(&["playbook", "show", name]).ended(0);
        place.rocade(&["playbook", "show", name, "--json"]).ended(0).json();
    }
    assert_eq!(place.writes(), [""; 0]);
    assert!(!place.file(".rocade/playbooks").exists(), "a plan left a checkpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_keys_puts_a_new_value_where_it_is_used_and_a_login_is_not_made_up() {
    let place = Place::applied().await;
    ship(place.root(), as_they_are);
    let value = || place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out;
    let before = value();
    let run = ["playbook", "run", "rotate-keys", "target=pool-gw", "--yes"];
    let ran = place.rocade(&[&run[..], &["secret=sensors/pool-hall/app_key"]].concat()).ended(0);
    assert!(ran.err.contains("the sensor needs it too"), "{}", ran.err);
    assert!(value() != before && !place.writes().is_empty());
    assert!(
        !ran.out.contains(value().trim()) && !ran.err.contains(value().trim()),
        "a secret is in the words"
    );
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
    let ran = place.rocade(&[&run[..], &["secret=gateways/pool-gw/admin"]].concat()).ended(1);
    assert!(ran.err.contains("cannot be made here"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn engineer_leaves_locks_somebody_out_and_lists_what_they_know() {
    let place = Place::applied().await;
    ship(place.root(), as_they_are);
    let theirs = place.file("bob.txt").display().to_string();
    let made = place.rocade(&["secrets", "keygen", "--output", &theirs]).ended(0);
    let key = made.out.trim().to_owned();
    place.rocade(&["secrets", "rekey", "--add", &key, "--name", "bob"]).ended(0);
    let as_bob = ["-i", &theirs, "secrets", "get", "gateways/pool-gw/network"];
    place.rocade(&as_bob).ended(0);
    let ran = place
        .rocade(&["playbook", "run", "engineer-leaves", "recipient=bob", "--yes", "--no-input"])
        .ended(6);
    assert!(
        ran.err.contains("in inventory/secrets/rotate.txt") && ran.err.contains("waits for a person"),
        "{}",
        ran.err
    );
    place.rocade(&as_bob).ended(1);
    let list = std::fs::read_to_string(place.file("inventory/secrets/rotate.txt")).unwrap();
    assert!(list.contains("[ ] gateways/pool-gw/network  seen by bob"), "{list}");
    // What only rocade knows at both ends has new values already, which the next apply spreads.
    assert!(list.contains("[x] "), "{list}");
    assert!(
        ran.err.contains("left for a person") && ran.err.contains("gateways/pool-gw/network"),
        "{}",
        ran.err
    );
    assert!(!place.planned().is_empty(), "nothing is to be spread");
    // The recipient is gone from the list; the playbook goes on all the same.
    place.rocade(&["playbook", "resume", "--confirmed"]).ended(6);
    place.rocade(&["playbook", "resume", "--confirmed", "--yes"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
    place.rocade(&["verify"]).ended(0);
    let ran = place.rocade(&["playbook", "run", "engineer-leaves", "recipient=bob"]).ended(64);
    assert!(ran.err.contains("it is not a name in inventory/secrets/recipients.txt"), "{}", ran.err);
}
