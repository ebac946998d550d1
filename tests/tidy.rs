//! The house's rules, enforced: sizes, floors, openings, words, and what the repository may hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 600;
const LINE_CHARS: usize = 120;

/// Rooms and their floors. A room uses only rooms below it; rooms of one floor may use each other where
/// [`SIDEWAYS`] says so.
const FLOORS: &[(&str, u8)] = &[
    ("main", 9),
    ("cli", 8),
    ("playbook", 7),
    ("run", 6),
    ("compose", 5),
    ("dossier", 5),
    ("providers", 4),
    ("host", 2),
    ("plan", 2),
    ("inventory", 2),
    ("template", 2),
    ("secrets", 2),
    ("pki", 3),
    ("intake", 3),
    ("flow", 3),
    ("transport", 2),
    ("repository", 1),
    ("model", 1),
];

/// The uses within one floor, each with its reason.
const SIDEWAYS: &[(&str, &str)] = &[
    // The hands that transport gives to providers speak in the host's questions and orders.
    ("transport", "host"),
    // A host is reached through an SSH session.
    ("host", "transport"),
    // A route is made from the login words of the inventory.
    ("transport", "inventory"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("target") {
            found.extend(files(&entry, extension));
        } else if entry.extension().is_some_and(|found| found == extension) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines of each function of a source text, by its first line. rustfmt sets the closing brace of a function
/// at the indentation of its opening line.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let opens =
            ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(super) fn ", "pub(super) async fn "]
                .iter()
                .any(|word| code.starts_with(word));
        if !opens || code.ends_with(';') {
            continue;
        }
        let indent = line.len() - code.len();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == closing) {
            found.push((start + 1, length + 1));
        }
    }
    found
}

#[test]
fn functions_files_and_lines_stay_small() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if text.lines().count() > FILE_LINES {
            faults.push(format!("{name}: {} lines, at most {FILE_LINES}", text.lines().count()));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_CHARS {
                faults.push(format!("{name}:{}: over {LINE_CHARS} characters", number + 1));
            }
        }
        for (start, length) in functions(&text) {
            if length > FUNCTION_LINES {
                faults
                    .push(format!("{name}:{start}: a function of {length} lines, at most {FUNCTION_LINES}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_size_check_bites() {
    let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES));
    assert_eq!(functions(&long), [(1, FUNCTION_LINES + 2)]);
}

#[test]
fn every_file_opens_with_the_rule_that_holds_in_it() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no opening words: {silent:?}");
}

/// The rooms a source text names with `crate::room`.
fn used_rooms(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.match_indices("crate::").map(move |(at, word)| &line[at + word.len()..]))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn rooms_use_only_rooms_below() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut faults = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let from = room(&path);
        if from == "lib" || from == "lab" {
            continue;
        }
        let floor = floors.get(from.as_str()).unwrap_or_else(|| panic!("room `{from}` has no floor"));
        for to in used_rooms(&fs::read_to_string(&path).unwrap()) {
            let sideways = SIDEWAYS.contains(&(from.as_str(), to.as_str()));
            let below = floors.get(to.as_str()).is_some_and(|below| below < floor);
            let demo = from == "cli" && to == "lab";
            if to != from && !sideways && !below && !demo {
                faults.push(format!("{}: uses {to}, which is not below {from}", path.display()));
            }
        }
    }
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Calls that belong to one room, and the rooms that may make them. `lab` stands beside the floors and
/// simulates the other end.
const RESERVED: &[(&str, &[&str])] = &[
    ("println!", &["cli"]),
    ("eprintln!", &["cli"]),
    ("tokio::spawn", &["run", "lab"]),
    ("TcpStream::connect", &["transport", "lab"]),
    ("TcpListener::bind", &["transport", "lab"]),
    ("SystemTime::now", &["cli", "lab"]),
    ("Timestamp::now", &["cli", "lab"]),
    ("std::env::var", &["cli", "lab"]),
    (
        ".reveal()",
        &["model", "secrets", "pki", "host", "transport", "providers", "compose", "plan", "lab", "cli"],
    ),
];

#[test]
fn each_power_has_its_room() {
    let mut faults = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (call, rooms) in RESERVED {
            if !rooms.contains(&room(&path).as_str()) && code.contains(call) {
                faults.push(format!("{}: `{call}` belongs to {rooms:?}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_named_for_what_has_no_name() {
    let banned = ["util", "utils", "helper", "helpers", "common", "manager", "data", "misc"];
    let vague: Vec<String> = ["src", "tests", "benches", "templates"]
        .iter()
        .flat_map(|folder| ["rs", "py"].map(|extension| files(&root().join(folder), extension)).concat())
        .filter(|path| banned.contains(&path.file_stem().unwrap().to_string_lossy().as_ref()))
        .map(|path| path.display().to_string())
        .collect();
    assert!(vague.is_empty(), "{vague:?}");
}

#[test]
fn the_house_has_its_rooms_and_papers() {
    for name in [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "inventory",
        "templates",
        "pki",
        "playbooks",
        "tests",
        "benches",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        ".ci/run",
        "tests/run",
    ] {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}
