//! Who logs in at a broker and what each may read and publish. All of it is derived from who sends what
//! in the inventory; nothing is granted besides.

use std::fmt::Write;

use super::grant::{self, Access};
use crate::inventory::{Broker, Gateway, Inventory, Relay};
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
    for (account, grants) in grant::grants(inventory, name, broker) {
        let of = |access| {
            let own = grants.iter().filter(move |grant| grant.access == access);
            own.map(|grant| grant.filter.clone()).collect()
        };
        let (read, write) = (of(Access::Read), of(Access::Publish));
        let found = password(inventory, name, broker, &account, lookup);
        match found.and_then(|password| checked(Account { name: account, password, read, write })) {
            Ok(account) => accounts.push(account),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(accounts) } else { Err(faults) }
}

/// The password of an account; none when it shows a certificate.
fn password(
    inventory: &Inventory,
    name: &str,
    broker: &Broker,
    account: &str,
    lookup: &dyn Lookup,
) -> Result<Option<Found<Secret>>, Fault> {
    if let Some(client) = broker.clients.get(account) {
        let password = &client.password;
        return lookup.secret(&password.secret).map(Some).map_err(|fault| fault.at(&password.place));
    }
    let gateway =
        account.strip_prefix("relay-").and_then(|gateway| inventory.gateways.get_key_value(gateway));
    match gateway.and_then(|(gateway, spec)| Some((gateway, spec.relay.as_ref()?))) {
        Some((_, relay)) if shows_certificate(relay) => Ok(None),
        Some((gateway, relay)) => relay_password(gateway, relay, lookup).map(Some),
        None => verifier_password(name, lookup).map(Some),
    }
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

/// The password of a broker's [`VERIFIER`], which the first apply makes.
///
/// # Errors
/// When it is there and cannot be opened.
pub fn verifier_password(broker: &str, lookup: &dyn Lookup) -> Result<Found<Secret>, Fault> {
    lookup.minted(&verifier_secret(broker))
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
