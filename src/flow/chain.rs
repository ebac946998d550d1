//! The way of the readings as a drawing: sensors, gateway, relay, broker, and who reads there; what they rest on:
//! certificates with their names, the authority, hosts. Telephone systems stand beside it.

use std::collections::BTreeSet;

use super::graph::{Graph, Look, plain};
use crate::inventory::{Broker, Gateway, GatewayModel, Host, Inventory, Sensor, Var};

/// What is drawn.
struct Choice<'a> {
    gateways: BTreeSet<&'a str>,
    brokers: BTreeSet<&'a str>,
    hosts: BTreeSet<&'a str>,
}

/// The drawing of all, or of what belongs to a site, gateway, broker or host. `None` when there is no such name.
pub fn chain(inventory: &Inventory, name: Option<&str>) -> Option<Graph> {
    let choice = choose(inventory, name)?;
    let mut graph = Graph::default();
    for name in &choice.gateways {
        gateway(&mut graph, inventory, name, &inventory.gateways[*name]);
    }
    for name in &choice.brokers {
        broker(&mut graph, inventory, name, &inventory.brokers[*name]);
    }
    for name in &choice.hosts {
        host(&mut graph, inventory, name, &inventory.hosts[*name], &choice.brokers);
    }
    if name.is_none_or(|name| inventory.sites.contains_key(name)) {
        super::office::systems(&mut graph, inventory, name, &choice.hosts);
    }
    Some(graph)
}

/// The broker a gateway's relay publishes to.
fn broker_of<'a>(inventory: &'a Inventory, gateway: &str) -> Option<&'a str> {
    let name = &inventory.gateways.get(gateway)?.relay.as_ref()?.broker;
    inventory.brokers.get_key_value(name.as_str()).map(|(name, _)| name.as_str())
}

fn choose<'a>(inventory: &'a Inventory, name: Option<&str>) -> Option<Choice<'a>> {
    let is_at = |site: &str| name.is_none_or(|wanted| wanted == site);
    let own = |known: &str| name.is_none_or(|wanted| wanted == known);
    let mut gateways: BTreeSet<&str> = BTreeSet::new();
    for (known, one) in &inventory.gateways {
        let broker = broker_of(inventory, known);
        if own(known) || is_at(&one.site) || name.is_some() && broker == name {
            gateways.insert(known);
        }
    }
    let mut brokers: BTreeSet<&str> = gateways.iter().filter_map(|name| broker_of(inventory, name)).collect();
    brokers.extend(inventory.brokers.keys().map(String::as_str).filter(|known| own(known)));
    let mut hosts: BTreeSet<&str> = BTreeSet::new();
    for (known, one) in &inventory.hosts {
        if own(known) || one.site.as_ref().is_some_and(|site| is_at(site)) {
            hosts.insert(known);
        }
    }
    for known in &hosts {
        brokers.extend(
            shown_by(inventory, &inventory.hosts[*known]).into_iter().filter_map(|(broker, _)| broker),
        );
    }
    let found = name.is_none_or(|name| {
        let known = [
            inventory.sites.contains_key(name),
            inventory.gateways.contains_key(name),
            inventory.brokers.contains_key(name),
            inventory.hosts.contains_key(name),
        ];
        known.contains(&true)
    });
    found.then_some(Choice { gateways, brokers, hosts })
}

fn gateway(graph: &mut Graph, inventory: &Inventory, name: &str, one: &Gateway) {
    let id = format!("gateway_{}", plain(name));
    let model = match one.model {
        GatewayModel::MultitechConduit => "MultiTech Conduit",
    };
    let site = inventory.sites.get(one.site.as_str()).map_or(one.site.as_str(), |site| site.title.as_str());
    graph.node(&id, Look::Passage, &[name, &format!("{model}, {}", one.address.value), site]);
    for (sensor, Sensor { model, dev_eui, topic, .. }) in
        inventory.sensors_of(name).map(|(name, sensor)| (name, &sensor.value))
    {
        let from = format!("sensor_{}", plain(sensor));
        let eui = dev_eui.0.to_string();
        graph.node(&from, Look::Source, &[sensor, &format!("{}, {eui}", model.name()), &topic.value]);
        graph.edge(&from, &format!("LoRaWAN {:?}", one.lorawan.region), &id);
    }
    let Some(relay) = &one.relay else { return };
    let to = format!("broker_{}", plain(&relay.broker));
    let Some(broker) = inventory.brokers.get(relay.broker.as_str()) else { return };
    let (via, port) = broker.reached_by(relay);
    graph.edge(&id, &format!("relay, TLS {}:{port}", via.value), &to);
}

