//! What is wrong with the secrets as a whole: all findings at once, by name and place, never by value.

use std::collections::BTreeSet;
use std::fmt;

use super::ledger::{self, Ledger};
use super::recipients::{self, Recipient, Recipients};
use super::store::{Place, Store};
use super::{FOLDER, envelope, keys};

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
    /// It cannot be opened here, and is not encrypted to as many as there are recipients.
    Counted {
        /// The secret.
        path: String,
        /// Where it stands.
        place: Place,
        /// To how many it is encrypted.
        sealed_to: usize,
        /// How many recipients there are.
        recipients: usize,
    },
    /// It is encrypted to what rocade does not know: a passphrase, an SSH key, a plugin's recipient.
    Foreign {
        /// The secret.
        path: String,
        /// Where it stands.
        place: Place,
        /// The kinds.
        kinds: Vec<String>,
    },
    /// There are fewer recipients than the policy in `recipients.txt` asks for.
    Few {
        /// Where it says so.
        place: Place,
        /// How many it asks for.
        at_least: usize,
        /// How many there are.
        found: usize,
    },
    /// People who left know values that were not changed since.
    Known {
        /// The first of them in the ledger.
        place: Place,
        /// Their names.
        paths: Vec<String>,
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
            Finding::Counted { path, place, sealed_to, recipients } => write!(
                f,
                "{place}: `{path}` is not encrypted to the present recipients: it opens for {sealed_to}, and \
                 recipients.txt names {recipients}"
            ),
            Finding::Foreign { path, place, kinds } => {
                write!(f, "{place}: `{path}` is also encrypted to what is no recipient: {}", kinds.join(", "))
            }
            Finding::Few { place, at_least, found } => {
                write!(f, "{place}: at least {at_least} recipients are asked for, and there are {found}")
            }
            Finding::Known { place, paths } => {
                let shown: Vec<&str> = paths.iter().take(3).map(String::as_str).collect();
                let more = if paths.len() > shown.len() { ", ..." } else { "" };
                let (number, shown) = (paths.len(), shown.join(", "));
                let (values, are) = if number == 1 { ("value", "is") } else { ("values", "are") };
                write!(
                    f,
                    "{place}: {number} {values} that people who left know {are} still to be changed: {shown}{more}"
                )
            }
            Finding::Unused { path, place } => write!(f, "{place}: nothing refers to `{path}`"),
            Finding::Missing { path } => write!(f, "`{path}` is referred to and not there"),
        }
    }
}

impl Finding {
    /// Its stable name, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Finding::Unopened { .. } => "secret-unopened",
            Finding::Stale { .. } | Finding::Counted { .. } | Finding::Foreign { .. } => "secret-recipients",
            Finding::Few { .. } => "few-recipients",
            Finding::Known { .. } => "known-to-leavers",
            Finding::Unused { .. } => "unused-secret",
            Finding::Missing { .. } => "missing-secret",
        }
    }

    /// Where it is, unless it is about what is not there.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Finding::Unopened { place, .. }
            | Finding::Stale { place, .. }
            | Finding::Counted { place, .. }
            | Finding::Foreign { place, .. }
            | Finding::Few { place, .. }
            | Finding::Known { place, .. }
            | Finding::Unused { place, .. } => Some(place),
            Finding::Missing { .. } => None,
        }
    }

    /// Whether it is something to look at, not something wrong.
    pub fn is_warning(&self) -> bool {
        matches!(self, Finding::Known { .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Finding::Stale { .. } | Finding::Counted { .. } | Finding::Foreign { .. } => {
                Some("let one who can open the secrets run `rocade secrets rekey`")
            }
            Finding::Few { .. } => Some("add one with `rocade secrets rekey --add RECIPIENT --name WHO`"),
            Finding::Known { .. } => Some("`rocade secrets rotate` lists them and changes them one by one"),
            Finding::Unopened { .. } => Some("take it back from git, or set it again"),
            Finding::Unused { .. } => Some("`rocade secrets remove` takes it out"),
            Finding::Missing { .. } => None,
        }
    }
}

/// One ciphertext of the repository and where it stands.
struct Standing {
    path: String,
    place: Place,
    sealed: Vec<u8>,
}

