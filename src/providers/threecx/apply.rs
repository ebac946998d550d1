//! Writes a PBX.

use std::path::Path;

use crate::model::{Outcome, Report};
use crate::providers::Job;
use crate::transport::Writing;

/// Does the changes.
pub async fn apply(job: Job<'_>, _hand: Writing<'_>, report: &mut dyn Report, _root: &Path) {
    for change in job.changes {
        report.step(&change.address, Outcome::NotStarted("not there yet".to_owned()));
    }
}
