//! The journal of applies: what is about to be done, then how it ended, each on disk before the next is begun.
//! It decides nothing, since the targets are read again anyway; it tells the next run, and people, what became
//! of one that died.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use serde_json::{Value as Json, json};

use crate::model::{Change, Plan, Step, Target};
use crate::repository::Commit;

/// A journal longer than this is put aside, and a new one begun.
const MAX_BYTES: u64 = 1 << 20;

/// The journal of one apply, being written.
pub struct Journal {
    file: Mutex<File>,
    apply: String,
}

/// An apply that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its name.
    pub apply: String,
    /// Who ran it: `ada@laptop`.
    pub by: String,
    /// The commit it was made of; none outside git.
    pub commit: Option<Commit>,
    /// The checksum of its plan.
    pub plan: String,
    /// The targets it was writing: changes confirmed, changes in all.
    pub targets: BTreeMap<String, (usize, usize)>,
}

fn path(root: &Path) -> PathBuf {
    root.join(".rocade").join("journal.jsonl")
}

impl Journal {
    /// Opens the journal for an apply and writes what is to be done.
    ///
    /// # Errors
    /// When it cannot be written: then nothing must be done either.
    pub fn begin(
        root: &Path,
        apply: &str,
        by: &str,
        commit: Option<&Commit>,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let path = path(root);
        let journal = open(&path).with_context(|| format!("writing {}", path.display()))?;
        let journal = Self { file: Mutex::new(journal), apply: apply.to_owned() };
        let dirty = commit.is_some_and(|commit| commit.dirty);
        journal.note(json!({
            "event": "begin", "by": by, "commit": commit.map(|commit| &commit.id), "dirty": dirty,
            "plan": plan.checksum, "changes": plan.changes.len(),
        }))?;
        Ok(journal)
    }

    /// A target is about to be written.
    ///
    /// # Errors
    /// When it cannot be written down: then it must not be done.
    pub fn intent(&self, target: &Target, changes: &[Change]) -> anyhow::Result<()> {
        let changes: Vec<String> = changes.iter().map(|change| change.address.key.to_string()).collect();
        self.note(json!({"event": "intent", "target": target.to_string(), "changes": changes}))
    }

    /// A change ended. A journal that cannot be written any more must not stop what is under way.
    pub fn result(&self, step: &Step) {
        let Ok(mut entry) = serde_json::to_value(&step.outcome) else { return };
        entry["event"] = "result".into();
        entry["target"] = step.address.target.to_string().into();
        entry["change"] = step.address.key.to_string().into();
        if let Err(fault) = self.note(entry) {
            tracing::warn!(%fault, "the journal cannot be written");
        }
    }

    /// The apply came to its end, good or bad.
    pub fn end(&self) {
        if let Err(fault) = self.note(json!({"event": "end"})) {
            tracing::warn!(%fault, "the journal cannot be written");
        }
    }

    fn note(&self, mut entry: Json) -> anyhow::Result<()> {
        entry["apply"] = self.apply.as_str().into();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{entry}\n").as_bytes()).context("writing the journal")?;
        file.sync_data().context("writing the journal")
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    if fs::metadata(path).is_ok_and(|facts| facts.len() > MAX_BYTES) {
        fs::rename(path, path.with_extension("old.jsonl"))?;
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).append(true).read(true).open(path)?;
    // The last line was cut by a death: the next one does not go on in it.
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// The last apply of this copy of the repository, when it did not come to its end.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn unfinished(root: &Path) -> anyhow::Result<Option<Unfinished>> {
    let path = path(root);
    let bytes = match fs::read(&path) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("reading {}", path.display()))?,
    };
    // What a power cut left in it must not hold up anything.
    let text = String::from_utf8_lossy(&bytes);
    let mut last: Option<Unfinished> = None;
    // The last line may be cut: it was being written.
    for entry in text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()) {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        match (word("event").as_str(), &mut last) {
            ("begin", last) => {
                *last = Some(Unfinished {
                    apply: word("apply"),
                    // Before it had the commit by itself, more words stood behind the name.
                    by: word("by").split(", ").next().unwrap_or_default().to_owned(),
                    commit: entry["commit"].as_str().map(|id| Commit {
                        id: id.to_owned(),
                        dirty: entry["dirty"].as_bool().unwrap_or(true),
                    }),
                    plan: word("plan"),
                    targets: BTreeMap::new(),
                });
            }
            ("end", last) => *last = None,
            ("intent", Some(last)) => {
                let changes = entry["changes"].as_array().map_or(0, Vec::len);
                last.targets.insert(word("target"), (0, changes));
            }
            ("result", Some(last)) if word("outcome") == "done" => {
                last.targets.entry(word("target")).or_default().0 += 1;
            }
            _ => {}
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, Address, Impact, Key, Outcome};

    #[test]
    fn what_did_not_come_to_its_end_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(unfinished(root).unwrap(), None);
        let plan = crate::plan::make(&[]);
        let journal = Journal::begin(root, "rocade-1", "ada@laptop", None, &plan).unwrap();
        let target = Target::new("gateway", "pool-gw");
        let address = Address { target: target.clone(), key: Key::new("file", "/etc/x") };
        let change = Change {
            address: address.clone(),
            action: Action::Create,
            before: None,
            after: None,
            impact: Impact::None,
            because: Vec::new(),
            summary: String::new(),
        };
        journal.intent(&target, &[change.clone(), change]).unwrap();
        journal.result(&Step { address, outcome: Outcome::Done });
        let told = unfinished(root).unwrap().unwrap();
        assert_eq!((told.apply.as_str(), told.by.as_str()), ("rocade-1", "ada@laptop"));
        assert_eq!(told.targets, BTreeMap::from([("gateway pool-gw".to_owned(), (1, 2))]));
        // A line that was cut while it was written hides none before it.
        let cut = [fs::read(path(root)).unwrap(), b"{\"event\":\"en\xff".to_vec()].concat();
        fs::write(path(root), &cut).unwrap();
        assert!(unfinished(root).unwrap().is_some());
        // Nor the one behind it.
        let _died = Journal::begin(root, "rocade-1b", "bob@laptop", None, &plan).unwrap();
        assert_eq!(unfinished(root).unwrap().unwrap().by, "bob@laptop");
        journal.end();
        let journal = Journal::begin(root, "rocade-2", "ada@laptop", None, &plan).unwrap();
        journal.end();
        assert_eq!(unfinished(root).unwrap(), None);
    }
}
