//! An EasyRSA folder (versions 2 and 3: `ca.crt`, `private/`, `issued/`, `index.txt`) becomes the authority of a
//! repository. The folder is only read. What is weak in it is said, not hidden.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use pkcs8::der::pem::PemLabel;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use rcgen::KeyPair;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use zeroize::Zeroizing;

use super::Certificate;
use super::folder::{Era, Slot};
use super::ledger::{self, Deed, Entry};
use crate::model::Secret;
use crate::secrets::Store;

/// The folder as it was read. No key was opened.
pub struct EasyRsa {
    root: Certificate,
    root_key: Zeroizing<String>,
    leaves: Vec<Issued>,
    index: Vec<Entry>,
    remarks: Vec<String>,
}

struct Issued {
    name: String,
    certificate: Certificate,
    key: Option<Zeroizing<String>>,
}

/// What became of it.
#[derive(Debug)]
pub struct Adopted {
    /// The root.
    pub root: Certificate,
    /// The leaves that came with their keys.
    pub leaves: Vec<String>,
    /// How many revocations were taken over.
    pub revoked: usize,
    /// What is weak, and what was not taken.
    pub remarks: Vec<String>,
}

impl EasyRsa {
    /// Reads a folder.
    ///
    /// # Errors
    /// When its root certificate or the root's key is missing or damaged.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let ca = folder.join("ca.crt");
        let text = fs::read_to_string(&ca).with_context(|| format!("reading {}", ca.display()))?;
        let mut remarks = Vec::new();
        let root = certificate(&text).with_context(|| format!("reading {}", ca.display()))?;
        if !root.is_authority {
            bail!("{} is not the certificate of an authority", ca.display());
        }
        remarks.extend(weaknesses("the root", &root)?);
        let Some(root_key) = key_file(folder, "ca")? else {
            bail!("there is no private/ca.key in {}: without it nothing can be issued", folder.display());
        };
        let mut read = Self { root, root_key, leaves: Vec::new(), index: Vec::new(), remarks };
        read.read_issued(folder)?;
        read.read_index(folder)?;
        Ok(read)
    }

    /// Whether a passphrase is needed.
    pub fn needs_passphrase(&self) -> bool {
        is_encrypted(&self.root_key)
            || self.leaves.iter().filter_map(|leaf| leaf.key.as_ref()).any(|key| is_encrypted(key))
    }

    fn read_issued(&mut self, folder: &Path) -> anyhow::Result<()> {
        let issued = folder.join("issued");
        if !issued.is_dir() {
            return Ok(());
        }
        let items = fs::read_dir(&issued).with_context(|| format!("reading {}", issued.display()))?;
        let mut paths: Vec<PathBuf> = items.filter_map(|item| Some(item.ok()?.path())).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "crt")) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match fs::read_to_string(path).map_err(anyhow::Error::from).and_then(|text| certificate(&text)) {
                Ok(certificate) => {
                    self.remarks.extend(weaknesses(&stem, &certificate)?);
                    let key = key_file(folder, &stem)?;
                    self.leaves.push(Issued { name: stem.to_ascii_lowercase(), certificate, key });
                }
                Err(error) => self.remarks.push(format!("{stem}: cannot be read: {error:#}")),
            }
        }
        Ok(())
    }

    fn read_index(&mut self, folder: &Path) -> anyhow::Result<()> {
        let place = folder.join("index.txt");
        if !place.is_file() {
            self.remarks.push("there is no index.txt: no revocation was taken over".to_owned());
            return Ok(());
        }
        let text = fs::read_to_string(&place).with_context(|| format!("reading {}", place.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match index_line(line, &self.root.key_id) {
                Some(entry) => self.index.push(entry),
                None => self.remarks.push(format!("index.txt:{}: not understood, passed over", number + 1)),
            }
        }
        Ok(())
    }

    /// Makes it the authority of a repository: ledger, leaves, and the root last.
    ///
    /// # Errors
    /// When there is an authority already, the passphrase does not open the root's key, or a file cannot be written.
    pub fn adopt(
        mut self,
        repository: &Path,
        passphrase: Option<&Secret>,
        by: &str,
        now: Timestamp,
        store: &Store,
    ) -> anyhow::Result<Adopted> {
        let slot = Slot::root(repository, Era::Present);
        if slot.certificate()?.is_some() {
            bail!("pki/root.pem is there already: an authority is adopted by an empty pki/ only");
        }
        let root_key = opened(&self.root_key, passphrase).context("opening private/ca.key")?;
        fits(&root_key, &self.root).context("private/ca.key")?;
        let deed = Deed { what: "import", why: "easyrsa", by, now };
        let mut kept = Vec::new();
        let mut entered = Vec::new();
        for leaf in std::mem::take(&mut self.leaves) {
            entered.push(leaf.certificate.serial.clone());
            ledger::add(repository, &leaf.certificate, deed)?;
            match self.keep(repository, &leaf, passphrase, store) {
                Ok(()) => kept.push(leaf.name),
                Err(error) => self.remarks.push(format!("{}: only in the ledger: {error:#}", leaf.name)),
            }
        }
        for entry in &self.index {
            if entry.what == "import" && entered.contains(&entry.serial) {
                continue;
            }
            // When it was revoked and why stay; who took it over is said beside.
            let at = if entry.at.is_empty() { now.strftime("%FT%TZ").to_string() } else { entry.at.clone() };
            ledger::write(repository, &Entry { by: by.to_owned(), at, ..entry.clone() })?;
        }
        ledger::add(repository, &self.root, Deed { why: "root", ..deed })?;
        slot.replace(&self.root.pem, root_key.as_bytes(), store)?;
        let revoked = self.index.iter().filter(|entry| entry.what == "revoke").count();
        Ok(Adopted { root: self.root, leaves: kept, revoked, remarks: self.remarks })
    }

    fn keep(
        &self,
        repository: &Path,
        leaf: &Issued,
        passphrase: Option<&Secret>,
        store: &Store,
    ) -> anyhow::Result<()> {
        let slot = Slot::leaf(repository, &leaf.name)?;
        if leaf.certificate.is_authority {
            bail!("it is an authority of its own");
        }
        leaf.certificate.check_signed_by(&self.root)?;
        let Some(key) = &leaf.key else { bail!("its key is not in private/") };
        let key = opened(key, passphrase)?;
        fits(&key, &leaf.certificate)?;
        slot.replace(&leaf.certificate.pem, key.as_bytes(), store)
    }
}

