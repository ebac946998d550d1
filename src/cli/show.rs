//! Draws plans and results. One line an object; with `-v` its fields below it.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::say::{BAD, CHANGED, DIM, GOOD, HEAD};
use crate::model::{Action, Change, Fields, Impact, Outcome, Plan, Step, Target, Unread, Value};

const DETAIL_WIDTH: usize = 60;

/// The whole plan.
pub fn plan(plan: &Plan, verbose: bool) -> String {
    let mut text = String::new();
    for head in &plan.targets {
        let changes: Vec<&Change> =
            plan.changes.iter().filter(|change| change.address.target == head.target).collect();
        let unread: Vec<&Unread> = plan.unread.iter().filter(|entry| entry.target == head.target).collect();
        if changes.is_empty() && unread.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{HEAD}{}{HEAD:#}  {}", head.target, head.title);
        let width =
            changes.iter().map(|c| c.address.key.name.chars().count()).max().unwrap_or(0).clamp(8, 44);
        for change in changes {
            line(&mut text, change, width);
            if verbose {
                fields(&mut text, change);
            }
        }
        for entry in unread {
            let _ = writeln!(text, "  {BAD}?{BAD:#} {}", left_alone(entry));
        }
    }
    text.push_str(&summary(plan));
    text
}

fn left_alone(entry: &Unread) -> String {
    let what = match (&entry.collection, &entry.name) {
        (Some(collection), Some(name)) => format!("{collection} {name}: "),
        (Some(collection), None) => format!("{collection}: "),
        _ => String::new(),
    };
    format!("{what}could not be read, left alone: {}", entry.reason)
}

fn line(text: &mut String, change: &Change, width: usize) {
    let (sign, style) = match change.action {
        Action::Create => ('+', GOOD),
        Action::Update => ('~', CHANGED),
        Action::Delete => ('-', BAD),
        Action::Wake => ('!', CHANGED),
    };
    let key = &change.address.key;
    let head = format!("  {style}{sign}{style:#} {:<11} {:<width$}", key.collection, key.name);
    let detail = detail(change);
    let impact = impact(&change.impact);
    let line = match (detail.is_empty(), impact.is_empty()) {
        (true, true) => head,
        (false, true) => format!("{head}  {detail}"),
        (_, false) => format!("{head}  {detail:<28}  {DIM}{impact}{DIM:#}"),
    };
    text.push_str(line.trim_end());
    text.push('\n');
}

fn impact(impact: &Impact) -> String {
    match impact {
        Impact::None => String::new(),
        Impact::Reload(service) => format!("reloads {service}"),
        Impact::Restart(service) => format!("restarts {service}"),
        Impact::Interrupts(what) => format!("interrupts {what}"),
    }
}

/// What changes, in the space of a line.
fn detail(change: &Change) -> String {
    match change.action {
        Action::Create | Action::Delete => change.summary.clone(),
        Action::Wake => {
            let cause = change.because.first().map(ToString::to_string).unwrap_or_default();
            match change.because.len() {
                0 | 1 => format!("because of {cause}"),
                more => format!("because of {cause} and {} more", more - 1),
            }
        }
        Action::Update => {
            let (Some(before), Some(after)) = (&change.before, &change.after) else {
                return change.summary.clone();
            };
            let mut parts: Vec<String> =
                after.iter().map(|(name, value)| field_detail(name, before.get(name), value)).collect();
            let more = parts.len().saturating_sub(2);
            parts.truncate(2);
            let more = if more > 0 { format!(", {more} more") } else { String::new() };
            format!("{}{more}", parts.join(", "))
        }
    }
}

fn field_detail(name: &str, before: Option<&Value>, after: &Value) -> String {
    match (before, after) {
        (Some(Value::Text(before)), Value::Text(after)) if before.contains('\n') || after.contains('\n') => {
            let (plus, minus) = counts(before, after);
            format!("{name} +{plus} -{minus} lines")
        }
        (Some(Value::Verifier(_)) | None, Value::Text(after)) if after.contains('\n') => {
            format!("{name} differs")
        }
        (_, Value::Secret(_)) => format!("{name} differs (secret)"),
        _ => {
            let before = before.map_or_else(|| "(unset)".to_owned(), words);
            format!("{name} {} -> {}", shorten(&before), shorten(&words(after)))
        }
    }
}

fn counts(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "(unset)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::List(values) => format!("[{}]", values.iter().map(words).collect::<Vec<_>>().join(", ")),
        Value::Map(fields) => {
            let inner: Vec<String> = fields.iter().map(|(name, v)| format!("{name}: {}", words(v))).collect();
            format!("{{{}}}", inner.join(", "))
        }
        Value::Secret(secret) => format!("(secret {})", secret.source()),
        Value::Verifier(_) => "(not shown)".to_owned(),
        Value::Pending(by) => format!("(made by this apply: {by})"),
    }
}

