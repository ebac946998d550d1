//! Differences and their causes as JSON. New keys may come; what is there keeps its meaning while
//! `format_version` begins with 1.

use serde_json::{Map, Value, json};

use super::Matter;
use crate::cli::verbs::report::with_shard;
use crate::cli::{audit, show};
use crate::model::Change;
use crate::plan::Cause;

/// One object.
pub fn draw(matter: &Matter<'_>) -> String {
    let plan = &matter.survey.plan;
    let count = |cause| plan.changes.iter().filter(|change| matter.drift.cause(change) == cause).count();
    let counts: Map<String, Value> =
        Cause::ALL.iter().map(|cause| (cause.word().to_owned(), count(*cause).into())).collect();
    let targets: Vec<Value> = plan
        .targets
        .iter()
        .map(|head| {
            let base = matter.drift.bases.get(&head.target);
            json!({
                "target": head.target,
                "title": head.title,
                "commit": base.and_then(|base| base.as_ref().ok()),
                "commit_unknown": base.and_then(|base| base.as_ref().err()),
                "last_apply": matter.applied.get(&head.target),
            })
        })
        .collect();
    let drift: Vec<Value> = plan.changes.iter().map(|change| one(matter, change)).collect();
    let whole = json!({
        "format_version": "1.0", "plan": plan.checksum, "counts": counts, "targets": targets, "drift": drift,
        "unread": plan.unread, "objections": plan.objections,
        "exit_code": matter.exit.code(),
    });
    let whole = with_shard(whole, matter.shard);
    format!("{whole:#}\n")
}

fn one(matter: &Matter<'_>, change: &Change) -> Value {
    let fields: Vec<&String> = change.after.iter().flat_map(|fields| fields.keys()).collect();
    json!({
        "address": change.address,
        "action": audit::word(change.action),
        "cause": matter.drift.cause(change).word(),
        "fields": fields,
        "summary": show::detail(change),
    })
}
