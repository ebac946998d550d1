//! `pki import-easyrsa`: the authority that was there before.

use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::Context;

use crate::cli::{Arguments, Exit, lock, say};
use crate::model::Secret;
use crate::pki::EasyRsa;
use crate::run::Workspace;

pub fn import(arguments: &Arguments, workspace: &Workspace, folder: &Path) -> anyhow::Result<Exit> {
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let read = EasyRsa::read(folder)?;
    let passphrase = read.needs_passphrase().then(|| passphrase(arguments)).transpose()?;
    let now = jiff::Timestamp::now();
    let adopted =
        read.adopt(workspace.root(), passphrase.as_ref(), workspace.person(), now, workspace.store())?;
    adopted.remarks.iter().for_each(|remark| say::word(&format!("warning: {remark}")));
    let (leaves, revoked) = (say::count(adopted.leaves.len(), "certificate"), adopted.revoked);
    say::word(&format!("adopted `{}` with {leaves} and {revoked} revoked", adopted.root.name));
    for leaf in &adopted.leaves {
        say::data(&format!("  {leaf}"));
    }
    let wished = workspace.inventory().pki.as_ref().map(|pki| pki.authority.name.as_str());
    if wished != Some(adopted.root.name.as_str()) {
        say::hint(&format!("write `pki: {{authority: {{name: {}}}}}` in the inventory", adopted.root.name));
    }
    say::hint("keep or destroy the folder it came from: its keys may be there in clear");
    Ok(Exit::Done)
}

/// The passphrase, asked for or read from standard input.
fn passphrase(arguments: &Arguments) -> anyhow::Result<Secret> {
    let text = if std::io::stdin().is_terminal() && say::can_ask(arguments.no_input) {
        let prompt = dialoguer::Password::new().with_prompt("Passphrase of the root's key");
        prompt.interact().context("asking for the passphrase")?
    } else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("reading the passphrase from standard input")?;
        text
    };
    let text = zeroize::Zeroizing::new(text);
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).as_bytes().to_vec(), "passphrase"))
}
