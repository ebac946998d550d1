//! The secrets an inventory refers to, by name.

use crate::inventory::{At, Inventory, SecretRef, Ssh};
use crate::providers::mosquitto::minted;

/// Every secret the inventory names, with those that rocade makes by itself. In order, each once.
pub fn named_secrets(inventory: &Inventory) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    let mut take = |secret: &At<SecretRef>| named.push(secret.secret.clone());
    let logins = inventory.gateways.values().map(|gateway| &gateway.ssh);
    let logins = logins.chain(inventory.brokers.values().map(|broker| &broker.ssh));
    let logins = logins.chain(inventory.hosts.values().map(|host| &host.ssh));
    logins.flat_map(|ssh: &Ssh| ssh.password.iter().chain(&ssh.sudo_password)).for_each(&mut take);
    for gateway in inventory.gateways.values() {
        take(&gateway.lorawan.network_key);
        gateway.relay.iter().filter_map(|relay| relay.password.as_ref()).for_each(&mut take);
    }
    inventory.sensors.values().for_each(|sensor| take(&sensor.app_key));
    let clients = inventory.brokers.values().flat_map(|broker| broker.clients.values());
    clients.for_each(|client| take(&client.password));
    let files = inventory.hosts.values().flat_map(|host| &host.files);
    for secret in files.flat_map(|file| file.secrets.values()) {
        named.push(secret.secret.clone());
    }
    let mut take = |secret: &At<SecretRef>| named.push(secret.secret.clone());
    for pbx in inventory.pbx.values() {
        take(&pbx.client_secret);
        pbx.directories.values().map(|directory| &directory.api_key).for_each(&mut take);
        let voicemails = pbx.extensions.values().filter_map(|extension| extension.voicemail.as_ref());
        voicemails.filter_map(|voicemail| voicemail.pin.as_ref()).for_each(&mut take);
        pbx.trunks.values().filter_map(|trunk| trunk.password.as_ref()).for_each(&mut take);
        let sbcs = pbx.sbcs.values().flat_map(|sbc| sbc.password.iter().chain(&sbc.provisioning_link));
        sbcs.for_each(&mut take);
    }
    named.extend(minted(inventory));
    named.sort();
    named.dedup();
    named
}
