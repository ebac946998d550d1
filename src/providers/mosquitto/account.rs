//! Who logs in at a broker and what each may read and publish. All of it is derived from who sends what
//! in the inventory; nothing is granted besides.

use std::fmt::Write;

use crate::inventory::{At, Broker, Gateway, Inventory, Relay};
use crate::model::Secret;
use crate::providers::{Fault, Found, Lookup};

/// The account `rocade verify` probes with.
pub const VERIFIER: &str = "rocade-verify";

/// One account of a broker.
#[derive(Debug)]
pub(super) struct Account {
    /// Its name.
    pub name: String,
    /// Its password; none when it shows a certificate.
    pub password: Option<Found<Secret>>,
    /// Topic filters it may read.
    pub read: Vec<String>,
    /// Topic filters it may publish to.
    pub write: Vec<String>,
}

/// All accounts of a broker: its relays, its clients and the one that verifies it.
///
/// # Errors
/// Every password that cannot be had and every topic that cannot stand in an ACL file.
pub(super) fn all(
    inventory: &Inventory,
    name: &str,
    broker: &Broker,
    lookup: &dyn Lookup,
) -> Result<Vec<Account>, Vec<Fault>> {
    let mut accounts = Vec::new();
    let mut faults = Vec::new();
    let found = relays(inventory, name, lookup)
        .into_iter()
        .chain(clients(broker, lookup))
        .chain([verifier(name, lookup)]);
    for account in found {
        match account.and_then(checked) {
            Ok(account) => accounts.push(account),
            Err(fault) => faults.push(fault),
        }
    }
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    if faults.is_empty() { Ok(accounts) } else { Err(faults) }
}

fn relays(inventory: &Inventory, broker: &str, lookup: &dyn Lookup) -> Vec<Result<Account, Fault>> {
    let served = inventory.gateways.iter().filter_map(|(gateway, spec)| {
        spec.relay.as_ref().filter(|relay| **relay.broker == *broker).map(|relay| (gateway, relay))
    });
    served
        .map(|(gateway, relay)| {
            let topics = inventory.sensors_of(gateway).map(|(_, sensor)| sensor.topic.value.clone());
            let mut write: Vec<String> = topics.collect();
            write.push(format!("rocade/relays/{gateway}/#"));
            Ok(Account {
                name: relay_user(gateway),
                password: match shows_certificate(relay) {
                    true => None,
                    false => Some(relay_password(gateway, relay, lookup)?),
                },
                read: Vec::new(),
                write,
            })
        })
        .collect()
}

/// The account a gateway's relay logs in with.
pub fn relay_user(gateway: &str) -> String {
    format!("relay-{gateway}")
}

/// Whether a relay shows a certificate instead of a password.
pub fn shows_certificate(relay: &Relay) -> bool {
    relay.certificate.as_ref().is_some_and(|certificate| certificate.value)
}

/// The accounts of relays that show a certificate: also the names of their leaves.
pub fn certified_relays(inventory: &Inventory) -> Vec<String> {
    let certified = |gateway: &Gateway| gateway.relay.as_ref().is_some_and(shows_certificate);
    let gateways = inventory.gateways.iter().filter(|(_, gateway)| certified(gateway));
    gateways.map(|(name, _)| relay_user(name)).collect()
}

/// The password of a gateway's relay: the one the inventory names, else one that the first apply makes.
///
/// # Errors
/// When it is missing or cannot be opened.
pub fn relay_password(gateway: &str, relay: &Relay, lookup: &dyn Lookup) -> Result<Found<Secret>, Fault> {
    match &relay.password {
        Some(named) => lookup.secret(&named.secret).map_err(|fault| fault.at(&named.place)),
        None => lookup.minted(&relay_secret(gateway)),
    }
}

fn relay_secret(gateway: &str) -> String {
    format!("gateways/{gateway}/relay")
}

fn verifier_secret(broker: &str) -> String {
    format!("brokers/{broker}/verify")
}

/// The names of the secrets that rocade makes itself: a password for each relay that is given none, and one
/// for the probes of each broker.
pub fn minted(inventory: &Inventory) -> Vec<String> {
    let none = |relay: &Relay| relay.password.is_none() && !shows_certificate(relay);
    let given_none = |gateway: &Gateway| gateway.relay.as_ref().is_some_and(none);
    let relays = inventory.gateways.iter().filter(|(_, gateway)| given_none(gateway));
    let relays = relays.map(|(name, _)| relay_secret(name));
    relays.chain(inventory.brokers.keys().map(|name| verifier_secret(name))).collect()
}

fn clients(broker: &Broker, lookup: &dyn Lookup) -> Vec<Result<Account, Fault>> {
    let topics = |filters: &[At<String>]| filters.iter().map(|filter| filter.value.clone()).collect();
    broker
        .clients
        .iter()
        .map(|(name, client)| {
            let password =
                lookup.secret(&client.password.secret).map_err(|fault| fault.at(&client.password.place))?;
            Ok(Account {
                name: name.clone(),
                password: Some(password),
                read: topics(&client.read),
                write: topics(&client.write),
            })
        })
        .collect()
}

/// The password of a broker's [`VERIFIER`], which the first apply makes.
///
/// # Errors
/// When it is there and cannot be opened.
pub fn verifier_password(broker: &str, lookup: &dyn Lookup) -> Result<Found<Secret>, Fault> {
    lookup.minted(&verifier_secret(broker))
}

fn verifier(broker: &str, lookup: &dyn Lookup) -> Result<Account, Fault> {
    Ok(Account {
        name: VERIFIER.to_owned(),
        password: Some(verifier_password(broker, lookup)?),
        read: vec!["rocade/relays/#".to_owned(), "rocade/verify/#".to_owned()],
        write: vec!["rocade/verify/#".to_owned()],
    })
}

/// Names and topics become lines of files: one with a line end in it would grant what nobody wrote.
fn checked(account: Account) -> Result<Account, Fault> {
    let broken = |text: &String| text.chars().any(char::is_control);
    if broken(&account.name) || account.name.contains(':') {
        return Err(Fault::new(format!("{:?} cannot be the name of a broker account", account.name)));
    }
    match account.read.iter().chain(&account.write).find(|topic| broken(topic)) {
        Some(topic) => {
            Err(Fault::new(format!("topic {topic:?} of account `{}` holds control characters", account.name)))
        }
        None => Ok(account),
    }
}

/// The ACL file (`mosquitto.conf(5)`, `acl_file`): what no line grants is refused.
pub(super) fn acl(accounts: &[Account]) -> String {
    let mut text = String::from("# Written by rocade: what no line grants is refused.\n");
    for account in accounts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\nuser {}", account.name);
        for filter in &account.read {
            let _ = writeln!(text, "topic read {filter}");
        }
        for topic in &account.write {
            let _ = writeln!(text, "topic write {topic}");
        }
    }
    text
}
