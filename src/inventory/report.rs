//! Findings as text for people and for the programs that show them: nothing here prints.

mod github;
mod human;
mod json;
mod junit;
mod sarif;

pub use github::github;
pub use human::human;
pub use json::json;
pub use junit::{junit, junit_of};
pub use sarif::sarif;

use super::Severity;

/// The word for a severity, as in JSON and SARIF.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
