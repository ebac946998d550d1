//! Certificates issued anew before their time. What is due, the next apply renews by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::anyhow;
use jiff::Timestamp;

use super::{Wanted, Workspace, own_target};
use crate::model::{Action, Address, Change, Outcome, Report};
use crate::pki;
use crate::providers::mosquitto::{certified_relays, relay_user};

/// Which certificates are issued anew.
#[derive(Clone, Debug, Default)]
pub struct Renewal {
    /// Those of these brokers and gateways; of all brokers when none is named.
    pub names: Vec<String>,
    /// Those of all relays that have one, too.
    pub relays: bool,
    /// Only those that are due.
    pub due: bool,
}

/// Issues certificates anew, as the next apply would if they were due: with their present names and lifetime, by the
/// issuer there is. A certificate that is younger than `since` was issued by an earlier try and is left. Returns the
/// names.
///
/// # Errors
/// When the repository's files cannot be read or written, or what is named has no certificate.
pub async fn renew(
    workspace: &Arc<Workspace>,
    renewal: &Renewal,
    since: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let chosen = chosen(workspace, renewal)?;
    let mut old = BTreeSet::new();
    for name in chosen.iter().filter(|_| !renewal.due) {
        let held = pki::leaf_certificate(workspace.root(), name)?;
        // Certificates have whole seconds.
        let issued = held.map(|held| held.not_before.as_second() + pki::BACKDATED_SECONDS);
        if issued.is_none_or(|issued| issued <= since.as_second()) {
            old.insert(name.clone());
        }
    }
    // An intermediate that is due would cut their lives short.
    let planned = |change: &Change| match change.address.key.collection.as_str() {
        "certificate" => change.action != Action::Delete && chosen.contains(&change.address.key.name),
        "issuing" => change.action != Action::Delete,
        _ => false,
    };
    let due = |key: &crate::model::Key| key.collection == "certificate" && old.contains(&key.name);
    let mut failed = Failed(None);
    let done = own_target(workspace, &Wanted { planned: &planned, due: &due }, &mut failed).await?;
    if let Some(fault) = failed.0 {
        return Err(anyhow!(fault));
    }
    let leaves = done.into_iter().filter(|change| change.address.key.collection == "certificate");
    let mut renewed: Vec<String> = leaves.map(|change| change.address.key.name).collect();
    renewed.sort();
    Ok(renewed)
}

/// The names of the certificates that are meant.
fn chosen(workspace: &Workspace, renewal: &Renewal) -> anyhow::Result<BTreeSet<String>> {
    let inventory = workspace.inventory();
    let relays = certified_relays(inventory);
    let mut chosen = BTreeSet::new();
    for name in &renewal.names {
        let bare = name.split_once('/').map_or(name.as_str(), |(_, bare)| bare);
        let leaf = relay_user(bare);
        if inventory.brokers.contains_key(bare) && !name.starts_with("gateway/") {
            chosen.insert(bare.to_owned());
        } else if relays.contains(&leaf) && !name.starts_with("broker/") {
            chosen.insert(leaf);
        } else {
            anyhow::bail!(
                "there is no `{name}` under `brokers`, and no gateway whose relay has a certificate"
            );
        }
    }
    if renewal.names.is_empty() {
        chosen.extend(inventory.brokers.keys().cloned());
    }
    if renewal.relays {
        chosen.extend(relays);
    }
    Ok(chosen)
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
