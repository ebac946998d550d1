//! `playbook`: ordered steps, looked at, done, gone on with.

mod desk;
mod show;

use std::sync::atomic::Ordering;

use self::desk::Desk;
use crate::cli::arguments::{Consent, Playbook, Resume, RunBook};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::inventory::playbook::{Book, Books, load};
use crate::plan::{Approval, Shard};
use crate::playbook::{Checkpoint, Course, End, Order, Unfit, checkpoint_file, checkpoints, outline};
use crate::run::{Refused, Stop, Workspace};

/// The version of the form of results.
const FORMAT: &str = "1.0";

pub fn run(arguments: &Arguments, verb: &Playbook) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let books = load(workspace.root(), Some(workspace.inventory()));
    match verb {
        Playbook::List => show::list(arguments, &books, &checkpoints(workspace.root())?),
        Playbook::Show { name } => show::show(arguments, taken(&books, name)?),
        Playbook::Plan(given) => plan(arguments, taken(&books, &given.name)?, &given.given, given.shard),
        Playbook::Run(verb) if verb.dry_run => {
            let given = &verb.given;
            plan(arguments, taken(&books, &given.name)?, &given.given, given.shard)
        }
        Playbook::Run(verb) => begin(arguments, taken(&books, &verb.given.name)?, &workspace, verb),
        Playbook::Resume(verb) => resume(arguments, &books, &workspace, verb),
    }
}

fn taken<'a>(books: &'a Books, name: &str) -> anyhow::Result<&'a Book> {
    Ok(books.take(name).map_err(|report| Refused::Inventory(Box::new(report)))?)
}

