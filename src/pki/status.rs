//! How the leaves stand, on disk and against the names the inventory gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::{
    Certificate, Share, is_revoked, issuing_certificate, leaf_certificate, leaf_names, root_certificate,
};

/// One leaf.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name it is kept under.
    pub name: String,
    /// How it stands.
    pub state: State,
}

/// How a leaf stands.
#[derive(Clone, Debug)]
pub enum State {
    /// The inventory wants it and there is none.
    Missing,
    /// It is there and cannot be read: why.
    Damaged(String),
    /// It is there.
    Held {
        /// What it says of itself.
        certificate: Box<Certificate>,
        /// Whole days until its end; negative when it is over.
        days_left: i64,
        /// It is to be renewed now.
        due: bool,
        /// It was issued by another authority than the one that issues now.
        foreign: bool,
        /// It was revoked.
        revoked: bool,
        /// The names of the inventory when they are not the certificate's; empty when the inventory does
        /// not want it at all.
        wished_names: Option<Vec<String>>,
    },
}

/// All leaves that are there or wished, by name. `wished` has the names of each in their one spelling.
///
/// # Errors
/// When `pki/` or the root certificate cannot be read.
pub fn status(
    repository: &Path,
    wished: &BTreeMap<String, Vec<String>>,
    renew_at: Share,
    now: Timestamp,
) -> anyhow::Result<Vec<Row>> {
    let issuer = issuing_certificate(repository)?.or(root_certificate(repository)?);
    let all: BTreeSet<String> = leaf_names(repository)?.into_iter().chain(wished.keys().cloned()).collect();
    let row = |name: String| {
        let state = match leaf_certificate(repository, &name) {
            Ok(None) => State::Missing,
            Err(error) => State::Damaged(format!("{error:#}")),
            Ok(Some(certificate)) => {
                let wished_names = match wished.get(&name) {
                    None => Some(Vec::new()),
                    Some(names) => (*names != certificate.names).then(|| names.clone()),
                };
                State::Held {
                    days_left: certificate.days_left(now),
                    due: renew_at.is_over(&certificate, now),
                    foreign: issuer.as_ref().is_none_or(|issuer| issuer.key_id != certificate.issuer_key_id),
                    revoked: is_revoked(repository, &certificate.serial).unwrap_or(false),
                    wished_names,
                    certificate: Box::new(certificate),
                }
            }
        };
        Row { name, state }
    };
    Ok(all.into_iter().map(row).collect())
}
