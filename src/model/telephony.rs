//! Nouns of a telephone system: numbers, hardware addresses, days and times of day.

use std::fmt;
use std::str::FromStr;

/// Why a text is none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct TelephonyFault {
    found: String,
    expected: &'static str,
}

fn fault(found: &str, expected: &'static str) -> TelephonyFault {
    TelephonyFault { found: found.to_owned(), expected }
}

/// An internal number (extension, ring group, queue, IVR): 2 to 8 digits, leading zeros count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dn(pub String);

const A_DN: &str = "an internal number: 2 to 8 digits";

impl FromStr for Dn {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.chars().all(|c| c.is_ascii_digit());
        if digits && (2..=8).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(fault(text, A_DN))
        }
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of the public network: digits, `+` in front allowed; spaces, dots and dashes between digits are
/// dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(pub String);

const A_PHONE_NUMBER: &str = "a phone number such as +33123456789: 2 to 15 digits, `+` in front allowed";

impl FromStr for PhoneNumber {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: String = text.trim().chars().filter(|c| !" .-".contains(*c)).collect();
        let digits = plain.strip_prefix('+').unwrap_or(&plain);
        let fits = (2..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
        if fits { Ok(Self(plain)) } else { Err(fault(text, A_PHONE_NUMBER)) }
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of the public network with its country, as E.164 has it: `+` and 7 to 15 digits; spaces, dots and
/// dashes between digits are dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(pub String);

const AN_E164: &str =
    "a number with its country such as +33611223344: `+`, then 7 to 15 digits, no `0` first";
const A_FRENCH_E164: &str = "a number of France: nine digits follow +33, without the 0 in front";

impl FromStr for E164 {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: String = text.trim().chars().filter(|c| !" .-".contains(*c)).collect();
        let digits = plain.strip_prefix('+').unwrap_or_default();
        let fits = (7..=15).contains(&digits.len())
            && digits.chars().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0');
        // The slip people make most: +330611223344.
        let french = digits.strip_prefix("33").is_none_or(|own| own.len() == 9 && !own.starts_with('0'));
        match (fits, french) {
            (true, true) => Ok(Self(plain)),
            (true, false) => Err(fault(text, A_FRENCH_E164)),
            (false, _) => Err(fault(text, AN_E164)),
        }
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hardware address, held as 12 upper-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(String);

const A_MAC: &str = "a MAC address: 12 hex digits, colons and dashes allowed";

impl Mac {
    /// The 12 digits without separators, as the 3CX writes them.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Mac {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| !" :-.".contains(*c)).collect();
        let fits = digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit());
        if fits { Ok(Self(digits.to_ascii_uppercase())) } else { Err(fault(text, A_MAC)) }
    }
}

/// As people write it: `80:5e:c0:00:00:01`.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.as_bytes().chunks(2).enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{}", String::from_utf8_lossy(pair).to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All days, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The word in the inventory: `mon`.
    pub fn word(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }

    /// The English name, as the 3CX writes it: `Monday`.
    pub fn english(self) -> &'static str {
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][self as usize]
    }
}

impl FromStr for Weekday {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|day| day.word() == text);
        found.ok_or_else(|| fault(text, "a day: mon, tue, wed, thu, fri, sat or sun"))
    }
}

/// Days of a week: one day or a range, written `mon`, `mon-fri`, `fri-mon`.
pub fn weekdays(text: &str) -> Result<Vec<Weekday>, TelephonyFault> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (Weekday, Weekday) = (first.trim().parse()?, last.trim().parse()?);
    let count = (last as usize + 7 - first as usize) % 7 + 1;
    Ok(Weekday::ALL.into_iter().cycle().skip(first as usize).take(count).collect())
}

/// A span of a day, written `09:00-12:00`; the end may be `24:00`. The end lies after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaySpan {
    /// Minutes since midnight.
    pub start: u16,
    /// Minutes since midnight, up to 1440.
    pub stop: u16,
}

const A_SPAN: &str = "a span such as 09:00-12:00 whose end lies after its start";

impl FromStr for DaySpan {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = |part: &str| {
            let (hours, minutes) = part.trim().split_once(':')?;
            let fits = |part: &str| part.len() == 2 && part.chars().all(|c| c.is_ascii_digit());
            if !fits(hours) || !fits(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            let total = hours * 60 + minutes;
            (minutes < 60 && total <= 24 * 60).then_some(total)
        };
        let ends = text.split_once('-').and_then(|(a, b)| Some((minutes(a)?, minutes(b)?)));
        match ends {
            Some((start, stop)) if start < stop => Ok(Self { start, stop }),
            _ => Err(fault(text, A_SPAN)),
        }
    }
}

impl fmt::Display for DaySpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, stop } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, stop / 60, stop % 60)
    }
}

