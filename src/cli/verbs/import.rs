//! `import`: what is live becomes inventory, and the plan right after is empty.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use super::Waited;
use crate::cli::arguments::{Import, ImportPbx};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::inventory::{self, Pbx, Place};
use crate::model::{Observed, Target};
use crate::plan::Scope;
use crate::providers::threecx;
use crate::repository::replace;
use crate::run::{self, Links, Unwatched, Watch, Workspace};

pub fn run(arguments: &Arguments, verb: &Import) -> anyhow::Result<Exit> {
    match verb {
        Import::Pbx(verb) => pbx(arguments, verb),
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
    append(&workspace, &entry.place, &import.yaml)?;
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
fn append(workspace: &Workspace, place: &Place, yaml: &str) -> anyhow::Result<()> {
    let path = workspace.root().join(&*place.file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", place.file))?;
    let lines: Vec<&str> = text.lines().collect();
    let head = usize::try_from(place.line).unwrap_or(usize::MAX);
    let column = usize::try_from(place.column).unwrap_or(usize::MAX);
    let indent = |line: &str| line.len() - line.trim_start().len();
    if lines.get(head.saturating_sub(1)).is_none_or(|line| !line.trim_end().ends_with(':')) || column != 3 {
        bail!("{place}: write the entry in block style, two spaces deep, one key a line; then import again");
    }
    let inside = |line: &&&str| line.trim().is_empty() || indent(line) >= column;
    let mut end = head + lines[head..].iter().take_while(inside).count();
    while end > head && lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    let mut whole = lines[..end].join("\n");
    whole.push('\n');
    whole.push_str(yaml);
    for line in &lines[end..] {
        whole.push_str(line);
        whole.push('\n');
    }
    // What was made must be readable before it replaces anything.
    let name = place.file.to_string();
    if let Err(report) = inventory::parse([(name.as_str(), whole.as_str())]) {
        let own = report.diagnostics.iter().filter(|fault| fault.code != "dangling-reference");
        let own = own.filter(|fault| fault.severity == inventory::Severity::Error);
        let line = |place: &Place| whole.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?);
        let why: Vec<String> = own
            .map(|fault| {
                let lines: Vec<&str> =
                    fault.labels.iter().filter_map(|label| line(&label.place)).map(str::trim).collect();
                format!("\n  {} ({})", fault.message, lines.join("; "))
            })
            .collect();
        if !why.is_empty() {
            bail!(
                "what is on the PBX cannot be written in the inventory:{}\nmend it in the console, or write \
                 what `rocade import pbx NAME --stdout` prints by hand",
                why.concat()
            );
        }
    }
    replace(&path, whole.as_bytes())
}