fn shorten(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.chars().count() <= DETAIL_WIDTH && first.len() == text.trim_end().len() {
        return first.to_owned();
    }
    format!("{}...", first.chars().take(DETAIL_WIDTH - 3).collect::<String>())
}

fn fields(text: &mut String, change: &Change) {
    let none = Fields::new();
    let before = change.before.as_ref().unwrap_or(&none);
    let after = change.after.as_ref().unwrap_or(&none);
    if change.action == Action::Wake {
        for cause in &change.because {
            let _ = writeln!(text, "        {DIM}because of {cause}{DIM:#}");
        }
        return;
    }
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(Value::Text(old)), Some(Value::Text(new))) if old.contains('\n') || new.contains('\n') => {
                unified(text, name, old, new);
            }
            (None, Some(Value::Text(new))) if new.contains('\n') => unified(text, name, "", new),
            (Some(old), Some(new)) => {
                let _ = writeln!(text, "        {name}: {} -> {}", words(old), words(new));
            }
            (None, Some(new)) => {
                let _ = writeln!(text, "        {name}: {}", words(new));
            }
            (Some(old), None) => {
                let _ = writeln!(text, "        {name}: {}", shorten(&words(old)));
            }
            (None, None) => {}
        }
    }
}

fn unified(text: &mut String, name: &str, before: &str, after: &str) {
    let _ = writeln!(text, "        {name}:");
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        let _ = writeln!(text, "          {DIM}{}{DIM:#}", hunk.header());
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Insert => GOOD,
                ChangeTag::Delete => BAD,
                ChangeTag::Equal => DIM,
            };
            let line = change.value().trim_end_matches(['\n', '\r']);
            let _ = writeln!(text, "          {style}{}{line}{style:#}", change.tag());
        }
    }
}

/// The last line: counts, and who could not be read.
fn summary(plan: &Plan) -> String {
    let count = |action| plan.changes.iter().filter(|change| change.action == action).count();
    let (add, change, delete) = (count(Action::Create), count(Action::Update), count(Action::Delete));
    let restarts = count(Action::Wake);
    let mut text = if plan.changes.is_empty() {
        format!("{GOOD}Plan: no changes.{GOOD:#}")
    } else {
        let restarts = if restarts > 0 { format!(", {restarts} to restart") } else { String::new() };
        format!("{HEAD}Plan: {add} to add, {change} to change, {delete} to delete{restarts}.{HEAD:#}")
    };
    let lost: Vec<String> = crate::plan::unreachable(&plan.unread)
        .iter()
        .map(|entry| format!("{} ({})", entry.target, entry.reason))
        .collect();
    if !lost.is_empty() {
        let _ = write!(text, " {BAD}{} could not be read:{BAD:#} {}", lost.len(), lost.join("; "));
    }
    text.push('\n');
    text
}

/// The result of an apply: each change and how it ended, then the counts.
pub fn steps(steps: &[Step], verbose: bool) -> String {
    let mut text = String::new();
    let mut target: Option<&Target> = None;
    for step in steps {
        let quiet = step.outcome == Outcome::Done && !verbose;
        if quiet {
            continue;
        }
        if target != Some(&step.address.target) {
            let _ = writeln!(text, "{HEAD}{}{HEAD:#}", step.address.target);
            target = Some(&step.address.target);
        }
        let (word, style, reason) = match &step.outcome {
            Outcome::Done => ("done", GOOD, ""),
            Outcome::Failed(reason) => ("failed", BAD, reason.as_str()),
            Outcome::NotStarted(reason) => ("not started", DIM, reason.as_str()),
            Outcome::Unknown(reason) => ("unknown", CHANGED, reason.as_str()),
        };
        let colon = if reason.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  {style}{word:<11}{style:#} {}{colon}{reason}", step.address.key);
    }
    let count = |fits: fn(&Outcome) -> bool| steps.iter().filter(|step| fits(&step.outcome)).count();
    let done = count(|outcome| matches!(outcome, Outcome::Done));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let idle = count(|outcome| matches!(outcome, Outcome::NotStarted(_)));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    let style = if done == steps.len() { GOOD } else { BAD };
    let _ = write!(text, "{style}Apply: {done} done");
    for (number, word) in [(failed, "failed"), (idle, "not started"), (unknown, "unknown")] {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    let _ = writeln!(text, ".{style:#}");
    text
}
