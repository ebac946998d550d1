//! The kinds of objects, one file each.

mod caller_rule;
mod contact;
mod department;
mod directory_contact;
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
        &directory_contact::DirectoryContacts,
        &phonebook::Phonebooks,
    ]
}

/// `$expand` of the departments of an object.
const GROUPS: &str = "Groups($select=GroupId)";

/// Adds the routes that are written, in the order of [`forms::ROUTES`].
fn wish_routes(form: &mut Form, routes: [&Option<At<Route>>; 3]) {
    for ((field, _), route) in forms::ROUTES.iter().zip(routes) {
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

/// The words of an enumeration: the inventory's and XAPI's.
type Words<T> = [(T, &'static str, &'static str)];

/// The word of a wished enumeration.
fn word_in<T: Copy + PartialEq>(words: &Words<T>, wished: T) -> Value {
    words.iter().find(|(one, ..)| *one == wished).map_or("", |(_, own, _)| own).into()
}

fn put_word<T>(words: &Words<T>, fields: &Fields, field: &str, property: &str, body: &mut Map<String, Json>) {
    let Some(wished) = fields.get(field).and_then(Value::as_text) else { return };
    if let Some((_, _, theirs)) = words.iter().find(|(_, own, _)| *own == wished) {
        body.insert(property.to_owned(), json!(theirs));
    }
}

/// A word as it is seen; one that the inventory has none for is shown as it is.
fn see_word<T>(words: &Words<T>, entity: &Json, property: &str, field: &str, fields: &mut Fields) {
    let seen = entity[property].as_str().unwrap_or_default();
    let own = words.iter().find(|(.., theirs)| *theirs == seen).map_or(seen, |(_, own, _)| own);
    fields.insert(field.to_owned(), own.into());
}

/// The same of one that XAPI has no words for.
fn word_of<T: Copy + PartialEq>(table: &[(T, &'static str)], wished: T) -> Value {
    table.iter().find(|(own, _)| *own == wished).map_or("", |(_, word)| word).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::super::kind::Identity;
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

    /// Any JSON, with the names that nested objects of XAPI have.
    fn any_json() -> impl Strategy<Value = Json> {
        const TEXTS: [&str; 13] = [
            "",
            "101",
            "\u{e9}\u{1f600}",
            "60000:59:59.0",
            "None",
            "Extension",
            "VoiceMail",
            "BasedOnDID",
            "ForwardAll",
            "Available",
            "PT25H",
            "000000000000000000001-2",
            "<BLF BLFNo=\"9\" BLFType=\"BLF\" ID=\"",
        ];
        const NAMES: [&str; 20] = [
            "Id",
            "Number",
            "Name",
            "To",
            "Route",
            "Prompt",
            "IsPromptEnabled",
            "Periods",
            "Start",
            "Stop",
            "DayOfWeek",
            "Type",
            "GroupId",
            "Rights",
            "MacAddress",
            "Settings",
            "AwayRoute",
            "AvailableRoute",
            "Input",
            "From",
        ];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            prop_oneof![any::<i64>(), Just(i64::MIN), Just(0)].prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            Just(json!(1e300)),
            prop::sample::select(&TEXTS[..]).prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(prop::sample::select(&NAMES[..]), inner, 0..6).prop_map(|map| {
                    map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Json>()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_of_a_pbx_is_a_panic(values in prop::collection::vec(any_json(), 40), id in any::<bool>()) {
            let mut directory = Directory::default();
            for (collection, name) in [("trunk", "operator"), ("department", "default"), ("extension", "101")] {
                let (name, number) = (name.to_owned(), Some("101".to_owned()));
                directory.learn(collection, &Identity { name, key: "0".into(), number, system: false });
            }
            for kind in kinds() {
                let query = kind.query(10);
                let names = query.split(|c: char| !c.is_ascii_alphanumeric()).filter(|name| !name.is_empty());
                let entity = names.zip(values.iter().cycle()).map(|(name, value)| (name.to_owned(), value.clone()));
                let mut entity: Json = entity.collect();
                if id {
                    entity["Id"] = json!(7);
                    entity["Number"] = json!("101");
                    entity["Name"] = json!("Sales");
                    entity["TrunkDN"] = json!({"Id": 0});
                    let [one, other, third] = [0, 1, 2].map(|at| values[at].clone());
                    let profile = json!({"Name": "Available", "AvailableRoute": one, "AwayRoute": other});
                    entity["ForwardingProfiles"] = json!([profile]);
                    entity["Phones"] = json!([{"MacAddress": "805EC0000001", "Settings": one}]);
                    entity["Hours"] = json!({"Type": "SpecificHours", "Periods": [
                        {"DayOfWeek": "Monday", "Start": other, "Stop": third},
                    ]});
                }
                let name = kind.identify(&entity, &directory).map(|identity| identity.name);
                let seen = kind.see(&entity, &directory);
                // What was seen goes back over what is there, whatever that is.
                let _ = kind.change(name.as_deref().unwrap_or("101"), &seen, &entity, &directory);
                let _ = kind.create("101", &seen, &directory);
                let _ = (kind.handle(&seen), kind.family(&seen));
            }
        }
    }
}
