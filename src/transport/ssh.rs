//! SSH sessions. A host key is checked before anything else is said, and a refused login is never tried
//! again: gateways lock out for 300 s after three failures.
//!
//! No RSA host keys: the only implementation at hand (crate `rsa`) has an open timing fault
//! (RUSTSEC-2023-0071). A server that offers nothing else is named with what it offers.

mod door;
mod exec;
mod fault;
mod host;
mod login;
mod quote;
mod route;
mod session;

pub use exec::Exec;
pub use fault::SshFault;
pub use quote::quote;
pub use route::{AgentUse, Login, Route};
pub use russh::keys::PublicKey as HostKey;
pub use session::{Limits, Session, Traffic, offered_key};
