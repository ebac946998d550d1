//! The relay on a gateway: its program, its configuration and what it needs to reach the broker.

use serde_json::{Map, json};

use super::{RELAY, heard};
use crate::host::files as host_files;
use crate::inventory::{Broker, Gateway, Inventory, Relay};
use crate::model::{Impact, Key, Resource, Value};
use crate::providers::mosquitto::{relay_password, relay_user, shows_certificate};
use crate::providers::{Fault, Lookup};

/// Where rocade keeps its files on a gateway: on the partition that a restart leaves alone.
pub(super) const HOME: &str = "/var/config/rocade";
/// The relay's folder. It is ours alone: what nobody wished goes.
pub(super) const FOLDER: &str = "/var/config/rocade/relay";
/// The relay's init script; mPower runs sysvinit.
pub(super) const INIT: &str = "/etc/init.d/rocade-relay";

/// The relay's program among the templates.
const PROGRAM: &str = "conduit/relay";
/// The version of `config.json` the relay reads.
const FORMAT: u32 = 1;
const SPOOL_BYTES: u64 = 16 << 20;
/// Below this the relay's spool would hold a few readings only.
const SPOOL_BYTES_MIN: u64 = 64 << 10;
const KEEPALIVE_S: u32 = 60;

/// The command that publishes a probe on the gateway's own broker, with the relay's own program.
pub fn probe_command(nonce: &str) -> Vec<String> {
    let (program, config) = (format!("{FOLDER}/main.py"), format!("{FOLDER}/config.json"));
    ["python3", &program, "--config", &config, "--probe", nonce].map(str::to_owned).into()
}

