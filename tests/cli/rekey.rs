//! People come and go: who can open what, and what those who left know. With real git where history counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::program;

/// A repository of two people, ada and ben; ada's identity is the one found by itself.
pub struct Home {
    pub folder: tempfile::TempDir,
    /// ben's recipient.
    pub ben: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let code = output.status.code().expect("no signal ended it");
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n-- standard output\n{}\n-- standard error\n{}", self.out, self.err);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("inventory/secrets")).unwrap();
        let mut home = Self { folder, ben: String::new() };
        let own = home.file(".rocade/identity.txt").display().to_string();
        home.rocade(&["secrets", "keygen", "-o", &own, "--name", "ada"]).ended(0);
        home.ben = home.identity_of("ben");
        let ben = home.ben.clone();
        home.rocade(&["secrets", "rekey", "--add", &ben, "--name", "ben"]).ended(0);
        std::fs::write(
            home.file("inventory/site.yaml"),
            "sites:\n  pool: {title: Pool, timezone: Europe/Paris}\n",
        )
        .unwrap();
        home
    }

    /// Makes an identity beside the repository's own; gives its recipient.
    pub fn identity_of(&self, name: &str) -> String {
        let file = self.file(&format!(".rocade/{name}.txt")).display().to_string();
        self.rocade(&["secrets", "keygen", "-o", &file]).ended(0).out.trim().to_owned()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn rocade(&self, words: &[&str]) -> Ran {
        Ran::of(&program(self.folder.path()).args(words).output().unwrap())
    }

    pub fn rocade_reading(&self, words: &[&str], input: impl Into<Vec<u8>>) -> Ran {
        Ran::of(&program(self.folder.path()).args(words).write_stdin(input).output().unwrap())
    }

    /// What somebody else's identity makes of the same.
    pub fn rocade_as(&self, name: &str, words: &[&str]) -> Ran {
        let identity = self.file(&format!(".rocade/{name}.txt")).display().to_string();
        self.rocade(&[&["-i", identity.as_str()], words].concat())
    }

    pub fn set(&self, path: &str, value: &str) {
        self.rocade_reading(&["secrets", "set", path], value).ended(0);
    }

    pub fn get(&self, path: &str) -> String {
        self.rocade(&["secrets", "get", path]).ended(0).out
    }

    /// git, as nobody in particular.
    pub fn git(&self, words: &[&str]) -> Ran {
        let mut git = Command::new("git");
        git.current_dir(self.folder.path()).args(["-c", "user.name=ada", "-c", "user.email=ada@example.net"]);
        git.env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_PAGER", "cat");
        Ran::of(&git.args(words).output().expect("git runs"))
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]).ended(0);
        self.git(&["commit", "-q", "-m", message]).ended(0);
    }

    pub fn begin_git(&self) {
        self.git(&["init", "-q", "-b", "main"]).ended(0);
    }
}

