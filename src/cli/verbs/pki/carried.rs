//! `pki csr`, `pki sign`, `pki import`: the issuing certificate, when the root's key is off line.

use std::path::Path;

use anyhow::{Context, anyhow};

use super::put;
use crate::cli::arguments::{PkiOut, PkiSign};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::pki::{self, Authority, IssuingOrder, Signing};
use crate::providers::pki as provider;
use crate::run::Workspace;
use crate::secrets::Store;

fn loaded(workspace: &Workspace) -> anyhow::Result<(Authority, &crate::inventory::Authority)> {
    let none = || {
        anyhow!("there is no root certificate: put it in pki/root.pem, or make one with `rocade pki init`")
    };
    let authority = Authority::load(workspace.root())?.ok_or_else(none)?;
    let written =
        workspace.inventory().pki.as_ref().ok_or_else(|| anyhow!("the inventory has no `pki` section"))?;
    Ok((authority, &written.authority))
}

pub fn csr(workspace: &Workspace, out: &PkiOut) -> anyhow::Result<Exit> {
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let (authority, written) = loaded(workspace)?;
    let only = provider::only(written);
    let request = authority.request(&only, jiff::Timestamp::now(), workspace.store())?;
    put(out.out.as_deref(), &request)?;
    say::hint(
        "carry it to where the root's key is: `rocade pki sign REQUEST`, then `rocade pki import` here",
    );
    Ok(Exit::Done)
}

pub fn sign(arguments: &Arguments, order: &PkiSign) -> anyhow::Result<Exit> {
    let at = |file: &Path| arguments.directory.join(file);
    let read =
        |file: &Path| std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()));
    let (root_pem, request) = (read(&at(&order.root))?, read(&order.request)?);
    let store = Store::open(&arguments.directory, surroundings::identity(arguments))?;
    let key_pem = store
        .unseal("pki/root.key", &read(&at(&order.key))?)
        .with_context(|| format!("opening {}", order.key.display()))?;
    let signing = Signing {
        root_pem: &root_pem,
        key_pem: &key_pem,
        request: &request,
        lifetime: order.lifetime,
        now: jiff::Timestamp::now(),
    };
    let pem = pki::sign(&signing)?;
    let signed = pki::Certificate::parse(&pem)?;
    put(order.out.out.as_deref(), &pem)?;
    let bound =
        if signed.only.is_empty() { String::new() } else { format!(", only {}", signed.only.join(", ")) };
    say::word(&format!("signed `{}`, until {}{bound}", signed.name, signed.not_after.strftime("%F")));
    Ok(Exit::Done)
}

pub fn import(workspace: &Workspace, file: &Path) -> anyhow::Result<Exit> {
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let pem = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let (mut authority, written) = loaded(workspace)?;
    let only = provider::only(written);
    let order = IssuingOrder {
        only: &only,
        lifetime: provider::issuing_lifetime(written),
        now: jiff::Timestamp::now(),
        by: workspace.person(),
    };
    let issuing = authority
        .import_issuing(&pem, &order, workspace.store())
        .with_context(|| format!("{} is not taken", file.display()))?;
    say::word(&format!("`{}` issues leaves until {}", issuing.name, issuing.not_after.strftime("%F")));
    say::hint("`rocade apply` issues them and gives them to brokers and relays");
    Ok(Exit::Done)
}
