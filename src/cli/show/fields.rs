//! The fields of a change, for `-v`: all of them, a text of several lines as a unified difference.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::words::{shorten, words};
use crate::cli::say::{BAD, DIM, GOOD};
use crate::model::{Action, Change, Fields, Value};

/// Draws the fields of a change below its line.
pub(super) fn fields(text: &mut String, change: &Change) {
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
            (Some(old), Some(Value::Text(new))) if new.contains('\n') => {
                unified(text, &format!("{name}, in place of {}", words(old)), "", new);
            }
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
