//! Single steps: gates that wait for a person, a file that changed, commands on hosts, what is refused.

use crate::place::Place;
use crate::round::Round;

fn write(place: &Place, text: &str) {
    std::fs::create_dir_all(place.file("playbooks")).unwrap();
    std::fs::write(place.file("playbooks/book.yaml"), text).unwrap();
}

const GATED: &str = "title: A gate\nwith: {gateway: gateway}\nsteps:\n  - wait: 0s\n  \
    - confirm: Is {gateway} on?\n  - plan: {names: [\"{gateway}\"]}\n  - confirm: And off again?\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_gate_waits_for_a_person_whatever_was_said_before() {
    let place = Place::new().await;
    write(&place, GATED);
    let ran = place.rocade(&["playbook", "run", "book", "gateway=pool-gw", "--yes", "--no-input"]).ended(6);
    assert!(ran.err.contains("waits for a person: Is pool-gw on?"), "{}", ran.err);
    let list = place.rocade(&["playbook", "list"]).ended(0);
    assert!(list.out.contains("book stands at step 2: Is pool-gw on?"), "{}", list.out);
    place.rocade(&["playbook", "resume", "book", "--yes", "--no-input"]).ended(6);
    // One word passes one gate.
    let ran = place.rocade(&["playbook", "resume", "book", "--confirmed"]).ended(6);
    assert!(ran.err.contains("And off again?") && !ran.out.contains("Step 1"), "{}", ran.err);
    place.rocade(&["playbook", "resume", "--confirmed"]).ended(0);
    place.rocade(&["playbook", "resume"]).ended(0);
    place.rocade(&["playbook", "resume", "book"]).ended(6);
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_that_changed_is_not_gone_on_with_untold() {
    let place = Place::new().await;
    write(&place, GATED);
    place.rocade(&["playbook", "run", "book", "gateway=pool-gw"]).ended(6);
    write(&place, &GATED.replace("And off again?", "Off?"));
    let ran = place.rocade(&["playbook", "resume", "--confirmed"]).ended(6);
    assert!(ran.err.contains("playbooks/book.yaml is not what it was"), "{}", ran.err);
    let ran = place.rocade(&["playbook", "resume", "--confirmed", "--changed"]).ended(6);
    assert!(ran.err.contains("waits for a person: Off?"), "{}", ran.err);
    write(&place, "title: Other\nsteps:\n  - wait: 0s\n");
    place.rocade(&["playbook", "run", "book"]).ended(6);
    place.rocade(&["playbook", "run", "book", "--anew"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_is_checked_before_anything_is_begun() {
    let place = Place::new().await;
    write(&place, GATED);
    let ran = place.rocade(&["playbook", "run", "book", "gateway=pool-gv", "site=pool", "pool"]).ended(64);
    for words in [
        "`gateway=pool-gv`: it is not a gateway",
        "no parameter `site`: gateway",
        "not of the form name=value",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    let ran = place.rocade(&["playbook", "plan", "book"]).ended(64);
    assert!(ran.err.contains("`gateway` is missing"), "{}", ran.err);
    assert!(!place.file(".rocade/playbooks/book.json").exists());
    let ran = place.rocade(&["playbook", "run", "boook"]).ended(64);
    assert!(ran.err.contains("did you mean `book`?"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_nobody_approved_stop_it_and_drift_is_not_taken_for_done() {
    let round = Round::new(2, "  - apply: {}\n  - plan: {expect: no-changes}\n").await;
    let ran = round.rocade(&["playbook", "run", "round", "--no-input"]).ended(6);
    assert!(ran.err.contains("changes are not approved"), "{}", ran.err);
    assert_eq!(round.written(), [""; 0]);
    round.rocade(&["playbook", "resume", "--yes"]).ended(0);
    round.write("  - plan: {}\n  - plan: {expect: no-changes}\n");
    round.rocade(&["playbook", "run", "round"]).ended(0);
    let path = round.root().join("inventory/sensors.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replacen("topic: sites/pool/s-0", "topic: sites/pool/other", 1)).unwrap();
    let relabelled = round.root().join("inventory/gateways.yaml");
    let text = std::fs::read_to_string(&relabelled).unwrap();
    std::fs::write(
        relabelled,
        text.replacen("region: EU868", "region: EU868, network_eui: 00:11:22:33:44:55:66:77", 1),
    )
    .unwrap();
    let ran = round.rocade(&["playbook", "run", "round"]).ended(2);
    assert!(ran.err.contains("are left where none should be"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_on_hosts_says_how_it_ended_on_each() {
    let round = Round::new(2, "  - run: {only: [kind=gateway], command: \"no-such-program '{x}'\"}\n").await;
    let ran = round.rocade(&["playbook", "run", "round", "--no-input"]).ended(6);
    assert!(ran.err.contains("is not approved; nothing was run"), "{}", ran.err);
    let ran = round.rocade(&["playbook", "resume", "--yes"]).ended(3);
    assert!(
        ran.err.contains("2 of 2 targets failed") && ran.out.contains("gateway gw-1: it ended with"),
        "{}",
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_does_not_hold_begins_no_further_wave() {
    let round = Round::new(2, "  - apply: {waves: 1, gate: [sensors]}\n").await;
    let ran = round.rocade(&["playbook", "run", "round", "--yes"]).ended(3);
    assert!(ran.err.contains("gateway gw-0: the sensor s-0 was never heard"), "{}", ran.err);
    assert_eq!(round.written(), ["gw-0"]);
    round.forget();
    // What was applied is not taken for done: the gate is asked again.
    let ran = round.rocade(&["playbook", "resume", "--yes"]).ended(1);
    assert!(ran.err.contains("the sensor s-0 was never heard"), "{}", ran.err);
    assert_eq!(round.written(), [""; 0]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_a_wait_leaves_it_to_resume() {
    let round = Round::new(1, "  - wait: 1h\n").await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
    command.arg("-C").arg(round.root()).args(["playbook", "run", "round"]).env("HOME", round.root());
    let mut child = command.env_remove("ROCADE_IDENTITY").spawn().unwrap();
    while round.checkpoint()["position"]["begun"].is_null() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let two = round.rocade(&["playbook", "resume"]).ended(5);
    assert!(two.err.contains("another rocade is doing this playbook"), "{}", two.err);
    let pid = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
    assert_eq!(round.checkpoint()["stopped"], "interrupted");
}
