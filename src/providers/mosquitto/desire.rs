//! What is wished of a broker's host. Pure: the same inventory and certificates give the same wish.

use std::net::IpAddr;

use serde_json::json;

use super::account::{self, Account};
use super::{ACL, AUTHORITY, CERTIFICATE, CONF, CONF_D, CRL, KEY, MAIN_CONF, PASSWD, SERVICE};
use super::{firewall, lockout};
use crate::host::{files, packages};
use crate::inventory::{Broker, Inventory, Listener};
use crate::model::{Fields, Impact, Key, Resource, Resources, Target, Value, Wish};
use crate::providers::{Fault, Lookup};

/// The port every MQTT client tries first, in clear text.
const CLEAR_PORT: u16 = 1883;

/// All that is wished of one broker.
///
/// # Errors
/// Every fault found.
pub(super) fn wish(inventory: &Inventory, target: &Target, lookup: &dyn Lookup) -> Result<Wish, Vec<Fault>> {
    let Some(broker) = inventory.brokers.get(&target.name) else {
        return Err(vec![Fault::new(format!("the inventory has no broker `{}`", target.name))]);
    };
    let mut faults = Vec::new();
    let mut resources = Resources::new();
    resources.insert(Key::new("package", "mosquitto"), package("Eclipse Mosquitto"));
    match account::all(inventory, &target.name, broker, lookup) {
        Ok(accounts) => {
            resources.extend(accounts.iter().filter_map(account_resource));
            resources.insert(Key::new("file", ACL), acl(&accounts));
        }
        Err(found) => faults.extend(found),
    }
    resources.insert(Key::new("file", PASSWD), passwd());
    match configuration(&target.name, broker, lookup) {
        Ok(files) => resources.extend(files),
        Err(found) => faults.extend(found),
    }
    match certificates(&target.name, broker, lookup) {
        Ok(files) => resources.extend(files),
        Err(fault) => faults.push(fault),
    }
    if let Some(wished) = &broker.firewall {
        resources.insert(Key::new("package", "nftables"), package("firewall"));
        match firewall::wished_files(&target.name, broker, wished, lookup) {
            Ok(files) => resources.extend(files),
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(rule) = &broker.brute_force {
        match lockout::wished(&target.name, broker, rule, lookup) {
            Ok(wished) => resources.extend(wished),
            Err(fault) => faults.push(fault),
        }
    }
    // Under a prefix nothing runs: there is no service to start and no listener to see.
    if broker.root.is_none() {
        resources.extend(clear_ports(broker).map(clear_port));
        resources.insert(service_key(), service());
        let firewall = broker.firewall.as_ref();
        resources.extend(firewall.map(|wished| firewall::wished(&target.name, broker, wished)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Wish::new(target.clone(), super::KIND, super::RANK, resources))
}

pub(super) fn package(summary: &str) -> Resource {
    Resource { fields: packages::wish(), summary: summary.to_owned(), ..Resource::default() }
}

/// Its line of the password file; one that shows a certificate has none.
fn account_resource(account: &Account) -> Option<(Key, Resource)> {
    let password = account.password.clone()?.into_value(Value::Secret);
    let resource = Resource {
        fields: Fields::from([("password".to_owned(), password)]),
        impact: reload(),
        wakes: Some(service_key()),
        summary: format!("reads {}, publishes to {}", listed(&account.read), listed(&account.write)),
        ..Resource::default()
    };
    Some((Key::new("account", account.name.as_str()), resource))
}

fn listed(topics: &[String]) -> String {
    match topics {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn acl(accounts: &[Account]) -> Resource {
    file(private(account::acl(accounts)), reload())
}

/// Its lines are the accounts; here only who may read it.
fn passwd() -> Resource {
    let mut fields = private("");
    fields.remove("content");
    file(fields, reload())
}

fn configuration(
    name: &str,
    broker: &Broker,
    lookup: &dyn Lookup,
) -> Result<[(Key, Resource); 2], Vec<Fault>> {
    let listeners = &broker.listeners;
    let websockets = match listeners.websockets.as_ref().map(websockets).transpose() {
        Ok(websockets) => websockets,
        Err(fault) => return Err(vec![fault]),
    };
    let context = json!({
        "broker": name,
        "mqtts": { "port": *listeners.mqtts.port, "bind": bind(&listeners.mqtts) },
        "websockets": websockets,
        "certificates": listeners.certificates.as_ref().map(|listener| {
            json!({ "port": *listener.port, "bind": bind(listener) })
        }),
    });
    let main = lookup.render("mosquitto/mosquitto.conf", &context);
    let ours = lookup.render("mosquitto/rocade.conf.j2", &context);
    match (main, ours) {
        (Ok(main), Ok(ours)) => Ok([
            (Key::new("file", MAIN_CONF), file(public(main), restart())),
            (Key::new("file", CONF), file(public(ours), restart())),
        ]),
        (main, ours) => Err([main.err(), ours.err()].into_iter().flatten().collect()),
    }
}

fn bind(listener: &Listener) -> Option<String> {
    listener.bind.as_ref().map(|address| address.to_string())
}

fn websockets(listener: &Listener) -> Result<serde_json::Value, Fault> {
    let loopback = listener.bind.as_ref().is_some_and(|address| address.is_loopback());
    if !is_tls(listener) && !loopback {
        let fault = Fault::new("a WebSocket listener in clear text must be bound to loopback")
            .hint("write `bind: 127.0.0.1`, or `tls: true` to serve the network");
        return Err(fault.at(&listener.port.place));
    }
    let family = listener.bind.as_ref().map(|address| match address.value {
        IpAddr::V4(_) => "ipv4",
        IpAddr::V6(_) => "ipv6",
    });
    Ok(json!({
        "port": *listener.port, "bind": bind(listener), "family": family, "tls": is_tls(listener),
    }))
}

fn is_tls(listener: &Listener) -> bool {
    listener.tls.unwrap_or(false)
}

fn certificates(name: &str, broker: &Broker, lookup: &dyn Lookup) -> Result<Vec<(Key, Resource)>, Fault> {
    let leaf = lookup.leaf(name)?;
    let authority = lookup.authority()?.into_value(Value::Text);
    let chain = leaf.clone().into_value(|leaf| leaf.chain_pem.into());
    let key = leaf.into_value(|leaf| leaf.key_pem.into());
    // The reload signal replaces the certificates of MQTT listeners, not those libwebsockets holds.
    let impact = match &broker.listeners.websockets {
        Some(listener) if is_tls(listener) => restart(),
        _ => reload(),
    };
    let mut files = vec![
        // On its reload signal Mosquitto does not read the authority of its clients anew.
        (Key::new("file", AUTHORITY), file(public(authority), restart())),
        (Key::new("file", CERTIFICATE), file(public(chain), impact.clone())),
        (Key::new("file", KEY), file(private(key), impact)),
    ];
    if broker.listeners.certificates.is_some() {
        let revoked = lookup.crls()?.into_value(Value::Text);
        // A reload would refuse who connects from now on; those who are connected stay. A restart ends them too.
        files.push((Key::new("file", CRL), file(public(revoked), restart())));
    }
    Ok(files)
}

fn file(fields: Fields, impact: Impact) -> Resource {
    Resource { fields, impact, wakes: Some(service_key()), summary: String::new(), ..Resource::default() }
}

/// A file anybody on the host may read.
fn public(content: impl Into<Value>) -> Fields {
    files::wish(content.into(), "644", "root", "root")
}

/// A file for Mosquitto alone. It reads its files as its own user, the reload signal included.
fn private(content: impl Into<Value>) -> Fields {
    files::wish(content.into(), "640", "root", "mosquitto")
}

/// The ports on which the network is served, all of them with TLS.
pub(super) fn tls_ports(broker: &Broker) -> impl Iterator<Item = u16> {
    let websockets = broker.listeners.websockets.as_ref().filter(|listener| is_tls(listener));
    let certificates = broker.listeners.certificates.as_ref();
    std::iter::once(&broker.listeners.mqtts)
        .chain(certificates)
        .chain(websockets)
        .map(|listener| *listener.port)
}

/// The ports on which clear text must not reach the network.
pub(super) fn clear_ports(broker: &Broker) -> impl Iterator<Item = u16> {
    let mqtts = *broker.listeners.mqtts.port;
    let websockets = broker.listeners.websockets.as_ref().filter(|listener| !is_tls(listener));
    let websockets = websockets.map(|listener| *listener.port);
    [Some(CLEAR_PORT), websockets].into_iter().flatten().filter(move |port| *port != mqtts)
}

fn clear_port(port: u16) -> (Key, Resource) {
    let nowhere: Vec<String> = Vec::new();
    let resource = Resource {
        fields: Fields::from([("open_to_network".to_owned(), nowhere.into())]),
        impact: restart(),
        wakes: Some(service_key()),
        summary: "clear text".to_owned(),
        ..Resource::default()
    };
    (Key::new("listener", port.to_string()), resource)
}

fn service() -> Resource {
    let fields = ["enabled", "running", "current"].map(|name| (name.to_owned(), true.into()));
    Resource { fields: fields.into(), ..Resource::default() }
}

pub(super) fn service_key() -> Key {
    Key::new("service", SERVICE)
}

/// The files Mosquitto reads when it starts.
pub(super) fn watched() -> Vec<String> {
    [MAIN_CONF, CONF_D, ACL, PASSWD, AUTHORITY, CERTIFICATE, KEY, CRL].map(str::to_owned).into()
}

fn reload() -> Impact {
    Impact::Reload(SERVICE.to_owned())
}

fn restart() -> Impact {
    Impact::Restart(SERVICE.to_owned())
}
