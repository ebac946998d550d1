//! The secrets of one repository. Opening it reads names and ciphertexts; identities are read at the first
//! `get`, and encrypting needs none.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::envelope::{self, Opened};
use super::identity::Identities;
use super::{FOLDER, Fault, IdentitySource, Known, Recipient, file, is_path, keys, recipients, tree};
use crate::model::Secret;
use crate::repository;

/// Where a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the repository, with `/` between its parts.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One value, still encrypted.
struct Sealed {
    place: Place,
    base64: String,
}

type Entries = BTreeMap<String, Sealed>;

/// The secrets of a repository. Shared between threads; what one puts the others get.
pub struct Store {
    pub(super) root: PathBuf,
    source: IdentitySource,
    identities: OnceLock<Identities>,
    entries: RwLock<Entries>,
}

impl Store {
    /// Reads the names and ciphertexts of a repository. Needs no identity.
    ///
    /// # Errors
    /// When a file cannot be read, a line is no encrypted value, or a name stands in two places.
    pub fn open(root: &Path, source: IdentitySource) -> anyhow::Result<Self> {
        let (identities, entries) = (OnceLock::new(), RwLock::new(read_all(root)?));
        Ok(Self { root: root.to_owned(), source, identities, entries })
    }

    /// The same without its files: to show and merge others, also while one of them is damaged.
    pub fn without_files(root: &Path, source: IdentitySource) -> Self {
        let (identities, entries) = (OnceLock::new(), RwLock::new(Entries::new()));
        Self { root: root.to_owned(), source, identities, entries }
    }

    /// Every value and key that opens, to be looked for where it does not belong.
    ///
    /// # Errors
    /// When there is no identity, or a key file cannot be read.
    pub fn known(&self) -> anyhow::Result<Known> {
        self.identities()?;
        let mut known = Known::default();
        for path in self.paths() {
            if let Ok(value) = self.get(&path) {
                known.add(&path, value.reveal());
            }
        }
        for key in keys::read(&self.root)? {
            if let Ok(opened) = self.open_sealed(&key.name, key.sealed.as_bytes()) {
                known.add(&key.name, opened.secret.reveal());
            }
        }
        Ok(known)
    }

    /// Opens a secret. Its source is its name, `@`, and 12 hex digits of its ciphertext's SHA-256.
    ///
    /// # Errors
    /// When it is missing, damaged, bound to another name, or no identity opens it ([`Fault`]).
    pub fn get(&self, path: &str) -> anyhow::Result<Secret> {
        Ok(self.opened(path)?.secret)
    }

    /// Whether a secret is there with this value.
    ///
    /// # Errors
    /// As [`Store::get`], but when it is missing.
    pub fn holds(&self, path: &str, value: &[u8]) -> anyhow::Result<bool> {
        Ok(self.has(path) && self.get(path)?.reveal() == value)
    }

    /// Whether there is a secret of this name; says nothing of whether it opens.
    pub fn has(&self, path: &str) -> bool {
        self.entries().contains_key(path)
    }

    /// All names, sorted.
    pub fn paths(&self) -> Vec<String> {
        self.entries().keys().cloned().collect()
    }

