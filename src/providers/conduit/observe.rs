//! Reads a gateway in one exec. A unit that is not the one meant is read no further; what one answer lacks
//! leaves only its own collections unread.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::desire::{network_server_key, saved_key};
use super::orders::watched;
use super::unit::{self, Unit};
use super::{RELAY, api, lorawan, relay, sensor};
use crate::host::{Answer, Ask, files, services};
use crate::model::{Fields, Key, Observed, Wish};
use crate::providers::clock;
use crate::transport::Reading;

/// The API's resources that are read.
const RESOURCES: [&str; 6] =
    ["system", "loraNetwork", "loraNetwork/whitelist", "lora/devices", "lora/config", "lora/status"];

/// All collections of a gateway.
pub(super) async fn all(wish: &Wish, hand: Reading<'_>) -> Observed {
    let asks = asks(wish);
    let answers = match hand.ask(&asks).await {
        Ok(answers) => answers,
        Err(error) => return Observed::unreachable(wish.target.clone(), format!("{error:#}")),
    };
    let mut pages: BTreeMap<&str, Result<Json, String>> = BTreeMap::new();
    let mut host = Vec::new();
    for (index, (ask, answer)) in asks.iter().zip(answers).enumerate() {
        match RESOURCES.get(index) {
            Some(resource) => drop(pages.insert(resource, api::of(answer))),
            None => host.push((ask, answer)),
        }
    }
    let pages = Pages(pages);
    let mut observed = Observed::new(wish.target.clone());
    if let Err(reason) = identify(&mut observed, wish, &pages) {
        return Observed::unreachable(wish.target.clone(), reason);
    }
    network(&mut observed, &pages);
    sensors(&mut observed, wish, &pages);
    network_server(&mut observed, &pages);
    for (ask, answer) in host {
        take(&mut observed, wish, ask, answer);
    }
    observed
}

fn asks(wish: &Wish) -> Vec<Ask> {
    let base = unit::base(wish);
    let mut asks: Vec<Ask> =
        RESOURCES.iter().map(|resource| Ask::Get { url: api::url(base, resource) }).collect();
    let mut paths = watched(wish);
    // Without a relay in the inventory, what an earlier one left is still looked for.
    let leftover = paths.is_empty();
    if leftover || wish.resources.contains_key(&Key::new("service", RELAY)) {
        asks.push(Ask::Service { name: RELAY.to_owned(), watch: paths.clone() });
    }
    if leftover {
        paths.push(relay::INIT.to_owned());
    }
    asks.push(Ask::Facts);
    asks.push(Ask::Files { directory: relay::FOLDER.to_owned() });
    asks.extend(paths.into_iter().map(|path| Ask::File { path }));
    asks
}

/// The API's answers by resource.
struct Pages<'a>(BTreeMap<&'a str, Result<Json, String>>);

impl Pages<'_> {
    fn get(&self, resource: &str) -> Result<&Json, String> {
        match self.0.get(resource) {
            Some(Ok(json)) => Ok(json),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("the host gave no answer".to_owned()),
        }
    }
}

/// Whether it is the unit meant. When its API does not answer it cannot say so; its SSH host key can.
fn identify(observed: &mut Observed, wish: &Wish, pages: &Pages<'_>) -> Result<(), String> {
    let system = match pages.get("system") {
        Ok(system) => system,
        Err(reason) => {
            observed.miss(Some("unit"), None, reason.clone());
            observed.miss(Some("saved"), None, reason);
            return Ok(());
        }
    };
    let unit = Unit::of(system);
    observed.title = unit.title();
    match unit::check(wish, &unit)? {
        Some((key, fields)) => drop(observed.resources.insert(key, fields)),
        None => observed.miss(Some("unit"), None, "the gateway does not say its serial number and firmware"),
    }
    let fields = Fields::from([("saved".to_owned(), (!unit.dirty).into())]);
    observed.resources.insert(saved_key(), fields);
    Ok(())
}

fn network(observed: &mut Observed, pages: &Pages<'_>) {
    match pages.get("loraNetwork").and_then(lorawan::seen) {
        Ok(fields) => drop(observed.resources.insert(Key::new("lorawan", "network-server"), fields)),
        Err(reason) => observed.miss(Some("lorawan"), None, reason),
    }
}

fn sensors(observed: &mut Observed, wish: &Wish, pages: &Pages<'_>) {
    let mut sensors = match pages.get("loraNetwork/whitelist").and_then(|list| sensor::seen(list, wish)) {
        Ok(sensors) => sensors,
        Err(reason) => return observed.miss(Some("sensor"), None, reason),
    };
    // A network server that does not run has no rows to show; the credentials can be set all the same.
    if let Err(reason) = pages.get("lora/devices").and_then(|rows| sensor::join(&mut sensors, rows, wish)) {
        observed.miss(Some("sensor"), Some("(sessions)"), reason);
    }
    observed.resources.extend(sensors);
}

/// The network server as a service: it is current when it runs with the settings and sensors that are set.
fn network_server(observed: &mut Observed, pages: &Pages<'_>) {
    let seen = || -> Result<Fields, String> {
        let settings = pages.get("loraNetwork")?;
        let list = pages.get("loraNetwork/whitelist")?;
        let running = is_running(pages.get("lora/status")?);
        let current = running && {
            let config = pages.get("lora/config")?;
            lorawan::is_current(config, settings)? && sensor::is_current(config, list)?
        };
        let fields = [("running", running), ("current", current)];
        Ok(fields.map(|(name, value)| (name.to_owned(), value.into())).into())
    };
    let key = network_server_key();
    match seen() {
        Ok(fields) => drop(observed.resources.insert(key, fields)),
        Err(reason) => observed.miss(Some(&key.collection), Some(&key.name), reason),
    }
}

/// `/api/lora/status` gives the process of each part, 0 when it does not run.
fn is_running(status: &Json) -> bool {
    status["lora-network-server"].as_i64().is_some_and(|pid| pid > 0)
}

fn take(observed: &mut Observed, wish: &Wish, ask: &Ask, answer: Answer) {
    match (ask, answer) {
        // Only its clock is of interest, and it may not say.
        (Ask::Facts, answer) => observed.clock = clock::seen(&[answer]),
        (Ask::Files { .. }, Answer::Names(paths)) => {
            let strays = paths.into_iter().filter(|path| !relay::is_byproduct(path));
            let keys = strays.map(|path| Key::new("file", path));
            let keys = keys.filter(|key| !wish.resources.contains_key(key));
            observed.resources.extend(keys.map(|key| (key, Fields::new())));
        }
        (Ask::File { path }, Answer::File(facts)) => {
            let seen = facts.as_ref().map(|facts| (Key::new("file", path.as_str()), files::seen(facts)));
            observed.resources.extend(seen);
        }
        (Ask::Service { name, .. }, Answer::Service(facts)) => {
            let seen = facts.map(|facts| (Key::new("service", name.as_str()), services::seen(&facts)));
            observed.resources.extend(seen);
        }
        (ask, Answer::Unread(reason)) => miss(observed, ask, reason),
        (ask, _) => miss(observed, ask, "the host answered another question".to_owned()),
    }
}

fn miss(observed: &mut Observed, ask: &Ask, reason: String) {
    match ask {
        Ask::File { path } => observed.miss(Some("file"), Some(path), reason),
        Ask::Service { name, .. } => observed.miss(Some("service"), Some(name), reason),
        _ => observed.miss(Some("file"), None, reason),
    }
}
