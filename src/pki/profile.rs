//! What stands in our certificates (RFC 5280). ECDSA on P-256, random serials, every identifier present.

use std::net::IpAddr;

use anyhow::{Context, bail};
use jiff::Timestamp;
use rand::TryRngCore;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
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

/// A leaf: it serves TLS under its names, and with `client` may also log in with its certificate.
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
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
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