    /// Where a secret is written.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.entries().get(path).map(|sealed| sealed.place.clone())
    }

    /// Encrypts a secret to all recipients and writes it: in the line where it stands, or in the file named
    /// after its first segment. All other lines stay as they are, byte for byte.
    ///
    /// # Errors
    /// When the name is none, there is no recipient, or the file cannot be read or written.
    pub fn put(&self, path: &str, value: &[u8]) -> anyhow::Result<()> {
        if !is_path(path) {
            return Err(Fault::BadPath.into());
        }
        let base64 = STANDARD.encode(envelope::seal(path, value, &self.recipients()?)?);
        self.edit(path, |text| file::with(text, path, &base64))
    }

    /// The same for many, each file written once.
    ///
    /// # Errors
    /// As [`Store::put`]; files before the faulty one are written.
    pub fn put_all(&self, values: &[(String, Secret)]) -> anyhow::Result<()> {
        if values.iter().any(|(path, _)| !is_path(path)) {
            return Err(Fault::BadPath.into());
        }
        let recipients = self.recipients()?;
        let mut by_file: BTreeMap<String, Vec<(&str, String)>> = BTreeMap::new();
        for (path, value) in values {
            let sealed = STANDARD.encode(envelope::seal(path, value.reveal(), &recipients)?);
            let file = file_of(&self.entries(), path);
            by_file.entry(file).or_default().push((path, sealed));
        }
        for (name, values) in by_file {
            let mut entries = self.entries_to_change();
            edit_file(&self.root, &mut entries, &name, |text| {
                let with = |text: String, (path, sealed): &(&str, String)| file::with(&text, path, sealed);
                values.iter().try_fold(text.to_owned(), with)
            })?;
        }
        Ok(())
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// When there is none, or its file cannot be read or written.
    pub fn remove(&self, path: &str) -> anyhow::Result<()> {
        if !self.has(path) {
            return Err(Fault::Missing(path.to_owned()).into());
        }
        self.edit(path, |text| file::without(text, path))
    }

    /// Those who can open what is encrypted from now on.
    ///
    /// # Errors
    /// When `recipients.txt` is damaged.
    pub fn recipients(&self) -> anyhow::Result<Vec<Recipient>> {
        recipients(&self.root)
    }

    /// Encrypts a file's bytes to all recipients, bound to `name`, in age's text form.
    ///
    /// # Errors
    /// When there is no recipient.
    pub fn seal(&self, name: &str, value: &[u8]) -> anyhow::Result<String> {
        envelope::armor(&envelope::seal(name, value, &self.recipients()?)?)
    }

    /// Opens what [`Store::seal`] made under the same name.
    ///
    /// # Errors
    /// When it is damaged, bound to another name, or no identity opens it ([`Fault`]).
    pub fn unseal(&self, name: &str, sealed: &str) -> anyhow::Result<Secret> {
        Ok(self.open_sealed(name, sealed.as_bytes())?.secret)
    }

    /// Opens what the `age` program encrypted, binary or in text form.
    ///
    /// # Errors
    /// When it is no age file, or no identity opens it ([`Fault`]).
    pub fn open_bare(&self, sealed: &[u8]) -> anyhow::Result<Secret> {
        let identities = self.identities()?;
        Ok(envelope::open_bare(sealed, &identities.keys, &identities.place)?)
    }

    /// Writes several values of one file at once: `None` takes a value out, a value that is what it was keeps
    /// its ciphertext. Gives the names that changed.
    ///
    /// # Errors
    /// When a name is none or stands in another file, there is no recipient, or the file cannot be written.
    pub fn change(
        &self,
        file: &str,
        values: &BTreeMap<String, Option<Secret>>,
    ) -> anyhow::Result<Vec<String>> {
        let recipients = self.recipients()?;
        let place = self.root.join(file);
        let before = repository::read(&place)?.unwrap_or_default();
        let (mut text, mut changed) = (before.clone(), Vec::new());
        for (path, value) in values {
            if self.place(path).is_some_and(|place| *place.file != *file) {
                bail!("`{path}` stands in another file than {file}");
            }
            text = match value {
                None if self.has(path) => file::without(&text, path),
                None => continue,
                Some(value) if self.has(path) && self.get(path)?.reveal() == value.reveal() => continue,
                Some(_) if !is_path(path) => return Err(Fault::BadPath.into()),
                Some(value) => {
                    let sealed = envelope::seal(path, value.reveal(), &recipients)?;
                    file::with(&text, path, &STANDARD.encode(sealed))
                }
            }
            .map_err(|bad| file::refused(file, &bad))?;
            changed.push(path.clone());
        }
        if !changed.is_empty() {
            repository::replace(&place, text.as_bytes())?;
            self.reread()?;
        }
        Ok(changed)
    }

    /// The files that hold values, relative to the repository.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> =
            self.entries().values().map(|sealed| sealed.place.file.to_string()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// The names and lines of one file's values, in its order.
    pub fn paths_in(&self, file: &str) -> Vec<String> {
        let entries = self.entries();
        let own = entries.iter().filter(|(_, sealed)| *sealed.place.file == *file);
        let mut own: Vec<(usize, &String)> = own.map(|(path, sealed)| (sealed.place.line, path)).collect();
        own.sort_unstable();
        own.into_iter().map(|(_, path)| path.clone()).collect()
    }

    /// Reads the files again after this process wrote them.
    pub(super) fn reread(&self) -> anyhow::Result<()> {
        let fresh = read_all(&self.root)?;
        *self.entries_to_change() = fresh;
        Ok(())
    }

    /// Opens a value with its envelope.
    pub(super) fn opened(&self, path: &str) -> anyhow::Result<Opened> {
        self.open_sealed(path, &self.ciphertext(path)?)
    }

    /// Reads the identities when that was not done yet.
    pub(super) fn identities(&self) -> anyhow::Result<&Identities> {
        if let Some(identities) = self.identities.get() {
            return Ok(identities);
        }
        let loaded = Identities::load(&self.source, &self.root)?;
        Ok(self.identities.get_or_init(|| loaded))
    }

    /// Opens a value of whatever name; gives the name. `shown` names it in a fault.
    pub(super) fn open_any(&self, shown: &str, sealed: &[u8]) -> anyhow::Result<(String, Opened)> {
        let identities = self.identities()?;
        Ok(envelope::open_any(shown, sealed, &identities.keys, &identities.place)?)
    }

    pub(super) fn open_sealed(&self, name: &str, sealed: &[u8]) -> anyhow::Result<Opened> {
        let identities = self.identities()?;
        Ok(envelope::open(name, sealed, &identities.keys, &identities.place)?)
    }

    pub(super) fn ciphertext(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let entries = self.entries();
        let sealed = entries.get(path).ok_or_else(|| Fault::Missing(path.to_owned()))?;
        STANDARD
            .decode(&sealed.base64)
            .map_err(|_| Fault::Damaged { name: path.to_owned(), how: "it is not base64" })
            .with_context(|| sealed.place.to_string())
    }

    /// Changes one file, from what is on disk now, and reads it again.
    fn edit(&self, path: &str, change: impl Fn(&str) -> Result<String, file::BadLine>) -> anyhow::Result<()> {
        let mut entries = self.entries_to_change();
        let name = file_of(&entries, path);
        edit_file(&self.root, &mut entries, &name, change)
    }

    // A thread that panicked while it held the lock left whole entries: they change by whole files.
    fn entries(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries_to_change(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file a value stands in, or belongs in.
fn file_of(entries: &Entries, path: &str) -> String {
    match entries.get(path) {
        Some(sealed) => sealed.place.file.to_string(),
        None => format!("{FOLDER}/{}.yaml", path.split('/').next().unwrap_or(path)),
    }
}

fn edit_file(
    root: &Path,
    entries: &mut Entries,
    name: &str,
    change: impl Fn(&str) -> Result<String, file::BadLine>,
) -> anyhow::Result<()> {
    let place = root.join(name);
    let text = repository::read(&place)?.unwrap_or_default();
    let changed = change(&text).map_err(|bad| file::refused(name, &bad))?;
    repository::replace(&place, changed.as_bytes())?;
    entries.retain(|_, sealed| *sealed.place.file != *name);
    insert_file(entries, name, &changed)
}

fn read_all(root: &Path) -> anyhow::Result<Entries> {
    let mut files = tree::files(root, FOLDER, |name| name.ends_with(".yaml") || name.ends_with(".yml"))?;
    files.sort();
    let mut entries = Entries::new();
    for name in files {
        let text = repository::read(&root.join(&name))?.unwrap_or_default();
        insert_file(&mut entries, &name, &text)?;
    }
    Ok(entries)
}

fn insert_file(entries: &mut Entries, name: &str, text: &str) -> anyhow::Result<()> {
    let file: Arc<str> = Arc::from(name);
    for entry in file::parse(text).map_err(|bad| file::refused(name, &bad))? {
        let place = Place { file: Arc::clone(&file), line: entry.line };
        if let Some(first) = entries.get(&entry.path) {
            bail!("`{}` stands in two places: {} and {place}", entry.path, first.place);
        }
        entries.insert(entry.path, Sealed { place, base64: entry.sealed });
    }
    Ok(())
}
