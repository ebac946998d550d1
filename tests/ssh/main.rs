//! The transport against real programs: OpenSSH's server and agent, Mosquitto. Nothing here stands in for
//! them.
//!
//! Where they are missing, or no private mount namespace can be made, a test says that it was skipped.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod agent;
mod broker;
mod endings;
mod execs;
mod host_keys;
mod jumps;
mod logins;
mod pins;
mod server;