/// The certificate in a file that may open with its text.
fn certificate(text: &str) -> anyhow::Result<Certificate> {
    let at = text.find("-----BEGIN CERTIFICATE-----").context("there is no certificate in it")?;
    Certificate::parse_all(&text[at..])?.into_iter().next().context("there is no certificate in it")
}

fn key_file(folder: &Path, stem: &str) -> anyhow::Result<Option<Zeroizing<String>>> {
    let place = folder.join("private").join(format!("{stem}.key"));
    if !place.is_file() {
        return Ok(None);
    }
    fs::read_to_string(&place)
        .map(|text| Some(Zeroizing::new(text)))
        .with_context(|| format!("reading {}", place.display()))
}

fn is_encrypted(pem: &str) -> bool {
    pem.contains("ENCRYPTED")
}

/// The key as PKCS #8 PEM in clear.
fn opened(pem: &str, passphrase: Option<&Secret>) -> anyhow::Result<Zeroizing<String>> {
    let at = pem.find("-----BEGIN").context("this is not a key in PEM")?;
    let pem = pem[at..].trim();
    if !is_encrypted(pem) {
        let pair = KeyPair::from_pem(pem).ok().context("its kind or size is none we sign with")?;
        return Ok(Zeroizing::new(pair.serialize_pem()));
    }
    let Some(passphrase) = passphrase else { bail!("it is encrypted, and no passphrase was given") };
    if !pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        bail!("its encryption is of old; `openssl pkcs8 -topk8 -in KEY -out KEY` writes it in today's form");
    }
    let (label, sealed) = SecretDocument::from_pem(pem).map_err(|_| anyhow::anyhow!("the key is damaged"))?;
    EncryptedPrivateKeyInfoRef::validate_pem_label(label)
        .map_err(|_| anyhow::anyhow!("the key is damaged"))?;
    let sealed = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes())
        .map_err(|_| anyhow::anyhow!("its encryption is not known here"))?;
    let plain = sealed
        .decrypt(passphrase.reveal())
        .map_err(|_| anyhow::anyhow!("the passphrase does not open it"))?;
    plain
        .to_pem(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
        .map_err(|_| anyhow::anyhow!("the key is damaged"))
}

