//! The steps that take their targets one wave after the other. What of a wave is done is kept at once; how many
//! failed decides whether another is begun.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::audience::Told;
use super::course::{Course, End, named};
use super::given::fill;
use super::wave;
use crate::inventory::playbook::{Act, ApplyStep, RedeployStep, RunStep, Waves};
use crate::model::{Outcome, Target};
use crate::plan::{Guard, Scope};
use crate::providers::{Reach, Site};
use crate::run::{self, Applied, Consent, Links, Ready, RedeployOrder, Survey, Terms, Watch, Workspace};

/// How long a gateway is waited for, and how long a command may take, when the step does not say.
const PATIENCE: Duration = Duration::from_secs(900);
const COMMAND: Duration = Duration::from_secs(600);

/// Targets that failed, as `kind name`, and why.
type Failed = BTreeMap<String, String>;

/// How a wave ended.
enum Wave {
    /// All that could be done was; these failed. Whether anything was changed.
    Ended(Failed, bool),
    /// The playbook stands here.
    Stopped(End),
}

/// The targets a choice names. The repository's own comes along with others and is one only by itself.
pub(super) fn selected(workspace: &Workspace, scope: &Scope) -> anyhow::Result<Vec<Target>> {
    let sites: Vec<Site> = workspace.sites(scope)?.into_iter().map(|(site, _)| site).collect();
    let own = |site: &&Site| matches!(site.reach, Reach::Repository);
    let others: Vec<Target> =
        sites.iter().filter(|site| !own(site)).map(|site| site.target.clone()).collect();
    let is_own = |name: &String| {
        sites.iter().filter(own).any(|site| *name == site.target.name || *name == "pki/authority")
    };
    if others.is_empty() && !scope.names.is_empty() && scope.names.iter().all(is_own) {
        return Ok(sites.into_iter().map(|site| site.target).collect());
    }
    Ok(others)
}

/// The waves as they were parted when the step was begun, less what is not chosen any more; what is new comes last.
pub(super) fn arranged(
    before: &[Vec<Target>],
    targets: &[Target],
    sizes: Option<&Waves>,
) -> Vec<Vec<Target>> {
    if before.is_empty() {
        return wave::waves(targets, sizes);
    }
    let there: BTreeSet<&Target> = targets.iter().collect();
    let known: BTreeSet<&Target> = before.iter().flatten().collect();
    let kept = |wave: &Vec<Target>| -> Vec<Target> {
        wave.iter().filter(|target| there.contains(target)).cloned().collect()
    };
    let new: Vec<Target> = targets.iter().filter(|target| !known.contains(target)).cloned().collect();
    let waves = before.iter().map(kept).chain([new]);
    waves.filter(|wave| !wave.is_empty()).collect()
}

