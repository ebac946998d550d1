//! `pbx csv`: the extensions as the console imports users.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::super::{Waited, telephone_system};
use crate::cli::arguments::PbxCsv;
use crate::cli::{Exit, say};
use crate::inventory::Pbx;
use crate::model::{Observed, Target, Wish};
use crate::plan::Scope;
use crate::providers::threecx::{self, user_list};
use crate::run::{self, Links, Unwatched, Watch, Workspace};

pub fn run(workspace: &Arc<Workspace>, verb: &PbxCsv) -> anyhow::Result<Exit> {
    let (_, pbx) = telephone_system(workspace.inventory(), &verb.name)?;
    let target = Target::new(threecx::KIND, verb.name.as_str());
    let scope = Scope { names: vec![format!("{}/{}", target.kind, target.name)], ..Scope::default() };
    if !verb.live {
        // Without secrets nothing is opened, so that a person without an identity can write the list.
        let composed = if verb.with_secrets { workspace.compose(&scope)? } else { Vec::new() };
        let wish = composed.iter().map(|one| &*one.wish).find(|wish| wish.target == target);
        return write(pbx, verb, wish, None);
    }
    let (links, watch): (_, Arc<dyn Watch>) = (Arc::new(Links::default()), Arc::new(Unwatched));
    let surveyed = super::super::wait(async { Ok(run::survey(workspace, &scope, &links, &watch).await?) })?;
    let Waited::Done(surveyed) = surveyed else { return Ok(Exit::Interrupted) };
    let wish = surveyed.composed.iter().map(|one| &*one.wish).find(|wish| wish.target == target);
    let (Some(wish), Some(observed)) = (wish, surveyed.observed.get(&target)) else {
        bail!("{target} was not read");
    };
    if let Some(unread) = observed.unread.first() {
        bail!("{target} could not be read whole, nothing was written: {}", unread.reason);
    }
    write(pbx, verb, verb.with_secrets.then_some(wish), Some((wish, observed)))
}

fn write(
    pbx: &Pbx,
    verb: &PbxCsv,
    secrets: Option<&Wish>,
    live: Option<(&Wish, &Observed)>,
) -> anyhow::Result<Exit> {
    let list = user_list::write(pbx, secrets, live).context("writing the list")?;
    match &verb.out {
        None => say::bytes(&list.csv),
        Some(path) => {
            keep(path, &list.csv, secrets.is_some())
                .with_context(|| format!("writing {}", path.display()))?;
            say::word(&format!(
                "{} are in {}",
                say::count(pbx.extensions.len(), "extension"),
                path.display()
            ));
        }
    }
    list.notes.iter().for_each(|note| say::word(&format!("note: {note}")));
    Ok(Exit::Done)
}

/// Writes a file. One with secrets is its owner's alone, also when it was there before.
pub(in crate::cli::verbs) fn keep(path: &Path, bytes: &[u8], secret: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if secret {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = secret;
    file.write_all(bytes)
}
