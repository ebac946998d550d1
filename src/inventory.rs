//! The inventory: what an engineer commits. Typed, every value with its place, all faults at once.

mod at;
mod scalar;
mod spec;

pub use at::{At, Place};
pub use scalar::{ByteSizeText, EuiText, PeriodText, SecretRef, VersionRange};
pub use spec::*;
