//! Who can open the secrets changes: everything is encrypted anew in memory first, then written file by file,
//! each whole. What it does follows from what the files say, so a run that was killed is finished by the next.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::envelope::{self, Opened};
use super::recipients::{self, Recipients};
use super::{FOLDER, Fault, Ledger, Recipient, Store, file, keys, ledger};
use crate::repository;

/// Who comes and who goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turnover<'a> {
    /// A recipient to add, and whose it is.
    pub add: Option<(&'a str, Option<&'a str>)>,
    /// The name or recipient of one to remove.
    pub remove: Option<&'a str>,
}

/// What a rekey would write.
pub struct Rekeying {
    /// Who was added.
    pub added: Option<Recipient>,
    /// Who can open something now and will not afterwards.
    pub leavers: Vec<Leaver>,
    /// What is encrypted anew, by name.
    pub renewed: Vec<String>,
    writes: Vec<Write>,
}

/// One who can no longer open what is encrypted.
#[derive(Clone, Debug)]
pub struct Leaver {
    /// The public key.
    pub key: String,
    /// The name with the beginning of the key, or the key alone.
    pub shown: String,
}

/// A version of a file of secrets or of a key, from the history of the repository.
pub struct Past {
    /// The file, relative to the repository.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// How a secret stands that somebody who left could open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// They know the present value: it must be changed.
    Known,
    /// Whether they could open it cannot be told: it must be changed.
    Unknown,
    /// They knew a value it no longer has.
    Changed,
    /// They knew a value of what is in no file any more: no device should still take it.
    Gone,
}

impl Standing {
    /// Whether it must be changed.
    pub fn is_known(self) -> bool {
        matches!(self, Standing::Known | Standing::Unknown)
    }
}

struct Write {
    file: String,
    before: Option<String>,
    after: String,
}

impl Store {
    /// Works out a rekey; writes nothing. Everything that is not encrypted to exactly the recipients there will
    /// be is opened and encrypted to them.
    ///
    /// # Errors
    /// When anything does not open, nobody is called so, or the policy does not hold afterwards.
    pub fn rekeying(&self, turnover: Turnover) -> anyhow::Result<Rekeying> {
        let before = Recipients::read(&self.root)?;
        let mut after = Recipients::read(&self.root)?;
        let mut gone = None;
        if let Some(who) = turnover.remove {
            match after.without(who)? {
                Some((without, recipient)) => (after, gone) = (without, Some(recipient)),
                None if self.has_left(who)? => {}
                None => bail!("nobody in {FOLDER}/{} is called `{who}`", recipients::FILE),
            }
        }
        let mut added = None;
        if let Some((key, name)) = turnover.add {
            after = after.with(key, name)?;
            added = after.list.last().cloned();
        }
        after.hold_policy()?;
        let own = self.identities()?.keys.iter().map(|key| key.to_public().to_string());
        if gone.is_some() && !own.into_iter().any(|own| after.list.iter().any(|one| one.key() == own)) {
            bail!("you would lock yourself out: none of your identities is among those who stay");
        }
        let mut sealing = Sealing {
            store: self,
            to: &after.list,
            renewed: Vec::new(),
            met: BTreeSet::new(),
            faults: Vec::new(),
        };
        let mut writes = vec![Write {
            file: format!("{FOLDER}/{}", recipients::FILE),
            before: Some(before.text().to_owned()).filter(|text| !text.is_empty()),
            after: after.text().to_owned(),
        }];
        sealing.files(&mut writes)?;
        sealing.keys(&mut writes)?;
        let Sealing { renewed, mut met, faults, .. } = sealing;
        refuse(faults)?;
        writes.retain(|write| write.before.as_ref() != Some(&write.after));
        met.extend(gone.iter().map(Recipient::key));
        let leavers = met.into_iter().filter(|key| after.list.iter().all(|one| one.key() != *key));
        let leaver = |key: String| {
            let named = before.list.iter().find(|one| one.key() == key).map(Recipient::shown);
            Leaver { shown: named.unwrap_or_else(|| key.clone()), key }
        };
        Ok(Rekeying { added, leavers: leavers.map(leaver).collect(), renewed, writes })
    }

