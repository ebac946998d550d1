//! The only sockets. A [`Reading`] hand cannot write: it has no call that does.

mod hand;
pub mod http;
mod interface;
pub mod known_certificates;
pub mod known_hosts;
pub mod mqtt;
pub mod neighbour;
mod pattern;
pub mod ssh;
pub mod ssh_config;
pub mod tls;
pub mod web;

pub use hand::{Hosting, Reading, Writing};
