//! `pki`: the certificate authority, seen and worked by hand. `apply` does most of it by itself.

mod carried;
mod easyrsa;
mod rotate;
mod status;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::Waited;
use crate::cli::arguments::{Pki, PkiRevoke};
use crate::cli::{Arguments, Exit, lock, say, show, surroundings};
use crate::model::{Change, PLAN_FORMAT, Report, Step};
use crate::pki;
use crate::plan::Scope;
use crate::providers;
use crate::repository;
use crate::run::Workspace;

pub fn run(arguments: &Arguments, verb: &Pki) -> anyhow::Result<Exit> {
    // The machine with the root's key has no repository.
    if let Pki::Sign(order) = verb {
        return carried::sign(arguments, order);
    }
    let workspace = surroundings::workspace(arguments)?;
    let wanted: &dyn Fn(&Change) -> bool = match verb {
        Pki::Status(status) => return status::status(arguments, &workspace, status),
        Pki::Csr(out) => return carried::csr(&workspace, out),
        Pki::Import { certificate } => return carried::import(&workspace, certificate),
        Pki::ImportEasyrsa { folder } => return easyrsa::import(arguments, &workspace, folder),
        Pki::Rotate(stage) => return rotate::run(arguments, &Arc::new(workspace), stage),
        Pki::Revoke(order) => return revoke(arguments, workspace, order),
        Pki::Sign(_) => unreachable!("answered above"),
        Pki::Init => &|change| ["authority", "issuing"].contains(&change.address.key.collection.as_str()),
        Pki::Crl => &|change| change.address.key.collection == "crl",
        Pki::Issue { name } => {
            if !providers::mosquitto::certified_relays(workspace.inventory()).contains(name) {
                workspace.sites(&Scope { names: vec![format!("broker/{name}")], ..Scope::default() })?;
            }
            &move |change| change.address.key.collection == "certificate" && change.address.key.name == *name
        }
    };
    carry_out(arguments, &Arc::new(workspace), wanted)
}

/// Revokes, then makes the list that says so.
fn revoke(arguments: &Arguments, workspace: Workspace, order: &PkiRevoke) -> anyhow::Result<Exit> {
    let entry = {
        let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
        let now = jiff::Timestamp::now();
        let person = workspace.person();
        let entry = pki::revoke(workspace.root(), &order.certificate, &order.reason, person, now)?;
        say::word(&format!("revoked {} ({}): {}", entry.name, entry.serial, entry.why));
        entry
    };
    let workspace = Arc::new(workspace);
    let ended = carry_out(arguments, &workspace, &|change| change.address.key.collection == "crl")?;
    if ended == Exit::Done && !pki::is_told(workspace.root(), &entry)? {
        bail!("no list says so: the key that signed it is not in pki/, and brokers go on letting it in");
    }
    if ended == Exit::Done {
        say::hint(
            "`rocade apply` gives the list to the brokers, and a new certificate to who is still wished",
        );
    }
    Ok(ended)
}

/// Writes a text that is nobody's secret to a file, or shows it.
fn put(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match out {
        // A bare name has no folder of its own.
        Some(file) => repository::replace(&Path::new(".").join(file), text.as_bytes()),
        None => {
            say::data(text.trim_end());
            Ok(())
        }
    }
}

/// Carries out those changes of the authority's own plan that are wanted.
fn carry_out(
    arguments: &Arguments,
    workspace: &Arc<Workspace>,
    wanted: &dyn Fn(&Change) -> bool,
) -> anyhow::Result<Exit> {
    struct Kept(Vec<Step>);
    impl Report for Kept {
        fn step(&mut self, address: &crate::model::Address, outcome: crate::model::Outcome) {
            self.0.push(Step { address: address.clone(), outcome });
        }
    }
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let mut kept = Kept(Vec::new());
    let wanted = crate::run::Wanted { planned: wanted, due: &|_| false };
    let done = super::wait(crate::run::own_target(workspace, &wanted, &mut kept))?;
    let Waited::Done(left) = done else { return Ok(Exit::Interrupted) };
    if kept.0.is_empty() && left.is_empty() && !arguments.json {
        say::word("It is there already and as wished.");
        return Ok(Exit::Done);
    }
    if arguments.json {
        let result = serde_json::json!({ "format_version": PLAN_FORMAT, "steps": kept.0 });
        say::data(&serde_json::to_string_pretty(&result).context("writing the result as JSON")?);
    } else {
        say::data(&show::steps(&kept.0, true));
    }
    let good = kept.0.iter().all(|step| step.outcome == crate::model::Outcome::Done);
    Ok(if good { Exit::Done } else { Exit::Failed })
}
