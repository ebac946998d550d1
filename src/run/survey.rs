//! Reads every chosen target at once, bounded, and makes the plan. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::workspace::Workspace;
use super::{Event, Line, Links, Watch};
use crate::compose::Composed;
use crate::host::mark::Marked;
use crate::model::{Action, Change, Key, Objection, Observed, Plan, Target};
use crate::plan::{self, Pair, Scope, Shard};
use crate::transport::Reading;

/// How many targets are read at the same time.
pub const PARALLEL_TARGETS: usize = 24;

/// What was wished and seen, and the plan that follows.
pub struct Survey {
    /// The chosen targets with their wishes.
    pub composed: Vec<Composed>,
    /// What was seen of each.
    pub observed: BTreeMap<Target, Observed>,
    /// The plan.
    pub plan: Plan,
}

impl Survey {
    fn make(
        composed: Vec<Composed>,
        observed: BTreeMap<Target, Observed>,
        workspace: &Workspace,
        scope: &Scope,
    ) -> Self {
        let mut plan = plan::make(&pairs(&composed, &observed, workspace));
        plan.objections = objections(&composed, &observed, &plan.changes, workspace);
        if let Some(shard) = scope.shard.filter(|shard| !shard.is_first()) {
            plan.objections.extend(not_made_here(&plan.changes, shard));
        }
        Self { composed, observed, plan }
    }
}

/// What other shares of the targets wait for: what the repository does not hold yet, only the first one makes.
fn not_made_here(changes: &[Change], shard: Shard) -> Vec<Objection> {
    let waiting: BTreeSet<&Target> =
        changes.iter().filter(|change| change.is_pending()).map(|change| &change.address.target).collect();
    let objection = |target: &Target| Objection {
        target: target.clone(),
        reason: format!(
            "it waits for what the repository does not hold yet, and shard {shard} makes nothing there"
        ),
        place: String::new(),
        hint: "rocade apply authority, commit what it made, then run the shards".to_owned(),
    };
    waiting.into_iter().map(objection).collect()
}

/// What stands against the changes, target by target.
fn objections(
    composed: &[Composed],
    observed: &BTreeMap<Target, Observed>,
    changes: &[Change],
    workspace: &Workspace,
) -> Vec<Objection> {
    let of_one = |one: &Composed| {
        let provider = workspace.provider(one.wish.provider)?;
        let observed = observed.get(&one.wish.target)?;
        let own: Vec<&Change> =
            changes.iter().filter(|change| change.address.target == one.wish.target).collect();
        Some(provider.objections(&one.wish, observed, &own))
    };
    composed.iter().filter_map(of_one).flatten().collect()
}

/// The pairs the plan is made of.
pub(super) fn pairs<'a>(
    composed: &'a [Composed],
    observed: &'a BTreeMap<Target, Observed>,
    workspace: &Workspace,
) -> Vec<Pair<'a>> {
    composed
        .iter()
        .filter_map(|composed| {
            let observed = observed.get(&composed.wish.target)?;
            let table = workspace.provider(composed.wish.provider)?.collections();
            Some(Pair { wish: &composed.wish, observed, table })
        })
        .collect()
}

