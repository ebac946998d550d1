//! Brokers: nothing in clear on the network, and a certificate that names them as their clients do.

use std::net::IpAddr;

use super::topic::{filter_fault, topic_fault};
use super::{address, host, repeated};
use crate::inventory::load::Written;
use crate::inventory::{At, Broker, BrokerClient, Diagnostic, Inventory, Listener, Listeners};
use crate::model::Network;

pub(super) fn check(inventory: &Inventory, written: &Written, found: &mut Vec<Diagnostic>) {
    if let Some((name, broker)) = inventory.brokers.first_key_value()
        && !written.any("pki")
    {
        let message = format!("broker `{name}` needs a certificate, and there is no `pki` section");
        let fault = Diagnostic::error("missing-pki", message).at(&broker.place, "");
        found.push(fault.help("write `pki: {authority: {name: Example IoT Root}}`"));
    }
    let endpoint = |broker: &At<Broker>| host::endpoint(&broker.address, &broker.ssh, broker.root.as_ref());
    let places = inventory.brokers.values().map(|broker| (endpoint(broker), &broker.address.place));
    repeated(places, |(address, ..)| host::same_address("brokers", address), found);
    for broker in inventory.brokers.values() {
        check_names(broker, found);
        check_listeners(&broker.listeners, found);
        check_brute_force(broker, found);
        check_firewall(broker, found);
        for (name, client) in &broker.clients {
            check_client(name, client, found);
        }
        broker.root.iter().for_each(|root| host::check_path(root, found));
    }
    check_relays(inventory, found);
}

fn check_names(broker: &At<Broker>, found: &mut Vec<Diagnostic>) {
    address::check(&broker.address, found);
    broker.names.iter().for_each(|name| address::check(name, found));
    if broker.names.is_empty() {
        let fault =
            Diagnostic::error("no-names", "`names` is empty: a certificate needs the names clients use");
        found.push(fault.at(&broker.place, ""));
    }
    check_reached_at(broker, found);
}

/// A port of the listener for certificates, where there is none.
fn check_certificate_port(broker: &At<Broker>, port: &At<u16>, found: &mut Vec<Diagnostic>) {
    if broker.listeners.certificates.is_none() {
        let message = "this broker has no listener for certificates";
        let fault = Diagnostic::error("no-certificate-listener", message).at(&port.place, "");
        found.push(fault.help("write `certificates: {port: 8884}` under its `listeners`"));
    }
}

/// What clients use must stand in the certificate.
fn check_reached_at(broker: &At<Broker>, found: &mut Vec<Diagnostic>) {
    let Some(reached) = &broker.reached_at else { return };
    reached.certificates.iter().for_each(|port| check_certificate_port(broker, port, found));
    for zero in reached.port.iter().chain(&reached.certificates).filter(|port| port.value == 0) {
        found.push(Diagnostic::error("out-of-range", "port 0 is no port").at(&zero.place, ""));
    }
    let Some(used) = &reached.address else { return };
    address::check(used, found);
    if let Some(first) = broker.names.first()
        && !broker.names.iter().any(|name| address::same(name, used))
    {
        let message = format!("`{}` is not in the certificate of this broker", **used);
        let fault = Diagnostic::error("not-in-certificate", message).at(&used.place, "used by its clients");
        found.push(fault.at(&first.place, "the names in the certificate").help("add it to `names`"));
    }
}

/// Each relay must find the name it uses in the certificate.
fn check_relays(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    for relay in inventory.gateways.values().filter_map(|gateway| gateway.relay.as_ref()) {
        let Some(broker) = inventory.brokers.get(relay.broker.as_str()) else { continue };
        if let Some(certificate) = relay.certificate.as_ref().filter(|certificate| certificate.value)
            && broker.listeners.certificates.is_none()
        {
            let message = format!("broker `{}` has no listener for certificates", *relay.broker);
            let fault = Diagnostic::error("no-certificate-listener", message).at(&certificate.place, "");
            found.push(fault.help("write `certificates: {port: 8884}` under the broker's `listeners`"));
        }
        let used = relay.via.as_ref().unwrap_or_else(|| broker.client_address());
        if broker.names.is_empty() || broker.names.iter().any(|name| address::same(name, used)) {
            continue;
        }
        let message = format!("`{}` is not in the certificate of broker `{}`", **used, *relay.broker);
        let fault = Diagnostic::error("not-in-certificate", message).at(&used.place, "used by the relay");
        let fault = fault.at(&broker.names[0].place, "the names in the certificate");
        found.push(fault.help("add it to `names`, or set `via` to one of them"));
    }
}

