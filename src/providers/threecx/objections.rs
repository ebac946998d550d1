//! What stands against the changes: licence, version, limits, and writes nobody saw work.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::directory::SYSTEM;
use super::{conflicts, kinds};
use crate::model::{Action, Change, Fields, Key, Objection, Observed, Value, Wish};

/// What counts against the licence, in words.
const COUNTED: [(&str, &str); 5] = [
    ("extension", "users"),
    ("trunk", "trunks"),
    ("sbc", "SBCs"),
    ("live_chat", "Live Chat links"),
    ("prompt", "prompts"),
];

/// Fields that need a version: collection, field (with the one inside it), patch level.
const NEEDS: [(&str, &str, u16); 4] = [
    ("ring_group", "mailbox", 9),
    ("queue", "mailbox", 9),
    ("sbc", "security", 7),
    ("extension", "recording.forbid", 10),
];

/// All objections.
pub fn objections(wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
    let empty = Fields::new();
    let licence = observed.resources.get(&Key::new(SYSTEM, "licence")).unwrap_or(&empty);
    let mut found = Judged { wish, licence, objections: Vec::new() };
    if changes.is_empty() {
        return Vec::new();
    }
    found.licence(changes);
    found.live_chats(changes, observed);
    for change in changes {
        found.version(change);
        found.unverified(change, observed);
    }
    found.objections.extend(conflicts::conflicts(wish, observed, changes));
    found.objections
}

/// Whether a wished recording is one.
fn records(wished: &Value) -> bool {
    match wished {
        Value::Map(fields) => fields.get("calls").and_then(Value::as_text) != Some("none"),
        word => word.as_text() != Some("disabled"),
    }
}

/// Whether a field is among these, or inside one of them: `recording.forbid`.
fn has(fields: &Fields, field: &str) -> bool {
    match (field.split_once('.'), fields) {
        (None, fields) => fields.contains_key(field),
        (Some((outer, inner)), fields) => match fields.get(outer) {
            Some(Value::Map(inside)) => inside.contains_key(inner),
            _ => false,
        },
    }
}

struct Judged<'a> {
    wish: &'a Wish,
    licence: &'a Fields,
    objections: Vec<Objection>,
}

