//! The inventory: what an engineer commits. Typed, every value with its place, all faults at once.

mod at;
mod clear;
mod decode;
mod diagnostic;
pub mod lint;
mod load;
mod refer;
pub mod report;
mod scalar;
mod schema;
mod shape;
mod spec;
mod tree;

pub use at::{At, Place};
pub use diagnostic::{Diagnostic, Label, Report, Severity, Sources};
pub use load::{Loaded, load, parse};
pub use scalar::{ByteSizeText, EuiText, NetworkText, PeriodText, SecretRef, VersionRange};
pub use schema::schema;
pub use spec::*;
