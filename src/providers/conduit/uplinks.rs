//! When sensors were last heard, from the network server's rows (`/api/lora/devices`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::api;
use crate::host::{Answer, Ask};
use crate::inventory::Gateway;
use crate::model::Eui;
use crate::transport::Reading;

/// The last uplink of each sensor that joined; `None` while it sent nothing.
pub type LastUplinks = BTreeMap<Eui, Option<Timestamp>>;

/// Reads the rows of the network server.
///
/// # Errors
/// What is wrong with them.
pub fn last_uplinks(rows: &Json) -> Result<LastUplinks, String> {
    let rows = rows.as_array().ok_or("the network server's devices are not a list")?;
    let one = |row: &Json| {
        let dev_eui = row.get("deveui").and_then(Json::as_str).and_then(|eui| eui.parse::<Eui>().ok());
        let dev_eui = dev_eui.ok_or("one of the network server's devices has no DevEUI")?;
        let last_seen = row.get("last_seen").and_then(Json::as_str).unwrap_or_default();
        Ok((dev_eui, last_seen.parse::<Timestamp>().ok()))
    };
    rows.iter().map(one).collect()
}

/// Asks a gateway when its sensors were last heard.
///
/// # Errors
/// Why it does not say.
pub async fn ask(gateway: &Gateway, hand: Reading<'_>) -> Result<LastUplinks, String> {
    let base = gateway.api.as_deref().unwrap_or(api::LOOPBACK);
    let asks = [Ask::Get { url: api::url(base, "lora/devices") }];
    let answers = hand.ask(&asks).await.map_err(|fault| format!("{fault:#}"))?;
    match answers.into_iter().next() {
        Some(Answer::Page(page)) => last_uplinks(&api::result(&page)?),
        Some(Answer::Unread(reason)) => Err(reason),
        _ => Err("the host answered another question".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_without_a_time_was_not_heard() {
        let rows = json!([
            { "deveui": "00-80-00-ff-00-00-00-02", "last_seen": "" },
            { "deveui": "00-80-00-00-0a-00-11-ba", "last_seen": "2025-12-15T22:18:21Z" },
        ]);
        let seen = last_uplinks(&rows).unwrap();
        assert_eq!(seen[&"008000ff00000002".parse().unwrap()], None);
        assert_eq!(seen[&"008000000a0011ba".parse().unwrap()], Some("2025-12-15T22:18:21Z".parse().unwrap()));
    }

    #[test]
    fn rows_that_cannot_be_understood_are_no_silence() {
        for rows in [json!({}), json!([{}]), json!([{ "deveui": "0018" }]), Json::Null] {
            assert!(last_uplinks(&rows).is_err(), "{rows}");
        }
    }
}
