//! `verify`: proves by use that what was applied works.

use std::sync::Arc;

use super::{Waited, report};
use crate::cli::arguments::Choice;
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::model::PLAN_FORMAT;
use crate::run::{self, Links, Watch};

pub fn run(arguments: &Arguments, choice: &Choice) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let links = Arc::new(Links::default());
    let scope = super::scope(choice);
    let found = super::wait(async { Ok(run::verify(&workspace, &scope, &links, &watch).await?) });
    progress.finish();
    let Waited::Done(findings) = found? else { return Ok(Exit::Interrupted) };
    let good = findings.iter().all(|finding| finding.fault.is_none());
    let exit = if good { Exit::Done } else { Exit::Failed };
    if arguments.json {
        let result = serde_json::json!({
            "format_version": PLAN_FORMAT, "findings": findings, "exit_code": exit.code(),
        });
        let result = report::with_shard(result, scope.shard);
        say::data(&serde_json::to_string_pretty(&result)?);
    } else {
        draw(&findings);
    }
    if findings.is_empty() {
        say::word("there is no broker and no relay among these targets: nothing was verified");
    }
    Ok(exit)
}

/// Draws what holds and what does not.
pub fn draw(findings: &[run::Finding]) {
    let mut target = None;
    for finding in findings {
        if target != Some(&finding.target) {
            say::data(&format!("{}{}{:#}", say::HEAD, finding.target, say::HEAD));
            target = Some(&finding.target);
        }
        match &finding.fault {
            None => say::data(&format!("  {}holds{:#}  {}", say::GOOD, say::GOOD, finding.what)),
            Some(fault) => {
                say::data(&format!("  {}fails{:#}  {}: {fault}", say::BAD, say::BAD, finding.what));
            }
        }
    }
    let failed = findings.iter().filter(|finding| finding.fault.is_some()).count();
    say::data(&format!("Verify: {} hold, {failed} fail.", findings.len() - failed));
}
