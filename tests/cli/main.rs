//! The command line as scripts and people meet it: exit codes, streams, files, questions. The devices are
//! simulated ones, the program is the real one.

mod dossier;
mod drawings;
mod drift;
mod exits;
mod forms;
mod interrupts;
mod lab;
mod offline;
#[path = "../story/place.rs"]
#[allow(dead_code, reason = "the story uses the rest of it")]
mod place;
mod plans;
mod questions;
mod recipes;
mod secrets;
mod sensors;
