//! The settings of the phonebook: one object that is always there. How it adds names of queues and shows names is
//! left alone.

use serde_json::{Value as Json, json};

use super::super::directory::Directory;
use super::super::forms::single;
use super::super::kind::{Form, Identity, Kind, Patch, Unmade, Wishing};
use crate::inventory::Matching;
use crate::model::{Fields, Value};

pub struct Phonebooks;

const NAME: &str = "settings";

impl Kind for Phonebooks {
    fn collection(&self) -> &'static str {
        "phonebook"
    }

    fn set(&self) -> &'static str {
        "PhoneBookSettings"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=ResolvingType,ResolvingLength".to_owned()
    }

    fn is_single(&self) -> bool {
        true
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let Some(phonebook) = &wishing.pbx.phonebook else { return };
        let matching = &phonebook.matching;
        let mut form = Form::new(&matching.place);
        let value = match matching.value {
            Matching::None => "none".into(),
            Matching::Exact => "exact".into(),
            Matching::Last(digits) => single("last", Value::Int(digits.into())),
        };
        form.at("match", &matching.place, value);
        wishing.add("phonebook", NAME, form, "how callers are found");
    }

    fn identify(&self, _entity: &Json, _directory: &Directory) -> Option<Identity> {
        Some(Identity { system: true, ..Identity::named(NAME) })
    }

    fn see(&self, entity: &Json, _directory: &Directory) -> Fields {
        let value = match entity["ResolvingType"].as_str().unwrap_or_default() {
            "MatchExact" => "exact".into(),
            "MatchLength" => single("last", Value::Int(entity["ResolvingLength"].as_i64().unwrap_or(0))),
            _ => "none".into(),
        };
        Fields::from([("match".to_owned(), value)])
    }

    fn create(&self, _: &str, _: &Fields, _: &Directory) -> Result<Json, Unmade> {
        Err("it is always there".to_owned())
    }

    fn created_with(&self) -> &'static [&'static str] {
        &[]
    }

    fn change(&self, _: &str, fields: &Fields, _: &Json, _: &Directory) -> Result<Json, Unmade> {
        Ok(match fields.get("match") {
            Some(Value::Map(last)) => {
                let digits = last.get("last").map_or(Json::Null, super::forms::json);
                json!({"ResolvingType": "MatchLength", "ResolvingLength": digits})
            }
            Some(Value::Text(word)) if word == "exact" => json!({"ResolvingType": "MatchExact"}),
            _ => json!({"ResolvingType": "NotResolve"}),
        })
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        property.starts_with("Resolving").then_some("match")
    }
}
