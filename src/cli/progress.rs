//! Progress on standard error: a moving line on a terminal, nothing at all elsewhere but failures.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use crate::model::{Outcome, Target};
use crate::run::{Event, Watch};

/// Shows what a run is doing.
pub struct Progress {
    bar: ProgressBar,
    busy: Mutex<BTreeSet<Target>>,
}

impl Progress {
    /// On a terminal a line that moves; hidden when `quiet` or when standard error is none.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, busy: Mutex::new(BTreeSet::new()) }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Does something else with the terminal.
    pub fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    fn say(&self, verb: &str) {
        // A poisoned lock only means that a line of progress may be stale.
        let busy = self.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let names: Vec<&str> = busy.iter().take(4).map(|target| target.name.as_str()).collect();
        let more = busy.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.bar.set_message(format!("{verb} {}{more}", names.join(", ")));
    }

    fn change(&self, target: Target, begins: bool) {
        let mut busy = self.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if begins {
            busy.insert(target);
        } else {
            busy.remove(&target);
        }
    }
}

impl Watch for Progress {
    fn event(&self, event: Event) {
        match event {
            Event::Reading(target) => {
                self.change(target, true);
                self.say("reading");
            }
            Event::Read(target, _) => {
                self.change(target, false);
                self.say("reading");
            }
            Event::Changing(target, _) => {
                self.change(target, true);
                self.say("changing");
            }
            Event::Ended(step) => {
                if let Outcome::Failed(reason) | Outcome::Unknown(reason) = &step.outcome {
                    self.bar.println(format!("{}: {reason}", step.address));
                }
                self.bar.set_message(format!("{}", step.address));
            }
            Event::Said(target, words) => {
                self.bar.suspend(|| say::word(&format!("{target}: {words}")));
            }
            Event::Waiting(target, words) => self.bar.set_message(format!("{}: {words}", target.name)),
            Event::ReadingAgain => {
                self.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
                self.bar.set_message("reading again");
            }
        }
    }
}

/// A count that goes up, with its rate, on a terminal.
pub struct Count {
    bar: ProgressBar,
}

impl Count {
    /// A line that begins to move; hidden when `quiet` or when standard error is no terminal.
    pub fn new(quiet: bool, what: &str) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} {msg}, {per_sec}, {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// So many so far.
    pub fn at(&self, count: usize) {
        self.bar.set_position(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
