//! The text of a secrets file: a flat YAML mapping, one `path: ENC[age:BASE64]` a line, quoted or not.
//!
//! Kept as lines, so that an edit touches its own line and git merges the rest. Nothing else is accepted:
//! a value in clear is refused, and never shown.

use std::collections::BTreeMap;
use std::ops::Range;

use super::is_path;

/// What a new file begins with.
const HEADER: &str =
    "# Values encrypted with age, names in clear. Set one with `rocade secrets set NAME`.\n\n";
const OPEN: &str = "ENC[age:";

/// One value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name.
    pub path: String,
    /// Its ciphertext in base64.
    pub sealed: String,
    /// Its line, from 1.
    pub line: usize,
}

/// A line that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// The values of a file in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, BadLine> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        match read_line(line) {
            Ok(None) => {}
            Ok(Some((path, sealed))) => entries.push(Entry {
                path: path.to_owned(),
                sealed: line[sealed].to_owned(),
                line: line_number,
            }),
            Err(reason) => return Err(BadLine { line: line_number, reason }),
        }
    }
    Ok(entries)
}

/// The same file with this value: in its own line when it has one, else in a new line in the order of names.
pub(super) fn with(text: &str, path: &str, sealed: &str) -> Result<String, BadLine> {
    let entries = parse(text)?;
    if let Some(entry) = entries.iter().find(|entry| entry.path == path) {
        return Ok(edit_line(text, entry.line, |line| line.replacen(&entry.sealed, sealed, 1)));
    }
    if text.is_empty() {
        return Ok(format!("{HEADER}{path}: {OPEN}{sealed}]\n"));
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let fresh = format!("{path}: {OPEN}{sealed}]{end}");
    let at = entries
        .iter()
        .find(|entry| entry.path.as_str() > path)
        .map_or(text.len(), |entry| above_comments(text, entry.line));
    let gap = if at == text.len() && !text.ends_with('\n') { end } else { "" };
    Ok(format!("{}{gap}{fresh}{}", &text[..at], &text[at..]))
}

/// The same file with other ciphertexts in the lines of these values; one pass, however many there are.
pub(super) fn with_all(text: &str, sealed: &BTreeMap<String, String>) -> Result<String, BadLine> {
    let entries = parse(text)?;
    let mut changed = entries.iter().filter_map(|entry| Some((entry, sealed.get(&entry.path)?))).peekable();
    let mut out = String::with_capacity(text.len());
    for (index, line) in lines(text).enumerate() {
        match changed.next_if(|(entry, _)| entry.line == index + 1) {
            Some((entry, sealed)) => out.push_str(&line.replacen(&entry.sealed, sealed, 1)),
            None => out.push_str(line),
        }
    }
    Ok(out)
}

/// The line of a value, without its end.
pub(super) fn line(path: &str, sealed: &str) -> String {
    format!("{path}: {OPEN}{sealed}]")
}

/// The error for a line that is refused.
pub(super) fn refused(file: &str, bad: &BadLine) -> anyhow::Error {
    anyhow::anyhow!("{file}:{}: {}", bad.line, bad.reason)
}

/// The same file without this value.
pub(super) fn without(text: &str, path: &str) -> Result<String, BadLine> {
    let entries = parse(text)?;
    match entries.iter().find(|entry| entry.path == path) {
        Some(entry) => Ok(edit_line(text, entry.line, |_| String::new())),
        None => Ok(text.to_owned()),
    }
}

/// Every line's text with its line end.
fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_inclusive('\n')
}

fn edit_line(text: &str, number: usize, edit: impl Fn(&str) -> String) -> String {
    let edited =
        |(index, line): (usize, &str)| if index + 1 == number { edit(line) } else { line.to_owned() };
    lines(text).enumerate().map(edited).collect()
}

/// Where the comments that stand directly above a line begin: they belong to it.
fn above_comments(text: &str, number: usize) -> usize {
    let above: Vec<&str> = lines(text).take(number - 1).collect();
    let comments = above.iter().rev().take_while(|line| line.trim_start().starts_with('#')).count();
    above[..above.len() - comments].iter().map(|line| line.len()).sum()
}

/// A line's name and where its base64 stands; nothing for blank lines and comments.
fn read_line(line: &str) -> Result<Option<(&str, Range<usize>)>, String> {
    if line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim_end() == "---" {
        return Ok(None);
    }
    if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
        return Err("a merge was left unfinished here".into());
    }
    let (path, rest) = read_path(line).ok_or("expected `NAME: ENC[age:...]`, flat and one a line")?;
    let clear = || format!("the value of `{path}` is not `ENC[age:...]` on one line");
    let value = rest.trim_start_matches([' ', '\t']);
    let (quote, value) = match value.chars().next() {
        Some(mark @ ('"' | '\'')) => (Some(mark), &value[1..]),
        _ => (None, value),
    };
    let value = value.strip_prefix(OPEN).ok_or_else(clear)?;
    let end = value.find(']').ok_or_else(clear)?;
    let start = line.len() - value.len();
    let tail = &value[end + 1..];
    let tail = match quote {
        Some(mark) => tail.strip_prefix(mark).ok_or_else(clear)?,
        None => tail,
    };
    let is_end =
        tail.trim().is_empty() || (tail.starts_with([' ', '\t']) && tail.trim_start().starts_with('#'));
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if !is_end || end == 0 || !value[..end].chars().all(is_base64) {
        return Err(clear());
    }
    Ok(Some((path, start..start + end)))
}

