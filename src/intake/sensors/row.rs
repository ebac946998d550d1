//! One row of a list of sensors, held against the inventory and the rows before it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Deed, Given, KeyDigest, Keys, Taken, digest};
use crate::intake::{Cell, Fields, Row, slug};
use crate::inventory::lint::weak_key;
use crate::inventory::{At, Diagnostic, Inventory, Place, Sensor, SensorModel};
use crate::model::{Eui, Period, Secret};

const MODELS: [SensorModel; 4] = [
    SensorModel::AdeunisComfort,
    SensorModel::AdeunisComfortV1,
    SensorModel::AdeunisComfortCo2,
    SensorModel::Raw,
];

pub(super) struct Reader<'a> {
    fields: &'a Fields<'a>,
    given: &'a Given,
    inventory: &'a Inventory,
    keys: &'a Keys,
    by_eui: BTreeMap<Eui, &'a str>,
    euis: BTreeMap<Eui, Place>,
    names: BTreeMap<String, Place>,
    digests: BTreeMap<KeyDigest, Place>,
    owners: BTreeMap<KeyDigest, &'a str>,
}

/// A row while it is read: what is missing was said to be.
struct Reading<'r, 'a> {
    row: &'r Row,
    fields: &'a Fields<'a>,
    faults: Vec<Diagnostic>,
}

impl Reading<'_, '_> {
    fn get(&self, field: &str) -> Option<Cell> {
        self.fields.get(self.row, field)
    }

    fn add(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    fn of_row(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(&self.row.place, "")
    }

    fn eui(&mut self, field: &str, named: &str) -> Option<Eui> {
        let Some(cell) = self.get(field) else {
            self.add(self.of_row("no-eui", format!("it has no {named}")));
            return None;
        };
        match cell.text.parse::<Eui>() {
            Ok(eui) => Some(eui),
            Err(fault) => {
                let help = "a spreadsheet drops zeros in front and rounds what looks like a number: format the \
                            column as text";
                self.add(cell.fault("bad-eui", fault.to_string()).help(help));
                None
            }
        }
    }
}

impl<'a> Reader<'a> {
    pub fn new(fields: &'a Fields<'a>, given: &'a Given, inventory: &'a Inventory, keys: &'a Keys) -> Self {
        let by_eui =
            inventory.sensors.iter().map(|(name, one)| (one.dev_eui.value.0, name.as_str())).collect();
        // What a sensor that is no more has left is nobody's.
        let used = super::paths(inventory);
        let owners = keys.by_path.iter().filter(|(path, _)| used.contains(*path));
        let owners = owners.map(|(path, digest)| (*digest, path.as_str())).collect();
        let (euis, names, digests) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { fields, given, inventory, keys, by_eui, euis, names, digests, owners }
    }

    pub fn row(&mut self, row: &Row) -> Result<Taken, Vec<Diagnostic>> {
        let mut reading = Reading { row, fields: self.fields, faults: Vec::new() };
        let dev_eui = reading.eui("dev_eui", "DevEUI");
        let app_eui = reading.eui("app_eui", "AppEUI (JoinEUI)");
        if let Some(eui) = dev_eui {
            self.once(&mut reading, eui);
        }
        let own = dev_eui.and_then(|eui| self.by_eui.get(&eui).copied());
        let own = own.and_then(|name| Some((name, self.inventory.sensors.get(name)?)));
        let name = self.name(&mut reading, dev_eui, own.map(|(name, _)| name));
        let gateway = self.gateway(&mut reading, own.map(|(_, one)| &one.value));
        let model = self.model(&mut reading, own.map(|(_, one)| &one.value));
        let key = self.key(&mut reading, own.map(|(_, one)| &one.value), &name);
        let period = period(&mut reading);
        let factor = factor(&mut reading);
        radio(&mut reading);
        let topic = reading.get("topic").map(|cell| cell.text);
        let (Some(dev_eui), Some(app_eui), Some(gateway), Some(model), Some((path, key)), true) =
            (dev_eui, app_eui, gateway, model, key, reading.faults.is_empty())
        else {
            return Err(reading.faults);
        };
        let topic = topic.or_else(|| own.is_none().then(|| self.topic(&gateway, &name)));
        let mut fields = Map::new();
        fields.insert("gateway".to_owned(), json!(gateway));
        fields.insert("model".to_owned(), json!(model));
        fields.insert("dev_eui".to_owned(), json!(dev_eui.to_string()));
        fields.insert("app_eui".to_owned(), json!(app_eui.to_string()));
        fields.insert("app_key".to_owned(), json!({ "secret": path }));
        let mut more = |name: &str, value: Option<Json>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        more("period", period.map(|period| json!(period.to_string())));
        more("spreading_factor", factor.map(|factor| json!(factor)));
        more("topic", topic.map(|topic| json!(topic)));
        let key = key.map(|key| (path, key));
        let (deed, fields) = match own {
            None => (Deed::New, fields),
            Some((_, one)) => changed(one, fields, key.is_some()),
        };
        Ok(Taken { name, dev_eui, gateway, row: row.place.clone(), deed, fields, key })
    }

