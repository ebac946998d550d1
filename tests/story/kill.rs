//! The program, killed (`kill -9`) as soon as something is so.

use std::process::{Command, Stdio};
use std::time::Duration;

/// Starts the program and kills it as soon as `seen` says so; false when it came to its end before.
pub fn kill_when(program: &mut Command, mut seen: impl FnMut() -> bool) -> bool {
    let program = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    loop {
        if seen() {
            // SIGKILL: nothing of it gets to tidy up.
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}
