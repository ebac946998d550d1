//! HTTP around the API: one request in, one JSON answer out, over whatever carries it.

use std::future::Future;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::api::Reply;
use crate::lab::knobs::ApiFault;

/// A request as the API sees it.
pub struct Call {
    /// `GET`, `PUT`, ...
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The body.
    pub body: Vec<u8>,
    /// The `token` cookie.
    pub cookie: Option<String>,
}

/// An answer and the session it opens.
pub struct Answered {
    /// The answer.
    pub reply: Reply,
    /// The token of a session just opened.
    pub token: Option<String>,
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self { reply, token: None }
    }
}

/// Serves one connection. `None` as an answer: the connection ends without one.
pub async fn serve<F>(stream: impl AsyncRead + AsyncWrite + Unpin, answer: impl Fn(Call) -> F)
where
    F: Future<Output = Option<Answered>>,
{
    let service = service_fn(|request: Request<Incoming>| async {
        let call = call(request).await?;
        answer(call).await.map(response).ok_or(Failure::Dropped)
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "simulated HTTP connection ended");
    }
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the request broke off")]
    Broken(#[from] hyper::Error),
    #[error("told to give no answer")]
    Dropped,
}

async fn call(request: Request<Incoming>) -> Result<Call, Failure> {
    let (parts, body) = request.into_parts();
    let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).map(str::trim);
    let cookie = pairs.find_map(|pair| pair.strip_prefix("token=").map(str::to_owned));
    let body = body.collect().await?.to_bytes().to_vec();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    Ok(Call { method: parts.method.to_string(), target, body, cookie })
}

fn response(answered: Answered) -> Response<Full<Bytes>> {
    let cookie =
        answered.token.map(|token| format!("token={token}; Path=/; SameSite=Strict; Secure; HttpOnly"));
    let mut response =
        Response::builder().status(answered.reply.status).header(CONTENT_TYPE, "application/json");
    if let Some(cookie) = cookie {
        response = response.header(SET_COOKIE, cookie);
    }
    response
        .body(Full::new(Bytes::from(answered.reply.body)))
        .expect("a status from 200 to 599 and plain header values make a response")
}

/// What is left of an answer after the fault; `None`: nothing.
pub fn spoiled(reply: Reply, fault: Option<ApiFault>) -> Option<Reply> {
    match fault {
        None => Some(reply),
        Some(ApiFault::Down) => None,
        Some(ApiFault::Status(status)) => Some(Reply { status, body: "<html>error</html>".to_owned() }),
        Some(ApiFault::Garbage) => Some(Reply { status: 200, body: "\u{1}garbage".to_owned() }),
        Some(ApiFault::Half) => {
            let half: String = reply.body.chars().take(reply.body.chars().count() / 2).collect();
            Some(Reply { body: half, ..reply })
        }
    }
}
