//! The providers against the simulated devices and against the real Mosquitto: what is wished comes to be,
//! and a second look finds nothing to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::panic, clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::disallowed_methods, reason = "the tests start the real broker and its clients")]

mod conduit;
mod firewall;
mod flow;
mod lockout;
mod mosquitto;
mod mutual;
mod newer;
mod own_broker;
mod shelf;
