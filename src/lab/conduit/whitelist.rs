//! The local end-device credentials (`loraNetwork/whitelist`): who may join with which key.

use serde_json::{Value, json};

use super::tree::{Refusal, bad, not_found};
use crate::model::Eui;

/// The profiles a device gets when the request names none.
const PROFILES: [(&str, &str); 2] = [("device_profile_id", ""), ("network_profile_id", "DEFAULT-CLASS-A")];

/// The entry as the gateway keeps and shows it: EUIs dashed in lower case, the key 32 bare hex digits.
///
/// # Errors
/// 400 when a part is missing or wrong.
pub(super) fn entry(given: &Value) -> Result<Value, Refusal> {
    let text = |name: &str| given[name].as_str().ok_or_else(|| bad(format!("[{name}] property is not set")));
    let eui = |name: &str| -> Result<String, Refusal> {
        let eui: Eui = text(name)?.parse().map_err(|_| bad(format!("[{name}] property is not an EUI")))?;
        Ok(eui.dashed())
    };
    let class = given["class"].as_str().unwrap_or("A");
    if !["A", "B", "C"].contains(&class) {
        return Err(bad("[class] property is not A, B or C"));
    }
    let key = hex_digits(text("appkey")?, 32).ok_or_else(|| bad("[appkey] property is not a key"))?;
    let mut entry =
        json!({"deveui": eui("deveui")?, "appeui": eui("appeui")?, "appkey": key, "class": class});
    for (name, default) in PROFILES {
        entry[name] = json!(given[name].as_str().unwrap_or(default));
    }
    for name in ["name", "genappkey"] {
        if let Some(value) = given[name].as_str() {
            entry[name] = json!(value);
        }
    }
    Ok(entry)
}

/// So many hex digits in lower case, separators left out; `None` when it is something else.
pub(super) fn hex_digits(text: &str, count: usize) -> Option<String> {
    let digits: String = text.chars().filter(|char| !matches!(char, '-' | ':' | ' ')).collect();
    let fits = digits.len() == count && digits.chars().all(|char| char.is_ascii_hexdigit());
    fits.then(|| digits.to_lowercase())
}

/// The whole list, as `PUT` gives it.
///
/// # Errors
/// 400 for a wrong entry, a DevEUI given twice or too many.
pub(super) fn list(given: &[Value], size_max: usize) -> Result<Value, Refusal> {
    let mut devices = Vec::new();
    for given in given {
        add(&mut devices, given, size_max)?;
    }
    Ok(Value::Array(devices))
}

/// Appends one entry. That a DevEUI given twice is refused is an assumption.
///
/// # Errors
/// 400 for a wrong entry, one that is there already or a full list.
pub(super) fn add(devices: &mut Vec<Value>, given: &Value, size_max: usize) -> Result<(), Refusal> {
    let entry = entry(given)?;
    if devices.iter().any(|device| device["deveui"] == entry["deveui"]) {
        return Err(bad("[deveui] device already exists"));
    }
    if devices.len() >= size_max {
        return Err(bad("maximum number of devices reached"));
    }
    devices.push(entry);
    Ok(())
}

/// Where an entry stands: named by its index or by its DevEUI, dashed or not.
///
/// # Errors
/// 404 when there is none.
pub(super) fn place(devices: &[Value], name: &str) -> Result<usize, Refusal> {
    let by_eui = name.parse::<Eui>().ok().map(Eui::dashed);
    let found = match by_eui {
        Some(eui) => devices.iter().position(|device| device["deveui"] == json!(eui)),
        None => name.parse().ok().filter(|index| *index < devices.len()),
    };
    found.ok_or_else(not_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_one() {
        let given = json!({"deveui": "0018B21000004A2F", "appeui": "00-18-B2-44-41-52-46-32",
                           "appkey": "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"});
        let entry = entry(&given).unwrap();
        assert_eq!(entry["deveui"], "00-18-b2-10-00-00-4a-2f");
        assert_eq!(entry["appkey"], "00112233445566778899aabbccddeeff");
        assert_eq!(place(std::slice::from_ref(&entry), "0018b21000004a2f"), Ok(0));
        assert_eq!(place(std::slice::from_ref(&entry), "0"), Ok(0));
        assert!(place(std::slice::from_ref(&entry), "1").is_err());
        assert!(list(&[given.clone(), given], 2000).is_err());
    }
}
