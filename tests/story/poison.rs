//! No secret leaves its place: not in what rocade prints or writes, not in its arguments or environment, not
//! in what a device noted of the requests. The search is proven on a planted one.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rocade::lab::Knobs;
use rocade::secrets::Known;

use crate::place::Place;

/// Every secret of a place in every spelling it could leak in, with its name.
struct Poison(Known);

impl Poison {
    /// All secrets that the repository keeps, the leaf's key and the identity that opens them.
    fn of(place: &Place) -> Self {
        let mut poison = Self(Known::default());
        for name in names(place) {
            let value = place.rocade(&["secrets", "get", &name]).ended(0).out;
            poison.plant(&name, &value);
        }
        let key = place
            .device("main")
            .with_state(|state| state.files.text("/etc/mosquitto/rocade/server.key").unwrap());
        poison.plant("the leaf's key", key.lines().nth(1).unwrap());
        let identity = std::fs::read_to_string(place.file(".rocade/identity.txt")).unwrap();
        let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
        poison.plant("the identity", identity);
        poison
    }

    fn plant(&mut self, name: &str, value: &str) {
        assert!(value.len() >= 12, "{name} is too short to be told from other words");
        for spelling in [value.to_owned(), value.to_uppercase(), value.to_lowercase()] {
            self.0.add(name, spelling.as_bytes());
        }
    }

    /// The names of the secrets that stand in some bytes.
    fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.find(bytes).into_iter().map(|(_, name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[track_caller]
    fn absent_from(&self, place: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "{place} shows {found:?}");
    }
}

/// The names under which secrets are kept.
fn names(place: &Place) -> Vec<String> {
    let files =
        std::fs::read_dir(place.file("inventory/secrets")).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|found| found == "yaml"));
    let texts: Vec<String> = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter_map(|line| line.split_once(": ENC[")).map(|(name, _)| name.trim().to_owned()).collect()
}

/// All files below a folder with their bytes, but for the two that are made to hold secrets: the identity,
/// and the description of the simulated devices.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else if !entry.ends_with(".rocade/identity.txt") && !entry.ends_with("lab.json") {
            found.insert(entry.clone(), std::fs::read(&entry).unwrap());
        }
    }
    found
}

/// Looks at the arguments and the environment of every process there is, so of whatever the program starts too.
/// Gives what was found, and how many texts of one process could be looked at.
fn look(poison: &Poison, process: u32) -> (Vec<String>, usize) {
    let (mut found, mut looks) = (Vec::new(), 0);
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        for name in ["cmdline", "environ"] {
            // Empty or gone while it ends; another person's cannot be read.
            let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
            found.extend(
                poison.found_in(&bytes).into_iter().map(|secret| format!("{secret} in {name} of {id}")),
            );
            looks += usize::from(!bytes.is_empty() && id == process);
        }
    }
    (found, looks)
}

