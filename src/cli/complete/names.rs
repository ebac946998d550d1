//! Names from the inventory for the words that want one. What cannot be read has no names.

use std::collections::BTreeMap;
use std::path::Path;

use super::Candidate;
use crate::inventory::{self, Inventory};
use crate::providers::mosquitto;
use crate::secrets::{IdentitySource, Store};

/// What may stand as the value `id` of a verb.
pub fn of(root: &Path, verbs: &[&str], id: &str) -> Vec<Candidate> {
    match (verbs, id) {
        (["secrets", ..], "path" | "what") => secrets(root),
        (["playbook", ..], "name") => playbooks(root),
        _ => inventory::load(root).map(|loaded| named(&loaded.inventory, verbs, id)).unwrap_or_default(),
    }
}

fn named(inventory: &Inventory, verbs: &[&str], id: &str) -> Vec<Candidate> {
    let gateways = || each("gateway", inventory.gateways.keys());
    let brokers = || each("broker", inventory.brokers.keys());
    let pbx = || each("pbx", inventory.pbx.keys());
    let sites = || each("site", inventory.sites.keys());
    match (verbs, id) {
        (["redeploy"], "names") | (["import", "gateway"], "name") | (_, "gateway") => gateways(),
        (["import", "pbx"] | ["pbx", ..], "name") | (_, "pbx") => pbx(),
        (["dossier"], "site") => sites(),
        (["can"], "client") => accounts(inventory),
        (_, "broker") => brokers(),
        (["pki", "issue"], "name") => {
            let relays = mosquitto::certified_relays(inventory);
            once([brokers(), each("relay", relays.iter())].concat())
        }
        (["graph"], "name") => once([targets(inventory), sites()].concat()),
        (_, "only") => labels(inventory),
        (["trust" | "history" | "lab", ..] | ["lock", "break"], "name") | (_, "names" | "except") => {
            targets(inventory)
        }
        _ => Vec::new(),
    }
}

fn each(kind: &str, names: impl IntoIterator<Item = impl ToString>) -> Vec<Candidate> {
    names.into_iter().map(|name| Candidate::new(name.to_string(), kind)).collect()
}

fn targets(inventory: &Inventory) -> Vec<Candidate> {
    once(
        [
            each("gateway", inventory.gateways.keys()),
            each("broker", inventory.brokers.keys()),
            each("host", inventory.hosts.keys()),
            each("pbx", inventory.pbx.keys()),
        ]
        .concat(),
    )
}

/// A name that several have stands once, with all of them.
fn once(found: Vec<Candidate>) -> Vec<Candidate> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for one in found {
        let about = names.entry(one.text).or_default();
        let comma = if about.is_empty() { "" } else { ", " };
        *about = format!("{about}{comma}{}", one.about);
    }
    names.into_iter().map(|(text, about)| Candidate::new(text, about)).collect()
}

fn labels(inventory: &Inventory) -> Vec<Candidate> {
    let mut found: Vec<Candidate> =
        inventory.sites.keys().map(|name| Candidate::new(format!("site={name}"), "site")).collect();
    let named = targets(inventory).into_iter();
    found.extend(named.map(|one| Candidate::new(format!("name={}", one.text), one.about)));
    found
}

fn accounts(inventory: &Inventory) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (name, broker) in &inventory.brokers {
        found.extend(each(&format!("at {name}"), mosquitto::grants(inventory, name, broker).into_keys()));
    }
    once(found)
}

/// Their names only: none is opened.
fn secrets(root: &Path) -> Vec<Candidate> {
    let store = Store::open(root, IdentitySource::Default { config_dir: None });
    store.map(|store| each("secret", store.paths())).unwrap_or_default()
}

fn playbooks(root: &Path) -> Vec<Candidate> {
    let Ok(entries) = std::fs::read_dir(root.join(inventory::playbook::FOLDER)) else { return Vec::new() };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.sort();
    each("playbook", names)
}
