//! EUI-64 identifiers of LoRaWAN (DevEUI, AppEUI/JoinEUI): 16 hex digits however they are written.

use std::fmt;
use std::str::FromStr;

/// An EUI-64, always shown as 16 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eui(u64);

/// Why a text is not an EUI-64.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EuiFault {
    /// Another number of hex digits.
    #[error("an EUI has 16 hex digits, this one has {0}")]
    Length(usize),
    /// A character that is neither a hex digit nor a separator.
    #[error("`{0}` is not a hex digit")]
    Digit(char),
}

impl FromStr for Eui {
    type Err = EuiFault;

    /// Accepts any case, with `-`, `:` or blanks between digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ':' | ' ')).collect();
        if let Some(bad) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(EuiFault::Digit(bad));
        }
        if digits.len() != 16 {
            return Err(EuiFault::Length(digits.len()));
        }
        u64::from_str_radix(&digits, 16).map(Eui).map_err(|_| EuiFault::Length(digits.len()))
    }
}

impl Eui {
    /// The form the Conduit's API and its MQTT topics use: lower case with dashes.
    pub fn dashed(self) -> String {
        self.0.to_be_bytes().map(|byte| format!("{byte:02x}")).join("-")
    }
}

impl fmt::Display for Eui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_eui() {
        for text in ["0018B21000004A2F", "00-18-b2-10-00-00-4a-2f", "00:18:B2:10:00:00:4A:2F"] {
            assert_eq!(text.parse::<Eui>().unwrap().to_string(), "0018b21000004a2f");
        }
        assert_eq!("1E10000000000000".parse::<Eui>().unwrap().dashed(), "1e-10-00-00-00-00-00-00");
    }

    #[test]
    fn wrong_length_and_wrong_digits_are_told_apart() {
        assert_eq!("0018".parse::<Eui>(), Err(EuiFault::Length(4)));
        assert_eq!("0018b21000004a2g".parse::<Eui>(), Err(EuiFault::Digit('g')));
    }
}