/// Runs the program and looks at all processes as long as it runs. Gives all it printed, and how often it
/// could be looked at.
fn watched(place: &Place, poison: &Poison, words: &[&str]) -> (Vec<u8>, usize) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
    let root = place.root();
    command.env_clear().env("HOME", root).env("TMPDIR", root.join(".rocade")).env("RUST_BACKTRACE", "full");
    let command = command.arg("-C").arg(root).args(words);
    // Files, not pipes: nobody reads while it runs.
    let mut printed = tempfile::tempfile().unwrap();
    let stdout = printed.try_clone().unwrap();
    let stderr = printed.try_clone().unwrap();
    let mut child = command.as_std_mut().stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() {
        let (found, seen) = look(poison, child.id());
        assert_eq!(found, [""; 0], "{words:?}");
        looks += seen;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut bytes = Vec::new();
    printed.rewind().unwrap();
    printed.read_to_end(&mut bytes).unwrap();
    (bytes, looks)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaves_its_place() {
    let place = Place::applied().await;
    place.set_secret("brokers/main/signage", "poisoned-signage-password");
    let poison = Poison::of(&place);
    assert!(poison.0.len() >= 8 * 12, "only {} spellings", poison.0.len());
    // There is something to do everywhere, and everything that can be secret is about to change.
    place.lab.devices().iter().for_each(|device| device.wipe());
    let plan = place.file(".rocade/plan.json").display().to_string();
    let file = place.file("inventory/secrets/brokers.yaml").display().to_string();
    let reports = ["sarif=.rocade/drift.sarif", "markdown=.rocade/drift.md"]
        .map(|report| report.replace(".rocade", &place.file(".rocade").display().to_string()));
    let dossier = place.file(".rocade/pool.html").display().to_string();
    let runs: &[(&str, &[&str])] = &[
        ("", &["plan", "-v", "--out", &plan]),
        ("", &["plan", "--json"]),
        ("fail-order=3", &["apply", "--yes", "-v"]),
        ("cut-at-order=4", &["apply", "--yes", "--json"]),
        ("api=half", &["plan", "-v"]),
        ("api=garbage", &["apply", "--yes", "--json"]),
        ("cut-after-bytes=3000", &["plan"]),
        ("", &["apply", "--yes", "--json", "-v"]),
        ("", &["plan", "-v"]),
        ("", &["verify"]),
        ("", &["verify", "--json"]),
        ("", &["validate", "--output", "sarif"]),
        ("", &["secrets", "check"]),
        ("", &["secrets", "rotate", "brokers/main/signage", "--dry-run"]),
        ("", &["secrets", "rekey", "--dry-run", "--json"]),
        ("", &["secrets", "textconv", &file]),
        ("", &["secrets", "scan"]),
        ("", &["pki", "status"]),
        ("", &["drift", "--json", "-v", "--report", &reports[0], "--report", &reports[1]]),
        ("", &["history", "-v"]),
        ("", &["dossier", "pool", "--out", &dossier]),
    ];
    let mut looks = 0;
    for (knobs, words) in runs {
        let knobs: Knobs = knobs.parse().unwrap();
        place.device("pool-gw").knobs().set(|board| *board = knobs);
        let (printed, seen) = watched(&place, &poison, words);
        looks += seen;
        assert!(!printed.is_empty(), "{words:?} printed nothing");
        poison.absent_from(&format!("{words:?}"), &printed);
        for (path, bytes) in files(place.root()) {
            poison.absent_from(&format!("{words:?}: {}", path.display()), &bytes);
        }
    }
    assert!(looks > runs.len() || !Path::new("/proc/self/environ").exists(), "looked {looks} times only");
    place.rocade(&["plan", "--detailed-exitcode"]).ended(0);
}

/// Spelled by hand, so that the search is held against something else than itself.
fn spellings(value: &str) -> Vec<String> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let mut all = vec![
        format!("x{value}y"),
        hex::encode(value),
        hex::encode_upper(value),
        value.to_uppercase(),
        serde_json::json!({ "field": format!("a\n{value}") }).to_string(),
        URL_SAFE.encode(format!("?>{value}~")),
    ];
    all.extend(["", "u", "us"].map(|before| STANDARD.encode(format!("{before}{value}:x"))));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_would_find_one() {
    let place = Place::applied().await;
    // Characters that every encoding changes.
    place.set_secret("brokers/main/odd", "p/\"oi\\son é%:swordfish");
    let poison = Poison::of(&place);
    let password = place.device("pool-gw").plan.password.clone();
    for leaked in spellings(&password) {
        assert_eq!(poison.found_in(leaked.as_bytes()), ["gateways/pool-gw/admin"], "{leaked}");
        std::fs::write(place.file(".rocade/leak"), &leaked).unwrap();
        let files = files(place.root());
        let leaks = files.iter().filter(|(_, bytes)| !poison.found_in(bytes).is_empty());
        assert_eq!(leaks.count(), 1);
    }
    for leaked in [
        "p%2F%22oi%5Cson%20%C3%A9%25%3Aswordfish",
        "p%2f%22oi%5cson%20%c3%a9%25%3aswordfish",
        "p/\\\"oi\\\\son é%:swordfish",
    ] {
        assert_eq!(poison.found_in(leaked.as_bytes()), ["brokers/main/odd"], "{leaked}");
    }
}

/// A process that shows one is seen, in its arguments and in its environment, also as a child of another.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_processes_would_find_one() {
    let place = Place::applied().await;
    let poison = Poison::of(&place);
    let key = place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out;
    let scripts = ["sh -c 'read line; :' \"$0\"; :", "read LEAK; export LEAK; sh -c 'read line; :'; :"];
    for (script, argument, input) in [(scripts[0], hex::encode(&key), ""), (scripts[1], String::new(), &*key)]
    {
        let mut shell = std::process::Command::new("sh");
        let mut shell = shell.args(["-c", script, &argument]).stdin(Stdio::piped()).spawn().unwrap();
        // It waits as long as this is open.
        let mut stdin = shell.stdin.take().unwrap();
        if !input.is_empty() {
            writeln!(stdin, "{input}").unwrap();
        }
        let seen = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !look(&poison, 0).0.is_empty()
        });
        drop(stdin);
        shell.wait().unwrap();
        assert!(seen, "{script}");
    }
}
