//! `rotate.txt`: what people who left could open and what is still to be changed, a line a secret, in git.
//! A line is ticked when its value was changed; nothing is taken out.

use std::path::Path;

use anyhow::bail;

use super::{FOLDER, Leaver, is_path};
use crate::repository;

/// The file's name in the folder of secrets.
pub(super) const FILE: &str = "rotate.txt";
const HEADER: &str = "# What people who left could open. `rocade secrets rotate NAME` changes a value and ticks its \
                      line,\n# `rocade secrets rotate NAME --done` ticks it when it was changed by other means.\n\n";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The secret.
    pub name: String,
    /// Whether it was changed since.
    pub done: bool,
    /// Who could open it and when they left; when it was changed.
    pub note: String,
    /// Its line, from 1.
    pub line: usize,
}

/// The file, read.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    text: String,
    /// Its lines, in order.
    pub items: Vec<Item>,
}

impl Ledger {
    /// Reads it; empty when there is none.
    ///
    /// # Errors
    /// When it cannot be read or a line is none.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        Self::parse(repository::read(&root.join(FOLDER).join(FILE))?.unwrap_or_default())
    }

    fn parse(text: String) -> anyhow::Result<Self> {
        let mut items = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let words = line.trim();
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            let done = ["[x] ", "[X] "].iter().find_map(|tick| words.strip_prefix(tick));
            let rest = done.or(words.strip_prefix("[ ] "));
            let item = rest.map(|rest| rest.trim().split_once("  ").unwrap_or((rest.trim(), "")));
            let Some((name, note)) = item.filter(|(name, _)| is_path(name)) else {
                bail!("{FOLDER}/{FILE}:{}: expected `[ ] NAME  ...` or `[x] NAME  ...`", index + 1);
            };
            let (name, note) = (name.to_owned(), note.trim().to_owned());
            items.push(Item { name, done: done.is_some(), note, line: index + 1 });
        }
        Ok(Self { text, items })
    }

    /// What is still to be changed.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.done)
    }

    /// The same with these names, which somebody who left could open. What is there and open is not repeated.
    pub(super) fn with(&self, names: &[&str], who: &Leaver, date: &str) -> anyhow::Result<Self> {
        let mut text = if self.text.is_empty() { HEADER.to_owned() } else { self.text.clone() };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        // Known by their key: the name is gone from `recipients.txt` when a killed run is finished.
        let key = who.key.get(..12).unwrap_or(&who.key);
        for name in names {
            if !self.open().any(|item| item.name == *name && item.note.contains(key)) {
                text.push_str(&format!("[ ] {name}  seen by {}, left {date}\n", who.shown));
            }
        }
        Self::parse(text)
    }

    /// Ticks every open line of a secret in the file. Gives how many.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn tick(root: &Path, name: &str, date: &str) -> anyhow::Result<usize> {
        let ledger = Self::read(root)?;
        let open: Vec<usize> = ledger.open().filter(|item| item.name == name).map(|item| item.line).collect();
        if open.is_empty() {
            return Ok(0);
        }
        let ticked = |(index, line): (usize, &str)| {
            if open.contains(&(index + 1)) {
                format!("{}, changed {date}\n", line.trim_end().replacen("[ ]", "[x]", 1))
            } else {
                line.to_owned()
            }
        };
        let text: String = ledger.text.split_inclusive('\n').enumerate().map(ticked).collect();
        repository::replace(&root.join(FOLDER).join(FILE), text.as_bytes())?;
        Ok(open.len())
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_once_ticked_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let leaver = |key: &str, shown: &str| Leaver { key: key.into(), shown: shown.into() };
        let ben = leaver("age1abcdefghijklm", "ben (age1abcdefgh)");
        let first = Ledger::default().with(&["a/b", "a/c"], &ben, "2026-11-25").unwrap();
        let unnamed = leaver("age1abcdefghijklm", "age1abcdefghijklm");
        assert_eq!(first.with(&["a/b"], &unnamed, "2026-11-26").unwrap().text(), first.text());
        assert_eq!(first.with(&["a/b"], &ben, "2026-11-26").unwrap().text(), first.text());
        repository::replace(&folder.path().join(FOLDER).join(FILE), first.text().as_bytes()).unwrap();
        assert_eq!(Ledger::tick(folder.path(), "a/b", "2026-12-01").unwrap(), 1);
        assert_eq!(Ledger::tick(folder.path(), "a/b", "2026-12-02").unwrap(), 0);
        let ticked = Ledger::read(folder.path()).unwrap();
        assert_eq!(ticked.open().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["a/c"]);
        assert!(
            ticked
                .text()
                .contains("[x] a/b  seen by ben (age1abcdefgh), left 2026-11-25, changed 2026-12-01\n")
        );
        let again = ticked.with(&["a/b"], &leaver("age1cccccccccccc", "cem"), "2027-01-01").unwrap();
        assert_eq!(again.open().count(), 2, "what was changed and seen again is to be changed again");
        assert!(Ledger::parse("[?] a/b\n".into()).is_err());
    }
}
