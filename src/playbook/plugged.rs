//! The steps that change the repository's keys. Each is the call of one verb.

use std::sync::Arc;

use crate::compose;
use crate::inventory::playbook::Stage;
use crate::pki::rotation;
use crate::run::{self, Entry, Form, Fresh, Links, Rekeyed, Watch, Workspace};
use crate::secrets::{Ledger, Listed, Past, Store, Turnover};

/// What is done to the repository's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// `rotate: {authority: STAGE}`.
    Authority(Stage),
    /// `rotate: {secret: PATH}`.
    Secret(String),
    /// `rotate: {listed: true}`.
    Listed,
    /// `rekey: {remove: NAME}`; without a name for those who are in the list.
    Rekey(Option<String>),
}

impl Turn {
    /// Its words, as in the playbook.
    pub fn words(&self) -> String {
        match self {
            Turn::Authority(stage) => format!("rotate the authority: {stage}"),
            Turn::Secret(path) => format!("rotate the secret {path}"),
            Turn::Listed => "rotate what people who left know".to_owned(),
            Turn::Rekey(Some(name)) => format!("rekey without {name}"),
            Turn::Rekey(None) => "rekey".to_owned(),
        }
    }
}

/// How a turn ended.
pub enum Turned {
    /// It is done; lines for people.
    Done(Vec<String>),
    /// It is refused, and nothing was changed: what stands in the way.
    Refused(Vec<String>),
}

/// Does it, at `now`, with what git knows of earlier versions. Each may be done twice: a run that was cut off does
/// not know.
///
/// # Errors
/// Why it was not done; nothing is half done then.
pub async fn turn(
    workspace: &Arc<Workspace>,
    turn: &Turn,
    now: jiff::Timestamp,
    watch: &Arc<dyn Watch>,
    past: &(dyn Fn() -> anyhow::Result<Vec<Past>> + Sync),
) -> anyhow::Result<Turned> {
    let date = now.strftime("%Y-%m-%d").to_string();
    let lines = match turn {
        Turn::Authority(stage) => return authority(workspace, *stage, now, watch).await,
        Turn::Rekey(remove) => rekey(workspace.store(), remove.as_deref(), &date, past)?,
        Turn::Secret(path) => rotate(workspace, path, &date)?,
        Turn::Listed => listed(workspace, &date)?,
    };
    Ok(Turned::Done(lines))
}

/// As `rocade pki rotate`.
async fn authority(
    workspace: &Arc<Workspace>,
    stage: Stage,
    now: jiff::Timestamp,
    watch: &Arc<dyn Watch>,
) -> anyhow::Result<Turned> {
    // A run that was cut off may have finished it.
    if stage == Stage::Finish && rotation::stage(workspace.root())?.is_none() {
        return Ok(Turned::Done(vec!["no rotation is under way: there is one authority".to_owned()]));
    }
    let entry = Entry { stage, proved: true, now };
    let unproved = run::rotate(workspace, entry, &Arc::new(Links::default()), watch).await?;
    if !unproved.is_empty() {
        return Ok(Turned::Refused(unproved));
    }
    Ok(Turned::Done(vec![format!("the authority's rotation: {stage}; commit pki/")]))
}

/// As `rocade secrets rekey`.
fn rekey(
    store: &Store,
    remove: Option<&str>,
    date: &str,
    past: &dyn Fn() -> anyhow::Result<Vec<Past>>,
) -> anyhow::Result<Vec<String>> {
    let Rekeyed { rekeying, seen } = run::rekey(store, Turnover { add: None, remove }, date, past, false)?;
    let mut lines = vec![format!("{} encrypted anew", rekeying.renewed.len())];
    lines.extend(seen.iter().map(|(leaver, names)| {
        let known = Rekeyed::to_change(names).len();
        format!("{} knows {known} secrets; they are in inventory/secrets/rotate.txt", leaver.shown)
    }));
    Ok(lines)
}

/// As `rocade secrets rotate --generate`.
fn rotate(workspace: &Workspace, path: &str, date: &str) -> anyhow::Result<Vec<String>> {
    let store = workspace.store();
    run::may_change(store, path)?;
    let uses = compose::uses(workspace.inventory(), path);
    let listed = run::renew_value((workspace.root(), store), path, &uses, Fresh::Made(Form::Text), date)?;
    let told = |one: &compose::Use| format!("{}: {}: {}", one.owner, one.field, one.role.consequences());
    let mut lines: Vec<String> = uses.iter().map(told).collect();
    if let Listed::Ticked(left) = listed {
        lines.push(format!("{path} is ticked in the list; {left} left"));
    }
    Ok(lines)
}

/// New values for what is in the list, where an apply gives them to everybody who needs them.
fn listed(workspace: &Workspace, date: &str) -> anyhow::Result<Vec<String>> {
    let open = |ledger: &Ledger| ledger.open().map(|item| item.name.clone()).collect::<Vec<String>>();
    let mut lines = Vec::new();
    for path in open(&Ledger::read(workspace.root())?) {
        let uses = compose::uses(workspace.inventory(), &path);
        let is_ours = !uses.is_empty() && uses.iter().all(|one| one.role.is_ours());
        if is_ours && workspace.store().has(&path) {
            lines.extend(rotate(workspace, &path, date)?);
        }
    }
    let left = open(&Ledger::read(workspace.root())?);
    if !left.is_empty() {
        lines.push(format!("left for a person, as others must know them too: {}", left.join(", ")));
    }
    Ok(lines)
}
