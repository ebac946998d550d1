//! The host key check: it happens before any name or password is sent, and its verdict is kept.

use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{DisconnectReason, Handler};
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use super::fault::SshFault;
use super::route::Route;
use crate::transport::known_hosts::{KnownHosts, Standing, fingerprint};

/// How a host key is judged.
pub(super) enum Trust {
    /// By the pins.
    Pinned(Arc<KnownHosts>),
    /// It is only looked at; the connection ends there.
    LookOnly,
}

/// What the connection's task found out, readable after the connection has ended.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Found>>);

#[derive(Default)]
struct Found {
    offered: Option<PublicKey>,
    verdict: Option<SshFault>,
    ended: Option<String>,
}

impl Log {
    fn with<T>(&self, act: impl FnOnce(&mut Found) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The host key the server offered.
    pub(super) fn offered(&self) -> Option<PublicKey> {
        self.with(|found| found.offered.clone())
    }

    /// Why the host key was refused.
    pub(super) fn verdict(&self) -> Option<SshFault> {
        self.with(|found| found.verdict.clone())
    }

    /// Why the connection ended.
    pub(super) fn ended(&self) -> Option<String> {
        self.with(|found| found.ended.clone())
    }
}

/// Stands at the door of one connection.
pub(super) struct Door {
    whom: String,
    name: String,
    pin_host: String,
    port: u16,
    trust: Trust,
    log: Log,
}

impl Door {
    pub(super) fn new(route: &Route, trust: Trust, log: Log) -> Self {
        let (name, pin_host) = (route.name.clone(), route.pin_host().to_owned());
        Self { whom: route.whom(), name, pin_host, port: route.port, trust, log }
    }

    /// `None` when the key is trusted.
    fn judge(&self, known: &KnownHosts, key: &PublicKey) -> Option<SshFault> {
        let whom = self.whom.clone();
        let print = fingerprint(key);
        let offered = format!("{} {print}", key.algorithm().as_str());
        let accept = format!("rocade trust {} --fingerprint {print}", self.name);
        match known.check(&self.pin_host, self.port, key) {
            Standing::Known => None,
            Standing::Unknown => Some(SshFault::HostKeyUnknown { whom, offered, accept }),
            Standing::Changed { pinned } => Some(SshFault::HostKeyChanged { whom, offered, pinned, accept }),
            Standing::Revoked => Some(SshFault::HostKeyRevoked { whom, offered }),
        }
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = offered.public_key();
        let trusted = match &self.trust {
            Trust::LookOnly => false,
            Trust::Pinned(known) => {
                let verdict = self.judge(known, &key);
                let trusted = verdict.is_none();
                self.log.with(|found| found.verdict = verdict);
                trusted
            }
        };
        self.log.with(|found| found.offered = Some(key));
        Ok(trusted)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let ended = match reason {
            DisconnectReason::ReceivedDisconnect(info) => info.message,
            DisconnectReason::Error(error) => in_words(&error),
        };
        self.log.with(|found| found.ended = Some(ended));
        Ok(())
    }
}

/// Why a connection ended, in an engineer's words.
fn in_words(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => "no answer to keepalives".to_owned(),
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError | russh::Error::RecvError => {
            "connection closed".to_owned()
        }
        russh::Error::IO(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            "connection closed".to_owned()
        }
        other => other.to_string(),
    }
}

/// Says what a failed connection to `whom` failed of.
pub(super) fn fault_of(error: &russh::Error, whom: &str) -> SshFault {
    use std::io::ErrorKind;
    let whom = whom.to_owned();
    match error {
        russh::Error::IO(io) => match io.kind() {
            ErrorKind::ConnectionRefused => SshFault::Refused { whom },
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                SshFault::Closed { whom, reason: "connection closed".to_owned() }
            }
            _ => SshFault::Unreachable { whom, reason: io.to_string() },
        },
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let kind = match kind {
                russh::AlgorithmKind::Kex => "key exchange",
                russh::AlgorithmKind::Key => "host key type",
                russh::AlgorithmKind::Cipher => "cipher",
                russh::AlgorithmKind::Compression => "compression",
                russh::AlgorithmKind::Mac => "MAC",
            };
            SshFault::NothingInCommon { whom, kind, theirs: theirs.clone() }
        }
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError | russh::Error::RecvError => {
            SshFault::Closed { whom, reason: in_words(error) }
        }
        other => SshFault::Protocol { whom, reason: other.to_string() },
    }
}
