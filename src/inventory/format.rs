//! A file laid out in one way: two spaces a level, one behind `:`, `-` and `,`, one empty line at most, comments that
//! stood in one column in one column. Only blanks and empty lines change; what does not say the same afterwards, word
//! by word and comment by comment, is not handed out.

mod place;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::amend::means_the_same;
use super::decode::Decoder;
use super::{Report, Sources, clear, tree};
use place::Line;
use token::Kind;

/// Why a file stays as it is.
#[derive(Debug)]
pub enum Unlaid {
    /// It is not YAML that an inventory may have.
    Faulty(Box<Report>),
    /// It is written in a way that this does not lay out: why, in words.
    Odd(String),
}

/// The text laid out. It keeps its byte order mark and the ends of its lines.
///
/// # Errors
/// Why it stays as it is.
pub fn laid(file: &str, text: &str) -> Result<String, Unlaid> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut decoder = Decoder::new(Arc::from(file));
    tree::read(body, &mut decoder);
    if !decoder.found.is_empty() {
        let mut sources = Sources::default();
        sources.insert(Arc::from(file), clear::blanked(body, &decoder.blank));
        return Err(Unlaid::Faulty(Box::new(Report { diagnostics: decoder.found, sources })));
    }
    let new = again(body).map_err(Unlaid::Odd)?;
    Ok(format!("{}{new}", &text[..text.len() - body.len()]))
}

fn again(body: &str) -> Result<String, String> {
    let plain = body.replace("\r\n", "\n");
    if plain.contains('\r') {
        return Err("a line ends with a carriage return alone".to_owned());
    }
    let once = once(&plain)?;
    let is_whole = means_the_same(body, &once) && words(&plain) == words(&once);
    // What is laid out twice must stay: else the next run would change it again.
    if !is_whole || self::once(&once).as_deref() != Ok(once.as_str()) {
        return Err("it would not say the same afterwards".to_owned());
    }
    let crlf = body.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n"));
    if !crlf {
        return Ok(once);
    }
    let new = once.replace('\n', "\r\n");
    if means_the_same(body, &new) { Ok(new) } else { Err("it would not say the same afterwards".to_owned()) }
}

fn once(text: &str) -> Result<String, String> {
    let tokens = token::tokens(text)?;
    let mut lines = place::lines(text, &tokens)?;
    align(&mut lines);
    Ok(lines.iter().map(|line| format!("{}\n", line.text)).collect())
}

/// Comments behind lines: those that stood in one column, with no empty line between, stand in one again; two
/// spaces behind the longest.
fn align(lines: &mut [Line]) {
    for part in lines.split_mut(|line| line.text.is_empty()) {
        let mut columns: BTreeMap<usize, usize> = BTreeMap::new();
        for line in part.iter() {
            if let Some((column, _)) = &line.comment {
                let end = columns.entry(*column).or_default();
                *end = (*end).max(line.text.chars().count());
            }
        }
        for line in part {
            if let Some((column, words)) = line.comment.take() {
                let width = columns.get(&column).map_or(0, |end| end + 2 - line.text.chars().count());
                line.text.push_str(&format!("{}{words}", " ".repeat(width)));
            }
        }
    }
}

/// All that is written, but for the blanks around it: comments as they are, the rest without blanks.
fn words(text: &str) -> Option<(Vec<&str>, String)> {
    let tokens = token::tokens(text).ok()?;
    let comments = tokens.iter().filter(|token| token.kind == Kind::Comment);
    let comments = comments.map(|token| &text[token.bytes.clone()]).collect();
    Some((comments, text.chars().filter(|c| !c.is_whitespace()).collect()))
}
