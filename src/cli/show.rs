//! Draws plans and results. One line an object, in columns; with `-v` its fields below it.

mod fields;
mod rows;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write;

pub use words::detail;

use super::say::{BAD, CHANGED, DIM, GOOD, HEAD};
use crate::model::{Action, Address, Change, Objection, Outcome, Plan, Step, Target, Unread};
use crate::plan::Cause;
use crate::run::{Applied, Drift};

/// How many things that nobody wished are named.
const UNMANAGED_SHOWN: usize = 5;

/// Lines of a plan from which on its summary also stands before it.
const LONG: usize = 30;

/// The whole plan.
pub fn plan(plan: &Plan, verbose: bool) -> String {
    explained(plan, &Drift::default(), verbose)
}

/// The whole plan; what was changed by hand stands apart from what the inventory wishes anew, where that is known.
pub fn explained(plan: &Plan, drift: &Drift, verbose: bool) -> String {
    let mut text = String::new();
    for head in &plan.targets {
        let changes: Vec<&Change> =
            plan.changes.iter().filter(|change| change.address.target == head.target).collect();
        let unread: Vec<&Unread> = plan.unread.iter().filter(|entry| entry.target == head.target).collect();
        let objections: Vec<&Objection> =
            plan.objections.iter().filter(|objection| objection.target == head.target).collect();
        let unmanaged: Vec<&Address> =
            plan.unmanaged.iter().filter(|address| address.target == head.target).collect();
        if changes.is_empty() && unread.is_empty() && objections.is_empty() && unmanaged.is_empty() {
            continue;
        }
        let heading = format!("{HEAD}{}{HEAD:#}  {}", head.target, head.title);
        let _ = writeln!(text, "{}", heading.trim_end());
        draw_causes(&mut text, &head.target, &changes, drift, verbose);
        for entry in unread {
            let _ = writeln!(text, "  {BAD}?{BAD:#} {}", left_alone(entry));
        }
        objections.into_iter().for_each(|objection| draw_objection(&mut text, objection));
        draw_unmanaged(&mut text, &unmanaged, verbose);
    }
    let mut summary = summary(plan);
    summary.push_str(&by_cause(plan, drift));
    if text.lines().count() >= LONG {
        text = format!("{summary}\n{text}\n");
    }
    text.push_str(&summary);
    text
}

/// The changes of a target, those of each cause apart when its causes are known.
fn draw_causes(text: &mut String, target: &Target, changes: &[&Change], drift: &Drift, verbose: bool) {
    let commit = match drift.bases.get(target) {
        Some(Ok(commit)) => commit.get(..12).unwrap_or(commit),
        base => {
            rows::draw(text, changes, verbose);
            if let Some(Err(why)) = base {
                let _ = writeln!(text, "  {DIM}by hand or in git is not known: {why}{DIM:#}");
            }
            return;
        }
    };
    for cause in Cause::ALL {
        let of_cause: Vec<&Change> =
            changes.iter().copied().filter(|change| drift.cause(change) == cause).collect();
        if of_cause.is_empty() {
            continue;
        }
        let since = match cause {
            Cause::Hand | Cause::Git | Cause::Both => format!(" since {commit}"),
            Cause::Due | Cause::Unknown => String::new(),
        };
        let _ = writeln!(text, "  {DIM}{}{since}:{DIM:#}", cause_words(cause));
        rows::draw(text, &of_cause, verbose);
    }
}

/// A cause in words.
pub fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Hand => "changed by hand",
        Cause::Git => "changed in git",
        Cause::Both => "changed by hand and in git",
        Cause::Due => "due to be made anew",
        Cause::Unknown => "by hand or in git is not known",
    }
}

/// How many changes have which cause, when any is known.
fn by_cause(plan: &Plan, drift: &Drift) -> String {
    if plan.changes.is_empty() || !drift.bases.values().any(Result::is_ok) {
        return String::new();
    }
    let count = |cause| plan.changes.iter().filter(|change| drift.cause(change) == cause).count();
    let counts = Cause::ALL.map(|cause| (count(cause), cause));
    let words: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, cause)| format!("{number} {}", cause_words(*cause)))
        .collect();
    format!("Since the last apply: {}.\n", words.join(", "))
}

fn draw_objection(text: &mut String, objection: &Objection) {
    let Objection { reason, place, hint, .. } = objection;
    let at = if place.is_empty() { String::new() } else { format!("  {DIM}{place}{DIM:#}") };
    let _ = writeln!(text, "  {BAD}!{BAD:#} {reason}{at}");
    if !hint.is_empty() {
        let _ = writeln!(text, "    {hint}");
    }
}

/// What is there and nobody wished, on one line; all of it with `-v`.
fn draw_unmanaged(text: &mut String, unmanaged: &[&Address], verbose: bool) {
    let shown = if verbose { unmanaged.len() } else { UNMANAGED_SHOWN };
    let names: Vec<String> = unmanaged.iter().take(shown).map(|address| address.key.to_string()).collect();
    let more = match unmanaged.len().saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if !names.is_empty() {
        let _ = writeln!(text, "  {DIM}not in the inventory, left alone: {}{more}{DIM:#}", names.join(", "));
    }
}

