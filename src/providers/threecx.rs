//! A 3CX V20 telephone system over its Configuration API (XAPI).
//!
//! Fields of a resource have the inventory's own words and forms, so that a plan reads like the YAML and an
//! import is the observation written down. What an object is called in XAPI stays in its file under `kinds/`.

use std::path::PathBuf;

use futures::future::BoxFuture;

use super::{Fault, Job, Lookup, Provider, Reach, Site};
use crate::inventory::{At, Inventory, Pbx};
use crate::model::{Change, Collection, Objection, Observed, Owns, Report, Target, Wish};
use crate::transport::{Reading, Writing};

mod apply;
mod conflicts;
mod desire;
mod directory;
mod fault;
mod forms;
pub mod history;
mod kind;
mod kinds;
mod objections;
mod observe;
mod references;
mod yaml;

pub use kinds::{kinds, user_list};
pub use yaml::{Import, import, import_whole};

/// The kind of target.
pub const KIND: &str = "pbx";
const RANK: u8 = 40;

/// The collections, in the order their objects are made in: what others refer to first.
const COLLECTIONS: &[Collection] = &[
    Collection { owns: Owns::Whole, ..row("prompt", 1, &[]) },
    row("department", 2, &[]),
    row("extension", 3, &["voicemail_pin"]),
    row("sbc", 4, &["password"]),
    row("ring_group", 5, &[]),
    row("queue", 5, &[]),
    row("ivr", 5, &[]),
    row("holiday", 6, &[]),
    row("trunk", 7, &["password"]),
    row("inbound_rule", 8, &[]),
    Collection { owns: Owns::Whole, ..row("caller_rule", 8, &[]) },
    row("outbound_rule", 8, &[]),
    row("live_chat", 9, &[]),
    row("contact", 10, &[]),
    row("directory_contact", 10, &[]),
    row("phonebook", 10, &[]),
];

const fn row(name: &'static str, rank: u8, write_only: &'static [&'static str]) -> Collection {
    Collection { name, owns: Owns::Kept, rank, wakes_on_delete: None, write_only }
}

/// The provider of 3CX systems.
pub struct ThreeCxProvider {
    /// The repository: prompts are read from it.
    root: PathBuf,
    /// The time it is: licences expire.
    now: jiff::Timestamp,
}

impl ThreeCxProvider {
    /// The provider for a repository at a time.
    pub fn new(root: PathBuf, now: jiff::Timestamp) -> Self {
        Self { root, now }
    }
}

impl Provider for ThreeCxProvider {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let site = |(name, pbx): (&String, &At<Pbx>)| {
            let labels = [("kind", KIND), ("name", name.as_str()), ("model", "3cx")];
            let site = pbx.site.iter().map(|site| ("site", site.as_str()));
            Site {
                target: Target::new(KIND, name.as_str()),
                reach: Reach::Http {
                    url: pbx.url.value.clone(),
                    client_id: pbx.client_id.clone(),
                    client_secret: pbx.client_secret.secret.clone(),
                    ca: pbx.ca.as_ref().map(|ca| ca.value.clone()),
                },
                labels: labels.into_iter().chain(site).map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            }
        };
        inventory.pbx.iter().map(site).collect()
    }

    fn desire(
        &self,
        inventory: &Inventory,
        target: &Target,
        lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        desire::wish(inventory, target, lookup, &self.root)
    }

    fn observe<'a>(&'a self, wish: &'a Wish, hand: Reading<'a>) -> BoxFuture<'a, Observed> {
        Box::pin(observe::observe(wish, hand, self.now))
    }

    fn objections(&self, wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
        objections::objections(wish, observed, changes)
    }

    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()> {
        Box::pin(apply::apply(job, hand, report, &self.root))
    }
}
