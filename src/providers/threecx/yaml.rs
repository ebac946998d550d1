//! What was seen of a PBX as parts of its entry in the inventory: the observation written down. Secrets are not
//! in an observation, so they are not in here.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::directory::SYSTEM;
use crate::model::{E164, Fields, Key, Observed, PhoneNumber, Value};

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
    /// Destinations that stand as `end` for want of a word, by their places: `ring_group 800: when_closed.to`.
    pub odd: BTreeMap<String, String>,
}

/// Fields that say where calls go, or when.
const LEADING: [&str; 10] = [
    "to",
    "when_open",
    "when_closed",
    "on_break",
    "on_holiday",
    "no_answer",
    "no_key",
    "keys",
    "forwarding",
    "times",
];

/// Writes an observation down.
pub fn import(observed: &Observed) -> Import {
    write(observed, false)
}

/// The same to follow calls by: no destination is left out. One without a word stands as `end` and is named in
/// [`Import::odd`].
pub fn import_whole(observed: &Observed) -> Import {
    write(observed, true)
}

fn write<'a>(observed: &'a Observed, whole: bool) -> Import {
    let mut import = Import { yaml: String::new(), notes: Vec::new(), odd: BTreeMap::new() };
    for (part, collection) in PARTS {
        // What belongs to the system stands apart as `department/default`.
        let name_of = |key: &'a Key| match key.name.split_once('/') {
            _ if key.collection == collection => Some(key.name.as_str()),
            Some((of, name)) if whole && key.collection == SYSTEM && of == collection => Some(name),
            _ => None,
        };
        let own = observed.resources.iter().filter_map(|(key, fields)| Some((name_of(key)?, fields)));
        let own: Vec<_> =
            own.filter(|(name, fields)| is_writable(collection, name, fields, &mut import.notes)).collect();
        if own.is_empty() {
            continue;
        }
        // Writing to a text cannot fail.
        let _ = writeln!(import.yaml, "\n    {part}:");
        for (own, fields) in own {
            let _ = writeln!(import.yaml, "      {}:", scalar(own));
            for (name, value) in fields {
                let what = format!("{collection} {own}: {name}");
                if whole && LEADING.contains(&name.as_str()) {
                    odd_places(value, &what, &mut import.odd);
                }
                if let Some(text) = field(collection, name, value, (&what, whole), &mut import.notes) {
                    let (name, text) = text;
                    let _ = writeln!(import.yaml, "        {name}: {text}");
                }
            }
        }
    }
    import
}

/// Whether an entry has a form in the inventory. Places for hot desking are nobody's extensions; of a rule whose
/// number is none a note says that it is left out.
fn is_writable(collection: &str, own: &str, fields: &Fields, notes: &mut Vec<String>) -> bool {
    let did = fields.get("did").and_then(Value::as_text).unwrap_or_default();
    match collection {
        "extension" => own.bytes().all(|byte| byte.is_ascii_digit()),
        "inbound_rule" if !did.is_empty() && did.parse::<PhoneNumber>().is_err() => {
            notes.push(format!(
                "{collection} {own}: `{did}` is no phone number; the rule stays as it is on the PBX"
            ));
            false
        }
        _ => true,
    }
}

