//! `drift`: what differs from the inventory, and whether somebody changed it by hand or it changed in git. For
//! cron and CI. Never writes to a target.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::Waited;
use crate::cli::arguments::{self, Choice, PlanForm, ReportFile};
use crate::cli::progress::Progress;
use crate::cli::report::{self, Matter};
use crate::cli::{Arguments, Exit, git, say, surroundings};
use crate::host::mark::Traces;
use crate::model::{Plan, Target};
use crate::plan::{Cause, Shard};
use crate::repository::{self, audit, audit::Audit};
use crate::run::{self, Drift, Links, Survey, Watch, Workspace};

pub fn run(arguments: &Arguments, verb: &arguments::Drift) -> anyhow::Result<Exit> {
    let Some(looked) = look(arguments, &verb.choice)? else { return Ok(Exit::Interrupted) };
    let form = if arguments.json { PlanForm::Json } else { verb.output };
    let plan = &looked.survey.plan;
    let counts = |cause| !verb.by_hand || matches!(cause, Cause::Hand | Cause::Both | Cause::Unknown);
    let exit = if !plan.unread.is_empty() {
        Exit::Failed
    } else if plan.changes.iter().any(|change| counts(looked.drift.cause(change))) {
        Exit::Pending
    } else {
        Exit::Done
    };
    let of = Of { verb: "drift", exit, verbose: arguments.verbose };
    looked.reports(of, &verb.report)?;
    tell(&looked.report(of, form), verb.out.as_deref())?;
    Ok(exit)
}

/// Prints a report, or puts it whole in the place of a file.
pub fn tell(text: &str, out: Option<&Path>) -> anyhow::Result<()> {
    match out {
        Some(file) => {
            // A name without a folder is one in the present folder.
            let file = std::path::absolute(file).with_context(|| format!("writing {}", file.display()))?;
            // Colours are for terminals.
            let text = anstream::adapter::strip_str(text).to_string();
            repository::replace(&file, text.as_bytes())
        }
        None => {
            say::data(text);
            Ok(())
        }
    }
}

/// Whose report it is.
#[derive(Clone, Copy)]
pub struct Of {
    pub verb: &'static str,
    pub exit: Exit,
    pub verbose: bool,
}

/// What was read, and why it differs.
pub struct Looked {
    pub workspace: Arc<Workspace>,
    pub survey: Survey,
    pub drift: Drift,
    audit: Audit,
    shard: Option<Shard>,
}

impl Looked {
    /// Writes reports beside the result.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn reports(&self, of: Of, files: &[ReportFile]) -> anyhow::Result<()> {
        files.iter().try_for_each(|one| tell(&self.report(of, one.form), Some(&one.file)))
    }

    /// The report in a form.
    pub fn report(&self, of: Of, form: PlanForm) -> String {
        let Self { workspace, survey, drift, audit, shard } = self;
        let Of { verb, exit, verbose } = of;
        let applied = applied(&survey.plan, audit);
        let now = jiff::Timestamp::now().as_second();
        let sources = &workspace.loaded().sources;
        report::draw(
            form,
            &Matter { verb, survey, drift, sources, applied, now, exit, shard: *shard, verbose },
        )
    }
}

/// Reads the targets chosen and tells why they differ; `None` after Ctrl-C.
pub fn look(arguments: &Arguments, choice: &Choice) -> anyhow::Result<Option<Looked>> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let progress = Arc::new(Progress::new(arguments.json));
    let scope = super::scope(choice);
    let links = Arc::new(Links::default());
    let watch: Arc<dyn Watch> = progress.clone();
    let read = super::wait(async {
        let survey = run::survey(&workspace, &scope, &links, &watch).await?;
        Ok((survey, links.traces().await))
    });
    progress.finish();
    let Waited::Done((survey, traces)) = read? else { return Ok(None) };
    let audit = read_audit(&workspace)?;
    let drift = explain(arguments, &workspace, &survey, &traces, &audit);
    Ok(Some(Looked { workspace, survey, drift, audit, shard: scope.shard }))
}

fn read_audit(workspace: &Workspace) -> anyhow::Result<Audit> {
    let audit = audit::read(workspace.root())?;
    for line in &audit.damaged {
        say::word(&format!("{}warning:{:#} {line} is not a line of the audit", say::BAD, say::BAD));
    }
    Ok(audit)
}

/// Why a plan's targets differ; nothing is known outside a git repository.
pub fn explain(
    arguments: &Arguments,
    workspace: &Workspace,
    survey: &Survey,
    traces: &BTreeMap<Target, Traces>,
    audit: &Audit,
) -> Drift {
    if workspace.commit().is_none() {
        return Drift::default();
    }
    let mut folders = Vec::new();
    let mut open = |commit: &str| {
        let folder = tempfile::tempdir().context("making a folder for the earlier inventory")?;
        git::unpack(workspace.root(), commit, folder.path())?;
        let workspace = surroundings::workspace_at(arguments, folder.path().to_owned());
        folders.push(folder);
        workspace
    };
    run::explain(workspace, survey, traces, audit, &mut open)
}

/// When the last whole apply of each target began.
fn applied(plan: &Plan, audit: &Audit) -> BTreeMap<Target, i64> {
    let mut applied = BTreeMap::new();
    for target in plan.targets.iter().map(|head| &head.target) {
        let name = target.to_string();
        let whole = |entry: &&audit::Entry| {
            entry.plan.is_some() && entry.targets.get(&name).is_some_and(|part| part.is_whole())
        };
        let last = audit.entries.iter().rev().find(whole);
        if let Some(at) = last.and_then(|entry| entry.at.parse::<jiff::Timestamp>().ok()) {
            applied.insert(target.clone(), at.as_second());
        }
    }
    applied
}