/// What a leaver could open, by name and standing.
fn seen(result: &Value) -> BTreeMap<String, String> {
    let seen = result["removed"][0]["seen"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    seen.iter().map(|one| (word(&one["name"]), word(&one["standing"]))).collect()
}

#[test]
fn who_leaves_opens_nothing_more_and_what_they_know_is_listed_with_its_history() {
    let home = Home::new();
    home.begin_git();
    for (path, value) in [("a/kept", "one-one-one"), ("a/changed", "two-two-two"), ("a/gone", "three-three")]
    {
        home.set(path, value);
    }
    home.commit("three secrets that ben can open");
    home.set("a/changed", "another-value");
    std::fs::write(home.file("inventory/secrets/a.yaml"), {
        let text = home.read("inventory/secrets/a.yaml");
        text.lines()
            .filter(|line| !line.starts_with("a/gone"))
            .fold(String::new(), |all, line| all + line + "\n")
    })
    .unwrap();
    home.commit("one changed, one gone");
    let before = home.read("inventory/secrets/a.yaml");

    let dry = home.rocade(&["secrets", "rekey", "--remove", "ben", "--dry-run", "--json"]).ended(0).json();
    assert_eq!(home.read("inventory/secrets/a.yaml"), before);
    assert!(home.read("inventory/secrets/recipients.txt").contains("ben"));
    assert!(!home.file("inventory/secrets/rotate.txt").exists());
    assert_eq!(dry["renewed"], serde_json::json!(["a/changed", "a/kept"]));

    let done = home.rocade(&["secrets", "rekey", "--remove", "ben", "--json"]).ended(0).json();
    // a/changed was encrypted to ben with its new value as well: he knows both.
    let expected = [("a/changed", "known"), ("a/gone", "gone"), ("a/kept", "known")];
    assert_eq!(seen(&done), expected.map(|(name, it)| (name.to_owned(), it.to_owned())).into());
    assert_eq!(seen(&dry), seen(&done));
    assert!(!home.read("inventory/secrets/recipients.txt").contains("ben"));
    home.rocade_as("ben", &["secrets", "get", "a/kept"]).ended(1);
    assert_eq!(home.get("a/kept"), "one-one-one");

    // The list is in a file, warns until it is worked off, and a new value ticks it.
    let warned = home.rocade(&["validate"]).ended(0);
    assert!(warned.err.contains("known-to-leavers") && warned.err.contains("2 values"), "{}", warned.err);
    home.set("a/kept", "one-one-one");
    assert!(
        home.rocade(&["secrets", "rotate"]).ended(0).out.contains("a/kept"),
        "the same value is no change"
    );
    home.set("a/kept", "a new value");
    home.rocade(&["secrets", "rotate", "a/changed", "--done"]).ended(0);
    let left = home.rocade(&["secrets", "rotate", "--json"]).ended(0).json();
    assert_eq!((&left["open"], left["items"].as_array().unwrap().len()), (&Value::from(0), 2));
    home.commit("ben left");
    assert!(!home.rocade(&["validate"]).ended(0).err.contains("known-to-leavers"));
}

/// What was changed while somebody was already out of it is not theirs to know.
#[test]
fn a_value_changed_after_they_left_is_not_listed_again() {
    let home = Home::new();
    home.begin_git();
    home.set("a/one", "first-value");
    home.commit("ben can open it");
    home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(0);
    home.set("a/one", "second-value");
    home.commit("changed after");
    let ben = home.ben.clone();
    home.rocade(&["secrets", "rekey", "--add", &ben, "--name", "ben"]).ended(0);
    home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(0);
    // He was let in again for a moment, and could have read it then.
    assert!(home.read("inventory/secrets/rotate.txt").contains("\n[ ] a/one"));
    home.set("a/one", "third-value");
    let cem = home.identity_of("cem");
    home.rocade(&["secrets", "rekey", "--add", &cem, "--name", "cem"]).ended(0);
    // ben is long gone: what he knows is no longer the value.
    home.commit("cem came");
    let ran = home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(0);
    assert!(!home.read("inventory/secrets/rotate.txt").contains("[ ]"), "{}", ran.out);
}

#[test]
fn nobody_is_locked_out_by_mistake() {
    let home = Home::new();
    home.set("a/one", "value-one");
    let ran = home.rocade(&["secrets", "rekey", "--remove", "ada"]).ended(1);
    assert!(ran.err.contains("lock yourself out"), "{}", ran.err);
    let ran = home.rocade(&["secrets", "rekey", "--remove", "eve"]).ended(1);
    assert!(ran.err.contains("nobody") && ran.err.contains("eve"), "{}", ran.err);
    let recipients = home.read("inventory/secrets/recipients.txt");
    std::fs::write(home.file("inventory/secrets/recipients.txt"), format!("# at least: 2\n{recipients}"))
        .unwrap();
    let ran = home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(1);
    assert!(ran.err.contains("at least 2"), "{}", ran.err);
    std::fs::write(home.file("inventory/secrets/recipients.txt"), format!("# at least: 3\n{recipients}"))
        .unwrap();
    let ran = home.rocade(&["validate"]).ended(64);
    assert!(ran.err.contains("few-recipients") && ran.err.contains("recipients.txt:1"), "{}", ran.err);
    // A value that does not open stops all of it.
    let text = home.read("inventory/secrets/a.yaml");
    std::fs::write(home.file("inventory/secrets/a.yaml"), text.replace("a/one", "a/two")).unwrap();
    std::fs::write(home.file("inventory/secrets/recipients.txt"), &recipients).unwrap();
    let ran = home.rocade(&["secrets", "rekey", "--remove", "ben"]).ended(1);
    assert!(ran.err.contains("a/two") && ran.err.contains("nothing was changed"), "{}", ran.err);
    assert_eq!(home.read("inventory/secrets/recipients.txt"), recipients);
}

/// Also without an identity, as in a pipeline: the number of those who can open a value stands in it.
#[test]
fn validate_finds_what_is_not_encrypted_to_the_present_recipients() {
    let home = Home::new();
    home.set("a/one", "value-one");
    let recipients = home.read("inventory/secrets/recipients.txt");
    home.rocade(&["validate"]).ended(0);
    let alone = recipients.replace(&format!("# name: ben\n{}\n", home.ben), "");
    std::fs::write(home.file("inventory/secrets/recipients.txt"), &alone).unwrap();
    let ran = home.rocade(&["validate"]).ended(64);
    assert!(ran.err.contains("secret-recipients") && ran.err.contains(&home.ben), "{}", ran.err);
    let identity = home.read(".rocade/identity.txt");
    std::fs::remove_file(home.file(".rocade/identity.txt")).unwrap();
    let ran = home.rocade(&["validate", "--output", "github"]).ended(64);
    assert!(ran.out.starts_with("::error file=inventory/secrets/a.yaml,line="), "{}", ran.out);
    assert!(ran.out.contains("opens for 2"), "{}", ran.out);
    std::fs::write(home.file("inventory/secrets/recipients.txt"), &recipients).unwrap();
    home.rocade(&["validate"]).ended(0);
    // Taken out by hand: a rekey finds that by itself, and lists what they knew.
    private(&home.file(".rocade/identity.txt"), &identity);
    std::fs::write(home.file("inventory/secrets/recipients.txt"), &alone).unwrap();
    let done = home.rocade(&["secrets", "rekey", "--json"]).ended(0).json();
    assert_eq!(done["removed"][0]["recipient"], Value::from(home.ben.clone()));
    home.rocade(&["validate"]).ended(0);
}

pub fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Killed between any two files: every value opens, every file is whole, and the next run finishes.
#[cfg(unix)]
#[test]
fn a_rekey_that_is_killed_is_finished_by_the_next() {
    let home = Home::new();
    let source = rocade::secrets::IdentitySource::File(home.file(".rocade/identity.txt"));
    let store = rocade::secrets::Store::open(home.folder.path(), source).unwrap();
    for file in 0..40 {
        store.put(&format!("file{file:02}/one"), b"value").unwrap();
    }
    let mut halves = 0;
    for last in ["recipients.txt", "file00.yaml", "file05.yaml", "file12.yaml", "file20.yaml", "file30.yaml"]
    {
        let is_out = !home.read("inventory/secrets/recipients.txt").contains(&home.ben);
        let words: &[&str] =
            if is_out { &["--add", &home.ben, "--name", "ben"] } else { &["--remove", "ben"] };
        let mut child = Command::new(env!("CARGO_BIN_EXE_rocade"));
        child.arg("-C").arg(home.folder.path()).args(["secrets", "rekey"]).args(words);
        let watched = format!("inventory/secrets/{last}");
        let before = home.read(&watched);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while home.read(&watched) == before && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        child.wait().unwrap();
        // Nothing is half-written: ada opens all of it, whoever else does.
        let opened = home.rocade(&["secrets", "scan", "inventory"]).ended(0);
        assert!(!opened.err.contains("not looked for"), "{}", opened.err);
        for file in [0, 5, 20, 39] {
            assert_eq!(home.get(&format!("file{file:02}/one")), "value");
        }
        let again = home.rocade(&["secrets", "rekey", "--json"]).ended(0).json();
        halves += usize::from(again["renewed"].as_array().is_some_and(|renewed| !renewed.is_empty()));
        assert_eq!(home.read("inventory/secrets/recipients.txt").contains(&home.ben), is_out);
        home.rocade(&["validate"]).ended(0);
        // What ben knows is in the list, however far the first run came.
        let ledger = home.read("inventory/secrets/rotate.txt");
        assert_eq!(ledger.matches("[ ] file").count(), 40, "{ledger}");
    }
    assert!(halves > 0, "none was killed half-way");
}
