//! Rotation of the authority in three stages. Each is one small file that changes whole: `pki/rotation.json`
//! says which authority issues and which are trusted, so a run that dies leaves the stage before or this one.
//!
//! `start`: a new root and intermediate in `pki/next/`, and both roots are trusted. `issue`: leaves are issued
//! under the new one. `finish`: the old one is no longer trusted, and the new one's files take its place.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::authority::{Authority, RootOrder};
use super::folder::{Era, Slot};
use super::issuing::IssuingOrder;
pub use crate::inventory::playbook::Stage;
use crate::model::Period;
use crate::repository;
use crate::secrets::Store;

#[derive(Serialize, Deserialize)]
struct Kept {
    stage: Stage,
    since: String,
    by: String,
}

/// What the next authority is to be, and who rotates.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// The root's common name.
    pub name: &'a str,
    /// How long the root lives.
    pub root_lifetime: Period,
    /// How long the intermediate lives.
    pub issuing_lifetime: Period,
    /// Domains and networks the intermediate may sign for.
    pub only: &'a [String],
    /// The present.
    pub now: Timestamp,
    /// Who.
    pub by: &'a str,
}

fn place(repository: &Path) -> PathBuf {
    repository.join("pki/rotation.json")
}

/// The stage a rotation is in, or `None` when there is none.
///
/// # Errors
/// When its file is there and cannot be read: nothing is issued or trusted by guess.
pub fn stage(repository: &Path) -> anyhow::Result<Option<Stage>> {
    let Some(text) = repository::read(&place(repository))? else { return Ok(None) };
    let kept: Kept = serde_json::from_str(&text).context("reading pki/rotation.json")?;
    Ok(Some(kept.stage))
}

/// The authority that issues.
pub(super) fn era(repository: &Path) -> anyhow::Result<Era> {
    Ok(match stage(repository)? {
        None | Some(Stage::Start) => Era::Present,
        Some(Stage::Issue) => Era::Next,
        // Its files may be on their way.
        Some(Stage::Finish) if Slot::root(repository, Era::Next).certificate()?.is_some() => Era::Next,
        Some(Stage::Finish) => Era::Present,
    })
}

fn enter(repository: &Path, stage: Stage, now: Timestamp, by: &str) -> anyhow::Result<()> {
    let kept = Kept { stage, since: now.strftime("%FT%TZ").to_string(), by: by.to_owned() };
    let text = serde_json::to_string_pretty(&kept)? + "\n";
    repository::replace(&place(repository), text.as_bytes())
}

/// First stage: makes what is missing of the next authority, then has both roots trusted. Done again it changes
/// nothing.
///
/// # Errors
/// When there is no authority yet, a later stage was begun, or a file cannot be written.
pub fn start(repository: &Path, turn: &Turn<'_>, store: &Store) -> anyhow::Result<Stage> {
    match stage(repository)? {
        Some(Stage::Start) => return Ok(Stage::Start),
        Some(later) => bail!("a rotation is at `{later}`: end it before the next one is begun"),
        None => {}
    }
    if Authority::load(repository)?.is_none() {
        bail!("there is no authority to rotate: `rocade apply` makes the first one");
    }
    let next = match Authority::of_era(repository, Era::Next)? {
        Some(next) => next,
        None => {
            let order =
                RootOrder { name: turn.name, lifetime: turn.root_lifetime, now: turn.now, by: turn.by };
            Authority::create_in(repository, Era::Next, &order, store)?
        }
    };
    let mut next = next;
    if next.issuing().is_none() {
        let order =
            IssuingOrder { only: turn.only, lifetime: turn.issuing_lifetime, now: turn.now, by: turn.by };
        next.make_issuing(&order, store)?;
    }
    enter(repository, Stage::Start, turn.now, turn.by)?;
    Ok(Stage::Start)
}

/// Second stage: leaves are issued under the new authority from now on; the next plan shows each. Every client
/// must trust both roots before. Done again it changes nothing.
///
/// # Errors
/// When the stage before was not reached, or a file cannot be written.
pub fn issue(repository: &Path, now: Timestamp, by: &str) -> anyhow::Result<Stage> {
    match stage(repository)? {
        Some(Stage::Issue) => {}
        Some(Stage::Start) => enter(repository, Stage::Issue, now, by)?,
        Some(Stage::Finish) => bail!("the rotation is at its end: `rocade pki rotate finish` completes it"),
        None => bail!("no rotation is under way: begin with `rocade pki rotate start`"),
    }
    Ok(Stage::Issue)
}

/// Last stage: the old root is no longer trusted, and the new authority's files take its place. Every leaf must
/// be of the new one before. Stopped half-way it is completed by doing it again.
///
/// # Errors
/// When the stage before was not reached, a leaf is still of the old authority, or a file cannot be written.
pub fn finish(repository: &Path, now: Timestamp, by: &str) -> anyhow::Result<()> {
    match stage(repository)? {
        Some(Stage::Finish) => {}
        Some(Stage::Issue) => {
            let old = old_leaves(repository)?;
            if !old.is_empty() {
                bail!(
                    "still of the old authority: {}; `rocade apply` issues them anew; one that no broker or relay of \
                     the inventory has is to be removed from pki/leaves",
                    old.join(", ")
                );
            }
            enter(repository, Stage::Finish, now, by)?;
        }
        Some(Stage::Start) => {
            bail!("nothing was issued under the new authority yet: `rocade pki rotate issue`")
        }
        None => bail!("no rotation is under way: begin with `rocade pki rotate start`"),
    }
    settle(repository)
}

/// The leaves that were issued by the authority that is to go.
///
/// # Errors
/// When `pki/` cannot be read.
pub fn old_leaves(repository: &Path) -> anyhow::Result<Vec<String>> {
    let Some(next) = Authority::of_era(repository, Era::Next)? else { return Ok(Vec::new()) };
    let mut old = Vec::new();
    for name in super::leaf_names(repository)? {
        let leaf = super::leaf_certificate(repository, &name)?;
        if leaf.is_some_and(|leaf| leaf.issuer_key_id != next.issuer().key_id) {
            old.push(name);
        }
    }
    Ok(old)
}

/// Moves the new authority's files to their place; each step can be done again.
fn settle(repository: &Path) -> anyhow::Result<()> {
    // The intermediate first: while the new root's certificate is in `pki/next/`, that folder is looked at.
    for slot in [Slot::issuing, Slot::root] {
        slot(repository, Era::Next).move_to(&slot(repository, Era::Present))?;
    }
    super::revoked::forget_old(repository)?;
    let next = repository.join("pki/next");
    // What a write that was killed left half-way.
    for left in fs::read_dir(&next).into_iter().flatten().flatten() {
        if left.file_name().to_string_lossy().starts_with(crate::repository::TEMPORARY) {
            let _ = fs::remove_file(left.path());
        }
    }
    let place = place(repository);
    fs::remove_file(&place).with_context(|| format!("removing {}", place.display()))?;
    let _ = fs::remove_dir(next);
    Ok(())
}
