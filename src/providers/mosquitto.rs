//! Eclipse Mosquitto 2 on a Debian host. Rocade owns its configuration folder: what nobody wished goes, so
//! that no forgotten file keeps a clear-text port open.

mod account;
mod barrier;
mod candidate;
mod desire;
mod firewall;
mod grant;
mod lockout;
mod observe;
mod orders;
mod passwd;
mod version;

use std::collections::BTreeMap;

use futures::future::BoxFuture;

pub use account::{
    VERIFIER, certified_relays, minted, relay_password, relay_user, shows_certificate, verifier_password,
};
pub use grant::{Access, Grant, Reach, filter_fault, grants, reach};

use super::{Fault, Job, Lookup, Provider, Site};
use crate::host::{changes, files};
use crate::inventory::{At, Broker, Inventory};
use crate::model::{Change, Collection, Fields, Key, Objection, Observed, Owns, Report, Target, Wish};
use crate::transport::{Reading, Writing};

const KIND: &str = "broker";
const RANK: u8 = 10;
const SERVICE: &str = "mosquitto";

/// Debian's own file; it includes [`CONF_D`].
const MAIN_CONF: &str = "/etc/mosquitto/mosquitto.conf";
const CONF_D: &str = "/etc/mosquitto/conf.d";
const CONF: &str = "/etc/mosquitto/conf.d/rocade.conf";
/// The folder of the files below.
const FOLDER: &str = "/etc/mosquitto/rocade";
const ACL: &str = "/etc/mosquitto/rocade/acl";
const PASSWD: &str = "/etc/mosquitto/rocade/passwd";
const AUTHORITY: &str = "/etc/mosquitto/rocade/ca.pem";
const CERTIFICATE: &str = "/etc/mosquitto/rocade/server.pem";
const KEY: &str = "/etc/mosquitto/rocade/server.key";
const CRL: &str = "/etc/mosquitto/rocade/revoked.pem";

const COLLECTIONS: &[Collection] = &[
    row("package", Owns::Listed, 1, false),
    row("account", Owns::Whole, 2, true),
    row("file", Owns::Whole, 3, true),
    row("listener", Owns::Listed, 4, false),
    row(firewall::FILES, Owns::Whole, 5, false),
    row(firewall::COLLECTION, Owns::Whole, 6, false),
    row(lockout::FILES, Owns::Whole, 7, false),
    row("service", Owns::Listed, 9, false),
    row(lockout::COLLECTION, Owns::Listed, 10, false),
];

const fn row(name: &'static str, owns: Owns, rank: u8, wakes: bool) -> Collection {
    let wakes_on_delete = if wakes { Some(("service", SERVICE)) } else { None };
    Collection { name, owns, rank, wakes_on_delete, write_only: &[] }
}

/// Whether a change is one of what a broker shows of itself, or shows it by.
pub fn changes_shown(change: &Change) -> bool {
    let key = &change.address.key;
    key.collection == "file" && [AUTHORITY, CERTIFICATE, self::KEY].contains(&key.name.as_str())
}

/// The provider of MQTT brokers.
pub struct MosquittoProvider;

impl Provider for MosquittoProvider {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let site = |(name, broker): (&String, &At<Broker>)| {
            let root = broker.root.as_ref();
            Site::host(KIND, name, &broker.address, &broker.ssh, root, &[("model", "mosquitto")])
        };
        inventory.brokers.iter().map(site).collect()
    }

    fn desire(
        &self,
        inventory: &Inventory,
        target: &Target,
        lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        desire::wish(inventory, target, lookup)
    }

    fn observe<'a>(&'a self, wish: &'a Wish, hand: Reading<'a>) -> BoxFuture<'a, Observed> {
        Box::pin(observe::all(wish, hand))
    }

    fn suited(&self, wish: &Wish, observed: &Observed) -> Option<Wish> {
        version::suited(wish, observed)
    }

    fn objections(&self, wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
        super::clock::objections(wish, observed, changes)
    }

    fn contents<'a>(
        &'a self,
        keys: &'a [Key],
        hand: Reading<'a>,
    ) -> BoxFuture<'a, anyhow::Result<BTreeMap<Key, Fields>>> {
        Box::pin(files::contents(keys, &["file", firewall::FILES, lockout::FILES], &[ACL], hand))
    }

    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let orders = orders::of(&job);
            changes::carry_out(job.changes, orders, hand, report).await;
        })
    }
}
