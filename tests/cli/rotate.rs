//! A secret is changed: what that touches is said before, and the next plan is that and no more.

use crate::place::Place;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_value_says_what_it_touches_and_the_plan_agrees() {
    let place = Place::applied().await;
    let get = |name: &str| place.rocade(&["secrets", "get", name]).ended(0).out;

    let before = get("brokers/main/signage");
    let dry = place.rocade(&["secrets", "rotate", "brokers/main/signage", "--dry-run"]).ended(0);
    assert!(dry.out.contains("client signage of broker main: password"), "{}", dry.out);
    assert!(dry.out.contains("inventory/brokers.yaml:"), "{}", dry.out);
    assert_eq!(get("brokers/main/signage"), before);
    place.rocade(&["secrets", "rotate", "brokers/main/signage", "--generate"]).ended(0);
    assert!(get("brokers/main/signage") != before && get("brokers/main/signage").len() == 32);
    let planned = place.planned();
    assert!(
        !planned.is_empty() && planned.iter().all(|change| change.contains(" broker main: ")),
        "{planned:?}"
    );
    place.rocade(&["apply", "--yes"]).ended(0);

    // A relay's password was made by the first apply; rocade has both ends of it.
    let relay =
        place.rocade(&["secrets", "rotate", "gateways/pool-gw/relay", "--generate", "--json"]).ended(0);
    assert_eq!(relay.json()["uses"][0]["owner"], "gateway pool-gw");
    let planned = place.planned();
    assert!(planned.iter().any(|change| change.contains(" gateway pool-gw: ")), "{planned:?}");
    assert!(planned.iter().any(|change| change.contains(" broker main: ")), "{planned:?}");
    place.rocade(&["apply", "--yes"]).ended(0);

    // A LoRaWAN key is one whatever is asked for, and the sensor must be told.
    let key = place.rocade(&["secrets", "rotate", "sensors/pool-hall/app_key", "--generate"]).ended(0);
    assert!(key.out.contains("join again") && key.out.contains("No overlap"), "{}", key.out);
    let value = get("sensors/pool-hall/app_key");
    assert!(value.len() == 32 && value.bytes().all(|digit| digit.is_ascii_hexdigit()));
    place.rocade(&["apply", "--yes"]).ended(0);
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_end_decides_is_not_made_here() {
    let place = Place::new().await;
    let before = place.rocade(&["secrets", "get", "gateways/pool-gw/admin"]).ended(0).out;
    let ran = place.rocade(&["secrets", "rotate", "gateways/pool-gw/admin", "--generate"]).ended(1);
    assert!(ran.err.contains("ssh.password of gateway pool-gw"), "{}", ran.err);
    assert_eq!(place.rocade(&["secrets", "get", "gateways/pool-gw/admin"]).ended(0).out, before);
    let ran = place.rocade_reading(&["secrets", "rotate", "gateways/pool-gw/admin"], &before).ended(1);
    assert!(ran.err.contains("has that value already"), "{}", ran.err);
    place.rocade_reading(&["secrets", "rotate", "gateways/pool-gw/admin"], "set there before").ended(0);
    let ran = place.rocade(&["secrets", "rotate", "gateways/pool-gw/none", "--generate"]).ended(1);
    assert!(ran.err.contains("no secret `gateways/pool-gw/none`"), "{}", ran.err);
    let ran =
        place.rocade(&["secrets", "rotate", "sensors/pool-hall/app_key", "--overlap", "--generate"]).ended(1);
    assert!(ran.err.contains("at once") && ran.err.contains("one AppKey"), "{}", ran.err);
}

/// Mosquitto has one password an account: old and new work at once as two accounts.
#[tokio::test(flavor = "multi_thread")]
async fn a_clients_old_and_new_password_overlap_as_two_accounts() {
    let place = Place::applied().await;
    let before = place.rocade(&["secrets", "get", "brokers/main/signage"]).ended(0).out;
    let rotate = ["secrets", "rotate", "brokers/main/signage", "--overlap", "--generate"];
    let ran = place.rocade(&rotate).ended(0);
    assert_eq!(place.rocade(&["secrets", "get", "brokers/main/signage"]).ended(0).out, before);
    let line = ran.out.lines().find(|line| line.contains("signage-2: {")).expect("the lines to add");
    assert!(line.contains("read: [\"sites/pool/#\"]"), "{line}");
    place.edit("brokers.yaml", "    clients:\n", &format!("    clients:\n{line}\n"));
    place.rocade(&["validate"]).ended(0);
    place.rocade(&["apply", "--yes"]).ended(0);
    let accounts = place.device("main").with_state(|state| state.files.text("/etc/mosquitto/rocade/passwd"));
    let accounts = accounts.expect("the accounts' file");
    assert!(accounts.contains("signage:") && accounts.contains("signage-2:"), "{accounts}");
}
