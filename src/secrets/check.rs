//! What is wrong with the secrets as a whole: all findings at once, by name and place, never by value.

use std::collections::BTreeSet;
use std::fmt;

use super::store::{Place, Store};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It does not open: damaged, moved, or encrypted to others.
    Unopened {
        /// The secret.
        path: String,
        /// Where it stands.
        place: Place,
        /// Why, in one line.
        reason: String,
    },
    /// It opens, and is not encrypted to exactly the present recipients.
    Stale {
        /// The secret.
        path: String,
        /// Where it stands.
        place: Place,
        /// Recipients who cannot open it.
        missing: Vec<String>,
        /// Who can open it and is no recipient (any more).
        extra: Vec<String>,
    },
    /// Nothing in the inventory refers to it.
    Unused {
        /// The secret.
        path: String,
        /// Where it stands.
        place: Place,
    },
    /// The inventory refers to it and it is not there.
    Missing {
        /// The secret.
        path: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Unopened { place, reason, .. } => write!(f, "{place}: {reason}"),
            Finding::Stale { path, place, missing, extra } => {
                write!(f, "{place}: `{path}` is not encrypted to the present recipients")?;
                if !missing.is_empty() {
                    write!(f, "; {} cannot open it", missing.join(", "))?;
                }
                if !extra.is_empty() {
                    write!(f, "; {} still can", extra.join(", "))?;
                }
                Ok(())
            }
            Finding::Unused { path, place } => write!(f, "{place}: nothing refers to `{path}`"),
            Finding::Missing { path } => write!(f, "`{path}` is referred to and not there"),
        }
    }
}

impl Store {
    /// Opens every secret and holds the names against those an inventory refers to.
    ///
    /// # Errors
    /// When there is no identity to open with, or `recipients.txt` is damaged.
    pub fn check<'a>(&self, referred: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Vec<Finding>> {
        self.identities()?;
        let recipients: BTreeSet<String> = self.recipients()?.iter().map(|one| one.key()).collect();
        let referred: BTreeSet<&str> = referred.into_iter().collect();
        let mut findings = Vec::new();
        for path in self.paths() {
            let Some(place) = self.place(&path) else { continue };
            match self.opened(&path) {
                Err(error) => {
                    let reason = format!("{:#}", error.root_cause());
                    findings.push(Finding::Unopened { path: path.clone(), place: place.clone(), reason });
                }
                Ok(opened) => {
                    let sealed_to: BTreeSet<String> = opened.recipients.iter().cloned().collect();
                    let missing: Vec<String> = recipients.difference(&sealed_to).cloned().collect();
                    let extra: Vec<String> = sealed_to.difference(&recipients).cloned().collect();
                    if !missing.is_empty() || !extra.is_empty() {
                        let (path, place) = (path.clone(), place.clone());
                        findings.push(Finding::Stale { path, place, missing, extra });
                    }
                }
            }
            if !referred.contains(path.as_str()) {
                findings.push(Finding::Unused { path, place });
            }
        }
        let missing = referred.into_iter().filter(|path| !self.has(path));
        findings.extend(missing.map(|path| Finding::Missing { path: path.to_owned() }));
        Ok(findings)
    }
}
