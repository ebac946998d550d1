//! What was seen of a PBX as parts of its entry in the inventory: the observation written down. Secrets are not
//! in an observation, so they are not in here.

use std::fmt::Write;

use crate::model::{E164, Fields, Observed, Value};

/// The parts of an entry and the collection each holds.
const PARTS: [(&str, &str); 12] = [
    ("departments", "department"),
    ("holidays", "holiday"),
    ("extensions", "extension"),
    ("ring_groups", "ring_group"),
    ("queues", "queue"),
    ("ivrs", "ivr"),
    ("trunks", "trunk"),
    ("inbound_rules", "inbound_rule"),
    ("outbound_rules", "outbound_rule"),
    ("sbcs", "sbc"),
    ("live_chat", "live_chat"),
    ("contacts", "contact"),
];
/// Fields that must be written, also when they are empty.
const NEEDED: [&str; 9] =
    ["first_name", "title", "members", "agents", "keys", "websites", "routes", "prefixes", "number"];

/// An import.
pub struct Import {
    /// The parts, indented for an entry of the section `pbx` in block style.
    pub yaml: String,
    /// What is on the PBX and could not be written in the inventory's words.
    pub notes: Vec<String>,
}

/// Writes an observation down.
pub fn import(observed: &Observed) -> Import {
    let mut import = Import { yaml: String::new(), notes: Vec::new() };
    for (part, collection) in PARTS {
        let own = observed.resources.iter().filter(|(key, _)| key.collection == collection);
        let own: Vec<_> = own.collect();
        if own.is_empty() {
            continue;
        }
        // Writing to a text cannot fail.
        let _ = writeln!(import.yaml, "\n    {part}:");
        for (key, fields) in own {
            let _ = writeln!(import.yaml, "      {}:", scalar(&key.name));
            for (name, value) in fields {
                let what = format!("{collection} {}: {name}", key.name);
                if let Some(text) = field(collection, name, value, &what, &mut import.notes) {
                    let (name, text) = text;
                    let _ = writeln!(import.yaml, "        {name}: {text}");
                }
            }
        }
    }
    import
}

/// A field's name and text in the inventory; `None` for what is not written.
fn field<'a>(
    collection: &str,
    name: &'a str,
    value: &Value,
    what: &str,
    notes: &mut Vec<String>,
) -> Option<(&'a str, String)> {
    if matches!(name, "id" | "number_on_pbx") || is_odd(value, what, notes) {
        return None;
    }
    match (collection, name, value) {
        ("holiday", "department", value) => return Some(("departments", format!("[{}]", flow(value)))),
        ("extension", "also_in", Value::List(others)) => {
            let others = others.iter().filter_map(|other| other.as_text()?.split_once(": "));
            let others: Vec<String> =
                others.map(|(name, role)| format!("{}: {role}", scalar(name))).collect();
            return (!others.is_empty()).then(|| (name, format!("{{{}}}", others.join(", "))));
        }
        ("ivr", "keys", Value::List(keys)) => {
            let key = |key: &Value| match key {
                Value::Map(fields) => {
                    Some(format!("{}: {}", flow(fields.get("key")?), flow(fields.get("to")?)))
                }
                _ => None,
            };
            let keys: Vec<String> = keys.iter().filter_map(key).collect();
            return Some((name, format!("{{{}}}", keys.join(", "))));
        }
        ("inbound_rule", "when_closed" | "on_holiday", Value::Text(text)) if text == "same" => return None,
        ("contact", name, Value::Text(text)) if !text.is_empty() => {
            if let Some(reason) = unwritable(name, text) {
                notes.push(format!("{what}: `{text}` {reason}; it is left out"));
                return None;
            }
        }
        ("department", "breaks", Value::Map(days)) if days.values().all(is_empty) => return None,
        _ => {}
    }
    if is_empty(value) && !NEEDED.contains(&name) {
        return None;
    }
    Some((name, flow(value)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(values) => values.is_empty(),
        _ => false,
    }
}

/// Why a field of a contact cannot be written in the inventory.
fn unwritable(field: &str, text: &str) -> Option<&'static str> {
    let words = ["first_name", "last_name", "company", "title", "email"];
    match field {
        "department" => Some("is the PBX's word for a department, which nobody saw the meaning of"),
        field if !words.contains(&field) && text.parse::<E164>().is_err() => {
            Some("is no number with its country, such as +33611223344")
        }
        _ => None,
    }
}

/// Whether the inventory has no words for a value; then a note says so.
fn is_odd(value: &Value, what: &str, notes: &mut Vec<String>) -> bool {
    let odd = odd_part(value);
    if let Some(part) = &odd {
        notes.push(format!("{what}: `{part}` has no word in the inventory; it stays as it is on the PBX"));
    }
    odd.is_some()
}

fn odd_part(value: &Value) -> Option<String> {
    match value {
        Value::Map(fields) => match fields.get("other") {
            Some(other) => Some(other.as_text().unwrap_or_default().to_owned()),
            None => fields.values().find_map(odd_part),
        },
        Value::List(values) => values.iter().find_map(odd_part),
        _ => None,
    }
}

/// A value in flow style.
fn flow(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => scalar(text),
        Value::List(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(fields) => {
            let plain: Vec<String> = written(fields)
                .map(|(name, value)| format!("{}: {}", name.trim_start_matches("dead_"), flow(value)))
                .collect();
            format!("{{{}}}", plain.join(", "))
        }
        Value::Null | Value::Secret(_) | Value::Verifier(_) | Value::Pending(_) => "\"\"".to_owned(),
    }
}

/// The fields of a nested map that are written: no empty texts. A dead key is written as what it should be.
fn written(fields: &Fields) -> impl Iterator<Item = (&String, &Value)> {
    fields.iter().filter(|(_, value)| !matches!(value, Value::Null) && value.as_text() != Some(""))
}

/// A text in double quotes: JSON's quotes are YAML's.
fn scalar(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