impl Course<'_> {
    pub(super) async fn in_waves(&mut self, act: Act<'_>) -> anyhow::Result<End> {
        let scope = self.scope(act.selection());
        let mut targets = selected(&self.audience.open()?, &scope)?;
        if let Act::Redeploy(_) = act {
            targets.retain(|target| target.kind == "gateway");
        }
        if targets.is_empty() {
            self.audience.tell(Told::Words("no target is chosen: nothing to do".to_owned()));
            return Ok(End::Done);
        }
        let Some(pace) = act.pace() else { return Ok(End::Done) };
        let position = &mut self.checkpoint.position;
        position.waves = arranged(&position.waves, &targets, pace.sizes());
        position.failed.clear();
        let waves = position.waves.clone();
        self.save()?;
        let allowed = wave::allowed(pace.most(), targets.len());
        let mut touched = false;
        for (index, wave) in waves.iter().enumerate() {
            let mut left = wave.clone();
            left.retain(|target| !self.checkpoint.position.done.contains(target));
            if left.is_empty() {
                continue;
            }
            if self.is_stopped() {
                return Ok(End::Interrupted);
            }
            self.audience.tell(Told::Wave { number: index + 1, of: waves.len(), targets: &left });
            let (failed, changed) = match self.wave(act, &left).await? {
                Wave::Ended(failed, changed) => (failed, changed),
                Wave::Stopped(end) => return Ok(end),
            };
            touched |= changed;
            let position = &mut self.checkpoint.position;
            position.done.extend(left.into_iter().filter(|target| !failed.contains_key(&target.to_string())));
            position.failed.extend(failed);
            self.save()?;
            if self.is_stopped() && !self.checkpoint.position.failed.is_empty() {
                return Ok(End::Interrupted);
            }
            if self.checkpoint.position.failed.len() > allowed {
                return Ok(self.too_many(allowed, targets.len(), index + 1 < waves.len(), touched));
            }
        }
        Ok(End::Done)
    }

    fn too_many(&self, allowed: usize, total: usize, more: bool, touched: bool) -> End {
        let failed = &self.checkpoint.position.failed;
        let first = failed.iter().next().map(|(target, why)| format!("{target}: {why}")).unwrap_or_default();
        let rest = if failed.len() > 1 { format!(" (and {} more)", failed.len() - 1) } else { String::new() };
        let limit = match allowed {
            0 => "none may".to_owned(),
            allowed => format!("{allowed} may"),
        };
        let then = if more { "; no further wave is begun" } else { "" };
        let words = format!("{} of {total} targets failed, {limit}{then}: {first}{rest}", failed.len());
        End::Failed(words, touched || !self.checkpoint.position.done.is_empty())
    }

    async fn wave(&self, act: Act<'_>, targets: &[Target]) -> anyhow::Result<Wave> {
        let ended = match act {
            Act::Apply(step) => self.apply_wave(step, targets).await?,
            Act::Redeploy(step) => self.redeploy_wave(step, targets).await?,
            Act::Run(step) => return self.run_wave(step, targets).await,
            _ => return Ok(Wave::Ended(Failed::new(), false)),
        };
        let Wave::Ended(mut failed, changed) = ended else { return Ok(ended) };
        let good: Vec<Target> =
            targets.iter().filter(|target| !failed.contains_key(&target.to_string())).cloned().collect();
        match self.gate(act.gate(), &good).await? {
            Some(found) => failed.extend(found),
            None => return Ok(Wave::Stopped(End::Interrupted)),
        }
        Ok(Wave::Ended(failed, changed))
    }

    async fn apply_wave(&self, step: &ApplyStep, targets: &[Target]) -> anyhow::Result<Wave> {
        let Some(_lock) = self.audience.hold()? else { return Ok(Wave::Stopped(End::Locked(LOCKED.into()))) };
        let workspace = Arc::new(self.audience.open()?);
        let max_delete = step.max_delete.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        self.apply(&workspace, targets, &Guard { max_delete }, Terms::default()).await
    }

    /// As `rocade apply` of these targets.
    async fn apply(
        &self,
        workspace: &Arc<Workspace>,
        targets: &[Target],
        guard: &Guard,
        terms: Terms,
    ) -> anyhow::Result<Wave> {
        let scope = named(targets, self.shard);
        let (links, watch) = (Arc::new(Links::default()), self.audience.watch());
        let read = || self.unless_stopped(run::survey(workspace, &scope, &links, &watch));
        let Some(survey) = read().await else { return Ok(Wave::Stopped(End::Interrupted)) };
        let mut survey = survey?;
        self.audience.tell(Told::Plan(&survey.plan));
        match run::consent(&survey, None, guard, &self.approval) {
            Err(refusal) => return Ok(Wave::Stopped(End::Refused(refusal))),
            Ok(Consent::Given) => {}
            Ok(Consent::Needed(open)) => {
                let question = format!("Carry out {} changes?", survey.plan.changes.len());
                let person = self.audience.person();
                match self.unless_stopped(run::asks(&person, question)).await {
                    None => return Ok(Wave::Stopped(End::Interrupted)),
                    Some(false) => {
                        let words = format!("{open} changes are not approved; nothing was changed");
                        return Ok(Wave::Stopped(End::Refused(words)));
                    }
                    Some(true) => links.drop_lost().await,
                }
                let Some(now) = read().await else { return Ok(Wave::Stopped(End::Interrupted)) };
                let now = now?;
                if now.plan.checksum != survey.plan.checksum {
                    let words = "a target changed while you were deciding; nothing was changed";
                    return Ok(Wave::Stopped(End::Refused(words.into())));
                }
                survey = now;
            }
        }
        self.carry_out(workspace, survey, &scope, &links, terms).await
    }

    async fn carry_out(
        &self,
        workspace: &Arc<Workspace>,
        survey: Survey,
        scope: &Scope,
        links: &Arc<Links>,
        terms: Terms,
    ) -> anyhow::Result<Wave> {
        if survey.plan.changes.is_empty() {
            let unread = survey.plan.unread.iter();
            let failed = unread.map(|entry| (entry.target.to_string(), unreadable(&entry.reason))).collect();
            return Ok(Wave::Ended(failed, false));
        }
        self.audience.tell(Told::Applying(workspace, &survey.plan));
        let watch: Arc<dyn Watch> = self.audience.watch();
        let applied = run::carry_out(workspace, survey, scope, links, &watch, &self.stop, terms).await?;
        self.audience.tell(Told::Applied(&applied, self.is_stopped()));
        match &applied.locked {
            Some(locked) if !applied.touched() => Ok(Wave::Stopped(End::Locked(locked.clone()))),
            _ => Ok(Wave::Ended(failures(&applied), applied.touched())),
        }
    }

    async fn redeploy_wave(&self, step: &RedeployStep, targets: &[Target]) -> anyhow::Result<Wave> {
        let Some(lock) = self.audience.hold()? else { return Ok(Wave::Stopped(End::Locked(LOCKED.into()))) };
        let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        let order = RedeployOrder {
            at: None,
            replacement: step.replacement == Some(true),
            upgrade: step.upgrade == Some(true),
            patience: step.patience.as_ref().map_or(PATIENCE, |period| Duration::from_secs(period.as_secs())),
        };
        let workspace = Arc::new(self.audience.open()?);
        let (person, watch) = (self.audience.person(), self.audience.watch());
        let bringing = run::bring_up(&workspace, &names, &order, &person, &watch);
        let Some(ends) = self.unless_stopped(bringing).await else {
            return Ok(Wave::Stopped(End::Interrupted));
        };
        let (mut failed, mut ready) = (Failed::new(), Vec::new());
        for (target, end) in ends {
            match end {
                Ok(one) => ready.push(one),
                Err(stopped) => {
                    self.audience.tell(Told::Stopped(&target, &stopped));
                    failed.insert(target.to_string(), stopped.words);
                }
            }
        }
        if ready.is_empty() {
            return Ok(Wave::Ended(failed, false));
        }
        let workspace = self.detoured(&ready)?;
        let up: Vec<Target> = ready.iter().map(|one| one.target.clone()).collect();
        // What came from its box has nothing to go back to: the next run goes on from here.
        let terms = Terms { rollback: false, ..Terms::default() };
        let changed = match self.apply(&workspace, &up, &Guard::default(), terms).await? {
            Wave::Ended(more, changed) => {
                failed.extend(more);
                changed
            }
            stopped => return Ok(stopped),
        };
        // Waiting for sensors takes its time and changes nothing here: others may work in the repository.
        drop(lock);
        ready.retain(|one| !failed.contains_key(&one.target.to_string()));
        match self.settled(step, &ready).await? {
            Some(silent) => failed.extend(silent),
            None => return Ok(Wave::Stopped(End::Interrupted)),
        }
        Ok(Wave::Ended(failed, changed))
    }

    /// The repository as it is now, these gateways reached where they were found.
    fn detoured(&self, ready: &[Ready]) -> anyhow::Result<Arc<Workspace>> {
        let mut workspace = self.audience.open()?;
        for one in ready {
            workspace.detour(one.target.clone(), one.address.clone(), one.interface.clone());
        }
        Ok(Arc::new(workspace))
    }

    /// What is silent of gateways that were redeployed; `None` when the person asked to stop.
    async fn settled(&self, step: &RedeployStep, ready: &[Ready]) -> anyhow::Result<Option<Failed>> {
        let workspace = self.detoured(ready)?;
        let wait = step.wait.as_ref().map(|wait| Duration::from_secs(wait.as_secs()));
        let (links, watch) = (Arc::new(Links::default()), self.audience.watch());
        let now = self.audience.now();
        let settling = run::settle(&workspace, ready, wait, now, &links, &watch);
        let Some(settled) = self.unless_stopped(settling).await else { return Ok(None) };
        self.audience.tell(Told::Settled(&settled));
        let silent = settled.into_iter().filter_map(|one| {
            let silent = one.silent.first().filter(|_| wait != Some(Duration::ZERO));
            let silent = silent.map(|silent| format!("the sensor {} was not heard", silent.sensor));
            Some((one.target.to_string(), one.fault.or(silent)?))
        });
        Ok(Some(silent.collect()))
    }

    async fn run_wave(&self, step: &RunStep, targets: &[Target]) -> anyhow::Result<Wave> {
        let command = fill(&step.command, &self.checkpoint.with);
        if !self.approval.is_all() {
            let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
            let question = format!("Run `{command}` on {}?", names.join(", "));
            match self.unless_stopped(run::asks(&self.audience.person(), question)).await {
                None => return Ok(Wave::Stopped(End::Interrupted)),
                Some(true) => {}
                Some(false) => {
                    let words = format!("running `{command}` is not approved; nothing was run");
                    return Ok(Wave::Stopped(End::Refused(words)));
                }
            }
        }
        let workspace = Arc::new(self.audience.open()?);
        let sites = workspace.sites(&named(targets, self.shard))?.into_iter().map(|(site, _)| site);
        let sites: Vec<Site> = sites.filter(|site| targets.contains(&site.target)).collect();
        let within = step.within.as_ref().map_or(COMMAND, |period| Duration::from_secs(period.as_secs()));
        let (links, watch) = (Arc::new(Links::default()), self.audience.watch());
        let ran = run::command(&workspace, sites, &command, within, &links, &watch).await;
        let mut failed = Failed::new();
        for one in ran {
            self.audience.tell(Told::Ran(&one));
            failed.extend(one.fault.map(|fault| (one.target.to_string(), fault)));
        }
        Ok(Wave::Ended(failed, true))
    }
}

const LOCKED: &str = "another rocade is at work in this repository";

fn unreadable(reason: &str) -> String {
    format!("it could not be read: {reason}")
}

/// The targets of an apply that are not as wished, and why.
fn failures(applied: &Applied) -> Failed {
    let mut failed = Failed::new();
    for step in &applied.steps {
        let why = match &step.outcome {
            Outcome::Done => continue,
            Outcome::Failed(why) | Outcome::Unknown(why) => why.clone(),
            Outcome::NotStarted(why) => format!("not started: {why}"),
            Outcome::RolledBack(why) => format!("put back: {why}"),
        };
        // The change that failed says more than those that were put back because of it.
        let name = step.address.target.to_string();
        if matches!(step.outcome, Outcome::Failed(_)) {
            failed.insert(name, why);
        } else {
            failed.entry(name).or_insert(why);
        }
    }
    for entry in applied.unread() {
        failed.entry(entry.target.to_string()).or_insert_with(|| unreadable(&entry.reason));
    }
    for change in applied.after.iter().flat_map(|after| &after.changes) {
        let words = || "read again, it is still not as wished".to_owned();
        failed.entry(change.address.target.to_string()).or_insert_with(words);
    }
    failed
}
