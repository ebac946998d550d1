//! Where each word goes: the levels of maps and lists by the columns they are written at, two spaces each.

use super::token::{Kind, Token, at_line};
use crate::inventory::amend::indent;

/// A line as it will be; a comment behind it waits for its column.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub text: String,
    pub comment: Option<(usize, String)>,
}

/// A map or list of lines: the column it was written at, and the one it goes to.
#[derive(Clone, Copy, Debug)]
struct Level {
    old: usize,
    new: usize,
    list: bool,
}

#[derive(Default)]
struct Placing<'t> {
    text: &'t str,
    lines: Vec<Line>,
    levels: Vec<Level>,
    /// Brackets that are open.
    depth: usize,
    /// Where lines between brackets are counted from.
    bracket: usize,
    /// The line before ends with a key or dash whose value is still to come.
    awaits: bool,
    /// Comments that stand alone and wait for what comes below them: line and old column.
    waiting: Vec<(usize, usize)>,
}

/// The lines of a text's words.
///
/// # Errors
/// What stands there that this does not know how to lay out.
pub(super) fn lines(text: &str, tokens: &[Token]) -> Result<Vec<Line>, String> {
    let mut placing = Placing { text, ..Placing::default() };
    for row in tokens.chunk_by(|_, next| !next.first) {
        placing.row(row)?;
    }
    placing.settle(None);
    Ok(placing.lines)
}

