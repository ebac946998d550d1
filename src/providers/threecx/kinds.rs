//! The kinds of objects, one file each.

mod caller_rule;
mod contact;
mod department;
mod extension;
mod holiday;
mod inbound_rule;
mod ivr;
mod live_chat;
mod outbound_rule;
mod phonebook;
mod prompt;
mod queue;
mod ring_group;
mod sbc;
mod trunk;

pub use extension::user_list;
use serde_json::{Map, Value as Json, json};

use super::directory::Directory;
use super::forms;
use super::kind::{Form, Kind, Unmade};
use crate::inventory::{At, Route, SharedMailbox};
use crate::model::{Fields, Value};

/// All kinds, in the order of the provider's table.
pub fn kinds() -> &'static [&'static dyn Kind] {
    &[
        &prompt::Prompts,
        &department::Departments,
        &extension::Extensions,
        &sbc::Sbcs,
        &ring_group::RingGroups,
        &queue::Queues,
        &ivr::Ivrs,
        &holiday::Holidays,
        &trunk::Trunks,
        &inbound_rule::InboundRules,
        &caller_rule::CallerRules,
        &outbound_rule::OutboundRules,
        &live_chat::LiveChats,
        &contact::Contacts,
        &phonebook::Phonebooks,
    ]
}

/// `$expand` of the departments of an object.
const GROUPS: &str = "Groups($select=GroupId)";

/// Adds the routes that are written.
fn wish_routes(form: &mut Form, routes: [(&str, &Option<At<Route>>); 3]) {
    for (field, route) in routes {
        form.option_at(field, route.as_ref(), forms::route);
    }
}

/// A shared mailbox as it is wished: who gets the message.
fn mailbox(wished: &SharedMailbox) -> Value {
    let mut also: Vec<String> = wished.also.iter().map(|address| address.value.clone()).collect();
    also.sort();
    Value::Map(Fields::from([
        ("members".to_owned(), wished.members.unwrap_or(true).into()),
        ("also".to_owned(), also.into()),
    ]))
}

/// A shared mailbox as properties. That `VmailToMembers` with a list mails both is assumed.
fn put_mailbox(fields: &Fields, body: &mut Map<String, Json>) {
    let Some(Value::Map(mailbox)) = fields.get("mailbox") else { return };
    let members = matches!(mailbox.get("members"), Some(Value::Bool(true)));
    let also = match mailbox.get("also") {
        Some(Value::List(also)) => also.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    let option = match (members, also.is_empty()) {
        (true, _) => "VmailToMembers",
        (false, false) => "EmailToExtrasOnly",
        (false, true) => "None",
    };
    body.insert("VMEmailOptions".to_owned(), json!(option));
    body.insert("VMEmailList".to_owned(), json!(also));
}

/// A shared mailbox as it is seen; none when this version does not know of any.
fn see_mailbox(entity: &Json, fields: &mut Fields) {
    let option = entity["VMEmailOptions"].as_str().unwrap_or("None");
    let list = entity["VMEmailList"].as_str().unwrap_or_default();
    let mut also: Vec<String> =
        list.split([',', ';']).map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
    also.sort();
    if option == "None" && also.is_empty() {
        return;
    }
    let seen = Fields::from([
        ("members".to_owned(), (option == "VmailToMembers").into()),
        ("also".to_owned(), also.into()),
    ]);
    fields.insert("mailbox".to_owned(), Value::Map(seen));
}

/// Properties of a mailbox, when the version has them.
fn mailbox_query(patch: u16) -> &'static str {
    if patch >= 9 { ",VMEmailList,VMEmailOptions" } else { "" }
}

/// Puts a number list when it is wished.
fn put_members(fields: &Fields, field: &str, property: &str, body: &mut Map<String, Json>) {
    if let Some(members) = fields.get(field) {
        body.insert(property.to_owned(), forms::to_members(members));
    }
}

/// Puts a destination when it is wished.
fn put_destination(fields: &Fields, field: &str, property: &str, body: &mut Map<String, Json>) {
    if let Some(to) = fields.get(field) {
        body.insert(property.to_owned(), forms::to_destination(to));
    }
}

/// Puts a number of seconds when it is wished.
fn put_seconds(fields: &Fields, field: &str, property: &str, body: &mut Map<String, Json>) {
    if let Some(duration) = fields.get(field) {
        body.insert(property.to_owned(), forms::seconds(duration));
    }
}

/// Puts the department when it is wished.
fn put_department(
    fields: &Fields,
    directory: &Directory,
    body: &mut Map<String, Json>,
) -> Result<(), Unmade> {
    if let Some(department) = fields.get("department") {
        body.insert("Groups".to_owned(), forms::to_groups(department, directory)?);
    }
    Ok(())
}

/// Sees the department, when there is one.
fn see_department(entity: &Json, directory: &Directory, fields: &mut Fields) {
    if let Some(department) = forms::seen_department(entity, directory) {
        fields.insert("department".to_owned(), department);
    }
}

/// A word of an enumeration: the inventory's and XAPI's.
type Words = [(&'static str, &'static str)];

fn put_word(words: &Words, fields: &Fields, field: &str, property: &str, body: &mut Map<String, Json>) {
    let Some(own) = fields.get(field).and_then(Value::as_text) else { return };
    if let Some((_, theirs)) = words.iter().find(|(word, _)| *word == own) {
        body.insert(property.to_owned(), json!(theirs));
    }
}

/// A word as it is seen; one that the inventory has none for is shown as it is.
fn see_word(words: &Words, entity: &Json, property: &str, field: &str, fields: &mut Fields) {
    let theirs = entity[property].as_str().unwrap_or_default();
    let own = words.iter().find(|(_, word)| *word == theirs).map_or(theirs, |(own, _)| own);
    fields.insert(field.to_owned(), own.into());
}

/// The word of a wished enumeration.
fn word_of<T: Copy + PartialEq>(table: &[(T, &'static str)], wished: T) -> Value {
    table.iter().find(|(own, _)| *own == wished).map_or("", |(_, word)| word).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_read_asks_for_a_secret() {
        for kind in kinds() {
            for patch in [6, 10] {
                let query = kind.query(patch);
                assert!(query.contains("$select="), "{}: {query}", kind.collection());
                for secret in [
                    "AuthPassword",
                    "VMPIN",
                    "AccessPassword",
                    "DeskphonePassword",
                    "ProvisionLink",
                    "Provisioning",
                ] {
                    assert!(!query.contains(secret), "{}: {query}", kind.collection());
                }
                let password = query.split([',', '=', '(', ')']).any(|name| name == "Password");
                assert!(!password, "{}: {query}", kind.collection());
            }
        }
    }

    #[test]
    fn kinds_and_the_table_have_the_same_order() {
        let table: Vec<&str> = super::super::COLLECTIONS.iter().map(|row| row.name).collect();
        let kinds: Vec<&str> = kinds().iter().map(|kind| kind.collection()).collect();
        assert_eq!(kinds, table);
    }
}
