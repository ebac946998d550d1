//! `rocade init`: a repository that works as it is, with real git; nobody's work is written over.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

struct Ran {
    out: String,
    err: String,
}

/// Runs rocade as somebody whose home is `home`.
#[track_caller]
fn rocade(home: &Path, words: &[&str], code: i32) -> Ran {
    let mut rocade = Command::new(env!("CARGO_BIN_EXE_rocade"));
    rocade.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    // Not in this repository: `secrets keygen` enrols the first recipient where it runs.
    let output = rocade.current_dir(home).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let ran = Ran { out: text(&output.stdout), err: text(&output.stderr) };
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// git as nobody in particular; whether it did it, and what it said.
fn git(folder: &Path, words: &[&str]) -> (bool, String) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "user.name=ada", "-c", "user.email=ada@example.net"]);
    // The hook starts rocade, which looks for the identity below HOME.
    git.env("HOME", folder.parent().unwrap()).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("XDG_CONFIG_HOME");
    let output = git.args(words).output().expect("git runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// The files of a folder with their bytes; not git's.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let below = if name == ".git" { BTreeMap::new() } else { files(&entry.path()) };
            found.extend(below.into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn a_new_repository_is_good_and_its_hook_keeps_keys_out() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    let dir = site.display().to_string();
    let ran = rocade(home.path(), &["init", &dir, "--name", "ada"], 0);
    assert!(ran.err.contains("pre-commit refuses keys") && ran.out.is_empty(), "{}", ran.err);
    let made = files(&site);
    let text = |name: &str| String::from_utf8(made[name].clone()).unwrap();
    assert!(text("inventory/secrets/recipients.txt").contains("ada"));
    assert_eq!(text(".gitignore"), ".rocade/\n");
    assert_eq!(text("README.md").lines().count(), 3);
    let schema = rocade(home.path(), &["schema"], 0).out;
    assert_eq!(text("inventory/schema.json"), schema, "the editor's schema is the program's");
    assert!(text("inventory/site.yaml").starts_with("# yaml-language-server: $schema=schema.json\n"));
    // Nothing to say: no error and no warning, with the identity that was made.
    let words = ["-C", dir.as_str(), "validate", "--output", "json"];
    let findings: serde_json::Value = serde_json::from_str(&rocade(home.path(), &words, 0).out).unwrap();
    assert_eq!(findings["diagnostics"], serde_json::json!([]), "{findings}");
    rocade(home.path(), &["-C", &dir, "playbook", "show", "new-site"], 0);

    assert!(git(&site, &["add", "-A"]).0);
    let (done, said) = git(&site, &["commit", "-q", "-m", "as made"]);
    assert!(done, "{said}");
    assert_eq!(git(&site, &["status", "--porcelain"]).1, "");
    let key = std::fs::read_to_string(home.path().join(".config/rocade/identity.txt")).unwrap();
    assert!(key.contains("AGE-SECRET-KEY-1"));
    std::fs::write(site.join("notes.txt"), key).unwrap();
    assert!(git(&site, &["add", "-A"]).0);
    let (done, said) = git(&site, &["commit", "-q", "-m", "a key"]);
    assert!(!done && said.contains("age-identity") && !said.contains("AGE-SECRET"), "{said}");
    assert_eq!(git(&site, &["rev-list", "--count", "HEAD"]).1, "1\n");
}

#[test]
fn a_folder_with_something_in_it_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("mine.txt"), "mine\n").unwrap();
    let dir = site.display().to_string();
    for words in [vec!["init", &dir], vec!["init", &dir, "--lab"]] {
        let ran = rocade(home.path(), &words, 1);
        assert!(ran.err.contains("`mine.txt` is there; nothing was written"), "{}", ran.err);
    }
    // Not even an identity is made for it.
    assert_eq!(files(home.path()).into_keys().collect::<Vec<_>>(), ["site/mine.txt"]);
    // A clone of an empty repository is nobody's work.
    std::fs::remove_file(site.join("mine.txt")).unwrap();
    assert!(git(&site, &["init", "-q", "-b", "trunk"]).0);
    rocade(home.path(), &["init", &dir], 0);
    assert_eq!(git(&site, &["symbolic-ref", "--short", "HEAD"]).1, "trunk\n");
    assert!(site.join(".git/hooks/pre-commit").exists());
}

/// The hook of a repository around it is its owner's to set up, and an identity that is there is used.
#[test]
fn inside_a_repository_nothing_outside_is_touched() {
    let home = tempfile::tempdir().unwrap();
    let outer = home.path().join("outer");
    std::fs::create_dir(&outer).unwrap();
    assert!(git(&outer, &["init", "-q"]).0);
    let identity = home.path().join("ada.txt").display().to_string();
    let recipient = rocade(home.path(), &["secrets", "keygen", "-o", &identity], 0).out;
    let dir = outer.join("site").display().to_string();
    let ran = rocade(home.path(), &["-i", &identity, "init", &dir], 0);
    assert!(ran.err.contains("git-setup --hook"), "{}", ran.err);
    assert!(!outer.join("site/.git").exists() && !outer.join(".git/hooks/pre-commit").exists());
    let recipients = std::fs::read_to_string(outer.join("site/inventory/secrets/recipients.txt")).unwrap();
    assert!(recipients.contains(recipient.trim()), "{recipients}");
}

/// `init --lab`, then its devices as often as wanted: each time new ones, at the addresses the inventory tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_lab_repository_is_planned_against_its_devices() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    let dir = site.display().to_string();
    rocade(home.path(), &["init", &dir, "--lab"], 0);
    rocade(home.path(), &["-C", &dir, "validate"], 0);
    assert!(git(&site, &["add", "-A"]).0);
    let (done, said) = git(&site, &["commit", "-q", "-m", "as made"]);
    assert!(done, "{said}");
    assert!(!git(&site, &["ls-files"]).1.contains("lab.json"));
    std::fs::write(site.join("inventory/known_certificates"), "pool-gw SHA256:old\nother SHA256:x\n")
        .unwrap();
    for _ in 0..2 {
        let lab = rocade::lab::up(&site).await.unwrap();
        let (home, dir) = (home.path().to_owned(), dir.clone());
        let plan = move || rocade(&home, &["-C", &dir, "plan", "pool-gw", "main", "--detailed-exitcode"], 2);
        let plan = tokio::task::spawn_blocking(plan).await.unwrap();
        assert!(plan.out.contains("+ sensor   pool-hall"), "{}", plan.out);
        let pins = std::fs::read_to_string(site.join("inventory/known_certificates")).unwrap();
        assert_eq!(pins, "other SHA256:x\n");
        lab.stop().await;
    }
}
