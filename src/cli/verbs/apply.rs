//! `apply`: plan again, refuse what is not the plan given, ask, carry out, read again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use serde_json::Value as Json;

use super::{Waited, report};
use crate::cli::arguments::Apply;
use crate::cli::audit::{self, Account};
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, lock, say, show, surroundings};
use crate::model::{PLAN_FORMAT, Plan, Target};
use crate::plan::{Approval, Guard, Scope, Shard};
use crate::run::{self, Applied, Consent, Links, Stop, Survey, Terms, Unfinished, Watch, Workspace};

pub fn run(arguments: &Arguments, verb: &Apply) -> anyhow::Result<Exit> {
    let (scope, given) = scope_and_plan(verb)?;
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let heed = Heed { seen: &|_| (), result: &print };
    on(arguments, verb, &workspace, &scope, given.as_deref(), &heed)
}

/// Who hears what an apply has to say.
pub struct Heed<'a> {
    /// Is shown what was read and planned.
    pub seen: &'a dyn Fn(&Survey),
    /// Is given the result for programs, when that is asked for.
    pub result: &'a dyn Fn(Json) -> anyhow::Result<()>,
}

fn print(result: Json) -> anyhow::Result<()> {
    say::data(&serde_json::to_string_pretty(&result).context("writing the result as JSON")?);
    Ok(())
}

/// The same on an open repository whose lock is held.
pub fn on(
    arguments: &Arguments,
    verb: &Apply,
    workspace: &Arc<Workspace>,
    scope: &Scope,
    given: Option<&str>,
    heed: &Heed<'_>,
) -> anyhow::Result<Exit> {
    let died = run::unfinished(workspace.root())?;
    died.iter().for_each(|last| say::word(&unfinished(last)));
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let links = Arc::new(Links::default());
    let runtime = super::runtime()?;
    let read = || runtime.block_on(interruptible(run::survey(workspace, scope, &links, &watch)));
    let Waited::Done(survey) = read() else { return Ok(Exit::Interrupted) };
    progress.finish();
    let mut survey = survey?;
    (heed.seen)(&survey);
    if !arguments.json {
        let traces = runtime.block_on(links.traces());
        // What cannot be told of the past does not hold up what is wanted now.
        let past = crate::repository::audit::read(workspace.root()).unwrap_or_default();
        let drift = super::drift::explain(arguments, workspace, &survey, &traces, &past);
        say::data(&show::explained(&survey.plan, &drift, arguments.verbose));
    }
    match asked(&survey, given, verb, arguments) {
        Err(refusal) => return Ok(refuse(&refusal)),
        Ok(Consented::Before) => {}
        Ok(Consented::Interrupted) => return Ok(Exit::Interrupted),
        Ok(Consented::Now) => {
            runtime.block_on(links.drop_lost());
            let Waited::Done(now) = read() else { return Ok(Exit::Interrupted) };
            let now = now?;
            if now.plan.checksum != survey.plan.checksum {
                return Ok(refuse(
                    "a target changed while you were deciding; nothing was changed, plan again",
                ));
            }
            survey = now;
        }
    }
    died.iter().for_each(|last| audit::unfinished(workspace, last));
    if survey.plan.changes.is_empty() {
        return nothing_to_do(arguments, &survey, scope.shard, heed);
    }
    let progress = Arc::new(Progress::new(arguments.json));
    let confirm = std::time::Duration::from_secs(verb.confirm_within.into());
    let terms = Terms { rollback: !verb.no_rollback, confirm };
    let mut account = Account::of_plan(&survey.plan);
    let applied = runtime.block_on(carry_out(workspace, survey, scope, &links, &progress, terms));
    progress.finish();
    let Some((applied, stopped)) = applied? else {
        account.end(arguments, workspace, Exit::Interrupted);
        return Ok(Exit::Interrupted);
    };
    account.steps(&applied.steps);
    let exit = exit(&applied, stopped);
    account.end(arguments, workspace, exit);
    show_result(arguments, &applied, Ended { exit, shard: scope.shard }, heed)?;
    what_stays(&applied, arguments.json);
    Ok(exit)
}

