//! Inbound rules. A rule is known by its trunk and what it is for: a number called, a caller, or the rest.
//! The rest is a rule the PBX makes with each trunk: it is changed, never made or deleted.

use std::path::Path;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Made, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain,
};
use super::caller_rule;
use crate::inventory::{Caller, InboundRule};
use crate::model::{Fields, Value};
use crate::transport::Writing;
use crate::transport::http::Method;

pub struct InboundRules;

const PLAIN: &Plain = &[("title", "RuleName")];
const OFFICE: &str = "OfficeHours";

/// By what a rule is known: its trunk and what it is for.
pub(super) fn handle(trunk: &str, condition: &str, number: &str) -> String {
    format!("{trunk}/{condition}/{number}")
}

/// Condition and number of a rule's fields.
fn condition(fields: &Fields) -> (&'static str, &str) {
    let text = |name: &str| fields.get(name).and_then(Value::as_text).filter(|text| !text.is_empty());
    match (text("did"), text("caller")) {
        (Some(did), _) => ("BasedOnDID", did),
        (None, Some(caller)) => ("BasedOnCallerID", caller),
        _ => ("ForwardAll", ""),
    }
}

impl Kind for InboundRules {
    fn collection(&self) -> &'static str {
        "inbound_rule"
    }

    fn set(&self) -> &'static str {
        "InboundRules"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Id,RuleName,Condition,Data,Hours,OfficeHoursDestination,AlterDestinationDuringOutOfOfficeHours,\
         OutOfOfficeHoursDestination,AlterDestinationDuringHolidays,HolidaysDestination\
         &$expand=TrunkDN($select=Id,Number)"
            .to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.inbound_rules.entries {
            let mut form = Form::new(&one.place);
            wish_rule(&mut form, one);
            form.at("title", &one.title.place, one.title.value.as_str());
            form.option_at("did", one.did.as_ref(), |did| did.0.to_string().into());
            match one.caller.as_deref() {
                None => {}
                Some(Caller::Number(number)) => form.set("caller", number.as_str()),
                // Those are rules of their own, one a number.
                Some(Caller::Group(_) | Caller::Contact(_)) => continue,
            }
            let (_, number) = condition(&form.fields);
            let number = if number.is_empty() { "all other calls".to_owned() } else { number.to_owned() };
            wishing.add("inbound_rule", name, form, format!("{}, {number}", one.title.value));
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        let (condition, number) = condition(wished);
        Some(handle(wished.get("trunk")?.as_text()?, condition, number))
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let text = |name: &str| entity[name].as_str().unwrap_or_default();
        let condition = text("Condition");
        if !matches!(condition, "BasedOnDID" | "BasedOnCallerID" | "ForwardAll") {
            return None;
        }
        let trunk = trunk_of(entity, directory)?;
        if caller_rule::name_of(entity, directory).is_some() {
            return None;
        }
        let number = if condition == "ForwardAll" { "" } else { text("Data") };
        let name = directory.name_for("inbound_rule", &handle(trunk, condition, number));
        let system = condition == "ForwardAll";
        Identity::numbered(name, entity).map(|identity| Identity { system, number: None, ..identity })
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        fields.insert("trunk".to_owned(), trunk_of(entity, directory).unwrap_or_default().into());
        let data = entity["Data"].as_str().unwrap_or_default();
        match entity["Condition"].as_str() {
            Some("BasedOnDID") => fields.insert("did".to_owned(), data.into()),
            Some("BasedOnCallerID") => fields.insert("caller".to_owned(), data.into()),
            _ => None,
        };
        if entity["Hours"]["Type"].as_str().is_some_and(|kind| kind.starts_with("Specific")) {
            fields.insert("hours".to_owned(), forms::seen_schedule(&entity["Hours"]));
        }
        fields.insert("to".to_owned(), forms::seen_destination(&entity["OfficeHoursDestination"]));
        for (field, flag, property) in ALTERS {
            let value = match entity[flag] == true {
                true => forms::seen_destination(&entity[property]),
                false => "same".into(),
            };
            fields.insert(field.to_owned(), value);
        }
        fields
    }

    fn create(&self, _name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade> {
        let (condition, number) = condition(wished);
        let trunk = wished.get("trunk").and_then(Value::as_text).unwrap_or_default();
        let mut body = Map::new();
        put_plain(PLAIN, wished, &mut body);
        body.insert("Condition".to_owned(), json!(condition));
        body.insert("Data".to_owned(), json!(number));
        let peer = json!({"Id": directory.id("trunk", trunk)?, "Number": directory.number("trunk", trunk)?});
        body.insert("TrunkDN".to_owned(), peer);
        put(wished, &mut body);
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["title", "trunk", "did", "caller", "hours", "to", "when_closed", "on_holiday"]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        _entity: &Json,
        _directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(PLAIN, fields, &mut body);
        put(fields, &mut body);
        Ok(Json::Object(body))
    }

    /// The rule for all other calls comes with its trunk: it is found and changed.
    fn make<'a>(
        &'a self,
        _name: &'a str,
        wished: &'a Fields,
        directory: &'a Directory,
        _root: &'a Path,
        hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        if condition(wished).0 != "ForwardAll" {
            return None;
        }
        Some(Box::pin(async move {
            let trunk = wished.get("trunk").and_then(Value::as_text).unwrap_or_default();
            let id = directory.id("trunk", trunk).map_err(Made::Unmade)?;
            let path = format!(
                "/xapi/v1/InboundRules?$top=100&$filter=Condition%20eq%20'ForwardAll'&{}",
                self.query(0)
            );
            let rules = hand.reading().get(&path).await.map_err(Made::Fault)?.body;
            let mut rules = rules["value"].as_array().cloned().unwrap_or_default().into_iter();
            let Some(rule) = rules.find(|rule| rule["TrunkDN"]["Id"] == id) else {
                let reason = format!(
                    "the trunk {trunk} has no rule for all other calls, which every trunk comes with"
                );
                return Err(Made::Unmade(reason));
            };
            let mut body = Map::new();
            put_plain(PLAIN, wished, &mut body);
            put(wished, &mut body);
            let path = format!("/xapi/v1/InboundRules({})", rule["Id"]);
            hand.send(Method::Patch, &path, Some(&Json::Object(body))).await.map_err(Made::Fault)?;
            Ok(rule)
        }))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "TrunkDN" => Some("trunk"),
            "Data" => Some("did"),
            "Hours" => Some("hours"),
            "OfficeHoursDestination" => Some("to"),
            "OutOfOfficeHoursDestination" => Some("when_closed"),
            "HolidaysDestination" => Some("on_holiday"),
            _ => field_in(PLAIN, property),
        }
    }
}

