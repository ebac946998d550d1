//! The files under `pki/`. A certificate and its key are two files; these rules keep them a pair.
//!
//! A new key is first put beside the present one as `NAME.key.age.new`, then the certificate is replaced,
//! then the key is renamed. Stopped anywhere, the certificate that stands has its key in one of the two.
//!
//! While the authority is rotated there are two of them: the present one and the next one in `pki/next/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Certificate;
use super::rotation::{self, Stage};
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
    /// Where its key may be already when it is moved there right now.
    moved_key: Option<PathBuf>,
}

/// The authority a certificate is of, while there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// The one that stands in `pki/` itself.
    Present,
    /// The one that takes over, in `pki/next/`.
    Next,
}

impl Slot {
    /// A root's files.
    pub fn root(repository: &Path, era: Era) -> Self {
        Self::of_era(repository, "root", era)
    }

    /// An issuing intermediate's files.
    pub fn issuing(repository: &Path, era: Era) -> Self {
        Self::of_era(repository, "issuing", era)
    }

    /// The files of the intermediate of an authority: while they are moved to their place they may be there.
    pub fn issuing_now(repository: &Path, era: Era) -> anyhow::Result<Self> {
        let own = Self::issuing(repository, era);
        let moved = rotation::stage(repository)? == Some(Stage::Finish) && !own.certificate.is_file();
        Ok(if moved { Self::issuing(repository, Era::Present) } else { own })
    }

    /// Keys are bound to the name they end up under: a rotation moves them without opening them.
    fn of_era(repository: &Path, stem: &str, era: Era) -> Self {
        let present = Self::at(repository, stem);
        match era {
            Era::Present => present,
            Era::Next => Self {
                key_name: present.key_name,
                moved_key: Some(present.key),
                ..Self::at(repository, &format!("next/{stem}"))
            },
        }
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
            moved_key: None,
        }
    }

    /// The certificate, or `None` when there is no file.
    pub fn certificate(&self) -> anyhow::Result<Option<Certificate>> {
        let Some(pem) = repository::read(&self.certificate)? else { return Ok(None) };
        Certificate::parse(&pem).map(Some).with_context(|| format!("reading {}", self.certificate.display()))
    }

    /// Whether there is a key file; whether it fits is known once it is opened.
    pub fn has_key(&self) -> bool {
        self.keys().any(|key| key.is_file())
    }

    /// Whether there is a key that was put in its place.
    pub fn has_key_in_place(&self) -> bool {
        self.key.is_file()
    }

    /// The key's file, relative to the repository.
    pub fn key_place(&self, repository: &Path) -> String {
        self.key.strip_prefix(repository).unwrap_or(&self.key).display().to_string()
    }

    fn keys(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.key, &self.next_key].into_iter().chain(&self.moved_key)
    }

    /// The private key of a certificate, opened.
    pub fn key_of(&self, certificate: &Certificate, store: &Store) -> anyhow::Result<Secret> {
        if !self.has_key() {
            bail!("there is no key at {}", self.key.display());
        }
        for path in self.keys() {
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
        let Some(key) = self.opened(path, store)? else { return Ok(None) };
        let fits = public_key(&key).is_some_and(|public| public == certificate.public_key);
        Ok(fits.then_some(key))
    }

    fn opened(&self, path: &Path, store: &Store) -> anyhow::Result<Option<Secret>> {
        let Some(sealed) = repository::read(path)? else { return Ok(None) };
        store.unseal(&self.key_name, &sealed).map(Some)
    }

    /// A key that waits for its certificate: the request for it was made, and carried to the root.
    pub fn waiting_key(&self, store: &Store) -> anyhow::Result<Option<Secret>> {
        self.opened(&self.next_key, store)
    }

    /// Keeps a key until its certificate comes.
    pub fn keep_waiting(&self, key_pem: &[u8], store: &Store) -> anyhow::Result<()> {
        self.settle(store)?;
        repository::replace(&self.next_key, store.seal(&self.key_name, key_pem)?.as_bytes())
    }

    /// Puts a certificate in place whose key is here already: waiting for it, or that of the one before.
    pub fn put_certificate(&self, certificate: &Certificate, store: &Store) -> anyhow::Result<()> {
        let known = || -> anyhow::Result<Option<PathBuf>> {
            for path in self.keys() {
                if self.fitting(path, certificate, store)?.is_some() {
                    return Ok(Some(path.clone()));
                }
            }
            Ok(None)
        };
        let Some(_) = known()? else {
            bail!(
                "its key is none that waits here: it was not made from the last `rocade pki csr` of this repository"
            );
        };
        repository::replace(&self.certificate, certificate.pem.as_bytes())?;
        self.settle(store)
    }

    /// Removes the certificate, when there is one; its key is replaced with the next.
    pub fn forget_certificate(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.certificate) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.certificate.display()))
            }
            _ => Ok(()),
        }
    }

    /// Makes this certificate and its key those of another place; each step can be done again.
    pub fn move_to(&self, other: &Slot) -> anyhow::Result<()> {
        let keys = [(&self.next_key, &other.next_key), (&self.key, &other.key)];
        for (from, to) in keys.into_iter().chain([(&self.certificate, &other.certificate)]) {
            if from.is_file() {
                fs::rename(from, to).with_context(|| format!("naming {}", to.display()))?;
            }
        }
        Ok(())
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

/// The root certificate of a repository, or `None` when there is no file; while the authority is rotated, that
/// of the one that issues.
///
/// # Errors
/// When it is there and cannot be read.
pub fn root_certificate(repository: &Path) -> anyhow::Result<Option<Certificate>> {
    Slot::root(repository, rotation::era(repository)?).certificate()
}

/// The certificate of the issuing intermediate, or `None` when the root issues leaves itself or is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn issuing_certificate(repository: &Path) -> anyhow::Result<Option<Certificate>> {
    if root_certificate(repository)?.is_none() {
        return Ok(None);
    }
    Slot::issuing_now(repository, rotation::era(repository)?)?.certificate()
}

/// Whether the root's key is here. Opens nothing.
///
/// # Errors
/// When the state of a rotation cannot be read.
pub fn root_has_key(repository: &Path) -> anyhow::Result<bool> {
    Ok(Slot::root(repository, rotation::era(repository)?).has_key())
}

/// What clients are to trust, PEM: the root, and both roots while the authority is rotated.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn trusted(repository: &Path) -> anyhow::Result<Option<String>> {
    let Some(root) = root_certificate(repository)? else { return Ok(None) };
    let mut roots = vec![root];
    if matches!(rotation::stage(repository)?, Some(Stage::Start | Stage::Issue)) {
        for era in [Era::Present, Era::Next] {
            roots.extend(Slot::root(repository, era).certificate()?);
        }
    }
    // The same order whichever issues: what clients hold does not change with it.
    roots.sort_by(|a, b| (a.not_before, &a.key_id).cmp(&(b.not_before, &b.key_id)));
    roots.dedup();
    Ok(Some(roots.into_iter().map(|root| root.pem).collect()))
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
