//! Changes an inventory file where it stands: one value at a place, or keys under a path. All else stays as it is
//! byte for byte, comments too. An edit by path is read again, and refused unless it gives exactly what was meant.

mod edit;
mod lay;
mod proof;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use edit::{append, insert, place_of, places_of, push, remove, says, set};

use super::Place;

/// The blanks that a line begins with.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether two texts say the same to a reader, whatever their layout.
pub(super) fn means_the_same(one: &str, other: &str) -> bool {
    let tree = |text| proof::tree_of(text).map(|root| proof::Meaning::of(root.as_deref()));
    tree(one).is_ok_and(|one| tree(other).as_ref() == Ok(&one))
}

/// The text with the scalar at a place replaced. `old` is what must stand there, in whatever quotes.
///
/// # Errors
/// When something else stands there: the file was edited meanwhile, or the value is written over several lines.
pub fn scalar(text: &str, place: &Place, old: &str, new: &str) -> Result<String, String> {
    let span = span(text, place).filter(|span| unquoted(&text[span.clone()]) == old);
    let span =
        span.ok_or_else(|| format!("{place}: `{old}` does not stand there as one plain or quoted word"))?;
    Ok(format!("{}\"{new}\"{}", &text[..span.start], &text[span.end..]))
}

/// The scalar at a place, without quotes.
///
/// # Errors
/// When there is none.
pub fn word_at<'t>(text: &'t str, place: &Place) -> Result<&'t str, String> {
    let span = span(text, place).ok_or_else(|| format!("{place}: no plain or quoted word stands there"))?;
    Ok(unquoted(&text[span]))
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// Where the scalar at a place is, its quotes included.
fn span(text: &str, place: &Place) -> Option<Range<usize>> {
    let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let (row, column) = (index(place.line)?, index(place.column)?);
    let begin: usize = text.split_inclusive('\n').take(row).map(str::len).sum();
    let line = text.get(begin..)?.lines().next()?;
    let from = line.char_indices().nth(column).map(|(at, _)| at)?;
    let rest = &line[from..];
    let length = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].find(quote)? + 2,
        _ => rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.trim_end().len()),
    };
    Some(begin + from..begin + from + length)
}
