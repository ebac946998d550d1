//! A Linux host: what is read for a plan goes in one exec, what is written in another.
//!
//! The far end runs one fixed POSIX shell program (BusyBox is enough) that takes requests as lines on its
//! standard input; contents and secrets never stand in a command line.

mod ask;
pub mod changes;
pub mod files;
pub mod packages;
pub mod services;
pub mod wire;

pub use ask::{
    Answer, Ask, Done, FileFacts, FileKind, Order, Page, Ruling, ServiceAct, ServiceFacts, UserFacts,
};

/// The program the far end runs, as `sh -c PROGRAM rocade-host ask|order ROOT`.
pub fn program() -> &'static str {
    include_str!("host/program.sh")
}
