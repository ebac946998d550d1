//! IVRs (XAPI: receptionists). They are made bare and get their keys after, so that IVRs may lead to each
//! other. A number without prompt is refused by none, but silent: the prompt comes with the keys.

use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{Form, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain};
use super::GROUPS;
use crate::model::{Fields, Value};

pub struct Ivrs;

const PLAIN: &Plain = &[("title", "Name")];

impl Kind for Ivrs {
    fn collection(&self) -> &'static str {
        "ivr"
    }

    fn set(&self) -> &'static str {
        "Receptionists"
    }

    fn query(&self, _patch: Patch) -> String {
        format!(
            "$select=Id,Number,Name,PromptFilename,Timeout,TimeoutForwardType,TimeoutForwardDN,InvalidKeyForwardDN,\
             OutOfOfficeRoute,BreakRoute,HolidaysRoute&$expand=Forwards,{GROUPS}"
        )
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (number, one) in &pbx.ivrs.entries {
            let mut form = Form::new(&one.place);
            form.set("title", one.title.as_str());
            form.option_at("department", one.department.as_ref(), |name| name.as_str().into());
            form.at("prompt", &one.prompt.place, forms::prompt(&one.prompt));
            let keys = one.keys.iter().map(|(key, to)| key_of(key, forms::destination(to)));
            form.set("keys", Value::List(keys.collect()));
            form.option_at("timeout", one.timeout.as_ref(), |timeout| forms::duration(timeout.as_secs()));
            form.option_at("no_key", one.no_key.as_ref(), forms::destination);
            form.option_at("wrong_key", one.wrong_key.as_ref(), |number| number.0.to_string().into());
            super::wish_routes(&mut form, [&one.when_closed, &one.on_break, &one.on_holiday]);
            wishing.add("ivr", number, form, one.title.as_str());
        }
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        super::see_department(entity, directory, &mut fields);
        fields.insert("prompt".to_owned(), forms::seen_prompt(&entity["PromptFilename"], directory));
        let mut keys: Vec<(String, Value)> = entity["Forwards"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|forward| {
                let to = forms::seen_forward(&forward["ForwardType"], &forward["ForwardDN"]);
                Some((forward["Input"].as_str()?.to_owned(), to))
            })
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let keys = keys.into_iter().map(|(key, to)| key_of(&key, to));
        fields.insert("keys".to_owned(), Value::List(keys.collect()));
        fields.insert("timeout".to_owned(), forms::seen_duration(&entity["Timeout"]));
        let no_key = forms::seen_forward(&entity["TimeoutForwardType"], &entity["TimeoutForwardDN"]);
        fields.insert("no_key".to_owned(), no_key);
        let wrong = entity["InvalidKeyForwardDN"].as_str().unwrap_or_default();
        fields.insert("wrong_key".to_owned(), wrong.into());
        forms::see_routes(&forms::ROUTES, entity, directory, &mut fields);
        fields
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        _entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(PLAIN, fields, &mut body);
        super::put_department(fields, directory, &mut body)?;
        if let Some(prompt) = fields.get("prompt") {
            body.insert("PromptFilename".to_owned(), json!(forms::to_prompt(prompt, directory)?));
        }
        if let Some(Value::List(keys)) = fields.get("keys") {
            let forwards: Vec<Json> = keys.iter().map(forward).collect::<Result<_, _>>()?;
            body.insert("Forwards".to_owned(), forwards.into());
        }
        super::put_seconds(fields, "timeout", "Timeout", &mut body);
        if let Some(to) = fields.get("no_key") {
            let (kind, number) = forms::to_forward(to)?;
            body.insert("TimeoutForwardType".to_owned(), json!(kind));
            body.insert("TimeoutForwardDN".to_owned(), json!(number));
        }
        if let Some(number) = fields.get("wrong_key") {
            body.insert("InvalidKeyForwardDN".to_owned(), forms::json(number));
        }
        forms::put_routes(&forms::ROUTES, fields, directory, &mut body)?;
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "PromptFilename" => Some("prompt"),
            "Forwards" | "ForwardDN" | "Input" => Some("keys"),
            "TimeoutForwardDN" | "TimeoutForwardType" => Some("no_key"),
            "InvalidKeyForwardDN" => Some("wrong_key"),
            "Timeout" => Some("timeout"),
            "Groups" => Some("department"),
            _ => field_in(PLAIN, property).or_else(|| field_in(&forms::ROUTES, property)),
        }
    }
}

/// A key with where it leads.
fn key_of(key: &str, to: Value) -> Value {
    Value::Map(Fields::from([("key".to_owned(), key.into()), ("to".to_owned(), to)]))
}

/// A key as `Pbx.ReceptionistForward`.
fn forward(key: &Value) -> Result<Json, Unmade> {
    let Value::Map(fields) = key else { return Err("a key is no map".to_owned()) };
    let (kind, number) = fields.get("to").map_or(Ok(("EndCall", String::new())), forms::to_forward)?;
    let input = fields.get("key").map_or(Json::Null, forms::json);
    Ok(json!({"Input": input, "ForwardType": kind, "ForwardDN": number}))
}
