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
        // The plan alone would look right.
        if fields.get("channel_plan").and_then(Value::as_text) == Some(PLAN) {
            fields.insert("channel_plan".to_owned(), format!("{PLAN} in band {shown}").into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Fields {
        let key = Secret::new("8f3a5c0e91d7426bb0c2e4f6187a9d35", "gateways/pool-gw/network");
        wished("0018b24441524632".parse().unwrap(), Value::Secret(key))
    }

    fn differing(seen: &Fields) -> Fields {
        let wish = wish().into_iter();
        wish.filter(|(name, value)| !seen.get(name).is_some_and(|seen| crate::plan::same(value, seen)))
            .collect()
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    fn a_recorded_gateway_of_another_band_is_asked_for_what_differs_only() {
        let root = std::env::var("ROCADE_SHARED").unwrap_or_else(|_| "../shared".to_owned());
        let path = format!("{root}/reference/conduit/api/lora-config.get.live-us915-mpower7.json");
        let Ok(text) = std::fs::read_to_string(&path) else { return eprintln!("skipped: no {path}") };
        let recorded: Json = serde_json::from_str(&text).unwrap();
        let seen = seen(&recorded["result"]).unwrap();
        let request = request(&wish(), &differing(&seen), Some(&seen));
        assert_eq!(
            request,
            json!({
                "lora": { "channelPlan": "EU868", "frequencyBand": "EU868" },
                "network": { "eui": "0018b24441524632", "key": "8f3a5c0e91d7426bb0c2e4f6187a9d35" },
            })
        );
    }

    #[test]
    fn what_was_asked_for_reads_back_as_wished() {
        let tree = request(&wish(), &wish(), None);
        assert_eq!(differing(&seen(&tree).unwrap()).len(), 0);
        assert!(tree["lora"].get("frequencyBand").is_none(), "no band where none was shown");
    }

    #[test]
    fn the_band_is_written_as_the_gateway_spells_it() {
        for (shown, written) in
            [(json!("US915"), json!("EU868")), (json!("915"), json!("868")), (json!(915), json!(868))]
        {
            let tree = json!({ "lora": { "channelPlan": "EU868", "frequencyBand": shown } });
            let seen = seen(&tree).unwrap();
            assert_eq!(request(&wish(), &differing(&seen), Some(&seen))["lora"]["frequencyBand"], written);
        }
        for shown in [json!("EU868"), json!("868"), json!(868), json!(0), json!(""), Json::Null] {
            let tree = json!({ "lora": { "channelPlan": "EU868", "frequencyBand": shown } });
            assert!(!differing(&seen(&tree).unwrap()).contains_key("channel_plan"), "{shown}");
        }
    }

    #[test]
    fn a_setting_of_another_type_is_unread_and_names_no_value() {
        for tree in [
            json!([]),
            json!({ "lora": [] }),
            json!({ "lora": { "enabled": "yes" } }),
            json!({ "network": { "key": 7 } }),
            json!({ "mqtt": { "port": 18.83 } }),
        ] {
            let fault = seen(&tree).unwrap_err();
            assert!(!fault.contains("yes"), "{fault}");
        }
    }

    #[test]
    fn a_hidden_key_is_not_seen() {
        let tree = json!({ "network": { "key": "********" } });
        assert!(!seen(&tree).unwrap().contains_key("network_key"));
    }

    #[test]
    fn a_server_that_runs_with_other_settings_is_not_current() {
        let settings = request(&wish(), &wish(), None);
        let mut running = settings.clone();
        assert_eq!(is_current(&running, &settings), Ok(true));
        running["network"]["key"] = json!("8F3A5C0E91D7426BB0C2E4F6187A9D35");
        assert_eq!(is_current(&running, &settings), Ok(true), "spelling is no difference");
        running["lora"]["channelPlan"] = json!("US915");
        assert_eq!(is_current(&running, &settings), Ok(false));
        assert!(is_current(&json!("gone"), &settings).is_ok_and(|current| current), "it shows nothing");
    }
}
