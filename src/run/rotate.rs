//! Rotation of the authority: one stage at a time, and whether the stage before is everywhere and proved.

use std::sync::Arc;

use anyhow::anyhow;
use jiff::Timestamp;

use super::{Links, Watch, Workspace, survey, verify};
use crate::pki::rotation::{self, Stage, Turn};
use crate::plan::Scope;
use crate::providers::pki as provider;

/// A stage that is to be entered.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The stage.
    pub stage: Stage,
    /// Whether the stage before must be everywhere and proved.
    pub proved: bool,
    /// The present.
    pub now: Timestamp,
}

/// Enters a stage; entered already, it is completed or left as it is. Returns what shows that the stage before is
/// not everywhere: nothing was changed then.
///
/// # Errors
/// When the stage before was not reached, a target cannot be composed, or a file cannot be written.
pub async fn rotate(
    workspace: &Arc<Workspace>,
    entry: Entry,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> anyhow::Result<Vec<String>> {
    // What was entered already is only completed.
    let entered = rotation::stage(workspace.root())?.is_some_and(|now| now >= entry.stage);
    if entry.proved && entry.stage != Stage::Start && !entered {
        let unproved = unproved(workspace, links, watch).await?;
        if !unproved.is_empty() {
            return Ok(unproved);
        }
    }
    enter(workspace, entry.stage, entry.now)?;
    Ok(Vec::new())
}

fn enter(workspace: &Workspace, stage: Stage, now: Timestamp) -> anyhow::Result<()> {
    let (root, by) = (workspace.root(), workspace.person());
    let pki =
        workspace.inventory().pki.as_ref().ok_or_else(|| anyhow!("the inventory has no `pki` section"))?;
    match stage {
        Stage::Start => {
            let only = provider::only(&pki.authority);
            let turn = Turn {
                name: &pki.authority.name,
                root_lifetime: provider::root_lifetime(&pki.authority),
                issuing_lifetime: provider::issuing_lifetime(&pki.authority),
                only: &only,
                now,
                by,
            };
            rotation::start(root, &turn, workspace.store()).map(drop)
        }
        Stage::Issue => rotation::issue(root, now, by).map(drop),
        Stage::Finish => rotation::finish(root, now, by),
    }
}

/// What shows that a stage is not everywhere: changes that an apply would still make, targets that could not be
/// read, handshakes that fail. Empty when it is.
async fn unproved(
    workspace: &Arc<Workspace>,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> anyhow::Result<Vec<String>> {
    let scope = Scope::default();
    let plan = survey(workspace, &scope, links, watch).await?.plan;
    let changes = plan.changes.iter().map(|change| format!("not applied: {}", change.address));
    let unread = plan.unread.iter().map(|entry| format!("not read: {}: {}", entry.target, entry.reason));
    let found: Vec<String> = changes.chain(unread).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let findings = verify(workspace, &scope, links, watch).await?;
    let failed = findings.into_iter().filter_map(|one| {
        one.fault.map(|fault| format!("not proved: {}: {}: {fault}", one.target, one.what))
    });
    Ok(failed.collect())
}
