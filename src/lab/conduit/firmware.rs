//! What differs between versions of mPower, as far as it is known.

use anyhow::{Context, ensure};
use semver::Version;
use serde::{Deserialize, Serialize};

/// A version of mPower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Firmware([u64; 3]);

impl Firmware {
    /// Reads a version such as `6.0.1`.
    ///
    /// # Errors
    /// When it is none, or one from before commissioning and this API.
    pub fn of(text: &str) -> anyhow::Result<Self> {
        let version = Version::parse(text).with_context(|| format!("`{text}` is not a version of mPower"))?;
        ensure!(version.major >= 5, "mPower {text} is not simulated: the first is 5");
        Ok(Self([version.major, version.minor, version.patch]))
    }

    /// The version as the unit says it.
    pub fn text(&self) -> String {
        self.0.map(|part| part.to_string()).join(".")
    }

    /// The version of Python 3; 5.x has Python 2 only.
    pub fn python3(&self) -> Option<&'static str> {
        match self.0 {
            [5, ..] => None,
            [6, 3, 0..6] => Some("3.8.13"),
            [6, ..] => Some("3.8.11"),
            [7, 0, _] => Some("3.10.13"),
            [7, 1, _] => Some("3.10.15"),
            _ => Some("3.10.16"),
        }
    }

    /// Whether a user is made in a dialogue (5.x, 6.x) or, as documented and never recorded, in one request.
    pub fn has_dialogue(&self) -> bool {
        self.0[0] < 7
    }

    /// Whether there is `command/save_apply`, which is newer. That 5.x lacks it is assumed.
    pub fn has_save_apply(&self) -> bool {
        self.0[0] >= 6
    }

    /// The band of a unit from the factory: `US915` on 7.x, recorded; on 6.x the same is assumed, on 5.x the
    /// digits that its forerunners had.
    pub fn frequency_band(&self) -> &'static str {
        if self.0[0] < 6 { "915" } else { "US915" }
    }

    /// Whether this one takes an image of another: 6.3 wants 6.0 before it. That it refuses by itself, and does
    /// not break, is assumed.
    pub fn takes(&self, image: &Self) -> bool {
        *image < Self([6, 3, 0]) || *self >= Self([6, 0, 0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_where_it_is_known() {
        let of = |text: &str| Firmware::of(text).unwrap();
        let pythons = ["5.3.0", "6.0.1", "6.3.1", "6.3.6", "7.0.0", "7.1.0"].map(|text| of(text).python3());
        let expected =
            [None, Some("3.8.11"), Some("3.8.13"), Some("3.8.11"), Some("3.10.13"), Some("3.10.15")];
        assert_eq!(pythons, expected);
        assert!(!of("5.3.0").takes(&of("6.3.0")) && of("5.3.0").takes(&of("6.0.1")));
        assert!(of("6.0.1").takes(&of("6.3.1")));
        for bad in ["6", "mPower 6.0.1", "1.7.4"] {
            assert!(Firmware::of(bad).is_err(), "{bad}");
        }
    }
}
