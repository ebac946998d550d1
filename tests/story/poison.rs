//! No secret leaves its place: not in what rocade prints or writes, not in its arguments or environment, not
//! in what a device noted of the requests. The search is proven on a planted one.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use rocade::lab::Knobs;

use crate::place::Place;

/// Every secret of a place in every spelling it could leak in, with its name.
struct Poison(Vec<(String, Vec<u8>)>);

impl Poison {
    /// All secrets that the repository keeps, the leaf's key and the identity that opens them.
    fn of(place: &Place) -> Self {
        let mut poison = Self(Vec::new());
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
        let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(value);
        let spellings =
            [value.to_owned(), value.to_uppercase(), value.to_lowercase(), base64, hex::encode(value)];
        self.0.extend(spellings.map(|spelling| (name.to_owned(), spelling.into_bytes())));
    }

    /// The names of the secrets that stand in some bytes.
    fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let stands = |spelling: &[u8]| bytes.windows(spelling.len()).any(|window| window == spelling);
        let found = self.0.iter().filter(|(_, spelling)| stands(spelling));
        let mut names: Vec<&str> = found.map(|(name, _)| name.as_str()).collect();
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

/// Runs the program and looks at its arguments and its environment as long as it runs. Gives all it printed,
/// and how often they could be looked at.
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
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() {
        for name in ["cmdline", "environ"] {
            // Empty or gone while it ends.
            let bytes = std::fs::read(process.join(name)).unwrap_or_default();
            poison.absent_from(name, &bytes);
            looks += usize::from(!bytes.is_empty());
        }
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
    assert!(poison.0.len() >= 5 * 8, "only {} spellings", poison.0.len());
    // There is something to do everywhere, and everything that can be secret is about to change.
    place.lab.devices().iter().for_each(|device| device.wipe());
    let plan = place.file(".rocade/plan.json").display().to_string();
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

#[tokio::test(flavor = "multi_thread")]
async fn the_search_would_find_one() {
    let place = Place::applied().await;
    let poison = Poison::of(&place);
    let password = place.device("pool-gw").plan.password.clone();
    for leaked in [format!("x{password}y"), hex::encode(&password), password.to_uppercase()] {
        assert_eq!(poison.found_in(leaked.as_bytes()), ["gateways/pool-gw/admin"]);
        std::fs::write(place.file(".rocade/leak"), &leaked).unwrap();
        let files = files(place.root());
        let leaks = files.iter().filter(|(_, bytes)| !poison.found_in(bytes).is_empty());
        assert_eq!(leaks.count(), 1);
    }
}
