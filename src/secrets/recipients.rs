//! `recipients.txt`: who can open the secrets, one age recipient a line, `# name` behind it.
//!
//! A line is never echoed: a private key pasted here by mistake must not travel further.

use std::path::Path;

use anyhow::{Context, bail};

use super::FOLDER;
use crate::repository;

const FILE: &str = "recipients.txt";

/// One who can open the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    key: age::x25519::Recipient,
    /// The words behind `#` on its line.
    pub name: Option<String>,
}

impl Recipient {
    /// The public key, `age1...`.
    pub fn key(&self) -> String {
        self.key.to_string()
    }

    pub(super) fn as_age(&self) -> &dyn age::Recipient {
        &self.key
    }
}

/// Those who can open the secrets of a repository, in the order of the file; none when there is no file.
///
/// # Errors
/// When a line is no age recipient or names one twice: with its place.
pub fn recipients(root: &Path) -> anyhow::Result<Vec<Recipient>> {
    let text = repository::read(&root.join(FOLDER).join(FILE))?.unwrap_or_default();
    let mut found: Vec<Recipient> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{FOLDER}/{FILE}:{}", index + 1);
        let (key, name) = match line.split_once('#') {
            Some((key, name)) => (key.trim(), Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
            None => (line.trim(), None),
        };
        if key.is_empty() {
            continue;
        }
        let key: age::x25519::Recipient =
            key.parse().map_err(|_| anyhow::anyhow!("{place}: this is not an age recipient (`age1...`)"))?;
        if found.iter().any(|other| other.key == key) {
            bail!("{place}: {key} stands in this file twice");
        }
        found.push(Recipient { key, name });
    }
    Ok(found)
}

/// Adds a recipient at the end of the file. What is encrypted already is not opened by it before a rekey.
///
/// # Errors
/// When it is no age recipient, when it is there already, or when the file cannot be written.
pub fn enrol(root: &Path, recipient: &str, name: Option<&str>) -> anyhow::Result<()> {
    let key: age::x25519::Recipient =
        recipient.parse().map_err(|_| anyhow::anyhow!("this is not an age recipient (`age1...`)"))?;
    if recipients(root)?.iter().any(|other| other.key == key) {
        bail!("{key} is a recipient already");
    }
    if name.is_some_and(|name| name.contains(char::is_control)) {
        bail!("a recipient's name stands on one line");
    }
    let path = root.join(FOLDER).join(FILE);
    let mut text = repository::read(&path)?.unwrap_or_else(|| {
        "# Who can open the secrets: one age recipient a line, `# name` behind it.\n".into()
    });
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&key.to_string());
    if let Some(name) = name {
        text.push_str("  # ");
        text.push_str(name);
    }
    text.push('\n');
    repository::replace(&path, text.as_bytes()).context("adding a recipient")
}
