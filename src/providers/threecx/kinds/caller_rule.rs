//! Inbound rules for contacts: one a number, made of the inventory's one rule for a group or a contact. Its title on
//! the PBX is the rule's with the number behind. By that a number no contact has any more is found again, and its
//! rule goes; a rule for a wished number is found by trunk and number, whatever its title.

use serde_json::Value as Json;

use super::super::directory::Directory;
use super::super::kind::{Form, Identity, Kind, Patch, Unmade, Wishing, made_as};
use super::inbound_rule::{InboundRules, handle, trunk_of, wish_rule};
use crate::inventory::Caller;
use crate::model::{Fields, Value};

pub struct CallerRules;

const CONDITION: &str = "BasedOnCallerID";

/// The name of a rule that was made for a contact's number.
pub(super) fn name_of(entity: &Json, directory: &Directory) -> Option<String> {
    if entity["Condition"] != CONDITION {
        return None;
    }
    let (trunk, number) = (trunk_of(entity, directory)?, entity["Data"].as_str()?);
    let wished = directory.wished_name("caller_rule", &handle(trunk, CONDITION, number));
    wished
        .map(str::to_owned)
        .or_else(|| Some(format!("{}/{number}", titled(entity, trunk, number, directory)?)))
}

/// The rule of the inventory that an entity was made for, by its title.
fn titled<'a>(entity: &Json, trunk: &str, number: &str, directory: &'a Directory) -> Option<&'a str> {
    let title = entity["RuleName"].as_str()?.strip_suffix(number)?.strip_suffix(' ')?;
    let sibling = directory.wished_name("caller_rule", &family(trunk, title))?;
    Some(sibling.rsplit_once('/')?.0)
}

/// All rules of one title on a trunk.
fn family(trunk: &str, title: &str) -> String {
    format!("{trunk}/title/{title}")
}

impl Kind for CallerRules {
    fn collection(&self) -> &'static str {
        "caller_rule"
    }

    made_as!(InboundRules);

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.inbound_rules.entries {
            let Some(caller) = one.caller.as_ref().filter(|who| !matches!(who.value, Caller::Number(_)))
            else {
                continue;
            };
            for found in pbx.caller_numbers(caller) {
                let number = found.number.0.to_string();
                let mut form = Form::new(&one.place);
                wish_rule(&mut form, one);
                form.at("title", &one.title.place, format!("{} {number}", one.title.value));
                form.at("caller", &found.number.place, number.as_str());
                let summary = format!("{}: {}", one.title.value, found.entry.known_as());
                wishing.add("caller_rule", &format!("{name}/{number}"), form, summary);
            }
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        InboundRules.handle(wished)
    }

    fn family(&self, wished: &Fields) -> Option<String> {
        let text = |field: &str| wished.get(field).and_then(Value::as_text);
        let title = text("title")?.strip_suffix(text("caller")?)?.strip_suffix(' ')?;
        Some(family(text("trunk")?, title))
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let identity = Identity::numbered(name_of(entity, directory)?, entity)?;
        let (trunk, number) = (trunk_of(entity, directory)?, entity["Data"].as_str()?);
        // One with a title of somebody else may become ours when its number is wished, and is never deleted.
        let system = titled(entity, trunk, number, directory).is_none();
        Some(Identity { number: None, system, ..identity })
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        InboundRules.see(entity, directory)
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Data" => Some("caller"),
            property => InboundRules.field_of(property),
        }
    }
}
