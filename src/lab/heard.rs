//! The account the stand-in for the relay keeps of what it heard, in the form of the real one
//! (`rocade_relay/heard.py`). Of frames it knows the battery's flag and the periods of 0x10, no measures.

use serde_json::{Value, json};

use super::conduit::Uplink;

/// LoRaWAN's longest gap.
const GAP_MAX: u64 = 16_384;

/// An account with one more uplink, of a sensor that is configured or of another. `text` is the one so far.
pub fn with(text: Option<&str>, gateway: &str, configured: bool, uplink: &Uplink, counter: u64) -> String {
    let mut account: Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(
        || json!({"format": 1, "gateway": gateway, "written_at": null, "sensors": {}, "unknown": {}}),
    );
    account["written_at"] = json!(uplink.at.to_string());
    let list = if configured { "sensors" } else { "unknown" };
    let entry = &mut account[list][uplink.dev_eui.to_string()];
    if entry.is_null() {
        *entry = json!({
            "last": null, "uplinks": 0, "since": uplink.at.to_string(), "f_cnt": null, "session": null,
            "sessions": 0, "missed": 0, "gap": null, "rssi": null, "snr": null, "low_battery": null,
            "reports": null,
        });
    }
    let last = json!(uplink.at.to_string());
    entry["last"] = last.clone();
    entry["uplinks"] = json!(number(&entry["uplinks"]) + 1);
    (entry["rssi"], entry["snr"]) = (json!(uplink.rssi), json!(uplink.snr));
    if !configured {
        return account.to_string();
    }
    match entry["f_cnt"].as_u64() {
        Some(before) if counter >= before => {
            let missed = (counter - before).saturating_sub(1);
            if (1..GAP_MAX).contains(&missed) {
                entry["missed"] = json!(number(&entry["missed"]) + missed);
                entry["gap"] = json!({"at": last, "missed": missed});
            }
        }
        _ => entry["sessions"] = json!(number(&entry["sessions"]) + 1),
    }
    entry["f_cnt"] = json!(counter);
    if let [code, status, rest @ ..] = &uplink.payload[..] {
        entry["low_battery"] = json!(status & 0x02 != 0);
        if let (0x10, [_, _, sending @ .., _]) = (code, rest)
            && let [a, b, c, d, e, f] = *sending
        {
            let word = |high: u8, low: u8| u64::from(u16::from_be_bytes([high, low]));
            let sampling = word(e, f) * 2 * word(c, d);
            let sending = sampling * word(a, b);
            entry["reports"] = json!({"sending_s": sending, "sampling_s": sampling, "at": last});
        }
    }
    account.to_string()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
