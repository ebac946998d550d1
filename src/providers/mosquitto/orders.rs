//! From changes to orders. A new configuration is tried before any of its files is put in place.

use std::collections::{BTreeMap, BTreeSet};

use super::desire::{service_key, watched};
use super::{FOLDER, PASSWD, SERVICE, candidate, passwd};
use crate::host::{Order, ServiceAct};
use crate::model::{Action, Change, Fields, Impact, Key, Secret, Value};
use crate::providers::{Job, placed};

/// The orders of each change, in the order of the changes.
pub(super) fn of(job: &Job<'_>) -> Vec<Vec<Order>> {
    let mut passwords = job.changes.iter().any(|change| is(change, "account")).then(|| passwords(job));
    let mut staged = contents(job);
    if let Some(lines) = &passwords {
        staged.insert(PASSWD, lines.clone());
    }
    // A file's mode or a listener that must close need no trial.
    let mut before = if staged.is_empty() { Vec::new() } else { prepare(job, &staged) };
    job.changes
        .iter()
        .map(|change| match change.address.key.collection.as_str() {
            "package" => vec![Order::Install { package: change.address.key.name.clone() }],
            "account" => {
                let mut orders = std::mem::take(&mut before);
                orders.extend(passwords.take().map(put_passwords));
                orders
            }
            "file" => {
                let mut orders = std::mem::take(&mut before);
                orders.extend(file(job, change));
                orders
            }
            "service" => service(job, change),
            // A listener is closed by the configuration and the restart it wakes.
            _ => Vec::new(),
        })
        .collect()
}

fn is(change: &Change, collection: &str) -> bool {
    change.address.key.collection == collection
}

/// The contents that are to change, by path.
fn contents<'a>(job: &'a Job<'_>) -> BTreeMap<&'a str, Secret> {
    let differs = |change: &&Change| {
        is(change, "file") && change.after.as_ref().is_some_and(|after| after.contains_key("content"))
    };
    let wished = |change: &'a Change| {
        let content = placed::content(&job.wish.resources.get(&change.address.key)?.fields)?;
        Some((change.address.key.name.as_str(), content))
    };
    job.changes.iter().filter(differs).filter_map(wished).collect()
}

fn prepare(job: &Job<'_>, staged: &BTreeMap<&str, Secret>) -> Vec<Order> {
    let mut orders = vec![candidate::directory(FOLDER)];
    // Under a prefix the target's own programs cannot be run.
    if job.wish.resources.contains_key(&service_key()) {
        orders.extend(candidate::trial(job, staged));
    }
    orders
}

/// The password file after all changes of accounts: fresh lines for those that are new or changed, the
/// others as they are.
fn passwords(job: &Job<'_>) -> Secret {
    let changed: BTreeMap<&str, Action> = job
        .changes
        .iter()
        .filter(|change| is(change, "account"))
        .map(|change| (change.address.key.name.as_str(), change.action))
        .collect();
    let accounts = |key: &&Key| key.collection == "account";
    let names: BTreeSet<&str> = job
        .wish
        .resources
        .keys()
        .chain(job.observed.resources.keys())
        .filter(accounts)
        .map(|key| key.name.as_str())
        .collect();
    let mut file = Vec::new();
    for name in names {
        let key = Key::new("account", name);
        let line = match changed.get(name) {
            Some(Action::Delete) => None,
            Some(_) => job.wish.resources.get(&key).and_then(|wished| fresh_line(name, &wished.fields)),
            None => job.observed.resources.get(&key).and_then(passwd::seen_line).map(<[u8]>::to_vec),
        };
        if let Some(line) = line {
            file.extend(line);
            file.push(b'\n');
        }
    }
    Secret::new(file, "password file")
}

fn fresh_line(name: &str, wished: &Fields) -> Option<Vec<u8>> {
    match wished.get("password") {
        Some(Value::Secret(password)) => Some(passwd::new_line(name, password).into_bytes()),
        _ => None,
    }
}

fn put_passwords(content: Secret) -> Order {
    Order::Put {
        path: PASSWD.to_owned(),
        content,
        mode: "0640".to_owned(),
        owner: "root".to_owned(),
        group: "mosquitto".to_owned(),
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
    let order = |act| Order::Service { name: SERVICE.to_owned(), act, watch: watched() };
    if change.action == Action::Wake {
        let act = if reload_suffices(job, change) { ServiceAct::Reload } else { ServiceAct::Restart };
        return vec![order(act)];
    }
    let differing = change.after.clone().unwrap_or_default();
    let mut orders = Vec::new();
    if differing.contains_key("enabled") {
        orders.push(order(ServiceAct::Enable));
    }
    // What else changed may be what the service reads at start.
    let others = job.changes.iter().any(|other| !is(other, "service"));
    if others || differing.contains_key("running") || differing.contains_key("current") {
        orders.push(order(ServiceAct::Restart));
    }
    orders
}

/// Whether every cause is of the kind that Mosquitto takes up on its reload signal
/// (`mosquitto.conf(5)`, "Reloaded on reload signal"): accounts, ACL, certificates of MQTT listeners.
fn reload_suffices(job: &Job<'_>, change: &Change) -> bool {
    change.because.iter().all(|cause| match job.wish.resources.get(cause) {
        Some(wished) => matches!(wished.impact, Impact::Reload(_)),
        None => cause.collection == "account",
    })
}
