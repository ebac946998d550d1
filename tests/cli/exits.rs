//! Every exit code, and that the wrong ones changed nothing.

use std::path::Path;

use rocade::lab::Knobs;

use crate::place::{Place, program};

/// Words, the code they end with, and what is said about it.
const WRONG: &[(&[&str], i32, &str)] = &[
    (&[], 64, "Usage: rocade"),
    (&["plan", "--nope"], 64, "--nope"),
    (&["fly"], 64, "fly"),
    (&["apply", "--approve", "nope"], 64, "create, update, delete, all"),
    (&["apply", "--max-delete", "few"], 64, "few"),
    (&["plan", "pool-gx"], 64, "did you mean `pool-gw`"),
    (&["plan", "nothing-like-it"], 64, "no target is called `nothing-like-it`"),
    (&["plan", "--except", "mian"], 64, "did you mean `main`"),
    (&["plan", "--only", "site"], 64, "key=value"),
    (&["plan", "--only", "colour=red"], 64, "no target has a label `colour`"),
    (&["verify", "pool-gx"], 64, "did you mean `pool-gw`"),
    (&["sensors", "pool-hal"], 64, "no target is called `pool-hal`"),
    (&["sensors", "--only", "site"], 64, "key=value"),
    (&["apply", "nowhere.json"], 1, "reading the plan nowhere.json"),
    (&["trust", "pool-gx"], 64, "did you mean `pool-gw`"),
    (&["secrets", "get", "no/such"], 1, "no secret `no/such`"),
    (&["pki", "issue", "mian"], 64, "no target is called `broker/mian`"),
    (&["decode", "--model", "comfort"], 64, "PAYLOAD"),
    (&["completions", "nosh"], 64, "nosh"),
    (&["apply"], 6, "--yes or --approve"),
    (&["apply", "--no-input"], 6, "not approved"),
    (&["trust", "pool-gw", "--no-input"], 6, "--fingerprint SHA256:"),
    (&["trust", "pool-gw", "--fingerprint", "SHA256:AAAA"], 1, "nothing was pinned"),
    (&["-i", "/nowhere/identity", "plan"], 64, "identity"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_ends_with_its_code_and_changes_nothing() {
    let place = Place::new().await;
    for (words, code, said) in WRONG {
        let ran = place.rocade(words).ended(*code);
        assert!(ran.err.contains(said), "{words:?} says {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{words:?} says {}", ran.err);
    }
    assert_eq!(place.writes(), [""; 0]);
    assert!(!place.file("pki/root.pem").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_good_end_has_its_code() {
    let place = Place::new().await;
    place.rocade(&["--help"]).ended(0);
    place.rocade(&["--version"]).ended(0);
    place.rocade(&["plan"]).ended(0);
    place.rocade(&["plan", "--detailed-exitcode"]).ended(2);
    place.rocade(&["pki", "status"]).ended(2);
    place.rocade(&["apply", "--yes"]).ended(0);
    place.rocade(&["apply"]).ended(0);
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
    place.rocade(&["pki", "status"]).ended(0);
    place.rocade(&["verify"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_inventory_is_refused_before_anything_is_read() {
    let place = Place::new().await;
    place.edit(
        "sensors.yaml",
        "period: 10m\n    topic: sites/pool/hall",
        "perod: 10m\n    topic: sites/pool/hall",
    );
    place.forget_requests();
    for words in [&["validate"][..], &["plan"], &["apply", "--yes"], &["verify"], &["trust", "pool-gw"]] {
        let ran = place.rocade(words).ended(64);
        assert!(ran.err.contains("inventory/sensors.yaml:9:5"), "{words:?}: {}", ran.err);
        assert!(ran.err.contains("period"), "{words:?}: {}", ran.err);
    }
    assert!(place.lab.devices().iter().all(|device| device.log().entries().is_empty()));
    assert!(!place.file("pki/root.pem").exists());
}

#[test]
fn a_directory_without_an_inventory_is_named() {
    for folder in ["/nowhere/at/all", env!("CARGO_MANIFEST_DIR")].map(|folder| Path::new(folder).join("src"))
    {
        let output = program(&folder).arg("plan").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(&folder.join("inventory").display().to_string()), "{said}");
    }
}

/// A failed order is an apply in part; when no order at all came through, it failed.
#[tokio::test(flavor = "multi_thread")]
async fn in_part_is_not_failed() {
    let place = Place::applied().await;
    place.set_secret("brokers/main/signage", "another password");
    let knobs: Knobs = "fail-order=1".parse().unwrap();
    place.device("main").knobs().set(|board| *board = knobs.clone());
    let ran = place.rocade(&["apply", "--yes"]).ended(1);
    assert!(ran.out.contains("simulated failure"), "{}", ran.out);
    place.edit("sensors.yaml", "topic: sites/pool/changing", "topic: sites/pool/lockers");
    place.device("main").knobs().set(|board| *board = knobs);
    let ran = place.rocade(&["apply", "--yes"]).ended(3);
    assert!(ran.out.contains("failed"), "{}", ran.out);
    place.rocade(&["apply", "--yes"]).ended(0);
}

/// Gateways lock out after three refused logins: a run tries one.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_a_run() {
    let place = Place::new().await;
    let right = place.device("pool-gw").plan.password.clone();
    place.set_secret("gateways/pool-gw/admin", "not the password");
    let ran = place.rocade(&["plan", "pool-gw"]).ended(1);
    assert!(ran.out.contains("password"), "{}", ran.out);
    place.rocade(&["apply", "pool-gw", "--yes"]).ended(3);
    place.set_secret("gateways/pool-gw/admin", &right);
    place.rocade(&["plan", "pool-gw"]).ended(0);
}
