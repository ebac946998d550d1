//! What can go wrong between us and a device's web side: one line each. No password, token or body of ours is
//! in the words.

use std::time::Duration;

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebFault {
    /// No way to it.
    #[error("{whom} cannot be reached: {reason}")]
    Unreachable {
        /// Address and port.
        whom: String,
        /// The system's words.
        reason: String,
    },
    /// It is there and nothing listens.
    #[error("{whom} refuses the connection")]
    Refused {
        /// Address and port.
        whom: String,
    },
    /// No answer in time. When something was sent it may have been done.
    #[error("no answer from {whom} within {} s", limit.as_secs())]
    TimedOut {
        /// Address and port.
        whom: String,
        /// The limit.
        limit: Duration,
    },
    /// The connection ended in the middle. When something was sent it may have been done.
    #[error("{whom} ended the connection: {reason}")]
    Cut {
        /// Address and port.
        whom: String,
        /// The system's words.
        reason: String,
    },
    /// It shows another certificate than the one it is held to.
    #[error("certificate of {whom} has changed: it shows {shown}, expected is {expected}")]
    OtherCertificate {
        /// Address and port.
        whom: String,
        /// The fingerprint it shows.
        shown: String,
        /// The fingerprint it is held to.
        expected: String,
    },
    /// It answered something that is not the API's envelope.
    #[error("{whom} answered {status} with something that is not JSON, or only a part of it")]
    NotJson {
        /// Address and port.
        whom: String,
        /// The HTTP status.
        status: u16,
    },
    /// It refused the request.
    #[error("{whom} answered {status}: {words}")]
    Status {
        /// Address and port.
        whom: String,
        /// The HTTP status.
        status: u16,
        /// The device's own words.
        words: String,
    },
    /// Its answer is larger than anything expected.
    #[error("{whom} answered more than {} MiB", limit_bytes >> 20)]
    TooLarge {
        /// Address and port.
        whom: String,
        /// The most that is taken.
        limit_bytes: usize,
    },
    /// The request could not be made.
    #[error("{0}")]
    Own(String),
}

impl WebFault {
    /// Whether nobody answered: it may be starting, or its cable may be out.
    pub fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::TimedOut { .. } | Self::Cut { .. }
        )
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The device's own words of a refusal.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Status { words, .. } => Some(words),
            _ => None,
        }
    }

    pub(super) fn of(fault: &reqwest::Error, whom: &str, limit: Duration) -> Self {
        let whom = whom.to_owned();
        let mut cause: &dyn std::error::Error = fault;
        let mut kind = None;
        while let Some(deeper) = cause.source() {
            cause = deeper;
            kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
        }
        let reason = cause.to_string();
        if kind == Some(std::io::ErrorKind::ConnectionRefused) {
            return Self::Refused { whom };
        }
        if fault.is_timeout() || kind == Some(std::io::ErrorKind::TimedOut) {
            return Self::TimedOut { whom, limit };
        }
        if fault.is_builder() {
            return Self::Own(reason);
        }
        // A handshake that breaks off is a device that goes down while we come.
        let ended = [
            std::io::ErrorKind::UnexpectedEof,
            std::io::ErrorKind::ConnectionReset,
            std::io::ErrorKind::BrokenPipe,
        ];
        if fault.is_connect() && !kind.is_some_and(|kind| ended.contains(&kind)) {
            return Self::Unreachable { whom, reason };
        }
        Self::Cut { whom, reason }
    }
}
