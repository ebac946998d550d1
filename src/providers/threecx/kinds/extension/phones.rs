//! Desk phones. The list is written whole. That a new one may be added by pushing an element with its MAC
//! address is known from the vendor's document only; `objections` refuses it unless the inventory accepts.

use serde_json::{Value as Json, json};

use super::super::super::directory::{Directory, SYSTEM};
use super::super::super::forms;
use super::super::super::kind::Unmade;
use crate::inventory::{At, Phone, PhoneModel};
use crate::model::{Fields, Mac, Value};

/// The wished phones, by MAC address.
pub fn wish(wished: &[At<Phone>]) -> Value {
    let mut phones: Vec<(String, Value)> = wished
        .iter()
        .map(|phone| {
            let mac = phone.mac.0.to_string();
            let mut fields = Fields::from([
                ("model".to_owned(), phone.model.word().into()),
                ("mac".to_owned(), mac.as_str().into()),
            ]);
            // What is not written must not be there: a phone moved from an SBC to the LAN is a change.
            let sbc = phone.sbc.as_ref().map_or(Value::Null, |sbc| sbc.as_str().into());
            let behind = phone.behind.as_ref().map_or(Value::Null, |router| router.0.to_string().into());
            let router = phone.router.as_ref().is_some_and(|router| router.value);
            let router = if router { true.into() } else { Value::Null };
            for (field, value) in [("sbc", sbc), ("behind", behind), ("router", router)] {
                fields.insert(field.to_owned(), value);
            }
            (mac, Value::Map(fields))
        })
        .collect();
    phones.sort_by(|a, b| a.0.cmp(&b.0));
    Value::List(phones.into_iter().map(|(_, phone)| phone).collect())
}

/// The phones as they are seen.
pub fn see(phones: &Json) -> Value {
    let mut seen: Vec<(String, Value)> =
        phones.as_array().into_iter().flatten().filter_map(see_one).collect();
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    Value::List(seen.into_iter().map(|(_, phone)| phone).collect())
}

fn see_one(phone: &Json) -> Option<(String, Value)> {
    let mac = phone["MacAddress"].as_str()?;
    let mac = mac.parse::<Mac>().map_or_else(|_| mac.to_owned(), |mac| mac.to_string());
    let name = phone["Name"].as_str().unwrap_or_default();
    let model = PhoneModel::ALL.into_iter().find(|model| model.name() == name);
    let settings = &phone["Settings"];
    let mut fields = Fields::from([
        ("model".to_owned(), model.map_or_else(|| name.to_owned(), |model| model.word().to_owned()).into()),
        ("mac".to_owned(), mac.as_str().into()),
    ]);
    let behind = settings["SbcName"].as_str().unwrap_or_default();
    match (settings["IsSBC"] == true, settings["ProvisionType"] == "SBC") {
        (true, _) => fields.insert("router".to_owned(), true.into()),
        (false, true) => match behind.parse::<Mac>() {
            Ok(router) => fields.insert("behind".to_owned(), router.to_string().into()),
            Err(_) => fields.insert("sbc".to_owned(), behind.to_lowercase().into()),
        },
        (false, false) => None,
    };
    Some((mac, Value::Map(fields)))
}

/// The whole list: phones that were there keep their settings.
///
/// # Errors
/// When the PBX has no template for a model.
pub fn write(wished: &Value, seen: &Json, directory: &Directory) -> Result<Json, Unmade> {
    let Value::List(wished) = wished else { return Ok(seen.clone()) };
    let phones: Vec<Json> =
        wished.iter().map(|phone| write_one(phone, seen, directory)).collect::<Result<_, _>>()?;
    Ok(phones.into())
}

fn write_one(wished: &Value, seen: &Json, directory: &Directory) -> Result<Json, Unmade> {
    let Value::Map(fields) = wished else { return Err("a phone is no map".to_owned()) };
    let text = |field: &str| fields.get(field).and_then(Value::as_text).unwrap_or_default();
    let digits = |text: &str| text.replace(':', "").to_uppercase();
    let mac = digits(text("mac"));
    let known = seen.as_array().into_iter().flatten().find(|phone| phone["MacAddress"] == mac.as_str());
    let model = PhoneModel::ALL.into_iter().find(|model| model.word() == text("model"));
    let mut phone = known.cloned().unwrap_or_else(|| json!({"MacAddress": mac, "Settings": {}}));
    // A phone of a model the inventory has no word for stays what it is.
    if model.is_some() || known.is_none() {
        let name = model.map_or("", PhoneModel::name);
        let template = directory.key(SYSTEM, &format!("template/{name}"));
        let template = template.ok_or_else(|| format!("the PBX has no template for a {name}"))?;
        phone["Name"] = json!(name);
        phone["TemplateName"] = json!(template);
    }
    if let Some(fields) = phone.as_object_mut() {
        fields.retain(|name, _| !name.starts_with("Provisioning"));
    }
    let settings = forms::inside(&mut phone, "Settings");
    let router = matches!(fields.get("router"), Some(Value::Bool(true)));
    let behind = match (text("sbc"), text("behind")) {
        ("", "") => String::new(),
        ("", router) => digits(router),
        (sbc, _) => {
            let key = directory.key("sbc", sbc).ok_or_else(|| format!("there is no SBC {sbc} on the PBX"))?;
            key.trim_matches('\'').to_owned()
        }
    };
    settings["IsSBC"] = json!(router);
    settings["ProvisionType"] = json!(if router || !behind.is_empty() { "SBC" } else { "LocalLan" });
    settings["SbcName"] = json!(if router { mac } else { behind });
    Ok(phone)
}
