//! The repository's own target, worked alone: the authority by hand.

use std::sync::Arc;

use anyhow::anyhow;

use super::{Links, Unwatched, Watch, Workspace, survey};
use crate::model::{Action, Address, Change, Fields, Impact, Key, Report, Target};
use crate::plan::Scope;
use crate::providers::{Job, Reach};

/// Which changes of the repository's own target are carried out.
pub struct Wanted<'a> {
    /// Those of its plan.
    pub planned: &'a dyn Fn(&Change) -> bool,
    /// What is taken for due although it is not: made again as the wish has it.
    pub due: &'a dyn Fn(&Key) -> bool,
}

/// Carries out the wanted changes of the repository's own target, and no others. Returns the changes carried out.
///
/// # Errors
/// Faults of the inventory, or when the repository's files could not be read.
pub async fn own_target(
    workspace: &Arc<Workspace>,
    wanted: &Wanted<'_>,
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
    let mut changes: Vec<Change> =
        surveyed.plan.changes.iter().filter(|change| (wanted.planned)(change)).cloned().collect();
    for key in surveyed.composed.iter().flat_map(|one| one.wish.resources.keys()) {
        if (wanted.due)(key) && !changes.iter().any(|change| change.address.key == *key) {
            changes.push(due(&site.target, key));
        }
    }
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

/// The change of what is due.
fn due(target: &Target, key: &Key) -> Change {
    let due = |due: bool| Some(Fields::from([("due".into(), due.into())]));
    Change {
        address: Address { target: target.clone(), key: key.clone() },
        action: Action::Update,
        before: due(true),
        after: due(false),
        impact: Impact::None,
        because: Vec::new(),
        summary: "due".into(),
    }
}
