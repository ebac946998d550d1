//! The web side of a device that shows a self-signed certificate: HTTPS held to one certificate, JSON in the
//! envelope `{"code", "status", "result" | "error"}`, a session by cookie.
//!
//! No proxy and no redirect: passwords go to the device on the wire and nowhere else. A refused login is never
//! tried again. Each request is a connection of its own: a device that restarts takes no request into its end.

mod fault;
mod image;
mod login;
mod pace;
mod pin;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value as Json;

pub use self::fault::WebFault;
pub use self::image::Image;
pub use self::pace::Pace;
use self::pin::Pin;
use super::interface;
use crate::model::Secret;

/// The time a connection is given.
const CONNECT: Duration = Duration::from_secs(8);
/// The time an answer is given, its body included.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer taken: a full configuration is some 100 kB.
const BODY_BYTES_MAX: usize = 8 << 20;
/// How often a request is sent again that the device says it did not take, being too busy, and the pause.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// The way to a device's web side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebWay {
    /// IP address or name.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// The network interface to go through, where the system's own choice would not do.
    pub interface: Option<String>,
}

impl WebWay {
    /// Address and port, and through what.
    pub fn whom(&self) -> String {
        let address =
            if self.address.contains(':') { format!("[{}]", self.address) } else { self.address.clone() };
        match &self.interface {
            Some(interface) => format!("{address}:{} (through {interface})", self.port),
            None => format!("{address}:{}", self.port),
        }
    }
}

/// A session with a device's web side.
pub struct WebSession {
    client: Client,
    base: Url,
    whom: String,
    pin: Arc<Pin>,
    pace: Arc<Pace>,
    token: Mutex<Option<Token>>,
    answer: Duration,
}

/// What a login gave.
#[derive(Clone)]
struct Token {
    word: Secret,
    /// The device wants it in the query, not in a cookie (seen on 5.x).
    in_query: bool,
    /// It was taken once: a later refusal is the session's end.
    proven: bool,
}

impl WebSession {
    /// Makes a session that holds the device to a certificate, or to the first one it shows. Nothing is sent
    /// yet.
    ///
    /// # Errors
    /// When the address is none, or the interface cannot be used here.
    pub fn new(way: &WebWay, fingerprint: Option<&str>, pace: &Arc<Pace>) -> Result<Self, WebFault> {
        let own = |reason: &dyn std::fmt::Display| WebFault::Own(format!("{}: {reason}", way.whom()));
        let host = if way.address.contains(':') { format!("[{}]", way.address) } else { way.address.clone() };
        let base = Url::parse(&format!("https://{host}:{}/", way.port)).map_err(|error| own(&error))?;
        let pin = Arc::new(Pin::new(fingerprint));
        let builder = Client::builder()
            .tls_backend_preconfigured(pin::config(Arc::clone(&pin)).map_err(|error| own(&error))?)
            .connect_timeout(CONNECT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0);
        let builder = interface::bind(builder, way.interface.as_deref()).map_err(|error| own(&error))?;
        let client = builder.build().map_err(|error| own(&error))?;
        let token = Mutex::new(None);
        let (whom, pace) = (way.whom(), Arc::clone(pace));
        Ok(Self { client, base, whom, pin, pace, token, answer: ANSWER })
    }

    /// The same with less time for each answer.
    pub fn within(mut self, limit: Duration) -> Self {
        self.answer = self.answer.min(limit);
        self
    }

    /// The fingerprint of the certificate the device is held to: the pinned one, or the one it showed first.
    pub fn fingerprint(&self) -> Option<String> {
        self.pin.expected()
    }

    /// Address and port.
    pub fn whom(&self) -> &str {
        &self.whom
    }

