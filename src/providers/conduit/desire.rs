//! What is wished of a gateway. Pure: the same inventory and secrets give the same wish.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{NETWORK_SERVER, RELAY, key, lorawan, relay, sensor, unit};
use crate::inventory::{Activation, At, Gateway, Inventory, SecretRef, Sensor};
use crate::model::{Eui, Fields, Impact, Key, Resource, Resources, Secret, Target, Value, Wish};
use crate::providers::{Fault, Found, Lookup};

/// All that is wished of one gateway.
///
/// # Errors
/// Every fault found.
pub(super) fn wish(inventory: &Inventory, target: &Target, lookup: &dyn Lookup) -> Result<Wish, Vec<Fault>> {
    let Some(gateway) = inventory.gateways.get(&target.name) else {
        return Err(vec![Fault::new(format!("the inventory has no gateway `{}`", target.name))]);
    };
    let mut faults = Vec::new();
    let mut keys = Keys { seen: BTreeMap::new(), lookup };
    let mut resources = Resources::from([
        unit::resource(gateway),
        saved(),
        service(NETWORK_SERVER, &["running", "current"], Impact::Interrupts("uplinks ~30 s".to_owned())),
    ]);
    match network_server(&target.name, gateway, &mut keys) {
        Ok(resource) => drop(resources.insert(Key::new("lorawan", "network-server"), resource)),
        Err(fault) => faults.push(fault),
    }
    for (name, spec) in inventory.sensors_of(&target.name) {
        match sensor(name, spec, &mut keys) {
            Ok(resource) => drop(resources.insert(Key::new("sensor", name), resource)),
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(spec) = &gateway.relay {
        match relay::files(inventory, &target.name, gateway, spec, lookup) {
            Ok(files) => resources.extend(files),
            Err(found) => faults.extend(found),
        }
        // Under a prefix nothing runs.
        if gateway.root.is_none() {
            resources.extend([service(RELAY, &["enabled", "running", "current"], Impact::default())]);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Wish::new(target.clone(), super::KIND, super::RANK, resources))
}

fn network_server(name: &str, gateway: &Gateway, keys: &mut Keys<'_>) -> Result<Resource, Fault> {
    let spec = &gateway.lorawan;
    let eui = spec.network_eui.as_ref().map_or_else(|| derived_eui(name), |eui| eui.value.0);
    let key = keys.take("the network", &spec.network_key)?;
    Ok(Resource {
        fields: lorawan::wished(eui, key),
        impact: Impact::None,
        wakes: Some(network_server_key()),
        summary: "EU868, join server on the gateway".to_owned(),
        ..Resource::default()
    })
}

/// The network's EUI when the inventory names none: the same for the same name, marked as locally given.
pub(super) fn derived_eui(name: &str) -> Eui {
    let digest = Sha256::digest(format!("rocade network {name}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    bytes[0] = (bytes[0] | 0x02) & 0xfe;
    hex::encode(bytes).parse().expect("eight bytes are sixteen hex digits")
}

fn sensor(name: &str, spec: &Sensor, keys: &mut Keys<'_>) -> Result<Resource, Fault> {
    if spec.activation.value == Activation::Abp {
        return Err(Fault::new(format!("sensor `{name}` cannot be activated by ABP on a Conduit"))
            .at(&spec.activation.place)
            .hint("its join server's credentials are for OTAA only, and it drops ABP uplinks silently"));
    }
    let app_key = keys.take(&format!("sensor `{name}`"), &spec.app_key)?;
    Ok(Resource {
        fields: sensor::wished(spec.dev_eui.value.0, spec.app_eui.value.0, app_key),
        impact: Impact::None,
        wakes: Some(network_server_key()),
        summary: format!("DevEUI {}", *spec.dev_eui.value),
        ..Resource::default()
    })
}

/// The root keys of one gateway: no two may be equal.
struct Keys<'a> {
    seen: BTreeMap<Vec<u8>, String>,
    lookup: &'a dyn Lookup,
}

impl Keys<'_> {
    fn take(&mut self, owner: &str, named: &At<SecretRef>) -> Result<Value, Fault> {
        let at = |fault: Fault| fault.at(&named.place);
        let secret: Secret = match self.lookup.secret(&named.secret).map_err(at)? {
            Found::Ready(secret) => secret,
            Found::Pending(by) => return Ok(Value::Pending(by)),
        };
        let key = key::checked(&secret).map_err(at)?;
        // A digest, so that no copy of a key outlives this.
        let digest = Sha256::digest(key.reveal()).to_vec();
        match self.seen.insert(digest, owner.to_owned()) {
            Some(other) => Err(at(Fault::new(format!("{owner} and {other} have the same key"))
                .hint("who reads one key could speak for both: give each its own"))),
            None => Ok(Value::Secret(key)),
        }
    }
}

fn saved() -> (Key, Resource) {
    let fields = Fields::from([("saved".to_owned(), true.into())]);
    let resource = Resource { fields, summary: "survives a power cut".to_owned(), ..Resource::default() };
    (saved_key(), resource)
}

fn service(name: &str, fields: &[&str], impact: Impact) -> (Key, Resource) {
    let fields = fields.iter().map(|name| ((*name).to_owned(), true.into())).collect();
    let wakes = (name == NETWORK_SERVER).then(saved_key);
    (
        Key::new("service", name),
        Resource { fields, impact, wakes, summary: String::new(), ..Resource::default() },
    )
}

/// The settings as the gateway keeps them over a restart.
pub(super) fn saved_key() -> Key {
    Key::new("saved", "settings")
}

/// The network server, which takes up new settings and sensors only when it is restarted.
pub(super) fn network_server_key() -> Key {
    Key::new("service", NETWORK_SERVER)
}
