//! `pbx`: what a telephone system has beside its configuration.

mod csv;
mod size;
mod stats;

pub(super) use csv::keep;

use std::sync::Arc;

use anyhow::{anyhow, bail};

use super::Waited;
use crate::cli::arguments::PbxVerb;
use crate::cli::audit::Account;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::model::Target;
use crate::providers::threecx;
use crate::run::{Line, Links, Workspace};
use crate::transport::http::Method;

pub fn run(arguments: &Arguments, verb: &PbxVerb) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    match verb {
        PbxVerb::Snippet { name, link } => snippet(&workspace, name, link),
        PbxVerb::Csv(verb) => csv::run(&Arc::new(workspace), verb),
        PbxVerb::Stats(verb) => stats::run(arguments, &workspace, verb),
        PbxVerb::Size(verb) => size::run(arguments, &workspace, verb),
        PbxVerb::Backups { name } => backups(&workspace, name),
        PbxVerb::Restore { name, backup, yes } => restore(arguments, &workspace, name, backup, *yes),
    }
}

/// The lines to paste into a web site. They have the form the console gave them in 2025; compare with it once.
fn snippet(workspace: &Workspace, name: &str, link: &str) -> anyhow::Result<Exit> {
    let (_, pbx) = super::telephone_system(workspace.inventory(), name)?;
    if !pbx.live_chat.contains_key(link) {
        let known: Vec<&str> = pbx.live_chat.keys().map(String::as_str).collect();
        bail!("{name} has no Live Chat link `{link}`; it has: {}", known.join(", "));
    }
    let url = pbx.url.trim_end_matches('/');
    let script = "https://downloads-global.3cx.com/downloads/livechatandtalk/v1/callus.js";
    say::data(&format!("<call-us-selector phonesystem-url=\"{url}\" party=\"{link}\"></call-us-selector>"));
    say::data(&format!("<script defer src=\"{script}\" id=\"tcx-callus-js\" charset=\"utf-8\"></script>"));
    Ok(Exit::Done)
}

/// The line to a PBX.
async fn line(workspace: &Workspace, name: &str) -> anyhow::Result<Line> {
    let target = Target::new(threecx::KIND, name);
    let sites = workspace.sites(&crate::plan::Scope {
        names: vec![format!("{}/{name}", threecx::KIND)],
        ..crate::plan::Scope::default()
    })?;
    let site = sites.into_iter().map(|(site, _)| site).find(|site| site.target == target);
    let site = site.ok_or_else(|| anyhow!("there is no `{name}` under `pbx` in the inventory"))?;
    Links::default().open(workspace, &target, &site.reach).await
}

fn backups(workspace: &Workspace, name: &str) -> anyhow::Result<Exit> {
    let rows = super::wait(async {
        let line = line(workspace, name).await?;
        let path = "/xapi/v1/Backups?$top=100&$select=FileName,CreationTime,Size";
        Ok(line.reading().get(path).await?.body)
    })?;
    let Waited::Done(body) = rows else { return Ok(Exit::Interrupted) };
    for row in body["value"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        say::data(&format!("{}  {}  {} bytes", text("CreationTime"), text("FileName"), row["Size"]));
    }
    Ok(Exit::Done)
}

/// Puts a backup back: the PBX restarts, calls end.
fn restore(
    arguments: &Arguments,
    workspace: &Workspace,
    name: &str,
    backup: &str,
    yes: bool,
) -> anyhow::Result<Exit> {
    if !yes {
        let question = format!("Put {backup} back on {name}? Its services restart and calls end.");
        let Waited::Done(agreed) = super::ask(arguments, &question)? else { return Ok(Exit::Interrupted) };
        if !agreed {
            say::word(&format!("{}refused:{:#} not approved; say --yes", say::BAD, say::BAD));
            return Ok(Exit::Refused);
        }
    }
    let mut account = Account::begin();
    let target = Target::new(threecx::KIND, name).to_string();
    account.target(&target).changes = 1;
    let sent = super::wait(async {
        let line = line(workspace, name).await?;
        let found = line.reading().get("/xapi/v1/Backups?$top=100&$select=FileName").await?.body;
        let files = found["value"].as_array().cloned().unwrap_or_default();
        let mut files = files.iter().filter_map(|row| row["FileName"].as_str());
        let file = files.find(|file| *file == backup || file.split('.').next() == Some(backup));
        let file =
            file.ok_or_else(|| anyhow!("{name} has no backup {backup}; see `rocade pbx backups {name}`"))?;
        let path = format!("/xapi/v1/Backups('{file}')/Pbx.Restore");
        line.writing().send(Method::Post, &path, None).await?;
        Ok(file.to_owned())
    });
    let exit = match &sent {
        Ok(Waited::Done(_)) => Exit::Done,
        Ok(Waited::Interrupted) => Exit::Interrupted,
        Err(_) => Exit::Failed,
    };
    account.target(&target).done = usize::from(exit == Exit::Done);
    account.end(arguments, workspace, exit);
    let Waited::Done(file) = sent? else { return Ok(Exit::Interrupted) };
    say::word(&format!("{name} is putting {file} back"));
    Ok(Exit::Done)
}
