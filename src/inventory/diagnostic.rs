//! What is wrong with an inventory, as data: drawing it is `report`'s work, printing it the command line's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Place;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory is refused.
    Error,
    /// It is accepted; somebody should look.
    Warning,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Its stable name, kebab-case, such as `unknown-key`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, one line, no full stop.
    pub message: String,
    /// Where; the first is the main place, others (also in other files) explain it.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

/// A place a finding points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where it begins.
    pub place: Place,
    /// Its length in characters, on the line it begins on; 0 stands for the word at the place.
    pub length: u32,
    /// What is to be seen there; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        let message = shown(message.into());
        Self { code, severity: Severity::Error, message, labels: Vec::new(), help: None }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same, pointing to the word at a place, with what is to be seen there. Nowhere adds nothing.
    pub fn at(self, place: &Place, text: impl Into<String>) -> Self {
        self.spanning(place.clone(), 0, text)
    }

    /// The same, pointing to `length` characters at a place.
    pub fn spanning(mut self, place: Place, length: u32, text: impl Into<String>) -> Self {
        if place.line > 0 {
            self.labels.push(Label { place, length, text: shown(text.into()) });
        }
        self
    }

    /// The same with what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shown(help.into()));
        self
    }

    /// The main place, when there is one.
    pub fn place(&self) -> Option<&Place> {
        self.labels.first().map(|label| &label.place)
    }
}

/// Text of a file may stand in words about it: nothing in it may steer a terminal or turn the line around.
fn shown(text: String) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(steers) {
        return text;
    }
    text.chars().map(|c| if steers(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The texts of the inventory's files by name, for snippets. Secrets that were found written in clear are
/// blanked in them, so that no drawing can show one.
#[derive(Clone, Debug, Default)]
pub struct Sources(BTreeMap<Arc<str>, Source>);

#[derive(Clone, Debug)]
struct Source {
    text: String,
    /// The byte each line begins at.
    starts: Vec<usize>,
}

impl Sources {
    /// Takes a text in. Whoever reads files of another kind blanks the secrets in them before.
    pub fn insert(&mut self, file: Arc<str>, text: String) {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.0.insert(file, Source { text, starts });
    }

    /// Adds the texts of other files.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Adds a text that was not read as inventory, for snippets of it. It must hold nothing secret.
    pub fn add(&mut self, file: Arc<str>, text: String) {
        self.insert(file, text);
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(|source| source.text.as_str())
    }

    /// One line of a file, counted from 1, without its end.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        let source = self.0.get(file)?;
        let start = *source.starts.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        source.text.get(start..)?.lines().next().or(Some(""))
    }

    /// The names of the files, in order.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// The length of what a label points to: as it says, or to the end of the word there.
    pub fn length(&self, label: &Label) -> u32 {
        if label.length > 0 {
            return label.length;
        }
        let line = self.line(&label.place.file, label.place.line).unwrap_or("");
        let skipped = usize::try_from(label.place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest: String = line.chars().skip(skipped).collect();
        u32::try_from(word(&rest).chars().count()).unwrap_or(u32::MAX).max(1)
    }
}

/// The YAML scalar, key or small map at the start of a text.
fn word(text: &str) -> &str {
    let quoted = text.strip_prefix(['"', '\'']).and_then(|rest| rest.find(&text[..1]));
    if let Some(end) = quoted {
        return &text[..end + 2];
    }
    let flow = text.strip_prefix('{').and_then(|rest| rest.find('}'));
    if let Some(end) = flow {
        return &text[..end + 2];
    }
    let ends = [": ", " #", ", ", "]", "}"].iter().filter_map(|end| text.find(end));
    let word = ends.min().map_or(text, |end| &text[..end]).trim_end();
    word.strip_suffix(':').unwrap_or(word)
}

/// Everything found in an inventory that is refused, with the texts to draw it from.
#[derive(Clone, Debug)]
pub struct Report {
    /// The findings, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they point into.
    pub sources: Sources,
}

impl Report {
    /// How many findings are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count()
    }
}

impl fmt::Display for Report {
    /// One line a finding, without snippets; `report::human` draws them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.diagnostics.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", finding)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
