//! Does what the plan says, group by group in the order of ranks, targets of a group at once. What a group
//! makes (certificates, passwords) is composed into the wishes of the next; nothing else may change them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::journal::Journal;
use super::keeping::{Terms, Written};
use super::survey::{PARALLEL_TARGETS, Survey, pairs};
use super::watch::Keeper;
use super::workspace::Workspace;
use super::{Event, Line, Links, Watch};
use crate::compose::Composed;
use crate::host::guard::{Guard, Guarded, LOCKED};
use crate::host::mark;
use crate::model::{Address, Change, Observed, Outcome, Plan, Step, Target, Unread, Value};
use crate::plan::{self, Scope};
use crate::providers::{Job, Provider, Reach};
use crate::transport::{Hosting, Writing};

/// Set when the person asked to stop: what runs is finished, nothing new is started.
pub type Stop = Arc<AtomicBool>;

/// How an apply ended.
pub struct Applied {
    /// The plan that was carried out.
    pub plan: Plan,
    /// Each change of the plan and how it ended, in the plan's order.
    pub steps: Vec<Step>,
    /// The plan made after reading again; empty when all is as wished.
    pub after: Option<Plan>,
    /// Who else is writing, when a target was left alone for that.
    pub locked: Option<String>,
    /// The name under which hosts keep what they were before, when any was written.
    pub kept: Option<String>,
}

impl Applied {
    /// Whether every change was confirmed and nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.outcome == Outcome::Done)
            && self.after.as_ref().is_some_and(|plan| plan.changes.is_empty())
    }

    /// What could not be read: of the targets that were changed at the end, of the others at the beginning.
    pub fn unread(&self) -> Vec<&Unread> {
        let again = self.after.iter().flat_map(|after| &after.unread);
        let read_again: BTreeSet<&Target> =
            self.after.iter().flat_map(|after| &after.targets).map(|head| &head.target).collect();
        let before = self.plan.unread.iter().filter(|entry| !read_again.contains(&entry.target));
        before.chain(again).collect()
    }

    /// Whether anything was changed, or may have been.
    pub fn touched(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.outcome, Outcome::Done | Outcome::Unknown(_)))
    }

    /// Whether anything was put back, and no target is left half-way.
    pub fn is_rolled_back(&self) -> bool {
        let of = |fits: fn(&Outcome) -> bool| -> BTreeSet<&Target> {
            let fitting = self.steps.iter().filter(|step| fits(&step.outcome));
            fitting.map(|step| &step.address.target).collect()
        };
        let back = of(|outcome| matches!(outcome, Outcome::RolledBack(_)));
        let failed = of(|outcome| matches!(outcome, Outcome::Failed(_)));
        let touched = of(|outcome| matches!(outcome, Outcome::Done | Outcome::Unknown(_)));
        let unknown = of(|outcome| matches!(outcome, Outcome::Unknown(_)));
        !back.is_empty() && unknown.is_empty() && failed.is_disjoint(&touched)
    }
}

/// What all targets of one apply share.
struct Errand {
    workspace: Arc<Workspace>,
    links: Arc<Links>,
    watch: Arc<dyn Watch>,
    journal: Journal,
    guard: Guard,
    terms: Terms,
}

