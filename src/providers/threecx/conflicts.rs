//! What is on the PBX against what is planned: a number, an e-mail address, a phone or a DID that somebody else
//! has there, and references that a delete would leave dead. Said before the first write.

use std::collections::{BTreeMap, BTreeSet};

use super::directory::SYSTEM;
use super::kinds;
use super::references::{self, NUMBERED};
use crate::model::{Action, Change, Fields, Key, Objection, Observed, Value, Wish};

/// All of them.
pub fn conflicts(wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
    let by_key = changes.iter().map(|change| (&change.address.key, *change)).collect();
    let mut found = Conflicts { wish, observed, changes: by_key, objections: Vec::new() };
    let (numbers, kept) = (found.numbers(), found.kept());
    for change in changes {
        found.number(change, &numbers);
        HELD.iter().for_each(|held| found.held(change, held, &kept));
    }
    found.left_behind();
    found.objections
}

/// What only one object of a collection may have.
pub struct Held {
    /// The collection.
    pub collection: &'static str,
    /// The field.
    pub field: &'static str,
    /// The things a field's value stands for.
    pub things: fn(&Value) -> Vec<String>,
}

/// What only one may have: addresses, phones, numbers that come in.
pub const HELD: [Held; 3] = [
    Held {
        collection: "extension",
        field: "email",
        things: |value| {
            value.as_text().filter(|text| !text.is_empty()).map(str::to_lowercase).into_iter().collect()
        },
    },
    Held { collection: "extension", field: "phones", things: |value| each(value, mac) },
    Held {
        collection: "trunk",
        field: "dids",
        things: |value| each(value, |did| did.as_text().map(str::to_owned)),
    },
];

fn each(value: &Value, thing: fn(&Value) -> Option<String>) -> Vec<String> {
    match value {
        Value::List(values) => values.iter().filter_map(thing).collect(),
        _ => Vec::new(),
    }
}

/// The MAC address of a phone.
pub fn mac(phone: &Value) -> Option<String> {
    match phone {
        Value::Map(fields) => Some(fields.get("mac")?.as_text()?.to_lowercase()),
        _ => None,
    }
}

/// Who keeps things, by the field that holds them.
type Kept = BTreeMap<(&'static str, String), Vec<Key>>;

struct Conflicts<'a> {
    wish: &'a Wish,
    observed: &'a Observed,
    changes: BTreeMap<&'a Key, &'a Change>,
    objections: Vec<Objection>,
}

/// Who an observed object is, told from what else the observation holds, and whether it is the system's.
fn object(key: &Key) -> Option<(Key, bool)> {
    let is_kind = |collection: &str| kinds().iter().any(|kind| kind.collection() == collection);
    match key.name.split_once('/') {
        Some((first, rest)) if key.collection == SYSTEM && is_kind(first) => {
            Some((Key::new(first, rest), true))
        }
        _ if is_kind(&key.collection) => Some((key.clone(), false)),
        _ => None,
    }
}

/// An object in words: `ring group 801`.
pub fn named(key: &Key) -> String {
    format!("{} {}", key.collection.replace('_', " "), key.name)
}

impl<'a> Conflicts<'a> {
    fn add(&mut self, reason: String, place: String, hint: String) {
        let target = self.wish.target.clone();
        self.objections.push(Objection { target, reason, place, hint });
    }

    fn place(&self, key: &Key, field: &str) -> String {
        let resource = self.wish.resources.get(key);
        resource.map(|resource| resource.origin.of(field).to_owned()).unwrap_or_default()
    }

    /// What stays on the PBX: who it is, whether it is the system's, what was seen and what changes of it.
    fn staying(&self) -> impl Iterator<Item = (Key, bool, &'a Fields, Option<&'a Fields>)> {
        self.observed.resources.iter().filter_map(|(key, seen)| {
            let (own, is_system) = object(key)?;
            let change = self.changes.get(key);
            let stays = change.is_none_or(|change| change.action != Action::Delete);
            stays.then(|| (own, is_system, seen, change.and_then(|change| change.after.as_ref())))
        })
    }

    /// Whose each number is.
    fn numbers(&self) -> BTreeMap<&'a str, Key> {
        let own =
            |(key, seen): (&Key, &'a Fields)| Some((seen.get("number_on_pbx")?.as_text()?, object(key)?.0));
        self.observed.resources.iter().filter_map(own).collect()
    }