/// All files of a gateway's relay.
///
/// # Errors
/// Every fault found.
pub(super) fn files(
    inventory: &Inventory,
    name: &str,
    gateway: &Gateway,
    relay: &Relay,
    lookup: &dyn Lookup,
) -> Result<Vec<(Key, Resource)>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    match program(lookup) {
        Ok(program) => files.extend(program),
        Err(found) => faults.extend(found),
    }
    let made = [
        ("config.json", "644", configuration(inventory, name, gateway, relay)),
        ("ca.pem", "644", lookup.authority().map(|pem| pem.into_value(Value::Text))),
    ];
    for (name, mode, content) in made.into_iter().chain(credentials(name, relay, lookup)) {
        match content {
            Ok(content) => files.push(file(format!("{FOLDER}/{name}"), content, mode)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

/// What the relay shows of itself: its password, or a certificate of its own with the key.
fn credentials(
    name: &str,
    relay: &Relay,
    lookup: &dyn Lookup,
) -> Vec<(&'static str, &'static str, Result<Value, Fault>)> {
    if !shows_certificate(relay) {
        let password = relay_password(name, relay, lookup).map(|secret| secret.into_value(Value::Secret));
        return vec![("password", "600", password)];
    }
    match lookup.leaf(&relay_user(name)) {
        Ok(leaf) => vec![
            ("client.pem", "644", Ok(leaf.clone().into_value(|leaf| leaf.chain_pem.into()))),
            ("client.key", "600", Ok(leaf.into_value(|leaf| leaf.key_pem.into()))),
        ],
        Err(fault) => vec![("client.pem", "644", Err(fault))],
    }
}

fn file(path: String, content: impl Into<Value>, mode: &str) -> (Key, Resource) {
    let resource = Resource {
        fields: host_files::wish(content.into(), mode, "root", "root"),
        impact: Impact::Restart(RELAY.to_owned()),
        wakes: Some(Key::new("service", RELAY)),
        summary: String::new(),
        ..Resource::default()
    };
    (Key::new("file", path), resource)
}

fn program(lookup: &dyn Lookup) -> Result<Vec<(Key, Resource)>, Vec<Fault>> {
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for source in lookup.sources(PROGRAM) {
        let Some(name) = source.strip_prefix(PROGRAM).map(|name| name.trim_start_matches('/')) else {
            continue;
        };
        if is_byproduct(name) {
            continue;
        }
        let content = lookup.source(&source).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| Fault::new(format!("templates/{source} is not text")))
        });
        match content {
            Ok(content) => files.push(program_file(name, content)),
            Err(fault) => faults.push(fault),
        }
    }
    if files.is_empty() && faults.is_empty() {
        faults.push(Fault::new(format!("there is no relay program under templates/{PROGRAM}")));
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

fn program_file(name: &str, content: String) -> (Key, Resource) {
    match name {
        "rocade-relay.init" => file(INIT.to_owned(), content, "755"),
        "supervise" => file(format!("{FOLDER}/{name}"), content, "755"),
        _ => file(format!("{FOLDER}/{name}"), content, "644"),
    }
}

/// What Python makes beside a program when it runs.
pub(super) fn is_byproduct(path: &str) -> bool {
    path.ends_with(".pyc") || path.split('/').any(|part| part == "__pycache__")
}

/// The relay's `config.json`.
fn configuration(
    inventory: &Inventory,
    name: &str,
    gateway: &Gateway,
    relay: &Relay,
) -> Result<Value, Fault> {
    let broker = inventory.brokers.get(relay.broker.as_str()).ok_or_else(|| {
        Fault::new(format!("the inventory has no broker `{}`", *relay.broker)).at(&relay.broker.place)
    })?;
    let config = json!({
        "format": FORMAT,
        "gateway": name,
        "site": *gateway.site,
        "local": {
            "host": "127.0.0.1", "port": 1883, "topic": "lora/+/+/up", "probe_topic": "rocade/probe",
        },
        "remote": remote(name, relay, broker)?,
        "heard_file": heard::FRESH,
        "spool": { "dir": format!("{HOME}/spool"), "max_bytes": spool_bytes(relay)? },
        "status_topic": format!("rocade/relays/{name}/status"),
        "probe_reply_topic": format!("rocade/relays/{name}/probe"),
        "sensors": sensors(inventory, name, gateway),
    });
    let text = serde_json::to_string_pretty(&config)
        .map_err(|error| Fault::new(format!("the relay's configuration cannot be written: {error}")))?;
    Ok(Value::Text(text + "\n"))
}

fn remote(name: &str, relay: &Relay, broker: &Broker) -> Result<serde_json::Value, Fault> {
    let (host, port) = broker.reached_by(relay);
    let mut remote = json!({
        "host": **host,
        "port": port,
        "ca_file": format!("{FOLDER}/ca.pem"),
        "username": relay_user(name),
        "client_id": format!("rocade-relay-{name}"),
        "keepalive_s": KEEPALIVE_S,
    });
    if shows_certificate(relay) {
        if broker.listeners.certificates.is_none() {
            let fault = Fault::new(format!("broker `{}` has no listener for certificates", *relay.broker));
            let fault = fault.at(&relay.broker.place);
            return Err(fault.hint("write `certificates: {port: 8884}` under its `listeners`"));
        }
        remote["certificate_file"] = json!(format!("{FOLDER}/client.pem"));
        remote["key_file"] = json!(format!("{FOLDER}/client.key"));
    } else {
        remote["password_file"] = json!(format!("{FOLDER}/password"));
    }
    Ok(remote)
}

fn spool_bytes(relay: &Relay) -> Result<u64, Fault> {
    match &relay.spool {
        None => Ok(SPOOL_BYTES),
        Some(spool) if spool.as_bytes() >= SPOOL_BYTES_MIN => Ok(spool.as_bytes()),
        Some(spool) => {
            Err(Fault::new("the relay's spool is too small").at(&spool.place).hint("write 64 KiB or more"))
        }
    }
}

fn sensors(inventory: &Inventory, name: &str, gateway: &Gateway) -> Map<String, serde_json::Value> {
    let own = inventory.sensors_of(name);
    own.map(|(name, sensor)| {
        let mut entry = json!({
            "name": name, "site": *gateway.site, "model": sensor.model.name(), "topic": *sensor.topic,
        });
        if let Some(period) = &sensor.period {
            entry["period_s"] = json!(period.as_secs());
        }
        (sensor.dev_eui.to_string(), entry)
    })
    .collect()
}
