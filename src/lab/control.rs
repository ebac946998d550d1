//! The control door of a running lab: what a person in front of the devices would do, asked for from another
//! program. It is on loopback and wants the token from `lab.json`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::conduit::Conduit;
use super::conduit::api::Reply;
use super::conduit::web::{self, Call};
use super::door::Door;
use super::gate::Gate;
use super::knobs::{KnobBoard, Knobs};
use super::{Lab, Uplink};
use crate::model::Eui;

/// What can be asked of a running lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Intervention {
    /// Press the reset button of a Conduit.
    Press {
        /// How long.
        seconds: u64,
    },
    /// Pull the plug of a Conduit and put it back.
    CutPower,
    /// Set all knobs of a device, in words.
    Turn {
        /// As in [`Knobs`]'s words.
        knobs: String,
    },
    /// Let a sensor be heard by a Conduit. It joins when it has not.
    Uplink {
        /// The sensor.
        dev_eui: String,
        /// The frame in hex.
        frame: String,
        /// Its counter; the next one when absent.
        fcnt: Option<u32>,
    },
}

/// A device as the door reaches it.
struct Reached {
    name: String,
    knobs: Arc<KnobBoard>,
    conduit: Option<Arc<Conduit>>,
}

#[derive(Serialize, Deserialize)]
struct Asked {
    device: String,
    intervention: Intervention,
}

/// Where the door is; a part of `lab.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Address {
    url: String,
    token: String,
}

/// Opens the door of a lab, which serves it from now on.
///
/// # Errors
/// When no port can be had.
pub(super) async fn open(lab: &mut Lab) -> anyhow::Result<Address> {
    let door = Door::open(0).await.context("the lab's control door")?;
    let token = format!("{:032x}", rand::random::<u128>());
    let address = Address { url: format!("http://127.0.0.1:{}", door.port()), token: token.clone() };
    let reached: Vec<Reached> = lab
        .devices
        .iter()
        .map(|device| Reached {
            name: device.plan.name.clone(),
            knobs: Arc::clone(&device.host.knobs),
            conduit: device.conduit.clone(),
        })
        .collect();
    let reached = Arc::new(reached);
    lab.tasks.spawn(async move {
        let serve = |line| {
            let (reached, token) = (Arc::clone(&reached), token.clone());
            async move {
                web::serve(line, |call| {
                    let reply = answer(&reached, &token, &call);
                    async move { Some(reply.into()) }
                })
                .await;
            }
        };
        door.attend_behind(&Gate::default(), Arc::default(), serve).await;
        Ok(())
    });
    Ok(address)
}

fn answer(devices: &[Reached], token: &str, call: &Call) -> Reply {
    if call.cookie.as_deref() != Some(token) {
        return Reply::fail(401, "the lab's token is another");
    }
    let Ok(asked) = serde_json::from_slice::<Asked>(&call.body) else {
        return Reply::fail(400, "not an intervention this lab knows");
    };
    match fulfil(devices, &asked) {
        Ok(done) => Reply::success(&json!(done)),
        Err(reason) => Reply::fail(400, &reason),
    }
}

/// Does it; says what was done.
fn fulfil(devices: &[Reached], asked: &Asked) -> Result<String, String> {
    let name = &asked.device;
    let device = devices.iter().find(|device| device.name == *name).ok_or_else(|| {
        let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        format!("this lab has no `{name}`, only {}", names.join(", "))
    })?;
    let conduit = || device.conduit.as_ref().ok_or_else(|| format!("`{name}` is not a Conduit"));
    Ok(match &asked.intervention {
        Intervention::Press { seconds } => match conduit()?.press(Duration::from_secs(*seconds)) {
            Some(restart) => format!("{name} {restart}"),
            None => format!("{name} does nothing: its settings turn the button off"),
        },
        Intervention::CutPower => {
            conduit()?.cut_power();
            format!("{name} restarts")
        }
        Intervention::Turn { knobs } => {
            let turned: Knobs = knobs.parse()?;
            device.knobs.set(|knobs| *knobs = turned);
            format!("{name}: {knobs}")
        }
        Intervention::Uplink { dev_eui, frame, fcnt } => {
            let frame = hex::decode(frame).map_err(|error| format!("`{frame}` is no frame: {error}"))?;
            let dev_eui: Eui = dev_eui.parse().map_err(|error| format!("{error}"))?;
            let uplink = Uplink { fcnt: *fcnt, ..Uplink::new(dev_eui, &frame) };
            let conduit = conduit()?;
            if !conduit.has_joined(dev_eui) {
                conduit.join(dev_eui)?;
            }
            conduit.hear(&uplink)?;
            format!("{name} heard {}", dev_eui.dashed())
        }
    })
}

/// Asks the lab that runs in a folder; gives what was done, in words.
///
/// # Errors
/// When none runs there, and its reason when it refuses.
pub async fn ask(root: &Path, device: &str, intervention: Intervention) -> anyhow::Result<String> {
    let path = root.join("lab.json");
    let text = std::fs::read(&path).with_context(|| {
        format!("no lab runs here: reading {} (`rocade lab up DIR` starts one)", path.display())
    })?;
    let described: Value =
        serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?;
    let address: Address = serde_json::from_value(described["control"].clone())
        .with_context(|| format!("{} does not say where its lab is", path.display()))?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(&address.url).header("Cookie", format!("token={}", address.token));
    let response = request.json(&Asked { device: device.to_owned(), intervention }).send().await;
    let response = response.map_err(|_| anyhow!("the lab of {} does not run any more", root.display()))?;
    let envelope: Value = response.json().await.context("the lab's answer")?;
    match (envelope["result"].as_str(), envelope["error"].as_str()) {
        (Some(done), _) => Ok(done.to_owned()),
        (None, Some(reason)) => bail!("{reason}"),
        (None, None) => bail!("the lab's answer says nothing"),
    }
}
