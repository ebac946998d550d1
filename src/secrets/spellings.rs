//! Secrets in bytes they do not belong in: as they are, and in the encodings in which they leak.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What is shorter could be any word.
const LEAST: usize = 8;

/// Every spelling of every secret, found in one pass over any bytes by its first eight.
#[derive(Default)]
pub struct Known {
    spellings: Vec<(String, &'static str, zeroize::Zeroizing<Vec<u8>>)>,
    by_head: HashMap<[u8; LEAST], Vec<usize>>,
    /// Whether a spelling begins with two bytes, taken as a number: most places are told from it alone.
    first_two: Vec<bool>,
}

fn two(head: &[u8; LEAST]) -> usize {
    usize::from(head[0]) << 8 | usize::from(head[1])
}

impl Known {
    /// Adds a secret under its name. One of fewer than eight bytes is not looked for.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        let value = value.trim_ascii();
        let mut forms = vec![("as it is", value.to_vec())];
        // A key in PEM is known by any line of it.
        let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let body =
            lines.filter(|line| line.len() >= 40 && line.len() < value.len() && !line.starts_with(b"---"));
        forms.extend(body.map(|line| ("as it is", line.to_vec())));
        if value.len() >= LEAST {
            forms.push(("in hex", hex::encode(value).into_bytes()));
            forms.push(("in hex", hex::encode_upper(value).into_bytes()));
            for shift in 0..3 {
                forms.push(("in base64", base64_within(value, shift, false)));
                forms.push(("in base64", base64_within(value, shift, true)));
            }
            forms.push(("percent-encoded", percent(value, true)));
            forms.push(("percent-encoded", percent(value, false)));
            if let Ok(text) = std::str::from_utf8(value) {
                let quoted = serde_json::Value::from(text).to_string();
                forms.push(("as JSON", quoted.trim_matches('"').as_bytes().to_vec()));
            }
        }
        // AES keys are written in either case, and device makers group them.
        if value.len() == 32 && value.iter().all(u8::is_ascii_hexdigit) {
            forms.push(("as it is", value.to_ascii_lowercase()));
            forms.push(("as it is", value.to_ascii_uppercase()));
            if let Ok(bytes) = hex::decode(value) {
                forms.push(("in base64", base64_within(&bytes, 0, false)));
            }
        }
        for (form, spelling) in forms {
            self.insert(name, form, spelling);
        }
    }

    fn insert(&mut self, name: &str, form: &'static str, spelling: Vec<u8>) {
        let Some(head) = spelling.first_chunk::<LEAST>().copied() else { return };
        self.first_two.resize(1 << 16, false);
        self.first_two[two(&head)] = true;
        let same = self.by_head.entry(head).or_default();
        let known = |at: &usize| self.spellings[*at].0 == name && *self.spellings[*at].2 == spelling;
        if !same.iter().any(known) {
            same.push(self.spellings.len());
            self.spellings.push((name.to_owned(), form, zeroize::Zeroizing::new(spelling)));
        }
    }

    /// Where secrets stand in some bytes: the offset, the name and the form of each.
    pub fn find(&self, bytes: &[u8]) -> Vec<(usize, &str, &'static str)> {
        let mut found: Vec<(usize, &str, &'static str)> = Vec::new();
        if self.by_head.is_empty() {
            return found;
        }
        let mut at = 0;
        while let Some(head) = bytes.get(at..).and_then(|rest| rest.first_chunk::<LEAST>()) {
            if !self.first_two[two(head)] {
                at += 1;
                continue;
            }
            for index in self.by_head.get(head).into_iter().flatten() {
                let (name, form, spelling) = &self.spellings[*index];
                let is_new = found.last().is_none_or(|(other, known, _)| *other != at || known != name);
                if bytes[at..].starts_with(spelling) && is_new {
                    found.push((at, name, form));
                }
            }
            at += 1;
        }
        found
    }

    /// How many spellings are looked for.
    pub fn len(&self) -> usize {
        self.spellings.len()
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.spellings.is_empty()
    }
}

/// The base64 digits that a value has whatever stands around it, when it begins `shift` bytes into a group.
fn base64_within(value: &[u8], shift: usize, url_safe: bool) -> Vec<u8> {
    let padded = [vec![0; shift], value.to_vec()].concat();
    let engine = if url_safe { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
    let digits = engine.encode(&padded).into_bytes();
    let (first, last) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
    digits[first..last.max(first)].to_vec()
}

/// RFC 3986: all but the unreserved characters.
fn percent(value: &[u8], upper: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else if upper {
            out.extend(format!("%{byte:02X}").into_bytes());
        } else {
            out.extend(format!("%{byte:02x}").into_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever stands around it, in every encoding.
        #[test]
        fn a_secret_is_found_in_every_spelling(
            value in "[ -~é]{8,24}", before in prop::collection::vec(any::<u8>(), 0..7),
            after in prop::collection::vec(any::<u8>(), 0..7),
        ) {
            let mut known = Known::default();
            known.add("a/b", value.as_bytes());
            let raw = value.trim_ascii();
            prop_assume!(raw.len() >= 8);
            let whole = [before.as_slice(), raw.as_bytes(), after.as_slice()].concat();
            // The digits at its ends also hold its neighbours' bits: ten bytes have eight of their own.
            let long = raw.len() >= 12;
            let spelled = [
                Some(whole.clone()),
                Some(hex::encode(&whole).into_bytes()),
                Some(hex::encode_upper(&whole).into_bytes()),
                long.then(|| STANDARD_NO_PAD.encode(&whole).into_bytes()),
                long.then(|| URL_SAFE_NO_PAD.encode(&whole).into_bytes()),
                Some(percent(&whole, true)),
                Some(percent(&whole, false)),
                Some(serde_json::Value::from(format!("x{raw}y")).to_string().into_bytes()),
            ];
            for bytes in spelled.into_iter().flatten() {
                prop_assert!(known.find(&bytes).iter().any(|(_, name, _)| *name == "a/b"));
            }
        }
    }

    #[test]
    fn short_values_and_strangers_are_not_found() {
        let mut known = Known::default();
        known.add("pin", b"4711");
        assert!(known.is_empty());
        known.add("a/b", b"swordfish-9");
        assert_eq!(known.find(b"swordfish-8 swordfish"), []);
        assert_eq!(known.find(b"..swordfish-9")[0], (2, "a/b", "as it is"));
    }
}
