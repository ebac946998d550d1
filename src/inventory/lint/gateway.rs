//! Gateways: one identity each, keys that are not the factory's, and no more sensors than they can hold.

use super::{address, host, repeated};
use crate::inventory::{At, Diagnostic, FACTORY_ADDRESS, Gateway, Inventory};
use crate::model::Eui;

/// The AppEUI (JoinEUI) of the pair with which a factory-fresh Conduit lets any device join.
/// The network EUI of every factory-fresh Conduit.
pub const FACTORY_NETWORK_EUI: &str = "0102030405060708";
/// `whitelist.maxSize` and `license.maxDevices` of the Conduit's network server.
const MAX_SENSORS: usize = 2000;

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    check_addresses(inventory, found);
    check_keys(inventory, found);
    let serials = inventory.gateways.values().filter_map(|gateway| gateway.serial.as_ref());
    let serials = serials.map(|serial| (serial.as_str(), &serial.place));
    let fault =
        |serial: &&str| Diagnostic::error("duplicate-serial", format!("two gateways have serial `{serial}`"));
    repeated(serials, fault, found);
    let macs = inventory.gateways.values().filter_map(|gateway| gateway.mac.as_ref());
    let macs = macs.map(|mac| (mac.to_string(), &mac.place));
    repeated(
        macs,
        |mac| Diagnostic::error("duplicate-mac", format!("two gateways have MAC address {mac}")),
        found,
    );
    inventory.gateways.values().for_each(|gateway| check_firmware(gateway, found));
    check_bootstrap(inventory, found);
    check_sensors(inventory, found);
    for gateway in inventory.gateways.values() {
        if let Some(relay) = &gateway.relay {
            relay.via.iter().for_each(|via| address::check(via, found));
            if let Some(spool) = relay.spool.as_ref().filter(|spool| spool.as_bytes() == 0) {
                found.push(
                    Diagnostic::error("bad-size", "a relay needs some room on disk").at(&spool.place, ""),
                );
            }
        }
        gateway.root.iter().for_each(|root| host::check_path(root, found));
    }
}

fn check_addresses(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let apart = |gateway: &&At<Gateway>| gateway.interface_to(&gateway.address).is_none();
    let gateways = || inventory.gateways.values().filter(apart);
    inventory.gateways.values().for_each(|gateway| address::check(&gateway.address, found));
    let (fresh, placed): (Vec<_>, Vec<_>) =
        gateways().partition(|gateway| *gateway.address == FACTORY_ADDRESS);
    let endpoint =
        |gateway: &&At<Gateway>| host::endpoint(&gateway.address, &gateway.ssh, gateway.root.as_ref());
    let placed = placed.iter().map(|gateway| (endpoint(gateway), &gateway.address.place));
    repeated(placed, |(address, ..)| host::same_address("gateways", address), found);
    let help = "connect only one of them at a time, or name the interface each is behind: \
                `bootstrap: {interface: eth1}`";
    if let [first, others @ ..] = fresh.as_slice()
        && !others.is_empty()
    {
        let message = format!("{} gateways are at the factory address {FACTORY_ADDRESS}", fresh.len());
        let fault = others.iter().take(4).fold(
            Diagnostic::warning("factory-address", message).at(&first.address.place, ""),
            |fault, other| fault.at(&other.address.place, "also here"),
        );
        found.push(fault.help(help));
    }
}

/// An image is of use with its checksum, and the checksum with its image.
fn check_firmware(gateway: &Gateway, found: &mut Vec<Diagnostic>) {
    match gateway.firmware.as_ref().map(|firmware| (&firmware.image, &firmware.sha256)) {
        Some((Some(image), None)) => {
            let fault = Diagnostic::error("no-checksum", "an image needs its checksum").at(&image.place, "");
            found.push(fault.help("write `sha256:` beside it, from the manufacturer or `sha256sum FILE`"));
        }
        Some((None, Some(sha256))) => {
            let fault = Diagnostic::error("no-image", "a checksum without an image");
            found.push(fault.at(&sha256.place, "").help("write `image:` beside it, or remove it"));
        }
        Some((Some(image), Some(_)))
            if image.starts_with('/') || image.split(['/', '\\']).any(|part| part == "..") =>
        {
            let fault = Diagnostic::error("bad-path", "an image is a file of the repository");
            found.push(fault.at(&image.place, "").help("write its path from the repository's folder"));
        }
        _ => {}
    }
}

/// The longest name of a network interface on Linux (`IFNAMSIZ` with its end).
const INTERFACE_CHARS_MAX: usize = 15;

fn check_bootstrap(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let all =
        || inventory.gateways.values().filter_map(|gateway| Some((gateway, gateway.bootstrap.as_ref()?)));
    for (_, bootstrap) in all() {
        bootstrap.address.iter().for_each(|address| address::check(address, found));
        let is_name = |name: &str| {
            (1..=INTERFACE_CHARS_MAX).contains(&name.len())
                && name.chars().all(|char| char.is_ascii_graphic() && char != '/')
        };
        if let Some(interface) = bootstrap.interface.as_ref().filter(|interface| !is_name(interface)) {
            let message = format!("`{}` is no network interface", **interface);
            let fault = Diagnostic::error("bad-interface", message).at(&interface.place, "");
            found.push(fault.help("`ip link` lists them, such as eth1"));
        }
    }
    let behind = all().filter_map(|(gateway, bootstrap)| {
        let interface = bootstrap.interface.as_ref()?;
        Some(((interface.value.clone(), gateway.new_address().to_owned()), &interface.place))
    });
    let fault = |(interface, address): &(String, String)| {
        let message = format!("two gateways are new at {address} behind `{interface}`");
        Diagnostic::warning("shared-interface", message).help("connect only one of them at a time")
    };
    repeated(behind, fault, found);
}

fn check_keys(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let factory: Option<Eui> = FACTORY_NETWORK_EUI.parse().ok();
    for gateway in inventory.gateways.values() {
        if let Some(eui) = &gateway.lorawan.network_eui
            && Some(eui.0) == factory
        {
            let message = "this is the network EUI of every factory-fresh Conduit";
            let help = "remove it to have one derived from the gateway's name, or write your own";
            found.push(Diagnostic::error("factory-eui", message).at(&eui.place, "").help(help));
        }
    }
    let keys = inventory.gateways.values().map(|gateway| &gateway.lorawan.network_key);
    let keys = keys.map(|key| (key.secret.as_str(), &key.place));
    let fault = |secret: &&str| {
        let message = format!("two gateways share the network key `{secret}`");
        Diagnostic::warning("shared-key", message).help("who opens one gateway has the key of the other")
    };
    repeated(keys, fault, found);
}

fn check_sensors(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    for (name, gateway) in &inventory.gateways {
        let count = inventory.sensors_of(name).count();
        if count > MAX_SENSORS {
            let message = format!("`{name}` has {count} sensors, a Conduit holds {MAX_SENSORS}");
            let fault = Diagnostic::error("too-many-sensors", message).at(&gateway.place, "");
            found.push(fault.help("spread them over several gateways"));
        }
        if count > 0 && gateway.relay.is_none() {
            let message = format!("`{name}` has sensors but no relay: their readings stay on it");
            let fault = Diagnostic::warning("no-relay", message).at(&gateway.place, "");
            found.push(fault.help("add `relay: {broker: NAME}`"));
        }
    }
}