/// Carries out the changes of a survey. When it goes wrong, `terms` say what becomes of it.
///
/// # Errors
/// When the journal cannot be written; nothing was done then.
pub async fn carry_out(
    workspace: &Arc<Workspace>,
    survey: Survey,
    scope: &Scope,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
    stop: &Stop,
    terms: Terms,
) -> anyhow::Result<Applied> {
    let Survey { mut composed, mut observed, plan } = survey;
    let errand = Arc::new(Errand {
        workspace: Arc::clone(workspace),
        links: Arc::clone(links),
        watch: Arc::clone(watch),
        journal: journal(workspace, &plan)?,
        guard: terms.guard(workspace)?,
        terms,
    });
    workspace.shelf().foresee(&[]);
    let mut steps: BTreeMap<Address, Outcome> = BTreeMap::new();
    let mut remade = false;
    for rank in composed.iter().map(|one| one.wish.rank).collect::<BTreeSet<u8>>() {
        let targets = by_target(&composed);
        let of_rank =
            |change: &&Change| targets.get(&change.address.target).is_some_and(|one| one.wish.rank == rank);
        let changes: Vec<&Change> = plan.changes.iter().filter(of_rank).collect();
        if changes.is_empty() {
            continue;
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let awaits = |change: &&Change| {
            change.is_pending() && targets.get(&change.address.target).is_some_and(|one| !one.is_own())
        };
        if !remade && changes.iter().any(awaits) {
            remade = true;
            match workspace.compose(scope) {
                Ok(again) => composed = suited(workspace, again, &observed),
                Err(refused) => {
                    not_started(&mut steps, &changes, &refused.to_string());
                    continue;
                }
            }
        }
        let group = settle(workspace, &composed, &observed, &changes, &mut steps);
        for step in write_group(&errand, group, &mut observed).await {
            steps.insert(step.address, step.outcome);
        }
    }
    let hosts = hosts(&composed);
    // What is read again is not held twice.
    drop((composed, observed));
    let after = read_again(workspace, scope, &plan, links, watch, &steps).await;
    errand.prove_shown(&plan, &mut steps).await;
    let end = |change: &Change| {
        let outcome = steps.remove(&change.address);
        let outcome = outcome.unwrap_or_else(|| Outcome::NotStarted("stopped before it".into()));
        Step { address: change.address.clone(), outcome }
    };
    let steps: Vec<Step> = plan.changes.iter().map(end).collect();
    errand.journal.end();
    let locked = steps.iter().find_map(|step| match &step.outcome {
        Outcome::Failed(why) if why.starts_with(LOCKED) => Some(format!("{}: {why}", step.address.target)),
        _ => None,
    });
    let is_kept = |step: &Step| step.outcome == Outcome::Done && hosts.contains(&step.address.target);
    let kept = steps.iter().any(is_kept).then(|| workspace.apply_name().to_owned());
    Ok(Applied { plan, steps, after, locked, kept })
}

fn journal(workspace: &Workspace, plan: &Plan) -> anyhow::Result<Journal> {
    let (root, name) = (workspace.root(), workspace.apply_name());
    Journal::begin(root, name, workspace.person(), workspace.commit(), plan)
}

/// The wishes in the words that the targets, as they were seen, want.
fn suited(
    workspace: &Workspace,
    mut composed: Vec<Composed>,
    observed: &BTreeMap<Target, Observed>,
) -> Vec<Composed> {
    super::survey::suit(workspace, &mut composed, observed);
    composed
}

fn by_target(composed: &[Composed]) -> BTreeMap<&Target, &Composed> {
    composed.iter().map(|one| (&one.wish.target, one)).collect()
}

/// The targets that are hosts reached over SSH.
fn hosts(composed: &[Composed]) -> BTreeSet<Target> {
    let is_host = |one: &&Composed| matches!(one.site.reach, Reach::Host { .. });
    composed.iter().filter(is_host).map(|one| one.wish.target.clone()).collect()
}

fn not_started(steps: &mut BTreeMap<Address, Outcome>, changes: &[&Change], reason: &str) {
    for change in changes {
        steps.insert(change.address.clone(), Outcome::NotStarted(reason.to_owned()));
    }
}

/// The changes of each target with the values that were pending filled in. A target whose changes would
/// now be others than the plan showed is refused: apply does what the plan said or nothing.
fn settle(
    workspace: &Workspace,
    composed: &[Composed],
    observed: &BTreeMap<Target, Observed>,
    planned: &[&Change],
    steps: &mut BTreeMap<Address, Outcome>,
) -> Vec<(Composed, Vec<Change>)> {
    let targets = by_target(composed);
    let mut group = Vec::new();
    for of_target in planned.chunk_by(|a, b| a.address.target == b.address.target) {
        let Some(one) = targets.get(&of_target[0].address.target) else {
            not_started(steps, of_target, "it left the inventory while this ran");
            continue;
        };
        let now = plan::make(&pairs(std::slice::from_ref(*one), observed, workspace)).changes;
        if !one.is_own() && now.iter().any(Change::is_pending) {
            not_started(steps, of_target, "what it needs was not made");
        } else if !same_course(of_target, &now) {
            not_started(steps, of_target, "it would now change otherwise than the plan showed; plan again");
        } else if let Some(objection) = objection(workspace, one, observed, &now) {
            not_started(steps, of_target, &objection);
        } else {
            group.push(((*one).clone(), now));
        }
    }
    group
}

/// What stands against the changes now that values which were pending are there: a certificate made meanwhile
/// may be none for the target's clock.
fn objection(
    workspace: &Workspace,
    one: &Composed,
    observed: &BTreeMap<Target, Observed>,
    now: &[Change],
) -> Option<String> {
    let provider = workspace.provider(one.wish.provider)?;
    let changes: Vec<&Change> = now.iter().collect();
    let objections = provider.objections(&one.wish, observed.get(&one.wish.target)?, &changes);
    objections.into_iter().next().map(|objection| objection.reason)
}

/// Whether the changes are those that were planned: the same places, actions and values, but for values
/// that were pending then.
fn same_course(planned: &[&Change], now: &[Change]) -> bool {
    let public = |value: &Value| serde_json::to_value(value).ok();
    let same_values = |planned: &Change, now: &Change| match (&planned.after, &now.after) {
        (Some(planned), Some(now)) => {
            planned.len() == now.len()
                && planned.iter().all(|(name, value)| {
                    let now = now.get(name);
                    value.is_pending() && now.is_some() || public(value) == now.and_then(public)
                })
        }
        (None, None) => true,
        _ => false,
    };
    planned.len() == now.len()
        && planned.iter().zip(now).all(|(planned, now)| {
            planned.address == now.address && planned.action == now.action && same_values(planned, now)
        })
}

async fn write_group(
    errand: &Arc<Errand>,
    group: Vec<(Composed, Vec<Change>)>,
    observed: &mut BTreeMap<Target, Observed>,
) -> Vec<Step> {
    let places = Arc::new(Semaphore::new(PARALLEL_TARGETS));
    let mut tasks = JoinSet::new();
    let mut owed: BTreeMap<tokio::task::Id, Vec<Address>> = BTreeMap::new();
    for (one, changes) in group {
        // Each target is written once; nothing but its write needs what was seen of it.
        let Some(seen) = observed.remove(&one.wish.target) else { continue };
        let addresses = changes.iter().map(|change| change.address.clone()).collect();
        let (errand, places) = (Arc::clone(errand), Arc::clone(&places));
        let handle = tasks.spawn(async move {
            // The semaphore is never closed; without a permit the target is merely written at once.
            let _place = places.acquire().await.ok();
            errand.write(&one, &seen, &changes).await
        });
        owed.insert(handle.id(), addresses);
    }
    let mut steps = Vec::new();
    while let Some(ended) = tasks.join_next_with_id().await {
        match ended {
            Ok((_, done)) => steps.extend(done),
            Err(fault) => {
                let reason = "rocade failed while writing it; please report this";
                let addresses = owed.remove(&fault.id()).unwrap_or_default();
                steps.extend(
                    addresses
                        .into_iter()
                        .map(|address| Step { address, outcome: Outcome::Unknown(reason.to_owned()) }),
                );
            }
        }
    }
    steps
}

impl Errand {
    /// A certificate that its broker does not show has not arrived, whatever the target said.
    async fn prove_shown(&self, plan: &Plan, steps: &mut BTreeMap<Address, Outcome>) {
        for (address, outcome) in super::verify::served::not_shown(&self.workspace, plan, steps).await {
            self.journal.result(&Step { address: address.clone(), outcome: outcome.clone() });
            steps.insert(address, outcome);
        }
    }

    /// Writes one target; how each change ended.
    async fn write(&self, one: &Composed, observed: &Observed, changes: &[Change]) -> Vec<Step> {
        let target = &one.wish.target;
        self.watch.event(Event::Changing(target.clone(), changes.len()));
        let mut keeper = Keeper::new(target, &*self.watch, &self.journal);
        if let Err(fault) = self.journal.intent(target, changes) {
            fill(&mut keeper, changes, &Outcome::NotStarted(format!("{fault:#}")));
            return keeper.steps;
        }
        let provider = self.workspace.provider(one.wish.provider);
        let line = self.links.open(&self.workspace, target, &one.site.reach).await;
        let job = Job { wish: &one.wish, observed, changes, apply: self.workspace.apply_name() };
        match (provider, line) {
            (Some(provider), Ok(Line::Host(host))) => {
                return self.write_host(provider, one, job, &*host, keeper).await;
            }
            (Some(provider), Ok(line)) => provider.apply(job, line.writing(), &mut keeper).await,
            (None, _) => fill(&mut keeper, changes, &Outcome::NotStarted("no such provider".to_owned())),
            (_, Err(fault)) => fill(&mut keeper, changes, &Outcome::NotStarted(format!("{fault:#}"))),
        }
        fill(&mut keeper, changes, &unreported());
        keeper.steps
    }

    /// Writes a host under guard, then confirms or puts back.
    async fn write_host(
        &self,
        provider: &dyn Provider,
        one: &Composed,
        job: Job<'_>,
        host: &dyn Hosting,
        mut keeper: Keeper<'_>,
    ) -> Vec<Step> {
        let written = Written {
            workspace: &self.workspace,
            one,
            links: &self.links,
            watch: &*self.watch,
            guard: &self.guard,
            terms: self.terms,
        };
        let guarded = Guarded::new(host, &self.guard, mark::path(&one.wish.target.kind));
        let changes = job.changes;
        let work = provider.apply(job, Writing::on(&guarded), &mut keeper);
        written.holding(Writing::on(host), work).await;
        fill(&mut keeper, changes, &unreported());
        let mut steps = keeper.steps;
        let reported = steps.clone();
        written.settle(&guarded.watched(), &mut steps).await;
        let otherwise = steps.iter().zip(&reported).filter(|(step, was)| step.outcome != was.outcome);
        otherwise.for_each(|(step, _)| self.journal.result(step));
        steps
    }
}

/// It may have been sent: nobody said.
fn unreported() -> Outcome {
    Outcome::Unknown("the provider did not report it".to_owned())
}

/// Gives those changes that were not reported this end: every change of the plan has one.
fn fill(keeper: &mut Keeper<'_>, changes: &[Change], end: &Outcome) {
    use crate::model::Report as _;
    let reported: BTreeSet<Address> = keeper.steps.iter().map(|step| step.address.clone()).collect();
    for change in changes.iter().filter(|change| !reported.contains(&change.address)) {
        keeper.step(&change.address, end.clone());
    }
}

/// How often and how long apart the targets are read again until all is as wished: services take a moment.
const READ_AGAIN: [std::time::Duration; 4] = [
    std::time::Duration::ZERO,
    std::time::Duration::from_secs(1),
    std::time::Duration::from_secs(3),
    std::time::Duration::from_secs(6),
];

async fn read_again(
    workspace: &Arc<Workspace>,
    scope: &Scope,
    plan: &Plan,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
    steps: &BTreeMap<Address, Outcome>,
) -> Option<Plan> {
    let touched: BTreeSet<&Target> = plan.changes.iter().map(|change| &change.address.target).collect();
    watch.event(Event::ReadingAgain);
    links.drop_lost().await;
    let all_done = steps.len() == plan.changes.len() && steps.values().all(|end| *end == Outcome::Done);
    let rounds = if all_done { READ_AGAIN.len() } else { 1 };
    let mut last = None;
    for pause in &READ_AGAIN[..rounds] {
        tokio::time::sleep(*pause).await;
        let mut composed: Vec<Composed> = workspace
            .compose(scope)
            .ok()?
            .into_iter()
            .filter(|one| touched.contains(&one.wish.target))
            .collect();
        let quiet: Arc<dyn Watch> = Arc::new(super::Unwatched);
        let observed = super::survey::observe(workspace, &mut composed, links, &quiet).await;
        let after = plan::make(&pairs(&composed, &observed, workspace));
        let settled = after.changes.is_empty() && after.unread.is_empty();
        last = Some(after);
        if settled {
            break;
        }
    }
    last
}
