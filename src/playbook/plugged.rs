//! The steps that change the repository's keys. Each is the call of one verb.

use crate::inventory::playbook::Stage;
use crate::run::Workspace;

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

/// Does it. Lines for people are returned. Each may be done twice: a run that was cut off does not know.
///
/// # Errors
/// Why it was not done; nothing is half done then.
pub fn turn(workspace: &Workspace, turn: &Turn) -> anyhow::Result<Vec<String>> {
    match turn {
        Turn::Rekey(None) => {
            let changed = workspace.store().rekey()?;
            Ok(changed.into_iter().map(|path| format!("encrypted anew: {path}")).collect())
        }
        Turn::Authority(_) | Turn::Secret(_) | Turn::Rekey(Some(_)) => {
            anyhow::bail!("not available in this rocade: {}", turn.words())
        }
    }
}