/// A field's name and text in the inventory; `None` for what is not written.
fn field<'a>(
    collection: &str,
    name: &'a str,
    value: &Value,
    (what, whole): (&str, bool),
    notes: &mut Vec<String>,
) -> Option<(&'a str, String)> {
    let kept = whole && LEADING.contains(&name);
    if matches!(name, "id" | "number_on_pbx") || !kept && is_odd(value, what, notes) {
        return None;
    }
    match (collection, name, value) {
        ("holiday", "times", _) => return None,
        // A list without some of its numbers would take them off the air.
        ("trunk", "dids", Value::List(dids)) => {
            let is_none = |did: &&str| did.parse::<PhoneNumber>().is_err();
            if let Some(odd) = dids.iter().filter_map(Value::as_text).find(is_none) {
                notes.push(format!("{what}: `{odd}` is no phone number; they stay as they are on the PBX"));
                return None;
            }
        }
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

/// The PBX's word for a value the inventory has none for. A mailbox without a number is that of whoever was called.
fn wordless(fields: &Fields) -> Option<&str> {
    if let Some(other) = fields.get("other") {
        return Some(other.as_text().unwrap_or_default());
    }
    let (word, number) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let nobody = number.as_text() == Some("");
    match word.as_str() {
        "voicemail" if nobody => Some("VoiceMailOfDestination"),
        "extension" | "ring_group" | "queue" | "ivr" | "external" if nobody => Some("nobody"),
        _ => None,
    }
}

fn odd_part(value: &Value) -> Option<String> {
    match value {
        Value::Map(fields) => match wordless(fields) {
            Some(other) => Some(other.to_owned()),
            None => fields.values().find_map(odd_part),
        },
        Value::List(values) => values.iter().find_map(odd_part),
        _ => None,
    }
}

/// Each destination without a word, by its place.
fn odd_places(value: &Value, place: &str, odd: &mut BTreeMap<String, String>) {
    match value {
        Value::Map(fields) => match wordless(fields) {
            Some(other) => drop(odd.insert(place.to_owned(), other.to_owned())),
            None => {
                fields.iter().for_each(|(name, value)| odd_places(value, &format!("{place}.{name}"), odd));
            }
        },
        Value::List(keys) => {
            for key in keys {
                let Value::Map(fields) = key else { continue };
                let Some(name) = fields.get("key").and_then(Value::as_text) else { continue };
                fields
                    .get("to")
                    .into_iter()
                    .for_each(|to| odd_places(to, &format!("{place}.{name}.to"), odd));
            }
        }
        _ => {}
    }
}

/// A value in flow style.
fn flow(value: &Value) -> String {
    match value {
        Value::Map(fields) if wordless(fields).is_some() => "end".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Target;

    fn map(fields: &[(&str, Value)]) -> Value {
        Value::Map(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_destination_without_a_word_is_left_out_of_an_import_and_named_where_calls_are_followed() {
        let mut observed = Observed::new(Target::new("pbx", "x"));
        let fax = map(&[("other", "Fax".into())]);
        let available = map(&[("no_answer", map(&[("voicemail", "".into())]))]);
        let key = map(&[("key", "1".into()), ("to", fax.clone())]);
        let person = Fields::from([("forwarding".to_owned(), map(&[("available", available)]))]);
        observed.resources.insert(Key::new("extension", "101"), person);
        let menu = Fields::from([
            ("keys".to_owned(), Value::List(vec![key])),
            ("when_closed".to_owned(), map(&[("to", fax)])),
        ]);
        observed.resources.insert(Key::new("ivr", "900"), menu);
        let left_out = import(&observed);
        assert_eq!((left_out.notes.len(), left_out.odd.len()), (3, 0), "{:?}", left_out.notes);
        let whole = import_whole(&observed);
        let odd: Vec<(&str, &str)> = whole.odd.iter().map(|(place, word)| (&**place, &**word)).collect();
        assert_eq!(
            odd,
            [
                ("extension 101: forwarding.available.no_answer", "VoiceMailOfDestination"),
                ("ivr 900: keys.1.to", "Fax"),
                ("ivr 900: when_closed.to", "Fax"),
            ]
        );
        assert!(whole.notes.is_empty() && whole.yaml.contains("forwarding: {available: {no_answer: end}}"));
        assert!(whole.yaml.contains("keys: {\"1\": end}"), "{}", whole.yaml);
    }

    #[test]
    fn what_has_no_form_in_the_inventory_is_left_out_and_said() {
        let mut observed = Observed::new(Target::new("pbx", "x"));
        let mut see = |collection: &str, name: &str, fields: &[(&str, Value)]| {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            observed.resources.insert(Key::new(collection, name), fields);
        };
        see("inbound_rule", "odd", &[("did", "account_name".into()), ("title", "Odd".into())]);
        see("inbound_rule", "good", &[("did", "+33123456700".into()), ("title", "Good".into())]);
        see("trunk", "operator", &[("dids", ["+33123456700", "account_name"][..].to_vec().into())]);
        see(SYSTEM, "extension/HD1", &[("first_name", "Hot desk".into())]);
        let half = map(&[("other", "PT13H to PT18H".into())]);
        see("holiday", "eve", &[("date", "2026-12-24".into()), ("times", half)]);
        let (left_out, whole) = (import(&observed), import_whole(&observed));
        assert_eq!(
            left_out.notes,
            [
                "holiday eve: times: `PT13H to PT18H` has no word in the inventory; it stays as it is on the PBX",
                "trunk operator: dids: `account_name` is no phone number; they stay as they are on the PBX",
                "inbound_rule odd: `account_name` is no phone number; the rule stays as it is on the PBX",
            ]
        );
        assert_eq!(whole.odd.get("holiday eve: times").map(String::as_str), Some("PT13H to PT18H"));
        for yaml in [&left_out.yaml, &whole.yaml] {
            let words = ["account_name", "HD1", "times"];
            assert!(words.iter().all(|word| !yaml.contains(word)) && yaml.contains("\"good\""), "{yaml}");
        }
    }
}
