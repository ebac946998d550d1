//! A gateway from its box, or from whatever state it is in, to production: the real program against a simulated
//! unit that restarts, forgets and locks out as real ones do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]
#![allow(clippy::print_stderr, reason = "the points that were tried are reported")]

mod cut;
mod firmware;
mod fleet;
#[path = "../story/kill.rs"]
mod kill;
mod killed;
mod place;
mod refused;
mod story;
