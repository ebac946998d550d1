//! Findings with the lines they point to, drawn as compilers do.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::inventory::{Diagnostic, Label, Severity, Sources};

/// Findings drawn at most; who sees a hundred will not read a thousand.
const MAX_DRAWN: usize = 100;
/// Labels this close share a snippet.
const NEAR_LINES: u32 = 3;

/// Draws findings with snippets, with colours when told; empty when there is none.
pub fn human(findings: &[Diagnostic], sources: &Sources, colours: bool) -> String {
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    let drawn: Vec<String> = findings
        .iter()
        .take(MAX_DRAWN)
        .map(|finding| renderer.render(&[group(finding, sources)]) + "\n")
        .collect();
    let mut text = drawn.join("\n");
    if findings.len() > MAX_DRAWN {
        text.push_str(&format!("\n... and {} more\n", findings.len() - MAX_DRAWN));
    }
    text
}

fn group<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.code);
    let mut group = Group::with_title(title);
    for (first, labels) in together(&finding.labels) {
        group = match snippet(first, &labels, sources) {
            Some(snippet) => group.element(snippet),
            None => group.element(origin(labels[0])),
        };
    }
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// Labels that go into one snippet each, in the order given, and whether the main one is among them.
fn together(labels: &[Label]) -> Vec<(bool, Vec<&Label>)> {
    let mut groups: Vec<(bool, Vec<&Label>)> = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let near = groups.iter_mut().find(|(_, group)| {
            let there = &group[0].place;
            there.file == label.place.file && there.line.abs_diff(label.place.line) <= NEAR_LINES
        });
        match near {
            Some((_, group)) => group.push(label),
            None => groups.push((index == 0, vec![label])),
        }
    }
    groups
}

/// The lines that labels point into; `None` when their text is not known.
fn snippet<'a>(
    main: bool,
    labels: &[&'a Label],
    sources: &'a Sources,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let file = labels[0].place.file.as_ref();
    let first = labels.iter().map(|label| label.place.line).min()?;
    let last = labels.iter().map(|label| label.place.line).max()?;
    let lines: Vec<&str> = (first..=last).map_while(|line| sources.line(file, line)).collect();
    if lines.is_empty() {
        return None;
    }
    let mut snippet = Snippet::source(lines.join("\n")).path(file).line_start(usize::try_from(first).ok()?);
    for (index, label) in labels.iter().enumerate() {
        let kind = if main && index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(bytes(label, &lines, first, sources)?);
        snippet = snippet.annotation(if label.text.is_empty() {
            annotation
        } else {
            annotation.label(label.text.as_str())
        });
    }
    Some(snippet)
}

/// The bytes a label covers in the joined lines.
fn bytes(label: &Label, lines: &[&str], first: u32, sources: &Sources) -> Option<Range<usize>> {
    let index = usize::try_from(label.place.line - first).ok()?;
    let before: usize = lines.iter().take(index).map(|line| line.len() + 1).sum();
    let line = lines.get(index)?;
    let byte = |column: u32| {
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
    };
    let start = label.place.column.saturating_sub(1);
    let end = start.saturating_add(sources.length(label));
    Some(before + byte(start)..before + byte(end))
}

fn origin(label: &Label) -> Origin<'_> {
    let line = usize::try_from(label.place.line).unwrap_or(usize::MAX);
    let column = usize::try_from(label.place.column).unwrap_or(usize::MAX);
    Origin::path(label.place.file.as_ref()).line(line).char_column(column)
}
