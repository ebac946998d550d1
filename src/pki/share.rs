//! The share of a certificate's life after which it is renewed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::Certificate;
use super::profile::BACKDATED_SECONDS;

/// A fraction between 0 and 1, such as `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    part: u16,
    whole: u16,
}

impl Default for Share {
    /// Two thirds.
    fn default() -> Self {
        Self { part: 2, whole: 3 }
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = "expected a fraction between 0 and 1, such as `2/3`";
        let (part, whole) = text.split_once('/').ok_or(fault)?;
        let (Ok(part), Ok(whole)) = (part.trim().parse(), whole.trim().parse()) else { return Err(fault) };
        if part == 0 || part >= whole { Err(fault) } else { Ok(Self { part, whole }) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.whole)
    }
}

impl Share {
    /// Whether this share of a certificate's life is over. Its life is counted from when it was issued, not
    /// from its backdated start: else a short-lived one would be due at once and for ever.
    pub fn is_over(self, certificate: &Certificate, now: Timestamp) -> bool {
        let issued = certificate.not_before.as_second() + BACKDATED_SECONDS;
        self.is_over_of(issued, certificate.not_after.as_second(), now)
    }

    /// Whether this share of the time from one second to another is over.
    pub(super) fn is_over_of(self, start: i64, end: i64, now: Timestamp) -> bool {
        let start = start.min(end);
        let due = start + (end - start) * i64::from(self.part) / i64::from(self.whole);
        now.as_second() >= due
    }
}
