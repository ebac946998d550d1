//! Files of secrets under real git: diffs that people can read, merges by name, commits that are refused.

use crate::rekey::Home;

fn tracked() -> Home {
    let home = Home::new();
    home.begin_git();
    home.rocade(&["secrets", "git-setup", "--hook"]).ended(0);
    home.set("a/one", "value-of-one");
    home.set("a/two", "value-of-two");
    home.commit("two secrets");
    home
}

#[test]
fn a_diff_shows_names_and_which_values_changed() {
    let home = tracked();
    home.set("a/one", "another-value");
    home.set("a/three", "value-of-three");
    let diff = home.git(&["diff"]).ended(0).out;
    let lines = |mark: char| -> Vec<String> {
        let changed = diff
            .lines()
            .filter(|line| line.starts_with(mark) && !line.starts_with(&mark.to_string().repeat(3)));
        changed.map(|line| line.split(": ").next().unwrap()[1..].to_owned()).collect()
    };
    assert_eq!(
        (lines('-'), lines('+')),
        (vec!["a/one".into()], vec!["a/one".into(), "a/three".into()]),
        "{diff}"
    );
    assert!(diff.contains("for ada, ben") || diff.contains("for ben, ada"), "{diff}");
    assert!(
        !diff.contains("ENC[") && !diff.contains("value-of") && !diff.contains("another-value"),
        "{diff}"
    );
    let log = home.git(&["log", "-p"]).ended(0).out;
    assert!(log.contains("+a/two: value ") && !log.contains("value-of"), "{log}");
    // Encrypted anew, the same value has the same digits: only who reads it changed.
    home.commit("changed");
    home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(0);
    let diff = home.git(&["diff", "--", "inventory/secrets/a.yaml"]).ended(0).out;
    let digits = |mark: &str| {
        let line = diff.lines().find(|line| line.starts_with(&format!("{mark}a/one"))).unwrap();
        line.split("  #").next().unwrap()[1..].to_owned()
    };
    assert_eq!(digits("-"), digits("+"), "{diff}");
    let file = home.file("inventory/secrets/a.yaml").display().to_string();
    let clear = home.rocade(&["secrets", "textconv", "--clear", &file]).ended(0).out;
    assert!(clear.contains("a/one: \"another-value\""), "{clear}");
    let stranger = home.rocade_as("ben", &["secrets", "textconv", &file]).ended(0).out;
    assert!(stranger.contains("a/one: not for you"), "{stranger}");
}

#[test]
fn two_branches_that_set_different_secrets_merge() {
    let home = tracked();
    home.git(&["checkout", "-q", "-b", "other"]).ended(0);
    home.set("a/two", "set-on-other");
    home.set("a/new", "new-on-other");
    home.commit("other");
    home.git(&["checkout", "-q", "main"]).ended(0);
    home.set("a/one", "set-on-main");
    home.set("a/next", "new-on-main");
    home.commit("main");
    home.git(&["merge", "-q", "--no-edit", "other"]).ended(0);
    let expected =
        [("one", "set-on-main"), ("two", "set-on-other"), ("new", "new-on-other"), ("next", "new-on-main")];
    for (name, value) in expected {
        assert_eq!(home.get(&format!("a/{name}")), value);
    }
    // Neighbouring lines are a conflict to git alone: the merge was ours.
    assert!(!home.read("inventory/secrets/a.yaml").contains("<<<<"));
}

