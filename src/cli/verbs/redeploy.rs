//! `redeploy`: a gateway from its box, or from any state, to production: reached and proven, set up until SSH is
//! there, applied, and waited for until its sensors are heard.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value as Json;

use super::apply::Heed;
use super::{Waited, apply};
use crate::cli::arguments::{Apply, Choice, Redeploy};
use crate::cli::audit::Account;
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::model::Target;
use crate::plan::Scope;
use crate::run::{self, Links, Person, Ready, RedeployOrder, Settled, Stopped, Survey, Watch, Workspace};

/// What a redeploy has to tell programs: one document, whatever it came to.
#[derive(Default)]
struct Report {
    stopped: Vec<Json>,
    apply: RefCell<Option<Json>>,
    settled: Option<Vec<Settled>>,
}

impl Report {
    fn document(self, exit: Exit) -> Json {
        serde_json::json!({
            "format_version": "1.0", "stopped": self.stopped, "apply": self.apply.into_inner(),
            "sensors": self.settled, "complete": exit == Exit::Done, "exit_code": exit.code(),
        })
    }
}

pub fn run(arguments: &Arguments, verb: &Redeploy) -> anyhow::Result<Exit> {
    let mut report = Report::default();
    let exit = redeploy(arguments, verb, &mut report)?;
    if arguments.json {
        let document = report.document(exit);
        say::data(&serde_json::to_string_pretty(&document).context("writing the result as JSON")?);
    }
    Ok(exit)
}

fn redeploy(arguments: &Arguments, verb: &Redeploy, report: &mut Report) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let names = names(&workspace, verb)?;
    let Some(lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let runtime = super::runtime()?;
    let mut account = Account::begin();
    names.iter().for_each(|name| account.target(&format!("gateway {name}")).changes = 1);
    let ends = match bring_up(arguments, verb, &workspace, &names, &runtime) {
        Some(ends) => ends,
        None => {
            account.end(arguments, &workspace, Exit::Interrupted);
            say::word("interrupted: nothing has to be undone, run it again");
            // A question to a person may still be open on another thread.
            runtime.shutdown_background();
            return Ok(Exit::Interrupted);
        }
    };
    let (ready, stopped) = sort(ends, report);
    runtime.shutdown_background();
    ready.iter().for_each(|one| account.target(&one.target.to_string()).done = 1);
    account.end(arguments, &workspace, stopped.unwrap_or(Exit::Done));
    if ready.is_empty() {
        return Ok(stopped.unwrap_or(Exit::Done));
    }
    let mut workspace = surroundings::workspace_again(arguments)?;
    for one in &ready {
        workspace.detour(one.target.clone(), one.address.clone(), one.interface.clone());
    }
    let workspace = Arc::new(workspace);
    let names = ready.iter().map(|one| format!("gateway/{}", one.target.name)).collect();
    let scope = Scope { names, ..Scope::default() };
    let applying = Apply {
        choice: Choice::default(),
        approve: None,
        max_delete: None,
        yes: verb.yes,
        // What came from its box has nothing to go back to: the next run goes on from here.
        no_rollback: true,
        confirm_within: 120,
    };
    let keep = |result| {
        report.apply.replace(Some(result));
        Ok(())
    };
    let heed = Heed { seen: &|survey| tell_states(&ready, survey), result: &keep };
    let applied = apply::on(arguments, &applying, &workspace, &scope, None, &heed)?;
    if applied != Exit::Done {
        return Ok(applied);
    }
    // Waiting for sensors takes its time and changes nothing here: others may work in the repository.
    drop(lock);
    let settled = settle(arguments, verb, &workspace, &ready, report)?;
    Ok(match settled {
        Exit::Done => stopped.unwrap_or(Exit::Done),
        other => other,
    })
}

/// The gateways meant, each once.
fn names(workspace: &Workspace, verb: &Redeploy) -> anyhow::Result<Vec<String>> {
    let qualified = |name: &String| format!("gateway/{}", name.strip_prefix("gateway/").unwrap_or(name));
    let scope = Scope { names: verb.names.iter().map(qualified).collect(), ..Scope::default() };
    let sites = workspace.sites(&scope)?;
    let gateways = sites.into_iter().map(|(site, _)| site.target).filter(|target| target.kind == "gateway");
    let names: Vec<String> = gateways.map(|target| target.name).collect();
    anyhow::ensure!(verb.at.is_none() || names.len() == 1, "`--at` is the address of one gateway: name one");
    Ok(names)
}

/// A person at a terminal, or one who said yes to everything before.
pub struct AtTerminal {
    /// What is asked was agreed to before.
    pub yes: bool,
    /// Somebody is there.
    pub can_ask: bool,
    /// What moves on the terminal meanwhile.
    pub progress: Arc<Progress>,
}

