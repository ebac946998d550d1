//! Writes down what a run did, for `history` and for those who ask later. It never decides how the run ended.

use std::collections::BTreeMap;

use super::{Arguments, Exit, git, say};
use crate::cli::arguments::Verb;
use crate::model::{Action, Outcome, Plan, Step};
use crate::repository::audit::{self, Entry, FORMAT, Part};
use crate::run::{Unfinished, Workspace};

/// What a run did, before it is known how it ended.
pub struct Account {
    at: String,
    plan: Option<String>,
    counts: BTreeMap<String, usize>,
    targets: BTreeMap<String, Part>,
}

impl Account {
    /// A run that begins now, without a plan.
    pub fn begin() -> Self {
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self { at, plan: None, counts: BTreeMap::new(), targets: BTreeMap::new() }
    }

    /// A run that begins to carry out a plan now.
    pub fn of_plan(plan: &Plan) -> Self {
        let mut account = Self { plan: Some(plan.checksum.clone()), ..Self::begin() };
        for change in &plan.changes {
            *account.counts.entry(word(change.action).to_owned()).or_default() += 1;
            account.target(&change.address.target.to_string()).changes += 1;
        }
        account
    }

    /// The part of a target.
    pub fn target(&mut self, name: &str) -> &mut Part {
        self.targets.entry(name.to_owned()).or_default()
    }

    /// Takes how the changes ended.
    pub fn steps(&mut self, steps: &[Step]) {
        for step in steps.iter().filter(|step| step.outcome == Outcome::Done) {
            self.target(&step.address.target.to_string()).done += 1;
        }
    }

    /// Appends it to the audit. When that fails it is said; how the run ended stays as it is.
    pub fn end(mut self, arguments: &Arguments, workspace: &Workspace, exit: Exit) {
        self.targets.retain(|_, part| part.changes > 0);
        let commit = workspace.commit();
        let from = workspace.person().to_owned();
        let entry = Entry {
            format: FORMAT.to_owned(),
            at: self.at,
            verb: verb(&arguments.verb).to_owned(),
            apply: workspace.apply_name().to_owned(),
            by: git::person(workspace.root()).unwrap_or_else(|| from.clone()),
            from,
            commit: commit.map(|commit| commit.id.clone()),
            dirty: commit.is_some_and(|commit| commit.dirty),
            rocade: env!("CARGO_PKG_VERSION").to_owned(),
            plan: self.plan,
            counts: self.counts,
            targets: self.targets,
            result: exit.words().to_owned(),
            exit: exit.code(),
        };
        append(workspace, &entry);
    }
}

/// Writes down an apply that died, which only its journal knows of. One that was interrupted wrote its own line,
/// and one that was written down by an earlier run has its own.
pub fn unfinished(workspace: &Workspace, last: &Unfinished) {
    let past = audit::read(workspace.root()).unwrap_or_default();
    let is_it = |entry: &Entry| entry.apply == last.apply && entry.plan.as_ref() == Some(&last.plan);
    if past.entries.iter().any(is_it) {
        return;
    }
    let part = |(target, (done, changes)): (&String, &(usize, usize))| {
        (target.to_string(), Part { changes: *changes, done: *done })
    };
    let entry = Entry {
        format: FORMAT.to_owned(),
        at: begun(&last.apply).unwrap_or_else(|| Account::begin().at),
        verb: "apply".to_owned(),
        apply: last.apply.clone(),
        by: last.by.clone(),
        from: last.by.clone(),
        commit: last.commit.as_ref().map(|commit| commit.id.clone()),
        dirty: last.commit.as_ref().is_some_and(|commit| commit.dirty),
        rocade: env!("CARGO_PKG_VERSION").to_owned(),
        plan: Some(last.plan.clone()),
        counts: BTreeMap::new(),
        targets: last.targets.iter().map(part).collect(),
        result: "did not come to its end".to_owned(),
        exit: Exit::Failed.code(),
    };
    append(workspace, &entry);
}

/// When an apply began, as its name has it: `rocade-20260301-120000-000`.
fn begun(apply: &str) -> Option<String> {
    let digits: String = apply.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

fn append(workspace: &Workspace, entry: &Entry) {
    if let Err(fault) = audit::append(workspace.root(), entry) {
        say::word(&format!("{}warning:{:#} this run is not in the audit: {fault:#}", say::BAD, say::BAD));
    }
}

fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::Redeploy(_) => "redeploy",
        Verb::Rollback(_) => "rollback",
        Verb::Pbx(_) => "pbx restore",
        Verb::Playbook(_) => "playbook",
        _ => "apply",
    }
}

/// The word of an action, as in a plan's JSON.
pub fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::Wake => "wake",
    }
}
