//! From changes to orders. The list of sensors is written once, with the first change of a sensor.

use std::collections::BTreeSet;

use super::{NETWORK_SERVER, RELAY, api, lorawan, relay, sensor, unit};
use crate::host::{Order, ServiceAct};
use crate::model::{Action, Change};
use crate::providers::{Job, placed};

/// The orders of each change, in the order of the changes.
pub(super) fn of(job: &Job<'_>) -> Vec<Vec<Order>> {
    let base = unit::base(job.wish);
    let mut list = Some(());
    let mut folders = folders(job);
    job.changes
        .iter()
        .map(|change| match change.address.key.collection.as_str() {
            "lorawan" => settings(job, change, base),
            "sensor" => {
                let list = list
                    .take()
                    .map(|()| api::send("PUT", base, "loraNetwork/whitelist", Some(&sensor::list(job))));
                list.into_iter().chain(forget(job, change, base)).collect()
            }
            "file" => std::mem::take(&mut folders).into_iter().chain(file(job, change)).collect(),
            "saved" => vec![api::send("POST", base, "command/save", None)],
            "service" if change.address.key.name == NETWORK_SERVER => {
                vec![api::send("POST", base, "lora/restart", None)]
            }
            "service" => service(job, change),
            _ => Vec::new(),
        })
        .collect()
}

fn settings(job: &Job<'_>, change: &Change, base: &str) -> Vec<Order> {
    let (Some(wished), Some(differing)) = (job.wish.resources.get(&change.address.key), &change.after) else {
        return Vec::new();
    };
    let seen = job.observed.resources.get(&change.address.key);
    let tree = lorawan::request(&wished.fields, differing, seen);
    vec![api::send("PUT", base, "loraNetwork", Some(&tree))]
}

/// Removes what the network server remembers of a sensor that goes.
fn forget(job: &Job<'_>, change: &Change, base: &str) -> Option<Order> {
    if change.action != Action::Delete {
        return None;
    }
    let row = sensor::row(job.observed.resources.get(&change.address.key)?)?;
    Some(api::send("DELETE", base, &format!("lora/devices/{row}"), None))
}

/// The folders of the files that are to be made, outermost first.
fn folders(job: &Job<'_>) -> Vec<Order> {
    let mut folders = BTreeSet::new();
    for change in job.changes.iter().filter(|change| change.after.is_some()) {
        let mut path = change.address.key.name.as_str();
        while let Some((parent, _)) = path.rsplit_once('/')
            && parent.starts_with(relay::HOME)
        {
            folders.insert(parent);
            path = parent;
        }
    }
    folders.into_iter().map(directory).collect()
}

fn directory(path: &str) -> Order {
    Order::Directory {
        path: path.to_owned(),
        mode: "0755".to_owned(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
    }
}

fn file(job: &Job<'_>, change: &Change) -> Option<Order> {
    let path = change.address.key.name.as_str();
    match (&change.after, job.wish.resources.get(&change.address.key)) {
        (Some(differing), Some(wished)) => placed::order(path, &wished.fields, differing),
        _ => Some(Order::Remove { path: path.to_owned() }),
    }
}

fn service(job: &Job<'_>, change: &Change) -> Vec<Order> {
    let watch: Vec<String> = job
        .wish
        .resources
        .keys()
        .filter(|key| key.collection == "file")
        .map(|key| key.name.clone())
        .collect();
    let order = |act| Order::Service { name: RELAY.to_owned(), act, watch: watch.clone() };
    if change.action == Action::Delete {
        return vec![order(ServiceAct::Stop), order(ServiceAct::Disable)];
    }
    let differs = |name| change.after.as_ref().is_some_and(|after| after.contains_key(name));
    let mut orders = Vec::new();
    if change.action != Action::Wake && differs("enabled") {
        orders.push(order(ServiceAct::Enable));
    }
    orders.push(order(ServiceAct::Restart));
    orders
}
