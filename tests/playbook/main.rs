//! Playbooks told by the real program to simulated devices: waves, gates, checkpoints, and what is left after a kill
//! at any of them; shares of the targets on several machines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]
#![allow(clippy::print_stderr, reason = "the points that were tried are reported")]

mod authority;
#[path = "../redeploy/place.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod bench;
mod faults;
mod guide;
#[path = "../story/kill.rs"]
mod kill;
mod killed;
#[path = "../story/many.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod many;
#[path = "../story/place.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod place;
mod round;
mod shards;
mod shipped;
mod steps;
