//! `import`: what is live, or stands in a list, becomes inventory, and the plan right after is empty.

mod gateway;
mod lines;
mod list;
mod sensors;
mod users;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use super::Waited;
use crate::cli::arguments::{Import, ImportPbx};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::inventory::{self, Pbx, Place, amend};
use crate::model::{Observed, Target};
use crate::plan::Scope;
use crate::providers::threecx;
use crate::repository::replace;
use crate::run::{self, Links, Unwatched, Watch, Workspace};

pub fn run(arguments: &Arguments, verb: &Import) -> anyhow::Result<Exit> {
    match verb {
        Import::Pbx(verb) => pbx(arguments, verb),
        Import::Gateway(verb) => gateway::run(arguments, verb),
        Import::Sensors(verb) => sensors::run(arguments, verb),
        Import::Lines(verb) => lines::run(arguments, verb),
        Import::Users(verb) => users::run(arguments, verb),
    }
}

fn pbx(arguments: &Arguments, verb: &ImportPbx) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let (_, entry) = super::telephone_system(workspace.inventory(), &verb.name)?;
    if has_parts(entry) && !verb.stdout {
        say::word(&format!(
            "{}refused:{:#} {} has parts already; `--stdout` prints what is on the PBX, to be compared by hand",
            say::BAD,
            say::BAD,
            entry.place
        ));
        return Ok(Exit::Refused);
    }
    let target = Target::new(threecx::KIND, verb.name.as_str());
    let Waited::Done(observed) = observe(&workspace, &target)? else { return Ok(Exit::Interrupted) };
    if let Some(unread) = observed.unread.first() {
        bail!("{target} could not be read whole, nothing was written: {}", unread.reason);
    }
    let import = threecx::import(&observed);
    import.notes.iter().for_each(|note| say::word(&format!("left out: {note}")));
    if verb.stdout {
        say::data(import.yaml.trim_matches('\n'));
        return Ok(Exit::Done);
    }
    append(&workspace, &verb.name, &entry.place, &import.yaml)?;
    say::word(&format!(
        "{target} is in {}; `rocade plan {}` should find nothing",
        entry.place.file, verb.name
    ));
    Ok(Exit::Done)
}

/// What is on a PBX now.
pub(super) fn observe(workspace: &Arc<Workspace>, target: &Target) -> anyhow::Result<Waited<Observed>> {
    let scope = Scope { names: vec![format!("{}/{}", target.kind, target.name)], ..Scope::default() };
    let (links, watch): (_, Arc<dyn Watch>) = (Arc::new(Links::default()), Arc::new(Unwatched));
    super::wait(async {
        let mut surveyed = run::survey(workspace, &scope, &links, &watch).await?;
        surveyed.observed.remove(target).ok_or_else(|| anyhow!("{target} was not read"))
    })
}

fn has_parts(pbx: &Pbx) -> bool {
    pbx.departments.written
        || pbx.holidays.written
        || pbx.extensions.written
        || pbx.ring_groups.written
        || pbx.queues.written
        || pbx.ivrs.written
        || pbx.trunks.written
        || pbx.inbound_rules.written
        || pbx.outbound_rules.written
        || pbx.sbcs.written
        || pbx.live_chat.written
        || pbx.contacts.written
}

/// Writes parts behind the keys of an entry; all else in the file stays as it is, comments too.
fn append(workspace: &Workspace, name: &str, place: &Place, yaml: &str) -> anyhow::Result<()> {
    let path = workspace.root().join(&*place.file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", place.file))?;
    let lines: String = yaml.lines().map(|line| format!("{}\n", line.get(4..).unwrap_or_default())).collect();
    let whole = amend::append(&text, &["pbx", name], &lines).map_err(|fault| {
        anyhow!("{place}: write the entry in block style, one key a line, and import again: {fault}")
    })?;
    // What was made must be readable before it replaces anything.
    let changed = BTreeMap::from([(place.file.to_string(), whole.clone())]);
    if let Err(report) = inventory::load_changed(workspace.root(), &changed) {
        let line = |place: &Place| whole.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?);
        let errors = report.diagnostics.iter().filter(|fault| fault.severity == inventory::Severity::Error);
        let why: Vec<String> = errors
            .map(|fault| {
                let lines: Vec<&str> =
                    fault.labels.iter().filter_map(|label| line(&label.place)).map(str::trim).collect();
                format!("\n  {} ({})", fault.message, lines.join("; "))
            })
            .collect();
        bail!(
            "what is on the PBX cannot be written in the inventory:{}\nmend it in the console, or write \
             what `rocade import pbx NAME --stdout` prints by hand",
            why.concat()
        );
    }
    replace(&path, whole.as_bytes())
}