fn broker(graph: &mut Graph, inventory: &Inventory, name: &str, one: &Broker) {
    let id = format!("broker_{}", plain(name));
    let listeners = &one.listeners;
    let tls = format!("MQTT over TLS, port {}", listeners.mqtts.port.value);
    let sockets = listeners.websockets.as_ref().map_or(String::new(), |sockets| {
        let bind = sockets.bind.as_ref().map_or(String::new(), |bind| format!(" on {}", bind.value));
        let tls = if sockets.tls == Some(true) { "TLS" } else { "clear" };
        format!("WebSocket ({tls}), port {}{bind}", sockets.port.value)
    });
    graph.node(&id, Look::Passage, &[name, &format!("Mosquitto, {}", one.address.value), &tls, &sockets]);
    let certificate = format!("certificate_{}", plain(name));
    let names: Vec<&str> = one.names.iter().map(|name| name.as_str()).collect();
    let mut words = vec![format!("certificate of {name}")];
    words.extend(names.iter().map(|name| (*name).to_owned()));
    graph.node(&certificate, Look::Ground, &words.iter().map(String::as_str).collect::<Vec<_>>());
    graph.edge(&certificate, "shown by", &id);
    if let Some(pki) = &inventory.pki {
        graph.node("authority", Look::Ground, &[&pki.authority.name, "authority"]);
        graph.edge("authority", "signs", &certificate);
    }
    for (client, one) in &one.clients {
        let to = format!("client_{}_{}", plain(name), plain(client));
        graph.node(&to, Look::Taker, &[client, "client"]);
        for filter in &one.read {
            graph.edge(&id, &format!("reads {}", filter.value), &to);
        }
        for filter in &one.write {
            graph.edge(&to, &format!("publishes {}", filter.value), &id);
        }
    }
}

fn host(graph: &mut Graph, inventory: &Inventory, name: &str, one: &Host, brokers: &BTreeSet<&str>) {
    let id = format!("host_{}", plain(name));
    let site = one.site.as_ref().and_then(|site| inventory.sites.get(site.as_str()));
    let site = site.map_or("", |site| site.title.as_str());
    graph.node(&id, Look::Taker, &[name, &format!("host, {}", one.address.value), site]);
    for (broker, topic) in shown_by(inventory, one) {
        if let Some(broker) = broker.filter(|broker| brokers.contains(broker)) {
            graph.edge(&format!("broker_{}", plain(broker)), topic, &id);
        }
    }
}

/// The topics of sensors that a host's variables name, each with the broker its readings are on.
fn shown_by<'a>(inventory: &'a Inventory, host: &'a Host) -> Vec<(Option<&'a str>, &'a str)> {
    let mut texts = BTreeSet::new();
    host.vars.values().for_each(|var| gather(var, &mut texts));
    let sensors = inventory.sensors.values().filter(|sensor| texts.contains(sensor.topic.as_str()));
    sensors.map(|sensor| (broker_of(inventory, &sensor.gateway), sensor.topic.as_str())).collect()
}

fn gather<'a>(var: &'a Var, texts: &mut BTreeSet<&'a str>) {
    match var {
        Var::Text(text) => {
            texts.insert(text.as_str());
        }
        Var::List(vars) => vars.iter().for_each(|var| gather(var, texts)),
        Var::Map(vars) => vars.values().for_each(|var| gather(var, texts)),
        Var::Bool(_) | Var::Int(_) => {}
    }
}