impl Person for AtTerminal {
    fn agrees(&self, question: &str) -> bool {
        self.yes || self.can_ask && self.progress.aside(|| say::confirm(question))
    }
}

/// How each gateway ended; `None` after Ctrl-C.
fn bring_up(
    arguments: &Arguments,
    verb: &Redeploy,
    workspace: &Arc<Workspace>,
    names: &[String],
    runtime: &tokio::runtime::Runtime,
) -> Option<Vec<(Target, Result<Ready, Stopped>)>> {
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let (yes, can_ask) = (verb.yes, say::can_ask(arguments.no_input));
    let person: Arc<dyn Person> = Arc::new(AtTerminal { yes, can_ask, progress: Arc::clone(&progress) });
    let order = RedeployOrder {
        at: verb.at.clone(),
        replacement: verb.replacement,
        upgrade: verb.upgrade,
        patience: Duration::from_secs(verb.patience.as_secs()),
    };
    let ends = runtime.block_on(async {
        tokio::select! {
            ends = run::bring_up(workspace, names, &order, &person, &watch) => Some(ends),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    progress.finish();
    ends
}

/// The gateways that are ready and, when some are not, the exit code for them.
fn sort(ends: Vec<(Target, Result<Ready, Stopped>)>, report: &mut Report) -> (Vec<Ready>, Option<Exit>) {
    let mut ready = Vec::new();
    let mut exit = None;
    for (target, end) in ends {
        match end {
            Ok(one) => ready.push(one),
            Err(stopped) => {
                tell_stopped(&target, &stopped);
                let Stopped { words, hint, guarded } = stopped;
                let code = if guarded { Exit::Refused } else { Exit::Failed };
                let row =
                    serde_json::json!({"target": target, "refused": guarded, "why": words, "hint": hint});
                report.stopped.push(row);
                exit = Some(if exit.is_none_or(|before| before == code) { code } else { Exit::Failed });
            }
        }
    }
    (ready, exit)
}

/// Says what is in a gateway's way.
pub fn tell_stopped(target: &Target, stopped: &Stopped) {
    let word = if stopped.guarded { "refused" } else { "error" };
    say::word(&format!("{}{word}:{:#} {target}: {}", say::BAD, say::BAD, stopped.words));
    stopped.hint.iter().for_each(|hint| say::hint(hint));
}

/// What the plan tells of a gateway beyond what it said itself.
fn tell_states(ready: &[Ready], survey: &Survey) {
    for one in ready {
        let changes = survey.plan.changes.iter().filter(|change| change.address.target == one.target);
        let changes: Vec<_> = changes.collect();
        let state = one.state.clone().with_plan(&changes);
        if state != one.state {
            say::word(&format!("{}: {state}", one.target));
        }
    }
}

fn settle(
    arguments: &Arguments,
    verb: &Redeploy,
    workspace: &Arc<Workspace>,
    ready: &[Ready],
    report: &mut Report,
) -> anyhow::Result<Exit> {
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let links = Arc::new(Links::default());
    let wait = match verb.no_wait {
        true => Some(Duration::ZERO),
        false => verb.wait.map(|wait| Duration::from_secs(wait.as_secs())),
    };
    let now = jiff::Timestamp::now();
    let settled = super::wait(async { Ok(run::settle(workspace, ready, wait, now, &links, &watch).await) })?;
    progress.finish();
    let Waited::Done(settled) = settled else { return Ok(Exit::Interrupted) };
    if !arguments.json {
        settled.iter().for_each(tell);
    }
    let good = |one: &Settled| one.fault.is_none() && (one.silent.is_empty() || verb.no_wait);
    let exit = if settled.iter().all(good) { Exit::Done } else { Exit::Failed };
    report.settled = Some(settled);
    Ok(exit)
}

/// Draws how a redeploy ended.
pub fn tell(settled: &Settled) {
    let Settled { target, expected, silent, fault } = settled;
    if let Some(fault) = fault {
        say::word(&format!("{}error:{:#} {target}: {fault}", say::BAD, say::BAD));
        return;
    }
    if *expected == 0 {
        return;
    }
    let heard = expected - silent.len();
    let style = if silent.is_empty() { say::GOOD } else { say::BAD };
    say::data(&format!("{style}{target}: {heard} of {} heard{style:#}", say::count(*expected, "sensor")));
    for one in silent {
        let since = match &one.since {
            Some(since) => format!("last heard {since}"),
            None => "not heard since it was set up".to_owned(),
        };
        say::data(&format!("  {:<24} {since}", one.sensor));
    }
}
