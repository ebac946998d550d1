//! `plan`: read, compare, show. Never writes to a target.

use anyhow::Context;

use super::{drift, report};
use crate::cli::arguments::{Plan, PlanForm};
use crate::cli::{Arguments, Exit, say};
use crate::model;
use crate::plan::Shard;

pub fn run(arguments: &Arguments, verb: &Plan) -> anyhow::Result<Exit> {
    let Some(looked) = drift::look(arguments, &verb.choice)? else { return Ok(Exit::Interrupted) };
    let plan = &looked.survey.plan;
    let shard = super::scope(&verb.choice).shard;
    if let Some(file) = &verb.out {
        let text = json(plan, shard)?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    let exit = exit(plan, verb.detailed_exitcode);
    let of = drift::Of { verb: "plan", exit, verbose: arguments.verbose };
    looked.reports(of, &verb.report)?;
    match verb.output {
        _ if arguments.json => say::data(&json(plan, shard)?),
        PlanForm::Json => say::data(&json(plan, shard)?),
        form => say::data(&looked.report(of, form)),
    }
    Ok(exit)
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
