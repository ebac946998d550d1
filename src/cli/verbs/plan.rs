//! `plan`: read, compare, show. Never writes to a target.

use std::sync::Arc;

use anyhow::Context;

use super::{Waited, report};
use crate::cli::arguments::Plan;
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, say, show, surroundings};
use crate::model;
use crate::plan::Shard;
use crate::run::{self, Links, Watch};

pub fn run(arguments: &Arguments, verb: &Plan) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let progress = Arc::new(Progress::new(arguments.json));
    let scope = super::scope(&verb.choice);
    let links = Arc::new(Links::default());
    let watch: Arc<dyn Watch> = progress.clone();
    let survey = super::wait(async { Ok(run::survey(&workspace, &scope, &links, &watch).await?) });
    progress.finish();
    let Waited::Done(survey) = survey? else { return Ok(Exit::Interrupted) };
    if let Some(file) = &verb.out {
        let text = json(&survey.plan, scope.shard)?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    if arguments.json {
        say::data(&json(&survey.plan, scope.shard)?);
    } else {
        say::data(&show::plan(&survey.plan, arguments.verbose));
    }
    Ok(exit(&survey.plan, verb.detailed_exitcode))
}

fn exit(plan: &model::Plan, detailed: bool) -> Exit {
    if !plan.unread.is_empty() {
        Exit::Failed
    } else if !plan.objections.is_empty() {
        Exit::Refused
    } else if detailed && !plan.changes.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

/// The plan's JSON form.
pub fn json(plan: &model::Plan, shard: Option<Shard>) -> anyhow::Result<String> {
    let plan = serde_json::to_value(plan).context("writing the plan as JSON")?;
    let plan = report::with_shard(plan, shard);
    let mut text = serde_json::to_string_pretty(&plan).context("writing the plan as JSON")?;
    text.push('\n');
    Ok(text)
}
