//! How new keys and values are written: plain words where nobody can take them for anything else, double quotes
//! elsewhere; small maps on one line, larger ones a key a line.

use serde_json::Value as Json;

/// The longest line a map or list is put on.
const LINE: usize = 100;
/// The most values a map on one line has.
const LEAVES: usize = 4;

/// A text as a YAML scalar.
pub(super) fn text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// JSON's double quotes are YAML's.
pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// Whether a text can stand without quotes, for a reader of YAML 1.1 too.
fn is_plain(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '+' | ' ');
    let begins = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '/'));
    // `10m`, never `1e5`, `0x1F` or `0b1`.
    let unit = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
        && !text.get(1..2).is_some_and(|second| "xXoObB".contains(second))
        && text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E'));
    (begins || unit) && text.chars().all(word) && text.trim() == text && !is_typed(text)
}

/// Whether a plain scalar is something else than text to some reader of YAML.
pub(super) fn is_typed(text: &str) -> bool {
    let words = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"];
    words.contains(&text.to_ascii_lowercase().trim_start_matches(['+', '-'])) || is_number(text)
}

fn is_number(text: &str) -> bool {
    let plain = text.trim_start_matches(['+', '-']);
    let based = plain.get(..2).is_some_and(|begin| matches!(begin, "0x" | "0o" | "0b"));
    let digits = plain.replace('_', "");
    based || plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.parse::<f64>().is_ok()
}

/// A value on one line.
pub(super) fn flow(value: &Json) -> String {
    match value {
        Json::String(own) => text(own),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", text(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether a value goes on the line of its key, which takes so many characters.
pub(super) fn fits(value: &Json, taken: usize) -> bool {
    let short = || taken + flow(value).chars().count() <= LINE;
    match value {
        Json::Object(fields) => fields.is_empty() || leaves(value) <= LEAVES && short(),
        Json::Array(items) => items.is_empty() || short(),
        _ => true,
    }
}

fn leaves(value: &Json) -> usize {
    match value {
        Json::Object(fields) => fields.values().map(leaves).sum(),
        Json::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// A key with its value, as whole lines.
pub(super) fn entry(key: &str, value: &Json, indent: usize) -> String {
    let head = format!("{}{}:", " ".repeat(indent), text(key));
    if fits(value, head.chars().count() + 1) {
        return format!("{head} {}\n", flow(value));
    }
    format!("{head}\n{}", block(value, indent + 2))
}

/// The lines of a map or list.
pub(super) fn block(value: &Json, indent: usize) -> String {
    match value {
        Json::Object(fields) => fields.iter().map(|(key, value)| entry(key, value, indent)).collect(),
        Json::Array(items) => {
            items.iter().map(|item| format!("{}- {}\n", " ".repeat(indent), flow(item))).collect()
        }
        other => format!("{}{}\n", " ".repeat(indent), flow(other)),
    }
}
