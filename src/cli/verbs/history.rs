//! `history`: who applied what, when, from which commit, and how it ended. Offline.

use crate::cli::arguments::History;
use crate::cli::{Arguments, Exit, say};
use crate::repository::audit::{self, Entry};

pub fn run(arguments: &Arguments, verb: &History) -> anyhow::Result<Exit> {
    let audit = audit::read(&arguments.directory)?;
    for line in &audit.damaged {
        say::word(&format!("{}warning:{:#} {line} is not a line of the audit", say::BAD, say::BAD));
    }
    let named = |entry: &&Entry| verb.name.as_ref().is_none_or(|name| wrote(entry, name));
    let entries: Vec<&Entry> = audit.entries.iter().filter(named).collect();
    let shown = &entries[entries.len().saturating_sub(verb.last)..];
    if arguments.json {
        let all = serde_json::json!({"format_version": audit::FORMAT, "runs": shown});
        say::data(&format!("{all:#}"));
    } else if shown.is_empty() {
        say::word("No run is on record.");
    } else {
        say::data(&table(shown, verb.name.as_deref(), arguments.verbose));
    }
    Ok(Exit::Done)
}

fn wrote(entry: &Entry, name: &str) -> bool {
    entry.targets.keys().any(|target| is_named(target, name))
}

/// Whether `gateway pool-gw` is meant by `pool-gw` or `gateway/pool-gw`.
fn is_named(target: &str, name: &str) -> bool {
    target.replacen(' ', "/", 1) == name || target.split_once(' ').is_some_and(|(_, own)| own == name)
}

/// A line a run, the newest last; with `-v` its targets below it.
fn table(entries: &[&Entry], name: Option<&str>, verbose: bool) -> String {
    let by = entries.iter().map(|entry| entry.by.chars().count()).max().unwrap_or_default().min(24);
    let mut text = String::new();
    for entry in entries {
        let style = if entry.exit == 0 { say::GOOD } else { say::BAD };
        let commit = match &entry.commit {
            Some(commit) => {
                format!("{}{}", commit.get(..12).unwrap_or(commit), if entry.dirty { "+" } else { "" })
            }
            None => "no commit".to_owned(),
        };
        let (at, verb, by_whom, result) = (&entry.at, &entry.verb, &entry.by, &entry.result);
        let what = what(entry, name);
        let line = format!("{at}  {verb:<8}  {by_whom:<by$}  {commit:<13}  {style}{result}{style:#}: {what}");
        text.push_str(&line);
        text.push('\n');
        if verbose {
            let parts = entry.targets.iter();
            let lines =
                parts.map(|(target, part)| format!("    {target}: {} of {}\n", part.done, part.changes));
            text.extend(lines);
            text.push_str(&format!("    {} by {}, rocade {}\n", entry.apply, entry.from, entry.rocade));
        }
    }
    text
}

/// What it wrote.
fn what(entry: &Entry, name: Option<&str>) -> String {
    let is_meant = |target: &str| name.is_none_or(|name| is_named(target, name));
    let parts: Vec<_> = entry.targets.iter().filter(|(target, _)| is_meant(target)).collect();
    let changes: usize = parts.iter().map(|(_, part)| part.changes).sum();
    let done: usize = parts.iter().map(|(_, part)| part.done).sum();
    let names: Vec<&str> = parts.iter().map(|(target, _)| target.as_str()).collect();
    let more = names.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = names[..names.len().min(3)].join(", ");
    match &entry.plan {
        Some(_) => format!("{done} of {} on {names}{more}", say::count(changes, "change")),
        None => format!("{names}{more}"),
    }
}
