//! Making the root, issuing leaves, opening them. `now` is always given: this room reads no clock.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use rcgen::{Issuer, KeyPair};
use zeroize::Zeroizing;

use super::folder::{Era, Slot, trusted};
use super::ledger::{self, Deed};
use super::{Certificate, normal_names, profile, rotation};
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
    /// Who has it made, for the ledger.
    pub by: &'a str,
}

/// What a new leaf is to be.
#[derive(Clone, Debug)]
pub struct LeafOrder<'a> {
    /// The name it is kept under and its common name: a broker's name in the inventory.
    pub name: &'a str,
    /// Host names and IP addresses it is for; none for a client's.
    pub names: &'a [String],
    /// Whether it may be shown by a client.
    pub client: bool,
    /// How long it lives; cut at the end of what issues it.
    pub lifetime: Period,
    /// The present.
    pub now: Timestamp,
    /// Why it is issued, for the ledger.
    pub why: &'a str,
    /// Who has it issued, for the ledger.
    pub by: &'a str,
}

/// A leaf certificate and its key.
#[derive(Clone, Debug)]
pub struct KeyedLeaf {
    /// The certificate followed by what chains it to the root, PEM.
    pub chain_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: Secret,
}

/// The authority of a repository: there is one once there is a root certificate.
pub struct Authority {
    pub(super) repository: PathBuf,
    pub(super) era: Era,
    pub(super) root: Certificate,
    pub(super) issuing: Option<Certificate>,
    trusted: String,
}

impl Authority {
    /// The authority of a repository, or `None` when it has no root certificate. Opens no key.
    ///
    /// # Errors
    /// When a certificate is there and cannot be read, or is none of an authority.
    pub fn load(repository: &Path) -> anyhow::Result<Option<Self>> {
        Self::of_era(repository, rotation::era(repository)?)
    }

    pub(super) fn of_era(repository: &Path, era: Era) -> anyhow::Result<Option<Self>> {
        let Some(root) = Slot::root(repository, era).certificate()? else { return Ok(None) };
        if !root.is_authority {
            bail!("pki/root.pem is not the certificate of an authority");
        }
        let issuing = Slot::issuing_now(repository, era)?.certificate()?;
        if issuing.as_ref().is_some_and(|issuing| !issuing.is_authority) {
            bail!("pki/issuing.pem is not the certificate of an authority");
        }
        let trusted = trusted(repository)?.unwrap_or_default();
        Ok(Some(Self { repository: repository.to_owned(), era, root, issuing, trusted }))
    }

    /// Makes a root. A waiting key without certificate, left by a run that was stopped, is replaced.
    ///
    /// # Errors
    /// When there is a root already or the key of one, nobody to encrypt its key to, or a file cannot be written.
    pub fn create(repository: &Path, order: &RootOrder<'_>, store: &Store) -> anyhow::Result<Self> {
        Self::create_in(repository, Era::Present, order, store)
    }