fn check_listeners(listeners: &Listeners, found: &mut Vec<Diagnostic>) {
    if listeners.mqtts.tls == Some(false) {
        let fault = Diagnostic::error("clear-text-listener", "`mqtts` is always served with TLS");
        found.push(fault.at(&listeners.mqtts.port.place, "").help("remove `tls: false`"));
    }
    let all =
        || std::iter::once(&listeners.mqtts).chain(&listeners.websockets).chain(&listeners.certificates);
    for port in all().map(|listener| &listener.port) {
        if port.value == 0 {
            found.push(Diagnostic::error("out-of-range", "port 0 is no port").at(&port.place, ""));
        }
    }
    if let Some(certificates) = listeners.certificates.as_ref().filter(|one| one.tls == Some(false)) {
        let fault = Diagnostic::error("clear-text-listener", "`certificates` is always served with TLS");
        found.push(fault.at(&certificates.port.place, "").help("remove `tls: false`"));
    }
    check_ports(&all().collect::<Vec<_>>(), found);
    let Some(websockets) = &listeners.websockets else { return };
    let loopback = websockets.bind.as_ref().is_some_and(|bind| bind.is_loopback());
    if websockets.tls != Some(true) && !loopback {
        let place = websockets.bind.as_ref().map_or(&websockets.port.place, |bind| &bind.place);
        let message = "a WebSocket listener in clear must be bound to loopback";
        let help = "write `bind: 127.0.0.1` for a display on the same host, `tls: true` for the network";
        found.push(Diagnostic::error("clear-text-listener", message).at(place, "").help(help));
    }
}

/// No two listeners on one port of one address.
fn check_ports(listeners: &[&Listener], found: &mut Vec<Diagnostic>) {
    let bound = |bind: &Option<At<IpAddr>>| bind.as_ref().map(|bind| bind.value);
    for (index, second) in listeners.iter().enumerate() {
        let clashes = |first: &&&Listener| {
            let (one, other) = (bound(&first.bind), bound(&second.bind));
            *first.port == *second.port && (one.is_none() || other.is_none() || one == other)
        };
        if let Some(first) = listeners[..index].iter().find(clashes) {
            let message = format!("two listeners on port {}", *second.port);
            let fault = Diagnostic::error("duplicate-port", message).at(&second.port.place, "again here");
            found.push(fault.at(&first.port.place, "first here"));
        }
    }
}

fn check_client(name: &str, client: &At<BrokerClient>, found: &mut Vec<Diagnostic>) {
    if name.starts_with("relay-") || name.starts_with("rocade-") {
        let message = format!("`{name}` is a name rocade gives to its own accounts");
        let fault = Diagnostic::error("reserved-name", message).at(&client.place, "");
        found.push(fault.help("choose one that begins with neither `relay-` nor `rocade-`"));
    }
    for filter in client.read.iter().chain(&client.write) {
        if let Some(fault) = filter_fault(filter) {
            found.push(Diagnostic::error("bad-topic", fault).at(&filter.place, ""));
        }
    }
    for filter in client.write.iter().filter(|filter| filter_fault(filter).is_none()) {
        let reserved = filter.starts_with(['+', '#']) || filter.split('/').next() == Some("rocade");
        if reserved && topic_fault(filter).is_some() {
            let message = "this lets the client write to `rocade/`, which is kept for the relays";
            found.push(Diagnostic::error("bad-topic", message).at(&filter.place, ""));
        }
    }
}

fn check_brute_force(broker: &At<Broker>, found: &mut Vec<Diagnostic>) {
    let Some(rule) = &broker.brute_force else { return };
    for period in [&rule.find_time, &rule.ban_time].into_iter().filter(|period| period.as_secs() == 0) {
        found
            .push(Diagnostic::error("out-of-range", "a time of zero locks nobody out").at(&period.place, ""));
    }
    if rule.max_retry == 0 {
        let message = "`max_retry` of 0 would lock out everybody";
        found.push(Diagnostic::error("out-of-range", message).at(&rule.find_time.place, "beside this"));
    }
    let places = rule.never.iter().map(|network| (*network.value, &network.place));
    repeated(places, twice, found);
}

fn twice(network: &Network) -> Diagnostic {
    Diagnostic::error("duplicate-network", format!("network {network} twice"))
}

fn check_firewall(broker: &At<Broker>, found: &mut Vec<Diagnostic>) {
    let Some(firewall) = &broker.firewall else { return };
    if let Some(zero) = firewall.connections.as_ref().filter(|connections| connections.value == 0) {
        let message = "`connections` of 0 would let nobody in";
        found.push(Diagnostic::error("out-of-range", message).at(&zero.place, ""));
    }
    let Some(from) = &firewall.from else { return };
    if from.is_empty() {
        let fault = Diagnostic::error("no-networks", "`from` is empty: nobody could reach the broker");
        let fault = fault.at(&from.place, "");
        found.push(fault.help("name the networks of its clients, or leave `from` out to let all reach it"));
    }
    let places = from.iter().map(|network| (*network.value, &network.place));
    repeated(places, twice, found);
}