/// The name before `: `, and what follows the colon.
fn read_path(line: &str) -> Option<(&str, &str)> {
    let (path, rest) = match line.chars().next()? {
        mark @ ('"' | '\'') => {
            let (path, rest) = line[1..].split_once(mark)?;
            (path, rest.trim_start().strip_prefix(':')?)
        }
        _ => line.split_once(':').map(|(path, rest)| (path.trim_end(), rest))?,
    };
    (is_path(path) && rest.starts_with([' ', '\t'])).then_some((path, rest))
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    const FILE: &str =
        "# Ours.\n\n# the gateway's\na/one: ENC[age:AAAA]\n'c/three': \"ENC[age:CC==]\"  # kept\n";

    #[test]
    fn quoted_commented_and_plain_lines_are_read() {
        let read = parse(FILE).unwrap();
        let seen: Vec<_> = read.iter().map(|e| (e.path.as_str(), e.sealed.as_str(), e.line)).collect();
        assert_eq!(seen, [("a/one", "AAAA", 4), ("c/three", "CC==", 5)]);
    }

    #[test]
    fn an_edit_touches_its_own_line() {
        let b = with(FILE, "b/two", "BBBB").unwrap();
        assert_eq!(b, FILE.replace("'c/", "b/two: ENC[age:BBBB]\n'c/"));
        assert_eq!(with(&b, "c/three", "DDDD").unwrap(), b.replace("CC==", "DDDD"));
        assert_eq!(without(&b, "b/two").unwrap(), FILE);
        assert_eq!(with(FILE, "d", "DDDD").unwrap(), format!("{FILE}d: ENC[age:DDDD]\n"));
        let first = with(FILE, "a/", "x");
        assert_eq!(
            first.unwrap(),
            FILE.replace("# the", "a/: ENC[age:x]\n# the"),
            "comments stay above theirs"
        );
        assert_eq!(with("a: ENC[age:AAAA]", "b", "BBBB").unwrap(), "a: ENC[age:AAAA]\nb: ENC[age:BBBB]\n");
        assert_eq!(with("b: ENC[age:A]\r\n", "a", "B").unwrap(), "a: ENC[age:B]\r\nb: ENC[age:A]\r\n");
    }

    #[test]
    fn a_value_in_clear_is_refused_and_not_shown() {
        for line in [
            "a/b: hunter2",
            "a/b: ENC[age:hunter2",
            "a/b: ENC[age:]",
            "a/b: ENC[age:AA] hunter2",
            "hunter2",
            "a/b:hunter2",
            "  a/b: ENC[age:AAAA]",
            "a/b: |",
            "a/b: \"ENC[age:AAAA]",
            "hunter2: {",
            "é",
        ] {
            let bad = parse(&format!("ok: ENC[age:AAAA]\n{line}\n")).unwrap_err();
            assert_eq!(bad.line, 2, "{line}");
            assert!(!bad.reason.contains("hunter2") || line.starts_with("hunter2: "), "{}", bad.reason);
        }
        let bad = parse("<<<<<<< ours\n").unwrap_err();
        assert!(bad.reason.contains("merge"), "{}", bad.reason);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), path in "[a-z/]{1,9}") {
            let _ = parse(&text);
            let _ = with(&text, &path, "AAAA");
            let _ = without(&text, &path);
        }

        #[test]
        fn no_line_like_ours_panics(
            key in "['\"]?[a-z/:é ]{0,6}['\"]?:? ?",
            value in "['\"]?(ENC\\[age:)?[A-Za-z=é]{0,5}\\]?['\"]? ?#?.{0,3}",
        ) {
            let line = key + &value;
            let _ = parse(&line);
        }

        /// What was set is what is read, in the order of names, and YAML reads the same.
        #[test]
        fn what_is_set_is_read(
            values in btree_map("[a-z]{1,3}(/[a-z0-9]{1,3}){0,2}", "[A-Za-z0-9+/]{4}", 1..8),
            seed in any::<u64>(),
        ) {
            let mut order: Vec<_> = values.iter().collect();
            let turn = usize::try_from(seed % order.len() as u64).unwrap();
            order.rotate_left(turn);
            let mut text = String::new();
            for (path, sealed) in order {
                text = with(&text, path, sealed).unwrap();
            }
            let read: Vec<_> = parse(&text).unwrap().into_iter().map(|e| (e.path, e.sealed)).collect();
            prop_assert_eq!(&read, &values.clone().into_iter().collect::<Vec<_>>());
            let yaml: std::collections::BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
            let wrap = |(path, sealed)| (path, format!("ENC[age:{sealed}]"));
            let wrapped = values.into_iter().map(wrap).collect();
            prop_assert_eq!(yaml, wrapped);
        }
    }
}
