//! `pki`: the certificate authority, seen and worked by hand. `apply` does all of it by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::Waited;
use crate::cli::arguments::Pki;
use crate::cli::{Arguments, Exit, say, show, surroundings};
use crate::inventory::Inventory;
use crate::model::{Change, PLAN_FORMAT, Report, Step};
use crate::pki::{self, Row, State};
use crate::plan::Scope;
use crate::providers::pki as provider;
use crate::run::Workspace;

pub fn run(arguments: &Arguments, verb: &Pki) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let wanted: &dyn Fn(&Change) -> bool = match verb {
        Pki::Status => return status(arguments, &workspace),
        Pki::Init => &|change| change.address.key.collection == "authority",
        Pki::Issue { name } => {
            workspace.sites(&Scope { names: vec![format!("broker/{name}")], ..Scope::default() })?;
            &move |change| change.address.key.collection == "certificate" && change.address.key.name == *name
        }
    };
    carry_out(arguments, &Arc::new(workspace), wanted)
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
    let mut kept = Kept(Vec::new());
    let done = super::wait(crate::run::own_target(workspace, wanted, &mut kept))?;
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

fn status(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<Exit> {
    let now = jiff::Timestamp::now();
    let wished = wished(workspace.inventory())?;
    let authority = workspace.inventory().pki.as_ref().map(|pki| provider::renew_at(&pki.authority));
    let renew_at = authority.transpose().map_err(|fault| anyhow!(fault.message))?.unwrap_or_default();
    let root = pki::root_certificate(workspace.root())?;
    let rows = pki::status(workspace.root(), &wished, renew_at, now)?;
    if arguments.json {
        let result = serde_json::json!({
            "format_version": PLAN_FORMAT,
            "root": root.as_ref().map(|root| serde_json::json!({
                "name": root.name, "serial": root.serial, "days_left": root.days_left(now),
            })),
            "leaves": rows.iter().map(json).collect::<Vec<_>>(),
        });
        say::data(&serde_json::to_string_pretty(&result).context("writing the status as JSON")?);
    } else {
        match &root {
            Some(root) => say::data(&format!("root  {}, {} days left", root.name, root.days_left(now))),
            None => say::data("root  none yet: `rocade apply` or `rocade pki init` makes it"),
        }
        rows.iter().for_each(|row| say::data(&format!("leaf  {:<20} {}", row.name, words(&row.state))));
    }
    let good = root.is_some() && rows.iter().all(|row| is_good(&row.state));
    Ok(if good { Exit::Done } else { Exit::Pending })
}

fn wished(inventory: &Inventory) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let names = |broker: &crate::inventory::Broker| {
        pki::normal_names(broker.names.iter().map(|name| name.value.as_str()))
    };
    let brokers = inventory.brokers.iter();
    brokers.map(|(name, broker)| Ok((name.clone(), names(broker)?))).collect()
}

fn is_good(state: &State) -> bool {
    matches!(state, State::Held { due: false, foreign: false, wished_names: None, .. })
}

fn words(state: &State) -> String {
    match state {
        State::Missing => "not issued yet".to_owned(),
        State::Damaged(reason) => format!("cannot be read: {reason}"),
        State::Held { certificate, days_left, due, foreign, wished_names } => {
            let mut text = format!("{days_left} days left, for {}", certificate.names.join(", "));
            if *due {
                text.push_str("; to be renewed now");
            }
            if *foreign {
                text.push_str("; issued by another root");
            }
            match wished_names.as_deref() {
                Some([]) => text.push_str("; the inventory has no such broker"),
                Some(names) => text.push_str(&format!("; the inventory wishes {}", names.join(", "))),
                None => {}
            }
            text
        }
    }
}

fn json(row: &Row) -> serde_json::Value {
    let (serial, days_left) = match &row.state {
        State::Held { certificate, days_left, .. } => (Some(certificate.serial.clone()), Some(*days_left)),
        _ => (None, None),
    };
    serde_json::json!({
        "name": row.name, "good": is_good(&row.state), "serial": serial, "days_left": days_left,
        "state": words(&row.state),
    })
}
