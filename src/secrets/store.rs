//! The secrets of one repository. Opening it reads names and ciphertexts; identities are read at the first
//! `get`, and encrypting needs none.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::envelope::{self, Opened};
use super::identity::Identities;
use super::{FOLDER, Fault, IdentitySource, Recipient, file, is_path, recipients};
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
    root: PathBuf,
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
        let mut files = Vec::new();
        list(&root.join(FOLDER), FOLDER, &mut files)?;
        files.sort();
        let mut entries = Entries::new();
        for name in files {
            let text = repository::read(&root.join(&name))?.unwrap_or_default();
            insert_file(&mut entries, &name, &text)?;
        }
        let (identities, entries) = (OnceLock::new(), RwLock::new(entries));
        Ok(Self { root: root.to_owned(), source, identities, entries })
    }

    /// Opens a secret. Its source is its name, `@`, and 12 hex digits of its ciphertext's SHA-256.
    ///
    /// # Errors
    /// When it is missing, damaged, bound to another name, or no identity opens it ([`Fault`]).
    pub fn get(&self, path: &str) -> anyhow::Result<Secret> {
        Ok(self.opened(path)?.secret)
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

    /// Encrypts again every secret that is not encrypted to exactly the present recipients. Gives their
    /// names. One who lost access may have kept the values: they are changed by setting them, not by this.
    ///
    /// # Errors
    /// At the first that does not open or cannot be written; those before it are done.
    pub fn rekey(&self) -> anyhow::Result<Vec<String>> {
        let recipients = self.recipients()?;
        let mut done = Vec::new();
        for path in self.paths() {
            let opened = self.opened(&path)?;
            if !envelope::is_current(&opened.recipients, &recipients) {
                self.put(&path, opened.secret.reveal())?;
                done.push(path);
            }
        }
        Ok(done)
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

    /// The same, encrypted to the present recipients, or `None` when it is already.
    ///
    /// # Errors
    /// As [`Store::unseal`] and [`Store::seal`].
    pub fn reseal(&self, name: &str, sealed: &str) -> anyhow::Result<Option<String>> {
        let opened = self.open_sealed(name, sealed.as_bytes())?;
        if envelope::is_current(&opened.recipients, &self.recipients()?) {
            return Ok(None);
        }
        self.seal(name, opened.secret.reveal()).map(Some)
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

    fn open_sealed(&self, name: &str, sealed: &[u8]) -> anyhow::Result<Opened> {
        let identities = self.identities()?;
        Ok(envelope::open(name, sealed, &identities.keys, &identities.place)?)
    }

    fn ciphertext(&self, path: &str) -> anyhow::Result<Vec<u8>> {
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
    let changed = change(&text).map_err(|bad| refused(name, &bad))?;
    repository::replace(&place, changed.as_bytes())?;
    entries.retain(|_, sealed| *sealed.place.file != *name);
    insert_file(entries, name, &changed)
}

fn refused(name: &str, bad: &file::BadLine) -> anyhow::Error {
    anyhow::anyhow!("{name}:{}: {}", bad.line, bad.reason)
}

fn insert_file(entries: &mut Entries, name: &str, text: &str) -> anyhow::Result<()> {
    let file: Arc<str> = Arc::from(name);
    for entry in file::parse(text).map_err(|bad| refused(name, &bad))? {
        let place = Place { file: Arc::clone(&file), line: entry.line };
        if let Some(first) = entries.get(&entry.path) {
            bail!("`{}` stands in two places: {} and {place}", entry.path, first.place);
        }
        entries.insert(entry.path, Sealed { place, base64: entry.sealed });
    }
    Ok(())
}

/// The YAML files below a folder, as names relative to the repository; hidden ones are not ours.
fn list(folder: &Path, name: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    let items = match fs::read_dir(folder) {
        Ok(items) => items,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    for item in items {
        let item = item.with_context(|| format!("reading {}", folder.display()))?;
        let Ok(own) = item.file_name().into_string() else { continue };
        if own.starts_with('.') {
            continue;
        }
        let inner = format!("{name}/{own}");
        if item.file_type()?.is_dir() {
            list(&item.path(), &inner, files)?;
        } else if own.ends_with(".yaml") || own.ends_with(".yml") {
            files.push(inner);
        }
    }
    Ok(())
}
