//! Making the root, issuing leaves, opening them. `now` is always given: this room reads no clock.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use rcgen::{Issuer, KeyPair};
use zeroize::Zeroizing;

use super::folder::Slot;
use super::{Certificate, ledger, normal_names, profile};
use crate::model::{Period, Secret};
use crate::secrets::Store;

/// What a new root is to be.
#[derive(Clone, Debug)]
pub struct RootOrder<'a> {
    /// Its common name.
    pub name: &'a str,
    /// How long it lives.
    pub lifetime: Period,
    /// The present.
    pub now: Timestamp,
}

/// What a new leaf is to be.
#[derive(Clone, Debug)]
pub struct LeafOrder<'a> {
    /// The name it is kept under and its common name: a broker's name in the inventory.
    pub name: &'a str,
    /// Host names and IP addresses it is for.
    pub names: &'a [String],
    /// Whether it may also be shown by a client.
    pub client: bool,
    /// How long it lives; cut at the root's end.
    pub lifetime: Period,
    /// The present.
    pub now: Timestamp,
    /// Why it is issued, for the ledger.
    pub why: &'a str,
}

/// A leaf certificate and its key.
#[derive(Clone, Debug)]
pub struct KeyedLeaf {
    /// The certificate followed by what chains it to the root, PEM. Today that is the certificate alone.
    pub chain_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: Secret,
}

/// The authority of a repository: there is one once there is a root certificate.
pub struct Authority {
    repository: PathBuf,
    root: Certificate,
}

impl Authority {
    /// The authority of a repository, or `None` when it has no root certificate. Opens no key.
    ///
    /// # Errors
    /// When the root certificate is there and cannot be read, or is none of an authority.
    pub fn load(repository: &Path) -> anyhow::Result<Option<Self>> {
        let Some(root) = Slot::root(repository).certificate()? else { return Ok(None) };
        if !root.is_authority {
            bail!("pki/root.pem is not the certificate of an authority");
        }
        Ok(Some(Self { repository: repository.to_owned(), root }))
    }

    /// Makes a root. A key without certificate, left by a run that was stopped, is replaced.
    ///
    /// # Errors
    /// When there is a root already, nobody to encrypt its key to, or a file cannot be written.
    pub fn create(repository: &Path, order: &RootOrder<'_>, store: &Store) -> anyhow::Result<Self> {
        let slot = Slot::root(repository);
        if slot.certificate()?.is_some() {
            bail!("pki/root.pem is there already");
        }
        let key = profile::new_key()?;
        let params = profile::root(order.name, order.now, end(order.now, order.lifetime)?)?;
        let pem = params.self_signed(&key).context("signing the root")?.pem();
        let root = Certificate::parse(&pem)?;
        slot.replace(&pem, Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
        ledger::add(repository, &root, "root")?;
        Ok(Self { repository: repository.to_owned(), root })
    }

    /// The root certificate.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The root certificate that clients trust, PEM.
    pub fn root_pem(&self) -> &str {
        &self.root.pem
    }

    /// Issues a leaf with a new key, in place of the one of this name when there is one.
    ///
    /// # Errors
    /// When a name is none, the root is over or its key is not here or does not open, or a file cannot be
    /// written. Whatever happens, the certificate that stands has its key.
    pub fn issue(&self, order: &LeafOrder<'_>, store: &Store) -> anyhow::Result<Certificate> {
        let slot = Slot::leaf(&self.repository, order.name)?;
        let names = normal_names(order.names.iter().map(String::as_str))?;
        if names.is_empty() {
            bail!("a leaf needs a name clients use");
        }
        if order.now >= self.root.not_after {
            bail!("the root certificate ended on {}", self.root.not_after.strftime("%F"));
        }
        let end = end(order.now, order.lifetime)?.min(self.root.not_after);
        let params = profile::leaf(order.name, &names, order.client, order.now, end)?;
        let key = profile::new_key()?;
        let pem = params.signed_by(&key, &self.issuer(store)?).context("signing the leaf")?.pem();
        let leaf = Certificate::parse(&pem)?;
        slot.replace(&pem, Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
        ledger::add(&self.repository, &leaf, order.why)?;
        Ok(leaf)
    }

    /// A leaf with its key opened, or `None` when there is no certificate of this name.
    ///
    /// # Errors
    /// When one of the two cannot be read, or they do not belong together.
    pub fn leaf(&self, name: &str, store: &Store) -> anyhow::Result<Option<KeyedLeaf>> {
        let slot = Slot::leaf(&self.repository, name)?;
        let Some(certificate) = slot.certificate()? else { return Ok(None) };
        let key_pem = slot.key_of(&certificate, store)?;
        Ok(Some(KeyedLeaf { chain_pem: certificate.pem, key_pem }))
    }

    fn issuer(&self, store: &Store) -> anyhow::Result<Issuer<'static, KeyPair>> {
        let slot = Slot::root(&self.repository);
        if !slot.has_key() {
            bail!("the root's key is not in pki/: it is kept elsewhere, and leaves are issued where it is");
        }
        let key = slot.key_of(&self.root, store).context("opening the root's key")?;
        let key = key.reveal_text().and_then(|pem| KeyPair::from_pem(pem).ok());
        let key = key.context("the root's key is damaged")?;
        Issuer::from_ca_cert_pem(&self.root.pem, key).context("reading pki/root.pem")
    }
}

fn end(now: Timestamp, lifetime: Period) -> anyhow::Result<Timestamp> {
    let seconds = i64::try_from(lifetime.as_secs()).ok().and_then(|life| now.as_second().checked_add(life));
    // RFC 5280, section 4.1.2.5: a date has a year of four digits.
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .with_context(|| format!("a life of {lifetime} ends after the year 9999"))
}
