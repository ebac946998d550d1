//! A new value and the list of what people who left know.

use std::path::Path;

use anyhow::bail;

use super::{Ledger, Store};

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
pub fn put_listed(
    root: &Path,
    store: &Store,
    path: &str,
    value: &[u8],
    date: &str,
) -> anyhow::Result<Listed> {
    if value.is_empty() {
        bail!("the secret `{path}` would be empty; nothing was set");
    }
    let is_listed = Ledger::read(root)?.open().any(|item| item.name == path);
    let before = if is_listed && store.has(path) { store.get(path).ok() } else { None };
    store.put(path, value)?;
    match before {
        _ if !is_listed => Ok(Listed::Not),
        Some(before) if before.reveal() != value => tick_listed(root, path, date),
        Some(_) => Ok(Listed::Same),
        None => Ok(Listed::Unclear),
    }
}

/// Ticks a line of the list.
///
/// # Errors
/// When the list cannot be read or written.
pub fn tick_listed(root: &Path, path: &str, date: &str) -> anyhow::Result<Listed> {
    if Ledger::tick(root, path, date)? == 0 {
        return Ok(Listed::Not);
    }
    Ok(Listed::Ticked(Ledger::read(root)?.open().count()))
}
