//! Who refers to whom, and what becomes of references to what is deleted. What a real PBX does there was never
//! recorded.

use serde_json::{Map, Value, json};

use super::store::{Set, Store};

/// What becomes of references to what is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// They go with it: out of members, and destinations to it end the call.
    #[default]
    Cut,
    /// What is referred to cannot be deleted.
    Refuse,
    /// They stay, and lead to nobody.
    Stay,
}

/// Properties of an IVR that lead to a number.
const FORWARDS: [&str; 3] = ["ForwardDN", "TimeoutForwardDN", "InvalidKeyForwardDN"];
/// Properties that name a prompt.
const PROMPTS: [&str; 5] = ["PromptFilename", "IntroFile", "OnHoldFile", "Prompt", "HolidayPrompt"];

/// Whether another row refers to this one. Keys of phones are no references: they die.
pub fn is_referred(store: &Store, set: &Set, row: &Value) -> bool {
    let others = || store.all().filter(|(other, one)| *other != set.name || one[set.key] != row[set.key]);
    let any = |refers: &dyn Fn(&str, &Value) -> bool| others().any(|(_, one)| inside(one, refers));
    let own = &row[set.key];
    match set.name {
        "Users" | "RingGroups" | "Queues" | "Receptionists" => any(&|name, value| {
            let leads = value["Number"] == row["Number"]
                && (value.get("To").is_some_and(|to| to != "None")
                    || matches!(name, "Members" | "Agents" | "Managers" | "DN"));
            leads || FORWARDS.contains(&name) && *value == row["Number"]
        }),
        "Groups" => any(&|name, value| {
            value["GroupId"] == *own
                || name == "Group" && *value == row["Number"]
                || name == "GroupIds" && value == own
        }),
        "Trunks" => others().any(|(other, one)| {
            let bound = other == "InboundRules" && one["Condition"] != "ForwardAll";
            bound && one["TrunkDN"]["Id"] == *own || inside(one, &|_, value| value["TrunkId"] == *own)
        }),
        "Sbcs" => any(&|name, value| name == "SbcName" && value == own),
        "CustomPrompts" => any(&|name, value| PROMPTS.contains(&name) && value == own),
        _ => false,
    }
}

/// Whether something inside a value, by the name of its property, is what is asked for. Items of a list have
/// the name of the list.
fn inside(value: &Value, asked: &dyn Fn(&str, &Value) -> bool) -> bool {
    fn walk(name: &str, value: &Value, asked: &dyn Fn(&str, &Value) -> bool) -> bool {
        let deeper = match value {
            Value::Array(items) => items.iter().any(|item| walk(name, item, asked)),
            Value::Object(fields) => fields.iter().any(|(name, value)| walk(name, value, asked)),
            _ => false,
        };
        deeper || asked(name, value)
    }
    value.as_object().is_some_and(|fields| fields.iter().any(|(name, value)| walk(name, value, asked)))
}

/// Takes a number out of a value: out of lists of members; destinations and keys that lead to it end the call.
pub fn forget(value: &mut Value, number: &str) {
    match value {
        Value::Array(items) => {
            items.retain(|item| {
                item["Number"] != number || item.get("GroupId").is_some() || item.get("To").is_some()
            });
            items.iter_mut().for_each(|item| forget(item, number));
        }
        Value::Object(fields) => {
            if fields.contains_key("To") && fields.get("Number").is_some_and(|own| own == number) {
                *fields = Map::from_iter([("To".to_owned(), json!("None"))]);
            }
            for name in FORWARDS {
                if fields.get(name).is_some_and(|own| own == number) {
                    fields.insert(name.to_owned(), json!(""));
                    let kind = name.replace("DN", "Type");
                    if fields.contains_key(&kind) {
                        fields.insert(kind, json!("EndCall"));
                    }
                }
            }
            fields.values_mut().for_each(|value| forget(value, number));
        }
        _ => {}
    }
}
