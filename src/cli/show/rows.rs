//! The lines of one target's changes, in columns that fit its longest ordinary cells.
//!
//! Files that come or go together are one line of their folder, as are the numbers of a rule for callers; with
//! `-v` each has its own.

use std::fmt::Write;

use super::fields::fields;
use super::words::{detail, impact};
use crate::cli::say::{BAD, CHANGED, DIM, GOOD};
use crate::model::{Action, Change};

/// From how many files on a folder stands for them.
const FOLDED_FROM: usize = 6;

/// Collections whose names are paths, and what is counted of them.
const FOLDED: [(&str, &str); 2] = [("file", "files"), ("caller_rule", "numbers")];

/// The widest a column gets; a longer cell only moves the rest of its own line.
const WIDTHS_MAX: [usize; 3] = [14, 44, 60];

/// The cells of a line: collection, name, detail, impact.
type Cells = [String; 4];

/// Draws the changes of one target.
pub(super) fn draw(text: &mut String, changes: &[&Change], verbose: bool) {
    let runs: Vec<&[&Change]> = runs(changes, verbose);
    let rows: Vec<(&Change, Cells)> = runs.iter().map(|run| (run[0], cells(run))).collect();
    let widths = [0, 1, 2].map(|column| width(&rows, column));
    for (change, cells) in rows {
        let (sign, style) = match change.action {
            Action::Create => ('+', GOOD),
            Action::Update => ('~', CHANGED),
            Action::Delete => ('-', BAD),
            Action::Wake => ('!', CHANGED),
        };
        let [collection, name, detail, impact] = cells;
        let [first, second, third] = widths;
        let line = format!("{collection:<first$}  {name:<second$}  {detail:<third$}");
        let line = if impact.is_empty() { line } else { format!("{line}  {DIM}{impact}{DIM:#}") };
        let _ = writeln!(text, "  {style}{sign}{style:#} {}", line.trim_end());
        if verbose {
            fields(text, change);
        }
    }
}

/// A column is as wide as its longest cell that something stands to the right of.
fn width(rows: &[(&Change, Cells)], column: usize) -> usize {
    let followed = rows.iter().filter(|(_, cells)| cells[column + 1..].iter().any(|cell| !cell.is_empty()));
    let longest = followed.map(|(_, cells)| cells[column].chars().count());
    longest.filter(|length| *length <= WIDTHS_MAX[column]).max().unwrap_or(0)
}

fn cells(run: &[&Change]) -> Cells {
    let change = run[0];
    let key = &change.address.key;
    let (name, detail) = match run.len() {
        1 => (key.name.clone(), detail(change)),
        more => {
            let counted = FOLDED.iter().find(|(collection, _)| *collection == key.collection);
            (folder(change).to_owned(), format!("{more} {}", counted.map_or("", |(_, counted)| counted)))
        }
    };
    [key.collection.clone(), name, detail, impact(&change.impact)]
}

/// The changes, those that share a line together.
fn runs<'a>(changes: &'a [&'a Change], verbose: bool) -> Vec<&'a [&'a Change]> {
    let mut runs = Vec::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let together = rest.iter().take_while(|change| !verbose && goes_with(first, change)).count();
        let length = if together >= FOLDED_FROM { together } else { 1 };
        let (run, after) = rest.split_at(length);
        runs.push(run);
        rest = after;
    }
    runs
}

/// Whether a change is of the same kind as the first of a run, below its folder.
fn goes_with(first: &Change, other: &Change) -> bool {
    matches!(first.action, Action::Create | Action::Delete)
        && FOLDED.iter().any(|(collection, _)| *collection == first.address.key.collection)
        && first.address.key.collection == other.address.key.collection
        && first.action == other.action
        && first.impact == other.impact
        && other.address.key.name.starts_with(folder(first))
}

/// The folder of a path, with its last slash.
fn folder(change: &Change) -> &str {
    let path = change.address.key.name.as_str();
    path.rfind('/').map_or(path, |slash| &path[..=slash])
}