    fn once(&mut self, reading: &mut Reading<'_, '_>, eui: Eui) {
        let Some(cell) = reading.get("dev_eui") else { return };
        if let Some(first) = self.euis.get(&eui) {
            let fault = cell.fault("duplicate-deveui", format!("DevEUI {eui} stands twice"));
            reading.add(fault.at(first, "first here"));
        } else {
            self.euis.insert(eui, cell.place);
        }
    }

    /// The inventory's name, else the list's in its spelling, else the DevEUI.
    fn name(&mut self, reading: &mut Reading<'_, '_>, eui: Option<Eui>, own: Option<&str>) -> String {
        if let Some(own) = own {
            return own.to_owned();
        }
        let cell = reading.get("name");
        let name = cell.as_ref().map(|cell| slug(&cell.text)).filter(|name| !name.is_empty());
        let name = name.or_else(|| eui.map(|eui| eui.to_string())).unwrap_or_default();
        let fault = |message: String| match &cell {
            Some(cell) => cell.fault("duplicate-name", message),
            None => reading.of_row("duplicate-name", message),
        };
        if self.inventory.sensors.contains_key(&name) {
            let message = format!("the inventory has another sensor `{name}`, with another DevEUI");
            reading.faults.push(fault(message));
        } else if let Some(first) = self.names.get(&name) {
            let found = fault(format!("two rows are named `{name}`")).at(first, "first here");
            reading.faults.push(found);
        } else {
            self.names.insert(name.clone(), reading.row.place.clone());
        }
        name
    }

    fn gateway(&self, reading: &mut Reading<'_, '_>, own: Option<&Sensor>) -> Option<String> {
        if let Some(cell) = reading.get("gateway") {
            let known = self.inventory.gateways.contains_key(&cell.text);
            if !known {
                reading.add(cell.fault("no-gateway", format!("there is no gateway `{}`", cell.text)));
            }
            return known.then_some(cell.text);
        }
        if let Some(cell) = reading.get("site") {
            let site = slug(&cell.text);
            let at_site = |gateway: &&String| {
                self.inventory.gateways.get(*gateway).is_some_and(|own| own.site.value == site)
            };
            let found: Vec<&String> = self.inventory.gateways.keys().filter(at_site).collect();
            if let [one] = found.as_slice() {
                return Some((*one).clone());
            }
            let message = match found.len() {
                0 => format!("no gateway stands at a site `{site}`"),
                count => format!("{count} gateways stand at `{site}`"),
            };
            reading.add(cell.fault("no-gateway", message).help("name the gateway: a column, or `--gateway`"));
            return None;
        }
        if let Some(named) = &self.given.gateway {
            return Some(named.clone());
        }
        let only = self.inventory.gateways.keys().next().filter(|_| self.inventory.gateways.len() == 1);
        let named = own.map(|own| own.gateway.value.clone()).or_else(|| {
            // With several, a guess would put a key on the wrong gateway.
            only.filter(|_| !self.fields.has("gateway")).cloned()
        });
        if named.is_none() {
            let fault = reading.of_row("no-gateway", "it is not said which gateway knows it");
            reading.add(fault.help("a column `gateway` or `site`, or `--gateway NAME`"));
        }
        named
    }

    fn model(&self, reading: &mut Reading<'_, '_>, own: Option<&Sensor>) -> Option<&'static str> {
        let cell = reading.get("model");
        let word = cell.as_ref().map(|cell| cell.text.as_str()).or(self.given.model.as_deref());
        let names = || MODELS.map(SensorModel::name).join(", ");
        match (word, own) {
            (Some(word), _) => {
                let found = MODELS.into_iter().map(SensorModel::name).find(|name| *name == word);
                if found.is_none() {
                    let message = format!("`{word}` is no model");
                    let fault = match &cell {
                        Some(cell) => cell.fault("bad-model", message),
                        None => reading.of_row("bad-model", message),
                    };
                    let help =
                        format!("models: {}; `words: {{model: {{WORD: MODEL}}}}` in a mapping", names());
                    reading.add(fault.help(help));
                }
                found
            }
            (None, Some(own)) => Some(own.model.name()),
            (None, None) => {
                let fault = reading.of_row("no-model", "it is not said which model it is");
                reading.add(fault.help(format!("a column `model`, or `--model` with one of {}", names())));
                None
            }
        }
    }