/// Composes the wishes, reads the targets chosen and plans. The repository itself comes first: what it will
/// make anew, others are to be given anew.
///
/// # Errors
/// Faults of the inventory or of the choice. A target that cannot be read is no error: the plan names it.
pub async fn survey(
    workspace: &Arc<Workspace>,
    scope: &Scope,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> Result<Survey, super::Refused> {
    workspace.shelf().foresee(&[]);
    super::directories::read(workspace, scope, watch).await?;
    let (mut own, mut others): (Vec<_>, Vec<_>) =
        workspace.compose(scope)?.into_iter().partition(Composed::is_own);
    let mut observed = observe(workspace, &mut own, links, watch).await;
    let own_plan = plan::make(&pairs(&own, &observed, workspace));
    if own_plan.changes.iter().any(|change| change.action == Action::Update) {
        workspace.shelf().foresee(&own_plan.changes);
        others = workspace.compose(scope)?.into_iter().filter(|one| !one.is_own()).collect();
    }
    observed.extend(observe(workspace, &mut others, links, watch).await);
    let composed = own.into_iter().chain(others).collect();
    Ok(Survey::make(composed, observed, workspace, scope))
}

/// Puts the wishes in the words that the targets seen want.
pub(super) fn suit(workspace: &Workspace, composed: &mut [Composed], observed: &BTreeMap<Target, Observed>) {
    for one in composed {
        let provider = workspace.provider(one.wish.provider);
        let suited =
            provider.zip(observed.get(&one.wish.target)).and_then(|(it, seen)| it.suited(&one.wish, seen));
        if let Some(wish) = suited {
            one.wish = Arc::new(wish);
        }
    }
}

/// Reads the targets given, at most [`PARALLEL_TARGETS`] at a time; one that hangs holds up no other. Their
/// wishes are then in the words they want.
pub(super) async fn observe(
    workspace: &Arc<Workspace>,
    composed: &mut [Composed],
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> BTreeMap<Target, Observed> {
    let places = Arc::new(Semaphore::new(PARALLEL_TARGETS));
    let mut tasks = JoinSet::new();
    for one in composed.iter().cloned() {
        let (workspace, links, watch) = (Arc::clone(workspace), Arc::clone(links), Arc::clone(watch));
        let places = Arc::clone(&places);
        tasks.spawn(async move {
            // The semaphore is never closed; without a permit the target is merely read at once.
            let _place = places.acquire().await.ok();
            watch.event(Event::Reading(one.wish.target.clone()));
            let observed = observe_one(&workspace, &one, &links).await;
            let lost = plan::unreachable(&observed.unread).first().map(|entry| entry.reason.clone());
            watch.event(Event::Read(one.wish.target.clone(), lost));
            observed
        });
    }
    let mut all = BTreeMap::new();
    while let Some(ended) = tasks.join_next().await {
        if let Ok(observed) = ended {
            all.insert(observed.target.clone(), observed);
        }
    }
    for one in composed.iter() {
        // A task that panicked must not make its target look empty.
        all.entry(one.wish.target.clone()).or_insert_with(|| {
            Observed::unreachable(
                one.wish.target.clone(),
                "rocade failed while reading it; please report this",
            )
        });
    }
    suit(workspace, composed, &all);
    all
}

async fn observe_one(workspace: &Workspace, one: &Composed, links: &Links) -> Observed {
    let target = &one.wish.target;
    let Some(provider) = workspace.provider(one.wish.provider) else {
        return Observed::unreachable(target.clone(), format!("no provider `{}`", one.wish.provider));
    };
    let line = match links.open(workspace, target, &one.site.reach).await {
        Ok(line) => line,
        Err(fault) => {
            let told = super::outside::look(workspace, one, &fault).await;
            return Observed::unreachable(target.clone(), format!("{fault:#}{}", told.unwrap_or_default()));
        }
    };
    let marked = match &line {
        Line::Host(host) if workspace.commit().is_some() => Some(Marked::new(&**host, &target.kind)),
        _ => None,
    };
    let hand = marked.as_ref().map_or_else(|| line.reading(), |marked| Reading::on(marked));
    let mut observed = provider.observe(&one.wish, hand).await;
    if let Some(traces) = marked.as_ref().and_then(Marked::traces) {
        links.note_traces(target, traces).await;
    }
    if one.is_own() {
        return observed;
    }
    let suited = provider.suited(&one.wish, &observed);
    let wish = suited.as_ref().unwrap_or(&one.wish);
    let pair = Pair { wish, observed: &observed, table: provider.collections() };
    let keys: Vec<Key> = plan::differing_contents(&pair).into_iter().collect();
    if !keys.is_empty() {
        // Without the old contents the plan still holds; it only shows less.
        if let Ok(contents) = provider.contents(&keys, hand).await {
            for (key, fields) in contents {
                if let Some(seen) = observed.resources.get_mut(&key) {
                    seen.extend(fields);
                }
            }
        }
    }
    observed
}
