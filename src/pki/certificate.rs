//! What a certificate says of itself, read from its PEM. What cannot be read so is damaged, not absent.

use std::net::IpAddr;

use anyhow::{Context, bail};
use jiff::Timestamp;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its text.
    pub pem: String,
    /// The common name of its subject.
    pub name: String,
    /// Serial number, lower-case hex without leading zeros.
    pub serial: String,
    /// Host names and addresses it is for, in their one spelling, sorted.
    pub names: Vec<String>,
    /// The start of its life.
    pub not_before: Timestamp,
    /// The end of its life.
    pub not_after: Timestamp,
    /// The identifier of its key, lower-case hex.
    pub key_id: String,
    /// The identifier of the key that signed it, lower-case hex; its own for a root.
    pub issuer_key_id: String,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Whether a client may log in with it.
    pub is_client: bool,
    /// How many authorities may stand between it and a leaf; `None` when it does not say.
    pub path_length: Option<u32>,
    /// Domains and networks that what it signs is bound to, as it was written in the inventory.
    pub only: Vec<String>,
    /// Its public key, DER (SubjectPublicKeyInfo).
    pub(super) public_key: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// When it is none, or lacks what rocade's own always have (common name, key identifier).
    pub fn parse(pem: &str) -> anyhow::Result<Self> {
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
            .map_err(|_| anyhow::anyhow!("this is not a certificate in PEM"))?;
        let (rest, found) =
            X509Certificate::from_der(&block.contents).context("this is not a certificate")?;
        if !rest.is_empty() || block.label != "CERTIFICATE" {
            bail!("this is not a certificate");
        }
        let key_id = key_id(&found).context("it has no subject key identifier")?;
        let name = found.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Ok(Self {
            pem: pem.to_owned(),
            name: name.context("its subject has no common name")?.to_owned(),
            serial: format!("{:x}", found.tbs_certificate.serial),
            names: names(&found)?,
            not_before: timestamp(found.validity().not_before)?,
            not_after: timestamp(found.validity().not_after)?,
            issuer_key_id: issuer_key_id(&found).unwrap_or_else(|| key_id.clone()),
            key_id,
            is_authority: found.is_ca(),
            is_client: found
                .extended_key_usage()
                .ok()
                .flatten()
                .is_some_and(|usage| usage.value.client_auth || usage.value.any),
            path_length: found
                .basic_constraints()
                .ok()
                .flatten()
                .and_then(|constraints| constraints.value.path_len_constraint),
            only: only(&found)?,
            public_key: found.public_key().raw.to_vec(),
        })
    }

    /// Reads all certificates of a PEM text: a leaf and what chains it, or those that are trusted.
    ///
    /// # Errors
    /// At the first that cannot be read.
    pub fn parse_all(pem: &str) -> anyhow::Result<Vec<Self>> {
        const END: &str = "-----END CERTIFICATE-----";
        let texts = pem.split_inclusive(END).filter(|text| text.contains(END));
        texts.map(|text| Self::parse(&format!("{}\n", text.trim_start()))).collect()
    }

    /// Checks that an authority's key signed it and that its name is the one it gives as its issuer's.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check_signed_by(&self, authority: &Certificate) -> anyhow::Result<()> {
        let (own, theirs) = (der(&self.pem)?, der(&authority.pem)?);
        let (_, own) = X509Certificate::from_der(&own).context("this is not a certificate")?;
        let (_, theirs) = X509Certificate::from_der(&theirs).context("this is not a certificate")?;
        if own.issuer().as_raw() != theirs.subject().as_raw() {
            bail!("its issuer is `{}`, not `{}`", own.issuer(), theirs.subject());
        }
        own.verify_signature(Some(theirs.public_key()))
            .map_err(|_| anyhow::anyhow!("it was not signed with the key of `{}`", authority.name))
    }

    /// Whole days until its end; negative when it is over.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after.as_second() - now.as_second()).div_euclid(86_400)
    }
}

fn der(pem: &str) -> anyhow::Result<Vec<u8>> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .map_err(|_| anyhow::anyhow!("this is not a certificate in PEM"))?;
    Ok(block.contents)
}

/// The permitted subtrees, spelled as the inventory does.
fn only(certificate: &X509Certificate<'_>) -> anyhow::Result<Vec<String>> {
    let constraints = certificate.name_constraints().context("its name constraints are damaged")?;
    let permitted = constraints.and_then(|found| found.value.permitted_subtrees.as_ref());
    let network = |bytes: &[u8]| {
        let (address, mask) = bytes.split_at(bytes.len() / 2);
        let prefix: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
        format!("{}/{prefix}", spelled(&GeneralName::IPAddress(address)))
    };
    let subtree = |name: &GeneralName<'_>| match name {
        GeneralName::IPAddress(bytes) => network(bytes),
        other => spelled(other),
    };
    let mut only: Vec<String> = permitted.into_iter().flatten().map(|tree| subtree(&tree.base)).collect();
    only.sort();
    Ok(only)
}

fn timestamp(time: ASN1Time) -> anyhow::Result<Timestamp> {
    Timestamp::from_second(time.timestamp()).context("its life is out of range")
}

fn extension<'a, T>(
    certificate: &'a X509Certificate<'a>,
    pick: impl Fn(&'a ParsedExtension<'a>) -> Option<T>,
) -> Option<T> {
    certificate.extensions().iter().find_map(|extension| pick(extension.parsed_extension()))
}

fn key_id(certificate: &X509Certificate<'_>) -> Option<String> {
    extension(certificate, |extension| match extension {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(hex::encode(id.0)),
        _ => None,
    })
}

fn issuer_key_id(certificate: &X509Certificate<'_>) -> Option<String> {
    extension(certificate, |extension| match extension {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| hex::encode(id.0)),
        _ => None,
    })
}

fn names(certificate: &X509Certificate<'_>) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for name in certificate.subject_alternative_name().context("its names are damaged")?.iter() {
        names.extend(name.value.general_names.iter().map(spelled));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// A name as the inventory would spell it; what it could not spell differs from every wish.
fn spelled(name: &GeneralName<'_>) -> String {
    let address = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    };
    match name {
        GeneralName::DNSName(host) => host.to_ascii_lowercase(),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(address) => address.to_string(),
            None => format!("address {}", hex::encode(bytes)),
        },
        other => other.to_string(),
    }
}
