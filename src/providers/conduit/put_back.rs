//! From pages of the API as they were kept to the requests that make them show it again. What a firmware adds
//! beside it meanwhile stays.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{api, unit};
use crate::host::{Order, Page};
use crate::model::Wish;
use crate::providers::PageThenAndNow;

/// The requests, and at the end those that make them count and keep them over a restart; none when all pages
/// show what they showed. When the page is among them that says that nothing was unsaved then and something is
/// now, none of it was saved: the unit itself drops what it runs with for what it saved.
///
/// # Errors
/// When a page cannot be understood.
pub(super) fn orders(wish: &Wish, pages: &BTreeMap<String, PageThenAndNow>) -> Result<Vec<Order>, String> {
    let base = unit::base(wish);
    let mut orders = Vec::new();
    let mut unsaved = false;
    for (url, page) in pages {
        let then = api::result(&Page { status: 200, body: page.then.clone() })?;
        let now = api::result(&page.now)?;
        let resource = url.strip_prefix(&api::url(base, "")).unwrap_or(url);
        if resource == "system" {
            unsaved = then["dbDirty"] == json!(false) && now["dbDirty"] == json!(true);
            continue;
        }
        let body =
            if resource == "loraNetwork/whitelist" { list(&then, &now) } else { difference(&then, &now) };
        if let Some(body) = body {
            orders.push(api::send("PUT", base, resource, Some(&body)));
        }
    }
    if !orders.is_empty() && unsaved {
        // The network server starts anew when its settings are saved: it has not heard of these.
        return Ok(vec![api::send("POST", base, "command/revert", None)]);
    }
    if !orders.is_empty() {
        orders.push(api::send("POST", base, "lora/restart", None));
        orders.push(api::send("POST", base, "command/save", None));
    }
    Ok(orders)
}

/// The list of sensors is written whole.
fn list(then: &Json, now: &Json) -> Option<Json> {
    let differs = ["enabled", "devices"].iter().any(|key| then[*key] != now[*key]);
    differs.then(|| json!({"enabled": then["enabled"], "devices": then["devices"]}))
}

/// What of an object is to be written so that it is what it was: a firmware refuses some objects whole. The
/// list of sensors has a page of its own.
fn difference(then: &Json, now: &Json) -> Option<Json> {
    let (Json::Object(then), Json::Object(now)) = (then, now) else {
        return (then != now).then(|| then.clone());
    };
    let own = |key: &String, then: &Json| match now.get(key) {
        Some(now) => difference(then, now),
        None => Some(then.clone()),
    };
    let differing: Map<String, Json> = then
        .iter()
        .filter(|(key, _)| *key != "whitelist")
        .filter_map(|(key, value)| Some((key.clone(), own(key, value)?)))
        .collect();
    (!differing.is_empty()).then_some(Json::Object(differing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_back() {
        let then = json!({"lora": {"channelPlan": "US915", "netID": "000000"}, "mqtt": {"enabled": false},
            "whitelist": {"devices": []}});
        let now = json!({"lora": {"channelPlan": "EU868", "netID": "000000", "new": 1}, "mqtt": {"enabled": true},
            "whitelist": {"devices": [1]}});
        let back = json!({"lora": {"channelPlan": "US915"}, "mqtt": {"enabled": false}});
        assert_eq!(difference(&then, &now), Some(back));
        assert_eq!(difference(&then, &then), None);
    }

    #[test]
    fn a_list_of_sensors_is_written_whole() {
        let then = json!({"enabled": false, "devices": [{"deveui": "00"}], "maxSize": 2000});
        let now = json!({"enabled": true, "devices": [], "maxSize": 2000});
        let back = json!({"enabled": false, "devices": [{"deveui": "00"}]});
        assert_eq!(list(&then, &now), Some(back));
        assert_eq!(list(&then, &then), None);
    }
}