    /// Whether the ledger of what is to be changed names somebody as one who left.
    fn has_left(&self, who: &str) -> anyhow::Result<bool> {
        let named = [format!("seen by {who} ("), format!("seen by {who},")];
        let short = who.starts_with("age1").then(|| format!("({})", who.get(..12).unwrap_or(who)));
        let items = Ledger::read(&self.root)?.items;
        Ok(items.iter().any(|item| {
            named.iter().any(|name| item.note.starts_with(name))
                || short.as_ref().is_some_and(|key| item.note.contains(key))
        }))
    }

    /// What somebody could open, now and in past versions of the files, by name.
    ///
    /// # Errors
    /// When there is no identity, or something present does not open.
    pub fn seen_by(&self, key: &str, past: &[Past]) -> anyhow::Result<BTreeMap<String, Standing>> {
        // While an authority takes over from another, a key of each has the same name.
        let mut present: BTreeMap<String, Vec<Opened>> = BTreeMap::new();
        for path in self.paths() {
            let opened = self.opened(&path)?;
            present.entry(path).or_default().push(opened);
        }
        for file in keys::read(&self.root)? {
            let opened = self.open_sealed(&file.name, file.sealed.as_bytes())?;
            present.entry(file.name).or_default().push(opened);
        }
        let reads = |opened: &Opened| opened.recipients.iter().any(|one| one == key);
        let known = present.iter().filter(|(_, opened)| opened.iter().any(reads));
        let mut seen: BTreeMap<String, Standing> =
            known.map(|(name, _)| (name.clone(), Standing::Known)).collect();
        let mut looked_into = HashSet::new();
        for (name, sealed) in past.iter().flat_map(Past::values) {
            if !looked_into.insert(sealed.clone()) {
                continue;
            }
            let standing = match (self.open_any(&name, &sealed), present.get(&name)) {
                (Ok((_, opened)), _) if !reads(&opened) => continue,
                (Ok(_), None) => Standing::Gone,
                (Ok((_, opened)), Some(now))
                    if now.iter().any(|now| opened.secret.reveal() == now.secret.reveal()) =>
                {
                    Standing::Known
                }
                (Ok(_), Some(_)) => Standing::Changed,
                (Err(_), Some(_)) => Standing::Unknown,
                (Err(_), None) => Standing::Gone,
            };
            // The graver one stays.
            let worst = seen.entry(name).or_insert(standing);
            *worst = standing.min(*worst);
        }
        Ok(seen)
    }

    /// Writes what was worked out. The ledger is first, then the recipients, so that whatever is encrypted in
    /// between goes to the right ones; a run killed in between is finished by any later one.
    ///
    /// # Errors
    /// When a file changed since it was worked out, or cannot be written.
    pub fn carry_out(&self, rekeying: &Rekeying) -> anyhow::Result<()> {
        for write in &rekeying.writes {
            if repository::read(&self.root.join(&write.file))? != write.before {
                bail!("{} was changed by somebody else meanwhile; run it again", write.file);
            }
        }
        for write in &rekeying.writes {
            repository::replace(&self.root.join(&write.file), write.after.as_bytes())?;
        }
        self.reread()
    }

    /// Encrypts again every secret and key that is not encrypted to exactly the present recipients. Gives their
    /// names. One who lost access may have kept the values: they are changed by setting them, not by this.
    ///
    /// # Errors
    /// As [`Store::rekeying`] and [`Store::carry_out`].
    pub fn rekey(&self) -> anyhow::Result<Vec<String>> {
        let rekeying = self.rekeying(Turnover::default())?;
        self.carry_out(&rekeying)?;
        Ok(rekeying.renewed)
    }
}

