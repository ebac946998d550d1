//! Two versions of a file of secrets become one, by name and by value. The same value encrypted twice is no
//! conflict; two different values are, and both stay in the file, encrypted.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::file::{self, Entry};
use super::{Store, shown};

/// What a merge gave.
#[derive(Debug, Default)]
pub struct Merged {
    /// The text; with marks of a conflict around each name that has one.
    pub text: String,
    /// The names that were set differently on both sides.
    pub conflicts: Vec<String>,
    /// What somebody should know.
    pub notes: Vec<String>,
}

/// One version by name.
type Side = BTreeMap<String, String>;

/// What becomes of one name.
enum Choice {
    Keep(Option<String>),
    Conflict,
}

impl Store {
    /// Merges what two sides made of a file.
    ///
    /// # Errors
    /// When one of the three is no file of secrets.
    pub fn merged(&self, base: &str, ours: &str, theirs: &str) -> anyhow::Result<Merged> {
        if [ours, theirs].iter().any(|text| text.trim_start().starts_with(shown::ARMOR)) {
            return Ok(self.merged_keys(base, ours, theirs));
        }
        let [base_side, our_side, their_side] =
            [side("the common version", base)?, side("ours", ours)?, side("theirs", theirs)?];
        let (mut text, mut notes) = start(base, ours, theirs);
        let names: BTreeSet<&String> =
            base_side.keys().chain(our_side.keys()).chain(their_side.keys()).collect();
        let mut conflicts = Vec::new();
        for name in names {
            let [b, o, t] = [&base_side, &our_side, &their_side].map(|side| side.get(name));
            let choice = match self.choose(name, b, o, t) {
                Choice::Keep(choice) => choice,
                Choice::Conflict => {
                    conflicts.push(name.clone());
                    o.or(t).cloned()
                }
            };
            text = match choice {
                Some(sealed) => file::with(&text, name, &sealed),
                None => file::without(&text, name),
            }
            .map_err(|bad| file::refused("the merged file", &bad))?;
        }
        if self.readers_differ(&text) {
            notes.push(
                "its values are not all encrypted to the same people: run `rocade secrets rekey`".into(),
            );
        }
        let text = marked(&text, &conflicts, &our_side, &their_side)?;
        Ok(Merged { text, conflicts, notes })
    }

    fn choose(
        &self,
        name: &str,
        base: Option<&String>,
        ours: Option<&String>,
        theirs: Option<&String>,
    ) -> Choice {
        if self.same(name, ours, theirs) {
            // Encrypted anew on one side only: that side's is newer.
            let newer = if ours == base { theirs } else { ours };
            Choice::Keep(newer.cloned())
        } else if self.same(name, ours, base) {
            Choice::Keep(theirs.cloned())
        } else if self.same(name, theirs, base) {
            Choice::Keep(ours.cloned())
        } else {
            Choice::Conflict
        }
    }

    /// Whether two ciphertexts hold one value; without an identity, whether they are one.
    fn same(&self, name: &str, one: Option<&String>, other: Option<&String>) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) if one == other => true,
            (Some(one), Some(other)) => {
                let open = |base64: &String| self.open_any(name, &STANDARD.decode(base64).ok()?).ok();
                match (open(one), open(other)) {
                    (Some((first, one)), Some((second, other))) => {
                        first == second && one.secret.reveal() == other.secret.reveal()
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn readers_differ(&self, text: &str) -> bool {
        let entries = file::parse(text).unwrap_or_default();
        let readers = entries.iter().filter_map(|entry| {
            let (_, opened) = self.open_any(&entry.path, &STANDARD.decode(&entry.sealed).ok()?).ok()?;
            Some(opened.recipients.into_iter().collect::<BTreeSet<_>>())
        });
        readers.collect::<BTreeSet<_>>().len() > 1
    }

    /// A key's file holds one value: the one that was changed, or ours and a conflict.
    fn merged_keys(&self, base: &str, ours: &str, theirs: &str) -> Merged {
        let open = |text: &str| self.open_any("key", text.as_bytes()).ok();
        let same = |one: &str, other: &str| {
            one == other
                || match (open(one), open(other)) {
                    (Some((_, one)), Some((_, other))) => one.secret.reveal() == other.secret.reveal(),
                    _ => false,
                }
        };
        let theirs_alone = (same(ours, theirs) && ours == base) || (!same(ours, theirs) && same(ours, base));
        let text = if theirs_alone { theirs } else { ours }.to_owned();
        let is_conflict = !same(ours, theirs) && !same(ours, base) && !same(theirs, base);
        let name = open(ours).map_or_else(|| "the key".to_owned(), |(name, _)| name);
        let conflicts = if is_conflict { vec![name] } else { Vec::new() };
        Merged { text, conflicts, notes: Vec::new() }
    }
}

fn side(which: &str, text: &str) -> anyhow::Result<Side> {
    let entries = file::parse(text).map_err(|bad| file::refused(which, &bad))?;
    Ok(entries.into_iter().map(|entry: Entry| (entry.path, entry.sealed)).collect())
}

/// The text that values are put into: the side that changed the comments.
fn start(base: &str, ours: &str, theirs: &str) -> (String, Vec<String>) {
    let [b, o, t] = [base, ours, theirs].map(comments);
    if o == b && t != b {
        return (theirs.to_owned(), Vec::new());
    }
    let both = o != b && t != b && o != t;
    let note = "the comments were changed on both sides; ours were kept".to_owned();
    (ours.to_owned(), if both { vec![note] } else { Vec::new() })
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

/// The text with both sides' lines, marked as git marks them, for each name in conflict.
fn marked(text: &str, conflicts: &[String], ours: &Side, theirs: &Side) -> anyhow::Result<String> {
    let entries = file::parse(text).map_err(|bad| file::refused("the merged file", &bad))?;
    let mut out = String::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let entry = entries.iter().find(|entry| entry.line == index + 1 && conflicts.contains(&entry.path));
        let Some(entry) = entry else {
            out.push_str(line);
            continue;
        };
        let of = |side: &Side| {
            let sealed = side.get(&entry.path);
            sealed.map_or_else(String::new, |sealed| format!("{}\n", file::line(&entry.path, sealed)))
        };
        out.push_str(&format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", of(ours), of(theirs)));
    }
    Ok(out)
}
