//! Sensors: each its own identity, key and topic, and a period that the radio rules allow.

use std::collections::BTreeMap;

use super::airtime::{airtime, shortest_period_seconds};
use super::repeated;
use super::topic::topic_fault;
use crate::inventory::{Activation, At, Diagnostic, Inventory, Place, Sensor, SensorModel};
use crate::model::Period;

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let sensors = || inventory.sensors.values();
    repeated(
        sensors().map(|sensor| (sensor.dev_eui.0, &sensor.dev_eui.place)),
        |eui| Diagnostic::error("duplicate-deveui", format!("two sensors have DevEUI {eui}")),
        found,
    );
    repeated(
        sensors().map(|sensor| (sensor.topic.as_str(), &sensor.topic.place)),
        |topic| Diagnostic::error("duplicate-topic", format!("two sensors publish to `{topic}`")),
        found,
    );
    check_keys(inventory, found);
    for sensor in sensors() {
        check_one(sensor, found);
    }
}

fn check_keys(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let keys =
        || inventory.sensors.values().map(|sensor| (sensor.app_key.secret.as_str(), &sensor.app_key.place));
    let help = "one key per device: who takes one sensor apart must not hold the key of another";
    repeated(
        keys(),
        |secret| Diagnostic::error("shared-key", format!("two sensors share the key `{secret}`")).help(help),
        found,
    );
    let owners: BTreeMap<&str, &Place> = keys().collect();
    for key in inventory.gateways.values().map(|gateway| &gateway.lorawan.network_key) {
        if let Some(sensor) = owners.get(key.secret.as_str()) {
            let message = format!("the network key `{}` is also a sensor's key", key.secret);
            let fault = Diagnostic::error("shared-key", message).at(&key.place, "network key");
            found.push(fault.at(sensor, "key of this sensor").help("give the network a key of its own"));
        }
    }
}

fn check_one(sensor: &At<Sensor>, found: &mut Vec<Diagnostic>) {
    if let Some(fault) = topic_fault(&sensor.topic) {
        found.push(Diagnostic::error("bad-topic", fault).at(&sensor.topic.place, ""));
    }
    if *sensor.activation == Activation::Abp {
        let message =
            "a Conduit takes credentials for OTAA only, and drops the uplinks of ABP sensors silently";
        let help = "set the sensor to OTAA (`activation` may then be left out)";
        found.push(Diagnostic::error("abp-refused", message).at(&sensor.activation.place, "").help(help));
    }
    let factor = sensor.spreading_factor.as_ref();
    match factor.filter(|factor| !(7..=12).contains(&factor.value)) {
        Some(factor) => {
            let message = format!("spreading factor {} is not from 7 to 12", factor.value);
            found.push(Diagnostic::error("out-of-range", message).at(&factor.place, ""));
        }
        None => check_duty_cycle(sensor, factor.map_or(12, |factor| factor.value), found),
    }
}

fn check_duty_cycle(sensor: &Sensor, factor: u8, found: &mut Vec<Diagnostic>) {
    let Some(period) = &sensor.period else { return };
    let bytes = regular_frame_bytes(sensor.model);
    let airtime = airtime(bytes, factor);
    let shortest = shortest_period_seconds(airtime);
    if period.as_secs() >= shortest {
        return;
    }
    let message = format!(
        "{bytes} B at SF{factor} are {:.3} s on air, and 1 % of {} is {:.3} s (EU868 duty cycle)",
        airtime.as_secs_f64(),
        ***period,
        period.as_secs() as f64 / 100.0
    );
    let mut help = format!("send every {} or less often", Period(shortest));
    if factor > 7 {
        help.push_str(", or write the `spreading_factor` the sensor really uses");
    }
    found.push(Diagnostic::error("duty-cycle", message).at(&period.place, "").help(help));
}

/// The payload of the largest data frame the manufacturer publishes for a model. Of an unknown model only
/// the least is known.
fn regular_frame_bytes(model: SensorModel) -> u64 {
    match model {
        SensorModel::AdeunisComfort => 24,
        SensorModel::AdeunisComfortV1 => 20,
        SensorModel::AdeunisComfortCo2 => 32,
        SensorModel::Raw => 1,
    }
}
