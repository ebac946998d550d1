//! Revocation: what the ledger says is revoked, and the lists that tell brokers so, one of each key that issued
//! something: `pki/crl/KEY.pem`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::authority::{Authority, end};
use super::folder::Era;
use super::ledger::{self, Entry, ledger};
use super::profile::BACKDATED_SECONDS;
use super::{Share, leaf_certificate};
use crate::model::Period;
use crate::repository;
use crate::secrets::Store;

/// The reasons a certificate can be revoked for (RFC 5280, section 5.3.1), in our words.
pub const REASONS: [&str; 5] =
    ["key-compromise", "superseded", "ceased", "privilege-withdrawn", "unspecified"];

fn reason(word: &str) -> RevocationReason {
    match word {
        "key-compromise" => RevocationReason::KeyCompromise,
        "superseded" => RevocationReason::Superseded,
        "ceased" => RevocationReason::CessationOfOperation,
        "privilege-withdrawn" => RevocationReason::PrivilegeWithdrawn,
        _ => RevocationReason::Unspecified,
    }
}

/// A list as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// The identifier of the key that signed it, lower-case hex.
    pub issuer: String,
    /// Its text.
    pub pem: String,
    /// The serial numbers on it, lower-case hex, sorted.
    pub serials: Vec<String>,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is due: brokers refuse everybody after it.
    pub next_update: Timestamp,
}

impl Crl {
    /// Reads a list.
    ///
    /// # Errors
    /// When it is none, or another key's.
    pub fn parse(issuer: &str, pem: &str) -> anyhow::Result<Self> {
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
            .map_err(|_| anyhow::anyhow!("this is not a list in PEM"))?;
        let (_, list) = CertificateRevocationList::from_der(&block.contents)
            .context("this is not a list of revoked certificates")?;
        let by = list.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                id.key_identifier.as_ref().map(|id| hex::encode(id.0))
            }
            _ => None,
        });
        if by.as_deref() != Some(issuer) {
            bail!("it is the list of another key, {}", by.unwrap_or_else(|| "which it does not name".into()));
        }
        let mut serials: Vec<String> = list
            .iter_revoked_certificates()
            .map(|revoked| format!("{:x}", revoked.user_certificate))
            .collect();
        serials.sort();
        let next = list.next_update().context("it does not say when the next one is due")?;
        Ok(Self {
            issuer: issuer.to_owned(),
            pem: pem.to_owned(),
            serials,
            this_update: Timestamp::from_second(list.last_update().timestamp())?,
            next_update: Timestamp::from_second(next.timestamp())?,
        })
    }

    /// Whether this share of its time is over.
    pub fn is_due(&self, share: Share, now: Timestamp) -> bool {
        share.is_over_of(self.this_update.as_second() + BACKDATED_SECONDS, self.next_update.as_second(), now)
    }
}

fn folder(repository: &Path) -> PathBuf {
    repository.join("pki/crl")
}

/// The lists there are, by the key that signed them.
///
/// # Errors
/// When one is there and cannot be read.
pub fn crls(repository: &Path) -> anyhow::Result<Vec<Crl>> {
    let folder = folder(repository);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for item in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let Ok(file) = item?.file_name().into_string() else { continue };
        let Some(issuer) = file.strip_suffix(".pem").filter(|name| !name.starts_with('.')) else { continue };
        let text = repository::read(&folder.join(&file))?.unwrap_or_default();
        found.push(Crl::parse(issuer, &text).with_context(|| {
            format!("reading pki/crl/{file} (remove it, and `rocade pki crl` makes it anew)")
        })?);
    }
    found.sort_by(|a, b| a.issuer.cmp(&b.issuer));
    Ok(found)
}

/// The revocations in the ledger, the last word on each certificate.
///
/// # Errors
/// When the ledger cannot be read.
pub fn revocations(repository: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut seen = BTreeSet::new();
    let revoked = ledger(repository)?.into_iter().filter(|entry| entry.what == "revoke");
    Ok(revoked.filter(|entry| seen.insert(entry.serial.clone())).collect())
}

/// Whether this serial number was revoked.
///
/// # Errors
/// When the ledger cannot be read.
pub fn is_revoked(repository: &Path, serial: &str) -> anyhow::Result<bool> {
    Ok(revocations(repository)?.iter().any(|entry| entry.serial == serial))
}

/// Whether those who hold the lists refuse a revoked certificate: it is on one, or over anyway.
///
/// # Errors
/// When a list cannot be read.
pub fn is_told(repository: &Path, entry: &Entry) -> anyhow::Result<bool> {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let is_over = time(&entry.not_after).zip(time(&entry.at)).is_some_and(|(end, at)| end <= at);
    let listed = |crl: &Crl| crl.issuer == entry.issuer && crl.serials.contains(&entry.serial);
    Ok(is_over || crls(repository)?.iter().any(listed))
}

