//! What can go wrong on the way to a host: one line each, naming the host, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

/// Why there is no session, or no answer in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SshFault {
    /// No way to the host.
    #[error("{whom} cannot be reached: {reason}")]
    Unreachable {
        /// Address and port.
        whom: String,
        /// The system's words.
        reason: String,
    },
    /// The host is there and nothing listens.
    #[error("{whom} refuses the connection")]
    Refused {
        /// Address and port.
        whom: String,
    },
    /// A limit was hit.
    #[error("no answer from {whom} within {} s while {doing}", limit.as_secs_f32())]
    TimedOut {
        /// Address and port.
        whom: String,
        /// What was being done.
        doing: String,
        /// The limit.
        limit: Duration,
    },
    /// No key is pinned for the host.
    #[error("host key of {whom} is not known: it offers {offered}, none pinned")]
    HostKeyUnknown {
        /// Address and port.
        whom: String,
        /// Type and fingerprint of the key offered.
        offered: String,
        /// The command that pins it.
        accept: String,
    },
    /// Another key is pinned for the host.
    #[error("host key of {whom} has changed: it offers {offered}, pinned is {}", pinned.join(", "))]
    HostKeyChanged {
        /// Address and port.
        whom: String,
        /// Type and fingerprint of the key offered.
        offered: String,
        /// Types and fingerprints of the pinned keys.
        pinned: Vec<String>,
        /// The command that pins the new one.
        accept: String,
    },
    /// The key is marked `@revoked`.
    #[error("host key of {whom} is revoked: it offers {offered}")]
    HostKeyRevoked {
        /// Address and port.
        whom: String,
        /// Type and fingerprint of the key offered.
        offered: String,
    },
    /// The two sides have no algorithm in common.
    #[error("{whom} offers no {kind} we can use: it offers {}", theirs.join(", "))]
    NothingInCommon {
        /// Address and port.
        whom: String,
        /// What for: host key type, key exchange, cipher...
        kind: &'static str,
        /// What the server offers.
        theirs: Vec<String>,
    },
    /// The server refused the login. It is not tried again.
    #[error("{whom} refuses {user}: tried {}; it offers {}", listed(tried), listed(offered))]
    LoginRefused {
        /// Address and port.
        whom: String,
        /// The remote user.
        user: String,
        /// What was tried, in order.
        tried: Vec<String>,
        /// The methods the server offers.
        offered: Vec<String>,
        /// What could not be tried, and why.
        unusable: Vec<String>,
    },
    /// A key file of the inventory cannot be used.
    #[error("key file {} cannot be used: {reason}", path.display())]
    KeyUnusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The connection ended.
    #[error("{whom} ended the connection: {reason}")]
    Closed {
        /// Address and port.
        whom: String,
        /// The server's words, or what was missing.
        reason: String,
    },
    /// The server refused a request or does not speak SSH as we do.
    #[error("{whom}: {reason}")]
    Protocol {
        /// Address and port.
        whom: String,
        /// What.
        reason: String,
    },
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

impl SshFault {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => "check the address, the cable and the route to it",
            Self::Refused { .. } => "SSH may be off (a factory-fresh Conduit) or on another port",
            Self::TimedOut { .. } => "check the address, and any firewall on the way",
            Self::HostKeyUnknown { accept, .. } => {
                return Some(format!("compare it at the device, then: {accept}"));
            }
            Self::HostKeyChanged { accept, .. } => {
                let why = "a reset device has a new key, an attacker has one too";
                return Some(format!("{why}; compare it at the device, then: {accept}"));
            }
            Self::HostKeyRevoked { .. } => "this key must not be used again: give the host a new one",
            Self::NothingInCommon { kind: "host key type", .. } => {
                "make it an ed25519 host key: ssh-keygen -t ed25519 -f /etc/ssh/ssh_host_ed25519_key"
            }
            Self::LoginRefused { unusable, .. } if !unusable.is_empty() => {
                return Some(unusable.join("; "));
            }
            Self::LoginRefused { .. } => {
                "correct user and secret first: it is not tried again, gateways lock out after 3 failures"
            }
            Self::KeyUnusable { .. } => "load it into the SSH agent: ssh-add FILE",
            Self::NothingInCommon { .. } | Self::Closed { .. } | Self::Protocol { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