/// When a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feast {
    /// The same day every year, written `12-25`.
    Yearly {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// One day of one year, written `2026-12-24`.
    Once {
        /// The year.
        year: u16,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// So many days after Easter Sunday, written `easter+1`, `easter-2`.
    Easter(i16),
}

const A_FEAST: &str = "a day such as 12-25 (every year), 2026-12-24, or easter+1";

impl FromStr for Feast {
    type Err = TelephonyFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some(offset) = text.strip_prefix("easter") {
            let days = if offset.is_empty() { Some(0) } else { offset.parse().ok() };
            let signed = offset.is_empty() || offset.starts_with(['+', '-']);
            return days
                .filter(|days| signed && (-100..=100).contains(days))
                .map(Self::Easter)
                .ok_or_else(|| fault(text, A_FEAST));
        }
        let parts: Vec<Option<u16>> = text.split('-').map(|part| part.parse().ok()).collect();
        let fits = |year: u16, month: u16, day: u16| {
            let last = match month {
                2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (1..=12).contains(&month) && (1..=last).contains(&day)
        };
        let small = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
        match parts.as_slice() {
            // 29 February may be written: it comes in leap years.
            [Some(month), Some(day)] if fits(2000, *month, *day) => {
                Ok(Self::Yearly { month: small(*month), day: small(*day) })
            }
            [Some(year), Some(month), Some(day)]
                if (2000..2100).contains(year) && fits(*year, *month, *day) =>
            {
                Ok(Self::Once { year: *year, month: small(*month), day: small(*day) })
            }
            _ => Err(fault(text, A_FEAST)),
        }
    }
}

impl fmt::Display for Feast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
            Self::Once { year, month, day } => write!(f, "{year}-{month:02}-{day:02}"),
            Self::Easter(0) => f.write_str("easter"),
            Self::Easter(days) => write!(f, "easter{days:+}"),
        }
    }
}

/// The month and day of Easter Sunday of a year (the anonymous Gregorian computus).
pub fn easter(year: u16) -> (u8, u8) {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let day = (h + l - 7 * m + 114) % 31 + 1;
    (u8::try_from(month).unwrap_or(3), u8::try_from(day).unwrap_or(22))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_spans_are_read_and_written() {
        assert_eq!(weekdays("mon-fri").unwrap(), Weekday::ALL[..5]);
        assert_eq!(weekdays("sat-mon").unwrap(), [Weekday::Sat, Weekday::Sun, Weekday::Mon]);
        assert_eq!(weekdays("wed").unwrap(), [Weekday::Wed]);
        assert!(weekdays("mon-").is_err());
        let span: DaySpan = "09:00-24:00".parse().unwrap();
        assert_eq!((span.start, span.stop, span.to_string()), (540, 1440, "09:00-24:00".to_owned()));
        for bad in ["12:00-09:00", "09:00-09:00", "9-12", "09:60-10:00", "09:00-24:01", "9:00-12:00"] {
            assert!(bad.parse::<DaySpan>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_addresses_are_held_in_one_form() {
        assert_eq!("+33 1 23.45-67 89".parse::<PhoneNumber>().unwrap().0, "+33123456789");
        assert_eq!("80-5e-C0-00-00-01".parse::<Mac>().unwrap().digits(), "805EC0000001");
        assert_eq!("805EC0000001".parse::<Mac>().unwrap().to_string(), "80:5e:c0:00:00:01");
        assert!("80:5e:c0:00:00".parse::<Mac>().is_err());
        assert!("1".parse::<Dn>().is_err() && "10a".parse::<Dn>().is_err());
    }

    #[test]
    fn numbers_with_their_country_are_told_from_others() {
        assert_eq!("+33 6 11.22-33 44".parse::<E164>().unwrap().0, "+33611223344");
        assert_eq!("+441632960001".parse::<E164>().unwrap().0, "+441632960001");
        for bad in
            ["0611223344", "33611223344", "+330611223344", "+3361122334", "+0611223344", "+33 (0)6", "+1"]
        {
            assert!(bad.parse::<E164>().is_err(), "{bad}");
        }
    }

    #[test]
    fn feasts_are_days_that_exist() {
        assert_eq!("12-25".parse(), Ok(Feast::Yearly { month: 12, day: 25 }));
        assert_eq!("easter+39".parse(), Ok(Feast::Easter(39)));
        for bad in ["13-01", "02-30", "2026-02-29", "easter1", "1999-01-01"] {
            assert!(bad.parse::<Feast>().is_err(), "{bad}");
        }
        // Published dates of Easter Sunday.
        assert_eq!(
            [easter(2024), easter(2025), easter(2026), easter(2038)],
            [(3, 31), (4, 20), (4, 5), (4, 25)]
        );
    }
}
