//! Rulings: how each order ended, read while the host still works on the next one.
//!
//! An order without a ruling is `Unknown` unless an earlier one failed.

use super::super::{Done, Ruling};
use super::{Lines, RECORD, armor, record, unarmor_text, words};

/// Reads rulings from a stream that arrives in pieces and hands each out once, in order.
pub struct RulingDecoder {
    lines: Lines,
    total: usize,
    next: usize,
    began: bool,
    failed: bool,
}

impl RulingDecoder {
    /// A decoder for the rulings of this many orders.
    pub fn new(total: usize) -> Self {
        Self { lines: Lines::default(), total, next: 0, began: false, failed: false }
    }

    /// Whether the host program read its first line; before that no order can have been started.
    pub fn has_begun(&self) -> bool {
        self.began
    }

    /// Takes the next piece of the host's standard output and hands out the rulings it completes.
    pub fn feed(&mut self, piece: &[u8], mut each: impl FnMut(usize, Ruling)) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(piece, |line| self.line(line, &mut each));
        self.lines = lines;
    }

    fn line(&mut self, line: &[u8], each: &mut impl FnMut(usize, Ruling)) {
        let text = String::from_utf8_lossy(line);
        let Some(words) = text.strip_prefix(char::from(RECORD)).and_then(words) else { return };
        let (index, ruling) = match words.as_slice() {
            ["begin"] => return self.began = true,
            [index, verdict, text] => (index.parse::<usize>(), verdict_of(verdict, text)),
            _ => return,
        };
        // Rulings come in order; anything else is noise and what it stood for stays unknown.
        if index != Ok(self.next) || self.next == self.total || self.failed {
            return;
        }
        self.failed = matches!(ruling, Ruling::Failed(_));
        each(self.next, ruling);
        self.next += 1;
    }

    /// Hands out the rulings of the orders that got none: `why` they are unknown.
    pub fn finish(self, why: &str, mut each: impl FnMut(usize, Ruling)) {
        for index in self.next..self.total {
            each(index, if self.failed { Ruling::NotStarted } else { Ruling::Unknown(why.to_owned()) });
        }
    }
}

fn verdict_of(verdict: &str, text: &str) -> Ruling {
    match (verdict, unarmor_text(text)) {
        ("done", Some(output)) => Ruling::Done(Done { output }),
        ("failed", Some(why)) if why.is_empty() => Ruling::Failed("it failed without a word".to_owned()),
        ("failed", Some(why)) => Ruling::Failed(why),
        _ => Ruling::Unknown("the host's answer is damaged".to_owned()),
    }
}

/// Writes the record before the first ruling, for a simulated host.
pub fn encode_begin() -> Vec<u8> {
    let mut out = Vec::new();
    record(&mut out, &["begin"]);
    out
}

/// Writes one ruling as the host program does, for a simulated host. `NotStarted` and `Unknown` have no
/// record: the host does not know of them.
pub fn encode_ruling(index: usize, ruling: &Ruling) -> Vec<u8> {
    let mut out = Vec::new();
    let index = index.to_string();
    match ruling {
        Ruling::Done(done) => record(&mut out, &[&index, "done", &armor(done.output.as_bytes())]),
        Ruling::Failed(why) => record(&mut out, &[&index, "failed", &armor(why.as_bytes())]),
        Ruling::NotStarted | Ruling::Unknown(_) => {}
    }
    out
}

/// Writes the record after the last ruling, for a simulated host.
pub fn encode_end() -> Vec<u8> {
    let mut out = Vec::new();
    record(&mut out, &["end"]);
    out
}
