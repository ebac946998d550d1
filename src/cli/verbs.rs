//! One file a verb.

mod apply;
mod call;
mod can;
mod decode;
mod dossier;
mod drift;
mod explain;
mod export;
mod fmt;
mod graph;
mod history;
mod import;
mod init;
mod lab;
mod lock;
mod pbx;
mod pki;
mod plan;
mod playbook;
mod redeploy;
pub mod report;
mod rollback;
mod secrets;
mod sensors;
mod shell;
mod trust;
mod validate;
mod verify;

use std::future::Future;

use anyhow::{Context, anyhow};

use super::arguments::Verb;
use super::{Arguments, Exit, say};
use crate::inventory::{At, Inventory, Pbx};

/// Does what the verb says.
///
/// # Errors
/// What went wrong, for [`super::surroundings::explain`].
pub fn dispatch(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.verb {
        Verb::Init(verb) => init::run(arguments, verb),
        Verb::Validate(verb) => validate::run(arguments, verb),
        Verb::Explain(verb) => explain::run(arguments, verb),
        Verb::Fmt(verb) => fmt::run(arguments, verb),
        Verb::Plan(verb) => plan::run(arguments, verb),
        Verb::Drift(verb) => drift::run(arguments, verb),
        Verb::History(verb) => history::run(arguments, verb),
        Verb::Dossier(verb) => dossier::run(arguments, verb),
        Verb::Apply(verb) => apply::run(arguments, verb),
        Verb::Redeploy(verb) => redeploy::run(arguments, verb),
        Verb::Rollback(verb) => rollback::run(arguments, verb),
        Verb::Lock(verb) => lock::run(arguments, verb),
        Verb::Verify(choice) => verify::run(arguments, choice),
        Verb::Sensors(verb) => sensors::run(arguments, verb),
        Verb::Pki(verb) => pki::run(arguments, verb),
        Verb::Secrets(verb) => secrets::run(arguments, verb),
        Verb::Trust(verb) => trust::run(arguments, verb),
        Verb::Call(verb) => call::run(arguments, verb),
        Verb::Can(verb) => can::run(arguments, verb),
        Verb::Graph(verb) => graph::run(arguments, verb),
        Verb::Import(verb) => import::run(arguments, verb),
        Verb::Export(verb) => export::run(arguments, verb),
        Verb::Pbx(verb) => pbx::run(arguments, verb),
        Verb::Decode(verb) => decode::run(arguments, verb),
        Verb::Playbook(verb) => playbook::run(arguments, verb),
        Verb::Report(verb) => report::run(verb),
        Verb::Schema { playbook } => shell::schema(*playbook),
        Verb::Lab(verb) => lab::run(arguments, verb),
        Verb::Completions { shell } => shell::completions(*shell),
        Verb::Complete(verb) => shell::complete(verb),
        Verb::Man { out } => shell::man(out.as_deref()),
    }
}

/// Runs a future to its end on a runtime of its own; Ctrl-C ends it at once with its exit code.
fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Waited<T>> {
    let runtime = runtime()?;
    let waited = runtime.block_on(async {
        tokio::select! {
            result = future => result.map(Waited::Done),
            _ = tokio::signal::ctrl_c() => {
                say::word("interrupted");
                Ok(Waited::Interrupted)
            }
        }
    });
    // What works on another thread, such as the look at a file or a name's address, is not waited for.
    runtime.shutdown_background();
    waited
}

/// Runs what changes hosts: the first Ctrl-C lets it come to its end and says so, the second leaves at once.
fn bring_to_end<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Waited<T>> {
    let runtime = runtime()?;
    let waited = runtime.block_on(async {
        tokio::pin!(future);
        let first = tokio::select! {
            result = &mut future => return result.map(Waited::Done),
            first = tokio::signal::ctrl_c() => first,
        };
        if first.is_ok() {
            say::word("stopping: what has begun is brought to its end; Ctrl-C again leaves at once");
        }
        tokio::select! {
            result = &mut future => result.map(Waited::Done),
            _ = tokio::signal::ctrl_c() => Ok(Waited::Interrupted),
        }
    });
    runtime.shutdown_background();
    waited
}

/// Asks a person; where none can be asked that is a no. Ctrl-C at the question is heard, also after an earlier
/// wait took its signal.
fn ask(arguments: &Arguments, question: &str) -> anyhow::Result<Waited<bool>> {
    if !say::can_ask(arguments.no_input) {
        return Ok(Waited::Done(false));
    }
    let question = question.to_owned();
    let asked = move || say::confirm(&question);
    wait(async { tokio::task::spawn_blocking(asked).await.context("asking") })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")
}

/// A result, or Ctrl-C.
enum Waited<T> {
    Done(T),
    Interrupted,
}

/// The telephone system of a name, with the name as the inventory has it.
fn telephone_system<'a>(inventory: &'a Inventory, name: &str) -> anyhow::Result<(&'a str, &'a At<Pbx>)> {
    let found = inventory.pbx.get_key_value(name).map(|(name, pbx)| (name.as_str(), pbx));
    found.ok_or_else(|| {
        let known: Vec<&str> = inventory.pbx.keys().map(String::as_str).collect();
        let has = if known.is_empty() { String::new() } else { format!("; it has: {}", known.join(", ")) };
        anyhow!("there is no `{name}` under `pbx` in the inventory{has}")
    })
}

/// The scope of a choice of targets.
fn scope(choice: &super::arguments::Choice) -> crate::plan::Scope {
    crate::plan::Scope {
        names: choice.names.clone(),
        only: choice.only.clone(),
        except: choice.except.clone(),
        shard: choice.shard,
    }
}
