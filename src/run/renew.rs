//! Certificates issued anew before their time. What is due, the next apply renews by itself.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::{Workspace, own_target};
use crate::model::{Action, Address, Change, Outcome, Period, Report};
use crate::pki::{self, Authority, LeafOrder, normal_names};

/// A leaf's life when the inventory does not say.
const LEAF_LIFETIME: Period = Period(365 * 86_400);

/// Issues the certificates of these brokers (of all, when none is named) anew; with `due` only those that are.
/// A certificate that is younger than `since` was issued by an earlier try and is left. Returns the names.
///
/// # Errors
/// When the repository's files cannot be read or written, or a broker is not in the inventory.
pub async fn renew(
    workspace: &Arc<Workspace>,
    names: &[String],
    due: bool,
    since: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let inventory = workspace.inventory();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| bare(n) == name);
    if let Some(name) = names.iter().find(|name| !inventory.brokers.contains_key(bare(name))) {
        anyhow::bail!("there is no `{name}` under `brokers` in the inventory");
    }
    let mut failed = Failed(None);
    let by_plan = |change: &Change| {
        let key = &change.address.key;
        key.collection == "certificate" && change.action != Action::Delete && wanted(&key.name)
    };
    let done = own_target(workspace, &by_plan, &mut failed).await?;
    if let Some(fault) = failed.0 {
        return Err(anyhow!(fault));
    }
    let mut renewed: Vec<String> = done.into_iter().map(|change| change.address.key.name).collect();
    if !due {
        let left = inventory.brokers.keys().filter(|name| wanted(name) && !renewed.contains(name));
        let left: Vec<String> = left.cloned().collect();
        for name in left {
            if issue(workspace, &name, since, now)? {
                renewed.push(name);
            }
        }
    }
    renewed.sort();
    Ok(renewed)
}

fn bare(name: &str) -> &str {
    name.strip_prefix("broker/").unwrap_or(name)
}

/// Issues a leaf anew, unless it is younger than `since`.
fn issue(workspace: &Workspace, name: &str, since: Timestamp, now: Timestamp) -> anyhow::Result<bool> {
    let inventory = workspace.inventory();
    let (Some(broker), Some(section)) = (inventory.brokers.get(name), &inventory.pki) else {
        return Ok(false);
    };
    let authority = Authority::load(workspace.root())?.context("there is no root certificate yet")?;
    let held = pki::leaf_certificate(workspace.root(), name)?;
    // Certificates have whole seconds.
    let issued = held.map(|held| held.not_before.as_second() + pki::BACKDATED_SECONDS);
    if issued.is_some_and(|issued| issued > since.as_second()) {
        return Ok(false);
    }
    let names = normal_names(broker.names.iter().map(|name| name.value.as_str()))?;
    let lifetime = section.authority.leaf_lifetime.as_ref().map_or(LEAF_LIFETIME, |at| *at.value);
    let order = LeafOrder {
        name,
        names: &names,
        client: false,
        lifetime,
        now,
        why: "renewal by a playbook",
        by: workspace.person(),
    };
    authority.issue(&order, workspace.store())?;
    Ok(true)
}

/// Keeps the first change that did not go well.
struct Failed(Option<String>);

impl Report for Failed {
    fn step(&mut self, address: &Address, outcome: Outcome) {
        if let Outcome::Failed(why) | Outcome::NotStarted(why) | Outcome::Unknown(why) = outcome {
            self.0.get_or_insert_with(|| format!("{address}: {why}"));
        }
    }
}