    /// A hand that reads.
    pub fn reading(&self) -> WebReading<'_> {
        WebReading(self)
    }

    /// A hand that writes.
    pub fn writing(&self) -> WebWriting<'_> {
        WebWriting(self)
    }

    fn token(&self) -> Option<Token> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, token: Option<Token>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    async fn request(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, WebFault> {
        let fill = |request: RequestBuilder| match body {
            Some(body) => request.json(body),
            None => request,
        };
        match self.attempt(&method, path, &fill).await {
            Err(fault) if fault.status() == Some(401) && self.turns_to_query() => {
                self.attempt(&method, path, &fill).await
            }
            Ok(result) => {
                self.proves();
                Ok(result)
            }
            end => end,
        }
    }

    fn proves(&self) {
        if let Some(token) = self.token().filter(|token| !token.proven) {
            self.keep(Some(Token { proven: true, ..token }));
        }
    }

    /// After a refused cookie that was never taken: the query, once.
    fn turns_to_query(&self) -> bool {
        let turned = self.token().filter(|token| !token.in_query && !token.proven);
        let turned = turned.map(|token| Token { in_query: true, ..token });
        let turns = turned.is_some();
        if turns {
            self.keep(turned);
        }
        turns
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        fill: &(dyn Fn(RequestBuilder) -> RequestBuilder + Sync),
    ) -> Result<Json, WebFault> {
        let mut busy = 0;
        loop {
            let request = fill(self.begin(method.clone(), path)?);
            match self.send(request, self.answer).await {
                Err(fault) if fault.status() == Some(429) && busy < BUSY_TRIES => {
                    busy += 1;
                    tokio::time::sleep(BUSY_PAUSE * busy).await;
                }
                end => return end.map(|answer| answer.result),
            }
        }
    }

    fn begin(&self, method: Method, path: &str) -> Result<RequestBuilder, WebFault> {
        let own = || WebFault::Own(format!("`{path}` is no path"));
        let mut url = self.base.join(&format!("api/{path}")).map_err(|_| own())?;
        let token = self.token();
        let word = token.as_ref().and_then(|token| token.word.reveal_text());
        if let (Some(true), Some(word)) = (token.as_ref().map(|token| token.in_query), word) {
            url.query_pairs_mut().append_pair("token", word);
        }
        let request = self.client.request(method, url);
        Ok(match word {
            Some(word) => request.header(reqwest::header::COOKIE, format!("token={word}")),
            None => request,
        })
    }

    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, WebFault> {
        self.pace.step().await;
        let fault = |error: &reqwest::Error| match self.pin.take_other() {
            Some((expected, shown)) => {
                WebFault::OtherCertificate { whom: self.whom.clone(), shown, expected }
            }
            None => WebFault::of(error, &self.whom, limit),
        };
        let sent = request.timeout(limit).send().await;
        let mut response = sent.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let cookies = response.headers().get_all(reqwest::header::SET_COOKIE).iter();
        let cookie =
            cookies.filter_map(|value| value.to_str().ok()).find_map(login::token_of).map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_BYTES_MAX {
                return Err(WebFault::TooLarge { whom: self.whom.clone(), limit_bytes: BODY_BYTES_MAX });
            }
        }
        let result = opened(&self.whom, status, &bytes)?;
        Ok(Answer { result, cookie })
    }
}

/// A good answer, and the session it opens.
struct Answer {
    result: Json,
    cookie: Option<String>,
}

/// Opens the envelope: good when the HTTP status and the envelope both say so.
fn opened(whom: &str, status: u16, bytes: &[u8]) -> Result<Json, WebFault> {
    let whom = || whom.to_owned();
    let body = serde_json::from_slice::<Json>(bytes).ok();
    let good = (200..300).contains(&status);
    let Some(Json::Object(mut envelope)) = body else {
        return Err(match good {
            true => WebFault::NotJson { whom: whom(), status },
            false => WebFault::Status { whom: whom(), status, words: "it gives no reason".to_owned() },
        });
    };
    if good && envelope.get("status").and_then(Json::as_str) == Some("success") {
        return Ok(envelope.remove("result").unwrap_or_default());
    }
    let said = envelope.get("error").and_then(Json::as_str);
    let words = said.map_or_else(|| "it gives no reason".to_owned(), |said| said.chars().take(300).collect());
    // A failure in an envelope with HTTP status 200 has its status inside.
    let code = envelope.get("code").and_then(Json::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = if good { code.unwrap_or(status) } else { status };
    Err(WebFault::Status { whom: whom(), status, words })
}

/// A hand that reads.
#[derive(Clone, Copy)]
pub struct WebReading<'a>(&'a WebSession);

impl WebReading<'_> {
    /// Asks for a resource: its path below `/api/`. The result out of the envelope.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn get(&self, resource: &str) -> Result<Json, WebFault> {
        self.0.request(Method::GET, resource, None).await
    }
}

/// A hand that writes.
#[derive(Clone, Copy)]
pub struct WebWriting<'a>(&'a WebSession);

impl<'a> WebWriting<'a> {
    /// The reading hand on the same end.
    pub fn reading(&self) -> WebReading<'a> {
        WebReading(self.0)
    }

    /// Changes a resource: fields that are not given stay.
    ///
    /// # Errors
    /// Why there is no good answer; it may have been done all the same.
    pub async fn put(&self, resource: &str, body: &Json) -> Result<Json, WebFault> {
        self.0.request(Method::PUT, resource, Some(body)).await
    }

    /// Adds to a resource, or runs a command.
    ///
    /// # Errors
    /// Why there is no good answer; it may have been done all the same.
    pub async fn post(&self, resource: &str, body: Option<&Json>) -> Result<Json, WebFault> {
        self.0.request(Method::POST, resource, body).await
    }

    /// Uploads a file as multipart form data. `sent` is told how many bytes have left; `limit` is the time it is
    /// given, the device's work on it included.
    ///
    /// # Errors
    /// Why there is no good answer; it may have been taken all the same.
    pub async fn upload(
        &self,
        resource: &str,
        image: &Image,
        sent: &Arc<dyn Fn(u64) + Send + Sync>,
        limit: Duration,
    ) -> Result<Json, WebFault> {
        image::upload(self.0, resource, image, sent, limit).await
    }
}

#[cfg(test)]
mod tests;
