//! The repository's own files as a target: root certificate, leaves, secrets that rocade makes itself.
//!
//! It is applied before all others, because what it makes is what they are given. A root is made once and
//! never replaced by an apply: every client would have to be given the new one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::{Fault, Job, Lookup, Provider, Reach, Site};
use crate::inventory::{Authority, Inventory};
use crate::model::{Collection, Observed, Owns, Period, Report, Target, Wish};
use crate::pki::Share;
use crate::secrets::Store;
use crate::transport::{Reading, Writing};

mod apply;
mod observe;
mod wish;

const AUTHORITY: &str = "authority";
const ISSUING: &str = "issuing";
const CERTIFICATE: &str = "certificate";
const CRL: &str = "crl";
const SECRET: &str = "secret";

const COLLECTIONS: &[Collection] = &[
    row(AUTHORITY, 0, &["lifetime"]),
    row(ISSUING, 5, &["lifetime", "renew_at"]),
    row(CERTIFICATE, 10, &["lifetime", "renew_at"]),
    // After the leaves: a list is kept for each key that issued one.
    row(CRL, 15, &["lifetime", "renew_at"]),
    row(SECRET, 20, &[]),
];

const fn row(name: &'static str, rank: u8, write_only: &'static [&'static str]) -> Collection {
    Collection { name, owns: Owns::Listed, rank, wakes_on_delete: None, write_only }
}

const ROOT_LIFETIME: Period = Period(10 * 365 * 86_400);
const ISSUING_LIFETIME: Period = Period(5 * 365 * 86_400);
const LEAF_LIFETIME: Period = Period(365 * 86_400);
const CRL_LIFETIME: Period = Period(180 * 86_400);

/// The provider of the target `pki authority`.
pub struct PkiProvider {
    root: PathBuf,
    store: Arc<Store>,
    now: Timestamp,
    person: String,
}

impl PkiProvider {
    /// A provider of the repository at `root`, with its secrets and the present.
    pub fn new(root: PathBuf, store: Arc<Store>, now: Timestamp) -> Self {
        Self { root, store, now, person: String::new() }
    }

    /// The same for a person, who stands in the ledger.
    pub fn by(mut self, person: &str) -> Self {
        person.clone_into(&mut self.person);
        self
    }
}

impl Provider for PkiProvider {
    fn kind(&self) -> &'static str {
        "pki"
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let labels =
            BTreeMap::from([("kind", "pki"), ("name", AUTHORITY)].map(|(k, v)| (k.into(), v.into())));
        let site = Site { target: Target::new("pki", AUTHORITY), reach: Reach::Repository, labels };
        inventory.pki.iter().map(|_| site.clone()).collect()
    }

    fn desire(
        &self,
        inventory: &Inventory,
        target: &Target,
        lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        self.wished(inventory, target, lookup)
    }

    fn observe<'a>(&'a self, wish: &'a Wish, _hand: Reading<'a>) -> BoxFuture<'a, Observed> {
        Box::pin(async { self.read(wish) })
    }

    fn apply<'a>(
        &'a self,
        job: Job<'a>,
        _hand: Writing<'a>,
        report: &'a mut dyn Report,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.make(&job, report) })
    }
}

/// The share of a certificate's life after which it is renewed; two thirds when the inventory does not say.
///
/// # Errors
/// When it is no fraction: with its place.
pub fn renew_at(authority: &Authority) -> Result<Share, Fault> {
    match &authority.renew_at {
        None => Ok(Share::default()),
        Some(text) => text.value.parse().map_err(|fault: &str| Fault::new(fault).at(&text.place)),
    }
}

/// How long a list of revoked certificates is good for.
pub fn crl_lifetime(authority: &Authority) -> Period {
    authority.crl_lifetime.as_ref().map_or(CRL_LIFETIME, |at| *at.value)
}

/// How long the root lives.
pub fn root_lifetime(authority: &Authority) -> Period {
    authority.root_lifetime.as_ref().map_or(ROOT_LIFETIME, |at| *at.value)
}

/// How long the issuing intermediate lives.
pub fn issuing_lifetime(authority: &Authority) -> Period {
    let lifetime = authority.issuing.as_ref().and_then(|issuing| issuing.lifetime.as_ref());
    lifetime.map_or(ISSUING_LIFETIME, |at| *at.value)
}

/// The domains and networks the issuing intermediate may sign for, sorted, as a certificate has them.
pub fn only(authority: &Authority) -> Vec<String> {
    let written = authority.issuing.iter().flat_map(|issuing| &issuing.only);
    let mut only: Vec<String> = written
        .map(|text| match (text.parse::<std::net::IpAddr>(), text.split_once('/')) {
            (Ok(address), _) if address.is_ipv4() => format!("{address}/32"),
            (Ok(address), _) => format!("{address}/128"),
            (Err(_), Some((address, prefix))) => {
                let address = address.parse::<std::net::IpAddr>().map(|address| address.to_string());
                format!("{}/{prefix}", address.unwrap_or_default())
            }
            (Err(_), None) => text.to_ascii_lowercase(),
        })
        .collect();
    only.sort();
    only
}
