//! `export`: parts of the inventory in the forms of others.

use anyhow::Context;

use super::pbx::keep;
use crate::cli::arguments::{self, Export, ExportSensors, SensorFormat};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::intake::sensors::{self, Export as One};

pub fn run(arguments: &Arguments, verb: &Export) -> anyhow::Result<Exit> {
    match verb {
        Export::Sensors(verb) => export_sensors(arguments, verb),
    }
}

fn export_sensors(arguments: &Arguments, verb: &ExportSensors) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let inventory = workspace.inventory();
    if let Some(gateway) = verb.gateway.as_ref().filter(|name| !inventory.gateways.contains_key(*name)) {
        anyhow::bail!("there is no gateway `{gateway}` in the inventory");
    }
    let chosen = inventory.sensors.iter();
    let chosen = chosen.filter(|(_, one)| verb.gateway.as_ref().is_none_or(|own| one.gateway.value == *own));
    let mut list = Vec::new();
    for (name, sensor) in chosen {
        let key = verb.with_secrets.then(|| workspace.store().get(&sensor.app_key.secret)).transpose()?;
        list.push(One { name, sensor: &sensor.value, key });
    }
    let (bytes, mut notes) = match verb.format {
        SensorFormat::Tts => sensors::things_stack(&list).context("writing the list")?,
        SensorFormat::Chirpstack => {
            let requests = sensors::chirpstack(&list, &verb.application, &verb.profile);
            let none = [&verb.application, &verb.profile].contains(&&arguments::NO_UUID.to_owned());
            let note = "name ChirpStack's ids with `--application` and `--profile`".to_owned();
            let text = serde_json::to_string_pretty(&requests)? + "\n";
            (text.into_bytes(), none.then_some(note).into_iter().collect())
        }
    };
    if !verb.with_secrets {
        notes.push("keys are left out; `--with-secrets` writes them, in clear".to_owned());
    }
    match &verb.out {
        None => say::bytes(&bytes),
        Some(path) => {
            keep(path, &bytes, verb.with_secrets).with_context(|| format!("writing {}", path.display()))?;
            say::word(&format!("{} are in {}", say::count(list.len(), "sensor"), path.display()));
        }
    }
    notes.iter().for_each(|note| say::word(&format!("note: {note}")));
    Ok(Exit::Done)
}
