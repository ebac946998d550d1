//! What made targets differ from the inventory. The inventory of the commit applied last is composed again and
//! held against the same observation; where nobody knows that commit, nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use super::survey::Survey;
use super::workspace::Workspace;
use crate::host::mark::Traces;
use crate::model::{Address, Change, Target};
use crate::plan::{self, Cause, Pair, causes};
use crate::repository::audit::Audit;

/// Where the commit of a target was read, and what it says.
type Base = Result<String, String>;

/// The causes of a plan's changes.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    /// The cause of each change.
    pub causes: BTreeMap<Address, Cause>,
    /// The commit each target with changes was last applied from, or why nobody knows.
    pub bases: BTreeMap<Target, Base>,
}

impl Drift {
    /// The cause of a change.
    pub fn cause(&self, change: &Change) -> Cause {
        self.causes.get(&change.address).copied().unwrap_or(Cause::Unknown)
    }

    /// Whether it says anything of a target: whether its commit is known.
    pub fn knows(&self, target: &Target) -> bool {
        self.bases.get(target).is_some_and(Result::is_ok)
    }
}

/// Tells the causes of a survey's changes. `traces` is what hosts told, `open` opens the repository as it was at
/// a commit.
pub fn explain(
    workspace: &Workspace,
    survey: &Survey,
    traces: &BTreeMap<Target, Traces>,
    audit: &Audit,
    open: &mut dyn FnMut(&str) -> anyhow::Result<Workspace>,
) -> Drift {
    let mut drift = Drift::default();
    let mut by_commit: BTreeMap<String, BTreeSet<Target>> = BTreeMap::new();
    for change in &survey.plan.changes {
        let target = &change.address.target;
        if survey.composed.iter().any(|one| one.is_own() && one.wish.target == *target) {
            drift.causes.insert(change.address.clone(), Cause::Due);
        } else if !drift.bases.contains_key(target) {
            let base = base(target, traces.get(target), audit);
            if let Ok(commit) = &base {
                by_commit.entry(commit.clone()).or_default().insert(target.clone());
            }
            drift.bases.insert(target.clone(), base);
        }
    }
    for (commit, targets) in by_commit {
        if let Err(why) = compare(workspace, survey, &commit, &targets, open, &mut drift) {
            let short = commit.get(..12).unwrap_or(&commit);
            let why = format!("commit {short}, from which it was applied, cannot be used: {why:#}");
            let mut unknown = |target| drift.bases.insert(target, Err(why.clone()));
            targets.into_iter().for_each(|target| {
                unknown(target);
            });
        }
    }
    drift
}

/// The commit a target was last applied from. Its own mark knows better than an audit that may not have every
/// run.
fn base(target: &Target, traces: Option<&Traces>, audit: &Audit) -> Base {
    let none = Traces::default();
    let Traces { mark, last_kept } = traces.unwrap_or(&none);
    let (apply, commit, dirty) = match (mark, audit.last_of(&target.to_string())) {
        (Some(mark), _) => (&mark.apply, Some(&mark.commit), mark.dirty),
        (None, Some(entry)) if entry.plan.is_none() => {
            return Err(format!("it was last written by a {} ({})", entry.verb, entry.apply));
        }
        (None, Some(entry)) => {
            let part = entry.targets.get(&target.to_string()).copied().unwrap_or_default();
            if !part.is_whole() {
                let (apply, by) = (&entry.apply, &entry.from);
                return Err(format!("its last apply ({apply} by {by}) did not come to its end"));
            }
            (&entry.apply, entry.commit.as_ref(), entry.dirty)
        }
        (None, None) => return Err("no apply of it is on record".to_owned()),
    };
    if let Some(later) = last_kept.as_ref().filter(|kept| *kept > apply) {
        return Err(format!("it was written since by {later}, which left no commit there"));
    }
    match commit {
        Some(_) if dirty => Err("it was last applied from files that no commit has".to_owned()),
        Some(commit) => Ok(commit.clone()),
        None => Err("it was last applied from files outside git".to_owned()),
    }
}

fn compare(
    workspace: &Workspace,
    survey: &Survey,
    commit: &str,
    targets: &BTreeSet<Target>,
    open: &mut dyn FnMut(&str) -> anyhow::Result<Workspace>,
    drift: &mut Drift,
) -> anyhow::Result<()> {
    let is_here = workspace.commit().is_some_and(|now| now.id == commit && !now.dirty);
    let composed = match is_here {
        true => workspace.compose_these(targets)?,
        false => open(commit)?.compose_these(targets)?,
    };
    for target in targets {
        let one = composed.iter().find(|one| one.wish.target == *target);
        let table = one.and_then(|one| workspace.provider(one.wish.provider)).map(|it| it.collections());
        let (Some(one), Some(observed), Some(table)) = (one, survey.observed.get(target), table) else {
            let why = format!("commit {} has no {target}", commit.get(..12).unwrap_or(commit));
            drift.bases.insert(target.clone(), Err(why));
            continue;
        };
        let then = plan::make(&[Pair { wish: &one.wish, observed, table }]).changes;
        let changes = survey.plan.changes.iter().filter(|change| change.address.target == *target);
        let changes: Vec<&Change> = changes.collect();
        for (change, cause) in changes.iter().zip(causes(&changes, &then, &one.wish)) {
            drift.causes.insert(change.address.clone(), cause);
        }
    }
    Ok(())
}
