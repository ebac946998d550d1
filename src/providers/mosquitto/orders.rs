//! From changes to orders. A new configuration is tried before any of its files is put in place.

use std::collections::{BTreeMap, BTreeSet};

use super::desire::{service_key, watched};
use super::{FOLDER, PASSWD, SERVICE, candidate, firewall, lockout, passwd};
use crate::host::{Order, ServiceAct, files, packages, services};
use crate::model::{Action, Change, Fields, Impact, Key, Secret, Value};
use crate::providers::Job;

/// The orders of each change, in the order of the changes.
pub(super) fn of(job: &Job<'_>) -> Vec<Result<Vec<Order>, String>> {
    let mut passwords = job.changes.iter().any(|change| is(change, "account")).then(|| passwords(job));
    let mut staged = contents(job);
    if let Some(lines) = &passwords {
        staged.insert(PASSWD, lines.clone());
    }
    // A file's mode or a listener that must close need no trial.
    let mut before = if staged.is_empty() { Vec::new() } else { prepare(job, &staged) };
    let mut orders = |change: &Change| -> Result<Vec<Order>, String> {
        let own = match change.address.key.collection.as_str() {
            "package" => return Ok(vec![packages::order(change)]),
            "account" => passwords.take().map(|lines| put_passwords(job, lines)).into_iter().collect(),
            "file" => vec![files::order(change, job.wished(change))?],
            "service" => return Ok(service(job, change)),
            firewall::COLLECTION => return Ok(firewall::orders(change)),
            firewall::FILES => {
                return firewall::file_orders(change, job.wished(change), firewall::is_live(job.wish));
            }
            lockout::COLLECTION => return Ok(lockout::orders(job, change)),
            lockout::FILES => {
                let live = job.wish.resources.contains_key(&service_key());
                return lockout::file_orders(change, job.wished(change), live);
            }
            // A listener is closed by the configuration and the restart it wakes.
            _ => return Ok(Vec::new()),
        };
        Ok(std::mem::take(&mut before).into_iter().chain(own).collect())
    };
    job.changes.iter().map(&mut orders).collect()
}

fn is(change: &Change, collection: &str) -> bool {
    change.address.key.collection == collection
}

/// The contents that are to change, by path.
fn contents<'a>(job: &Job<'a>) -> BTreeMap<&'a str, Secret> {
    let differs = |change: &&Change| {
        is(change, "file") && change.after.as_ref().is_some_and(|after| after.contains_key("content"))
    };
    job.changes
        .iter()
        .filter(differs)
        .filter_map(|change| Some((change.address.key.name.as_str(), files::bytes(job.wished(change))?)))
        .collect()
}

fn prepare(job: &Job<'_>, staged: &BTreeMap<&str, Secret>) -> Vec<Order> {
    let mut orders = vec![files::folder(FOLDER)];
    // Under a prefix the target's own programs cannot be run.
    if job.wish.resources.contains_key(&service_key()) {
        orders.extend(candidate::trial(job, staged));
    }
    orders
}

/// The password file after all changes of accounts: fresh lines for those that are new or changed, the
/// others as they are.
fn passwords(job: &Job<'_>) -> Secret {
    let changed: BTreeMap<&Key, Action> =
        job.changes.iter().map(|change| (&change.address.key, change.action)).collect();
    let keys: BTreeSet<&Key> = job.wish.resources.keys().chain(job.observed.resources.keys()).collect();
    let mut file = Vec::new();
    for key in keys.into_iter().filter(|key| key.collection == "account") {
        let line = match changed.get(key) {
            Some(Action::Delete) => None,
            Some(_) => fresh_line(&key.name, job.wish.resources.get(key).map(|wished| &wished.fields)),
            None => job.observed.resources.get(key).and_then(passwd::seen_line).map(<[u8]>::to_vec),
        };
        if let Some(line) = line {
            file.extend(line);
            file.push(b'\n');
        }
    }
    Secret::new(file, "password file")
}

fn fresh_line(name: &str, wished: Option<&Fields>) -> Option<Vec<u8>> {
    match wished?.get("password") {
        Some(Value::Secret(password)) => Some(passwd::new_line(name, password).into_bytes()),
        _ => None,
    }
}

fn put_passwords(job: &Job<'_>, content: Secret) -> Order {
    let file = job.wish.resources.get(&Key::new("file", PASSWD));
    let owner = file.and_then(|file| file.fields.get("owner")).and_then(Value::as_text).unwrap_or("root");
    Order::Put {
        path: PASSWD.to_owned(),
        content,
        mode: "0640".to_owned(),
        owner: owner.to_owned(),
        group: "mosquitto".to_owned(),
    }
}

fn service(job: &Job<'_>, change: &Change) -> Vec<Order> {
    let reload = change.action == Action::Wake && reload_suffices(job, change);
    let refresh = if reload { ServiceAct::Reload } else { ServiceAct::Restart };
    // What else changes may be what the service reads.
    let others = ["service", firewall::COLLECTION, firewall::FILES, lockout::COLLECTION, lockout::FILES];
    let touched = job.changes.iter().any(|change| !others.iter().any(|other| is(change, other)));
    services::orders(SERVICE, &watched(), change, refresh, touched)
}

/// Whether every cause is of the kind that Mosquitto takes up on its reload signal
/// (`mosquitto.conf(5)`, "Reloaded on reload signal"): accounts, ACL, certificates of MQTT listeners.
fn reload_suffices(job: &Job<'_>, change: &Change) -> bool {
    change.because.iter().all(|cause| match job.wish.resources.get(cause) {
        Some(wished) => matches!(wished.impact, Impact::Reload(_)),
        None => cause.collection == "account",
    })
}
