//! The hand-over file of a site: what stands there, how it is reached, what it reports, who is called how. One page
//! of HTML that needs nothing else and prints well. It is made of the inventory and of certificates; no secret is
//! opened for it.

mod french;
mod label;
mod telephony;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use minijinja::{Environment, Value};
use serde::Serialize;

use crate::flow;
use crate::inventory::{Broker, Gateway, GatewayModel, Host, Inventory};
use crate::pki;

pub use label::code;

const PAGE: &str = include_str!("dossier/page.html");

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

/// What a page says of itself.
pub struct Imprint<'a> {
    /// The time it is.
    pub now: Timestamp,
    /// The commit it was made of; empty when there is none.
    pub commit: &'a str,
    /// The language.
    pub language: Language,
}

/// A table: words over its columns, and its rows.
#[derive(Serialize)]
struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }
}

/// What of the inventory belongs to a site.
struct Part<'a> {
    inventory: &'a Inventory,
    site: &'a str,
    gateways: Vec<(&'a str, &'a Gateway)>,
    brokers: Vec<(&'a str, &'a Broker)>,
    hosts: Vec<(&'a str, &'a Host)>,
}

impl<'a> Part<'a> {
    fn of(inventory: &'a Inventory, site: &'a str) -> Self {
        let gateways = inventory.gateways.iter().filter(|(_, one)| *one.site == site);
        let gateways: Vec<_> = gateways.map(|(name, one)| (name.as_str(), &one.value)).collect();
        let published: BTreeSet<&str> = gateways
            .iter()
            .filter_map(|(_, one)| one.relay.as_ref().map(|relay| relay.broker.as_str()))
            .collect();
        let brokers = inventory.brokers.iter().filter(|(name, _)| published.contains(name.as_str()));
        let brokers = brokers.map(|(name, one)| (name.as_str(), &one.value)).collect();
        let hosts =
            inventory.hosts.iter().filter(|(_, one)| one.site.as_ref().is_some_and(|at| **at == site));
        let hosts = hosts.map(|(name, one)| (name.as_str(), &one.value)).collect();
        Self { inventory, site, gateways, brokers, hosts }
    }

    fn sensors(&self) -> impl Iterator<Item = (&'a str, &'a crate::inventory::Sensor)> {
        let sensors = self.gateways.iter().flat_map(|(name, _)| self.inventory.sensors_of(name));
        sensors.map(|(name, sensor)| (name, &sensor.value))
    }
}

/// The page of a site.
///
/// # Errors
/// When there is no such site, or a certificate cannot be read.
pub fn page(
    inventory: &Inventory,
    site: &str,
    repository: &Path,
    imprint: &Imprint<'_>,
) -> anyhow::Result<String> {
    let (site, place) = inventory.sites.get_key_value(site).ok_or_else(|| {
        let known: Vec<&str> = inventory.sites.keys().map(String::as_str).collect();
        anyhow!("the inventory has no site `{site}`; it has: {}", known.join(", "))
    })?;
    let part = Part::of(inventory, site);
    let systems: Vec<_> = inventory
        .pbx
        .iter()
        .filter(|(_, pbx)| pbx.site.as_ref().is_some_and(|at| **at == *site))
        .map(|(name, pbx)| telephony::system(name, pbx))
        .collect();
    let chain = (!part.gateways.is_empty() || !part.hosts.is_empty())
        .then(|| flow::chain(inventory, Some(part.site)).map(|graph| flow::svg(&graph, &place.title)));
    let labels: Vec<_> = part.sensors().map(|(name, sensor)| label::label(name, sensor)).collect();
    let (language, translate): (&str, fn(String) -> String) = match imprint.language {
        Language::English => ("en", |text| text),
        Language::French => ("fr", french::words),
    };
    let context = minijinja::context! {
        language,
        site => part.site,
        title => place.title,
        timezone => place.timezone.as_ref().map(|zone| zone.value.clone()),
        date => imprint.now.strftime("%Y-%m-%d").to_string(),
        commit => imprint.commit,
        rocade => env!("CARGO_PKG_VERSION"),
        equipment => equipment(&part, &systems),
        sensors => sensors(&part),
        labels => labels,
        unknown_profiles => labels.iter().any(|label| label.vendor_unknown),
        readings => readings(&part),
        certificates => certificates(&part, repository, imprint.now)?,
        chain => chain.flatten().map(Value::from_safe_string),
        systems => systems,
    };
    let mut environment = Environment::new();
    environment.add_function("t", translate);
    environment.add_template("page.html", PAGE).context("reading the page's template")?;
    environment.get_template("page.html")?.render(context).context("writing the page")
}

