//! How each change of an apply ended. `Unknown` is legal and visible; a false `Done` is not.

use serde::Serialize;

use super::Address;

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// The target confirmed it.
    Done,
    /// The target refused it or it could not be tried: why.
    Failed(String),
    /// Nothing was sent for it: why.
    NotStarted(String),
    /// It was put back to what it was before: why.
    RolledBack(String),
    /// It was sent and no answer came: why. The next run reads and goes on.
    Unknown(String),
}

/// One change and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What was changed.
    pub address: Address,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Where a provider reports each change as soon as it knows how it ended.
pub trait Report: Send {
    /// Takes one result.
    fn step(&mut self, address: &Address, outcome: Outcome);

    /// Takes a line for the person who looks on, such as where a backup was put.
    fn say(&mut self, _words: &str) {}
}