/// Says what an apply leaves: what can be put back, and the lock that stood in its way.
fn what_stays(applied: &Applied, json: bool) {
    if let Some(kept) = applied.kept.as_ref().filter(|_| !json) {
        say::word(&format!(
            "What was there is kept on the hosts; to put it back: rocade rollback --to {kept}"
        ));
    }
    if let Some(locked) = &applied.locked {
        say::word(&format!("{}error:{:#} {locked}", say::BAD, say::BAD));
        say::hint("rocade lock show");
    }
}

/// How a run of so many shares of the targets ended.
struct Ended {
    exit: Exit,
    shard: Option<Shard>,
}

/// What became of an apply that died.
fn unfinished(last: &Unfinished) -> String {
    let target = |(target, (done, all)): (&String, &(usize, usize))| {
        format!("{target} ({done} of {all} changes confirmed)")
    };
    let targets: Vec<String> = last.targets.iter().map(target).collect();
    let targets = if targets.is_empty() { "nothing".to_owned() } else { targets.join(", ") };
    format!(
        "The last apply ({}, {}) did not come to its end; it had begun: {targets}. Reading again.",
        last.by, last.apply
    )
}

/// The choice of targets and, when a name ends in `.json`, the checksum of the plan it holds. Without another
/// choice it is that plan's own targets.
fn scope_and_plan(verb: &Apply) -> anyhow::Result<(Scope, Option<String>)> {
    let is_plan = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "json");
    let (files, names): (Vec<_>, Vec<_>) = verb.choice.names.iter().cloned().partition(is_plan);
    let mut scope = Scope { names, ..super::scope(&verb.choice) };
    let [file] = files.as_slice() else {
        anyhow::ensure!(files.is_empty(), "only one plan can be applied at a time");
        return Ok((scope, None));
    };
    let given = Given::read(Path::new(file))?;
    if scope.is_all() {
        scope.names =
            given.targets.iter().map(|head| format!("{}/{}", head.target.kind, head.target.name)).collect();
    }
    Ok((scope, Some(given.checksum)))
}

/// What is needed of a plan written by `plan --out`.
#[derive(serde::Deserialize)]
struct Given {
    format_version: String,
    checksum: String,
    targets: Vec<Head>,
}

#[derive(serde::Deserialize)]
struct Head {
    target: Target,
}

impl Given {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("reading the plan {}", file.display()))?;
        let given: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is not a plan", file.display()))?;
        let version = &given.format_version;
        if version.split('.').next() != PLAN_FORMAT.split('.').next() {
            bail!("{} has format {version}; this rocade reads {PLAN_FORMAT}", file.display());
        }
        Ok(given)
    }
}

/// Whether a person was asked, who took a moment: what was read may have changed since. Or why it may not be
/// carried out.
fn asked(
    survey: &Survey,
    given: Option<&str>,
    verb: &Apply,
    arguments: &Arguments,
) -> Result<Consented, String> {
    let guard = Guard { max_delete: verb.max_delete };
    let approval = if verb.yes { Approval::all() } else { verb.approve.clone().unwrap_or_default() };
    let open = match run::consent(survey, given, &guard, &approval)? {
        Consent::Given => return Ok(Consented::Before),
        Consent::Needed(open) => open,
    };
    if !say::can_ask(arguments.no_input) {
        return Err(format!("{open} changes are not approved; say --yes or --approve, or run on a terminal"));
    }
    let question = format!("Carry out {} changes?", survey.plan.changes.len());
    match super::ask(arguments, &question).map_err(|fault| fault.to_string())? {
        Waited::Done(true) => Ok(Consented::Now),
        Waited::Done(false) => Err("you said no; nothing was changed".into()),
        Waited::Interrupted => Ok(Consented::Interrupted),
    }
}

/// When a plan was agreed to.
enum Consented {
    /// By the command line, or it needs nobody.
    Before,
    /// By a person, who took their time.
    Now,
    /// Ctrl-C at the question.
    Interrupted,
}

