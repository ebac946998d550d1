//! The words between us and the host program: requests one a line, answers one a record. Pure.
//!
//! A request line is its words, each ended by the unit separator (0x1f), so that empty words survive a
//! shell's field splitting. An answer record is the same behind a record separator (0x1e); any other line
//! outside a record is noise (a login banner) and is skipped. What arrives damaged becomes
//! [`Answer::Unread`] or [`Ruling::Unknown`]: never a panic, never a guess.
//!
//! [`Answer::Unread`]: super::Answer::Unread
//! [`Ruling::Unknown`]: super::Ruling::Unknown

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

mod answer;
mod request;
mod ruling;

pub use answer::{AnswerDecoder, encode_answers};
pub use request::{check_ask, check_order, decode_asks, decode_orders, encode_asks, encode_orders};
pub use ruling::{RulingDecoder, encode_begin, encode_end, encode_ruling};

/// The line before the first request. Whatever stands before it (a password that sudo did not take) is
/// skipped.
pub const MAGIC: &str = "rocade-host 1";
/// The line after the last request.
const END: &str = "end";
/// Ends every word.
const UNIT: char = '\u{1f}';
/// Begins every record.
const RECORD: u8 = 0x1e;

/// Why requests cannot be sent or understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// A control character where only text may stand.
    #[error("{what} holds a control character: {text:?}")]
    Control {
        /// Which word.
        what: &'static str,
        /// The word itself.
        text: String,
    },
    /// A word that has not the form it must have.
    #[error("{what} cannot be `{text}`: {rule}")]
    Form {
        /// Which word.
        what: &'static str,
        /// The word itself.
        text: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The stream is not requests.
    #[error("line {line} of the requests is damaged: {why}")]
    Damaged {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Bytes as one word of base64.
fn armor(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// The bytes of a base64 word.
fn unarmor(word: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(word).ok().map(Zeroizing::new)
}

/// The text of a base64 word, damaged characters replaced.
fn unarmor_text(word: &str) -> Option<String> {
    unarmor(word).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The words of a line of which each is ended by the separator; `None` when the last one is not.
fn words(line: &str) -> Option<Vec<&str>> {
    let mut words: Vec<&str> = line.split(UNIT).collect();
    words.pop().filter(|rest| rest.is_empty()).map(|_| words)
}

/// Writes one record.
fn record(out: &mut Vec<u8>, words: &[&str]) {
    out.push(RECORD);
    for word in words {
        out.extend_from_slice(word.as_bytes());
        out.push(UNIT as u8);
    }
    out.push(b'\n');
}

/// Cuts a stream that arrives in pieces into lines. What was read is wiped, it may hold secrets.
#[derive(Default)]
struct Lines {
    held: Zeroizing<Vec<u8>>,
}

impl Lines {
    /// Takes the next piece and gives each line that it completes, without its end.
    fn feed(&mut self, mut piece: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.held.extend_from_slice(&piece[..end]);
            each(&self.held);
            self.held = Zeroizing::default();
            piece = &piece[end + 1..];
        }
        self.held.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests;
