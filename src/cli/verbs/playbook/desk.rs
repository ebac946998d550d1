//! Where a playbook is looked at and answered: the terminal, or a machine's log.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::audit::{self, Account};
use crate::cli::progress::Progress;
use crate::cli::verbs::redeploy::{self, AtTerminal};
use crate::cli::verbs::secrets::history;
use crate::cli::verbs::{apply, sensors, verify};
use crate::cli::{Arguments, Exit, lock, say, show, surroundings};
use crate::model::{Plan, Target};
use crate::playbook::{Audience, Told};
use crate::run::{self, Applied, Clock, Person, Ran, Watch, Workspace};
use crate::secrets::Past;

/// How many targets of a wave are named.
const NAMED: usize = 8;

/// Who looks on and is asked.
pub struct Desk<'a> {
    arguments: &'a Arguments,
    yes: bool,
    progress: Mutex<Option<Arc<Progress>>>,
    plan: Mutex<Option<serde_json::Value>>,
    /// What is carried out now, for the audit.
    account: Mutex<Option<(Account, Arc<Workspace>)>>,
}

impl<'a> Desk<'a> {
    /// One who said yes to everything before, or will be asked.
    pub fn new(arguments: &'a Arguments, yes: bool) -> Self {
        Self { arguments, yes, progress: Mutex::default(), plan: Mutex::default(), account: Mutex::default() }
    }

    /// Takes what moves away from the terminal.
    pub fn clear(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = progress.take() {
            progress.finish();
        }
    }

    /// The last plan that was told, as JSON.
    pub fn plan(&self) -> Option<serde_json::Value> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn moving(&self) -> Arc<Progress> {
        self.clear();
        let moving = Arc::new(Progress::new(self.arguments.json));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&moving));
        moving
    }

    /// Begins an account of an apply. One that died before is written down first: its journal goes now.
    fn begin(&self, workspace: &Arc<Workspace>, plan: &Plan) {
        match run::unfinished(workspace.root()) {
            Ok(died) => died.iter().for_each(|last| audit::unfinished(workspace, last)),
            Err(fault) => say::word(&format!("{}warning:{:#} {fault:#}", say::BAD, say::BAD)),
        }
        let account = (Account::of_plan(plan), Arc::clone(workspace));
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    fn end(&self, applied: &Applied, stopped: bool) {
        if let Some((mut account, workspace)) = self.taken() {
            account.steps(&applied.steps);
            account.end(self.arguments, &workspace, apply::exit(applied, stopped));
        }
    }

    /// The run was left while something was carried out.
    pub fn left(&self) {
        if let Some((account, workspace)) = self.taken() {
            account.end(self.arguments, &workspace, Exit::Interrupted);
        }
    }

    fn taken(&self) -> Option<(Account, Arc<Workspace>)> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, plan: &Plan) {
        if self.arguments.json {
            *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::to_value(plan).ok();
        }
    }
}

impl Audience for Desk<'_> {
    fn tell(&self, told: Told<'_>) {
        self.clear();
        match &told {
            Told::Plan(plan) => self.note(plan),
            Told::Applying(workspace, plan) => self.begin(workspace, plan),
            Told::Applied(applied, stopped) => self.end(applied, *stopped),
            _ => {}
        }
        if self.arguments.json {
            return;
        }
        match told {
            Told::Step { number, of, title } => {
                say::data(&format!("{}Step {number} of {of}{:#}  {title}", say::HEAD, say::HEAD));
            }
            Told::Wave { of: 1, targets, .. } => say::data(&names(targets)),
            Told::Wave { number, of, targets } => {
                say::data(&format!("{}wave {number} of {of}:{:#} {}", say::DIM, say::DIM, names(targets)));
            }
            Told::Plan(plan) => say::data(&show::plan(plan, self.arguments.verbose)),
            Told::Applying(..) => {}
            Told::Applied(applied, _) => apply::tell(applied, self.arguments.verbose),
            Told::Findings([]) => {
                say::data("Verify: there is no broker and no relay among these targets.");
            }
            Told::Findings(findings) => verify::draw(findings),
            Told::Sensors(sensors) => say::data(&sensors::counted(sensors)),
            Told::Settled(settled) => settled.iter().for_each(redeploy::tell),
            Told::Stopped(target, stopped) => redeploy::tell_stopped(target, stopped),
            Told::Ran(ran) => draw_ran(ran),
            Told::Words(words) => say::word(&words),
        }
    }

    fn watch(&self) -> Arc<dyn Watch> {
        self.moving()
    }

    fn person(&self) -> Arc<dyn Person> {
        let can_ask = say::can_ask(self.arguments.no_input);
        Arc::new(AtTerminal { yes: self.yes, can_ask, progress: self.moving() })
    }

    fn witness(&self) -> Option<Arc<dyn Person>> {
        let person = || -> Arc<dyn Person> {
            Arc::new(AtTerminal { yes: false, can_ask: true, progress: self.moving() })
        };
        say::can_ask(self.arguments.no_input).then(person)
    }

    fn open(&self) -> anyhow::Result<Workspace> {
        surroundings::workspace_again(self.arguments)
    }

    fn hold(&self) -> anyhow::Result<Option<File>> {
        lock::take(&self.arguments.directory)
    }

    fn past(&self) -> anyhow::Result<Vec<Past>> {
        history::past(self.arguments)
    }

    fn clock(&self) -> Clock {
        jiff::Timestamp::now
    }
}

/// Some names, and how many more.
fn names(targets: &[Target]) -> String {
    let named: Vec<&str> = targets.iter().take(NAMED).map(|target| target.name.as_str()).collect();
    match targets.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What a host wrote may hold what steers a terminal.
fn draw_ran(ran: &Ran) {
    match &ran.fault {
        None => say::data(&format!("{}{}{:#}", say::GOOD, ran.target, say::GOOD)),
        Some(fault) => say::data(&format!("{}{}{:#}: {fault}", say::BAD, ran.target, say::BAD)),
    }
    for line in ran.output.lines() {
        let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        say::data(&format!("  {plain}"));
    }
}
