//! Who may do what at a broker, and by which line of the inventory. The accounts' ACL is made of nothing else,
//! so an answer from here is an answer of the broker.

use std::collections::BTreeMap;

use super::account::{VERIFIER, relay_user};
use crate::inventory::{At, Broker, Inventory, Place};

/// What is done to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Messages are taken from it.
    Read,
    /// Messages are sent to it.
    Publish,
}

/// One right of an account.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Grant {
    /// What may be done.
    pub access: Access,
    /// To the topics of this filter.
    pub filter: String,
    /// Why it is granted.
    pub why: String,
    /// The line of the inventory that says so; none for what rocade needs itself.
    #[serde(serialize_with = "shown")]
    pub place: Option<Place>,
}

fn shown<S: serde::Serializer>(place: &Option<Place>, serializer: S) -> Result<S::Ok, S::Error> {
    match place {
        Some(place) => serializer.collect_str(place),
        None => serializer.serialize_none(),
    }
}

/// How far grants reach over a topic filter.
#[derive(Clone, Debug)]
pub enum Reach<'a> {
    /// One grant covers all of it.
    Whole(&'a Grant),
    /// These cover parts of it.
    Part(Vec<&'a Grant>),
    /// Nothing of it.
    None,
}

/// The grants of every account of a broker, by account.
pub fn grants(inventory: &Inventory, name: &str, broker: &Broker) -> BTreeMap<String, Vec<Grant>> {
    let mut accounts = BTreeMap::new();
    for (gateway, spec) in &inventory.gateways {
        let Some(relay) = spec.relay.as_ref().filter(|relay| *relay.broker == name) else { continue };
        let sensors = inventory.sensors_of(gateway).map(|(sensor, spec)| {
            written(Access::Publish, &spec.topic, format!("the topic of sensor `{sensor}`"))
        });
        let own = Grant {
            access: Access::Publish,
            filter: format!("rocade/relays/{gateway}/#"),
            why: format!("gateway `{gateway}` has a relay"),
            place: Some(relay.broker.place.clone()),
        };
        accounts.insert(relay_user(gateway), sensors.chain([own]).collect());
    }
    for (client, spec) in &broker.clients {
        let read = spec.read.iter().map(|filter| written(Access::Read, filter, "its `read`".to_owned()));
        let write =
            spec.write.iter().map(|filter| written(Access::Publish, filter, "its `write`".to_owned()));
        accounts.insert(client.clone(), read.chain(write).collect());
    }
    let own = |access, filter: &str| Grant {
        access,
        filter: filter.to_owned(),
        why: "`rocade verify` needs it".to_owned(),
        place: None,
    };
    let verifier = vec![
        own(Access::Read, "rocade/relays/#"),
        own(Access::Read, "rocade/verify/#"),
        own(Access::Publish, "rocade/verify/#"),
    ];
    accounts.insert(VERIFIER.to_owned(), verifier);
    accounts
}

fn written(access: Access, filter: &At<String>, why: String) -> Grant {
    Grant { access, filter: filter.value.clone(), why, place: Some(filter.place.clone()) }
}

/// How far an account's grants reach over what it wants to do: one topic, or to read a filter. A broker takes
/// every subscription and leaves out what no grant covers.
pub fn reach<'a>(grants: &'a [Grant], access: Access, filter: &str) -> Reach<'a> {
    let own = || grants.iter().filter(|grant| grant.access == access);
    if let Some(grant) = own().find(|grant| covers(&grant.filter, filter)) {
        return Reach::Whole(grant);
    }
    let part: Vec<&Grant> = own().filter(|grant| meets(&grant.filter, filter)).collect();
    if part.is_empty() { Reach::None } else { Reach::Part(part) }
}

/// Why a text is neither a topic nor a filter (MQTT 3.1.1, chapter 4.7).
pub fn filter_fault(filter: &str) -> Option<&'static str> {
    let levels: Vec<&str> = filter.split('/').collect();
    let (_, before) = levels.split_last()?;
    let stray = |level: &&str| level.contains(['+', '#']) && level.len() > 1;
    if filter.is_empty() {
        Some("a topic has at least one character")
    } else if levels.iter().any(stray) {
        Some("a wildcard stands alone in its level")
    } else if before.contains(&"#") {
        Some("`#` stands only at the end")
    } else if filter.contains('\0') || filter.len() > usize::from(u16::MAX) {
        Some("it holds a NUL, or is longer than 65535 bytes")
    } else {
        None
    }
}

/// Topics that begin with `$` belong to the broker: a wildcard at the start does not match them.
fn hides(filter: &str, other: &str) -> bool {
    filter.starts_with(['+', '#']) && other.starts_with('$')
}

/// Whether a filter matches every topic that another one (or a topic) matches.
fn covers(filter: &str, other: &str) -> bool {
    if hides(filter, other) {
        return false;
    }
    let (mut ours, mut theirs) = (filter.split('/'), other.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            // `a/#` matches `a` as well.
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(one), Some(level)) if one == level => {}
            _ => return false,
        }
    }
}

/// Whether some topic is matched by both.
fn meets(one: &str, other: &str) -> bool {
    if hides(one, other) || hides(other, one) {
        return false;
    }
    let (mut ours, mut theirs) = (one.split('/'), other.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == "+" || b == "+" || a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_what_mqtt_says() {
        for (filter, topic) in [
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("a/#", "a/b/c"),
            ("a/#", "a"),
            ("#", "a/b"),
            ("+/+", "a/b"),
            ("+/b/#", "a/b/c"),
            ("a/+", "a/"),
            ("/+", "/x"),
            ("a/#", "a/+/c"),
            ("a/+", "a/+"),
            ("#", "#"),
        ] {
            assert!(covers(filter, topic), "{filter} covers {topic}");
        }
        for (filter, topic) in [
            ("a/b", "a"),
            ("a/b", "a/b/c"),
            ("a/+", "a/b/c"),
            ("a/+", "a"),
            ("+", "/x"),
            ("#", "$SYS/broker"),
            ("+/x", "$SYS/x"),
            ("a/b", "a/+"),
            ("a/+", "a/#"),
            ("sites/pool", "sites/pools"),
        ] {
            assert!(!covers(filter, topic), "{filter} does not cover {topic}");
        }
        assert!(meets("a/b", "a/+") && meets("a/#", "+/c") && meets("a/+", "a/#") && meets("a/b/#", "a/+"));
        assert!(!meets("a/b", "b/+") && !meets("#", "$SYS/x") && !meets("a/+/c", "a/b/d"));
    }

    #[test]
    fn what_is_no_filter_is_told() {
        for good in ["a", "a/b", "+", "#", "a/+/#", "/", "a//b", "$SYS/#"] {
            assert_eq!(filter_fault(good), None, "{good}");
        }
        for bad in ["", "a+", "a/#/b", "a/b#", "#/"] {
            assert!(filter_fault(bad).is_some(), "{bad}");
        }
    }
}
