//! A playbook under way: step by step, a checkpoint before and after each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::audience::{Audience, Told};
use super::checkpoint::{Checkpoint, Failure, Position, checkpoint_file};
use super::given::{self, fill};
use super::spread::selected;
use crate::inventory::playbook::{Act, Book, Expected, Gate, PlanStep, Selection, VerifyStep};
use crate::model::Target;
use crate::plan::{Approval, Scope, Shard};
use crate::run::{self, Stop};

/// How often it is looked whether the person asked to stop, or a wait is over.
const LOOK: Duration = Duration::from_millis(200);

/// What the person asked for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What the playbook is given, as `name=value`.
    pub given: Vec<String>,
    /// The share of the targets.
    pub shard: Option<Shard>,
    /// What needs no word any more.
    pub approval: Approval,
    /// Set aside how far an earlier run came.
    pub anew: bool,
    /// Go on although the playbook is another than when it was begun.
    pub changed: bool,
    /// The manual gate it stands at is passed.
    pub confirmed: bool,
}

/// Why a playbook is not begun, or not gone on with.
#[derive(Debug)]
pub enum Unfit {
    /// The words given do not fit it.
    Words(Vec<String>),
    /// A guard stands in the way: why, and what to do.
    Guard(String, String),
    /// Something else.
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Unfit {
    fn from(fault: anyhow::Error) -> Self {
        Unfit::Fault(fault)
    }
}

/// How a playbook ended, or where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps came to their end.
    Done,
    /// They did, and some targets failed that were allowed to.
    DoneInPart,
    /// A person has to say something first.
    Gate(String),
    /// A guard refused a step.
    Refused(String),
    /// A step failed; `true` when something was changed in it.
    Failed(String, bool),
    /// Changes are left where none should be.
    Pending(String),
    /// Another run holds the lock.
    Locked(String),
    /// The person stopped it.
    Interrupted,
}

impl End {
    /// Why it stands; nothing when it came to its end.
    pub fn words(&self) -> Option<&str> {
        match self {
            End::Done | End::DoneInPart => None,
            End::Interrupted => Some("interrupted"),
            End::Gate(words) | End::Refused(words) | End::Failed(words, _) => Some(words),
            End::Pending(words) | End::Locked(words) => Some(words),
        }
    }
}

/// What a step of this run did, for the result.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Its number, from 1.
    pub step: usize,
    /// Its verb.
    pub verb: &'static str,
    /// What it does.
    pub title: String,
    /// Whether it came to its end.
    pub complete: bool,
    /// Its targets that are done.
    pub done: Vec<Target>,
    /// Those that failed, and why.
    pub failed: BTreeMap<String, String>,
}

/// A playbook under way.
pub struct Course<'a> {
    pub(super) book: Book,
    pub(super) audience: &'a dyn Audience,
    pub(super) stop: Stop,
    pub(super) approval: Approval,
    pub(super) shard: Option<Shard>,
    pub(super) checkpoint: Checkpoint,
    file: PathBuf,
    confirmed: bool,
    records: Vec<Record>,
}

impl<'a> Course<'a> {
    /// Checks what was given and begins: the first checkpoint is written.
    ///
    /// # Errors
    /// Why it is not begun.
    pub fn begin(book: &Book, order: &Order, audience: &'a dyn Audience, stop: &Stop) -> Result<Self, Unfit> {
        let workspace = audience.open()?;
        let with = given::settle(&book.playbook, &order.given, workspace.inventory(), workspace.store())
            .map_err(Unfit::Words)?;
        if let Some(shard) = order.shard {
            shared_out(book, shard)?;
        }
        let file = checkpoint_file(workspace.root(), &book.name, order.shard);
        let before =
            Checkpoint::read(&file).or_else(|fault| if order.anew { Ok(None) } else { Err(fault) })?;
        if before.is_some_and(|before| !before.ended) && !order.anew {
            let words = format!("{} was begun before and did not come to its end", book.name);
            let hint = format!("rocade playbook resume {}; or `run --anew` sets that aside", book.name);
            return Err(Unfit::Guard(words, hint));
        }
        let by = workspace.signature();
        let checkpoint = Checkpoint::new(&book.name, &book.checksum, with, order.shard, &by, audience.now());
        checkpoint.write(&file)?;
        Ok(Self::of(book, order, audience, stop, checkpoint, file))
    }

