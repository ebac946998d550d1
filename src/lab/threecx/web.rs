//! HTTP around a 3CX: token, knobs, log, then the API.

use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::api::{self, Answer};
use super::{ThreeCx, query};
use crate::lab::held;
use crate::lab::knobs::{ApiFault, Knobs};
use crate::lab::log::{Channel, Deed};

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the request broke off")]
    Broken(#[from] hyper::Error),
    #[error("told to give no answer")]
    Dropped,
}

/// Serves one connection.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, device: &ThreeCx) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let knobs = device.knobs.now();
        tokio::time::sleep(knobs.slow).await;
        answer(device, &parts, &body, &knobs).ok_or(Failure::Dropped)
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "simulated HTTP connection ended");
    }
}

fn answer(
    device: &ThreeCx,
    parts: &hyper::http::request::Parts,
    body: &Bytes,
    knobs: &Knobs,
) -> Option<Response<Full<Bytes>>> {
    let path = parts.uri.path();
    let method = parts.method.as_str();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if path == "/connect/token" {
        device.log.note(Channel::Api, Deed::Read, format!("{method} {path}"));
        return Some(respond(&token(device, &String::from_utf8_lossy(body), header(CONTENT_TYPE)), device));
    }
    let is_write = api::is_write(method, path);
    let deed = if is_write { Deed::Write } else { Deed::Read };
    // What is read may be asked for again as it stands in the log: with its query.
    let whole = parts.uri.path_and_query().map_or(path, |whole| whole.as_str());
    let what = if is_write { query::decoded(path) } else { whole.to_owned() };
    device.log.note(Channel::Api, deed, format!("{method} {what}"));
    if device.knobs.is_busy() {
        let mut response = respond(&Answer::status(429), device);
        response.headers_mut().insert(RETRY_AFTER, hyper::header::HeaderValue::from_static("0"));
        return Some(response);
    }
    if !bears(device, header(AUTHORIZATION)) {
        return Some(respond(&Answer::status(401), device));
    }
    if is_write && device.knobs.order_fails() {
        return Some(respond(
            &Answer::of(500, json!({"error": {"code": "", "message": "told to fail"}})),
            device,
        ));
    }
    let cut = is_write && device.knobs.order_is_cut();
    let answer = if is_write && knobs.forget && !path.ends_with("Pbx.Backup") {
        Answer::status(204)
    } else {
        api::handle(&mut held(&device.store), method, path, parts.uri.query().unwrap_or_default(), body)
    };
    if cut {
        return None;
    }
    spoiled(answer, knobs).map(|answer| respond(&answer, device))
}

/// What is left of an answer after the fault.
fn spoiled(answer: Answer, knobs: &Knobs) -> Option<Answer> {
    match knobs.api {
        None => Some(answer),
        Some(ApiFault::Down) => None,
        Some(ApiFault::Status(status)) => {
            Some(Answer { body: b"<html>error</html>".to_vec(), ..Answer::status(status) })
        }
        Some(ApiFault::Garbage) => Some(Answer { body: b"\x01garbage".to_vec(), ..answer }),
        Some(ApiFault::Half) => {
            Some(Answer { body: answer.body[..answer.body.len() / 2].to_vec(), ..answer })
        }
    }
}

fn respond(answer: &Answer, device: &ThreeCx) -> Response<Full<Bytes>> {
    Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, answer.media)
        .header("X-3CX-Version", format!("20.0.{}.1100", device.plan.patch))
        .body(Full::new(Bytes::from(answer.body.clone())))
        .expect("a status from 200 to 599 and plain header values make a response")
}

/// Whether a request bears the one token of this client.
fn bears(device: &ThreeCx, authorization: &str) -> bool {
    let token = held(&device.token);
    let bearer = authorization.strip_prefix("Bearer ").unwrap_or_default();
    token.as_ref().is_some_and(|(token, end)| token == bearer && Instant::now() < *end)
}

/// The client credentials, from a form of either kind; a new token ends the one before.
fn token(device: &ThreeCx, body: &str, media: &str) -> Answer {
    let plan = &device.plan;
    let field = |name: &str| {
        if media.starts_with("multipart/") {
            let at = body.split(&format!("name=\"{name}\"")).nth(1)?;
            return at
                .trim_start()
                .lines()
                .find(|line| !line.trim().is_empty())
                .map(|line| line.trim().to_owned());
        }
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| query::decoded(value))
    };
    let known = field("client_id").is_some_and(|id| id == plan.client_id)
        && field("client_secret").is_some_and(|secret| secret == plan.client_secret)
        && field("grant_type").is_some_and(|grant| grant == "client_credentials");
    if !known {
        let body = json!({"error": "unauthorized", "error_description": "client credentials are not valid"});
        return Answer::of(401, body);
    }
    let fresh = hex::encode(rand::random::<[u8; 24]>());
    *held(&device.token) = Some((fresh.clone(), Instant::now() + plan.token_life));
    let seconds = plan.token_life.as_secs();
    let expires = if plan.patch <= 8 { seconds / 60 } else { seconds };
    let body = json!({"token_type": "Bearer", "expires_in": expires, "access_token": fresh,
    "refresh_token": Value::Null});
    Answer::of(200, body)
}
