//! MultiTech Conduit (MTCDT, mPower). Everything goes over SSH: files and services directly, the LoRaWAN
//! network server through the gateway's REST API on its own loopback, which asks for no login there.
//!
//! What differs between firmwares is told in ARCHITECTURE.md, "Firmwares of the Conduit". mLinux has no REST
//! API: there its collections stay unread with that reason.

mod api;
pub mod bootstrap;
mod desire;
pub mod heard;
mod key;
pub mod live;
mod lorawan;
mod observe;
mod orders;
mod put_back;
mod relay;
mod sensor;
mod unit;

use std::collections::BTreeMap;

use futures::future::BoxFuture;

pub use self::relay::probe_command;

use super::{Fault, Job, Lookup, PageThenAndNow, Provider, Site};
use crate::host::{Order, changes, files};
use crate::inventory::{At, Gateway, Inventory};
use crate::model::{Change, Collection, Fields, Key, Objection, Observed, Owns, Report, Target, Wish};
use crate::transport::{Reading, Writing};

const KIND: &str = "gateway";
const RANK: u8 = 30;

/// The network server, as a service.
const NETWORK_SERVER: &str = "lora";
/// The relay, as a service.
const RELAY: &str = "rocade-relay";

const COLLECTIONS: &[Collection] = &[
    row("unit", Owns::Listed, 0, None, &[]),
    row("lorawan", Owns::Listed, 1, None, &["network_key"]),
    row("sensor", Owns::Whole, 2, Some(("service", NETWORK_SERVER)), &["app_key"]),
    row("file", Owns::Whole, 3, Some(("service", RELAY)), &[]),
    row("saved", Owns::Listed, 8, None, &[]),
    row("service", Owns::Whole, 9, None, &[]),
];

const fn row(
    name: &'static str,
    owns: Owns,
    rank: u8,
    wakes_on_delete: Option<(&'static str, &'static str)>,
    write_only: &'static [&'static str],
) -> Collection {
    Collection { name, owns, rank, wakes_on_delete, write_only }
}

/// The provider of MultiTech Conduits.
pub struct ConduitProvider;

impl Provider for ConduitProvider {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let site = |(name, gateway): (&String, &At<Gateway>)| {
            let labels = [("site", gateway.site.as_str()), ("model", "multitech-conduit")];
            let site = Site::host(KIND, name, &gateway.address, &gateway.ssh, gateway.root.as_ref(), &labels);
            site.behind(gateway.interface_to(&gateway.address))
        };
        inventory.gateways.iter().map(site).collect()
    }

    fn desire(
        &self,
        inventory: &Inventory,
        target: &Target,
        lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        desire::wish(inventory, target, lookup)
    }

    fn objections(&self, wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
        super::clock::objections(wish, observed, changes)
    }

    fn observe<'a>(&'a self, wish: &'a Wish, hand: Reading<'a>) -> BoxFuture<'a, Observed> {
        Box::pin(observe::all(wish, hand))
    }

    fn contents<'a>(
        &'a self,
        keys: &'a [Key],
        hand: Reading<'a>,
    ) -> BoxFuture<'a, anyhow::Result<BTreeMap<Key, Fields>>> {
        Box::pin(files::contents(keys, &["file"], &[], hand))
    }

    fn put_back(&self, wish: &Wish, pages: &BTreeMap<String, PageThenAndNow>) -> Result<Vec<Order>, String> {
        put_back::orders(wish, pages)
    }

    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let orders = orders::of(&job);
            changes::carry_out(job.changes, orders, hand, report).await;
        })
    }
}