impl Rekeying {
    /// Adds to what is written: a line in the ledger for everything that a leaver knows.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub fn note(&mut self, store: &Store, known: &[(&Leaver, Vec<&str>)], date: &str) -> anyhow::Result<()> {
        let before = Ledger::read(&store.root)?;
        let mut after = before.clone();
        for (leaver, names) in known.iter().filter(|(_, names)| !names.is_empty()) {
            after = after.with(names, leaver, date)?;
        }
        if after.text() != before.text() {
            let text = |ledger: &Ledger| ledger.text().to_owned();
            let file = format!("{FOLDER}/{}", ledger::FILE);
            let before = Some(text(&before)).filter(|text| !text.is_empty());
            self.writes.insert(0, Write { file, before, after: text(&after) });
        }
        Ok(())
    }

    /// The files it writes, in the order of writing.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.writes.iter().map(|write| write.file.as_str())
    }
}

impl Past {
    /// The names and ciphertexts of this version; what is no file of ours has none.
    fn values(&self) -> Vec<(String, Vec<u8>)> {
        if let Some(name) = keys::name_of(&self.file) {
            return vec![(name, self.text.clone().into_bytes())];
        }
        let entries = file::parse(&self.text).unwrap_or_default().into_iter();
        entries.filter_map(|entry| Some((entry.path, STANDARD.decode(entry.sealed).ok()?))).collect()
    }
}

/// Everything opened and encrypted to others.
struct Sealing<'a> {
    store: &'a Store,
    to: &'a [Recipient],
    renewed: Vec<String>,
    /// Every recipient an envelope named.
    met: BTreeSet<String>,
    faults: Vec<anyhow::Error>,
}

impl Sealing<'_> {
    fn files(&mut self, writes: &mut Vec<Write>) -> anyhow::Result<()> {
        for file in self.store.files() {
            let before = repository::read(&self.store.root.join(&file))?.unwrap_or_default();
            let mut changed = BTreeMap::new();
            for entry in file::parse(&before).map_err(|bad| file::refused(&file, &bad))? {
                let sealed = STANDARD.decode(&entry.sealed).unwrap_or_default();
                let place = format!("{file}:{}", entry.line);
                if let Some(sealed) = self.again(&entry.path, &sealed, &place)? {
                    changed.insert(entry.path, STANDARD.encode(sealed));
                }
            }
            let after = file::with_all(&before, &changed).map_err(|bad| file::refused(&file, &bad))?;
            writes.push(Write { file, before: Some(before), after });
        }
        Ok(())
    }

    fn keys(&mut self, writes: &mut Vec<Write>) -> anyhow::Result<()> {
        for key in keys::read(&self.store.root)? {
            if let Some(sealed) = self.again(&key.name, key.sealed.as_bytes(), &key.file)? {
                let after = envelope::armor(&sealed)?;
                writes.push(Write { file: key.file, before: Some(key.sealed), after });
            }
        }
        Ok(())
    }

    /// The same value for the recipients there will be; `None` when it is encrypted to them already.
    fn again(&mut self, name: &str, sealed: &[u8], place: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let opened = match self.store.open_sealed(name, sealed) {
            Ok(opened) => opened,
            Err(fault) => {
                self.faults.push(fault.context(place.to_owned()));
                return Ok(None);
            }
        };
        self.met.extend(opened.recipients.iter().cloned());
        let is_whole = envelope::locks(sealed).own == self.to.len();
        if is_whole && envelope::is_current(&opened.recipients, self.to) {
            return Ok(None);
        }
        self.renewed.push(name.to_owned());
        envelope::seal(name, opened.secret.reveal(), self.to).map(Some)
    }
}

/// Everything that did not open, at once.
fn refuse(mut faults: Vec<anyhow::Error>) -> anyhow::Result<()> {
    match faults.len() {
        0 => Ok(()),
        1 => Err(faults.remove(0)).context("nothing was changed"),
        number => {
            let lines: Vec<String> =
                faults.iter().map(|fault| format!("  {fault}: {}", fault.root_cause())).collect();
            let first = faults[0].downcast_ref::<Fault>().cloned();
            let words = format!("{number} values do not open; nothing was changed\n{}", lines.join("\n"));
            Err(match first {
                Some(fault) => anyhow::Error::new(fault).context(words),
                None => anyhow::anyhow!(words),
            })
        }
    }
}
