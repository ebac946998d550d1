//! Secrets, the authority and pinned keys, by hand.

use crate::place::{Place, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_set_got_checked_and_encrypted_anew() {
    let place = Place::new().await;
    place.rocade_reading(&["secrets", "set", "brokers/main/signage"], "  two words\r\n").ended(0);
    assert_eq!(place.rocade(&["secrets", "get", "brokers/main/signage"]).ended(0).out, "  two words");
    let ran = place.rocade_reading(&["secrets", "set", "brokers/main/signage"], "").ended(1);
    assert!(ran.err.contains("empty"), "{}", ran.err);
    assert_eq!(place.rocade(&["secrets", "get", "brokers/main/signage"]).ended(0).out, "  two words");
    place.rocade(&["secrets", "set", "sensors/pool-hall/app_key", "--generate", "hex16"]).ended(0);
    let key = place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out;
    assert!(key.len() == 32 && key.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", key.len());
    let checked = place.rocade(&["secrets", "check"]).ended(0);
    assert!(checked.err.contains("6 secrets, 0 findings"), "{}", checked.err);
    let second = place.file(".rocade/second.txt").display().to_string();
    let recipient = place.rocade(&["secrets", "keygen", "-o", &second]).ended(0).out;
    let get = ["-i", second.as_str(), "secrets", "get", "brokers/main/signage"];
    place.rocade(&get).ended(1);
    let recipients = place.file("inventory/secrets/recipients.txt");
    let one = std::fs::read_to_string(&recipients).unwrap();
    std::fs::write(&recipients, format!("{one}{recipient}")).unwrap();
    let renewed = place.rocade(&["secrets", "rekey"]).ended(0);
    assert!(renewed.out.lines().any(|line| line == "brokers/main/signage"), "{}", renewed.out);
    assert_eq!(place.rocade(&get).ended(0).out, "  two words");
    let file = place.file(".rocade/identity.txt");
    let ran = place.rocade(&["secrets", "keygen", "-o", &file.display().to_string()]).ended(1);
    assert!(ran.err.contains("not overwritten"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_is_found_before_anything_is_done() {
    let place = Place::new().await;
    place.edit("gateways.yaml", "{secret: gateways/pool-gw/network}", "{secret: gateways/pool-gw/net}");
    let checked = place.rocade(&["secrets", "check"]).ended(1);
    assert!(checked.out.contains("gateways/pool-gw/net"), "{}", checked.out);
    let ran = place.rocade(&["apply", "--yes"]).ended(64);
    assert!(ran.err.contains("rocade secrets set gateways/pool-gw/net"), "{}", ran.err);
    assert_eq!(place.writes(), [""; 0]);
    assert!(!place.file("pki/root.pem").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_made_once_by_hand() {
    let place = Place::new().await;
    assert!(place.rocade(&["pki", "status"]).ended(2).out.contains("none yet"));
    let ran = place.rocade(&["pki", "issue", "main"]).ended(1);
    assert!(ran.out.contains("no root certificate"), "{}", ran.out);
    place.rocade(&["pki", "init"]).ended(0);
    let root = std::fs::read(place.file("pki/root.pem")).unwrap();
    let again = place.rocade(&["pki", "init"]).ended(0);
    assert!(again.err.contains("there already"), "{}", again.err);
    assert_eq!(std::fs::read(place.file("pki/root.pem")).unwrap(), root);
    let issued = place.rocade(&["pki", "issue", "main", "--json"]).ended(0).json();
    assert_eq!(issued["steps"][0]["outcome"], "done");
    assert!(place.rocade(&["pki", "status"]).ended(0).out.contains("days left"));
    assert_eq!(place.writes(), [""; 0]);
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(std::fs::read(place.file("pki/root.pem")).unwrap(), root);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_is_refused_until_its_key_is_trusted() {
    let place = Place::new().await;
    std::fs::write(place.file("inventory/known_hosts"), "").unwrap();
    let fingerprint = place.device("pool-gw").fingerprint.clone();
    let ran = place.rocade(&["plan", "pool-gw"]).ended(1);
    assert!(ran.out.contains(&fingerprint), "{}", ran.out);
    place.rocade(&["trust", "pool-gw", "--fingerprint", &fingerprint]).ended(0);
    place.rocade(&["plan", "pool-gw"]).ended(0);
    // Another key under the same address is refused with both fingerprints.
    let known = std::fs::read_to_string(place.file("inventory/known_hosts")).unwrap();
    let foreign = place.device("main").host_key.clone();
    let host = known.split(' ').next().unwrap();
    std::fs::write(place.file("inventory/known_hosts"), format!("{host} {foreign}\n")).unwrap();
    let ran = place.rocade(&["plan", "pool-gw"]).ended(1);
    assert!(ran.out.contains(&fingerprint), "{}", ran.out);
    assert!(ran.out.contains(&place.device("main").fingerprint), "{}", ran.out);
    place.rocade(&["trust", "pool-gw", "--fingerprint", &fingerprint]).ended(0);
    place.rocade(&["plan", "pool-gw"]).ended(0);
}

/// The first repository makes the identity, the next one is opened by it too.
#[test]
fn one_identity_serves_several_repositories() {
    let home = tempfile::tempdir().unwrap();
    let keygen = |name: &str| {
        let root = home.path().join(name);
        std::fs::create_dir_all(root.join("inventory")).unwrap();
        let output = program(&root).env("HOME", home.path()).args(["secrets", "keygen"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let recipients = std::fs::read_to_string(root.join("inventory/secrets/recipients.txt")).unwrap();
        let recipient = String::from_utf8(output.stdout).unwrap();
        assert!(recipients.contains(recipient.trim()), "{recipients}");
        recipient
    };
    assert_eq!(keygen("one"), keygen("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_removed_when_nothing_names_it() {
    let place = Place::new().await;
    let ran = place.rocade(&["secrets", "remove", "brokers/main/signage", "--yes"]).ended(6);
    assert!(ran.err.contains("still names"), "{}", ran.err);
    place.rocade_reading(&["secrets", "set", "sensors/gone/app_key"], "of no use").ended(0);
    let checked = place.rocade(&["secrets", "check"]);
    assert!(checked.out.contains("nothing refers to `sensors/gone/app_key`"), "{}", checked.out);
    assert!(checked.err.contains("secrets remove"), "{}", checked.err);
    place.rocade(&["secrets", "remove", "sensors/gone/app_key"]).ended(6);
    place.rocade(&["secrets", "get", "sensors/gone/app_key"]).ended(0);
    place.rocade(&["secrets", "remove", "sensors/gone/app_key", "--yes"]).ended(0);
    place.rocade(&["secrets", "remove", "sensors/gone/app_key", "--yes"]).ended(1);
    place.rocade(&["secrets", "check"]).ended(0);
}
