//! What happens while a run goes on, for those who look on. The run itself never prints.

use super::journal::Journal;
use crate::model::{Outcome, Step, Target};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A target is being read.
    Reading(Target),
    /// A target was read; the reason when nothing of it could be.
    Read(Target, Option<String>),
    /// A target is being changed, in so many changes.
    Changing(Target, usize),
    /// A change ended.
    Ended(Step),
    /// A target's provider has a line for the person who looks on.
    Said(Target, String),
    /// Something of a target is waited for; said again as it changes.
    Waiting(Target, String),
    /// The targets are read again to see that all is as wished.
    ReadingAgain,
}

/// One who looks on. Called from several tasks.
pub trait Watch: Send + Sync {
    /// Takes an event.
    fn event(&self, event: Event);
}

/// Nobody looks on.
pub struct Unwatched;

impl Watch for Unwatched {
    fn event(&self, _event: Event) {}
}

/// Passes a provider's reports on, notes them in the journal and keeps them.
pub(super) struct Keeper<'a> {
    pub(super) steps: Vec<Step>,
    watch: &'a dyn Watch,
    target: &'a Target,
    journal: &'a Journal,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(target: &'a Target, watch: &'a dyn Watch, journal: &'a Journal) -> Self {
        Self { steps: Vec::new(), watch, target, journal }
    }
}

impl crate::model::Report for Keeper<'_> {
    fn step(&mut self, address: &crate::model::Address, outcome: Outcome) {
        let step = Step { address: address.clone(), outcome };
        self.journal.result(&step);
        self.watch.event(Event::Ended(step.clone()));
        self.steps.push(step);
    }

    fn say(&mut self, words: &str) {
        self.watch.event(Event::Said(self.target.clone(), words.to_owned()));
    }
}
