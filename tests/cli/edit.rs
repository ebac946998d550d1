//! An editor with secrets in it: what it left is taken, what it did not touch stays, nothing is left behind.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::place::program;
use crate::rekey::Home;

/// A program that stands for an editor: a shell script with the file as its first argument.
fn editor(home: &Home, script: &str) -> PathBuf {
    let path = home.file(".rocade/editor");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The folder in which texts are edited: this test's own instead of the machine's.
fn memory(home: &Home) -> PathBuf {
    let folder = home.file(".rocade/run");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn edit(home: &Home, what: &str, script: &str) -> std::process::Output {
    let editor = editor(home, script);
    let mut command = program(home.folder.path());
    command.env("EDITOR", editor).env("XDG_RUNTIME_DIR", memory(home)).args(["secrets", "edit", what]);
    command.output().unwrap()
}

fn lines(home: &Home) -> Vec<String> {
    home.read("inventory/secrets/a.yaml").lines().map(str::to_owned).collect()
}

fn ready() -> Home {
    let home = Home::new();
    for (name, value) in [("a/one", "value one"), ("a/two", "two\nlines\n"), ("a/three", "#3: \"x\"")] {
        home.set(name, value);
    }
    home
}

#[test]
fn an_edit_changes_what_was_changed_and_nothing_else() {
    let home = ready();
    let before = lines(&home);
    let seen = home.file(".rocade/seen");
    let script =
        format!("stat -c '%a %n' \"$1\" \"$(dirname \"$1\")\" >{0}; cp \"$1\" {0}.text", seen.display());
    assert!(edit(&home, "a.yaml", &script).status.success());
    assert_eq!(lines(&home), before, "what is not changed keeps its ciphertext");
    let modes = std::fs::read_to_string(&seen).unwrap();
    let modes: Vec<&str> = modes.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(modes, ["600", "700"]);
    let text = std::fs::read_to_string(home.file(".rocade/seen.text")).unwrap();
    assert!(text.contains("\na/one: value one\n") && text.contains("\na/two: \"two\\nlines"), "{text}");

    let script =
        "sed -i -e 's/value one/another value/' -e '/^a.three/d' \"$1\"; echo 'a/four: new' >>\"$1\"";
    let ran = edit(&home, "inventory/secrets/a.yaml", script);
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "a/four\na/one\na/three\n");
    assert_eq!((home.get("a/one"), home.get("a/four")), ("another value".into(), "new".into()));
    home.rocade(&["secrets", "get", "a/three"]).ended(1);
    let after = lines(&home);
    let of = |lines: &[String], name: &str| lines.iter().find(|line| line.starts_with(name)).cloned();
    assert_eq!(of(&after, "a/two"), of(&before, "a/two"));
    assert_ne!(of(&after, "a/one"), of(&before, "a/one"));

    assert!(edit(&home, "a/two", "printf 'one line\\n' >\"$1\"").status.success());
    assert_eq!(home.get("a/two"), "one line");
    assert_eq!(std::fs::read_dir(memory(&home)).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_text_that_is_wrong_changes_nothing_and_shows_nothing() {
    let home = ready();
    let before = lines(&home);
    for (script, word) in [
        ("echo 'hunter2' >>\"$1\"", "line 6"),
        ("echo 'a/one: hunter2' >>\"$1\"", "twice"),
        ("echo 'a/six: \"hunter2' >>\"$1\"", "quotes"),
        ("exit 3", "3"),
        ("echo 'b b: hunter2' >>\"$1\"", "name"),
    ] {
        let ran = edit(&home, "a.yaml", script);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains(word) && !said.contains("hunter2"), "{said}");
        assert_eq!(lines(&home), before);
        assert_eq!(std::fs::read_dir(memory(&home)).unwrap().count(), 0);
    }
}

/// Starts an edit and waits until the editor is open; it stays open until the file `close` is there.
fn opened(home: &Home) -> Child {
    let script = "touch \"$HOME/.rocade/open\"; while [ ! -e \"$HOME/.rocade/close\" ]; do sleep 0.05; done";
    let editor = editor(home, script);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rocade"));
    command.arg("-C").arg(home.folder.path()).args(["secrets", "edit", "a.yaml"]);
    command.env("HOME", home.folder.path()).env("EDITOR", editor).env("XDG_RUNTIME_DIR", memory(home));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    while !home.file(".rocade/open").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child
}

fn holds_nothing(home: &Home) {
    // The editor's own shell is another process: it comes to its end by itself.
    for _ in 0..500 {
        if std::fs::read_dir(memory(home)).unwrap().count() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("a text with secrets is left behind");
}

#[test]
fn nothing_is_left_behind_when_rocade_is_ended_or_killed() {
    for signal in ["TERM", "HUP", "KILL"] {
        let home = ready();
        let mut child = opened(&home);
        assert_eq!(std::fs::read_dir(memory(&home)).unwrap().count(), 1);
        assert!(
            Command::new("kill")
                .args([&format!("-{signal}"), &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        assert!(!child.wait().unwrap().success());
        // Killed, it cannot wipe: the editor is still open on the text, and its shell wipes when it closes.
        std::fs::write(home.file(".rocade/close"), "").unwrap();
        holds_nothing(&home);
    }
}

#[test]
fn what_a_killed_edit_left_is_wiped_by_the_next() {
    let home = ready();
    // A process that is no more.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let left = memory(&home).join(format!("rocade-edit-{}-abc", gone.id()));
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("secrets.yaml"), "a/one: value one\n").unwrap();
    let ran = edit(&home, "a.yaml", "true");
    assert!(String::from_utf8(ran.stderr).unwrap().contains("a killed edit"), "it says what it removed");
    holds_nothing(&home);
}

#[test]
fn an_editor_that_left_nothing_takes_nothing_out() {
    let home = ready();
    let before = lines(&home);
    let ran = edit(&home, "a.yaml", ": >\"$1\"");
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("the edited text is empty"));
    assert_eq!(lines(&home), before);
}

/// A value moved to another name is still the value that somebody knows.
#[test]
fn a_line_taken_out_is_not_ticked() {
    let home = ready();
    home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(0);
    let ran =
        edit(&home, "a.yaml", "sed -i -e 's,^a/one:,a/moved:,' -e 's,^a/three:.*,a/three: other,' \"$1\"");
    assert!(ran.status.success(), "{ran:?}");
    let listed = home.rocade(&["secrets", "rotate"]).ended(0).out;
    assert!(listed.contains("a/one") && !listed.contains("a/three"), "{listed}");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("a/one is still to be changed"), "{said}");
}

/// While a rekey or an apply is at work, nothing else writes secrets; reading goes on.
#[test]
fn writers_wait_for_each_other() {
    let home = ready();
    let before = lines(&home);
    let lock = std::fs::File::create(home.file(".rocade/lock")).unwrap();
    lock.lock().unwrap();
    let recipient = home.read("inventory/secrets/recipients.txt");
    let other = home.file(".rocade/other.txt").display().to_string();
    for words in [
        &["secrets", "set", "a/one", "--generate", "text"][..],
        &["secrets", "edit", "a/one"],
        &["secrets", "rotate", "a/one", "--generate"],
        &["secrets", "rekey"],
        &["secrets", "keygen", "-o", &other],
    ] {
        let ran = home.rocade(words).ended(5);
        assert!(ran.err.contains("another rocade is at work"), "{}", ran.err);
    }
    assert_eq!((lines(&home), home.read("inventory/secrets/recipients.txt")), (before, recipient));
    assert!(!std::path::Path::new(&other).exists());
    home.rocade(&["secrets", "get", "a/one"]).ended(0);
    home.rocade(&["secrets", "rotate"]).ended(0);
    home.rocade(&["secrets", "rotate", "a/one", "--dry-run"]).ended(0);
}