    /// Who keeps each thing that only one may have.
    fn kept(&self) -> Kept {
        let mut kept = Kept::new();
        for (own, _, seen, after) in self.staying() {
            for held in HELD.iter().filter(|held| held.collection == own.collection) {
                let value = after.and_then(|after| after.get(held.field)).or_else(|| seen.get(held.field));
                for thing in value.map(held.things).unwrap_or_default() {
                    kept.entry((held.field, thing)).or_default().push(own.clone());
                }
            }
        }
        kept
    }

    /// A new number that is another object's already, of any kind.
    fn number(&mut self, change: &Change, numbers: &BTreeMap<&str, Key>) {
        let key = &change.address.key;
        if change.action != Action::Create || !NUMBERED.contains(&key.collection.as_str()) {
            return;
        }
        let peer = self.observed.resources.get(&Key::new(SYSTEM, format!("peer/{}", key.name)));
        let kind = peer.and_then(|peer| peer.get("kind")).and_then(Value::as_text);
        let (whose, hint) = match (numbers.get(key.name.as_str()), kind) {
            (Some(other), _) => {
                let goes = self.changes.get(other).is_some_and(|change| change.action == Action::Delete);
                let hint = match goes {
                    true => {
                        format!("it goes after what is new is made: take {key} out, apply, and put it back")
                    }
                    false => "take another number, or write what is there in the inventory".to_owned(),
                };
                (format!("the number of {}", named(other)), hint)
            }
            (None, Some(kind)) => (format!("taken: {kind}"), "take another number".to_owned()),
            (None, None) => return,
        };
        let place = self.place(key, "");
        self.add(format!("{}: {} is {whose} on the PBX", named(key), key.name), place, hint);
    }

    /// A thing that only one object may have and that another keeps.
    fn held(&mut self, change: &Change, held: &Held, kept: &Kept) {
        let key = &change.address.key;
        let wished = change.after.as_ref().and_then(|after| after.get(held.field));
        let Some(wished) = wished.filter(|_| key.collection == held.collection) else { return };
        for thing in (held.things)(wished) {
            let keepers = kept.get(&(held.field, thing.clone()));
            let Some(other) = keepers.and_then(|keepers| keepers.iter().find(|other| *other != key)) else {
                continue;
            };
            let other = named(other);
            let place = self.place(key, held.field);
            let hint =
                format!("take it off {other} in the console, or write {other} without it in the inventory");
            self.add(
                format!("{}: `{}` {thing} is {other}'s on the PBX", named(key), held.field),
                place,
                hint,
            );
        }
    }

    /// References to what is to go, in what stays.
    fn left_behind(&mut self) {
        let goes = |key: &Key| self.changes.get(key).is_some_and(|change| change.action == Action::Delete);
        if !self.changes.keys().any(|key| goes(key)) {
            return;
        }
        let mut found = BTreeSet::new();
        for (own, is_system, seen, after) in self.staying() {
            let mut fields = seen.clone();
            fields.extend(after.cloned().unwrap_or_default());
            let left: Vec<_> = references::of(&fields).into_iter().filter(|one| goes(&one.to)).collect();
            // The rule for all other calls goes with its trunk.
            if is_system && left.iter().any(|one| own.collection == "inbound_rule" && one.field == "trunk") {
                continue;
            }
            found.extend(left.into_iter().map(|one| (own.clone(), is_system, one.field, one.to)));
        }
        for (own, is_system, field, to) in found {
            let (who, to, is_wished) = (named(&own), named(&to), self.wish.resources.contains_key(&own));
            let what = match (is_wished, is_system) {
                (true, _) => "",
                (false, true) => ", which is the system's,",
                (false, false) => ", which the inventory does not have,",
            };
            let hint = match is_wished {
                true => format!("write `{field}` of {who} without it, or keep {to}"),
                false => format!("change {who} in the console first, or keep {to}"),
            };
            let place = self.place(&own, &field);
            self.add(
                format!("{to} is to be deleted, and {who}{what} still leads to it in `{field}`"),
                place,
                hint,
            );
        }
    }
}
