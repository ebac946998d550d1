//! Ctrl-C, two at once, and devices that run on their own.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use crate::place::{Place, program};

fn start(root: &Path, words: &[&str]) -> Child {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
    let command = command.arg("-C").arg(root).args(words).env("HOME", root).env_remove("ROCADE_IDENTITY");
    let command = command.as_std_mut().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What the terminal sends on Ctrl-C.
async fn interrupt(child: &Child) {
    let sent = tokio::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().await;
    assert!(sent.unwrap().success());
}

fn code(mut child: Child) -> i32 {
    child.wait().unwrap().code().expect("it ends by itself")
}

/// Waits until a device was asked for something: the program is in the middle of its work then.
async fn until_asked(place: &Place, device: &str, word: &str) {
    for _ in 0..1_000 {
        let entries = place.device(device).log().entries();
        if entries.iter().any(|entry| entry.what.contains(word)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{device} was never asked for {word}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_reading_ends_at_once_and_changes_nothing() {
    let place = Place::new().await;
    place.device("pool-gw").knobs().set(|knobs| knobs.hang = true);
    for words in [&["plan"][..], &["apply", "--yes"]] {
        place.forget_requests();
        let child = start(place.root(), words);
        until_asked(&place, "main", "facts").await;
        interrupt(&child).await;
        assert_eq!(code(child), 130, "{words:?}");
        assert_eq!(place.writes(), [""; 0], "{words:?}");
    }
    place.device("pool-gw").knobs().set(|knobs| knobs.hang = false);
    place.rocade(&["apply", "--yes"]).ended(0);
}

/// The first Ctrl-C lets the broker be finished and the gateways alone.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_writing_brings_what_has_begun_to_its_end() {
    let place = Place::new().await;
    place.device("main").knobs().set(|knobs| knobs.slow = Duration::from_millis(500));
    let child = start(place.root(), &["apply", "--yes"]);
    until_asked(&place, "main", "facts").await;
    // The authority is made between reading and writing.
    for _ in 0..1_000 {
        if place.file("pki/main.pem").exists() || place.file("pki/leaves/main.pem").exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    interrupt(&child).await;
    assert_eq!(code(child), 130);
    assert!(place.writes().iter().all(|write| write.starts_with("main: ")), "{:?}", place.writes());
    place.device("main").knobs().set(|knobs| knobs.slow = Duration::ZERO);
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applies_from_one_repository_do_not_meet() {
    let place = Place::new().await;
    place.device("pool-gw").knobs().set(|knobs| knobs.hang = true);
    let first = start(place.root(), &["apply", "--yes"]);
    until_asked(&place, "main", "facts").await;
    let second = place.rocade(&["apply", "--yes"]).ended(5);
    assert!(second.err.contains("another rocade"), "{}", second.err);
    interrupt(&first).await;
    assert_eq!(code(first), 130);
    place.device("pool-gw").knobs().set(|knobs| knobs.hang = false);
    place.rocade(&["apply", "--yes"]).ended(0);
}

fn first_line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line
}

/// `lab up` in one terminal, everything else in another, with nothing else set.
#[tokio::test(flavor = "multi_thread")]
async fn a_lab_of_its_own_is_there_for_other_programs_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lab");
    let mut child = start(folder.path(), &["lab", "up", &root.display().to_string()]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(first_line(&mut stdout), "ready\n");
    for (words, expected) in [
        (&["validate"][..], 0),
        (&["plan", "--detailed-exitcode"], 2),
        (&["apply", "--yes"], 0),
        (&["verify"], 0),
        (&["plan", "--detailed-exitcode"], 0),
    ] {
        let output = program(&root).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{words:?}: {output:?}");
    }
    let text = std::fs::read_to_string(root.join("lab.json")).unwrap();
    let described: serde_json::Value = serde_json::from_str(&text).unwrap();
    let devices = described["devices"].as_array().unwrap().iter();
    let ports: Vec<u16> = devices
        .flat_map(|device| [&device["ssh"]["port"], &device["mqtts"]["port"]])
        .filter_map(|port| port.as_u64().map(|port| u16::try_from(port).unwrap()))
        .collect();
    assert_eq!(ports.len(), 3);
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
    interrupt(&child).await;
    assert_eq!(code(child), 0);
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()));
}