/// What could not be read, in words.
pub fn left_alone(entry: &Unread) -> String {
    let what = match (&entry.collection, &entry.name) {
        (Some(collection), Some(name)) => format!("{collection} {name}: "),
        (Some(collection), None) => format!("{collection}: "),
        _ => String::new(),
    };
    format!("{what}could not be read, left alone: {}", entry.reason)
}

/// The last line: counts, and who could not be read.
fn summary(plan: &Plan) -> String {
    let count = |action| plan.changes.iter().filter(|change| change.action == action).count();
    let (add, change, delete) = (count(Action::Create), count(Action::Update), count(Action::Delete));
    let restarts = plan.changes.iter().filter(|change| is_restart(change)).count();
    let restarts = if restarts > 0 { format!(", {restarts} to restart") } else { String::new() };
    let lost = lost(&plan.unread.iter().collect::<Vec<_>>());
    if plan.changes.is_empty() {
        let style = if lost.is_empty() { GOOD } else { HEAD };
        return format!("{style}Plan: no changes{style:#}{lost}.\n");
    }
    format!("{HEAD}Plan: {add} to add, {change} to change, {delete} to delete{restarts}{HEAD:#}{lost}.\n")
}

fn is_restart(change: &Change) -> bool {
    change.action == Action::Wake && change.address.key.collection == "service"
}

/// Whole targets that could not be read, with the reason, and those of which parts could not.
fn lost(unread: &[&Unread]) -> String {
    let whole: Vec<&&Unread> = unread.iter().filter(|entry| entry.collection.is_none()).collect();
    let named = |entry: &&&Unread| format!("{}: {}", entry.target.name, entry.reason);
    let mut text = String::new();
    if let Some(first) = whole.first() {
        let one_kind = whole.iter().all(|entry| entry.target.kind == first.target.kind);
        let kind = if one_kind { first.target.kind.as_str() } else { "target" };
        let ending = if whole.len() == 1 { "" } else { "s" };
        let names: Vec<String> = whole.iter().map(named).collect();
        let _ = write!(
            text,
            "; {BAD}{} {kind}{ending} could not be read{BAD:#} ({})",
            whole.len(),
            names.join("; ")
        );
    }
    let parts: BTreeSet<String> = unread
        .iter()
        .filter(|entry| entry.collection.is_some())
        .map(|entry| entry.target.to_string())
        .collect();
    if !parts.is_empty() {
        let names: Vec<String> = parts.into_iter().collect();
        let _ = write!(text, "; {BAD}parts of {} could not be read{BAD:#}", names.join(", "));
    }
    text
}

/// The result of an apply: each change that did not end well (all of them with `-v`), then the counts.
pub fn applied(applied: &Applied, verbose: bool) -> String {
    let mut text = steps(&applied.steps, verbose);
    let lost = lost(&applied.unread());
    if !lost.is_empty() {
        text.truncate(text.trim_end_matches(".\n").len());
        let _ = writeln!(text, "{lost}.");
    }
    text
}

/// How changes ended, then the counts.
pub fn steps(steps: &[Step], verbose: bool) -> String {
    let mut text = String::new();
    let mut target: Option<&Target> = None;
    let shown = steps.iter().filter(|step| verbose || step.outcome != Outcome::Done).collect::<Vec<_>>();
    for run in shown.chunk_by(|a, b| !verbose && is_same_rest(a, b)) {
        let step = run[0];
        if target != Some(&step.address.target) {
            let _ = writeln!(text, "{HEAD}{}{HEAD:#}", step.address.target);
            target = Some(&step.address.target);
        }
        let (word, style, reason) = match &step.outcome {
            Outcome::Done => ("done", GOOD, ""),
            Outcome::Failed(reason) => ("failed", BAD, reason.as_str()),
            Outcome::NotStarted(reason) => ("not started", DIM, reason.as_str()),
            Outcome::RolledBack(reason) => ("put back", CHANGED, reason.as_str()),
            Outcome::Unknown(reason) => ("unknown", CHANGED, reason.as_str()),
        };
        let what = match run.len() {
            1 => step.address.key.to_string(),
            more => format!("{} and {} more", step.address.key, more - 1),
        };
        let colon = if reason.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  {style}{word:<11}{style:#} {what}{colon}{reason}");
    }
    text.push_str(&counts(steps));
    text
}

/// Whether two changes of a target have no known end for the same reason.
fn is_same_rest(a: &Step, b: &Step) -> bool {
    matches!(a.outcome, Outcome::NotStarted(_) | Outcome::Unknown(_) | Outcome::RolledBack(_))
        && a.outcome == b.outcome
        && a.address.target == b.address.target
}

fn counts(steps: &[Step]) -> String {
    let count = |fits: fn(&Outcome) -> bool| steps.iter().filter(|step| fits(&step.outcome)).count();
    let done = count(|outcome| matches!(outcome, Outcome::Done));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let idle = count(|outcome| matches!(outcome, Outcome::NotStarted(_)));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    let back = count(|outcome| matches!(outcome, Outcome::RolledBack(_)));
    let style = if done == steps.len() { GOOD } else { BAD };
    let mut text = format!("{style}Apply: {done} done");
    for (number, word) in
        [(failed, "failed"), (back, "put back"), (idle, "not started"), (unknown, "unknown")]
    {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    let _ = writeln!(text, "{style:#}.");
    text
}
