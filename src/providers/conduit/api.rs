//! The gateway's REST API: `{"code": 200, "status": "success", "result": ...}`. An answer is good when the
//! HTTP status and the envelope both say so; anything else is a reason, never an empty result.

use serde_json::Value as Json;

use crate::host::{Answer, Order, Page};
use crate::model::Secret;

/// Where the API answers, seen from the gateway itself, when the inventory does not say otherwise.
pub(super) const LOOPBACK: &str = "http://127.0.0.1";

/// The URL of a resource under an API's base.
pub(super) fn url(base: &str, resource: &str) -> String {
    format!("{}/api/{resource}", base.trim_end_matches('/'))
}

/// The result in the host's answer.
///
/// # Errors
/// Why there is none.
pub(super) fn of(answer: Answer) -> Result<Json, String> {
    match answer {
        Answer::Page(page) => result(&page),
        Answer::Unread(reason) => Err(reason),
        _ => Err("the host answered another question".to_owned()),
    }
}

/// The result of a page.
///
/// # Errors
/// What is wrong with it, in the gateway's own words where it gave some.
pub(super) fn result(page: &Page) -> Result<Json, String> {
    let body: Option<Json> = serde_json::from_slice(page.body.reveal()).ok();
    let error = body.as_ref().and_then(|body| body.get("error")).and_then(Json::as_str);
    if let Some(error) = error {
        return Err(format!("the gateway's API answered {}: {error}", page.status));
    }
    if !(200..300).contains(&page.status) {
        return Err(format!("the gateway's API answered {}", page.status));
    }
    let Some(Json::Object(mut envelope)) = body else {
        return Err("the gateway's API answered something that is not JSON, or only a part of it".to_owned());
    };
    match envelope.get("status").and_then(Json::as_str) {
        Some("success") => {}
        Some(other) => return Err(format!("the gateway's API answered with status `{other}`")),
        None => return Err("the gateway's API answered without a status".to_owned()),
    }
    envelope.remove("result").ok_or_else(|| "the gateway's API answered without a result".to_owned())
}

/// A request with a JSON body, or none.
pub(super) fn send(method: &'static str, base: &str, resource: &str, body: Option<&Json>) -> Order {
    let body = body.map(Json::to_string).unwrap_or_default();
    Order::Send { method, url: url(base, resource), body: Secret::new(body, "request") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: u16, body: &str) -> Page {
        Page { status, body: Secret::new(body, "test") }
    }

    #[test]
    fn a_result_needs_a_good_status_twice() {
        let good = page(200, r#"{"code":200,"status":"success","result":{"a":1}}"#);
        assert_eq!(result(&good).unwrap()["a"], 1);
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, r#"{"code":200,"status":"success","result":{"a""#),
            (200, r#"{"code":200,"status":"success"}"#),
            (200, r#"{"result":{}}"#),
            (200, r#"[]"#),
            (200, r#"{"status":"error","result":{}}"#),
            (500, r#"{"code":200,"status":"success","result":{}}"#),
        ] {
            assert!(result(&page(status, body)).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn the_gateways_own_words_are_kept() {
        let refused = page(400, r#"{"code":400,"status":"fail","error":"[timeZones] property is not set"}"#);
        assert!(result(&refused).unwrap_err().ends_with("400: [timeZones] property is not set"));
    }
}
