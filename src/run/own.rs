//! The repository's own target, worked alone: the authority by hand.

use std::sync::Arc;

use anyhow::anyhow;

use super::{Links, Unwatched, Watch, Workspace, survey};
use crate::model::{Change, Report};
use crate::plan::Scope;
use crate::providers::{Job, Reach};

/// Carries out those changes of the repository's own plan that are wanted, and no others. Returns the
/// changes carried out.
///
/// # Errors
/// Faults of the inventory, or when the repository's files could not be read.
pub async fn own_target(
    workspace: &Arc<Workspace>,
    wanted: &dyn Fn(&Change) -> bool,
    report: &mut dyn Report,
) -> anyhow::Result<Vec<Change>> {
    let own = workspace.sites(&Scope::default())?.into_iter().map(|(site, _)| site);
    let site = own.into_iter().find(|site| matches!(site.reach, Reach::Repository));
    let site = site.ok_or_else(|| anyhow!("the inventory has no `pki` section"))?;
    let scope =
        Scope { names: vec![format!("{}/{}", site.target.kind, site.target.name)], ..Scope::default() };
    let links = Arc::new(Links::default());
    let watch: Arc<dyn Watch> = Arc::new(Unwatched);
    let surveyed = survey(workspace, &scope, &links, &watch).await?;
    if let Some(unread) = surveyed.plan.unread.first() {
        return Err(anyhow!("the repository could not be read: {}", unread.reason));
    }
    let changes: Vec<Change> =
        surveyed.plan.changes.iter().filter(|change| wanted(change)).cloned().collect();
    let one = surveyed.composed.first().zip(surveyed.observed.get(&site.target));
    if let (Some((one, observed)), Some(provider)) = (one, workspace.provider("pki"))
        && !changes.is_empty()
    {
        let line = links.open(workspace, &site.target, &site.reach).await?;
        let job = Job { wish: &one.wish, observed, changes: &changes, apply: workspace.apply_name() };
        provider.apply(job, line.writing(), report).await;
    }
    Ok(changes)
}
