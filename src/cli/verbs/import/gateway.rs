//! `import gateway`: what a gateway has becomes inventory, the keys that it shows secrets. What could not be read
//! is named, never taken for absent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::bail;
use serde_json::json;

use super::sensors::{edit, keys, show};
use super::writing::{Edits, Rows};
use crate::cli::arguments::ImportGateway;
use crate::cli::verbs::{Waited, wait};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::intake::sensors::{Deed, Keys, Taken, digest, paths};
use crate::inventory::lint::{FACTORY_NETWORK_EUI, weak_key};
use crate::inventory::{At, Gateway, Place};
use crate::model::Secret;
use crate::providers::conduit::live::{Live, Network, Sensor, derived_network_eui};
use crate::run::{self, Links, Workspace};

pub(super) fn run(arguments: &Arguments, verb: &ImportGateway) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let Some(entry) = workspace.inventory().gateways.get(&verb.name) else {
        bail!("there is no gateway `{}` in the inventory", verb.name);
    };
    let links = Arc::new(Links::default());
    let Waited::Done(live) = wait(run::live(&workspace, &verb.name, &links))? else {
        return Ok(Exit::Interrupted);
    };
    let Live { network, sensors } = live;
    let mut taking = Taking {
        workspace: &workspace,
        verb,
        entry,
        keys: keys(&workspace),
        used: paths(workspace.inventory()),
        left: Vec::new(),
        unread: 0,
    };
    let mut edits = Edits::new(&workspace);
    let mut secrets = Vec::new();
    match network {
        Ok(network) => taking.network(network, &mut edits, &mut secrets)?,
        Err(reason) => taking.unread(&format!("its network: {reason}")),
    }
    let mut taken = Vec::new();
    match sensors {
        Ok(sensors) => taken.extend(sensors.into_iter().filter_map(|one| taking.sensor(one))),
        Err(reason) => taking.unread(&format!("its sensors: {reason}")),
    }
    edit(&workspace, &mut edits, &taken, verb.into.as_deref())?;
    edits.check(&Rows::new(), None)?;
    show(arguments, &taken)?;
    taking.left.iter().for_each(|note| say::word(note));
    finish(verb, &workspace, edits, (taken, secrets), taking.unread)
}

fn finish(
    verb: &ImportGateway,
    workspace: &Workspace,
    edits: Edits<'_>,
    (taken, mut secrets): (Vec<Taken>, Vec<(String, Secret)>),
    unread: usize,
) -> anyhow::Result<Exit> {
    let new = taken.iter().filter(|one| one.deed == Deed::New).count();
    let same = taken.iter().filter(|one| one.deed == Deed::Same).count();
    let told = format!(
        "{} new, {} changed, {same} as they were",
        say::count(new, "sensor"),
        taken.len() - new - same
    );
    let ended = if unread == 0 { Exit::Done } else { Exit::Partial };
    if verb.dry_run {
        say::word(&format!("{told}; nothing was written"));
        return Ok(ended);
    }
    let files = edits.files().join(", ");
    secrets.extend(taken.into_iter().filter_map(|one| one.key));
    workspace.store().put_all(&secrets)?;
    edits.write()?;
    let written = if files.is_empty() { String::new() } else { format!("; written to {files}") };
    say::word(&format!("{told}{written}; `rocade plan {}` shows what is left", verb.name));
    Ok(ended)
}

struct Taking<'a> {
    workspace: &'a Workspace,
    verb: &'a ImportGateway,
    entry: &'a At<Gateway>,
    keys: Keys,
    /// The secrets that the inventory, or what was taken, refers to.
    used: BTreeSet<String>,
    left: Vec<String>,
    unread: usize,
}

