//! Beside the `age` program, in both directions; and an editor with secrets in it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::rekey::{Home, private};

/// Whether the program is there; says so when it is not.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no `{program}` on this machine");
    }
    found
}

fn run(folder: &Path, program: &str, words: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn succeed(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The ciphertext of a value, as it stands in its file.
fn sealed(home: &Home, name: &str) -> Vec<u8> {
    let text = home.read("inventory/secrets/a.yaml");
    let line = text.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
    STANDARD.decode(line.split("ENC[age:").nth(1).unwrap().trim_end_matches(']')).unwrap()
}

#[test]
fn the_age_program_opens_what_rocade_encrypts() {
    if !is_there("age") {
        return;
    }
    let home = Home::new();
    home.set("a/one", "value-one");
    for identity in [".rocade/identity.txt", ".rocade/ben.txt"] {
        let plain = succeed(run(home.folder.path(), "age", &["-d", "-i", identity], &sealed(&home, "a/one")));
        let plain = String::from_utf8(plain).unwrap();
        assert!(
            plain.starts_with("rocade-secret 1\na/one\nage1") && plain.ends_with("\nvalue-one"),
            "{plain}"
        );
    }
    std::fs::write(home.file("inventory/pki.yaml"), "pki: {authority: {name: Example Root}}\n").unwrap();
    home.rocade(&["pki", "init"]).ended(0);
    let plain =
        succeed(run(home.folder.path(), "age", &["-d", "-i", ".rocade/ben.txt", "pki/root.key.age"], b""));
    let plain = String::from_utf8(plain).unwrap();
    assert!(
        plain.contains("\npki/root.key\n") || plain.starts_with("rocade-secret 1\npki/root.key\n"),
        "{plain}"
    );
    let pem = plain.splitn(4, '\n').nth(3).unwrap();
    let public = succeed(run(home.folder.path(), "openssl", &["pkey", "-pubout"], pem.as_bytes()));
    let of_root = ["x509", "-in", "pki/root.pem", "-noout", "-pubkey"];
    assert_eq!(public, succeed(run(home.folder.path(), "openssl", &of_root, b"")));
}

#[test]
fn rocade_opens_what_the_age_program_encrypts() {
    if !is_there("age") {
        return;
    }
    let home = Home::new();
    let age = |words: &[&str], input: &[u8]| succeed(run(home.folder.path(), "age", words, input));
    // The recipients' file is age's own form.
    let recipients = "inventory/secrets/recipients.txt";
    for form in [&["-R", recipients][..], &["-a", "-R", recipients]] {
        let given = age(form, b"made elsewhere");
        home.rocade_reading(&["secrets", "set", "a/one", "--encrypted"], given).ended(0);
        assert_eq!(home.get("a/one"), "made elsewhere");
        assert_eq!(home.rocade_as("ben", &["secrets", "get", "a/one"]).ended(0).out, "made elsewhere");
    }
    // The whole envelope, put into the file by hand.
    let own = home.read(".rocade/identity.txt");
    let own = own.lines().find_map(|line| line.strip_prefix("# recipient: ")).unwrap().to_owned();
    let mut both = [own, home.ben.clone()];
    both.sort();
    let envelope = format!("rocade-secret 1\na/hand\n{}\nby hand", both.join(" "));
    let given = age(&["-R", recipients], envelope.as_bytes());
    let line = format!("a/hand: ENC[age:{}]\n", STANDARD.encode(given));
    std::fs::write(home.file("inventory/secrets/hand.yaml"), line).unwrap();
    assert_eq!(home.get("a/hand"), "by hand");
    home.rocade(&["validate"]).ended(0);
    // Encrypted to one of the two only, whatever the envelope claims.
    let own = home
        .read(".rocade/identity.txt")
        .lines()
        .find_map(|l| l.strip_prefix("# recipient: "))
        .unwrap()
        .to_owned();
    let given = age(&["-r", &own], envelope.as_bytes());
    let line = format!("a/hand: ENC[age:{}]\n", STANDARD.encode(given));
    std::fs::write(home.file("inventory/secrets/hand.yaml"), line).unwrap();
    let ran = home.rocade(&["validate"]).ended(64);
    assert!(ran.err.contains("`a/hand`") && ran.err.contains("opens for 1"), "{}", ran.err);
    assert_eq!(home.rocade(&["secrets", "rekey"]).ended(0).out, "a/hand\n");
    assert_eq!(home.rocade_as("ben", &["secrets", "get", "a/hand"]).ended(0).out, "by hand");
}

#[test]
fn identities_are_exchanged_and_foreign_ones_are_called_by_their_name() {
    if !is_there("age-keygen") {
        return;
    }
    let home = Home::new();
    home.set("a/one", "value-one");
    let made = run(home.folder.path(), "age-keygen", &["-o", ".rocade/cem.txt"], b"");
    let key = String::from_utf8(made.stderr).unwrap();
    let key = key.split_whitespace().last().unwrap().to_owned();
    home.rocade(&["secrets", "rekey", "--add", &key, "--name", "cem"]).ended(0);
    assert_eq!(home.rocade_as("cem", &["secrets", "get", "a/one"]).ended(0).out, "value-one");
    let ours = succeed(run(home.folder.path(), "age-keygen", &["-y", ".rocade/ben.txt"], b""));
    assert_eq!(String::from_utf8(ours).unwrap().trim(), home.ben);

    let locked =
        succeed(run(home.folder.path(), "age", &["-a", "-R", "inventory/secrets/recipients.txt"], b"x"));
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----\n";
    for (text, word) in [
        (String::from_utf8(locked).unwrap(), "age -p"),
        (ssh.to_owned(), "SSH"),
        ("AGE-PLUGIN-YUBIKEY-1QQQ\n".to_owned(), "plugin"),
    ] {
        private(&home.file(".rocade/foreign.txt"), &text);
        let ran = home.rocade_as("foreign", &["secrets", "get", "a/one"]).ended(1);
        assert!(ran.err.contains(word), "{}", ran.err);
        assert!(!ran.err.contains("QQQ") && !ran.err.contains("b3BlbnNz"), "{}", ran.err);
    }
    for (recipient, word) in
        [("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 dan", "SSH"), ("age1yubikey1qwt50d05nh5", "plugin")]
    {
        let ran = home.rocade(&["secrets", "rekey", "--add", recipient]).ended(1);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}

/// `age -p` asks on a terminal: `script` gives it one.
#[test]
fn an_identity_under_a_passphrase_is_refused_by_its_name() {
    if !is_there("age") || !is_there("script") {
        return;
    }
    let home = Home::new();
    home.set("a/one", "value-one");
    let lock = "age -p -o .rocade/locked.txt .rocade/identity.txt";
    let locked = run(home.folder.path(), "script", &["-qec", lock, "/dev/null"], b"swordfish\nswordfish\n");
    assert!(home.file(".rocade/locked.txt").exists(), "{}", String::from_utf8_lossy(&locked.stdout));
    let bytes = std::fs::read(home.file(".rocade/locked.txt")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    std::fs::remove_file(home.file(".rocade/locked.txt")).unwrap();
    private(&home.file(".rocade/locked.txt"), "");
    std::fs::write(home.file(".rocade/locked.txt"), bytes).unwrap();
    let ran = home.rocade_as("locked", &["secrets", "get", "a/one"]).ended(1);
    assert!(ran.err.contains("protected by a passphrase"), "{}", ran.err);
}
