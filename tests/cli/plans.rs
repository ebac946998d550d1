//! What apply does is what plan showed, or it refuses: plans in files, approvals, limits, choices.

use crate::place::{Place, changes};

/// A change of the inventory that updates one file and wakes one service on the broker.
fn another_client(place: &Place) {
    place.set_secret("brokers/main/history", "a third password");
    let history = "      history: {password: {secret: brokers/main/history}, read: [\"sites/#\"]}\n";
    place.edit("brokers.yaml", "      signage: {", &format!("{history}      signage: {{"));
}

fn one_client_less(place: &Place) {
    let history = "      history: {password: {secret: brokers/main/history}, read: [\"sites/#\"]}\n";
    place.edit("brokers.yaml", history, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_in_a_file_is_carried_out_as_it_stands() {
    let place = Place::new().await;
    let file = place.file("plan.json").display().to_string();
    let shown = place.rocade(&["plan", "--json", "--out", &file]).ended(0).out;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), shown);
    place.rocade(&["apply", &file]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
    let ran = place.rocade(&["apply", &file]).ended(6);
    assert!(ran.err.contains("stale"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_one_target_is_applied_to_that_target() {
    let place = Place::applied().await;
    another_client(&place);
    place.put("pool-gw", "/var/config/rocade/relay/old.py", "print('old')\n");
    let file = place.file("plan.json").display().to_string();
    place.rocade(&["plan", "main", "--out", &file]).ended(0);
    place.rocade(&["apply", &file]).ended(0);
    assert!(place.writes().iter().all(|write| write.starts_with("main: ")));
    assert_eq!(place.planned()[0], "delete gateway pool-gw: file /var/config/rocade/relay/old.py");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_plan_is_refused_whatever_made_it_stale() {
    type Turn = (&'static str, fn(&Place));
    let turns: [Turn; 3] = [
        ("the inventory", |place| one_client_less(place)),
        ("a secret", |place| place.set_secret("brokers/main/history", "a fourth password")),
        ("the target", |place| place.put("main", "/etc/mosquitto/conf.d/rocade.conf", "# by hand\n")),
    ];
    let place = Place::applied().await;
    for (what, turn) in turns {
        another_client(&place);
        let file = place.file("plan.json").display().to_string();
        place.rocade(&["plan", "--out", &file]).ended(0);
        turn(&place);
        place.forget_requests();
        let ran = place.rocade(&["apply", "--yes", &file]).ended(6);
        assert!(ran.err.contains("stale"), "{what}: {}", ran.err);
        assert_eq!(place.writes(), [""; 0], "{what}");
        if what != "the inventory" {
            one_client_less(&place);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plan_is_not_applied() {
    let place = Place::new().await;
    let file = place.file("plan.json").display().to_string();
    let foreign = r#"{"format_version": "2.0", "checksum": "00", "targets": []}"#;
    for (text, said) in
        [("", "not a plan"), ("{}", "not a plan"), ("[1]", "not a plan"), (foreign, "format 2.0")]
    {
        std::fs::write(&file, text).unwrap();
        let ran = place.rocade(&["apply", &file]).ended(1);
        assert!(ran.err.contains(said), "{text:?}: {}", ran.err);
    }
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_approved_is_done() {
    let place = Place::applied().await;
    another_client(&place);
    place.put("pool-gw", "/var/config/rocade/relay/old.py", "print('old')\n");
    for approved in ["create", "update", "delete", "create,update", "update,delete"] {
        let ran = place.rocade(&["apply", "--approve", approved]).ended(6);
        assert!(ran.err.contains("not approved"), "{approved}: {}", ran.err);
    }
    let ran = place.rocade(&["apply", "--yes", "--max-delete", "0"]).ended(6);
    assert!(ran.err.contains("--max-delete"), "{}", ran.err);
    assert_eq!(place.writes(), [""; 0]);
    place.rocade(&["apply", "--approve", "create,update,delete", "--max-delete", "1"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_of_targets_leaves_the_others_alone() {
    let place = Place::new().await;
    let targets = |words: &[&str]| -> Vec<String> {
        let words: Vec<&str> = ["plan", "--json"].iter().chain(words).copied().collect();
        let plan = place.rocade(&words).ended(0).json();
        let heads = plan["targets"].as_array().unwrap().iter();
        heads.map(|head| head["target"]["name"].as_str().unwrap().to_owned()).collect()
    };
    place.forget_requests();
    assert_eq!(targets(&["main"]), ["authority", "main"]);
    assert_eq!(targets(&["broker/main"]), ["authority", "main"]);
    assert_eq!(targets(&["--only", "kind=broker"]), ["authority", "main"]);
    assert_eq!(targets(&["--except", "pool-gw"]), ["authority", "main"]);
    assert_eq!(
        targets(&["--only", "kind=broker", "--only", "kind=gateway", "--except", "pool-gw"]),
        ["authority", "main",]
    );
    assert_eq!(place.device("pool-gw").log().execs(), 0, "it was not even read");
    assert_eq!(targets(&["--only", "site=pool"]), ["authority", "pool-gw"]);
    assert_eq!(targets(&["pool-gw", "main", "--except", "authority"]), ["main", "pool-gw"]);
    place.rocade(&["apply", "main", "--yes"]).ended(0);
    assert!(place.writes().iter().all(|write| write.starts_with("main: ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_read_parses_and_says_its_format() {
    let place = Place::new().await;
    let first = place.rocade(&["apply", "--yes", "--json"]).ended(0).json();
    assert_eq!(changes(&first["plan"]).len(), first["steps"].as_array().unwrap().len());
    for words in [
        &["plan"][..],
        &["apply"],
        &["verify"],
        &["validate"],
        &["pki", "status"],
        &["secrets", "check"],
        &["plan", "-v"],
    ] {
        let words: Vec<&str> = words.iter().chain(&["--json"]).copied().collect();
        let ran = place.rocade(&words).ended(0);
        let of_plans = matches!(words[0], "plan" | "apply");
        let version = ran.json()["format_version"].as_str().unwrap().to_owned();
        assert_eq!(version.split_once('.').unwrap().0, "1", "{words:?}");
        assert!(!of_plans || version == rocade::model::PLAN_FORMAT, "{words:?}: {version}");
        assert_eq!(ran.err, "", "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_escape_codes_reach_a_pipe() {
    let place = Place::new().await;
    for words in
        [&["plan", "-v"][..], &["apply", "--yes"], &["verify"], &["plan", "nope"], &["pki", "status"]]
    {
        let ran = place.rocade(words);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{words:?}");
        assert!(!(ran.out.is_empty() && ran.err.is_empty()), "{words:?}");
    }
}