fn equipment(part: &Part<'_>, systems: &[telephony::System]) -> Table {
    let mut table =
        Table::new(&["Name", "What it is", "Address", "Serial number, MAC", "Firmware", "Remarks"]);
    for (name, one) in &part.gateways {
        let GatewayModel::MultitechConduit = one.model;
        let serial = one.serial.as_ref().map(|serial| serial.value.clone());
        let mac = one.mac.as_ref().map(|mac| mac.0.to_string());
        let unit: Vec<String> = serial.into_iter().chain(mac).collect();
        let firmware = one.firmware.as_ref().map_or(String::new(), |one| one.require.0.to_string());
        let relay = one.relay.as_ref().map_or(String::new(), |relay| format!("→ {}", relay.broker.value));
        let remarks = format!("LoRaWAN {:?} {relay}", one.lorawan.region).trim_end().to_owned();
        let what = "MultiTech Conduit".to_owned();
        table.row([(*name).to_owned(), what, one.address.value.clone(), unit.join(", "), firmware, remarks]);
    }
    for (name, one) in &part.brokers {
        let mut remarks = format!("MQTT/TLS {}", one.listeners.mqtts.port.value);
        if let Some(sockets) = &one.listeners.websockets {
            remarks.push_str(&format!(", WebSocket {}", sockets.port.value));
        }
        let what = "MQTT Mosquitto".to_owned();
        let empty = String::new;
        table.row([(*name).to_owned(), what, one.address.value.clone(), empty(), empty(), remarks]);
    }
    for (name, one) in &part.hosts {
        let remarks: Vec<&str> = one.packages.iter().map(|package| package.as_str()).collect();
        let empty = String::new;
        let cells = [(*name).to_owned(), "Linux".to_owned(), one.address.value.clone()];
        let [name, what, address] = cells;
        table.row([name, what, address, empty(), empty(), remarks.join(", ")]);
    }
    for system in systems {
        let empty = String::new;
        let cells = [system.name.clone(), "3CX".to_owned(), system.url.clone()];
        let [name, what, address] = cells;
        table.row([name, what, address, empty(), empty(), system.remarks.clone()]);
        table.rows.extend(system.phones.iter().cloned());
    }
    table
}

fn sensors(part: &Part<'_>) -> Table {
    let mut table = Table::new(&["Name", "What it is", "DevEUI", "JoinEUI", "Gateway", "Period", "Topic"]);
    for (name, one) in part.sensors() {
        let period = one.period.as_ref().map_or(String::new(), |period| period.0.in_words());
        table.row([
            name.to_owned(),
            one.model.name().to_owned(),
            one.dev_eui.0.to_string(),
            one.app_eui.0.to_string(),
            one.gateway.value.clone(),
            period,
            one.topic.value.clone(),
        ]);
    }
    table
}

/// Who reads what, and who publishes where.
fn readings(part: &Part<'_>) -> Table {
    let mut table = Table::new(&["Broker", "Client", "Reads", "Publishes"]);
    for (name, broker) in &part.brokers {
        for (client, one) in &broker.clients {
            let all = |filters: &[crate::inventory::At<String>]| -> String {
                filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>().join(", ")
            };
            table.row([(*name).to_owned(), client.clone(), all(&one.read), all(&one.write)]);
        }
        for (gateway, _) in part
            .gateways
            .iter()
            .filter(|(_, one)| one.relay.as_ref().is_some_and(|relay| relay.broker.as_str() == *name))
        {
            let topics = part.inventory.sensors_of(gateway).map(|(_, one)| one.topic.value.clone());
            let mut topics: Vec<String> = topics.collect();
            let more = topics.len().saturating_sub(4);
            topics.truncate(4);
            let more = if more > 0 { format!(", +{more}") } else { String::new() };
            let topics = format!("{}{more}", topics.join(", "));
            table.row([(*name).to_owned(), format!("relay {gateway}"), String::new(), topics]);
        }
    }
    table
}

fn certificates(part: &Part<'_>, repository: &Path, now: Timestamp) -> anyhow::Result<Table> {
    let mut table = Table::new(&["Certificate", "Names", "Serial number", "From", "Until", "Days left"]);
    let date = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let mut row = |name: &str, found: Option<pki::Certificate>| match found {
        Some(one) => table.row([
            name.to_owned(),
            one.names.join(", "),
            one.serial.clone(),
            date(one.not_before),
            date(one.not_after),
            one.days_left(now).to_string(),
        ]),
        None => table.row([name.to_owned(), String::new(), "-".into(), "-".into(), "-".into(), "-".into()]),
    };
    if part.brokers.is_empty() {
        return Ok(table);
    }
    if let Some(pki) = &part.inventory.pki {
        row(&pki.authority.name, pki::root_certificate(repository)?);
    }
    for (name, _) in &part.brokers {
        row(name, pki::leaf_certificate(repository, name)?);
    }
    Ok(table)
}
