//! What is asked of a person on a terminal. The terminal is `script`'s; where that is not installed the test
//! says that it was skipped.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::place::Place;

/// Starts the program on a terminal of its own, for at most a minute.
fn terminal(place: &Place, words: &str) -> Option<std::process::Child> {
    let line = format!("{} -C {} {words}", env!("CARGO_BIN_EXE_rocade"), place.root().display());
    let mut command = tokio::process::Command::new("timeout");
    let command = command.args(["--foreground", "60", "script", "-qec", &line, "/dev/null"]);
    let command = command.env("HOME", place.root()).env("TERM", "xterm").env_remove("NO_COLOR");
    let command = command.as_std_mut().stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().ok().filter(|_| std::path::Path::new("/usr/bin/script").exists());
    if child.is_none() {
        eprintln!("skipped: `script` is not installed");
    }
    child
}

/// What a person sees who types an answer: the program's code and all it showed.
fn on_a_terminal(place: &Place, words: &str, answer: &str) -> Option<(i32, String)> {
    let mut child = terminal(place, words)?;
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some((output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_question_is_heard() {
    let place = Place::new().await;
    let Some(mut child) = terminal(&place, "apply") else { return };
    let (mut typed, mut shown) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"[y/N] ") {
        shown.read_exact(&mut byte).expect("the question comes before the end");
        seen.push(byte[0]);
    }
    typed.write_all(b"\x03").unwrap();
    shown.read_to_end(&mut seen).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(130), "{}", String::from_utf8_lossy(&seen));
    assert_eq!(place.writes(), [""; 0]);
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
