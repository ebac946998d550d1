//! `pki rotate`: each stage changes files of `pki/`; an apply spreads it, a proof lets the next one begin.

use std::sync::Arc;

use super::super::Waited;
use crate::cli::arguments::{PkiProof, PkiRotate};
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, lock, say};
use crate::model::PLAN_FORMAT;
use crate::pki::rotation::{self, Stage};
use crate::run::{self, Entry, Links, Watch, Workspace};

pub fn run(arguments: &Arguments, workspace: &Arc<Workspace>, verb: &PkiRotate) -> anyhow::Result<Exit> {
    let (stage, proof) = match verb {
        PkiRotate::Status => return status(arguments, workspace),
        PkiRotate::Start => (Stage::Start, None),
        PkiRotate::Issue(proof) => (Stage::Issue, Some(proof)),
        PkiRotate::Finish(proof) => (Stage::Finish, Some(proof)),
    };
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let proved = !matches!(proof, Some(PkiProof { unproven: true }));
    let entry = Entry { stage, proved, now: jiff::Timestamp::now() };
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let links = Arc::new(Links::default());
    let entered = super::super::wait(run::rotate(workspace, entry, &links, &watch));
    progress.finish();
    let Waited::Done(unproved) = entered? else { return Ok(Exit::Interrupted) };
    if !unproved.is_empty() {
        unproved.iter().for_each(|line| say::data(&format!("  {line}")));
        say::word(&format!(
            "{}refused:{:#} the stage before is not everywhere yet; `rocade apply`, then again",
            say::BAD,
            say::BAD
        ));
        return Ok(Exit::Refused);
    }
    say::word(match stage {
        Stage::Start => "both authorities are trusted, once `rocade apply` has said so everywhere",
        Stage::Issue => "the new authority issues: `rocade apply` renews every leaf under it",
        Stage::Finish => "the new authority is the only one: `rocade apply` ends the trust in the old one",
    });
    Ok(Exit::Done)
}

fn status(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<Exit> {
    let stage = rotation::stage(workspace.root())?;
    let old = rotation::old_leaves(workspace.root())?;
    if arguments.json {
        let result = serde_json::json!({ "format_version": PLAN_FORMAT, "stage": stage, "old_leaves": old });
        say::data(&serde_json::to_string_pretty(&result)?);
        return Ok(Exit::Done);
    }
    say::data(match stage {
        None => "no rotation is under way",
        Some(Stage::Start) => "start: both are trusted, the old one issues; next: apply, `pki rotate issue`",
        Some(Stage::Issue) => "issue: both are trusted, the new one issues; next: apply, `pki rotate finish`",
        Some(Stage::Finish) => "finish: stopped half-way; next: `pki rotate finish` again, apply",
    });
    if stage.is_some() && !old.is_empty() {
        say::data(&format!("still of the old authority: {}", old.join(", ")));
    }
    Ok(Exit::Done)
}
