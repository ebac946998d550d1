//! A Linux host: what is read for a plan goes in one exec, what is written in another.
//!
//! The far end runs one fixed POSIX shell program (BusyBox is enough) that takes requests as lines on its
//! standard input; contents and secrets never stand in a command line.

mod ask;
pub mod changes;
pub mod files;
pub mod guard;
pub mod kept;
mod linux;
pub mod mark;
pub mod packages;
mod program;
pub mod services;
pub mod wire;

pub use ask::{
    Answer, Ask, Done, FileFacts, FileKind, Order, Page, Ruling, ServiceAct, ServiceFacts, Thing, UserFacts,
};
pub use linux::{Become, Ended, Exec, HostLimits, LinuxHost};
pub use program::program;
