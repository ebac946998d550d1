//! Any other Linux host of the chain: packages, files, and the services that read them. What the inventory
//! does not name is not looked at.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use super::{Fault, Job, Lookup, Provider, Site};
use crate::host::{Answer, Ask, Order, ServiceAct, changes, files, packages, services};
use crate::inventory::{At, Host, Inventory};
use crate::model::{Change, Collection, Fields, Key, Observed, Owns, Report, Target, Wish};
use crate::transport::{Reading, Writing};

mod desire;

const KIND: &str = "host";
const RANK: u8 = 20;

const PACKAGE: &str = "package";
const FILE: &str = "file";
const SERVICE: &str = "service";

const COLLECTIONS: &[Collection] = &[row(PACKAGE, 1), row(FILE, 2), row(SERVICE, 9)];

const fn row(name: &'static str, rank: u8) -> Collection {
    Collection { name, owns: Owns::Listed, rank, wakes_on_delete: None, write_only: &[] }
}

/// The provider of plain Linux hosts.
pub struct LinuxProvider;

impl Provider for LinuxProvider {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let site = |(name, host): (&String, &At<Host>)| {
            let labels: Vec<_> = host.site.iter().map(|site| ("site", site.as_str())).collect();
            Site::host(KIND, name, &host.address, &host.ssh, host.root.as_ref(), &labels)
        };
        inventory.hosts.iter().map(site).collect()
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
        Box::pin(observe(wish, hand))
    }

    fn contents<'a>(
        &'a self,
        keys: &'a [Key],
        hand: Reading<'a>,
    ) -> BoxFuture<'a, anyhow::Result<BTreeMap<Key, Fields>>> {
        Box::pin(files::contents(keys, &[FILE], &[], hand))
    }

    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let orders = job.changes.iter().map(|change| orders(job.wish, change)).collect();
            changes::carry_out(job.changes, orders, hand, report).await;
        })
    }
}

/// The files a service reads, as far as the wish says.
fn watched(wish: &Wish, service: &Key) -> Vec<String> {
    let reads = wish.resources.iter().filter(|(_, resource)| resource.wakes.as_ref() == Some(service));
    reads.map(|(key, _)| key.name.clone()).collect()
}

async fn observe(wish: &Wish, hand: Reading<'_>) -> Observed {
    let keys: Vec<&Key> = wish.resources.keys().collect();
    let ask = |key: &&Key| match key.collection.as_str() {
        PACKAGE => Ask::Package { name: key.name.clone() },
        FILE => Ask::File { path: key.name.clone() },
        _ => Ask::Service { name: key.name.clone(), watch: watched(wish, key) },
    };
    let asks: Vec<Ask> = std::iter::once(Ask::Facts).chain(keys.iter().map(ask)).collect();
    let mut answers = match hand.ask(&asks).await {
        Ok(answers) => answers.into_iter(),
        Err(error) => return Observed::unreachable(wish.target.clone(), format!("{error:#}")),
    };
    let mut observed = Observed::new(wish.target.clone());
    observed.title = answers.next().map(|facts| title(&facts)).unwrap_or_default();
    for (key, answer) in keys.into_iter().zip(answers) {
        let seen = match answer {
            Answer::Version(version) => version.as_deref().map(packages::seen),
            Answer::File(facts) => facts.as_ref().map(files::seen),
            Answer::Service(facts) => facts.as_ref().map(services::seen),
            Answer::Unread(reason) => {
                observed.miss(Some(&key.collection), Some(&key.name), reason);
                None
            }
            _ => {
                observed.miss(Some(&key.collection), Some(&key.name), "the host answered another question");
                None
            }
        };
        observed.resources.extend(seen.map(|fields| (key.clone(), fields)));
    }
    observed
}

/// Such as `Debian GNU/Linux 12 (bookworm)`, or `debian 12` where the host says no more.
fn title(facts: &Answer) -> String {
    let Answer::Facts(facts) = facts else { return String::new() };
    let fact = |name: &str| facts.get(name).map_or("", String::as_str);
    match fact("title") {
        "" => format!("{} {}", fact("os"), fact("version")).trim().to_owned(),
        title => title.to_owned(),
    }
}

fn orders(wish: &Wish, change: &Change) -> Result<Vec<Order>, String> {
    let key = &change.address.key;
    let wished = wish.resources.get(key).map(|resource| &resource.fields);
    let wished = wished.ok_or_else(|| format!("nothing is wished of {key}"))?;
    match key.collection.as_str() {
        PACKAGE => Ok(vec![packages::order(change)]),
        FILE => files::order(change, wished).map(|order| vec![order]),
        _ => Ok(services::orders(&key.name, &watched(wish, key), change, ServiceAct::Restart, false)),
    }
}