impl Store {
    /// Holds the recipients and the ledger of what is to be changed against what is there. With an identity of
    /// a recipient at hand, values are opened to see to whom they are encrypted, as many as `open_at_most`;
    /// of the others the number of recipients must be right, which needs no identity.
    ///
    /// # Errors
    /// When `recipients.txt`, a key file or the ledger is damaged.
    pub fn policy(&self, open_at_most: usize) -> anyhow::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let file = Recipients::read(&self.root)?;
        let place = |name: &str, line| Place { file: format!("{FOLDER}/{name}").into(), line };
        if let Some((at_least, line)) = file.at_least.filter(|(least, _)| *least > file.list.len()) {
            let place = place(recipients::FILE, line);
            findings.push(Finding::Few { place, at_least, found: file.list.len() });
        }
        let own = self.identities().ok().map(|own| own.keys.iter().map(|key| key.to_public().to_string()));
        let reads = own.is_some_and(|mut own| own.any(|own| file.list.iter().any(|one| one.key() == own)));
        let mut left = if reads { open_at_most } else { 0 };
        for standing in self.standing()? {
            let finding = self.sealed_to(&standing, &file.list, left > 0);
            left = left.saturating_sub(1);
            findings.extend(finding);
        }
        let ledger = Ledger::read(&self.root)?;
        if let Some(first) = ledger.open().next() {
            let mut paths: Vec<String> = ledger.open().map(|item| item.name.clone()).collect();
            paths.sort();
            paths.dedup();
            findings.push(Finding::Known { place: place(ledger::FILE, first.line), paths });
        }
        Ok(findings)
    }

    /// Every value and every key file, still encrypted.
    fn standing(&self) -> anyhow::Result<Vec<Standing>> {
        let mut all = Vec::new();
        for path in self.paths() {
            let Some(place) = self.place(&path) else { continue };
            // What is no base64 has no recipients at all, and is found by that.
            let sealed = self.ciphertext(&path).unwrap_or_default();
            all.push(Standing { path, place, sealed });
        }
        for key in keys::read(&self.root)? {
            let place = Place { file: key.file.into(), line: 1 };
            all.push(Standing { path: key.name, place, sealed: key.sealed.into_bytes() });
        }
        Ok(all)
    }

    /// Whether a value is encrypted to exactly these; opened when `open`.
    fn sealed_to(&self, standing: &Standing, recipients: &[Recipient], open: bool) -> Option<Finding> {
        let (path, place) = (standing.path.clone(), standing.place.clone());
        let locks = envelope::locks(&standing.sealed);
        let opened = if open { Some(self.open_sealed(&path, &standing.sealed)) } else { None };
        if let Some(Ok(opened)) = &opened {
            let expected: BTreeSet<String> = recipients.iter().map(Recipient::key).collect();
            let sealed_to: BTreeSet<String> = opened.recipients.iter().cloned().collect();
            let missing: Vec<String> = expected.difference(&sealed_to).cloned().collect();
            let extra: Vec<String> = sealed_to.difference(&expected).map(|key| key.to_owned()).collect();
            if !missing.is_empty() || !extra.is_empty() {
                return Some(Finding::Stale { path, place, missing, extra });
            }
        }
        if !locks.others.is_empty() {
            return Some(Finding::Foreign { path, place, kinds: locks.others });
        }
        if locks.own != recipients.len() {
            let (sealed_to, recipients) = (locks.own, recipients.len());
            return Some(Finding::Counted { path, place, sealed_to, recipients });
        }
        match opened {
            Some(Err(error)) => {
                Some(Finding::Unopened { path, place, reason: format!("{:#}", error.root_cause()) })
            }
            _ => None,
        }
    }

    /// Opens every secret and key and holds the names against those an inventory refers to.
    ///
    /// # Errors
    /// When there is no identity to open with, or `recipients.txt` is damaged.
    pub fn check<'a>(&self, referred: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Vec<Finding>> {
        self.identities()?;
        let referred: BTreeSet<&str> = referred.into_iter().collect();
        let mut findings = self.policy(usize::MAX)?;
        let own = self.identities()?.keys.iter().map(|key| key.to_public().to_string()).collect::<Vec<_>>();
        let reads = self.recipients()?.iter().any(|one| own.contains(&one.key()));
        for path in self.paths() {
            let Some(place) = self.place(&path) else { continue };
            let is_found = |finding: &Finding| finding.place() == Some(&place);
            if !reads
                && !findings.iter().any(is_found)
                && let Err(error) = self.opened(&path)
            {
                let reason = format!("{:#}", error.root_cause());
                findings.push(Finding::Unopened { path: path.clone(), place: place.clone(), reason });
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
