//! An API over HTTP with a client's credentials (OAuth 2.0, RFC 6749 section 4.4), or a key in a header. One session
//! a target and run: a token is fetched once and renewed once when it is refused; a refused login is not tried again.

use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value as Json;
use tokio::sync::{Mutex, Semaphore};

use crate::model::Secret;

mod fault;
mod token;

pub use fault::HttpFault;
use token::Token;

/// The time a connection is given.
const CONNECT: Duration = Duration::from_secs(10);
/// The time an answer is given, its body included.
const ANSWER: Duration = Duration::from_secs(60);
/// Requests under way at the same time: a PBX serves calls before it serves us.
const PARALLEL_REQUESTS: usize = 4;
/// How often a request is sent anew when the other end says it is busy, and the longest it may ask to wait.
const BUSY_TRIES: u32 = 3;
const BUSY_WAIT: Duration = Duration::from_secs(30);
/// The largest answer taken.
const MAX_BODY_BYTES: usize = 64 << 20;

/// The way to an API.
#[derive(Clone, Debug)]
pub struct HttpRoute {
    /// Scheme, host and port: `https://example.my3cx.fr`.
    pub base: String,
    /// How one logs in.
    pub login: HttpLogin,
    /// The authority of the other end's certificate, PEM; the system's when absent.
    pub ca_pem: Option<Vec<u8>>,
}

/// How one logs in to an API.
#[derive(Clone, Debug)]
pub enum HttpLogin {
    /// As a client, who gets a token for its key.
    Client {
        /// The client's name.
        id: String,
        /// The client's key.
        secret: Secret,
    },
    /// With headers on every request, the key first.
    Headers(Vec<(&'static str, Secret)>),
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or acts.
    Post,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    fn word(self) -> reqwest::Method {
        match self {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        }
    }
}

/// A good answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status, 200 to 299.
    pub status: u16,
    /// The body; `Null` when there is none.
    pub body: Json,
    /// What the header `X-3CX-Version` says, when it is there.
    pub version: Option<String>,
}

/// A session with an API.
pub struct HttpSession {
    client: Client,
    base: Url,
    route: HttpRoute,
    token: Mutex<Token>,
    places: Semaphore,
}

impl HttpSession {
    /// Makes a session; nothing is sent yet.
    ///
    /// # Errors
    /// When the base is no URL or the authority no certificate.
    pub fn new(route: HttpRoute) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let base = Url::parse(&route.base).with_context(|| format!("`{}` is no URL", route.base))?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            // Secrets go to the host the inventory names and nowhere else.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &route.ca_pem {
            let roots = Certificate::from_pem_bundle(pem).context("the authority is not PEM")?;
            anyhow::ensure!(!roots.is_empty(), "the authority's file holds no certificate");
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().context("preparing HTTP")?;
        let places = Semaphore::new(PARALLEL_REQUESTS);
        Ok(Self { client, base, route, token: Mutex::default(), places })
    }

    /// Sends a request: a path with its query below the base, JSON both ways.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<HttpAnswer, HttpFault> {
        self.send(method, path, &|request| match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Uploads a file as multipart form data, in the part `file`.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn upload(
        &self,
        path: &str,
        name: &str,
        mime: &str,
        bytes: Vec<u8>,
    ) -> Result<HttpAnswer, HttpFault> {
        let part = reqwest::multipart::Part::bytes(bytes.clone()).mime_str(mime);
        part.map_err(|_| HttpFault::Unsendable(format!("`{mime}` is no media type")))?;
        self.send(Method::Post, path, &|request| {
            let part = reqwest::multipart::Part::bytes(bytes.clone()).file_name(name.to_owned());
            match part.mime_str(mime) {
                Ok(part) => request.multipart(reqwest::multipart::Form::new().part("file", part)),
                Err(_) => request,
            }
        })
        .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        fill: &(dyn Fn(RequestBuilder) -> RequestBuilder + Sync),
    ) -> Result<HttpAnswer, HttpFault> {
        let url = self.base.join(path).map_err(|_| HttpFault::Unsendable(format!("`{path}` is no path")))?;
        // The semaphore is never closed.
        let _place = self.places.acquire().await.ok();
        let mut renewed = false;
        let mut busy = 0;
        loop {
            let token = self.token().await?;
            let request =
                self.signed(fill(self.client.request(method.word(), url.clone())), token.as_ref())?;
            let response = request.send().await.map_err(|fault| HttpFault::of(&fault, method))?;
            match (response.status(), token) {
                (StatusCode::UNAUTHORIZED, Some(token)) if !renewed => {
                    renewed = true;
                    self.token.lock().await.forget(&token);
                }
                (StatusCode::UNAUTHORIZED, Some(_)) => return Err(HttpFault::TokenRefused),
                (StatusCode::UNAUTHORIZED, None) => return Err(HttpFault::KeyRefused),
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _) if busy < BUSY_TRIES => {
                    busy += 1;
                    let Some(pause) = pause(&response, busy) else { return Err(HttpFault::Busy) };
                    tokio::time::sleep(pause).await;
                }
                _ => return answer(response, method).await,
            }
        }
    }

    /// A request that says who asks.
    fn signed(
        &self,
        request: RequestBuilder,
        token: Option<&token::Held>,
    ) -> Result<RequestBuilder, HttpFault> {
        let HttpLogin::Headers(headers) = &self.route.login else {
            return Ok(match token {
                Some(token) => request.bearer_auth(token.word()),
                None => request,
            });
        };
        let mut request = request;
        for (name, secret) in headers {
            let value = reqwest::header::HeaderValue::from_bytes(secret.reveal().trim_ascii());
            let mut value =
                value.map_err(|_| HttpFault::Unsendable(format!("the secret for {name} fits no header")))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        Ok(request)
    }

    /// The token of this session, fetched now when there is none; `None` where none is needed.
    async fn token(&self) -> Result<Option<token::Held>, HttpFault> {
        let HttpLogin::Client { id, secret } = &self.route.login else { return Ok(None) };
        let mut token = self.token.lock().await;
        token.held(&self.client, &self.base, id, secret).await.map(Some)
    }
}

/// How long to wait when the other end is busy: what it asks for, else 1, 2, 4 s; `None` when it asks too much.
fn pause(response: &Response, tries: u32) -> Option<Duration> {
    let asked = response.headers().get(reqwest::header::RETRY_AFTER);
    let seconds = asked.and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = seconds.map_or(Duration::from_secs(1 << (tries - 1)), Duration::from_secs);
    (pause <= BUSY_WAIT).then_some(pause)
}

async fn answer(mut response: Response, method: Method) -> Result<HttpAnswer, HttpFault> {
    let status = response.status();
    let version = response.headers().get("x-3cx-version");
    let version = version.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|fault| HttpFault::of(&fault, method))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BODY_BYTES {
            return Err(HttpFault::TooLarge);
        }
    }
    let body = if bytes.is_empty() { Ok(Json::Null) } else { serde_json::from_slice(&bytes) };
    match (status.is_success(), body) {
        (true, Ok(body)) => Ok(HttpAnswer { status: status.as_u16(), body, version }),
        (true, Err(fault)) => Err(HttpFault::NotJson(fault.to_string())),
        (false, body) => Err(HttpFault::Status { status: status.as_u16(), body: body.unwrap_or(Json::Null) }),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_matches(['[', ']']);
            host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}
