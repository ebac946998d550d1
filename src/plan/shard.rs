//! One of several shares of all targets, for runs on several machines. A target's share follows from its kind and
//! name alone: the shares are disjoint, together they are all, and another target coming or going moves no other.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::model::Target;

/// The `index`-th of `total` shares, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    total: u32,
}

impl Shard {
    /// The `index`-th of `total` shares, counted from 1; `None` when there is no such share.
    pub fn new(index: u32, total: u32) -> Option<Self> {
        (1..=total).contains(&index).then_some(Self { index, total })
    }

    /// Whether a target is of this share.
    pub fn has(self, target: &Target) -> bool {
        let digest = Sha256::digest(format!("{}/{}", target.kind, target.name));
        let (head, _) = digest.as_slice().split_at(8);
        let number = head.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.total) == u64::from(self.index - 1)
    }

    /// Whether it is the first: the one that makes what the repository itself holds, certificates above all.
    pub fn is_first(self) -> bool {
        self.index == 1
    }

    /// Its number, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn total(self) -> u32 {
        self.total
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

/// Words that name no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share: write K/N with K from 1 to N, such as 2/8")]
pub struct ShardFault(String);

impl FromStr for Shard {
    type Err = ShardFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        numbers.and_then(|(k, n)| Self::new(k, n)).ok_or_else(|| ShardFault(text.to_owned()))
    }
}
