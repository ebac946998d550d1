//! From changes to orders. The list of sensors is written once, with the first change of a sensor.

use std::collections::BTreeSet;

use super::{NETWORK_SERVER, RELAY, api, lorawan, relay, sensor, unit};
use crate::host::{Order, ServiceAct, files, services};
use crate::model::{Action, Change, Fields, Wish};
use crate::providers::Job;

/// The orders of each change, in the order of the changes.
pub(super) fn of(job: &Job<'_>) -> Vec<Result<Vec<Order>, String>> {
    let base = unit::base(job.wish);
    let mut folders = folders(job);
    let mut listed = false;
    let mut orders = |change: &Change| -> Result<Vec<Order>, String> {
        Ok(match change.address.key.collection.as_str() {
            "lorawan" => vec![settings(job, change, base)],
            "sensor" => {
                let list = (!std::mem::replace(&mut listed, true)).then(|| list(job, base));
                list.into_iter().chain(forget(job, change, base)).collect()
            }
            "file" => {
                let own = files::order(change, job.wished(change))?;
                std::mem::take(&mut folders).into_iter().chain([own]).collect()
            }
            "saved" => vec![api::send("POST", base, "command/save", None)],
            "service" if change.address.key.name == NETWORK_SERVER => {
                vec![api::send("POST", base, "lora/restart", None)]
            }
            "service" => {
                let touched = job.changes.iter().any(|other| other.address.key.collection == "file");
                services::orders(RELAY, &watched(job.wish), change, ServiceAct::Restart, touched)
            }
            _ => Vec::new(),
        })
    };
    job.changes.iter().map(&mut orders).collect()
}

/// The files the relay reads when it starts.
pub(super) fn watched(wish: &Wish) -> Vec<String> {
    wish.resources.keys().filter(|key| key.collection == "file").map(|key| key.name.clone()).collect()
}

fn list(job: &Job<'_>, base: &str) -> Order {
    api::send("PUT", base, "loraNetwork/whitelist", Some(&sensor::list(job)))
}

fn settings(job: &Job<'_>, change: &Change, base: &str) -> Order {
    static NOTHING: Fields = Fields::new();
    let differing = change.after.as_ref().unwrap_or(&NOTHING);
    let seen = job.observed.resources.get(&change.address.key);
    api::send("PUT", base, "loraNetwork", Some(&lorawan::request(job.wished(change), differing, seen)))
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
    folders.into_iter().map(files::folder).collect()
}
