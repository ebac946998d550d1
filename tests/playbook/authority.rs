//! `rotate-ca` from its first step to its last, and killed with signal 9 at its checkpoints; certificates of relays.

use std::time::Duration;

use crate::kill::kill_when;
use crate::place::{Place, plain_program};
use crate::shipped::{as_they_are, ship};

const RUN: &[&str] = &["playbook", "run", "rotate-ca", "--yes"];
const RESUME: &[&str] = &["playbook", "resume", "--confirmed", "--yes"];

async fn ready() -> Place {
    let place = Place::applied().await;
    ship(place.root(), as_they_are);
    place
}

fn root(place: &Place) -> String {
    std::fs::read_to_string(place.file("pki/root.pem")).unwrap()
}

/// The new authority is the only one, everywhere.
fn is_over(place: &Place, old: &str) {
    let new = root(place);
    assert_ne!(new, old);
    assert!(!place.file("pki/next").exists() && !place.file("pki/rotation.json").exists());
    for (device, path) in
        [("main", "/etc/mosquitto/rocade/ca.pem"), ("pool-gw", "/var/config/rocade/relay/ca.pem")]
    {
        let trusted = place.device(device).with_state(|state| state.files.get(path).unwrap().bytes.to_vec());
        assert_eq!(String::from_utf8(trusted).unwrap(), new, "{device} trusts another");
    }
    assert_eq!(place.planned(), [""; 0]);
    place.rocade(&["verify"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_ca_ends_with_the_new_root_alone_and_is_in_the_audit() {
    let place = ready().await;
    let old = root(&place);
    let ran = place.rocade(RUN).ended(6);
    assert!(ran.err.contains("waits for a person: The clients that rocade does not manage"), "{}", ran.err);
    assert!(place.rocade(&["pki", "rotate", "status"]).ended(0).out.starts_with("start"));
    assert_eq!(root(&place), old);
    place.rocade(RESUME).ended(0);
    is_over(&place, &old);
    let runs = place.rocade(&["history", "--json"]).ended(0).json()["runs"].clone();
    let verbs: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs.first(), Some(&"apply"), "{verbs:?}");
    assert!(verbs[1..].len() >= 3 && verbs[1..].iter().all(|verb| *verb == "playbook"), "{verbs:?}");
    assert!(runs.as_array().unwrap().iter().all(|run| run["exit"] == 0), "{runs}");
    assert!(place.rocade(&["history", "main"]).ended(0).out.contains("playbook"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_refused_while_the_one_before_is_not_everywhere() {
    let place = ready().await;
    let steps = "title: Hasty\nsteps:\n  - rotate: {authority: start}\n  - rotate: {authority: issue}\n";
    std::fs::write(place.file("playbooks/hasty.yaml"), steps).unwrap();
    let ran = place.rocade(&["playbook", "run", "hasty", "--yes"]).ended(6);
    assert!(ran.err.contains("not applied: broker main: file /etc/mosquitto/rocade/ca.pem"), "{}", ran.err);
    assert!(ran.err.contains("hasty stands at step 2"), "{}", ran.err);
    place.rocade(&["apply", "--yes"]).ended(0);
    place.rocade(&["playbook", "resume"]).ended(0);
    assert!(place.rocade(&["pki", "rotate", "status"]).ended(0).out.starts_with("issue"));
}

#[tokio::test(flavor = "multi_thread")]
async fn renew_issues_relays_certificates_when_they_are_chosen() {
    let place = ready().await;
    place.edit("gateways.yaml", "relay: {broker: main,", "relay: {broker: main, certificate: true,");
    let path = place.file("inventory/brokers.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("listeners:\n", "listeners:\n      certificates: {port: 8884}\n", 1))
        .unwrap();
    place.rocade(&["apply", "authority", "--yes"]).ended(0);
    let serials = || {
        let leaves = place.rocade(&["pki", "status", "--json"]).ended(0).json()["leaves"].clone();
        let one = |leaf: &serde_json::Value| (leaf["name"].to_string(), leaf["serial"].to_string());
        leaves.as_array().unwrap().iter().map(one).collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = serials();
    assert_eq!(before.len(), 2, "{before:?}");
    let book = |step: &str| {
        // Certificates have whole seconds: what was issued in this one could be of this step.
        std::thread::sleep(Duration::from_millis(1100));
        let text = format!("title: Renewal\nsteps:\n  - renew: {step}\n");
        std::fs::write(place.file("playbooks/renewal.yaml"), text).unwrap();
        place.rocade(&["playbook", "run", "renewal", "--yes"]).ended(0).err
    };
    let said = book("{}");
    assert!(said.contains("issued: main;"), "{said}");
    let said = book("{names: [gateway/pool-gw]}");
    assert!(said.contains("issued: relay-pool-gw;"), "{said}");
    let said = book("{relays: true}");
    assert!(said.contains("issued: main, relay-pool-gw;"), "{said}");
    let after = serials();
    assert!(before.iter().all(|(name, serial)| after[name] != *serial), "{before:?} {after:?}");
    let said = book("{relays: true, due: true}");
    assert!(said.contains("no certificate was to be issued") && serials() == after, "{said}");
    // The provider finds nothing to do: each is as it wishes it, the relay's for a client.
    let left = place.planned();
    assert!(!left.iter().any(|line| line.contains("pki authority: certificate")), "{left:?}");
}

fn checkpoint(place: &Place) -> String {
    std::fs::read_to_string(place.file(".rocade/playbooks/rotate-ca.json")).unwrap_or_default()
}

/// Runs these words and kills the program when so many checkpoints more were seen; what is left of them when it came
/// to its end before.
fn kill_at(place: &Place, words: &[&str], n: usize) -> Result<(), usize> {
    let (mut left, mut last) = (n, checkpoint(place));
    let killed = kill_when(plain_program(place.root()).args(words), || {
        let now = checkpoint(place);
        if now != last {
            left -= 1;
            last = now;
        }
        left == 0
    });
    if killed { Ok(()) } else { Err(left) }
}

/// One kill; whether there was a checkpoint to be killed at.
async fn survives(n: usize) -> bool {
    let place = ready().await;
    let old = root(&place);
    let killed = kill_at(&place, RUN, n).or_else(|left| kill_at(&place, RESUME, left));
    let ended = checkpoint(&place).contains("\"ended\": true");
    if killed.is_err() {
        assert!(ended, "it did not come to its end: {}", checkpoint(&place));
        return false;
    }
    if !ended {
        place.rocade(RESUME).ended(0);
    }
    is_over(&place, &old);
    true
}

/// Every checkpoint: `cargo test --test playbook -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; a sample of it runs always"]
async fn a_kill_at_every_checkpoint_of_rotate_ca_is_gone_on_from() {
    let mut n = 1;
    while survives(n).await {
        n += 1;
    }
    eprintln!("killed at {} checkpoints, resumed from each", n - 1);
    assert!(n > 15, "only {n} checkpoints were seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_some_checkpoints_of_rotate_ca_is_gone_on_from() {
    for n in [2, 9] {
        assert!(survives(n).await, "there is no checkpoint {n}");
    }
}
