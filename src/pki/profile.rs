//! What stands in our certificates (RFC 5280). ECDSA on P-256, random serials, every identifier present.

use std::net::IpAddr;

use anyhow::{Context, bail};
use jiff::Timestamp;
use rand::TryRngCore;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use time::OffsetDateTime;

/// Certificates begin this much before they are issued: the clocks of gateways may be slow.
pub const BACKDATED_SECONDS: i64 = 3_600;

/// A new key.
pub(super) fn new_key() -> anyhow::Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("making a key")
}

/// A root: it signs certificates and CRLs, and has room for one intermediate below it.
pub(super) fn root(name: &str, now: Timestamp, end: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = frame(name, now, end)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// An issuing intermediate: it signs leaves and CRLs and no further authority, for these domains and networks
/// only when there are any.
pub(super) fn issuing(
    name: &str,
    only: &[String],
    now: Timestamp,
    end: Timestamp,
) -> anyhow::Result<CertificateParams> {
    let mut params = frame(name, now, end)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if !only.is_empty() {
        let permitted_subtrees = only.iter().map(|text| subtree(text)).collect::<Result<_, _>>()?;
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    }
    Ok(params)
}

/// A domain or a network, as a name constraint has it (RFC 5280, section 4.2.1.10).
fn subtree(text: &str) -> anyhow::Result<GeneralSubtree> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    Ok(match address.parse::<IpAddr>() {
        Ok(address) => {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            let prefix = if prefix.is_empty() { whole } else { prefix.parse()? };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
        }
        Err(_) => GeneralSubtree::DnsName(super::normal_name(text)?),
    })
}

/// A leaf: it serves TLS under its names, and with `client` may log in with its certificate.
pub(super) fn leaf(
    name: &str,
    names: &[String],
    client: bool,
    now: Timestamp,
    end: Timestamp,
) -> anyhow::Result<CertificateParams> {
    let mut params = frame(name, now, end)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if !names.is_empty() {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    if client {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    }
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into()?),
        });
    }
    Ok(params)
}

fn frame(name: &str, now: Timestamp, end: Timestamp) -> anyhow::Result<CertificateParams> {
    // RFC 5280, appendix A.1: ub-common-name is 64.
    if name.is_empty() || name.chars().count() > 64 || name.contains(char::is_control) {
        bail!("a certificate's name has 1 to 64 characters");
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial()?);
    params.not_before = OffsetDateTime::from_unix_timestamp(now.as_second() - BACKDATED_SECONDS)?;
    params.not_after = OffsetDateTime::from_unix_timestamp(end.as_second())?;
    Ok(params)
}

/// 128 random bits with the first two fixed, so that it is positive and always 16 bytes long (RFC 5280,
/// section 4.1.2.2: positive, 20 bytes at most).
fn serial() -> anyhow::Result<SerialNumber> {
    let mut bytes = [0u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).context("asking the system for random bytes")?;
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
