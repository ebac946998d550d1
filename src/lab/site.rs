//! A site to try rocade on: a Conduit and a broker host, and the inventory repository that describes them.

mod again;

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::control;
use super::door::Door;
use super::office;
use super::{Device, DevicePlan, Kind, Lab, LabPlan};
use crate::repository::replace;
use crate::secrets::{IdentitySource, Store, keygen};

/// The version of `lab.json`: the minor part grows with additions.
const FORMAT: u32 = 1;

/// The gateway and the broker, as the inventory names them.
const GATEWAY: &str = "pool-gw";
const BROKER: &str = "main";
/// The telephone system, as the inventory names it.
const PBX: &str = "head-office";

/// Starts a Conduit `pool-gw` and a Debian host `main` and writes into `root`, an empty or new folder, the
/// inventory repository that describes them, and `lab.json`, which says where they are.
///
/// Where a lab was before, its devices are started again as out of their boxes, at the same addresses.
///
/// # Errors
/// When the folder is neither empty nor a lab's, or something cannot be started or written.
pub async fn up(root: &Path) -> anyhow::Result<Lab> {
    start(root, false).await
}

/// The same with the Conduit in its box: nobody commissioned it, SSH is off, and no host key is pinned. Its
/// user and password in the inventory and the secrets are what it is to get.
///
/// # Errors
/// The same.
pub async fn up_boxed(root: &Path) -> anyhow::Result<Lab> {
    start(root, true).await
}

async fn start(root: &Path, boxed: bool) -> anyhow::Result<Lab> {
    if let Some(known) = again::read(root)? {
        return again::start(root, boxed, known).await;
    }
    // A fresh clone of nothing is nobody's work yet.
    let foreign =
        |entry: std::io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != ".git");
    let taken = root.read_dir().is_ok_and(|mut entries| entries.any(foreign));
    if taken {
        bail!("{} is not empty; a lab wants a folder of its own", root.display());
    }
    let logs = root.join(".rocade").join("lab");
    // Makes `.rocade` for its owner only, before anything else is put there.
    keygen(&root.join(".rocade").join("identity.txt"), Some(root), Some("lab"))?;
    std::fs::create_dir_all(&logs).with_context(|| format!("making {}", logs.display()))?;
    let gateway = DevicePlan { boxed, ..DevicePlan::conduit(GATEWAY) };
    let devices = vec![gateway, DevicePlan::debian(BROKER), DevicePlan::threecx(PBX)];
    let mut lab = Lab::start(LabPlan { devices, logs: Some(logs) }).await?;
    let control = control::open(&mut lab).await?;
    let mqtts_port = unused_port().await?;
    write(root, &lab, mqtts_port, &control)?;
    Ok(lab)
}

/// A port for the broker, which opens it only when it was applied. It lies below those that systems give to
/// outgoing connections (Linux from 32768), or one of them could have taken it by then.
async fn unused_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let port = rand::random_range(20_000..32_000);
        if Door::open(port).await.is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("found no port for the broker")
}

fn write(root: &Path, lab: &Lab, mqtts_port: u16, control: &control::Address) -> anyhow::Result<()> {
    let device = |name: &str| lab.device(name).with_context(|| format!("{name} does not run"));
    let (gateway, broker, pbx) = (device(GATEWAY)?, device(BROKER)?, device(PBX)?);
    for (name, text) in [
        ("inventory/site.yaml", SITE.to_owned()),
        ("inventory/gateways.yaml", gateway_yaml(gateway)),
        ("inventory/sensors.yaml", SENSORS.to_owned()),
        ("inventory/brokers.yaml", broker_yaml(broker, mqtts_port)),
        ("inventory/head-office.yaml", office::yaml(&pbx.url())),
        ("inventory/known_hosts", known_hosts(lab.devices())),
        (".gitignore", ".rocade/\nlab.json\n".to_owned()),
    ] {
        replace(&root.join(name), text.as_bytes())?;
    }
    for (name, content) in office::prompts() {
        replace(&root.join("inventory/prompts").join(name), content)?;
    }
    keep_secrets(root, gateway, broker, pbx)?;
    describe(root, lab, mqtts_port, control)
}

/// Says in `lab.json` where the devices are.
fn describe(root: &Path, lab: &Lab, mqtts_port: u16, control: &control::Address) -> anyhow::Result<()> {
    let devices: Vec<_> = lab.devices().iter().map(|device| described(device, mqtts_port)).collect();
    let description = json!({"format": FORMAT, "devices": devices, "control": control});
    let text = serde_json::to_string_pretty(&description).context("describing the lab")?;
    replace(&root.join("lab.json"), format!("{text}\n").as_bytes())
}

