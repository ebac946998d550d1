//! A new value for a secret: whether it may be made here, in which form, and the list of what is to be changed.

use std::path::Path;

use anyhow::bail;
use rand::Rng;
use rand::distr::Alphanumeric;
use zeroize::Zeroizing;

use crate::compose::{Role, Use};
use crate::secrets::{Fault, Listed, Store, put_listed, tick_listed};

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

/// Where a new value comes from.
pub enum Fresh {
    /// From a person.
    Given(Zeroizing<Vec<u8>>),
    /// It is made here, in this form where its uses leave it open.
    Made(Form),
}

/// Gives a secret another value, and ticks it in the list of what people who left know.
///
/// # Errors
/// When it has that value, the value cannot be made here, or a file cannot be read or written.
pub fn renew_value(
    (root, store): (&Path, &Store),
    path: &str,
    uses: &[Use],
    fresh: Fresh,
    date: &str,
) -> anyhow::Result<Listed> {
    let value = match fresh {
        // It is another value for sure, also when the one before does not open.
        Fresh::Made(form) => {
            let listed = put_listed(root, store, path, &Form::of(path, uses, form)?.value(), date)?;
            return if listed == Listed::Unclear { tick_listed(root, path, date) } else { Ok(listed) };
        }
        Fresh::Given(value) => value,
    };
    if store.holds(path, &value)? {
        bail!("`{path}` has that value already; nothing was changed");
    }
    put_listed(root, store, path, &value, date)
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
