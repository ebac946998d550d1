//! The files under `pki/`. A certificate and its key are two files; these rules keep them a pair.
//!
//! A new key is first put beside the present one as `NAME.key.age.new`, then the certificate is replaced,
//! then the key is renamed. Stopped anywhere, the certificate that stands has its key in one of the two.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Certificate;
use crate::model::Secret;
use crate::repository;
use crate::secrets::Store;

/// A certificate and its key on disk.
pub(super) struct Slot {
    /// The name its key is bound to, such as `pki/leaves/main.key`.
    key_name: String,
    certificate: PathBuf,
    key: PathBuf,
    next_key: PathBuf,
}

impl Slot {
    /// The root's files.
    pub fn root(repository: &Path) -> Self {
        Self::at(repository, "root")
    }

    /// A leaf's files.
    pub fn leaf(repository: &Path, name: &str) -> anyhow::Result<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        let head = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        // 64 characters are the most a common name holds (RFC 5280, ub-common-name).
        if name.len() > 64 || !name.starts_with(head) || !name.chars().all(allowed) {
            bail!("`{name}` cannot name a leaf: lower-case letters, digits, `.`, `-` and `_` are allowed");
        }
        Ok(Self::at(repository, &format!("leaves/{name}")))
    }

    fn at(repository: &Path, stem: &str) -> Self {
        let file = |end: &str| repository.join("pki").join(format!("{stem}{end}"));
        Self {
            key_name: format!("pki/{stem}.key"),
            certificate: file(".pem"),
            key: file(".key.age"),
            next_key: file(".key.age.new"),
        }
    }

    /// The certificate, or `None` when there is no file.
    pub fn certificate(&self) -> anyhow::Result<Option<Certificate>> {
        let Some(pem) = repository::read(&self.certificate)? else { return Ok(None) };
        Certificate::parse(&pem).map(Some).with_context(|| format!("reading {}", self.certificate.display()))
    }

    /// Whether there is a key file; whether it fits is known once it is opened.
    pub fn has_key(&self) -> bool {
        self.key.is_file() || self.next_key.is_file()
    }

    /// The private key of a certificate, opened.
    pub fn key_of(&self, certificate: &Certificate, store: &Store) -> anyhow::Result<Secret> {
        if !self.has_key() {
            bail!("there is no key at {}", self.key.display());
        }
        for path in [&self.key, &self.next_key] {
            if let Some(key) = self.fitting(path, certificate, store)? {
                return Ok(key);
            }
        }
        bail!("the key in {} is not the key of the certificate beside it", self.key.display())
    }

    /// The key in one file, when there is one and it is the certificate's.
    fn fitting(
        &self,
        path: &Path,
        certificate: &Certificate,
        store: &Store,
    ) -> anyhow::Result<Option<Secret>> {
        let Some(sealed) = repository::read(path)? else { return Ok(None) };
        let key = store.unseal(&self.key_name, &sealed)?;
        let fits = public_key(&key).is_some_and(|public| public == certificate.public_key);
        Ok(fits.then_some(key))
    }

    /// Does the last step of a replacement that was stopped before it, so that the next one does not write
    /// over the key in use.
    fn settle(&self, store: &Store) -> anyhow::Result<()> {
        if let Ok(Some(certificate)) = self.certificate()
            && self.fitting(&self.next_key, &certificate, store)?.is_some()
        {
            fs::rename(&self.next_key, &self.key)
                .with_context(|| format!("naming {}", self.key.display()))?;
        }
        Ok(())
    }

    /// Puts a new pair in place: key, certificate, name of the key.
    pub fn replace(&self, certificate_pem: &str, key_pem: &[u8], store: &Store) -> anyhow::Result<()> {
        self.settle(store)?;
        let sealed = store.seal(&self.key_name, key_pem)?;
        repository::replace(&self.next_key, sealed.as_bytes())?;
        repository::replace(&self.certificate, certificate_pem.as_bytes())?;
        fs::rename(&self.next_key, &self.key).with_context(|| format!("naming {}", self.key.display()))
    }
}

fn public_key(key: &Secret) -> Option<Vec<u8>> {
    use rcgen::PublicKeyData;
    let pair = rcgen::KeyPair::from_pem(key.reveal_text()?).ok()?;
    Some(pair.subject_public_key_info())
}

/// The root certificate of a repository, or `None` when there is no file.
///
/// # Errors
/// When it is there and cannot be read.
pub fn root_certificate(repository: &Path) -> anyhow::Result<Option<Certificate>> {
    Slot::root(repository).certificate()
}

/// The leaf certificate of a name, or `None` when there is no file.
///
/// # Errors
/// When it is there and cannot be read, or the name cannot name a leaf.
pub fn leaf_certificate(repository: &Path, name: &str) -> anyhow::Result<Option<Certificate>> {
    Slot::leaf(repository, name)?.certificate()
}

/// Whether a leaf has a key file. Opens nothing.
///
/// # Errors
/// When the name cannot name a leaf.
pub fn leaf_has_key(repository: &Path, name: &str) -> anyhow::Result<bool> {
    Ok(Slot::leaf(repository, name)?.has_key())
}

/// The names of all leaves that have a certificate file, sorted.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn leaf_names(repository: &Path) -> anyhow::Result<Vec<String>> {
    let folder = repository.join("pki/leaves");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for item in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let Ok(file) = item?.file_name().into_string() else { continue };
        if let Some(name) = file.strip_suffix(".pem").filter(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