const ALTERS: [(&str, &str, &str); 2] = [
    ("when_closed", "AlterDestinationDuringOutOfOfficeHours", "OutOfOfficeHoursDestination"),
    ("on_holiday", "AlterDestinationDuringHolidays", "HolidaysDestination"),
];

/// What is wished of a rule beside its title and whom it is for.
pub(super) fn wish_rule(form: &mut Form, one: &InboundRule) {
    form.at("trunk", &one.trunk.place, one.trunk.value.as_str());
    form.option_at("hours", one.hours.as_ref(), forms::week);
    form.at("to", &one.to.place, forms::destination(&one.to));
    // Without a destination of its own a time goes where the rule goes at all times.
    for (field, to) in [("when_closed", &one.when_closed), ("on_holiday", &one.on_holiday)] {
        match to {
            Some(to) => form.at(field, &to.place, forms::destination(to)),
            None => form.set(field, "same"),
        }
    }
}

pub(super) fn trunk_of<'a>(entity: &Json, directory: &'a Directory) -> Option<&'a str> {
    directory.name_of("trunk", &entity["TrunkDN"]["Id"])
}

/// Hours and destinations.
fn put(fields: &Fields, body: &mut Map<String, Json>) {
    if let Some(hours) = fields.get("hours") {
        body.insert("Hours".to_owned(), forms::to_schedule(hours, "SpecificHours"));
    } else if body.contains_key("Condition") {
        body.insert("Hours".to_owned(), json!({"Type": OFFICE, "IgnoreHolidays": false, "Periods": []}));
    }
    super::put_destination(fields, "to", "OfficeHoursDestination", body);
    for (field, flag, property) in ALTERS {
        let Some(to) = fields.get(field) else { continue };
        let alters = to.as_text() != Some("same");
        body.insert(flag.to_owned(), json!(alters));
        if alters {
            body.insert(property.to_owned(), forms::to_destination(to));
        }
    }
}
