//! Playbooks drawn: the list, one of them, and how a run ended.

use std::collections::BTreeMap;

use crate::cli::{Arguments, Exit, say};
use crate::inventory::Severity;
use crate::inventory::playbook::{Act, Book, Books, Parameter, Size};
use crate::inventory::report;
use crate::plan::Shard;
use crate::playbook::{Checkpoint, End};

/// All playbooks, and where those stand that did not come to their end.
pub fn list(arguments: &Arguments, books: &Books, checkpoints: &[Checkpoint]) -> anyhow::Result<Exit> {
    let standing: Vec<&Checkpoint> = checkpoints.iter().filter(|checkpoint| !checkpoint.ended).collect();
    let refused = books.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    let exit = if refused { Exit::Usage } else { Exit::Done };
    if arguments.json {
        let book = |book: &Book| {
            serde_json::json!({
                "name": book.name, "title": book.playbook.title, "file": &*book.file,
                "with": with(book), "steps": book.playbook.steps.len(),
            })
        };
        let result = serde_json::json!({
            "format_version": super::FORMAT,
            "playbooks": books.books.values().map(book).collect::<Vec<_>>(),
            "standing": standing,
        });
        say::data(&serde_json::to_string_pretty(&result)?);
        return Ok(exit);
    }
    if refused {
        say::word(&report::human(&books.diagnostics, &books.sources, say::in_colour()));
    }
    if books.names().next().is_none() {
        say::word("there is no playbook: playbooks/*.yaml");
    }
    let width = books.books.keys().map(String::len).max().unwrap_or(0);
    for book in books.books.values() {
        say::data(&format!("{:width$}  {}", book.name, book.playbook.title));
    }
    for checkpoint in standing {
        say::data(&format!("{}{}{:#}", say::CHANGED, place(checkpoint), say::CHANGED));
    }
    Ok(exit)
}

/// Where a playbook stands, in a line.
fn place(checkpoint: &Checkpoint) -> String {
    let shard = checkpoint.shard.as_ref().map(|shard| format!(" shard {shard}")).unwrap_or_default();
    let why = match &checkpoint.stopped {
        Some(why) => why.as_str(),
        None => "it runs, or was cut off",
    };
    format!("{}{shard} stands at step {}: {why}", checkpoint.playbook, checkpoint.step + 1)
}

fn with(book: &Book) -> BTreeMap<&str, &'static str> {
    book.playbook.with.iter().map(|(name, at)| (name.as_str(), word(at.value))).collect()
}

fn word(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Gateway => "gateway",
        Parameter::Broker => "broker",
        Parameter::Host => "host",
        Parameter::Pbx => "pbx",
        Parameter::Site => "site",
        Parameter::Target => "target",
        Parameter::Secret => "secret",
        Parameter::Recipient => "recipient",
        Parameter::Text => "text",
    }
}

/// What a playbook takes and does.
pub fn show(arguments: &Arguments, book: &Book) -> anyhow::Result<Exit> {
    let steps = || book.playbook.steps.iter().filter_map(|step| Some((step, step.act()?)));
    let titled = |(step, act): (&crate::inventory::At<_>, Act<'_>)| title(step, act);
    if arguments.json {
        let steps: Vec<_> = steps()
            .map(|(step, act)| serde_json::json!({ "verb": act.verb(), "title": title(step, act) }))
            .collect();
        let result = serde_json::json!({
            "format_version": super::FORMAT, "name": book.name, "title": book.playbook.title,
            "file": &*book.file, "with": with(book), "steps": steps,
        });
        say::data(&serde_json::to_string_pretty(&result)?);
        return Ok(Exit::Done);
    }
    say::data(&format!("{}{}{:#}  {}", say::HEAD, book.name, say::HEAD, book.playbook.title));
    for (name, kind) in with(book) {
        say::data(&format!("  {name}=...  {}{kind}{:#}", say::DIM, say::DIM));
    }
    for (number, line) in steps().map(titled).enumerate() {
        say::data(&format!("{:>3}  {line}", number + 1));
    }
    Ok(Exit::Done)
}

/// A step as it is written: parameters are still open.
fn title(step: &crate::inventory::playbook::Step, act: Act<'_>) -> String {
    let mut text = crate::playbook::title(&step.title, act, &BTreeMap::new());
    let Some(pace) = act.pace() else { return text };
    if let Some(waves) = &pace.waves {
        let sizes: Vec<String> = waves.0.iter().map(size).collect();
        text.push_str(&format!(", in waves of {}", sizes.join(", ")));
    }
    if let Some(most) = &pace.max_failures {
        text.push_str(&format!(", {} may fail", size(most)));
    }
    text
}

fn size(size: &Size) -> String {
    match size {
        Size::Count(number) => number.to_string(),
        Size::Percent(share) => format!("{share}%"),
        Size::Rest => "all that are left".to_owned(),
    }
}

/// How a run ended and how to go on, on standard error. A fault was explained before.
pub fn end(checkpoint: &Checkpoint, end: &End, explained: bool, shard: Option<Shard>) {
    let name = &checkpoint.playbook;
    let number = checkpoint.step + 1;
    for failure in &checkpoint.failures {
        say::word(&format!("{}left behind:{:#} {}: {}", say::BAD, say::BAD, failure.target, failure.reason));
    }
    let word = match end {
        End::Done => return say::word(&format!("{}{name} is done.{:#}", say::GOOD, say::GOOD)),
        End::DoneInPart => {
            let left = say::count(checkpoint.failures.len(), "target");
            return say::word(&format!("{name} is done, but for {left}."));
        }
        End::Gate(_) => "waits for a person:",
        End::Refused(_) => "refused:",
        _ => "error:",
    };
    if let Some(words) = end.words().filter(|_| !explained && *end != End::Interrupted) {
        say::word(&format!("{}{word}{:#} {words}", say::BAD, say::BAD));
    }
    let mut how = format!("rocade playbook resume {name}");
    if let Some(shard) = shard {
        how.push_str(&format!(" --shard {shard}"));
    }
    if matches!(end, End::Gate(_)) {
        how.push_str(" --confirmed");
    }
    say::hint(&format!("{name} stands at step {number}; to go on: {how}"));
}
