//! One encrypted value: age around `rocade-secret 1`, its name, its recipients (a line each) and the bytes.
//!
//! The name inside binds the value to its place. The recipients inside tell later to whom it was encrypted,
//! which age's own header hides. Plaintext lives in buffers that never grow and are wiped.

use std::io::{Read, Write};
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use anyhow::Context;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Fault, Recipient, is_path};
use crate::model::Secret;

const HEAD: &str = "rocade-secret 1";

/// What an envelope held.
pub(super) struct Opened {
    /// Whom it says it was encrypted to.
    pub recipients: Vec<String>,
    /// The value; its source is the name, `@`, and 12 hex digits of the ciphertext's SHA-256.
    pub secret: Secret,
}

/// Encrypts a value under its name. Gives age's binary form.
pub(super) fn seal(name: &str, value: &[u8], recipients: &[Recipient]) -> anyhow::Result<Vec<u8>> {
    if recipients.is_empty() {
        return Err(Fault::NoRecipients.into());
    }
    let mut names: Vec<String> = recipients.iter().map(Recipient::key).collect();
    names.sort();
    let head = format!("{HEAD}\n{name}\n{}\n", names.join(" "));
    let mut plain = Zeroizing::new(Vec::with_capacity(head.len() + value.len()));
    plain.extend_from_slice(head.as_bytes());
    plain.extend_from_slice(value);

    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(Recipient::as_age))
        .with_context(|| format!("encrypting `{name}`"))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(&plain)?;
    writer.finish()?;
    Ok(sealed)
}

/// age's text form of a binary ciphertext.
pub(super) fn armor(sealed: &[u8]) -> anyhow::Result<String> {
    let mut writer = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    writer.write_all(sealed)?;
    String::from_utf8(writer.finish()?).context("age's armor is ASCII")
}

/// Decrypts a value, binary or armored, and checks that it was encrypted under this name.
pub(super) fn open(
    name: &str,
    sealed: &[u8],
    identities: &[age::x25519::Identity],
    place: &Path,
) -> Result<Opened, Fault> {
    let damaged = |how| Fault::Damaged { name: name.to_owned(), how };
    let decryptor =
        age::Decryptor::new(ArmoredReader::new(sealed)).map_err(|_| damaged("it is not an age file"))?;
    let keys = identities.iter().map(|identity| identity as &dyn age::Identity);
    let mut reader = decryptor.decrypt(keys).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => {
            Fault::NoneFits { name: name.to_owned(), identity: place.to_owned() }
        }
        _ => damaged("its header was changed after it was encrypted"),
    })?;
    // A plaintext is shorter than its ciphertext: the buffer never moves and leaves no copy behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader
        .read_to_end(&mut plain)
        .map_err(|_| damaged("it was changed or cut short after it was encrypted"))?;
    let digest = hex::encode(Sha256::digest(sealed));
    let (recipients, value) = unwrap(name, &plain)?;
    Ok(Opened { recipients, secret: Secret::new(value, format!("{name}@{}", &digest[..12])) })
}

/// The recipients and the value of an envelope, once its name is the right one.
fn unwrap<'a>(name: &str, plain: &'a [u8]) -> Result<(Vec<String>, &'a [u8]), Fault> {
    let damaged = |how| Fault::Damaged { name: name.to_owned(), how };
    let mut rest = plain;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
        Some(line)
    };
    if line() != Some(HEAD) {
        return Err(damaged("it was not encrypted by this version of rocade"));
    }
    let (Some(sealed_as), Some(recipients)) = (line(), line()) else {
        return Err(damaged("its envelope is incomplete"));
    };
    if sealed_as != name {
        // What is no name of a secret may be part of one: it is not shown.
        let shown = if is_path(sealed_as) { sealed_as } else { "something else" };
        return Err(Fault::Moved { name: name.to_owned(), sealed_as: shown.to_owned() });
    }
    let recipients = recipients.split(' ').map(str::to_owned).collect();
    Ok((recipients, rest))
}

/// Whether an envelope's recipients are exactly these.
pub(super) fn is_current(sealed_to: &[String], recipients: &[Recipient]) -> bool {
    sealed_to.len() == recipients.len() && recipients.iter().all(|one| sealed_to.contains(&one.key()))
}