fn refuse(reason: &str) -> Exit {
    say::word(&format!("{}refused:{:#} {reason}", say::BAD, say::BAD));
    Exit::Refused
}

fn nothing_to_do(
    arguments: &Arguments,
    survey: &Survey,
    shard: Option<Shard>,
    heed: &Heed<'_>,
) -> anyhow::Result<Exit> {
    let exit = if survey.plan.unread.is_empty() { Exit::Done } else { Exit::Failed };
    if arguments.json {
        let result = serde_json::json!({
            "format_version": PLAN_FORMAT, "plan": survey.plan, "steps": [], "after": null,
            "complete": survey.plan.unread.is_empty(), "exit_code": exit.code(),
        });
        (heed.result)(report::with_shard(result, shard))?;
    }
    Ok(exit)
}

async fn interruptible<T>(future: impl Future<Output = T>) -> Waited<T> {
    tokio::select! {
        result = future => Waited::Done(result),
        _ = tokio::signal::ctrl_c() => Waited::Interrupted,
    }
}

/// Carries out with two kinds of Ctrl-C: the first lets what runs come to its end and starts nothing new,
/// the second leaves at once (`None`): what was sent is found by the next plan.
async fn carry_out(
    workspace: &Arc<Workspace>,
    survey: Survey,
    scope: &Scope,
    links: &Arc<Links>,
    progress: &Arc<Progress>,
    terms: Terms,
) -> anyhow::Result<Option<(Applied, bool)>> {
    let stop = Stop::default();
    let watch: Arc<dyn Watch> = progress.clone();
    let work = run::carry_out(workspace, survey, scope, links, &watch, &stop, terms);
    tokio::pin!(work);
    let first = tokio::select! {
        applied = &mut work => return Ok(Some((applied?, false))),
        first = tokio::signal::ctrl_c() => first,
    };
    if first.is_ok() {
        say::word("stopping: what has begun is brought to its end; Ctrl-C again leaves at once");
        stop.store(true, Ordering::Relaxed);
    }
    tokio::select! {
        applied = &mut work => Ok(Some((applied?, true))),
        _ = tokio::signal::ctrl_c() => Ok(None),
    }
}

fn show_result(
    arguments: &Arguments,
    applied: &Applied,
    ended: Ended,
    heed: &Heed<'_>,
) -> anyhow::Result<()> {
    if arguments.json {
        let result = serde_json::json!({
            "format_version": PLAN_FORMAT, "plan": applied.plan, "steps": applied.steps, "after": applied.after,
            "complete": applied.is_complete() && applied.unread().is_empty(), "exit_code": ended.exit.code(),
        });
        return (heed.result)(report::with_shard(result, ended.shard));
    }
    tell(applied, arguments.verbose);
    Ok(())
}

/// Draws how an apply ended.
pub fn tell(applied: &Applied, verbose: bool) {
    say::data(&show::applied(applied, verbose));
    if applied.is_rolled_back() {
        say::word("What was changed was put back and read again; `rocade plan` shows what is left to do.");
        return;
    }
    if applied.after.is_none() {
        say::word("It could not be read again whether all is as wished: see `rocade plan`.");
    }
    let as_wished = |after: &&Plan| after.changes.is_empty() && after.unread.is_empty();
    if let Some(after) = applied.after.as_ref().filter(|after| !as_wished(after)) {
        say::data("Read again, and this is still not as wished:");
        say::data(&show::plan(after, verbose));
    }
}

/// The exit code of an apply.
pub fn exit(applied: &Applied, stopped: bool) -> Exit {
    match (applied.is_complete(), applied.touched()) {
        _ if applied.is_rolled_back() => Exit::RolledBack,
        (false, false) if applied.locked.is_some() => Exit::Locked,
        (true, _) if !applied.unread().is_empty() => Exit::Partial,
        (true, _) => Exit::Done,
        (false, _) if stopped => Exit::Interrupted,
        (false, true) => Exit::Partial,
        (false, false) => Exit::Failed,
    }
}
