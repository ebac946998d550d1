//! The steps that change the repository's keys. Each is the call of one verb.

use anyhow::bail;
use rand::Rng;
use rand::distr::Alphanumeric;
use zeroize::Zeroizing;

use crate::compose::{self, Role};
use crate::inventory::playbook::Stage;
use crate::run::Workspace;
use crate::secrets::{Leaver, Ledger, Past, Standing, Store, Turnover};

/// What is done to the repository's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// `rotate: {authority: STAGE}`.
    Authority(Stage),
    /// `rotate: {secret: PATH}`.
    Secret(String),
    /// `rekey: {remove: NAME}`; without a name for those who are in the list.
    Rekey(Option<String>),
}

impl Turn {
    /// Its words, as in the playbook.
    pub fn words(&self) -> String {
        match self {
            Turn::Authority(Stage::Start) => "rotate the authority: start".to_owned(),
            Turn::Authority(Stage::Issue) => "rotate the authority: issue".to_owned(),
            Turn::Authority(Stage::Finish) => "rotate the authority: finish".to_owned(),
            Turn::Secret(path) => format!("rotate the secret {path}"),
            Turn::Rekey(Some(name)) => format!("rekey without {name}"),
            Turn::Rekey(None) => "rekey".to_owned(),
        }
    }
}

/// Does it, on `date`, with what git knows of earlier versions. Lines for people are returned. Each may be done
/// twice: a run that was cut off does not know.
///
/// # Errors
/// Why it was not done; nothing is half done then.
pub fn turn(
    workspace: &Workspace,
    turn: &Turn,
    date: &str,
    past: &dyn Fn() -> anyhow::Result<Vec<Past>>,
) -> anyhow::Result<Vec<String>> {
    match turn {
        Turn::Rekey(remove) => rekey(workspace.store(), remove.as_deref(), date, past),
        Turn::Secret(path) => rotate(workspace, path, date),
        Turn::Authority(_) => bail!("not available in this rocade: {}", turn.words()),
    }
}

/// As `rocade secrets rekey`.
fn rekey(
    store: &Store,
    remove: Option<&str>,
    date: &str,
    past: &dyn Fn() -> anyhow::Result<Vec<Past>>,
) -> anyhow::Result<Vec<String>> {
    let mut rekeying = store.rekeying(Turnover { add: None, remove })?;
    let leavers = rekeying.leavers.clone();
    let past = if leavers.is_empty() { Vec::new() } else { past()? };
    let mut known = Vec::new();
    for leaver in &leavers {
        let seen = store.seen_by(&leaver.key, &past)?.into_iter();
        let seen = seen.filter(|(_, standing)| matches!(standing, Standing::Known | Standing::Unknown));
        known.push((leaver, seen.map(|(name, _)| name).collect::<Vec<String>>()));
    }
    let named: Vec<(&Leaver, Vec<&str>)> =
        known.iter().map(|(leaver, names)| (*leaver, names.iter().map(String::as_str).collect())).collect();
    rekeying.note(store, &named, date)?;
    store.carry_out(&rekeying)?;
    let listed = |(leaver, names): &(&Leaver, Vec<String>)| {
        format!("{} knows {} secrets; they are in inventory/secrets/rotate.txt", leaver.shown, names.len())
    };
    let mut lines = vec![format!("{} encrypted anew", rekeying.renewed.len())];
    lines.extend(known.iter().map(listed));
    Ok(lines)
}

/// As `rocade secrets rotate --generate`.
fn rotate(workspace: &Workspace, path: &str, date: &str) -> anyhow::Result<Vec<String>> {
    let store = workspace.store();
    let uses = compose::uses(workspace.inventory(), path);
    if !store.has(path) || path.starts_with("pki/") {
        bail!("there is no secret `{path}` that could have a new value");
    }
    if let Some(theirs) = uses.iter().find(|one| !one.role.is_made_here() || one.role == Role::Pin) {
        let (field, owner) = (theirs.field, &theirs.owner);
        bail!("`{path}` cannot be made here, as {field} of {owner}: {}", theirs.role.consequences());
    }
    let value: Zeroizing<Vec<u8>> = if uses.iter().any(|one| one.role.is_key()) {
        let bytes: Zeroizing<[u8; 16]> = Zeroizing::new(rand::rng().random());
        Zeroizing::new(hex::encode(*bytes).into_bytes())
    } else {
        Zeroizing::new(rand::rng().sample_iter(Alphanumeric).take(32).collect())
    };
    store.put(path, &value)?;
    Ledger::tick(workspace.root(), path, date)?;
    let told = |one: &compose::Use| format!("{}: {}: {}", one.owner, one.field, one.role.consequences());
    Ok(uses.iter().map(told).collect())
}