    /// Takes up a playbook where it stands.
    ///
    /// # Errors
    /// Why it is not gone on with.
    pub fn resume(
        book: &Book,
        order: &Order,
        audience: &'a dyn Audience,
        stop: &Stop,
    ) -> Result<Self, Unfit> {
        let workspace = audience.open()?;
        let file = checkpoint_file(workspace.root(), &book.name, order.shard);
        let Some(mut checkpoint) = Checkpoint::read(&file)?.filter(|checkpoint| !checkpoint.ended) else {
            let words = format!("{} does not stand anywhere: there is nothing to go on with", book.name);
            return Err(Unfit::Guard(words, format!("rocade playbook run {}", book.name)));
        };
        if checkpoint.checksum != book.checksum {
            if !order.changed {
                let words = format!("{} is not what it was when this was begun", book.file);
                let hint = "look at what changed; `resume --changed` goes on at the same step, `run --anew` begins \
                            again";
                return Err(Unfit::Guard(words, hint.to_owned()));
            }
            checkpoint.checksum.clone_from(&book.checksum);
        }
        // Whether each still is what it must be is not asked: a step may have taken it away.
        let missing = book.playbook.with.keys().filter(|name| !checkpoint.with.contains_key(*name));
        let missing: Vec<String> =
            missing.map(|name| format!("`{name}` was not given: run --anew")).collect();
        if !missing.is_empty() {
            return Err(Unfit::Words(missing));
        }
        checkpoint.stopped = None;
        Ok(Self::of(book, order, audience, stop, checkpoint, file))
    }

    fn of(
        book: &Book,
        order: &Order,
        audience: &'a dyn Audience,
        stop: &Stop,
        checkpoint: Checkpoint,
        file: PathBuf,
    ) -> Self {
        Self {
            book: book.clone(),
            audience,
            stop: Arc::clone(stop),
            approval: order.approval.clone(),
            shard: order.shard,
            checkpoint,
            file,
            confirmed: order.confirmed,
            records: Vec::new(),
        }
    }

    /// Does the steps that are left. Returns how it ended; where it stands is in the checkpoint.
    ///
    /// # Errors
    /// When a step cannot be tried, or the checkpoint not be written. It stands at that step.
    pub async fn go(&mut self) -> anyhow::Result<End> {
        let end = self.steps().await;
        match &end {
            Ok(end) => self.checkpoint.stopped = end.words().map(str::to_owned),
            Err(fault) => self.checkpoint.stopped = Some(format!("{fault:#}")),
        }
        self.checkpoint.ended = matches!(end, Ok(End::Done | End::DoneInPart));
        self.save()?;
        end
    }

    async fn steps(&mut self) -> anyhow::Result<End> {
        let steps = self.book.playbook.steps.clone();
        while let Some(step) = steps.get(self.checkpoint.step) {
            let Some(act) = step.act() else { break };
            let title = title(&step.value.title, act, &self.checkpoint.with);
            if self.is_stopped() {
                return Ok(End::Interrupted);
            }
            let number = self.checkpoint.step + 1;
            self.audience.tell(Told::Step { number, of: steps.len(), title: &title });
            if self.checkpoint.position.begun.is_none() {
                self.checkpoint.position.begun = Some(self.audience.now());
                self.save()?;
            }
            let end = self.step(act).await;
            self.note(number, act.verb(), title, matches!(end, Ok(End::Done)));
            match end? {
                End::Done => {}
                other => return Ok(other),
            }
            let failed = std::mem::take(&mut self.checkpoint.position).failed.into_iter();
            let failures = failed.map(|(target, reason)| Failure { step: number, target, reason });
            self.checkpoint.failures.extend(failures);
            self.checkpoint.step = number;
            self.save()?;
        }
        Ok(if self.checkpoint.failures.is_empty() { End::Done } else { End::DoneInPart })
    }

    async fn step(&mut self, act: Act<'_>) -> anyhow::Result<End> {
        match act {
            Act::Plan(step) => self.plan(step).await,
            Act::Apply(_) | Act::Redeploy(_) | Act::Run(_) => self.in_waves(act).await,
            Act::Verify(step) => self.verify(step).await,
            Act::Renew(step) => self.renew(step).await,
            Act::Rotate(step) => self.rotate(step).await,
            Act::Rekey(step) => self.rekey(step).await,
            Act::Wait(period) => self.wait(Duration::from_secs(period.as_secs())).await,
            Act::Confirm(words) => self.confirm(words).await,
        }
    }

    fn note(&mut self, step: usize, verb: &'static str, title: String, complete: bool) {
        let Position { done, failed, .. } = self.checkpoint.position.clone();
        self.records.push(Record { step, verb, title, complete, done: done.into_iter().collect(), failed });
    }