    /// The path of its key, and the key when it is not there yet.
    fn key(
        &mut self,
        reading: &mut Reading<'_, '_>,
        own: Option<&Sensor>,
        name: &str,
    ) -> Option<(String, Option<Secret>)> {
        let Some(cell) = reading.get("app_key") else {
            let fault = reading.of_row("no-key", "it has no AppKey");
            reading.add(fault.help("a Conduit knows sensors that join over the air (OTAA) only"));
            return None;
        };
        let path = own.map_or_else(|| format!("sensors/{name}/app_key"), |own| own.app_key.secret.clone());
        if let Some(why) = weak_key(&cell.text) {
            let fault = cell.fault("weak-key", format!("this key must not be used: {why}"));
            reading.add(fault.help("give the sensor a random key of its own"));
            return None;
        }
        let own_digest = digest(&cell.text);
        if let Some(first) = self.digests.get(&own_digest) {
            let fault = cell.fault("shared-key", "two rows have this key").at(first, "first here");
            reading
                .add(fault.help("one key per device: who takes one apart must not hold the key of another"));
            return None;
        }
        self.digests.insert(own_digest, cell.place.clone());
        if let Some(owner) = self.owners.get(&own_digest).filter(|owner| **owner != path) {
            reading.add(cell.fault("shared-key", format!("this key is that of `{owner}`")));
            return None;
        }
        if let Some(reason) = self.keys.unopened.get(&path) {
            let message = format!("`{path}` is there and could not be opened to compare: {reason}");
            reading.add(cell.fault("unopened-secret", message));
            return None;
        }
        let digits: String = cell.text.chars().filter(char::is_ascii_hexdigit).collect();
        let is_new = self.keys.by_path.get(&path) != Some(&own_digest);
        Some((path, is_new.then(|| Secret::new(digits.to_ascii_lowercase(), "list"))))
    }

    fn topic(&self, gateway: &str, name: &str) -> String {
        let site = self.inventory.gateways.get(gateway).map_or("", |gateway| gateway.site.as_str());
        let form = self.given.topic.as_deref().unwrap_or("sites/{site}/{name}");
        form.replace("{site}", site).replace("{gateway}", gateway).replace("{name}", name)
    }
}

fn period(reading: &mut Reading<'_, '_>) -> Option<Period> {
    let cell = reading.get("period")?;
    cell.text.parse().map_err(|fault| reading.add(cell.fault("bad-duration", format!("{fault}")))).ok()
}

fn factor(reading: &mut Reading<'_, '_>) -> Option<u8> {
    let cell = reading.get("spreading_factor")?;
    let digits = cell.text.to_ascii_uppercase().replace("SF", "");
    let factor = digits.trim().parse().ok().filter(|factor| (7..=12).contains(factor));
    if factor.is_none() {
        reading.add(cell.fault("out-of-range", "a spreading factor is from 7 to 12"));
    }
    factor
}

/// What a Conduit is set up for here: EU868, LoRaWAN 1.0, class A, OTAA.
fn radio(reading: &mut Reading<'_, '_>) {
    type Rule = (&'static str, fn(&str) -> bool, &'static str);
    let rules: [Rule; 5] = [
        (
            "frequency_plan",
            |word| word.contains("868") || word.contains("863_870"),
            "only EU868 can be provisioned",
        ),
        (
            "lorawan_version",
            |word| !word.contains("1_1") && !word.contains("1.1"),
            "LoRaWAN 1.1 has two root keys; \
            sensors are provisioned as 1.0",
        ),
        ("class", |word| word == "A" || word == "CLASS_A", "only class A is provisioned"),
        ("class_c", |word| matches!(word, "FALSE" | "0" | "NO"), "only class A is provisioned"),
        (
            "activation",
            |word| word.contains("OTAA"),
            "a Conduit takes credentials for OTAA only, and drops the \
            uplinks of ABP sensors silently",
        ),
    ];
    for (field, fits, why) in rules {
        let Some(cell) = reading.get(field) else { continue };
        if !fits(&cell.text.to_uppercase()) {
            reading.add(cell.fault("not-provisioned", why));
        }
    }
}

/// What of a row's fields differs from the inventory.
fn changed(one: &At<Sensor>, said: Map<String, Json>, new_key: bool) -> (Deed, Map<String, Json>) {
    let differs = |(name, value): &(String, Json)| {
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "gateway" => one.gateway.value != text,
            "model" => one.model.name() != text,
            "app_eui" => one.app_eui.value.0.to_string() != text,
            "topic" => one.topic.value != text,
            "period" => one.period.as_ref().map(|period| period.value.0) != text.parse().ok(),
            "spreading_factor" => {
                one.spreading_factor.as_ref().map(|factor| u64::from(factor.value)) != value.as_u64()
            }
            _ => false,
        }
    };
    let fields: Map<String, Json> = said.into_iter().filter(differs).collect();
    let mut names: Vec<String> = fields.keys().cloned().collect();
    names.extend(new_key.then(|| "app_key".to_owned()));
    if names.is_empty() { (Deed::Same, fields) } else { (Deed::Changed(names), fields) }
}
