//! `rollback`: puts hosts back to what they were before an apply, and checks that they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Waited;
use crate::cli::arguments::Rollback;
use crate::cli::audit::Account;
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::run::{self, Links, Shelved, Terms, Undone, Watch};

pub fn run(arguments: &Arguments, verb: &Rollback) -> anyhow::Result<Exit> {
    let scope = super::scope(&verb.choice);
    let workspace = surroundings::workspace(arguments)?;
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let links = Arc::new(Links::default());
    let shelved = super::wait(run::shelved(&workspace, &scope, &links))?;
    let Waited::Done(shelved) = shelved else { return Ok(Exit::Interrupted) };
    let names: BTreeSet<&String> = shelved.iter().flat_map(|one| one.kept.keys()).collect();
    let Some(to) = verb.to.as_ref().or(names.last().copied()) else {
        say::word("Nothing is kept on these hosts: nothing to put back.");
        return Ok(Exit::Done);
    };
    if !names.contains(to) {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let known = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        say::word(&format!("{}error:{:#} nothing is kept as {to}; kept: {known}", say::BAD, say::BAD));
        return Ok(Exit::Usage);
    }
    if !arguments.json {
        shelved.iter().for_each(|one| show(one, to));
    }
    if !verb.yes {
        let question = format!("Put this back to what it was before {to}?");
        let Waited::Done(agreed) = super::ask(arguments, &question)? else { return Ok(Exit::Interrupted) };
        if !agreed {
            say::word(&format!("{}refused:{:#} not approved; say --yes", say::BAD, say::BAD));
            return Ok(Exit::Refused);
        }
    }
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    // The connections of the first look ended with it.
    let links = Arc::new(Links::default());
    let mut account = Account::begin();
    let written = shelved.iter().filter(|one| one.kept.keys().any(|name| name >= to));
    written.for_each(|one| account.target(&one.target.to_string()).changes = 1);
    let undone =
        super::bring_to_end(run::roll_back(&workspace, &scope, &links, &watch, to, Terms::default()));
    progress.finish();
    let Waited::Done(undone) = undone? else {
        account.end(arguments, &workspace, Exit::Interrupted);
        return Ok(Exit::Interrupted);
    };
    for one in undone.iter().filter(|one| one.ended.is_ok()) {
        let part = account.target(&one.target.to_string());
        part.done = part.changes;
    }
    let failed = undone.iter().any(|one| one.ended.is_err());
    account.end(arguments, &workspace, if failed { Exit::Failed } else { Exit::Done });
    tell(arguments, to, &undone)
}

/// What would be put back on a host.
fn show(one: &Shelved, to: &str) {
    let things: BTreeSet<&String> =
        one.kept.iter().filter(|(name, _)| name.as_str() >= to).flat_map(|(_, things)| things).collect();
    say::data(&format!("{}{}{:#}", say::HEAD, one.target, say::HEAD));
    for thing in &things {
        say::data(&format!("  < {thing}"));
    }
    if things.is_empty() {
        say::data("  nothing was changed there since");
    }
}

fn tell(arguments: &Arguments, to: &str, undone: &[Undone]) -> anyhow::Result<Exit> {
    if arguments.json {
        let rows: Vec<_> = undone
            .iter()
            .map(|one| match &one.ended {
                Ok(back) => serde_json::json!({"target": one.target, "put_back": back}),
                Err(fault) => serde_json::json!({"target": one.target, "error": format!("{fault:#}")}),
            })
            .collect();
        let all = serde_json::json!({"format_version": "1.0", "to": to, "targets": rows});
        say::data(&serde_json::to_string_pretty(&all)?);
    }
    let mut exit = Exit::Done;
    for one in undone {
        match &one.ended {
            Ok(back) if !arguments.json => {
                let back = say::count(back.len(), "thing");
                say::data(&format!("{}: {back} put back, read again and found as it was.", one.target));
            }
            Ok(_) => {}
            Err(fault) => {
                exit = Exit::Failed;
                say::word(&format!("{}error:{:#} {}: {fault:#}", say::BAD, say::BAD, one.target));
            }
        }
    }
    if exit == Exit::Done && !arguments.json {
        say::word("Packages and certificates stay. A PBX is put back with `rocade pbx restore`.");
    }
    Ok(exit)
}