impl<'t> Placing<'t> {
    fn words(&self, token: &Token) -> &'t str {
        &self.text[token.bytes.clone()]
    }

    fn row(&mut self, row: &[Token]) -> Result<(), String> {
        let first = &row[0];
        // One empty line says as much as five; above the first word none says anything.
        if first.gap > 0 && !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        if self.depth > 0 {
            let closing = row.iter().take_while(|token| token.is(']') || token.is('}')).count();
            let indent = self.bracket + 2 * self.depth.saturating_sub(closing);
            return self.write(row, indent);
        }
        match first.kind {
            Kind::Comment => {
                self.waiting.push((self.lines.len(), first.column));
                self.lines.push(Line { text: self.words(first).to_owned(), comment: None });
                Ok(())
            }
            Kind::Mark => {
                self.settle(None);
                self.levels.clear();
                self.awaits = false;
                self.write(row, 0)
            }
            _ => self.structure(row),
        }
    }

    /// A row that begins an entry of a map or list, or a value below its key.
    fn structure(&mut self, row: &[Token]) -> Result<(), String> {
        let (first, before) = (&row[0], self.levels.clone());
        if first.is(':') {
            return Err(at_line(self.text, first.bytes.start, "a value without its key is not laid out"));
        }
        let dash = first.is('-');
        let entry = dash || is_key(row);
        let column = first.column;
        while self.levels.last().is_some_and(|level| {
            // `- ` may stand right below its key, and belongs to it all the same.
            level.old > column || level.old == column && level.list && !dash
        }) {
            self.levels.pop();
        }
        let parent = self.levels.last().copied();
        let below = parent.map_or(0, |parent| parent.new + 2);
        let indent = match parent {
            Some(level) if entry && level.old == column && level.list == dash => level.new,
            _ => {
                if entry {
                    self.levels.push(Level { old: column, new: below, list: dash });
                }
                below
            }
        };
        self.compact(row, indent);
        let levels = std::mem::replace(&mut self.levels, before);
        self.settle(Some((column, indent)));
        self.levels = levels;
        self.bracket = match self.levels.last() {
            None => 0,
            Some(_) if !entry => indent,
            Some(level) => level.new + if level.list { 2 } else { 0 },
        };
        let last = row.iter().rev().find(|token| token.kind != Kind::Comment);
        self.awaits = last.is_some_and(|last| last.is(':') || last.is('-') || last.kind == Kind::Property);
        self.write(row, indent)
    }

    /// Maps and lists that begin behind a dash.
    fn compact(&mut self, row: &[Token], indent: usize) {
        let mut new = indent;
        for at in 0..row.len() {
            if !row[at].is('-') {
                break;
            }
            new += 2;
            let rest = &row[at + 1..];
            let Some(next) = rest.first() else { break };
            if next.is('-') || is_key(rest) {
                self.levels.push(Level { old: next.column, new, list: next.is('-') });
            }
        }
    }

    /// Puts the comments that wait where they belong: to what stands below them, or to a level above them.
    fn settle(&mut self, next: Option<(usize, usize)>) {
        let top = self.levels.last().copied();
        for (line, column) in std::mem::take(&mut self.waiting) {
            let deeper = top.is_none_or(|top| column > top.old);
            let comes =
                next.filter(|(old, _)| *old == column || deeper && top.is_none_or(|top| *old > top.old));
            let held = self.levels.iter().rev().find(|level| level.old <= column);
            let indent = match (comes, top) {
                (Some((_, new)), _) => new,
                (None, Some(top)) if deeper && self.awaits => top.new + 2,
                _ => held.or(self.levels.first()).map_or(0, |level| level.new),
            };
            self.lines[line].text.insert_str(0, &" ".repeat(indent));
        }
    }

    fn write(&mut self, row: &[Token], indent: usize) -> Result<(), String> {
        self.lines.push(Line { text: " ".repeat(indent), comment: None });
        for (at, token) in row.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &row[before]);
            if token.kind == Kind::Comment {
                self.remark(token, self.words(token).to_owned(), before.is_some());
                continue;
            }
            if before.is_some_and(|before| is_apart(before, token)) {
                self.last().push(' ');
            }
            let words = self.words(token);
            match token.kind {
                Kind::Block => self.block(token)?,
                Kind::Plain | Kind::Quoted => self.scalar(token),
                Kind::Sign('[' | '{') => {
                    self.depth += 1;
                    self.last().push_str(words);
                }
                Kind::Sign(']' | '}') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.last().push_str(words);
                }
                _ => self.last().push_str(words),
            }
        }
        Ok(())
    }

    fn last(&mut self) -> &mut String {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last].text
    }

    fn remark(&mut self, token: &Token, words: String, behind: bool) {
        if behind {
            let last = self.lines.len() - 1;
            self.lines[last].comment = Some((token.column, words));
        } else {
            self.last().push_str(&words);
        }
    }

    /// A text that may go on over several lines: blanks before each of them mean nothing.
    fn scalar(&mut self, token: &Token) {
        let own = self.levels.last().map_or(0, |level| level.new + 2);
        let indent = if self.depth > 0 { self.bracket + 2 * self.depth } else { own };
        for (number, line) in self.words(token).split('\n').enumerate() {
            if number == 0 {
                self.last().push_str(line);
                continue;
            }
            let line = line.trim_start_matches([' ', '\t']);
            let line = if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indent)) };
            self.lines.push(Line { text: line, comment: None });
        }
    }

    /// A text behind `|` or `>`: its lines move together.
    fn block(&mut self, token: &Token) -> Result<(), String> {
        let written = self.words(token);
        let parent = self.levels.last().copied();
        let parent = parent.ok_or_else(|| at_line(self.text, token.bytes.start, "a text without a key"))?;
        let (header, content) = written.split_once('\n').unwrap_or((written, ""));
        let (signs, remark) = match header.split_once(" #") {
            Some((signs, remark)) => (signs.trim_end(), Some(format!("#{}", remark.trim_end()))),
            None => (header.trim_end(), None),
        };
        self.last().push_str(signs);
        if let Some(remark) = remark {
            let column = token.column + header.find(" #").unwrap_or(0) + 1;
            self.remark(&Token { column, ..token.clone() }, remark, true);
        }
        if content.is_empty() {
            // Lines that it keeps may follow, all of them empty.
            self.lines.extend(written.contains('\n').then(Line::default));
            return Ok(());
        }
        let told =
            signs.chars().find_map(|sign| sign.to_digit(10)).and_then(|told| usize::try_from(told).ok());
        let first = content.split('\n').find(|line| !line.trim().is_empty()).map_or(0, indent);
        let (old, new) = match told {
            Some(told) => (parent.old + told, parent.new + told),
            None => (first, parent.new + 2),
        };
        for line in content.split('\n') {
            let text = match line.get(old..) {
                Some(rest) if !rest.is_empty() => format!("{}{rest}", " ".repeat(new)),
                _ => String::new(),
            };
            self.lines.push(Line { text, comment: None });
        }
        Ok(())
    }
}

/// Whether a row begins with a key.
fn is_key(row: &[Token]) -> bool {
    let rest = row.iter().skip_while(|token| token.kind == Kind::Property);
    let mut rest = rest.take(2);
    let named = rest.next().is_some_and(|token| token.is_scalar() || token.kind == Kind::Alias);
    named && rest.next().is_some_and(|token| token.is(':'))
}

/// Whether a space stands between two words of a line.
fn is_apart(before: &Token, token: &Token) -> bool {
    match (before.kind, token.kind) {
        (Kind::Sign('[' | '{'), _) | (_, Kind::Sign(']' | '}' | ',')) => false,
        // `*name:` would be another name.
        (_, Kind::Sign(':')) => !before.is_scalar(),
        _ => true,
    }
}