impl Judged<'_> {
    fn add(&mut self, reason: String, place: &str, hint: &str) {
        let target = self.wish.target.clone();
        self.objections.push(Objection { target, reason, place: place.to_owned(), hint: hint.to_owned() });
    }

    fn number(&self, field: &str) -> Option<i64> {
        match self.licence.get(field) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    fn licence(&mut self, changes: &[&Change]) {
        for (collection, word) in COUNTED {
            let made = |change: &&&Change| {
                change.action == Action::Create && change.address.key.collection == collection
            };
            let needed = i64::try_from(changes.iter().filter(made).count()).unwrap_or(i64::MAX);
            if let Some(left) = self.number(&format!("left_{collection}")).filter(|left| needed > *left) {
                let left = left.max(0);
                let reason = format!("the plan needs {needed} {word}, the licence has {left} left");
                self.add(reason, "", "a larger licence, or fewer of them");
            }
        }
        if matches!(self.licence.get("expired"), Some(Value::Bool(true))) {
            self.add("the licence has expired".to_owned(), "", "renew it in the customer portal");
        }
        if matches!(self.licence.get("enterprise"), Some(Value::Bool(false))) {
            for change in changes {
                let wished = change.after.as_ref().and_then(|after| after.get("recording"));
                if wished.is_some_and(records) {
                    let key = &change.address.key;
                    let place = self.place(change, "recording");
                    self.add(format!("{key}: recording needs the Enterprise licence"), &place, "");
                }
            }
        }
    }

    /// The Live Chat links that each department may have, beside those of the whole system.
    fn live_chats(&mut self, changes: &[&Change], observed: &Observed) {
        let department = |fields: &Fields| {
            let written = fields.get("department").and_then(Value::as_text);
            written.unwrap_or("default").to_owned()
        };
        let mut made: BTreeMap<String, i64> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.address.key.collection == "live_chat") {
            if let (Action::Create, Some(after)) = (change.action, &change.after) {
                *made.entry(department(after)).or_default() += 1;
            }
        }
        for (name, needed) in made {
            let places = [Key::new("department", &*name), Key::new(SYSTEM, format!("department/{name}"))];
            let seen = places.iter().find_map(|place| observed.resources.get(place));
            let id = seen.and_then(|seen| seen.get("id")).and_then(Value::as_text).unwrap_or_default();
            let limits = observed.resources.get(&Key::new(SYSTEM, format!("limits/{id}")));
            let Some(Value::Int(most)) = limits.and_then(|limits| limits.get("live_chat")) else { continue };
            let links = observed.resources.iter().filter(|(key, _)| key.collection == "live_chat");
            let used = links.filter(|(_, fields)| department(fields) == name).count();
            let left = (most - i64::try_from(used).unwrap_or(i64::MAX)).max(0);
            if needed > left {
                let reason = format!(
                    "the plan needs {needed} Live Chat links in department {name}, which has {left} left"
                );
                self.add(reason, "", "raise the department's limit in the console, or write fewer of them");
            }
        }
    }

    fn place(&self, change: &Change, field: &str) -> String {
        let resource = self.wish.resources.get(&change.address.key);
        resource.map(|resource| resource.origin.of(field).to_owned()).unwrap_or_default()
    }

    fn version(&mut self, change: &Change) {
        let Some(patch) = self.number("patch") else { return };
        let key = &change.address.key;
        let kind = kinds().iter().find(|kind| kind.collection() == key.collection);
        let since = kind.map_or(0, |kind| i64::from(kind.since()));
        if change.action == Action::Create && patch < since {
            let place = self.place(change, "");
            self.add(
                format!("{key} cannot be made on this 3CX: it is 20.0.{patch}, this came with 20.0.{since}"),
                &place,
                "update the PBX",
            );
        }
        for (collection, field, since) in NEEDS {
            let wished = change.after.as_ref().is_some_and(|after| has(after, field));
            if key.collection == collection && wished && patch < i64::from(since) {
                let place = self.place(change, field);
                let reason = format!(
                    "{key}: this 3CX (20.0.{patch}) does not know `{field}`, which came with 20.0.{since}"
                );
                self.add(reason, &place, "update the PBX, or take the key out");
            }
        }
    }

    /// Writes whose form is known from documents only.
    fn unverified(&mut self, change: &Change, observed: &Observed) {
        let key = &change.address.key;
        let after = change.after.as_ref();
        if after.is_some_and(|after| after.contains_key("mailbox")) {
            let place = self.place(change, "mailbox");
            self.refuse_unless("shared_voicemail", &format!("{key}: a shared mailbox"), &place);
        }
        if key.collection == "contact" && after.is_some_and(|after| after.contains_key("department")) {
            let place = self.place(change, "department");
            self.refuse_unless("contact_department", &format!("{key}: a contact's department"), &place);
        }
        let Some(Value::List(phones)) = after.and_then(|after| after.get("phones")) else { return };
        let place = self.place(change, "phones");
        self.refuse_unless("phones", &format!("{key}: a phone by its MAC address"), &place);
        for phone in phones {
            let Value::Map(fields) = phone else { continue };
            if ["sbc", "behind", "router"]
                .iter()
                .any(|field| !matches!(fields.get(*field), None | Some(Value::Null)))
            {
                self.refuse_unless(
                    "router_phones",
                    &format!("{key}: a router phone or one behind an SBC"),
                    &place,
                );
            }
            let model = fields.get("model").and_then(Value::as_text).unwrap_or_default();
            let known = crate::inventory::PhoneModel::ALL.into_iter().find(|known| known.word() == model);
            let name = known.map_or("", crate::inventory::PhoneModel::name);
            let template = observed.resources.get(&Key::new(SYSTEM, format!("template/{name}")));
            let allowed = template
                .is_some_and(|template| matches!(template.get("add_allowed"), Some(Value::Bool(true))));
            if !allowed {
                self.add(format!("{key}: this PBX does not let a {name} be added"), &place, "");
            }
        }
    }

    fn refuse_unless(&mut self, word: &str, what: &str, place: &str) {
        let accepted = self.wish.resources.get(&Key::new(SYSTEM, "accepted"));
        let is_accepted = accepted.is_some_and(|resource| resource.fields.contains_key(word));
        let reason = format!("{what}: the form of this write was never seen on a real PBX");
        if !is_accepted && !self.objections.iter().any(|known| known.reason == reason) {
            let mut hint = format!(
                "write `accept_unverified: [{word}]` on the PBX to try it all the same; a backup is made first"
            );
            if word.ends_with("phones") {
                let name = &self.wish.target.name;
                // Writing to a text cannot fail.
                let _ = write!(
                    hint,
                    ". Or let its console make them: import what `rocade pbx csv {name}` writes"
                );
            }
            self.add(reason, place, &hint);
        }
    }
}
