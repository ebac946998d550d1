//! A new value for a secret: whether it may be made here, in which form, and the list of what people who left know.

use std::path::Path;

use anyhow::bail;
use rand::Rng;
use rand::distr::Alphanumeric;
use zeroize::Zeroizing;

use crate::compose::{Role, Use};
use crate::secrets::{Fault, Ledger, Store};

/// The form of a value that is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 16 bytes in hexadecimal digits.
    Hex16,
    /// 32 letters and digits.
    Text,
}

impl Form {
    /// A value that nobody knows.
    pub fn value(self) -> Zeroizing<Vec<u8>> {
        match self {
            Form::Hex16 => {
                let bytes: Zeroizing<[u8; 16]> = Zeroizing::new(rand::rng().random());
                Zeroizing::new(hex::encode(*bytes).into_bytes())
            }
            Form::Text => Zeroizing::new(rand::rng().sample_iter(Alphanumeric).take(32).collect()),
        }
    }

    /// The form that the uses ask for, `otherwise` where they leave it open.
    ///
    /// # Errors
    /// When the value comes from elsewhere.
    pub fn of(path: &str, uses: &[Use], otherwise: Form) -> anyhow::Result<Form> {
        if let Some(theirs) = uses.iter().find(|one| !one.role.is_made_here()) {
            bail!(
                "`{path}` cannot be made here, as {} of {}: {}",
                theirs.field,
                theirs.owner,
                theirs.role.consequences()
            );
        }
        if uses.iter().any(|one| one.role == Role::Pin) {
            bail!("`{path}` is a PIN: give the digits on standard input");
        }
        // A LoRaWAN key has one form, whatever else was asked for.
        Ok(if uses.iter().any(|one| one.role.is_key()) { Form::Hex16 } else { otherwise })
    }
}

/// Checks that a secret is there and can have another value.
///
/// # Errors
/// Why it cannot.
pub fn may_change(store: &Store, path: &str) -> anyhow::Result<()> {
    if path.starts_with("pki/") {
        bail!(
            "a certificate's key is made anew by `rocade pki`; then tick it with `rocade secrets rotate {path} --done`"
        );
    }
    if !store.has(path) {
        return Err(Fault::Missing(path.to_owned()).into());
    }
    Ok(())
}

/// What a new value means for the list of what people who left know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It is not there.
    Not,
    /// It was ticked; so many are left.
    Ticked(usize),
    /// The value is the one they know.
    Same,
    /// The value before does not open: whether they know it cannot be told.
    Unclear,
}

/// Writes a value; a new one ticks its line in the list.
///
/// # Errors
/// When it is empty or a file cannot be written.
pub fn put(root: &Path, store: &Store, path: &str, value: &[u8], date: &str) -> anyhow::Result<Listed> {
    if value.is_empty() {
        bail!("the secret `{path}` would be empty; nothing was set");
    }
    let is_listed = Ledger::read(root)?.open().any(|item| item.name == path);
    let before = if is_listed && store.has(path) { store.get(path).ok() } else { None };
    store.put(path, value)?;
    match before {
        _ if !is_listed => Ok(Listed::Not),
        Some(before) if before.reveal() != value => tick(root, path, date),
        Some(_) => Ok(Listed::Same),
        None => Ok(Listed::Unclear),
    }
}

/// Ticks a line of the list.
///
/// # Errors
/// When the list cannot be read or written.
pub fn tick(root: &Path, path: &str, date: &str) -> anyhow::Result<Listed> {
    if Ledger::tick(root, path, date)? == 0 {
        return Ok(Listed::Not);
    }
    Ok(Listed::Ticked(Ledger::read(root)?.open().count()))
}
