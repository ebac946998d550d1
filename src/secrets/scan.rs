//! Keys and passwords in clear, looked for in a file before it is committed. Findings hold places and rules,
//! never what stands there. It rather misses a weak word than stops a good commit.

use super::spellings::Known;
use super::{FOLDER, file};

/// On the line of a finding, or on the line above it, this says that it is none.
pub const ALLOW: &str = "rocade: not a secret";

/// One place where something stands in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The rule, kebab-case.
    pub rule: &'static str,
    /// What is wrong.
    pub words: String,
}

/// Looks through one file; `name` is its path in the repository.
pub fn scan(name: &str, bytes: &[u8], known: &Known) -> Vec<Hit> {
    let mut found: Vec<(usize, &'static str, String)> = Vec::new();
    for (at, secret, form) in known.find(bytes) {
        found.push((at, "secret-of-ours", format!("the value of `{secret}` stands here {form}")));
    }
    private_keys(bytes, &mut found);
    identities(bytes, &mut found);
    if is_secrets_file(name) {
        let text = String::from_utf8_lossy(bytes);
        if let Err(bad) = file::parse(&text) {
            let at = text.split_inclusive('\n').take(bad.line - 1).map(str::len).sum();
            found.push((at, "secrets-file", bad.reason));
        }
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        assignments(name, text, &mut found);
    }
    found.sort_by_key(|(at, ..)| *at);
    let mut hits: Vec<Hit> = Vec::new();
    for (at, rule, words) in found {
        let hit = placed(name, bytes, at, rule, words);
        // One line, one finding: the surest rule comes first.
        if !allowed(bytes, at) && hits.last().is_none_or(|last| last.line != hit.line) {
            hits.push(hit);
        }
    }
    hits
}

fn is_secrets_file(name: &str) -> bool {
    let inside = name.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'));
    inside && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

fn placed(name: &str, bytes: &[u8], at: usize, rule: &'static str, words: String) -> Hit {
    let before = &bytes[..at.min(bytes.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    Hit { file: name.to_owned(), line, column, rule, words }
}

/// Whether the line of a place, or the one above it, says that it is no secret.
fn allowed(bytes: &[u8], at: usize) -> bool {
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
    let starts = bytes[..at].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let start = starts.map(|(start, _)| start + 1).nth(1).unwrap_or(0);
    bytes[start..end].windows(ALLOW.len()).any(|window| window == ALLOW.as_bytes())
}

fn positions<'a>(bytes: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let starts = bytes.windows(word.len()).enumerate();
    starts.filter(move |(_, window)| *window == word).map(|(at, _)| at)
}

/// `-----BEGIN ... PRIVATE KEY-----` with a key below it: words about keys have none.
fn private_keys(bytes: &[u8], found: &mut Vec<(usize, &'static str, String)>) {
    for at in positions(bytes, b"-----BEGIN ") {
        let rest = &bytes[at + 11..bytes.len().min(at + 400)];
        let Some(end) = positions(rest, b"-----").next().filter(|end| *end < 40) else { continue };
        if !rest[..end].ends_with(b"PRIVATE KEY") {
            continue;
        }
        if holds_key(&rest[end + 5..]) {
            found.push((at, "private-key", "a private key in PEM".into()));
        }
    }
}

/// Whether base64 follows, over indented lines or with line ends spelled `\n` as in JSON, or the header of an
/// encrypted key.
fn holds_key(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).replace("\\n", "\n");
    let joined: String = text.split('\n').map(str::trim).collect();
    let is_base64 = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    joined.starts_with("Proc-Type:") || joined.chars().take_while(is_base64).count() >= 40
}

fn identities(bytes: &[u8], found: &mut Vec<(usize, &'static str, String)>) {
    for head in ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"] {
        for at in positions(bytes, head.as_bytes()) {
            let digits = bytes[at + head.len()..].iter().take_while(|byte| byte.is_ascii_alphanumeric());
            if digits.count() >= 50 {
                found.push((at, "age-identity", "a private key of age: it opens secrets".into()));
            }
        }
    }
}

/// Endings of the names that passwords and keys are given.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "psk",
    "pwd",
    "apikey",
    "appkey",
    "appskey",
    "nwkskey",
    "nwkkey",
    "networkkey",
    "sessionkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "encryptionkey",
    "signingkey",
    "masterkey",
];

/// Files in which only a quoted word is a value: anything else there is code.
const CODE: &[&str] = &[
    "rs", "py", "js", "ts", "mjs", "c", "h", "cc", "cpp", "go", "java", "kt", "rb", "php", "pl", "sh",
    "bash", "lua", "cs", "swift", "j2", "md", "html",
];

/// `password: 3x4mple...`: a word that looks made by a machine under a name that sounds secret.
fn assignments(name: &str, text: &str, found: &mut Vec<(usize, &'static str, String)>) {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let quoted_only = CODE.contains(&extension);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // Nobody writes a line of this length by hand.
        if line.len() <= 2000 {
            for (at, _) in line.match_indices([':', '=']) {
                if let Some((value, word)) = assigned(line, at, quoted_only)
                    && is_random(word)
                {
                    let words = "this looks like a password or key in clear".to_owned();
                    found.push((start + value, "random-word", words));
                }
            }
        }
        start += line.len();
    }
}

/// The word assigned behind a colon or equals sign, when the name before it sounds secret.
fn assigned(line: &str, at: usize, quoted_only: bool) -> Option<(usize, &str)> {
    let before = line[..at].trim_end().trim_end_matches(['"', '\'', ':', '+', '?']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = before.chars().rev().take_while(|c| is_name(*c)).collect();
    let name: String = name.chars().rev().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    if !NAMES.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let rest = &line[at + 1..];
    let value = rest.trim_start_matches([' ', '\t', '=', '>']);
    let quote = value.chars().next().filter(|c| ['"', '\'', '`'].contains(c));
    let start = line.len() - value.len() + usize::from(quote.is_some());
    let value = &line[start..];
    let end = match quote {
        Some(quote) => value.find(quote)?,
        None if quoted_only => return None,
        None => value.find([' ', '\t', '\r', '\n', ',', ';', '}', ')', ']']).unwrap_or(value.len()),
    };
    Some((start, &value[..end]))
}

/// Whether a word looks made by a machine: letters and digits mixed, no words in it, few repeats.
fn is_random(word: &str) -> bool {
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let is_hex = letters + digits == word.len() && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return word.len() >= 32 && word.len().is_multiple_of(2) && entropy(word) >= 2.8;
    }
    let is_graphic = word.bytes().all(|byte| byte.is_ascii_graphic());
    let stands_for_one = ["${", "$(", "{{", "<", ">", "...", "***", "::", "(", "ENC[", "sha256:", "example"];
    let is_named =
        word.starts_with("age1") || word.contains("://") || word.starts_with(['$', '%', '/', '.', '@']);
    // A path such as the name of a secret; base64 with a slash has capitals too.
    let is_path = word.contains('/') && !word.contains(|c: char| c.is_ascii_uppercase());
    let parts = word.split(['/', '-', '_', '.']).filter(|part| !part.is_empty());
    let lone_words = |part: &str| {
        part.len() <= 16
            && (part.bytes().all(|b| b.is_ascii_alphabetic()) || part.bytes().all(|b| b.is_ascii_digit()))
    };
    let words_only = parts.clone().count() > 1 && parts.clone().all(lone_words);
    is_graphic
        && (12..=512).contains(&word.len())
        && digits >= 2
        && letters >= 4
        && !is_named
        && !is_path
        && !words_only
        && !stands_for_one.iter().any(|mark| word.to_ascii_lowercase().contains(&mark.to_ascii_lowercase()))
        && entropy(word) >= 3.2
}

/// Shannon's entropy of the bytes of a word, in bits a byte.
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    word.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(share).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str, text: &str) -> Vec<(usize, &'static str)> {
        let hits = scan(name, text.as_bytes(), &Known::default()).into_iter();
        hits.map(|hit| (hit.line, hit.rule)).collect()
    }

    fn pem(kind: &str) -> String {
        format!(
            "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49".repeat(2)
        )
    }

    #[test]
    fn what_is_in_clear_is_found_at_its_place() {
        assert_eq!(rules("a.pem", &format!("x\n{}", pem("EC PRIVATE KEY"))), [(2, "private-key")]);
        let json = pem("PRIVATE KEY").replace('\n', "\\n");
        assert_eq!(rules("a.json", &format!("{{\"key\": \"{json}\"}}")), [(1, "private-key")]);
        let key = format!("AGE-SECRET-KEY-1{}", "Q".repeat(58));
        assert_eq!(rules("notes", &key), [(1, "age-identity")]);
        for line in [
            "password: vR7x-20qLmZ8wT",
            "  api_token: \"aB3dE6gH9jK2mN5p\"",
            "export MQTT_PASSWORD=vR7xq20qLmZ8wT",
            "\"client_secret\": \"8f3a9b27c1e64d50\\u0041vR7x\",",
            "app_key = '00112233445566778899AABBCCDDEEFF'",
            "password => 'vR7xq20qLmZ8wT'",
        ] {
            assert_eq!(rules("site.cfg", line), [(1, "random-word")], "{line}");
        }
        assert_eq!(
            rules("inventory/secrets/a.yaml", "a: ENC[age:AAAA]\nb: hunter2\n"),
            [(2, "secrets-file")]
        );
    }

    #[test]
    fn what_only_talks_of_secrets_is_left_alone() {
        for (name, line) in [
            ("a.yaml", "password: {secret: gateways/pool-gw2/admin1}"),
            ("a.yaml", "password: gateways/pool-gw/admin2-2024"),
            ("a.env", "PASSWORD=${MQTT_PASSWORD_2024}"),
            ("a.j2", "password {{ vars.password_2 }}"),
            ("a.yaml", "password: changeme"),
            ("a.rs", "let password = read_password_v2(12);"),
            ("a.rs", "let token: Token2024Example = x;"),
            ("a.py", "token = os.environ['APP_TOKEN_2']"),
            ("a.yaml", "secret_name: brokers-main-1"),
            ("a.yaml", "public_key: AAAAC3NzaC1lZDI1NTE5AAAAIJ2"),
            (
                "a.md",
                "-----BEGIN PRIVATE KEY----- is how a key begins, and whoever reads this knows it by now",
            ),
            ("a.md", "AGE-SECRET-KEY-1..."),
            ("a.pem", &pem("CERTIFICATE")),
            ("a.yaml", "password: vR7x-20qLmZ8wT  # rocade: not a secret"),
            ("a.yaml", "# rocade: not a secret\npassword: vR7x-20qLmZ8wT"),
            ("inventory/secrets/a.yaml", "a/password: ENC[age:YWdlLWVuY3J5cHRpb24ub3Jn]\n"),
        ] {
            assert_eq!(rules(name, line), [], "{line}");
        }
        assert_eq!(rules("a", "# rocade: not a secret\n\npassword: vR7x-20qLmZ8wT"), [(3, "random-word")]);
    }

    #[test]
    fn a_secret_of_ours_is_found_wherever_it_stands() {
        let mut known = Known::default();
        known.add("a/b", b"tulip garden");
        let hits = scan("README.md", b"one\nthe tulip garden\n", &known);
        assert_eq!((hits[0].line, hits[0].column, hits[0].rule), (2, 5, "secret-of-ours"));
        assert!(!hits[0].words.contains("tulip") && hits[0].words.contains("`a/b`"), "{}", hits[0].words);
    }
}
