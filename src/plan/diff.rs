//! The only place that compares. Fields nobody wished are not looked at; what was not read is left alone.

use std::collections::BTreeSet;

use super::Pair;
use crate::model::{
    Action, Address, Change, Collection, Fields, Impact, Key, Owns, Resource, Secret, Value, Verifier,
};

/// The changes of one target, unordered but for their keys.
pub(super) fn changes(pair: &Pair<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> =
        pair.table.iter().flat_map(|collection| of_collection(pair, collection)).collect();
    wake(pair, &mut changes);
    changes
}

fn of_collection(pair: &Pair<'_>, collection: &Collection) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, resource) in pair.wish.resources.iter().filter(|(key, _)| key.collection == collection.name) {
        if pair.observed.is_unread(key) {
            continue;
        }
        changes.extend(wished(pair, collection, key, resource));
    }
    let partly_read =
        pair.observed.unread.iter().any(|unread| {
            unread.collection.is_none() || unread.collection.as_deref() == Some(collection.name)
        });
    if pair.wish.share_of(collection) == Owns::Whole && !partly_read {
        let gone =
            pair.observed.resources.iter().filter(|(key, _)| {
                key.collection == collection.name && !pair.wish.resources.contains_key(key)
            });
        changes.extend(gone.map(|(key, fields)| Change {
            address: address(pair, key),
            action: Action::Delete,
            before: Some(fields.clone()),
            after: None,
            impact: Impact::None,
            because: Vec::new(),
            summary: String::new(),
        }));
    }
    changes
}

fn wished(pair: &Pair<'_>, collection: &Collection, key: &Key, resource: &Resource) -> Option<Change> {
    let change = |action, before, after| Change {
        address: address(pair, key),
        action,
        before,
        after: Some(after),
        impact: resource.impact.clone(),
        because: Vec::new(),
        summary: resource.summary.clone(),
    };
    let Some(seen) = pair.observed.resources.get(key) else {
        return Some(change(Action::Create, None, resource.fields.clone()));
    };
    let differing: Vec<&String> = resource
        .fields
        .iter()
        .filter(|(name, value)| !field_same(collection, name, value, seen))
        .map(|(name, _)| name)
        .collect();
    if differing.is_empty() {
        return None;
    }
    let pick = |fields: &Fields| -> Fields {
        differing
            .iter()
            .filter_map(|name| fields.get(*name).map(|value| ((*name).clone(), value.clone())))
            .collect()
    };
    Some(change(Action::Update, Some(pick(seen)), pick(&resource.fields)))
}

fn field_same(collection: &Collection, name: &str, wished: &Value, seen: &Fields) -> bool {
    match seen.get(name) {
        Some(value) => same(wished, value),
        None => matches!(wished, Value::Null) || collection.write_only.contains(&name),
    }
}

/// Whether a wished value is what was observed. A pending value never is; of a map only wished keys count.
pub fn same(wished: &Value, seen: &Value) -> bool {
    match (wished, seen) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Secret(secret), Value::Verifier(verifier)) => secret.fits(verifier),
        (Value::Secret(secret), Value::Text(text)) => secret.reveal() == text.as_bytes(),
        (Value::Text(text), Value::Verifier(verifier)) => Secret::new(text.as_str(), "").fits(verifier),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => a.iter().all(|(name, value)| match b.get(name) {
            Some(seen) => same(value, seen),
            None => matches!(value, Value::Null),
        }),
        _ => false,
    }
}

/// Adds what must act because of the changes: a service whose file changes, a state that must be saved.
fn wake(pair: &Pair<'_>, changes: &mut Vec<Change>) {
    let mut next = 0;
    while next < changes.len() {
        let cause = changes[next].address.key.clone();
        next += 1;
        let Some(woken) = wakes(pair, &cause) else { continue };
        match changes.iter_mut().find(|change| change.address.key == woken) {
            Some(change) if change.action == Action::Wake => change.because.push(cause),
            Some(_) => {}
            None => changes.extend(wake_change(pair, woken, cause)),
        }
    }
    for index in 0..changes.len() {
        changes[index].because.sort();
        if changes[index].action == Action::Wake && changes[index].impact == Impact::None {
            changes[index].impact = strongest(&changes[index].because, changes);
        }
    }
}

/// The strongest impact of the changes at these places.
fn strongest(causes: &[Key], changes: &[Change]) -> Impact {
    let of_causes = changes.iter().filter(|change| causes.contains(&change.address.key));
    of_causes.map(|change| change.impact.clone()).max().unwrap_or_default()
}

fn wakes(pair: &Pair<'_>, key: &Key) -> Option<Key> {
    match pair.wish.resources.get(key) {
        Some(resource) => resource.wakes.clone(),
        None => {
            let row = pair.table.iter().find(|row| row.name == key.collection)?;
            row.wakes_on_delete.map(|(collection, name)| Key::new(collection, name))
        }
    }
}

fn wake_change(pair: &Pair<'_>, woken: Key, cause: Key) -> Option<Change> {
    let resource = pair.wish.resources.get(&woken)?;
    let seen = pair.observed.resources.get(&woken)?;
    (!pair.observed.is_unread(&woken)).then(|| Change {
        address: address(pair, &woken),
        action: Action::Wake,
        before: Some(seen.clone()),
        after: Some(resource.fields.clone()),
        impact: resource.impact.clone(),
        because: vec![cause],
        summary: resource.summary.clone(),
    })
}

fn address(pair: &Pair<'_>, key: &Key) -> Address {
    Address { target: pair.wish.target.clone(), key: key.clone() }
}

/// The resources whose text was seen as a digest only and is to be replaced by text that may be shown:
/// a plan fetches their present content to show a difference. Secret contents are not among them.
pub fn differing_contents(pair: &Pair<'_>) -> BTreeSet<Key> {
    changes(pair)
        .into_iter()
        .filter(|change| {
            let digest = change.before.as_ref().and_then(|fields| fields.get("content"));
            let text = change.after.as_ref().and_then(|fields| fields.get("content"));
            matches!((digest, text), (Some(Value::Verifier(Verifier::Sha256(_))), Some(Value::Text(_))))
        })
        .map(|change| change.address.key)
        .collect()
}
