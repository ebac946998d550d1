//! Checksums as people copy them.

use std::fmt;
use std::str::FromStr;

/// A SHA-256, as 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sha256(String);

/// Why a text is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 checksum: 64 hex digits")]
pub struct ChecksumFault(String);

impl Sha256 {
    /// The digits.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sha256 {
    type Err = ChecksumFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim().to_ascii_lowercase();
        let fits = digits.len() == 64 && digits.chars().all(|char| char.is_ascii_hexdigit());
        if fits { Ok(Self(digits)) } else { Err(ChecksumFault(text.to_owned())) }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