impl Taking<'_> {
    fn unread(&mut self, what: &str) {
        self.unread += 1;
        self.left.push(format!("{}could not be read:{:#} {what}", say::BAD, say::BAD));
    }

    fn note(&mut self, what: &str) {
        self.left.push(format!("left out: {what}"));
    }

    /// The network's EUI, and its key unless anybody would guess it.
    fn network(
        &mut self,
        network: Network,
        edits: &mut Edits<'_>,
        secrets: &mut Vec<(String, Secret)>,
    ) -> anyhow::Result<()> {
        let path = ["gateways", self.verb.name.as_str(), "lorawan"];
        let spec = &self.entry.lorawan;
        match network.eui {
            Some(eui) if eui.to_string() == FACTORY_NETWORK_EUI => {
                self.note("the network's EUI: it is that of every factory-fresh Conduit");
            }
            Some(eui) if spec.network_eui.is_none() && eui == derived_network_eui(&self.verb.name) => {}
            Some(eui) if spec.network_eui.as_ref().map(|own| own.value.0) != Some(eui) => {
                let field = ("network_eui".to_owned(), json!(eui.to_string()));
                edits.insert(&self.entry.place.file, &path, &[field])?;
            }
            Some(_) => {}
            None => self.unread("the network's EUI: the gateway does not show it"),
        }
        let named = spec.network_key.secret.clone();
        match network.key {
            None => self.unread("the network's key: the gateway does not show it"),
            Some(key) => match self.fit(&key, &named) {
                Ok(true) => {
                    self.keys.by_path.insert(named.clone(), digest(key.reveal_text().unwrap_or_default()));
                    secrets.push((named, key));
                }
                Ok(false) => {}
                Err(why) => self.note(&format!("the network's key: {why}")),
            },
        }
        network.odd.iter().for_each(|odd| self.note(&format!("of its network: {odd}")));
        Ok(())
    }

    /// Whether a key is to be kept: it is new and nobody else's.
    fn fit(&self, key: &Secret, path: &str) -> Result<bool, String> {
        let text = key.reveal_text().unwrap_or_default();
        if let Some(why) = weak_key(text) {
            return Err(format!(
                "it must not be used: {why}; `rocade secrets set {path} --generate hex16` makes one"
            ));
        }
        let own = digest(text);
        // What a sensor that is no more has left is nobody's.
        let mut used = self.keys.by_path.iter().filter(|(other, _)| self.used.contains(*other));
        if let Some((other, _)) = used.find(|(other, held)| **held == own && *other != path) {
            return Err(format!("it is that of `{other}`"));
        }
        match self.keys.unopened.get(path) {
            Some(reason) => Err(format!("`{path}` is there and could not be opened to compare: {reason}")),
            None => Ok(self.keys.by_path.get(path) != Some(&own)),
        }
    }

    fn sensor(&mut self, live: Sensor) -> Option<Taken> {
        let eui = live.dev_eui;
        let inventory = self.workspace.inventory();
        let own = inventory.sensors.iter().find(|(_, one)| one.dev_eui.value.0 == eui);
        if let Some((name, other)) = own.filter(|(_, one)| one.gateway.value != self.verb.name) {
            self.note(&format!("DevEUI {eui}: the inventory has it as `{name}` of {}", other.gateway.value));
            return None;
        }
        let name = own.map_or_else(|| eui.to_string(), |(name, _)| name.clone());
        let path =
            own.map_or_else(|| format!("sensors/{name}/app_key"), |(_, one)| one.app_key.secret.clone());
        let Some(app_eui) = live.app_eui else {
            self.unread(&format!("DevEUI {eui}: the gateway shows no AppEUI"));
            return None;
        };
        let key = match live.key {
            None if own.is_some() => None,
            None => {
                self.unread(&format!(
                    "DevEUI {eui}: the gateway hides its key; add it with `import sensors`"
                ));
                return None;
            }
            Some(key) => match self.fit(&key, &path) {
                Ok(true) => Some((path.clone(), key)),
                Ok(false) => None,
                Err(why) => {
                    self.note(&format!("DevEUI {eui}: its key: {why}"));
                    return None;
                }
            },
        };
        if let Some((path, key)) = &key {
            self.keys.by_path.insert(path.clone(), digest(key.reveal_text().unwrap_or_default()));
        }
        self.used.insert(path.clone());
        live.odd.iter().for_each(|odd| self.left.push(format!("of DevEUI {eui}: {odd}")));
        let (deed, fields) = match own {
            None => (Deed::New, self.fields(&name, eui.to_string(), app_eui.to_string(), &path)),
            Some((_, one)) => {
                let differs = one.app_eui.value.0 != app_eui;
                let fields = differs.then(|| ("app_eui".to_owned(), json!(app_eui.to_string())));
                let named =
                    differs.then_some("app_eui").into_iter().chain(key.is_some().then_some("app_key"));
                let named: Vec<String> = named.map(str::to_owned).collect();
                let deed = if named.is_empty() { Deed::Same } else { Deed::Changed(named) };
                (deed, fields.into_iter().collect())
            }
        };
        let gateway = self.verb.name.clone();
        Some(Taken { name, dev_eui: eui, gateway, row: Place::default(), deed, fields, key })
    }

    fn fields(
        &self,
        name: &str,
        dev_eui: String,
        app_eui: String,
        path: &str,
    ) -> serde_json::Map<String, serde_json::Value> {
        let topic = self.verb.topic.replace("{site}", self.entry.site.as_str());
        let topic = topic.replace("{gateway}", &self.verb.name).replace("{name}", name);
        let fields = BTreeMap::from([
            ("gateway", json!(self.verb.name)),
            ("model", json!(self.verb.model)),
            ("dev_eui", json!(dev_eui)),
            ("app_eui", json!(app_eui)),
            ("app_key", json!({ "secret": path })),
            ("topic", json!(topic)),
        ]);
        let order = ["gateway", "model", "dev_eui", "app_eui", "app_key", "topic"];
        order.iter().map(|name| ((*name).to_owned(), fields[name].clone())).collect()
    }
}
