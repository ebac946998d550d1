//! What is asked of a person on a terminal. The terminal is `script`'s; where that is not installed the test
//! says that it was skipped.

use std::io::Write;
use std::process::Stdio;

use crate::place::Place;

/// Runs the program on a terminal of its own where a person types an answer: its code and all it showed.
fn on_a_terminal(place: &Place, words: &str, answer: &str) -> Option<(i32, String)> {
    let line = format!("{} -C {} {words}", env!("CARGO_BIN_EXE_rocade"), place.root().display());
    let mut command = tokio::process::Command::new("script");
    let command = command.args(["-qec", &line, "/dev/null"]).env("HOME", place.root()).env("TERM", "xterm");
    let command = command.env_remove("NO_COLOR").as_std_mut().stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: `script` is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some((output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_yes_is_a_yes() {
    let place = Place::new().await;
    for answer in ["n\n", "\n", "yep\n", "\u{4}"] {
        let Some((code, shown)) = on_a_terminal(&place, "apply", answer) else { return };
        assert_eq!(code, 6, "{answer:?}: {shown}");
        assert!(shown.contains("Carry out") && shown.contains("you said no"), "{answer:?}: {shown}");
        assert!(shown.contains("\u{1b}[32m+"), "in colour: {shown:?}");
        assert_eq!(place.writes(), [""; 0], "{answer:?}");
    }
    let (code, shown) = on_a_terminal(&place, "apply", "y\n").unwrap();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(place.planned(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_colour_is_no_colour_on_a_terminal_too() {
    let place = Place::applied().await;
    let Some((_, shown)) = on_a_terminal(&place, "--no-color plan", "") else { return };
    assert!(shown.contains("no changes") && !shown.contains("\u{1b}[32m"), "{shown:?}");
    std::fs::write(place.file("inventory/known_hosts"), "").unwrap();
    let fingerprint = place.device("pool-gw").fingerprint.clone();
    let (code, shown) = on_a_terminal(&place, "trust pool-gw", "no\n").unwrap();
    assert!(code == 6 && shown.contains(&fingerprint), "{shown}");
    let (code, shown) = on_a_terminal(&place, "trust pool-gw", "yes\n").unwrap();
    assert_eq!(code, 0, "{shown}");
    place.rocade(&["plan", "pool-gw"]).ended(0);
}
