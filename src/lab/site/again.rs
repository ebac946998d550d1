//! The lab of a folder started again: new devices as out of their boxes, at the addresses and with the logins that
//! the folder's inventory tells.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::super::{DevicePlan, Kind, Lab, LabPlan, ThreeCxPlan, control};
use super::{FORMAT, describe, known_hosts};
use crate::repository;

/// What `lab.json` says of the lab that ran before.
#[derive(Deserialize)]
pub(super) struct Known {
    format: u32,
    devices: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    name: String,
    kind: Kind,
    ssh: Option<Login>,
    api: Option<Page>,
    xapi: Option<Client>,
    mqtts: Option<Port>,
}

#[derive(Deserialize)]
struct Login {
    port: u16,
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Page {
    url: String,
}

#[derive(Deserialize)]
struct Client {
    url: String,
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
}

/// The lab that was in a folder; `None` where there was none.
pub(super) fn read(root: &Path) -> anyhow::Result<Option<Known>> {
    let path = root.join("lab.json");
    let Some(text) = repository::read(&path)? else { return Ok(None) };
    let known: Known = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    if known.format != FORMAT {
        bail!("{} is of another version of rocade; start a lab in a new folder", path.display());
    }
    Ok(Some(known))
}

pub(super) async fn start(root: &Path, boxed: bool, known: Known) -> anyhow::Result<Lab> {
    let devices = known.devices.iter().map(|said| plan(said, boxed)).collect::<anyhow::Result<_>>()?;
    let mqtts = known.devices.iter().find_map(|said| said.mqtts.as_ref());
    let mqtts_port = mqtts.map(|mqtts| mqtts.port).ok_or_else(|| anyhow!("lab.json knows no broker"))?;
    let logs = root.join(".rocade").join("lab");
    std::fs::create_dir_all(&logs).with_context(|| format!("making {}", logs.display()))?;
    let mut lab = Lab::start(LabPlan { devices, logs: Some(logs) })
        .await
        .context("starting the lab of this folder again; does it run already?")?;
    let control = control::open(&mut lab).await?;
    pin(root, &lab)?;
    describe(root, &lab, mqtts_port, &control)?;
    Ok(lab)
}

fn plan(said: &Said, boxed: bool) -> anyhow::Result<DevicePlan> {
    let mut plan = match said.kind {
        Kind::Conduit => DevicePlan { boxed, ..DevicePlan::conduit(&said.name) },
        Kind::Debian => DevicePlan::debian(&said.name),
        Kind::ThreeCx => DevicePlan::threecx(&said.name),
        Kind::Dolibarr => DevicePlan::dolibarr(&said.name),
    };
    if let Some(login) = &said.ssh {
        plan.ssh_port = login.port;
        plan.user.clone_from(&login.user);
        plan.password.clone_from(&login.password);
    }
    if let Some(page) = &said.api {
        plan.https_port = port_of(&page.url)?;
    }
    if let Some(client) = &said.xapi {
        plan.https_port = port_of(&client.url)?;
        let (client_id, client_secret) = (client.client_id.clone(), client.client_secret.clone());
        plan.threecx = ThreeCxPlan { client_id, client_secret, ..ThreeCxPlan::default() };
    }
    Ok(plan)
}

fn port_of(url: &str) -> anyhow::Result<u16> {
    let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| anyhow!("lab.json has no port in `{url}`"))
}

/// The devices are new, so are their keys: those of before are taken out, others stay.
fn pin(root: &Path, lab: &Lab) -> anyhow::Result<()> {
    let hosts = root.join("inventory").join("known_hosts");
    let address = |port| format!("[127.0.0.1]:{port} ");
    let before = without(&hosts, lab.devices().iter().map(|device| address(device.plan.ssh_port)).collect())?;
    repository::replace(&hosts, (before.unwrap_or_default() + &known_hosts(lab.devices())).as_bytes())?;
    let certificates = root.join("inventory").join("known_certificates");
    let names = lab.devices().iter().map(|device| format!("{} ", device.plan.name)).collect();
    match without(&certificates, names)? {
        Some(others) => repository::replace(&certificates, others.as_bytes()),
        None => Ok(()),
    }
}

/// A file less the lines that begin with one of some words; `None` without a file.
fn without(path: &Path, words: Vec<String>) -> anyhow::Result<Option<String>> {
    let Some(text) = repository::read(path)? else { return Ok(None) };
    let others = text.lines().filter(|line| !words.iter().any(|word| line.starts_with(word.as_str())));
    Ok(Some(others.map(|line| format!("{line}\n")).collect()))
}
