//! The command line as scripts and people meet it: exit codes, streams, files, questions. The devices are
//! simulated ones, the program is the real one.

mod age;
mod completion;
mod dossier;
mod drawings;
mod drift;
mod edit;
mod exits;
mod explain;
mod fmt;
mod forms;
mod git;
mod imports;
mod init;
mod interrupts;
mod lab;
mod offline;
#[path = "../story/place.rs"]
#[allow(dead_code, reason = "the story uses the rest of it")]
mod place;
mod plans;
mod questions;
mod recipes;
mod rekey;
mod rotate;
mod secrets;
mod sensors;