fn plan(arguments: &Arguments, book: &Book, given: &[String], shard: Option<Shard>) -> anyhow::Result<Exit> {
    let desk = Desk::new(arguments, false);
    let order = Order { given: given.to_vec(), shard, ..Order::default() };
    let runtime = super::runtime()?;
    let outlined = runtime.block_on(async {
        tokio::select! {
            outlined = outline(book, &order, &desk) => Some(outlined),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    desk.clear();
    match outlined {
        None => Ok(Exit::Interrupted),
        Some(Err(unfit)) => told(unfit),
        Some(Ok(steps)) => {
            if arguments.json {
                let result = serde_json::json!({
                    "format_version": FORMAT, "playbook": book.name, "steps": steps,
                    "plan": desk.plan(), "exit_code": Exit::Done.code(),
                });
                say::data(&serde_json::to_string_pretty(&super::report::with_shard(result, shard))?);
            }
            Ok(Exit::Done)
        }
    }
}

fn approval(consent: &Consent) -> Approval {
    if consent.yes { Approval::all() } else { consent.approve.clone().unwrap_or_default() }
}

fn begin(arguments: &Arguments, book: &Book, workspace: &Workspace, verb: &RunBook) -> anyhow::Result<Exit> {
    let shard = verb.given.shard;
    let file = checkpoint_file(workspace.root(), &book.name, shard);
    let Some(_lock) = lock::of_playbook(&file)? else { return Ok(Exit::Locked) };
    let order = Order {
        given: verb.given.given.clone(),
        shard,
        approval: approval(&verb.consent),
        anew: verb.anew,
        ..Order::default()
    };
    let desk = Desk::new(arguments, verb.consent.yes);
    let stop = Stop::default();
    match Course::begin(book, &order, &desk, &stop) {
        Ok(course) => go(arguments, course, &desk, &stop, shard),
        Err(unfit) => told(unfit),
    }
}

fn resume(
    arguments: &Arguments,
    books: &Books,
    workspace: &Workspace,
    verb: &Resume,
) -> anyhow::Result<Exit> {
    let standing: Vec<Checkpoint> =
        checkpoints(workspace.root())?.into_iter().filter(|checkpoint| !checkpoint.ended).collect();
    let of_shard = verb.shard.map(|shard| shard.to_string());
    let mut names: Vec<&str> = standing
        .iter()
        .filter(|checkpoint| checkpoint.shard == of_shard)
        .map(|checkpoint| checkpoint.playbook.as_str())
        .collect();
    names.extend(verb.name.as_deref());
    let name = match (&verb.name, names.as_slice()) {
        (Some(name), _) => name.as_str(),
        (None, [name]) => name,
        (None, []) => {
            let shards: Vec<&str> = standing.iter().filter_map(|one| one.shard.as_deref()).collect();
            let hint =
                if shards.is_empty() { String::new() } else { format!(" (shards: {})", shards.join(", ")) };
            say::word(&format!("no playbook stands anywhere: there is nothing to go on with{hint}"));
            return Ok(Exit::Done);
        }
        (None, several) => {
            say::word(&format!("error: several playbooks stand; name one: {}", several.join(", ")));
            return Ok(Exit::Usage);
        }
    };
    let book = taken(books, name)?;
    let file = checkpoint_file(workspace.root(), name, verb.shard);
    let Some(_lock) = lock::of_playbook(&file)? else { return Ok(Exit::Locked) };
    let order = Order {
        shard: verb.shard,
        approval: approval(&verb.consent),
        changed: verb.changed,
        confirmed: verb.confirmed,
        ..Order::default()
    };
    let desk = Desk::new(arguments, verb.consent.yes);
    let stop = Stop::default();
    match Course::resume(book, &order, &desk, &stop) {
        Ok(course) => go(arguments, course, &desk, &stop, verb.shard),
        Err(unfit) => told(unfit),
    }
}

/// Says why a playbook is not begun.
fn told(unfit: Unfit) -> anyhow::Result<Exit> {
    match unfit {
        Unfit::Fault(fault) => Err(fault),
        Unfit::Words(faults) => {
            faults.iter().for_each(|fault| say::word(&format!("{}error:{:#} {fault}", say::BAD, say::BAD)));
            Ok(Exit::Usage)
        }
        Unfit::Guard(words, hint) => {
            say::word(&format!("{}refused:{:#} {words}", say::BAD, say::BAD));
            say::hint(&hint);
            Ok(Exit::Refused)
        }
    }
}

/// Does the steps with two kinds of Ctrl-C: the first brings the wave to its end, the second leaves at once. Either
/// way `resume` goes on.
fn go(
    arguments: &Arguments,
    mut course: Course<'_>,
    desk: &Desk<'_>,
    stop: &Stop,
    shard: Option<Shard>,
) -> anyhow::Result<Exit> {
    let runtime = super::runtime()?;
    let end = runtime.block_on(async {
        let work = course.go();
        tokio::pin!(work);
        let first = tokio::select! {
            end = &mut work => return Some(end),
            first = tokio::signal::ctrl_c() => first,
        };
        if first.is_ok() {
            say::word("stopping: what has begun is brought to its end; Ctrl-C again leaves at once");
            stop.store(true, Ordering::Relaxed);
        }
        tokio::select! {
            end = &mut work => Some(end),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    desk.clear();
    // A question to a person may still be open on another thread.
    runtime.shutdown_background();
    let (end, fault) = match end {
        None => {
            desk.left();
            (End::Interrupted, None)
        }
        Some(Ok(end)) => (end, None),
        Some(Err(fault)) => (End::Failed(format!("{fault:#}"), false), Some(fault)),
    };
    let code = fault.as_ref().map_or_else(|| exit(&end), surroundings::explain);
    if arguments.json {
        let checkpoint = course.checkpoint();
        let result = serde_json::json!({
            "format_version": FORMAT, "playbook": checkpoint.playbook, "with": checkpoint.with,
            "steps": course.records(), "failures": checkpoint.failures, "complete": checkpoint.ended,
            "stopped": checkpoint.stopped, "exit_code": code.code(),
        });
        say::data(&serde_json::to_string_pretty(&super::report::with_shard(result, shard))?);
    }
    show::end(course.checkpoint(), &end, fault.is_some(), shard);
    Ok(code)
}

fn exit(end: &End) -> Exit {
    match end {
        End::Done => Exit::Done,
        End::DoneInPart | End::Failed(_, true) => Exit::Partial,
        End::Gate(_) | End::Refused(_) => Exit::Refused,
        End::Failed(_, false) => Exit::Failed,
        End::Pending(_) => Exit::Pending,
        End::Locked(_) => Exit::Locked,
        End::Interrupted => Exit::Interrupted,
    }
}
