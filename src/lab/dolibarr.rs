//! A simulated Dolibarr: the lists of its REST API on loopback, stateful. After its own PHP: the key in a header, pages
//! from 0, an empty page as 404, ids and flags as text. No request can change it.

use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::door::Door;
use super::held;
use super::knobs::{ApiFault, KnobBoard, RequestFault};
use super::log::{Channel, Deed, Log};

/// The page when none is asked for.
const LIMIT: usize = 100;

/// A running Dolibarr.
pub struct Dolibarr {
    key: String,
    rows: Mutex<Rows>,
    knobs: Arc<KnobBoard>,
    log: Arc<Log>,
}

#[derive(Default)]
struct Rows {
    next: u64,
    companies: Vec<Value>,
    contacts: Vec<Value>,
    /// Whether an empty page is `[]`, as newer versions may have it, and not a 404.
    lists_empty: bool,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[error("told to give no answer")]
struct Dropped;

impl Dolibarr {
    pub(super) fn new(key: String, knobs: Arc<KnobBoard>, log: Arc<Log>) -> Self {
        Self { key, rows: Mutex::default(), knobs, log }
    }

    /// Makes a third party as a person would; gives its id.
    pub fn add_company(&self, fields: Value) -> u64 {
        self.add(fields, json!({"client": "1", "status": "1", "country_code": "FR"}), |rows| {
            &mut rows.companies
        })
    }

    /// Makes a contact as a person would; gives its id.
    pub fn add_contact(&self, fields: Value) -> u64 {
        self.add(fields, json!({"statut": "1", "priv": "0"}), |rows| &mut rows.contacts)
    }

    fn add(&self, fields: Value, defaults: Value, of: impl Fn(&mut Rows) -> &mut Vec<Value>) -> u64 {
        let mut rows = held(&self.rows);
        rows.next += 1;
        let id = rows.next;
        let mut row = defaults;
        row["id"] = id.to_string().into();
        for (name, value) in fields.as_object().into_iter().flatten() {
            row[name] = value.clone();
        }
        of(&mut rows).push(row);
        id
    }

    /// Changes a field of a contact.
    pub fn alter_contact(&self, id: u64, field: &str, value: &str) {
        let mut rows = held(&self.rows);
        let own = id.to_string();
        let found = rows.contacts.iter_mut().find(|row| row["id"] == own.as_str());
        if let Some(row) = found {
            row[field] = value.into();
        }
    }

    /// Deletes a contact.
    pub fn remove_contact(&self, id: u64) {
        let own = id.to_string();
        held(&self.rows).contacts.retain(|row| row["id"] != own.as_str());
    }

    /// Takes everything out, as a user without rights sees it.
    pub fn clear(&self) {
        let mut rows = held(&self.rows);
        rows.companies.clear();
        rows.contacts.clear();
    }

    /// Whether an empty page is an empty list and not a 404.
    pub fn list_empty(&self, lists: bool) {
        held(&self.rows).lists_empty = lists;
    }

    /// Serves until dropped.
    pub(super) async fn attend(self: Arc<Self>, door: Door) -> anyhow::Result<()> {
        let knobs = Arc::clone(&self.knobs);
        door.attend(knobs, |line| {
            let device = Arc::clone(&self);
            async move { serve(line, &device).await }
        })
        .await;
        Ok(())
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, device: &Dolibarr) {
    let service =
        service_fn(|request: Request<Incoming>| async move { answer(device, &request).await.ok_or(Dropped) });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "simulated HTTP connection ended");
    }
}

async fn answer(device: &Dolibarr, request: &Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let knobs = device.knobs.now();
    tokio::time::sleep(knobs.slow).await;
    let (method, uri) = (request.method().as_str(), request.uri());
    let deed = if method == "GET" { Deed::Read } else { Deed::Write };
    let whole = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    device.log.note(Channel::Api, deed, format!("{method} {whole}"));
    let fault = match device.knobs.request_fault() {
        Some(RequestFault::Stall) => std::future::pending().await,
        Some(RequestFault::Refuse | RequestFault::CutBefore | RequestFault::CutAfter) => return None,
        Some(RequestFault::Garbage) => Some(ApiFault::Garbage),
        Some(RequestFault::Half) => Some(ApiFault::Half),
        None => knobs.api,
    };
    let key = request.headers().get("DOLAPIKEY").and_then(|key| key.to_str().ok());
    let (status, body) = if key == Some(&device.key) {
        told(&held(&device.rows), method, uri.path(), uri.query().unwrap_or_default())
    } else {
        refused(401, "Unauthorized: Access to this API need a login")
    };
    let text = body.to_string();
    Some(match fault {
        None => respond(status, text),
        Some(ApiFault::Down) => return None,
        Some(ApiFault::Status(status)) => respond(status, "<html>error</html>".to_owned()),
        Some(ApiFault::Garbage) => respond(status, "\u{1}garbage".to_owned()),
        Some(ApiFault::Half) => respond(status, text.chars().take(text.chars().count() / 2).collect()),
    })
}

fn respond(status: u16, text: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(text)))
        .expect("a status from 200 to 599 and a plain header value make a response")
}

fn refused(code: u16, message: &str) -> (u16, Value) {
    (code, json!({"error": {"code": code, "message": message}}))
}

fn told(rows: &Rows, method: &str, path: &str, query: &str) -> (u16, Value) {
    let (list, none) = match path.strip_prefix("/api/index.php/") {
        Some("thirdparties") => (&rows.companies, "Not Found: Thirdparties not found"),
        Some("contacts") => (&rows.contacts, "Not Found: Contacts not found"),
        _ => return refused(404, "Not Found"),
    };
    if method != "GET" {
        return refused(403, "Forbidden");
    }
    let number = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let limit = number("limit").unwrap_or(LIMIT);
    let from = number("page").unwrap_or(0) * limit;
    let page: Vec<&Value> = list.iter().skip(from).take(limit).collect();
    if page.is_empty() && !rows.lists_empty {
        return refused(404, none);
    }
    (200, json!(page))
}
