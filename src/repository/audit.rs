//! The audit: who applied what, when, from which commit, and how it ended. A line an apply, a file a month, in a
//! folder that is committed with the rest; lines of two branches are merged by keeping both.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The version of a line: the minor part grows with additions, the major with breaks.
pub const FORMAT: &str = "1.0";

/// The folder, seen from the repository.
pub const FOLDER: &str = "audit";

/// How git merges and keeps the files: both sides' lines stay.
const ATTRIBUTES: &str = "*.jsonl merge=union text eol=lf\n";

/// One run that wrote, or may have written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// [`FORMAT`].
    pub format: String,
    /// When it began, RFC 3339 in UTC.
    pub at: String,
    /// What was called: `apply`, `redeploy`, `rollback`.
    pub verb: String,
    /// The name it left on targets.
    pub apply: String,
    /// The name git knows the person by, or the one the machine does.
    pub by: String,
    /// User and machine: `ada@laptop`.
    pub from: String,
    /// The commit that was checked out; none outside a git repository.
    pub commit: Option<String>,
    /// Files differed from that commit.
    pub dirty: bool,
    /// The version of rocade.
    pub rocade: String,
    /// The checksum of the plan carried out; none where there was no plan.
    pub plan: Option<String>,
    /// Changes by what they are: `create`, `update`, `delete`, `wake`.
    pub counts: BTreeMap<String, usize>,
    /// The targets written, `gateway pool-gw`.
    pub targets: BTreeMap<String, Part>,
    /// How it ended, in a word or two.
    pub result: String,
    /// The exit code.
    pub exit: u8,
}

/// What became of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Changes that were to be made.
    pub changes: usize,
    /// Those that were confirmed.
    pub done: usize,
}

impl Part {
    /// Whether all of it was done.
    pub fn is_whole(self) -> bool {
        self.done == self.changes
    }
}

/// What is there, and what of it no line could be made of.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// Lines that cannot be read, as `audit/2026-03.jsonl:7`.
    pub damaged: Vec<String>,
}

impl Audit {
    /// The last entry that wrote a target.
    pub fn last_of(&self, target: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.targets.contains_key(target))
    }
}

fn folder(root: &Path) -> PathBuf {
    root.join(FOLDER)
}

/// Appends one entry.
///
/// # Errors
/// When it cannot be written; what was there before stays.
pub fn append(root: &Path, entry: &Entry) -> anyhow::Result<()> {
    let folder = folder(root);
    let attributes = folder.join(".gitattributes");
    if !attributes.exists() {
        super::replace(&attributes, ATTRIBUTES.as_bytes())?;
    }
    let month = entry.at.get(..7).filter(|month| month.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
    let path = folder.join(format!("{}.jsonl", month.unwrap_or("undated")));
    let line = serde_json::to_string(entry).context("writing the entry as JSON")?;
    append_line(&path, &line).with_context(|| format!("writing {}", path.display()))
}

fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).read(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    // A line that was cut by a death is ended: the next one does not go on in it.
    let before = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{before}{line}\n").as_bytes())?;
    file.sync_data()
}

/// Reads all of it. A merge may have turned lines around: they are put in the order of their time.
///
/// # Errors
/// When the folder or a file is there and cannot be read.
pub fn read(root: &Path) -> anyhow::Result<Audit> {
    let folder = folder(root);
    let files = match fs::read_dir(&folder) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Audit::default()),
        other => other.with_context(|| format!("reading {}", folder.display()))?,
    };
    let mut names: Vec<PathBuf> = files
        .map(|file| file.map(|file| file.path()))
        .collect::<io::Result<_>>()
        .context("reading audit/")?;
    names.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    names.sort();
    let mut audit = Audit::default();
    for path in names {
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            match serde_json::from_str::<Entry>(line) {
                Ok(entry) => audit.entries.push(entry),
                Err(_) if line.trim().is_empty() => {}
                Err(_) => audit.damaged.push(format!("{FOLDER}/{name}:{}", number + 1)),
            }
        }
    }
    audit.entries.sort_by(|a, b| (&a.at, &a.apply).cmp(&(&b.at, &b.apply)));
    audit.entries.dedup();
    Ok(audit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: &str, target: &str) -> Entry {
        Entry {
            format: FORMAT.into(),
            at: at.into(),
            verb: "apply".into(),
            apply: format!("rocade-{at}"),
            by: "Ada".into(),
            from: "ada@laptop".into(),
            commit: Some("1".repeat(40)),
            dirty: false,
            rocade: "0.1.0".into(),
            plan: Some("00".into()),
            counts: BTreeMap::from([("create".into(), 2)]),
            targets: BTreeMap::from([(target.into(), Part { changes: 2, done: 2 })]),
            result: "done".into(),
            exit: 0,
        }
    }

    #[test]
    fn lines_come_back_in_the_order_of_their_time_whatever_a_merge_or_a_death_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(read(root).unwrap().entries.is_empty());
        let [first, second, third] = [
            entry("2026-03-01T10:00:00Z", "broker main"),
            entry("2026-03-01T11:00:00Z", "gateway pool-gw"),
            entry("2026-04-01T10:00:00Z", "broker main"),
        ];
        for one in [&second, &first, &third, &first] {
            append(root, one).unwrap();
        }
        let march = root.join("audit/2026-03.jsonl");
        let cut = [fs::read(&march).unwrap(), b"{\"format\": \"1.".to_vec()].concat();
        fs::write(&march, cut).unwrap();
        let fourth = entry("2026-03-02T10:00:00Z", "broker main");
        append(root, &fourth).unwrap();
        let audit = read(root).unwrap();
        assert_eq!(audit.entries, [first, second.clone(), fourth, third.clone()]);
        assert_eq!(audit.damaged, ["audit/2026-03.jsonl:4"]);
        assert_eq!(audit.last_of("broker main"), Some(&third));
        assert_eq!(audit.last_of("gateway pool-gw"), Some(&second));
        assert!(audit.last_of("gateway other").is_none());
        assert!(fs::read_to_string(root.join("audit/.gitattributes")).unwrap().contains("merge=union"));
    }
}