/// Revokes: a leaf by its name, or any certificate of the ledger by its serial number. The list is made by
/// [`make_crls`]. A name means the certificate that stands under it now.
///
/// # Errors
/// When there is none, it was revoked already, or the ledger cannot be written.
pub fn revoke(
    repository: &Path,
    what: &str,
    reason: &str,
    by: &str,
    now: Timestamp,
) -> anyhow::Result<Entry> {
    let held = leaf_certificate(repository, what).ok().flatten();
    let serial =
        held.as_ref().map_or_else(|| what.to_ascii_lowercase().replace(':', ""), |leaf| leaf.serial.clone());
    let known = ledger(repository)?.into_iter().rev().find(|entry| entry.serial == serial);
    let known = match (known, held) {
        (Some(entry), _) => entry,
        (None, Some(leaf)) => Entry {
            serial: leaf.serial,
            name: leaf.name,
            names: leaf.names,
            issuer: leaf.issuer_key_id,
            not_before: leaf.not_before.to_string(),
            not_after: leaf.not_after.to_string(),
            ..Entry::default()
        },
        (None, None) => {
            bail!("`{what}` is neither a leaf in pki/leaves nor a serial number of pki/ledger.jsonl")
        }
    };
    if known.is_of_an_authority() {
        bail!(
            "{serial} ({}) is an authority, and brokers hold lists against leaves only: `rocade pki rotate start` \
             puts another in its place",
            known.name
        );
    }
    if is_revoked(repository, &serial)? {
        bail!("{serial} ({}) was revoked already", known.name);
    }
    // Lines of old do not say who signed.
    let issuer = match known.issuer.is_empty() {
        true => Authority::load(repository)?.map(|authority| authority.root.key_id).unwrap_or_default(),
        false => known.issuer.clone(),
    };
    let entry = Entry {
        what: "revoke".into(),
        at: now.strftime("%FT%TZ").to_string(),
        by: by.to_owned(),
        why: reason.to_owned(),
        issuer,
        ..known
    };
    ledger::write(repository, &entry)?;
    Ok(entry)
}

/// The lists to be made here: of those that issue or issued something that still lives, and whose key is here.
/// Each with the serial numbers that belong on it.
///
/// # Errors
/// When `pki/` cannot be read.
pub fn wished_crls(repository: &Path, now: Timestamp) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let lives = |entry: &Entry| entry.not_after.parse::<Timestamp>().is_ok_and(|end| end > now);
    let revoked = revocations(repository)?;
    let mut wished = Vec::new();
    for signer in needed(repository, now)? {
        if signer.authority.can_issue()? {
            let own = revoked.iter().filter(|entry| entry.issuer == signer.key_id && lives(entry));
            let mut serials: Vec<String> = own.map(|entry| entry.serial.clone()).collect();
            serials.sort();
            wished.push((signer.key_id, serials));
        }
    }
    wished.sort();
    Ok(wished)
}

/// The authorities that leaves are still held against.
fn needed(repository: &Path, now: Timestamp) -> anyhow::Result<Vec<Signer>> {
    let lives = |entry: &Entry| entry.not_after.parse::<Timestamp>().is_ok_and(|end| end > now);
    let alive: Vec<Entry> = ledger(repository)?.into_iter().filter(lives).collect();
    let mut signers = signers(repository)?;
    signers.retain(|signer| {
        let issued = |entry: &Entry| entry.issuer == signer.key_id && !entry.is_of_an_authority();
        signer.issues || alive.iter().any(issued)
    });
    Ok(signers)
}

/// The lists there are that can be made anew or removed here: not those that are needed and whose key is elsewhere.
///
/// # Errors
/// When `pki/` cannot be read.
pub fn own_crls(repository: &Path, now: Timestamp) -> anyhow::Result<Vec<Crl>> {
    let mut elsewhere = BTreeSet::new();
    for signer in needed(repository, now)? {
        if !signer.authority.can_issue()? {
            elsewhere.insert(signer.key_id);
        }
    }
    let mut own = crls(repository)?;
    own.retain(|crl| !elsewhere.contains(&crl.issuer));
    Ok(own)
}

struct Signer {
    key_id: String,
    /// It is the one that issues, of its authority.
    issues: bool,
    authority: Authority,
}

