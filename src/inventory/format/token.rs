//! A file's words: scalars as the scanner of the inventory finds them, and what stands between them.

use std::ops::Range;

use serde_saphyr::granit_parser::{self as yaml, Event, ScalarStyle};

use crate::inventory::amend::indent;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind `|` or `>`, up to its last line.
    Block,
    /// One of `-`, `:`, `,`, `[`, `]`, `{`, `}`.
    Sign(char),
    /// An anchor or a tag.
    Property,
    Alias,
    Comment,
    /// `---`, `...` or a line that begins with `%`.
    Mark,
}

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub bytes: Range<usize>,
    /// Characters before it on its line.
    pub column: usize,
    /// Nothing but blanks stands before it on its line.
    pub first: bool,
    /// Empty lines right above it.
    pub gap: usize,
}

impl Token {
    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    pub fn is_scalar(&self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Quoted | Kind::Block)
    }
}

/// Where scalars stand, in the order of the file.
fn scalars(text: &str) -> Result<Vec<(Range<usize>, Kind)>, String> {
    let mut found = Vec::new();
    for event in yaml::Parser::new_from_str(text) {
        let (event, span) = event.map_err(|fault| fault.info().to_owned())?;
        let Event::Scalar(_, style, ..) = event else { continue };
        let (Some(start), Some(end)) = (span.start.byte_offset(), span.end.byte_offset()) else {
            return Err("a value without a place".to_owned());
        };
        let written = text.get(start..end).ok_or("a value with a wrong place")?;
        let (kind, length) = match style {
            ScalarStyle::Plain => (Kind::Plain, written.trim_end().len()),
            ScalarStyle::Literal | ScalarStyle::Folded => (Kind::Block, written.len()),
            _ => (Kind::Quoted, written.len()),
        };
        if length > 0 || kind == Kind::Block {
            found.push((start..start + length, kind));
        }
    }
    found.sort_by_key(|(bytes, _)| bytes.start);
    Ok(found)
}

/// From `|` or `>` without the empty lines below it, unless it keeps them. Blanks beyond its indent are its own.
fn block_length(written: &str) -> usize {
    // The scanner has looked at the indent of what comes next.
    let written = match written.rsplit_once('\n') {
        Some((whole, next)) if next.trim().is_empty() => &written[..=whole.len()],
        _ => written,
    };
    let header = written.lines().next().unwrap_or_default();
    let signs = header.split_once(" #").map_or(header, |(signs, _)| signs);
    if signs.contains('+') {
        return written.strip_suffix('\n').unwrap_or(written).len();
    }
    let base = written.lines().skip(1).find(|line| !line.trim().is_empty()).map_or(0, indent);
    let mut end = 0;
    let mut at = 0;
    for (number, line) in written.split_inclusive('\n').enumerate() {
        let own = line.trim_end_matches(['\n', '\r']);
        if number == 0 || !own.trim().is_empty() || own.len() > base {
            end = at + own.len();
        }
        at += line.len();
    }
    end
}

/// All words of a text.
///
/// # Errors
/// What stands there that this does not know how to lay out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut scalars = scalars(text)?.into_iter().peekable();
    let mut found: Vec<Token> = Vec::new();
    let (mut at, mut line, mut gap) = (0, 0, 0);
    let mut first = true;
    while let Some(next) = text[at..].chars().next() {
        match next {
            '\n' => {
                gap += usize::from(first);
                (at, line, first) = (at + 1, at + 1, true);
                continue;
            }
            ' ' | '\t' => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let (bytes, kind) = match scalars.next_if(|(bytes, kind)| bytes.start <= at && *kind != Kind::Block) {
            Some((bytes, _)) if bytes.start < at => return Err(at_line(text, at, "this cannot be laid out")),
            Some(scalar) => scalar,
            None if matches!(next, '|' | '>') => {
                // The scanner tells where its content is.
                let block = scalars.next().filter(|(_, kind)| *kind == Kind::Block);
                let (content, kind) = block.ok_or_else(|| at_line(text, at, "this cannot be laid out"))?;
                let header = text[at..].split('\n').next().unwrap_or_default().len();
                let written = text.get(at..content.end.max(at + header)).unwrap_or_default();
                (at..at + block_length(written), kind)
            }
            None => other(text, at, at == line)?,
        };
        let column = text[line..at].chars().count();
        (at, gap) = (bytes.end, if first { gap } else { 0 });
        if let Some(end) = text[bytes.clone()].rfind('\n') {
            line = bytes.start + end + 1;
        }
        found.push(Token { kind, bytes, column, first, gap });
        (first, gap) = (false, 0);
    }
    match scalars.next() {
        Some((bytes, _)) => Err(at_line(text, bytes.start, "this cannot be laid out")),
        None => Ok(found),
    }
}

pub(super) fn at_line(text: &str, at: usize, words: &str) -> String {
    format!("line {}: {words}", 1 + text[..at].matches('\n').count())
}

/// The word at a place where no scalar begins.
fn other(text: &str, at: usize, begins: bool) -> Result<(Range<usize>, Kind), String> {
    let rest = &text[at..];
    let line = rest.split('\n').next().unwrap_or_default();
    let until = |ends: &[char]| at..at + line.find(ends).unwrap_or(line.len());
    if begins && (line.starts_with("---") || line.starts_with("...")) {
        return Ok((at..at + 3, Kind::Mark));
    }
    Ok(match line.chars().next() {
        Some('%') if begins => (at..at + line.trim_end().len(), Kind::Mark),
        Some('#') => (at..at + line.trim_end().len(), Kind::Comment),
        Some('!') if line.starts_with("!<") => {
            (at..at + line.find('>').map_or(line.len(), |end| end + 1), Kind::Property)
        }
        Some('&' | '!') => (until(&[' ', '\t', ',', '[', ']', '{', '}']), Kind::Property),
        Some('*') => (until(&[' ', '\t', ',', '[', ']', '{', '}']), Kind::Alias),
        Some(sign @ ('-' | ':' | ',' | '[' | ']' | '{' | '}')) => (at..at + 1, Kind::Sign(sign)),
        Some('?') => return Err(at_line(text, at, "a key behind `?` is not laid out")),
        _ => return Err(at_line(text, at, "this cannot be laid out")),
    })
}
