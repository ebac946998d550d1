//! Outbound rules. Routes read back as five with empty places, prefixes as ranges, a range of one extension
//! without its end: all are brought into one form before they are held against the wish.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain, title,
};
use crate::inventory::At;
use crate::model::{Fields, Value};

pub struct OutboundRules;

const PLAIN: &Plain = &[("title", "Name"), ("priority", "Priority"), ("emergency", "EmergencyRule")];
/// The `TrunkId` of an empty place.
const NOBODY: i64 = -1;

/// Prefixes one by one, in order: `118-119` is `118`, `119`.
fn prefixes(text: &str) -> Vec<String> {
    let mut all = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let range = part.split_once('-').and_then(|(first, last)| {
            let (from, to): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            let width = first.trim().len();
            (from <= to && to - from < 1000 && width <= 20).then_some((from..=to, width))
        });
        match range {
            Some((numbers, width)) => all.extend(numbers.map(|number| format!("{number:0width$}"))),
            None => {
                all.insert(part.to_owned());
            }
        }
    }
    all.into_iter().collect()
}

fn texts(wished: &[At<String>]) -> Vec<String> {
    wished.iter().map(|one| one.value.trim().to_owned()).collect()
}

fn joined(value: &Value) -> String {
    let Value::List(values) = value else { return String::new() };
    values.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(",")
}

impl Kind for OutboundRules {
    fn collection(&self) -> &'static str {
        "outbound_rule"
    }

    fn set(&self) -> &'static str {
        "OutboundRules"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Id,Name,Prefix,NumberLengthRanges,DNRanges,GroupIds,Priority,EmergencyRule,Routes".to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (position, (name, one)) in pbx.outbound_rules.entries.iter().enumerate() {
            let mut form = Form::new(&one.place);
            form.at("title", &one.title.place, one.title.value.as_str());
            form.set("prefixes", prefixes(&texts(&one.prefixes).join(",")));
            form.set("lengths", texts(&one.lengths));
            let mut from = texts(&one.from);
            from.sort();
            form.set("from", from);
            let mut departments = texts(&one.departments);
            departments.sort();
            form.set("departments", departments);
            let order = one.priority.map_or(i64::try_from(position + 1).unwrap_or(1), i64::from);
            form.set("priority", Value::Int(order));
            form.set("emergency", one.emergency.unwrap_or(false));
            let routes = one.routes.iter().map(|route| {
                let mut fields = Fields::from([
                    ("trunk".to_owned(), route.trunk.value.as_str().into()),
                    ("strip".to_owned(), Value::Int(route.strip.unwrap_or(0).into())),
                    ("prepend".to_owned(), route.prepend.clone().unwrap_or_default().into()),
                ]);
                let number = route.caller_id.as_ref().map_or(String::new(), |number| number.0.to_string());
                fields.insert("caller_id".to_owned(), number.into());
                Value::Map(fields)
            });
            form.set("routes", Value::List(routes.collect()));
            wishing.add("outbound_rule", name, form, one.title.value.as_str());
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        title(wished)
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let title = entity["Name"].as_str()?;
        Identity::numbered(directory.name_for("outbound_rule", title), entity)
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        fields.insert("prefixes".to_owned(), prefixes(entity["Prefix"].as_str().unwrap_or_default()).into());
        let lengths = entity["NumberLengthRanges"].as_str().unwrap_or_default().split(',').map(str::trim);
        let lengths: Vec<&str> = lengths.filter(|part| !part.is_empty()).collect();
        fields.insert("lengths".to_owned(), lengths.into());
        let ranges = entity["DNRanges"].as_array().into_iter().flatten();
        let mut from: Vec<String> = ranges
            .filter_map(|range| {
                let first = range["From"].as_str()?;
                Some(match range["To"].as_str().filter(|last| *last != first && !last.is_empty()) {
                    Some(last) => format!("{first}-{last}"),
                    None => first.to_owned(),
                })
            })
            .collect();
        from.sort();
        fields.insert("from".to_owned(), from.into());
        let ids = entity["GroupIds"].as_array().into_iter().flatten();
        let mut departments: Vec<String> =
            ids.filter_map(|id| directory.name_of("department", id)).map(str::to_owned).collect();
        departments.sort();
        fields.insert("departments".to_owned(), departments.into());
        let routes = entity["Routes"].as_array().into_iter().flatten();
        let routes = routes.filter(|route| route["TrunkId"].as_i64().unwrap_or(NOBODY) != NOBODY);
        let routes = routes.map(|route| {
            let text = |name: &str| route[name].as_str().unwrap_or_default();
            Value::Map(Fields::from([
                ("trunk".to_owned(), directory.name_of("trunk", &route["TrunkId"]).unwrap_or("?").into()),
                ("strip".to_owned(), Value::Int(route["StripDigits"].as_i64().unwrap_or(0))),
                ("prepend".to_owned(), text("Prepend").into()),
                ("caller_id".to_owned(), text("CallerID").into()),
            ]))
        });
        fields.insert("routes".to_owned(), Value::List(routes.collect()));
        fields
    }

    fn create(&self, _name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade> {
        body(wished, directory)
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["title", "prefixes", "lengths", "from", "departments", "priority", "emergency", "routes"]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        _entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        body(fields, directory)
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Prefix" => Some("prefixes"),
            "NumberLengthRanges" => Some("lengths"),
            "DNRanges" => Some("from"),
            "GroupIds" => Some("departments"),
            "Routes" | "TrunkId" => Some("routes"),
            _ => field_in(PLAIN, property),
        }
    }
}

