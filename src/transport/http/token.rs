//! The access token of a session. It is fetched at the first request and lives in memory only.
//!
//! A 3CX gives `expires_in` in minutes up to 20.0.8 and in seconds from 20.0.9 on (vendor's tutorial, commit
//! 1c6947c); both mean an hour. A number below 300 is taken for minutes.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::{HttpFault, Method};
use crate::model::Secret;

/// A token is not used in the last part of its life: the request could arrive too late.
const MARGIN: Duration = Duration::from_secs(60);

/// The state of the login.
#[derive(Debug, Default)]
pub(super) enum Token {
    /// No token yet.
    #[default]
    None,
    /// A token.
    Fresh(Held, Instant),
    /// The login was refused; those who insist are locked out.
    Refused(HttpFault),
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Held(Secret);

impl Held {
    pub fn word(&self) -> String {
        String::from_utf8_lossy(self.0.reveal()).into_owned()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Token {
    /// Lets a token go that was refused, unless another request already got a new one.
    pub fn forget(&mut self, refused: &Held) {
        if matches!(self, Self::Fresh(held, _) if held.0.reveal() == refused.0.reveal()) {
            *self = Self::None;
        }
    }

    /// The token, fetched when there is none or it is about to end.
    pub async fn held(
        &mut self,
        client: &Client,
        base: &Url,
        id: &str,
        secret: &Secret,
    ) -> Result<Held, HttpFault> {
        match self {
            Self::Fresh(held, end) if Instant::now() < *end => return Ok(held.clone()),
            Self::Refused(fault) => return Err(fault.clone()),
            _ => {}
        }
        match fetch(client, base, id, secret).await {
            Ok((held, life)) => {
                *self = Self::Fresh(held.clone(), Instant::now() + life);
                Ok(held)
            }
            Err(fault) => {
                if matches!(fault, HttpFault::LoginRefused { .. }) {
                    *self = Self::Refused(fault.clone());
                }
                Err(fault)
            }
        }
    }
}

async fn fetch(
    client: &Client,
    base: &Url,
    id: &str,
    secret: &Secret,
) -> Result<(Held, Duration), HttpFault> {
    let url = base.join("/connect/token").map_err(|_| HttpFault::Unsendable("no path for a token".into()))?;
    let secret = String::from_utf8_lossy(secret.reveal()).into_owned();
    let form = [
        ("client_id", id),
        ("client_secret", secret.trim_end_matches('\n')),
        ("grant_type", "client_credentials"),
    ];
    let sent = client.post(url).form(&form).send().await;
    let response = sent.map_err(|fault| HttpFault::of(&fault, Method::Get))?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(|fault| HttpFault::of(&fault, Method::Get))?;
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) {
        let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let reason = ["error_description", "error"].iter().find_map(|key| said[*key].as_str());
        let reason = reason.unwrap_or("no reason given").chars().take(200).collect();
        return Err(HttpFault::LoginRefused { client: id.to_owned(), reason });
    }
    if !status.is_success() {
        return Err(HttpFault::Status { status: status.as_u16(), body: serde_json::Value::Null });
    }
    // The parser's words could repeat a piece of the token.
    let granted: Granted =
        serde_json::from_slice(&bytes).map_err(|_| HttpFault::NotJson("no access token in it".into()))?;
    let life = life(granted.expires_in);
    Ok((Held(Secret::new(granted.access_token.as_str(), "access token")), life))
}

/// How long a token is used.
fn life(expires_in: Option<u64>) -> Duration {
    let seconds = match expires_in {
        None => 50 * 60,
        Some(minutes @ 0..300) => minutes * 60,
        Some(seconds) => seconds,
    };
    Duration::from_secs(seconds).saturating_sub(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_an_hour_in_either_unit() {
        assert_eq!(life(Some(60)), life(Some(3600)));
        assert_eq!(life(Some(3600)), Duration::from_secs(3540));
        assert!(life(None) < life(Some(3600)));
    }
}
