//! One file a verb.

mod apply;
mod call;
mod can;
mod decode;
mod dossier;
mod drift;
mod explain;
mod export;
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
        Verb::Man { out } => shell::man(out.as_deref()),
    }
}

/// Runs a future to its end on a runtime of its own; Ctrl-C ends it at once with its exit code.
fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Waited<T>> {
    runtime()?.block_on(async {
        tokio::select! {
            result = future => result.map(Waited::Done),
            _ = tokio::signal::ctrl_c() => {
                say::word("interrupted");
                Ok(Waited::Interrupted)
            }
        }
    })
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