fn described(device: &Device, mqtts_port: u16) -> serde_json::Value {
    let plan = &device.plan;
    if let Some(threecx) = device.threecx() {
        let client = threecx.plan();
        return json!({
            "name": plan.name,
            "kind": plan.kind,
            "xapi": {"url": device.url(), "client_id": client.client_id, "client_secret": client.client_secret},
            "log": format!(".rocade/lab/{}.jsonl", plan.name),
        });
    }
    let mut described = json!({
        "name": plan.name,
        "kind": plan.kind,
        "ssh": {"address": "127.0.0.1", "port": plan.ssh_port, "user": plan.user, "password": plan.password},
        "host_key_fingerprint": device.fingerprint,
        "log": format!(".rocade/lab/{}.jsonl", plan.name),
    });
    match plan.kind {
        Kind::Conduit => {
            described["api"] = json!({"url": device.url(), "user": plan.user, "password": plan.password});
        }
        Kind::Debian => described["mqtts"] = json!({"port": mqtts_port}),
        Kind::ThreeCx | Kind::Dolibarr => {}
    }
    described
}

fn known_hosts(devices: &[Device]) -> String {
    let line = |device: &Device| format!("[127.0.0.1]:{} {}\n", device.plan.ssh_port, device.host_key);
    devices.iter().filter(|device| !device.host_key.is_empty() && !device.plan.boxed).map(line).collect()
}

/// What the inventory refers to and the first apply does not make: logins, and keys rolled as a person would.
fn keep_secrets(root: &Path, gateway: &Device, broker: &Device, pbx: &Device) -> anyhow::Result<()> {
    let identity = IdentitySource::File(root.join(".rocade").join("identity.txt"));
    let store = Store::open(root, identity)?;
    let key = || hex::encode(rand::random::<[u8; 16]>());
    for (path, value) in [
        ("gateways/pool-gw/admin", gateway.plan.password.clone()),
        ("gateways/pool-gw/network", key()),
        ("brokers/main/admin", broker.plan.password.clone()),
        ("brokers/main/signage", key()),
        ("sensors/pool-hall/app_key", key()),
        ("sensors/pool-changing/app_key", key()),
        ("pbx/head-office/client", pbx.plan.threecx.client_secret.clone()),
        ("pbx/head-office/trunk", key()),
        ("pbx/head-office/sbc", key()),
        ("pbx/head-office/pin", "2468013579".to_owned()),
    ] {
        store.put(path, value.as_bytes())?;
    }
    Ok(())
}

const SITE: &str = "\
# yaml-language-server: $schema=schema.json
sites:
  pool: {title: Indoor pool, timezone: Europe/Paris}

pki:
  authority: {name: Lab IoT Root, key: ecdsa-p256, root_lifetime: 10y, leaf_lifetime: 1y, renew_at: 2/3}
";

const SENSORS: &str = "\
# yaml-language-server: $schema=schema.json
sensors:
  pool-hall:
    gateway: pool-gw
    model: adeunis-comfort-co2
    dev_eui: 0018B21000004A2F
    app_eui: 0018B24441524632
    app_key: {secret: sensors/pool-hall/app_key}
    period: 10m
    topic: sites/pool/hall

  pool-changing:
    gateway: pool-gw
    model: adeunis-comfort
    dev_eui: 0018B21000004A30
    app_eui: 0018B24441524632
    app_key: {secret: sensors/pool-changing/app_key}
    period: 10m
    topic: sites/pool/changing
";

fn gateway_yaml(device: &Device) -> String {
    let DevicePlan { user, ssh_port, https_port, serial, .. } = &device.plan;
    format!(
        "\
# yaml-language-server: $schema=schema.json
gateways:
  pool-gw:
    site: pool
    model: multitech-conduit
    address: 127.0.0.1
    https_port: {https_port}
    bootstrap: {{address: 127.0.0.1}}
    serial: \"{serial:08}\"
    firmware: {{require: \">=6.0.1, <7\"}}
    ssh: {{user: {user}, port: {ssh_port}, password: {{secret: gateways/pool-gw/admin}}}}
    lorawan:
      region: EU868
      join_server: local
      network_key: {{secret: gateways/pool-gw/network}}
    relay: {{broker: main, spool: 16 MiB}}
"
    )
}

fn broker_yaml(device: &Device, mqtts_port: u16) -> String {
    let DevicePlan { user, ssh_port, .. } = &device.plan;
    format!(
        "\
# yaml-language-server: $schema=schema.json
brokers:
  main:
    model: mosquitto
    address: 127.0.0.1
    ssh: {{user: {user}, port: {ssh_port}, password: {{secret: brokers/main/admin}}}}
    names: [127.0.0.1, localhost]
    listeners:
      mqtts: {{port: {mqtts_port}}}
    clients:
      signage: {{password: {{secret: brokers/main/signage}}, read: [\"sites/pool/#\"]}}
"
    )
}
