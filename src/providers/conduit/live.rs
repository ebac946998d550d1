//! What a gateway has that an inventory could say: its network and its sensors, with the keys that it shows. Asked
//! without a wish, so that a gateway is read before its keys are known.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::unit::Unit;
use super::{api, desire, key, lorawan, sensor};
use crate::host::Ask;
use crate::inventory::Gateway;
use crate::model::{Eui, Fields, Key, Secret, Target, Value, Verifier, Wish};
use crate::transport::Reading;

/// A gateway as it is.
pub struct Live {
    /// Its network; or why that could not be read.
    pub network: Result<Network, String>,
    /// Its sensors by DevEUI; or why they could not be read.
    pub sensors: Result<Vec<Sensor>, String>,
}

/// The network of a gateway.
pub struct Network {
    /// Its EUI.
    pub eui: Option<Eui>,
    /// Its key, when the gateway shows it.
    pub key: Option<Secret>,
    /// Settings that are not what every gateway of an inventory has: the first apply changes them.
    pub odd: Vec<String>,
}

/// A sensor in the list of credentials.
pub struct Sensor {
    /// Its DevEUI.
    pub dev_eui: Eui,
    /// Its AppEUI; none when the entry has none.
    pub app_eui: Option<Eui>,
    /// Its key, when the gateway shows it.
    pub key: Option<Secret>,
    /// Fields that are not what every sensor of an inventory has.
    pub odd: Vec<String>,
}

/// Asks a gateway, in one exec.
///
/// # Errors
/// When it cannot be asked, or another unit than the inventory's answers.
pub async fn live(gateway: &Gateway, hand: Reading<'_>) -> Result<Live, String> {
    let base = gateway.api.as_deref().unwrap_or(api::LOOPBACK);
    let asks = ["system", "loraNetwork", "loraNetwork/whitelist"]
        .map(|resource| Ask::Get { url: api::url(base, resource) });
    let answers = hand.ask(&asks).await.map_err(|fault| format!("{fault:#}"))?;
    let answers: [_; 3] = answers.try_into().map_err(|_| "the host left questions unanswered".to_owned())?;
    let [system, network, list] = answers.map(api::of);
    if let (Ok(system), Some(wished)) = (&system, &gateway.serial)
        && let Some(serial) = Unit::of(system).serial
        && !serial.eq_ignore_ascii_case(wished)
    {
        return Err(format!("this is the unit with serial number {serial}, the inventory says {}", **wished));
    }
    Ok(Live {
        network: network.and_then(|tree| network_of(&tree)),
        sensors: list.and_then(|list| sensors_of(&list)),
    })
}

/// The network EUI of a gateway whose inventory names none.
pub fn derived_network_eui(name: &str) -> Eui {
    desire::derived_eui(name)
}

fn network_of(tree: &Json) -> Result<Network, String> {
    let seen = lorawan::seen(tree)?;
    let eui = seen.get("network_eui").and_then(Value::as_text).and_then(|eui| eui.parse().ok());
    let ours = lorawan::wished(eui.unwrap_or_else(no_eui), Value::from(""));
    Ok(Network {
        eui,
        key: shown(&seen, "network_key"),
        odd: odd(&ours, &seen, &["network_key", "network_eui"]),
    })
}

fn sensors_of(list: &Json) -> Result<Vec<Sensor>, String> {
    let nobody = Wish::new(Target::new(super::KIND, ""), super::KIND, super::RANK, BTreeMap::new());
    let seen = sensor::seen(list, &nobody)?;
    let one = |(key, fields): (&Key, &Fields)| {
        let eui = |name: &str| fields.get(name).and_then(Value::as_text).and_then(|eui| eui.parse().ok());
        let dev_eui: Eui = eui("dev_eui").ok_or_else(|| format!("the entry {} has no DevEUI", key.name))?;
        let app_eui: Option<Eui> = eui("app_eui");
        let ours = sensor::wished(dev_eui, app_eui.unwrap_or(dev_eui), Value::from(""));
        let odd = odd(&ours, fields, &["app_key", "app_eui"]);
        Ok(Sensor { dev_eui, app_eui, key: shown(fields, "app_key"), odd })
    };
    seen.iter().map(one).collect()
}

fn no_eui() -> Eui {
    "0000000000000000".parse().expect("sixteen hex digits are an EUI")
}

/// A key that the gateway shows, in its own spelling.
fn shown(fields: &Fields, name: &str) -> Option<Secret> {
    match fields.get(name) {
        Some(Value::Verifier(Verifier::Plain(shown))) if !key::is_hidden(shown.reveal_text()?) => {
            Some(Secret::new(shown.reveal(), "gateway"))
        }
        _ => None,
    }
}

/// What is shown and is not ours, but for some fields: `channel_plan: US915`.
fn odd(ours: &Fields, seen: &Fields, but: &[&str]) -> Vec<String> {
    let differing = ours.iter().filter(|(name, _)| !but.contains(&name.as_str()));
    let differing = differing.filter_map(|(name, value)| Some((name, value, seen.get(name)?)));
    let words = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(own) => own.to_string(),
        _ => "another".to_owned(),
    };
    differing
        .filter(|(_, ours, seen)| !crate::plan::same(ours, seen))
        .map(|(name, ours, seen)| format!("{name} is {}, will be {}", words(seen), words(ours)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_a_firmware_hides_are_none_and_what_an_inventory_cannot_say_is_named() {
        let list = json!({ "devices": [
            { "deveui": "00-18-b2-10-00-00-4a-2f", "appeui": "0018b24441524632", "appkey": "****", "class": "C" },
            { "deveui": "00-18-b2-10-00-00-4a-30", "appkey": "8F3A5C0E91D7426BB0C2E4F6187A9D35", "class": "A" },
        ]});
        let sensors = sensors_of(&list).unwrap();
        assert!(sensors[0].key.is_none() && sensors[0].app_eui.is_some());
        assert_eq!(sensors[0].odd, ["class is C, will be A"]);
        assert_eq!(sensors[1].key.as_ref().unwrap().reveal(), b"8f3a5c0e91d7426bb0c2e4f6187a9d35");
        assert!(sensors[1].odd.is_empty() && sensors[1].app_eui.is_none());
        let tree = json!({ "lora": { "enabled": true, "channelPlan": "US915" }, "network": { "key": "" } });
        let network = network_of(&tree).unwrap();
        assert!(network.key.is_none() && network.eui.is_none());
        assert_eq!(network.odd, ["channel_plan is US915, will be EU868"]);
        assert!(sensors_of(&json!({})).is_err() && network_of(&json!([])).is_err());
    }
}