fn body(fields: &Fields, directory: &Directory) -> Result<Json, Unmade> {
    let mut body = Map::new();
    put_plain(PLAIN, fields, &mut body);
    if let Some(prefixes) = fields.get("prefixes") {
        body.insert("Prefix".to_owned(), json!(joined(prefixes)));
    }
    if let Some(lengths) = fields.get("lengths") {
        body.insert("NumberLengthRanges".to_owned(), json!(joined(lengths)));
    }
    if let Some(Value::List(from)) = fields.get("from") {
        let ranges = from.iter().filter_map(Value::as_text).map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            json!({"From": first.trim(), "To": last.trim()})
        });
        body.insert("DNRanges".to_owned(), ranges.collect());
    }
    if let Some(Value::List(departments)) = fields.get("departments") {
        let names = departments.iter().filter_map(Value::as_text);
        let ids: Vec<i64> = names.map(|name| directory.id("department", name)).collect::<Result<_, _>>()?;
        body.insert("GroupIds".to_owned(), json!(ids));
    }
    if let Some(Value::List(routes)) = fields.get("routes") {
        let routes: Vec<Json> = routes.iter().map(|one| route(one, directory)).collect::<Result<_, _>>()?;
        body.insert("Routes".to_owned(), routes.into());
    }
    Ok(Json::Object(body))
}

fn route(value: &Value, directory: &Directory) -> Result<Json, Unmade> {
    let Value::Map(fields) = value else { return Err("a route is no map".to_owned()) };
    let get = |name: &str| fields.get(name).map_or(json!(""), forms::json);
    let trunk = fields.get("trunk").and_then(Value::as_text).unwrap_or_default();
    Ok(json!({
        "TrunkId": directory.id("trunk", trunk)?, "StripDigits": get("strip"), "Prepend": get("prepend"),
        "CallerID": get("caller_id"), "Append": "",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_the_same_however_they_are_written() {
        assert_eq!(prefixes("118,119"), prefixes("118-119"));
        assert_eq!(prefixes("00, +"), ["+", "00"]);
        assert_eq!(prefixes("08-10"), ["08", "09", "10"]);
        let long = format!("{}1-2", "0".repeat(70_000));
        assert_eq!(prefixes(&long), [long]);
    }
}
