//! Words in, words out. The only room that prints, asks, reads the clock and the environment.

mod arguments;
mod audit;
mod complete;
mod exit;
mod git;
mod lock;
mod programs;
mod progress;
mod report;
mod say;
mod show;
mod surroundings;
mod verbs;

use std::ffi::OsString;

use clap::Parser;

pub use arguments::Arguments;
pub use exit::Exit;

/// Runs the command line given and says how it ended.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(fault) => {
            // Help and version are no faults; clap knows which stream each belongs to.
            let _ = fault.print();
            return if fault.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    if arguments.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    match verbs::dispatch(&arguments) {
        Ok(exit) => exit,
        Err(fault) => surroundings::explain(&fault),
    }
}