    pub(super) fn create_in(
        repository: &Path,
        era: Era,
        order: &RootOrder<'_>,
        store: &Store,
    ) -> anyhow::Result<Self> {
        let slot = Slot::root(repository, era);
        if slot.certificate()?.is_some() {
            bail!("pki/root.pem is there already");
        }
        // A run that was stopped leaves a key that waits, never one in its place.
        if slot.has_key_in_place() {
            bail!(
                "{0} is there without its certificate, and would be lost: put root.pem back beside it (from git), or \
                 remove {0} too",
                slot.key_place(repository)
            );
        }
        // An intermediate of a root that is gone issues nothing any more.
        Slot::issuing(repository, era).forget_certificate()?;
        let key = profile::new_key()?;
        let params = profile::root(order.name, order.now, end(order.now, order.lifetime)?)?;
        let pem = params.self_signed(&key).context("signing the root")?.pem();
        let root = Certificate::parse(&pem)?;
        slot.replace(&pem, Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
        let what = if era == Era::Next { "rotate" } else { "root" };
        ledger::add(repository, &root, Deed { what, why: "root", by: order.by, now: order.now })?;
        let trusted = trusted(repository)?.unwrap_or_default();
        Ok(Self { repository: repository.to_owned(), era, root, issuing: None, trusted })
    }

    /// The root certificate.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The issuing intermediate, when there is one.
    pub fn issuing(&self) -> Option<&Certificate> {
        self.issuing.as_ref()
    }

    /// The certificate that leaves are signed under: the intermediate, else the root.
    pub fn issuer(&self) -> &Certificate {
        self.issuing.as_ref().unwrap_or(&self.root)
    }

    /// The root certificates that clients trust, PEM: two while the authority is rotated.
    pub fn root_pem(&self) -> &str {
        &self.trusted
    }

    /// Issues a leaf with a new key, in place of the one of this name when there is one.
    ///
    /// # Errors
    /// When a name is none, the issuer is over or its key is not here or does not open, or a file cannot be
    /// written. Whatever happens, the certificate that stands has its key.
    pub fn issue(&self, order: &LeafOrder<'_>, store: &Store) -> anyhow::Result<Certificate> {
        let slot = Slot::leaf(&self.repository, order.name)?;
        let names = normal_names(order.names.iter().map(String::as_str))?;
        if names.is_empty() && !order.client {
            bail!("a leaf needs a name clients use");
        }
        for authority in [Some(&self.root), self.issuing.as_ref()].into_iter().flatten() {
            if order.now >= authority.not_after {
                let which = if authority.key_id == self.root.key_id { "root" } else { "issuing" };
                bail!("the {which} certificate ended on {}", authority.not_after.strftime("%F"));
            }
        }
        let end = end(order.now, order.lifetime)?.min(self.root.not_after).min(self.issuer().not_after);
        let params = profile::leaf(order.name, &names, order.client, order.now, end)?;
        let key = profile::new_key()?;
        let pem = params.signed_by(&key, &self.signer(store)?).context("signing the leaf")?.pem();
        let leaf = Certificate::parse(&pem)?;
        let chain = pem + self.issuing.as_ref().map_or("", |issuing| &issuing.pem);
        let before = slot.certificate().ok().flatten();
        slot.replace(&chain, Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
        let what = match before {
            None => "issue",
            Some(_) if self.era == Era::Next => "rotate",
            Some(_) => "renew",
        };
        ledger::add(&self.repository, &leaf, Deed { what, why: order.why, by: order.by, now: order.now })?;
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

    /// Whether the key that signs leaves is here. Opens nothing.
    ///
    /// # Errors
    /// When the state of a rotation cannot be read.
    pub fn can_issue(&self) -> anyhow::Result<bool> {
        Ok(match &self.issuing {
            Some(_) => Slot::issuing_now(&self.repository, self.era)?.has_key(),
            None => Slot::root(&self.repository, self.era).has_key(),
        })
    }

    /// What signs leaves and revocations.
    pub(super) fn signer(&self, store: &Store) -> anyhow::Result<Issuer<'static, KeyPair>> {
        match &self.issuing {
            None => self.root_signer(store),
            Some(issuing) => {
                let slot = Slot::issuing_now(&self.repository, self.era)?;
                if !slot.has_key() {
                    bail!("pki/issuing.key.age is not here: leaves are issued where it is");
                }
                signer(&slot, issuing, store).context("opening the issuing key")
            }
        }
    }

    /// What signs the intermediate.
    pub(super) fn root_signer(&self, store: &Store) -> anyhow::Result<Issuer<'static, KeyPair>> {
        let slot = Slot::root(&self.repository, self.era);
        if !slot.has_key() {
            bail!(
                "the root's key is not in pki/: it is kept elsewhere, and what it signs is signed where it is"
            );
        }
        signer(&slot, &self.root, store).context("opening the root's key")
    }
}

fn signer(slot: &Slot, certificate: &Certificate, store: &Store) -> anyhow::Result<Issuer<'static, KeyPair>> {
    let key = slot.key_of(certificate, store)?;
    let key = key.reveal_text().and_then(|pem| KeyPair::from_pem(pem).ok());
    Issuer::from_ca_cert_pem(&certificate.pem, key.context("the key is damaged")?)
        .context("reading the certificate")
}

pub(super) fn end(now: Timestamp, lifetime: Period) -> anyhow::Result<Timestamp> {
    let seconds = i64::try_from(lifetime.as_secs()).ok().and_then(|life| now.as_second().checked_add(life));
    // RFC 5280, section 4.1.2.5: a date has a year of four digits.
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .with_context(|| format!("a life of {lifetime} ends after the year 9999"))
}
