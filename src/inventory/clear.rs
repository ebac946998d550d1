//! Secrets that somebody wrote in clear: found before anything is drawn, and blanked in the texts kept.
//!
//! This is about never *showing* one; refusing it is `SecretRef`'s work. It rather blanks too much.

use std::ops::Range;

use super::tree::{Body, Node};

/// Whether values under this key are secrets. `secret` itself holds a name, `key` a kind of key, `no_key` and
/// `wrong_key` where calls go.
pub(super) fn sounds_secret(key: &str) -> bool {
    let key: String = key.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let named = ["password", "passwd", "passphrase", "token", "psk", "secret"];
    !matches!(key.as_str(), "secret" | "key" | "nokey" | "wrongkey")
        && (key.ends_with("key") || named.iter().any(|word| key.contains(word)))
}

/// Whether a text is an AES-128 key in hex, whatever it is called and however it is grouped.
pub fn looks_like_key(text: &str) -> bool {
    let mut digits = 0;
    for c in text.chars() {
        match c {
            '-' | ':' | ' ' => {}
            c if c.is_ascii_hexdigit() => digits += 1,
            _ => return false,
        }
    }
    digits == 32
}

/// Adds the byte ranges of what is written in clear under a key.
pub(super) fn collect(key: &str, node: &Node, into: &mut Vec<Range<usize>>) {
    if sounds_secret(key) {
        scalars(node, into);
    }
}

fn scalars(node: &Node, into: &mut Vec<Range<usize>>) {
    match &node.body {
        Body::Scalar(_) => into.push(node.bytes.clone()),
        Body::List(items) => items.iter().for_each(|item| scalars(item, into)),
        Body::Map(entries) => {
            let in_clear = entries.iter().filter(|entry| entry.key.text != "secret");
            in_clear.for_each(|entry| scalars(&entry.value, into));
        }
    }
}

/// The same for a text that is not YAML: by lines, all that follows a key that sounds secret, and the lines
/// below it that are indented more.
pub(super) fn lines(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut below = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let indent = line.len() - line.trim_start().len();
        if let Some(at) = secret_key(line) {
            ranges.push(start + at + 1..end);
            below = Some(indent);
        } else if below.is_some_and(|key| indent > key || line.trim().is_empty()) {
            ranges.push(start..end);
        } else {
            below = None;
        }
        start = end;
    }
    ranges
}

/// Where the colon stands behind the first key of a line that sounds secret.
fn secret_key(line: &str) -> Option<usize> {
    let sounds = |(at, _): &(usize, &str)| {
        let before = line[..*at].trim_end().trim_end_matches(['"', '\'']);
        let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next();
        word.is_some_and(sounds_secret)
    };
    line.match_indices(':').find(sounds).map(|(at, _)| at)
}

/// A text with ranges of bytes blanked: line ends stay, every other character becomes `*`.
pub fn blanked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        let start = range.start.max(done);
        let (Some(before), Some(secret)) = (text.get(done..start), text.get(start..range.end.max(start)))
        else {
            return text.chars().map(star).collect();
        };
        out.push_str(before);
        out.extend(secret.chars().map(star));
        done = range.end.max(start);
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

fn star(c: char) -> char {
    if matches!(c, '\n' | '\r') { c } else { '*' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hold_secrets_are_told_from_others() {
        for key in ["app_key", "appkey", "AppKey", "password", "sudo_password", "client_secret", "api-token"]
        {
            assert!(sounds_secret(key), "{key}");
        }
        for key in ["secret", "key", "no_key", "wrong_key", "dev_eui", "topic", "title", "keys_and_doors"] {
            assert!(!sounds_secret(key), "{key}");
        }
    }

    #[test]
    fn in_a_broken_text_what_stands_behind_and_below_a_secret_key_is_blanked() {
        let text = "a: {user: x, 'password' : p1}}\nb:\n  app_key: |\n    p2\n\n    p3\n  topic: é\n";
        let expected = "a: {user: x, 'password' :*****\nb:\n  app_key:**\n******\n\n******\n  topic: é\n";
        assert_eq!(blanked(text, &lines(text)), expected);
    }

    #[test]
    fn ranges_may_touch_and_overlap() {
        assert_eq!(blanked("abcdef", &[1..3, 2..4, 4..5]), "a****f");
        assert_eq!(blanked("é!", &[0..1, 2..3]), "**", "a range inside a character blanks all");
    }
}
