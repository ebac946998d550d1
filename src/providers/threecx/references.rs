//! Who refers to whom, read off fields in the inventory's form: what a delete would leave dead, and how an
//! object lets go of another.

use crate::model::{Fields, Key, Value};

/// A reference of an object to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The field that holds it.
    pub field: String,
    /// To whom.
    pub to: Key,
    /// Whether the PBX knows of it: a key of a phone and a range of numbers are text to it.
    pub binds: bool,
}

/// Words of a destination and the collection each leads to.
const TARGETS: [(&str, &str); 6] = [
    ("extension", "extension"),
    ("ring_group", "ring_group"),
    ("queue", "queue"),
    ("ivr", "ivr"),
    ("voicemail", "extension"),
    ("on_pbx", "prompt"),
];
/// Fields that list extensions.
const MEMBERS: [&str; 3] = ["members", "agents", "managers"];
/// Collections whose names are internal numbers.
pub const NUMBERED: [&str; 4] = ["extension", "ring_group", "queue", "ivr"];

/// All references of an object's fields.
pub fn of(fields: &Fields) -> Vec<Reference> {
    let mut found = Vec::new();
    for (field, value) in fields {
        let mut add = |collection: &str, name: &str, binds| {
            found.push(Reference { field: field.clone(), to: Key::new(collection, name), binds });
        };
        match (field.as_str(), value) {
            (field, Value::List(numbers)) if MEMBERS.contains(&field) => {
                numbers.iter().filter_map(Value::as_text).for_each(|number| add("extension", number, true));
            }
            ("department" | "trunk", Value::Text(name)) => add(field, name, true),
            ("departments", Value::List(names)) => {
                names.iter().filter_map(Value::as_text).for_each(|name| add("department", name, true));
            }
            ("also_in", Value::List(others)) => {
                let names = others.iter().filter_map(|other| other.as_text()?.split_once(": "));
                names.for_each(|(name, _)| add("department", name, true));
            }
            ("wrong_key", Value::Text(number)) if !number.is_empty() => {
                NUMBERED.iter().for_each(|collection| add(collection, number, true));
            }
            ("from", Value::List(numbers)) => {
                numbers.iter().filter_map(Value::as_text).for_each(|number| add("extension", number, false));
            }
            ("routes", Value::List(routes)) => {
                texts(routes, "trunk").for_each(|name| add("trunk", name, true))
            }
            ("phones", Value::List(phones)) => texts(phones, "sbc").for_each(|name| add("sbc", name, true)),
            ("blf", Value::List(keys)) => {
                let watched = texts(keys, "watch").chain(texts(keys, "speed_dial"));
                watched.for_each(|number| add("extension", number, false));
            }
            (_, value) => leads(value, &mut |collection, name| add(collection, name, true)),
        }
    }
    found
}

/// The texts of a field in a list of maps.
fn texts<'a>(maps: &'a [Value], field: &'a str) -> impl Iterator<Item = &'a str> {
    maps.iter().filter_map(move |one| match one {
        Value::Map(fields) => fields.get(field)?.as_text().filter(|text| !text.is_empty()),
        _ => None,
    })
}

/// Where the destinations in a value lead.
fn leads(value: &Value, add: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::List(values) => values.iter().for_each(|value| leads(value, add)),
        Value::Map(fields) => {
            for (name, value) in fields {
                let target = TARGETS.iter().find(|(word, _)| word == name);
                match (target, value.as_text()) {
                    (Some((_, collection)), Some(number)) => add(collection, number),
                    _ => leads(value, add),
                }
            }
        }
        _ => {}
    }
}

/// The fields that change when an object lets go of those that are to go before it. Departments and trunks go
/// after all that refer to them.
pub fn without(fields: &Fields, gone: &dyn Fn(&Key) -> bool) -> Fields {
    let mut changed = Fields::new();
    for reference in of(fields).into_iter().filter(|one| one.binds && gone(&one.to)) {
        let Some(value) = fields.get(&reference.field) else { continue };
        let stays = |value: &&Value| match value.as_text() {
            Some(number) => !gone(&Key::new("extension", number)),
            None => true,
        };
        let left = match (reference.field.as_str(), value) {
            ("department" | "departments" | "also_in" | "trunk" | "routes", _) => continue,
            (field, Value::List(numbers)) if MEMBERS.contains(&field) => {
                Value::List(numbers.iter().filter(stays).cloned().collect())
            }
            ("wrong_key", _) => "".into(),
            ("phones", Value::List(phones)) => {
                Value::List(phones.iter().map(|phone| unplugged(phone, gone)).collect())
            }
            (_, value) => ended(value, gone),
        };
        changed.insert(reference.field, left);
    }
    changed
}

/// A phone that stands behind no SBC that is to go.
fn unplugged(phone: &Value, gone: &dyn Fn(&Key) -> bool) -> Value {
    let Value::Map(fields) = phone else { return phone.clone() };
    let mut fields = fields.clone();
    fields.retain(|name, value| {
        name != "sbc" || value.as_text().is_none_or(|sbc| !gone(&Key::new("sbc", sbc)))
    });
    Value::Map(fields)
}

/// A value whose destinations that lead to somebody who is to go end the call.
fn ended(value: &Value, gone: &dyn Fn(&Key) -> bool) -> Value {
    match value {
        Value::List(values) => Value::List(values.iter().map(|value| ended(value, gone)).collect()),
        Value::Map(fields) => {
            let mut dead = false;
            for (name, value) in fields {
                let target = TARGETS.iter().find(|(word, _)| word == name);
                if let (Some((_, kind)), Some(number)) = (target, value.as_text()) {
                    dead |= gone(&Key::new(*kind, number));
                }
            }
            match dead {
                true => "end".into(),
                false => Value::Map(
                    fields.iter().map(|(name, value)| (name.clone(), ended(value, gone))).collect(),
                ),
            }
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::forms::single;
    use super::*;
    use crate::plan::same;

    fn ring_group() -> Fields {
        Fields::from([
            ("title".to_owned(), "Sales".into()),
            ("members".to_owned(), vec!["101", "104"].into()),
            ("no_answer".to_owned(), single("ring_group", "801")),
            ("department".to_owned(), "sales".into()),
            ("blf".to_owned(), Value::List(vec![single("watch", "104")])),
        ])
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let found = of(&ring_group());
        let said: Vec<String> = found.iter().map(|one| format!("{}: {}", one.field, one.to)).collect();
        let expected = [
            "blf: extension 104",
            "department: department sales",
            "members: extension 101",
            "members: extension 104",
            "no_answer: ring_group 801",
        ];
        assert_eq!(said, expected);
        assert!(found.iter().all(|one| one.binds == (one.field != "blf")));
    }

    #[test]
    fn an_object_lets_go_of_those_that_are_to_go_and_of_nobody_else() {
        let gone = [Key::new("extension", "104"), Key::new("ring_group", "801")];
        let changed = without(&ring_group(), &|key| gone.contains(key));
        assert_eq!(changed.keys().collect::<Vec<_>>(), ["members", "no_answer"]);
        assert!(same(&changed["members"], &vec!["101"].into()), "{changed:?}");
        assert!(same(&changed["no_answer"], &"end".into()), "{changed:?}");
        assert!(without(&ring_group(), &|_| false).is_empty());
    }
}
