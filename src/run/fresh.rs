//! A new value for a secret: whether it may be made here, and in which form.

use anyhow::bail;
use rand::Rng;
use rand::distr::Alphanumeric;
use zeroize::Zeroizing;

use crate::compose::{Role, Use};
use crate::secrets::{Fault, Store};

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
