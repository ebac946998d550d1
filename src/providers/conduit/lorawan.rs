//! The settings of the network server that the inventory decides, and where `/api/loraNetwork` has them.
//! Everything else in that tree is left as it is.

use serde_json::{Map, Value as Json, json};

use super::key;
use crate::model::{Eui, Fields, Secret, Value, Verifier};

/// The one frequency plan of the inventory so far.
const PLAN: &str = "EU868";
/// The number of the band in firmwares that number it.
const BAND: i64 = 868;

enum Kind {
    Flag,
    Number,
    Text,
    Eui,
    Key,
}

/// One setting: its field, and its section and key in the gateway's tree.
struct Setting(&'static str, &'static str, &'static str, Kind);

const SETTINGS: &[Setting] = &[
    Setting("enabled", "lora", "enabled", Kind::Flag),
    Setting("packet_forwarder", "lora", "packetForwarderMode", Kind::Flag),
    Setting("basic_station", "lora", "basicStationMode", Kind::Flag),
    Setting("channel_plan", "lora", "channelPlan", Kind::Text),
    Setting("local_join_server", "network", "localJoinServerEnabled", Kind::Flag),
    Setting("network_eui", "network", "eui", Kind::Eui),
    Setting("network_key", "network", "key", Kind::Key),
    Setting("public", "network", "public", Kind::Number),
    Setting("mqtt", "mqtt", "enabled", Kind::Flag),
    Setting("mqtt_host", "mqtt", "host", Kind::Text),
    Setting("mqtt_port", "mqtt", "port", Kind::Number),
    Setting("whitelist", "whitelist", "enabled", Kind::Flag),
];

/// The field that keeps the band as the gateway spells it; nobody wishes it.
const BAND_SEEN: &str = "band";

/// What is wished: a network server for EU868 that is its own join server, publishes to the gateway's own
/// broker and knows the listed sensors only.
pub(super) fn wished(eui: Eui, key: Value) -> Fields {
    [
        ("enabled", true.into()),
        ("packet_forwarder", false.into()),
        ("basic_station", false.into()),
        ("channel_plan", PLAN.into()),
        ("local_join_server", true.into()),
        ("network_eui", eui.to_string().into()),
        ("network_key", key),
        ("public", Value::Int(1)),
        ("mqtt", true.into()),
        ("mqtt_host", "127.0.0.1".into()),
        ("mqtt_port", Value::Int(1883)),
        ("whitelist", true.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The fields in a gateway's tree.
///
/// # Errors
/// The first setting that has another type than it can have.
pub(super) fn seen(tree: &Json) -> Result<Fields, String> {
    if !tree.is_object() {
        return Err("the gateway's LoRaWAN settings are not an object".to_owned());
    }
    let mut fields = Fields::new();
    for setting in SETTINGS {
        if let Some(value) = read(setting, tree)? {
            fields.insert(setting.0.to_owned(), value);
        }
    }
    let band = &tree["lora"]["frequencyBand"];
    if names_another_band(band) {
        let shown = band.as_str().map_or_else(|| band.to_string(), str::to_owned);
        fields.insert("channel_plan".to_owned(), format!("band {shown}").into());
        fields.insert(BAND_SEEN.to_owned(), band.as_i64().map_or_else(|| shown.into(), Value::Int));
    }
    Ok(fields)
}

fn read(Setting(_, section, name, kind): &Setting, tree: &Json) -> Result<Option<Value>, String> {
    let wrong = || format!("the gateway's setting {section}.{name} is of another type than it can be");
    let Some(section) = tree.get(section) else { return Ok(None) };
    let value = match section.as_object().ok_or_else(wrong)?.get(*name) {
        None | Some(Json::Null) => return Ok(None),
        Some(value) => value,
    };
    let text = || value.as_str().ok_or_else(wrong);
    Ok(Some(match kind {
        Kind::Flag => value.as_bool().ok_or_else(wrong)?.into(),
        Kind::Number => value.as_i64().ok_or_else(wrong)?.into(),
        Kind::Text => text()?.into(),
        Kind::Eui => text()?.parse::<Eui>().map_or_else(|_| Value::from(""), |eui| eui.to_string().into()),
        Kind::Key if key::is_hidden(text()?) => return Ok(None),
        Kind::Key => plain(text()?),
    }))
}

/// A key the gateway shows, held as carefully as ours.
pub(super) fn plain(shown: &str) -> Value {
    Value::Verifier(Verifier::Plain(Secret::new(key::spelled(shown).as_bytes(), "gateway")))
}

/// Whether a frequency band is shown and is not the plan's. `0` and empty text stand for none.
fn names_another_band(band: &Json) -> bool {
    match band {
        Json::String(text) => !matches!(text.as_str(), "" | "0" | "868" | PLAN),
        Json::Number(number) => !matches!(number.as_i64(), Some(0 | BAND)),
        _ => false,
    }
}

/// The partial tree that brings the named fields to what is wished; `/api/loraNetwork` merges it.
pub(super) fn request(wished: &Fields, differing: &Fields, seen: Option<&Fields>) -> Json {
    let mut tree = Map::new();
    let mut put = |section: &str, name: &str, value: Json| {
        tree.entry(section).or_insert_with(|| json!({}))[name] = value;
    };
    for Setting(field, section, name, _) in SETTINGS {
        if differing.contains_key(*field)
            && let Some(value) = wished.get(*field).and_then(json_of)
        {
            put(section, name, value);
        }
    }
    if differing.contains_key("channel_plan")
        && let Some(band) = seen.and_then(|seen| seen.get(BAND_SEEN))
    {
        put("lora", "frequencyBand", band_like(band));
    }
    Json::Object(tree)
}

/// The wished band in the form the gateway showed another one in.
fn band_like(seen: &Value) -> Json {
    match seen {
        Value::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => json!(BAND.to_string()),
        Value::Text(_) => json!(PLAN),
        _ => json!(BAND),
    }
}

fn json_of(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(value) => Some(json!(value)),
        Value::Int(value) => Some(json!(value)),
        Value::Text(text) => Some(json!(text)),
        Value::Secret(secret) => secret.reveal_text().map(|text| json!(text)),
        _ => None,
    }
}

/// Whether the running network server has what is in the settings: a setting it does not show cannot tell.
pub(super) fn is_current(running: &Json, settings: &Json) -> Result<bool, String> {
    for setting in SETTINGS {
        if let (Some(running), Some(set)) = (read(setting, running)?, read(setting, settings)?)
            && spelled(&running) != spelled(&set)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A value as bytes of one spelling, for the comparison of two things both read from the gateway.
fn spelled(value: &Value) -> Vec<u8> {
    match value {
        Value::Verifier(Verifier::Plain(secret)) => secret.reveal().to_vec(),
        other => json_of(other).unwrap_or_default().to_string().into_bytes(),
    }
}