    /// What the steps of this run did.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Where it stands.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    pub(super) fn save(&self) -> anyhow::Result<()> {
        self.checkpoint.write(&self.file)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Does what may be left at any time; `None` when the person asked to stop.
    pub(super) async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let stopped = async {
            while !self.is_stopped() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            done = future => Some(done),
            () = stopped => None,
        }
    }

    /// The choice of targets of a step, parameters put in.
    pub(super) fn scope(&self, selection: Option<&Selection>) -> Scope {
        scope(selection, &self.checkpoint.with, self.shard)
    }

    async fn plan(&mut self, step: &PlanStep) -> anyhow::Result<End> {
        let workspace = Arc::new(self.audience.open()?);
        let (scope, links, watch) =
            (self.scope(Some(&step.selection)), Arc::default(), self.audience.watch());
        let read = self.unless_stopped(run::survey(&workspace, &scope, &links, &watch)).await;
        let Some(survey) = read else { return Ok(End::Interrupted) };
        let plan = survey?.plan;
        self.audience.tell(Told::Plan(&plan));
        if let Some(unread) = plan.unread.first() {
            let words = format!("{} could not be read: {}", unread.target, unread.reason);
            return Ok(End::Failed(words, false));
        }
        if let Some(objection) = plan.objections.first() {
            return Ok(End::Refused(format!("{}: {}", objection.target, objection.reason)));
        }
        match step.expect {
            Some(Expected::NoChanges) if !plan.changes.is_empty() => {
                Ok(End::Pending(format!("{} changes are left where none should be", plan.changes.len())))
            }
            _ => Ok(End::Done),
        }
    }

    async fn verify(&mut self, step: &VerifyStep) -> anyhow::Result<End> {
        let scope = self.scope(Some(&step.selection));
        let targets = selected(&self.audience.open()?, &scope)?;
        let gate = if step.gate.is_empty() { &[Gate::Verify][..] } else { &step.gate };
        let Some(failed) = self.gate(gate, &targets).await? else { return Ok(End::Interrupted) };
        self.checkpoint.position.failed = failed;
        match self.checkpoint.position.failed.iter().next() {
            None => Ok(End::Done),
            Some((target, reason)) => Ok(End::Failed(format!("{target}: {reason}"), false)),
        }
    }

    /// Waits from the step's beginning: a run that was cut off does not wait anew.
    async fn wait(&mut self, period: Duration) -> anyhow::Result<End> {
        let begun = self.checkpoint.position.begun.unwrap_or_else(|| self.audience.now());
        let over = || -> bool {
            let gone = self.audience.now().as_millisecond() - begun.as_millisecond();
            u128::try_from(gone).is_ok_and(|gone| gone >= period.as_millis())
        };
        while !over() {
            if self.is_stopped() {
                return Ok(End::Interrupted);
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(End::Done)
    }

    async fn confirm(&mut self, words: &str) -> anyhow::Result<End> {
        let words = fill(words, &self.checkpoint.with);
        if std::mem::take(&mut self.confirmed) {
            self.audience.tell(Told::Words(format!("confirmed: {words}")));
            return Ok(End::Done);
        }
        let Some(person) = self.audience.witness() else { return Ok(End::Gate(words)) };
        match self.unless_stopped(run::asks(&person, format!("{words} Is it so?"))).await {
            Some(true) => Ok(End::Done),
            Some(false) => Ok(End::Gate(words)),
            None => Ok(End::Interrupted),
        }
    }

    /// When the step was begun.
    pub(super) fn begun(&self) -> Timestamp {
        self.checkpoint.position.begun.unwrap_or(self.checkpoint.begun)
    }
}

/// Each share has a copy of the repository of its own: what changes the repository is not shared out.
pub(super) fn shared_out(book: &Book, shard: Shard) -> Result<(), Unfit> {
    let acts = book.playbook.steps.iter().filter_map(|step| step.act());
    match acts.enumerate().find(|(_, act)| act.is_of_the_repository()) {
        None => Ok(()),
        Some((index, act)) => {
            let words = format!(
                "{} changes the repository itself (step {}, {}): every share would make another change",
                book.name,
                index + 1,
                act.verb()
            );
            Err(Unfit::Guard(words, format!("run it whole, without --shard {shard}")))
        }
    }
}

/// A choice of targets, parameters put in.
pub(super) fn scope(
    selection: Option<&Selection>,
    with: &BTreeMap<String, String>,
    shard: Option<Shard>,
) -> Scope {
    let Some(Selection { names, only, except }) = selection else {
        return Scope { shard, ..Scope::default() };
    };
    let filled = |texts: &[crate::inventory::At<String>]| -> Vec<String> {
        texts.iter().map(|text| fill(text, with)).collect()
    };
    Scope { names: filled(names), only: filled(only), except: filled(except), shard }
}

/// Exactly these targets.
pub(super) fn named(targets: &[Target], shard: Option<Shard>) -> Scope {
    let names = targets.iter().map(|target| format!("{}/{}", target.kind, target.name)).collect();
    Scope { names, shard, ..Scope::default() }
}

/// What a step says of itself: its title, or its verb and targets.
pub fn title(
    title: &Option<crate::inventory::At<String>>,
    act: Act<'_>,
    with: &BTreeMap<String, String>,
) -> String {
    if let Some(title) = title {
        return format!("{}: {}", act.verb(), fill(title, with));
    }
    let scope = scope(act.selection(), with, None);
    let whom = scope.names.iter().chain(&scope.only).cloned().collect::<Vec<_>>().join(" ");
    let what = match act {
        Act::Confirm(words) => fill(words, with),
        Act::Wait(period) => period.to_string(),
        Act::Run(step) => format!("`{}` {whom}", fill(&step.command, with)),
        Act::Renew(_) => "certificates".to_owned(),
        Act::Rotate(step) => super::repository::rotation(step, with).words(),
        Act::Rekey(step) => super::repository::removal(step, with).words(),
        _ => whom,
    };
    format!("{} {what}", act.verb()).trim_end().to_owned()
}