#[test]
fn one_secret_set_on_both_sides_is_a_conflict_and_the_same_value_is_none() {
    let home = tracked();
    home.git(&["checkout", "-q", "-b", "other"]).ended(0);
    home.set("a/one", "set-on-other");
    home.set("a/two", "the same on both");
    home.commit("other");
    home.git(&["checkout", "-q", "main"]).ended(0);
    home.set("a/one", "set-on-main");
    home.set("a/two", "the same on both");
    home.commit("main");
    let ran = home.git(&["merge", "--no-edit", "other"]).ended(1);
    assert!(ran.err.contains("`a/one` has another value on each side"), "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("`a/two`") && !ran.err.contains("set-on"), "{}", ran.err);
    let text = home.read("inventory/secrets/a.yaml");
    assert_eq!((text.matches("<<<<<<<").count(), text.matches("a/one: ENC[").count()), (1, 2), "{text}");
    let refused = home.rocade(&["secrets", "get", "a/one"]).ended(1);
    assert!(refused.err.contains("a merge was left unfinished"), "{}", refused.err);
    home.git(&["checkout", "-q", "--theirs", "--", "inventory/secrets/a.yaml"]).ended(0);
    assert_eq!(home.get("a/one"), "set-on-other");
    home.commit("merged");
    assert_eq!(home.get("a/two"), "the same on both");
}

/// One side lets somebody in, the other changes a value: neither is lost, and what is left to do is said.
#[test]
fn a_rekey_and_a_change_merge() {
    let home = tracked();
    home.git(&["checkout", "-q", "-b", "other"]).ended(0);
    let cem = home.identity_of("cem");
    home.rocade(&["secrets", "rekey", "--add", &cem, "--name", "cem"]).ended(0);
    home.commit("cem came");
    home.git(&["checkout", "-q", "main"]).ended(0);
    home.set("a/one", "set-on-main");
    home.commit("main");
    let ran = home.git(&["merge", "--no-edit", "other"]).ended(0);
    assert!(ran.err.contains("rocade secrets rekey"), "{}{}", ran.out, ran.err);
    assert_eq!(home.get("a/one"), "set-on-main");
    home.rocade(&["validate"]).ended(64);
    home.rocade(&["secrets", "rekey"]).ended(0);
    home.rocade(&["validate"]).ended(0);
    assert_eq!(home.rocade_as("cem", &["secrets", "get", "a/one"]).ended(0).out, "set-on-main");
}

#[test]
fn a_commit_with_a_key_or_password_in_clear_is_refused() {
    let home = tracked();
    home.set("gateways/gw/admin", "tulip garden at night");
    home.commit("a password, encrypted");
    let identity = home.read(".rocade/identity.txt");
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        "MIGHAgEAMBMGByqGSM49".repeat(4)
    );
    let base64 = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode("user:tulip garden at night")
    };
    let gateway = "gateways:\n  gw:\n    ssh: {user: admin, password: hunter2}\n";
    let faults = [
        ("notes.txt", "the login is tulip garden at night\n".to_owned(), "secret-of-ours"),
        ("request.log", format!("Authorization: Basic {base64}\n"), "secret-of-ours"),
        ("dump.txt", hex::encode("tulip garden at night"), "secret-of-ours"),
        ("keys/server.pem", key, "private-key"),
        ("copy.txt", identity, "age-identity"),
        ("inventory/gw.yaml", gateway.to_owned(), "secret-in-clear"),
        ("site.env", "MQTT_PASSWORD=vR7xq20qLmZ8wT\n".to_owned(), "random-word"),
        ("inventory/secrets/b.yaml", "b/one: hunter2\n".to_owned(), "secrets-file"),
    ];
    let head = home.git(&["rev-parse", "HEAD"]).ended(0).out;
    for (file, text, rule) in faults {
        std::fs::create_dir_all(home.file(file).parent().unwrap()).unwrap();
        std::fs::write(home.file(file), &text).unwrap();
        home.git(&["add", file]).ended(0);
        let ran = home.git(&["commit", "-q", "-m", "oops"]).ended(1);
        let said = ran.out + &ran.err;
        assert!(said.contains(file) && said.contains(rule), "{said}");
        assert!(
            !said.contains("hunter2") && !said.contains("tulip") && !said.contains("AGE-SECRET"),
            "{said}"
        );
        // What is staged counts, not what lies in the folder.
        std::fs::write(home.file(file), "nothing\n").unwrap();
        home.git(&["commit", "-q", "-m", "oops"]).ended(1);
        home.git(&["reset", "-q", "--hard"]).ended(0);
        let _ = std::fs::remove_file(home.file(file));
    }
    assert_eq!(home.git(&["rev-parse", "HEAD"]).ended(0).out, head);
    std::fs::write(home.file("site.env"), "MQTT_PASSWORD=vR7xq20qLmZ8wT # rocade: not a secret\n").unwrap();
    home.commit("allowed");
    let scanned = home.rocade(&["secrets", "scan", "--json"]).ended(0).json();
    assert_eq!(scanned["findings"], serde_json::json!([]));
    assert!(scanned["files"].as_u64().unwrap() >= 5, "{scanned}");
}

/// A hook that somebody else wrote stays, and the line to add to it is said.
#[test]
fn a_hook_of_somebody_else_is_left_alone() {
    let home = Home::new();
    home.begin_git();
    std::fs::create_dir_all(home.file(".git/hooks")).unwrap();
    std::fs::write(home.file(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n").unwrap();
    let ran = home.rocade(&["secrets", "git-setup", "--hook"]).ended(1);
    assert!(ran.err.contains("secrets scan --staged"), "{}", ran.err);
    assert_eq!(home.read(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
    // Twice is once.
    home.rocade(&["secrets", "git-setup"]).ended(0);
    assert_eq!(home.read(".gitattributes").matches("rocade-secrets merge").count(), 3);
}

/// What the pre-commit framework is told to run is there.
#[test]
fn the_shipped_hooks_run() {
    let text = include_str!("../../.pre-commit-hooks.yaml");
    let entries: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("entry: rocade ")).collect();
    assert_eq!(entries.len(), 3);
    let home = tracked();
    for entry in entries {
        home.rocade(&entry.split(' ').collect::<Vec<_>>()).ended(0);
    }
    // As the framework calls it: from the top of the working tree, with the names of files.
    std::fs::write(home.file("site.env"), "MQTT_PASSWORD=vR7xq20qLmZ8wT\n").unwrap();
    let mut rocade = assert_cmd::Command::new(env!("CARGO_BIN_EXE_rocade"));
    rocade.current_dir(home.folder.path()).args(["secrets", "scan", "site.env", "inventory/site.yaml"]);
    let output = rocade.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("site.env:1:15: random-word"));
}

#[test]
fn a_side_that_is_not_there_is_no_side_without_secrets() {
    let home = Home::new();
    home.set("a/one", "value one");
    let file = home.file("inventory/secrets/a.yaml").display().to_string();
    let before = home.read("inventory/secrets/a.yaml");
    let ran = home.rocade(&["secrets", "merge", &file, &file, "nothere.yaml"]).ended(1);
    assert!(ran.err.contains("there is no file nothere.yaml"), "{}", ran.err);
    assert_eq!(home.read("inventory/secrets/a.yaml"), before);
}
