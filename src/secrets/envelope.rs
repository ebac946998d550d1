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
    let plain = decrypt(name, sealed, identities, place)?;
    let (sealed_as, recipients, value) = unwrap(name, &plain)?;
    if sealed_as != name {
        // What is no name of a secret may be part of one: it is not shown.
        let shown = if is_path(sealed_as) { sealed_as } else { "something else" };
        return Err(Fault::Moved { name: name.to_owned(), sealed_as: shown.to_owned() });
    }
    let digest = hex::encode(Sha256::digest(sealed));
    let secret = Secret::new(value, format!("{name}@{}", &digest[..12]));
    Ok(Opened { recipients, secret })
}

/// Decrypts a value of whatever name; gives the name too. `shown` names it in a fault.
pub(super) fn open_any(
    shown: &str,
    sealed: &[u8],
    identities: &[age::x25519::Identity],
    place: &Path,
) -> Result<(String, Opened), Fault> {
    let plain = decrypt(shown, sealed, identities, place)?;
    let (name, recipients, value) = unwrap(shown, &plain)?;
    if !is_path(name) {
        return Err(Fault::Damaged { name: shown.to_owned(), how: "its envelope names no secret" });
    }
    let secret = Secret::new(value, name);
    Ok((name.to_owned(), Opened { recipients, secret }))
}

/// Decrypts what the `age` program made: no envelope, the bytes alone.
pub(super) fn open_bare(
    sealed: &[u8],
    identities: &[age::x25519::Identity],
    place: &Path,
) -> Result<Secret, Fault> {
    let plain = decrypt("what was given", sealed, identities, place)?;
    Ok(Secret::new(plain.as_slice(), "given"))
}

fn decrypt(
    name: &str,
    sealed: &[u8],
    identities: &[age::x25519::Identity],
    place: &Path,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let damaged = |how| Fault::Damaged { name: name.to_owned(), how };
    let decryptor =
        age::Decryptor::new(ArmoredReader::new(sealed)).map_err(|_| damaged("it is not an age file"))?;
    let keys = identities.iter().map(|identity| identity as &dyn age::Identity);
    let mut reader = decryptor.decrypt(keys).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => none_fits(name, sealed, place),
        _ => damaged("its header was changed after it was encrypted"),
    })?;
    // A plaintext is shorter than its ciphertext: the buffer never moves and leaves no copy behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader
        .read_to_end(&mut plain)
        .map_err(|_| damaged("it was changed or cut short after it was encrypted"))?;
    Ok(plain)
}

fn none_fits(name: &str, sealed: &[u8], place: &Path) -> Fault {
    let locks = locks(sealed);
    if locks.own > 0 || locks.others.is_empty() {
        return Fault::NoneFits { name: name.to_owned(), identity: place.to_owned() };
    }
    let how = match locks.others[0].as_str() {
        "scrypt" => "with a passphrase".to_owned(),
        kind if kind.starts_with("ssh-") => "to an SSH key".to_owned(),
        kind => format!("to a recipient of the kind `{kind}`"),
    };
    Fault::ForeignLock { name: name.to_owned(), how }
}

/// What an age header tells without any key: how many recipients of our kind can open it, and kinds of others.
pub(super) struct Locks {
    pub own: usize,
    pub others: Vec<String>,
}

/// Reads a header (C2SP, age: `-> KIND ARGUMENTS` a recipient, its body in lines below, `---` at the end).
/// What age adds so that nobody relies on the list is left out.
pub(super) fn locks(sealed: &[u8]) -> Locks {
    let mut head = Vec::new();
    let mut locks = Locks { own: 0, others: Vec::new() };
    if ArmoredReader::new(sealed).take(1 << 20).read_to_end(&mut head).is_err() {
        return locks;
    }
    for line in head.split(|byte| *byte == b'\n') {
        if line.starts_with(b"---") {
            break;
        }
        let Some(words) = line.strip_prefix(b"-> ") else { continue };
        let kind = String::from_utf8_lossy(words.split(|byte| *byte == b' ').next().unwrap_or(words));
        match kind.as_ref() {
            "X25519" => locks.own += 1,
            grease if grease.ends_with("-grease") => {}
            // A kind is letters and digits; what is more is not repeated.
            other => locks.others.push(other.chars().filter(char::is_ascii_graphic).take(20).collect()),
        }
    }
    locks
}

/// The name, the recipients and the value of an envelope.
fn unwrap<'a>(name: &str, plain: &'a [u8]) -> Result<(&'a str, Vec<String>, &'a [u8]), Fault> {
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
    let recipients = recipients.split(' ').map(str::to_owned).collect();
    Ok((sealed_as, recipients, rest))
}

/// Whether an envelope's recipients are exactly these.
pub(super) fn is_current(sealed_to: &[String], recipients: &[Recipient]) -> bool {
    sealed_to.len() == recipients.len() && recipients.iter().all(|one| sealed_to.contains(&one.key()))
}
