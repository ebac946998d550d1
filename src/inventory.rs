//! The inventory: what an engineer commits. Typed, every value with its place, all faults at once.

pub mod amend;
mod at;
mod clear;
mod decode;
mod diagnostic;
mod explain;
mod format;
pub mod lint;
mod load;
mod pbx;
pub mod playbook;
mod reached;
mod refer;
pub mod report;
mod scalar;
mod schema;
mod shape;
mod spec;
mod tree;

pub use at::{At, Place};
pub use clear::{blanked, looks_like_key};
pub use diagnostic::{Diagnostic, Label, Report, Severity, Sources};
pub use explain::{Told, Unknown, explain};
pub use format::{Unlaid, laid};
pub use load::{Loaded, load, load_changed, parse, seen, yaml_files};
pub use pbx::*;
pub use scalar::{
    ByteSizeText, E164Text, EuiText, FeastText, MacText, NetworkText, NumberText, PeriodText,
    PhoneNumberText, SecretRef, Sha256Text, SpanText, VersionRange,
};
pub use schema::{playbook_schema, schema};
pub use spec::*;