/// Every authority here that can have issued leaves.
fn signers(repository: &Path) -> anyhow::Result<Vec<Signer>> {
    let mut signers: Vec<Signer> = Vec::new();
    for era in [Era::Present, Era::Next] {
        let Some(authority) = Authority::of_era(repository, era)? else { continue };
        let issuer = authority.issuer().key_id.clone();
        if authority.issuing.is_some() {
            // The root's own list: of leaves from before there was an intermediate.
            let mut root = Authority::of_era(repository, era)?.context("read above")?;
            root.issuing = None;
            signers.push(Signer { key_id: root.root.key_id.clone(), issues: false, authority: root });
        }
        signers.push(Signer { key_id: issuer, issues: true, authority });
    }
    let mut seen = BTreeSet::new();
    signers.retain(|signer| seen.insert(signer.key_id.clone()));
    Ok(signers)
}

/// Makes the lists that are not as wished: all whose key is here. Removes those that no living leaf is held
/// against. Gives the keys whose lists were made.
///
/// # Errors
/// When a key does not open or a file cannot be written.
pub fn make_crls(
    repository: &Path,
    lifetime: Period,
    share: Share,
    now: Timestamp,
    store: &Store,
) -> anyhow::Result<Vec<String>> {
    let present = crls(repository)?;
    let revoked = revocations(repository)?;
    let wished = wished_crls(repository, now)?;
    let mut made = Vec::new();
    for signer in signers(repository)? {
        let Some((_, serials)) = wished.iter().find(|(key, _)| *key == signer.key_id) else { continue };
        let fits = |crl: &&Crl| crl.issuer == signer.key_id;
        if present.iter().find(fits).is_some_and(|crl| crl.serials == *serials && !crl.is_due(share, now)) {
            continue;
        }
        let entries = revoked.iter().filter(|entry| serials.contains(&entry.serial));
        let params = CertificateRevocationListParams {
            this_update: OffsetDateTime::from_unix_timestamp(now.as_second() - BACKDATED_SECONDS)?,
            next_update: OffsetDateTime::from_unix_timestamp(end(now, lifetime)?.as_second())?,
            // Lists made later have greater numbers, without a counter to keep (RFC 5280, section 5.2.3).
            crl_number: SerialNumber::from_slice(&number(now)),
            issuing_distribution_point: None,
            revoked_certs: entries.map(|entry| revoked_entry(entry, now)).collect::<Result<_, _>>()?,
            key_identifier_method: KeyIdMethod::PreSpecified(hex::decode(&signer.key_id)?),
        };
        let issuer = signer.authority.signer(store)?;
        let list = params.signed_by(&issuer).context("signing the list of revoked certificates")?;
        let place = folder(repository).join(format!("{}.pem", signer.key_id));
        repository::replace(&place, list.pem()?.as_bytes())?;
        made.push(signer.key_id);
    }
    let over = own_crls(repository, now)?.into_iter();
    over.filter(|crl| wished.iter().all(|(key, _)| *key != crl.issuer))
        .try_for_each(|crl| forget(repository, &crl))?;
    Ok(made)
}

fn forget(repository: &Path, crl: &Crl) -> anyhow::Result<()> {
    let place = folder(repository).join(format!("{}.pem", crl.issuer));
    fs::remove_file(&place).with_context(|| format!("removing {}", place.display()))
}

/// Microseconds, without leading zeros.
fn number(now: Timestamp) -> Vec<u8> {
    let bytes = now.as_microsecond().unsigned_abs().to_be_bytes();
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn revoked_entry(entry: &Entry, now: Timestamp) -> anyhow::Result<RevokedCertParams> {
    let padded =
        if entry.serial.len() % 2 == 1 { format!("0{}", entry.serial) } else { entry.serial.clone() };
    let serial = hex::decode(padded).with_context(|| format!("`{}` is no serial number", entry.serial))?;
    let at: Timestamp = entry.at.parse().unwrap_or(now);
    let reason = reason(&entry.why);
    Ok(RevokedCertParams {
        serial_number: SerialNumber::from_slice(&serial),
        revocation_time: OffsetDateTime::from_unix_timestamp(at.as_second())?,
        // RFC 5280, section 5.3.1: `unspecified` is said by saying nothing.
        reason_code: (reason != RevocationReason::Unspecified).then_some(reason),
        invalidity_date: None,
    })
}

/// Removes the lists of authorities that are no more.
pub(super) fn forget_old(repository: &Path) -> anyhow::Result<()> {
    let keys: Vec<String> = signers(repository)?.into_iter().map(|signer| signer.key_id).collect();
    let mut old = crls(repository)?.into_iter().filter(|crl| !keys.contains(&crl.issuer));
    old.try_for_each(|crl| forget(repository, &crl))
}
