//! Any other Linux host of the chain: packages, files, and the services that read them. What the inventory
//! does not name is not looked at.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use super::{Fault, Job, Lookup, Provider, Site};
use crate::host::{Answer, Ask, Order, ServiceAct, changes, files, packages, services};
use crate::inventory::{At, Host, Inventory, SBC_FILE};
use crate::model::{Change, Collection, Fields, Key, Objection, Observed, Owns, Report, Target, Value, Wish};
use crate::transport::{Reading, Writing};

mod desire;
mod sbc;

use sbc::{SBC, SYSTEM};

const KIND: &str = "host";
const RANK: u8 = 20;

const PACKAGE: &str = "package";
const FILE: &str = "file";
const SERVICE: &str = "service";

const COLLECTIONS: &[Collection] = &[row(PACKAGE, 1), row(FILE, 2), row(SBC, 3), row(SERVICE, 9)];

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

    fn objections(&self, wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
        sbc::objections(wish, observed, changes)
    }

    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let orders = job.changes.iter().map(|change| orders(&job, change)).collect();
            changes::carry_out(job.changes, orders, hand, report).await;
        })
    }
}

/// The files a service reads, as far as the wish says.
fn watched(wish: &Wish, service: &Key) -> Vec<String> {
    let reads = wish.resources.iter().filter(|(_, resource)| resource.wakes.as_ref() == Some(service));
    reads.map(|(key, _)| if key.collection == SBC { SBC_FILE.to_owned() } else { key.name.clone() }).collect()
}

/// What is asked for a resource.
fn asks(wish: &Wish, key: &Key) -> Vec<Ask> {
    let (name, path) = (key.name.clone(), SBC_FILE.to_owned());
    match key.collection.as_str() {
        PACKAGE => vec![Ask::Package { name }],
        FILE => vec![Ask::File { path: name }],
        SBC => vec![Ask::File { path: path.clone() }, Ask::Content { path }],
        SERVICE => vec![Ask::Service { name, watch: watched(wish, key) }],
        _ => Vec::new(),
    }
}

async fn observe(wish: &Wish, hand: Reading<'_>) -> Observed {
    let own = wish.resources.keys().flat_map(|key| asks(wish, key).into_iter().map(move |ask| (key, ask)));
    let (keys, mut questions): (Vec<&Key>, Vec<Ask>) = own.unzip();
    questions.insert(0, Ask::Facts);
    let mut answers = match hand.ask(&questions).await {
        Ok(answers) => answers.into_iter(),
        Err(error) => return Observed::unreachable(wish.target.clone(), format!("{error:#}")),
    };
    let mut observed = Observed::new(wish.target.clone());
    if let Some(Answer::Facts(facts)) = answers.next() {
        observed.title = title(&facts);
        let os = facts.get("os").map_or("", String::as_str);
        observed.resources.insert(Key::new(SYSTEM, "os"), [("id".to_owned(), os.into())].into());
    }
    for (key, answer) in keys.into_iter().zip(answers) {
        let seen = match answer {
            Answer::Version(version) => version.as_deref().map(packages::seen),
            Answer::File(facts) if key.collection == SBC => facts.as_ref().map(|facts| {
                [("owner", &facts.owner), ("group", &facts.group)]
                    .map(|(name, value)| (name.to_owned(), Value::text(value.as_str())))
                    .into()
            }),
            Answer::File(facts) => facts.as_ref().map(files::seen),
            Answer::Content(content) if key.collection == SBC => content.as_ref().map(sbc::seen),
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
        let Some(seen) = seen else { continue };
        observed.resources.entry(key.clone()).or_default().extend(seen);
    }
    sbc::judge(&mut observed);
    observed
}

/// Such as `Debian GNU/Linux 12 (bookworm)`, or `debian 12` where the host says no more.
fn title(facts: &BTreeMap<String, String>) -> String {
    let fact = |name: &str| facts.get(name).map_or("", String::as_str);
    match fact("title") {
        "" => format!("{} {}", fact("os"), fact("version")).trim().to_owned(),
        title => title.to_owned(),
    }
}

fn orders(job: &Job<'_>, change: &Change) -> Result<Vec<Order>, String> {
    let key = &change.address.key;
    let wished = job.wish.resources.get(key).map(|resource| &resource.fields);
    let wished = wished.ok_or_else(|| format!("nothing is wished of {key}"))?;
    match key.collection.as_str() {
        PACKAGE => Ok(vec![packages::order(change)]),
        FILE => files::order(change, wished).map(|order| vec![order]),
        SBC => sbc::order(key, wished, job.observed).map(|order| vec![order]),
        _ => {
            let read = |change: &Change| {
                let resource = job.wish.resources.get(&change.address.key);
                resource.is_some_and(|resource| resource.wakes.as_ref() == Some(key))
            };
            let touched = job.changes.iter().any(read);
            let watch = watched(job.wish, key);
            Ok(services::orders(&key.name, &watch, change, ServiceAct::Restart, touched))
        }
    }
}
