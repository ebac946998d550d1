//! Durations and sizes as people write them. A bare number is refused: it says nothing of its unit.

use std::fmt;
use std::str::FromStr;

/// Why a text is no duration or size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct UnitFault {
    found: String,
    expected: &'static str,
}

/// A span of time in whole seconds, written `90s`, `10m`, `24h`, `7d`, `10y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub u64);

impl Period {
    /// Its length in seconds.
    pub fn as_secs(self) -> u64 {
        self.0
    }

    /// Its two largest units, as one says it: `45 s`, `10 min`, `1 h 30 min`, `3 d 2 h`.
    pub fn in_words(self) -> String {
        let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let first = units.iter().position(|(seconds, _)| self.0 >= *seconds).unwrap_or(3);
        let (mut rest, mut words) = (self.0, Vec::new());
        for (seconds, unit) in units.iter().skip(first).take(2) {
            if rest >= *seconds || words.is_empty() {
                words.push(format!("{} {unit}", rest / seconds));
            }
            rest %= seconds;
        }
        words.join(" ")
    }
}

/// A size in bytes, written `512 KiB`, `16 MiB`, `1 GiB` (also `kB`, `MB`, `GB` and `B`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// Its length in bytes.
    pub fn as_bytes(self) -> u64 {
        self.0
    }
}

fn split(text: &str, expected: &'static str) -> Result<(u64, String), UnitFault> {
    let fault = || UnitFault { found: text.to_owned(), expected };
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
    let number = trimmed[..end].parse().map_err(|_| fault())?;
    Ok((number, trimmed[end..].trim().to_owned()))
}

const A_PERIOD: &str = "a duration such as `30s`, `10m`, `24h`, `7d` or `1y`";
const A_SIZE: &str = "a size such as `512 KiB` or `16 MiB`";

impl FromStr for Period {
    type Err = UnitFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split(text, A_PERIOD)?;
        let seconds: u64 = match unit.as_str() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            "y" => 365 * 86_400,
            _ => return Err(UnitFault { found: text.to_owned(), expected: A_PERIOD }),
        };
        number
            .checked_mul(seconds)
            .map(Period)
            .ok_or(UnitFault { found: text.to_owned(), expected: A_PERIOD })
    }
}

impl FromStr for ByteSize {
    type Err = UnitFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split(text, A_SIZE)?;
        let bytes: u64 = match unit.as_str() {
            "B" => 1,
            "kB" => 1_000,
            "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            _ => return Err(UnitFault { found: text.to_owned(), expected: A_SIZE }),
        };
        number.checked_mul(bytes).map(ByteSize).ok_or(UnitFault { found: text.to_owned(), expected: A_SIZE })
    }
}

impl fmt::Display for Period {
    /// The largest unit that divides it evenly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(365 * 86_400, "y"), (86_400, "d"), (3_600, "h"), (60, "m")];
        match units.iter().find(|(seconds, _)| self.0 != 0 && self.0.is_multiple_of(*seconds)) {
            Some((seconds, unit)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.iter().find(|(bytes, _)| self.0 != 0 && self.0.is_multiple_of(*bytes)) {
            Some((bytes, unit)) => write!(f, "{} {unit}", self.0 / bytes),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_needed_and_kept() {
        assert_eq!("10m".parse::<Period>().unwrap(), Period(600));
        assert_eq!("16 MiB".parse::<ByteSize>().unwrap(), ByteSize(16 << 20));
        assert_eq!(Period(600).to_string(), "10m");
        for (seconds, words) in [
            (0, "0 s"),
            (45, "45 s"),
            (600, "10 min"),
            (615, "10 min 15 s"),
            (5400, "1 h 30 min"),
            (3605, "1 h"),
        ] {
            assert_eq!(Period(seconds).in_words(), words);
        }
        assert_eq!(Period(3 * 86_400 + 7_260).in_words(), "3 d 2 h");
        assert_eq!(ByteSize(16 << 20).to_string(), "16 MiB");
        for bad in ["10", "m", "", "10 parsecs", "-1s", "99999999999999999999s", "18446744073709551615y"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
        assert!("16".parse::<ByteSize>().is_err());
    }
}