fn fits(key_pem: &str, certificate: &Certificate) -> anyhow::Result<()> {
    use rcgen::PublicKeyData;
    let pair = KeyPair::from_pem(key_pem).ok().context("its kind or size is none we sign with")?;
    if pair.subject_public_key_info() != certificate.public_key {
        bail!("it is not the key of the certificate");
    }
    Ok(())
}

/// What would not be made so today.
fn weaknesses(whom: &str, certificate: &Certificate) -> anyhow::Result<Vec<String>> {
    let (_, block) = x509_parser::pem::parse_x509_pem(certificate.pem.as_bytes())?;
    let (_, found) = X509Certificate::from_der(&block.contents)?;
    let mut weak = Vec::new();
    if let Ok(PublicKey::RSA(rsa)) = found.public_key().parsed()
        && rsa.key_size() < 2048
    {
        weak.push(format!("{whom}: RSA with {} bits: clients of today refuse it", rsa.key_size()));
    }
    // RFC 8017, appendix C, and RFC 3279, section 2.2.3: MD5 and SHA-1 with RSA, SHA-1 with ECDSA.
    let old = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];
    if old.contains(&found.signature_algorithm.algorithm.to_id_string().as_str()) {
        weak.push(format!("{whom}: signed with MD5 or SHA-1: clients of today refuse it"));
    }
    let server = found.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.server_auth);
    if server && certificate.names.is_empty() {
        weak.push(format!(
            "{whom}: a server's with a common name only: clients of today look for other names"
        ));
    }
    Ok(weak)
}

/// A line of OpenSSL's index: state, end, revocation, serial number, file, subject, with tabs between.
fn index_line(line: &str, issuer: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [state, end, revocation, serial, _, subject] = fields[..] else { return None };
    let serial = serial.trim_start_matches('0').to_ascii_lowercase();
    let name = subject.split('/').find_map(|part| part.strip_prefix("CN="))?.to_owned();
    let (when, why) = revocation.split_once(',').unwrap_or((revocation, "unspecified"));
    let why = match why {
        "keyCompromise" => "key-compromise",
        "superseded" => "superseded",
        "cessationOfOperation" => "ceased",
        "privilegeWithdrawn" => "privilege-withdrawn",
        _ => "unspecified",
    };
    let (what, why, at) = match state {
        "R" => ("revoke", why, index_time(when)?),
        _ => ("import", "easyrsa", String::new()),
    };
    Some(Entry {
        what: what.into(),
        at,
        serial,
        name,
        issuer: issuer.to_owned(),
        not_after: index_time(end)?,
        why: why.into(),
        ..Entry::default()
    })
}

/// `YYMMDDHHMMSSZ` or, from 2050 on, `YYYYMMDDHHMMSSZ`.
fn index_time(text: &str) -> Option<String> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match digits.len() {
        12 => (format!("20{}", &digits[..2]), &digits[2..]),
        14 => (digits[..4].to_owned(), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| &rest[at..at + 2];
    Some(format!("{year}-{}-{}T{}:{}:{}Z", part(0), part(2), part(4), part(6), part(8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_index_says_who_was_revoked_when_and_why() {
        let line = "R\t350102030405Z\t250607080910Z,keyCompromise\t0A1B\tunknown\t/C=FR/CN=old-client";
        let entry = index_line(line, "ab").unwrap();
        assert_eq!((entry.what.as_str(), entry.serial.as_str()), ("revoke", "a1b"));
        assert_eq!((entry.name.as_str(), entry.why.as_str()), ("old-client", "key-compromise"));
        assert_eq!(
            (entry.at.as_str(), entry.not_after.as_str()),
            ("2025-06-07T08:09:10Z", "2035-01-02T03:04:05Z")
        );
        assert_eq!(index_line("V\t350102030405Z\t\t01\tunknown\t/CN=x", "ab").unwrap().what, "import");
        assert!(index_line("R\t350102030405Z", "ab").is_none());
        assert!(index_line("R\tsoon\t250607080910Z\t01\tunknown\t/CN=x", "ab").is_none());
    }
}
