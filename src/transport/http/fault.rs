//! Why there is no good answer. Nothing of a request's body or of a token is in the words.

use serde_json::Value as Json;

use super::Method;

/// Why there is no good answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpFault {
    /// No connection.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke or took too long after the request was sent: it may have been done.
    #[error("{0}")]
    Broken(String),
    /// The client's name or key is wrong.
    #[error("the login as `{client}` was refused: {reason}")]
    LoginRefused {
        /// The client's name.
        client: String,
        /// What the other end says.
        reason: String,
    },
    /// A fresh token is refused too: another program uses the same client, or it may not use this API.
    #[error("a fresh token was refused; does another program log in with the same client?")]
    TokenRefused,
    /// The key is wrong.
    #[error("the key was refused")]
    KeyRefused,
    /// The other end asks to come back later, and later.
    #[error("it is too busy to answer")]
    Busy,
    /// The answer is no JSON.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    /// The answer is larger than anything expected.
    #[error("the answer is larger than 64 MiB")]
    TooLarge,
    /// Another status than success.
    #[error("it answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// The body, when it is JSON; else `Null`.
        body: Json,
    },
    /// The request could not be made.
    #[error("{0}")]
    Unsendable(String),
    /// The target is not reached over HTTP.
    #[error("this target is not reached over HTTP")]
    NotHttp,
}

impl HttpFault {
    /// What went wrong with a request of this kind, in one line.
    pub(super) fn of(fault: &reqwest::Error, method: Method) -> Self {
        let mut cause: &dyn std::error::Error = fault;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let words = if fault.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
        if fault.is_connect() {
            return Self::Unreachable(words);
        }
        match method {
            Method::Get => Self::Broken(words),
            _ => Self::Broken(format!("{words}; it may have been done")),
        }
    }

    /// Whether a request that changes something may have been done all the same.
    pub fn is_unknown(&self) -> bool {
        // A gateway in between that got no answer says so with 502 or 504.
        matches!(
            self,
            Self::Broken(_) | Self::NotJson(_) | Self::TooLarge | Self::Status { status: 502 | 504, .. }
        )
    }

    /// What to do, when it is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::LoginRefused { .. } => Some(
                "look at `client_id` in the inventory and at the secret; it was tried once and is not tried again",
            ),
            Self::TokenRefused => {
                Some("one access token lives per client: give each program a client of its own")
            }
            _ => None,
        }
    }
}
