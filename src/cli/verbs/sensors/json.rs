//! The JSON form of `rocade sensors`. Times are UTC, spans are seconds; what is not known is null.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::providers::conduit::heard::{Account, Heard, Last, State};
use crate::run::{GatewayLine, SensorLine, Sensors, Stranger};

/// The version of the form: the minor part grows with additions.
const FORMAT: &str = "1.0";

pub(super) fn document(found: &Sensors) -> Value {
    json!({
        "format_version": FORMAT,
        "sensors": found.sensors.iter().map(sensor).collect::<Vec<_>>(),
        "strangers": found.strangers.iter().map(stranger).collect::<Vec<_>>(),
        "gateways": found.gateways.iter().map(gateway).collect::<Vec<_>>(),
    })
}

fn sensor(line: &SensorLine) -> Value {
    let (state, reason) = match &line.state {
        State::Heard => ("heard", None),
        State::Silent => ("silent", None),
        State::Never => ("never", None),
        State::Unread(reason) => ("unread", Some(reason)),
    };
    let value = json!({
        "name": line.name,
        "gateway": line.gateway,
        "dev_eui": line.dev_eui.to_string(),
        "state": state,
        "reason": reason,
        "age_s": line.age,
        "declared_period_s": line.declared.map(|period| period.as_secs()),
        "expected_period_s": line.expected.map(|period| period.as_secs()),
    });
    with(value, &line.heard)
}

fn stranger(line: &Stranger) -> Value {
    let belongs = line.belongs.as_ref();
    let value = json!({
        "gateway": line.gateway,
        "dev_eui": line.dev_eui.to_string(),
        "belongs_to": belongs.map(|(name, gateway)| json!({"name": name, "gateway": gateway})),
    });
    with(value, &line.heard)
}

/// An object with what is known of a sensor.
fn with(mut value: Value, heard: &Heard) -> Value {
    let (last, source) = match heard.last {
        Last::At(time, source) => (Some(time), Some(source)),
        Last::Never | Last::Undated => (None, None),
    };
    let said = |time: Option<Timestamp>| json!(time.map(|time| time.to_string()));
    let counts = heard.counts.as_ref().map(|counts| {
        json!({
            "since": said(counts.since), "received": counts.received, "missed": counts.missed,
            "sessions": counts.sessions,
            "last_gap": counts.gap.map(|(at, missed)| json!({"at": said(at), "missed": missed})),
        })
    });
    let reports = heard.reports.as_ref().map(|reports| {
        json!({
            "sending_s": reports.sending.as_secs(), "sampling_s": reports.sampling.as_secs(),
            "at": said(reports.at),
        })
    });
    for (name, known) in [
        ("last_uplink", said(last)),
        ("source", json!(source)),
        ("rssi", json!(heard.rssi)),
        ("snr", json!(heard.snr)),
        ("low_battery", json!(heard.low_battery)),
        ("battery_percent", json!(heard.battery)),
        ("counter", json!(heard.counter)),
        ("counts", json!(counts)),
        ("reports", json!(reports)),
    ] {
        value[name] = known;
    }
    value
}

fn gateway(line: &GatewayLine) -> Value {
    let unread = match &line.roll {
        Ok(roll) => roll.unread(),
        Err(reason) => vec![reason.clone()],
    };
    let account = line.roll.as_ref().ok().map(|roll| match &roll.account {
        Account::Fresh => "fresh",
        Account::Kept(_) => "kept",
        Account::Absent => "absent",
        Account::Unread(_) => "unread",
    });
    let clock = line.roll.as_ref().ok().and_then(|roll| roll.clock.as_ref().ok());
    json!({
        "name": line.name,
        "unread": unread,
        "relay_account": account,
        "clock": clock.map(Timestamp::to_string),
        "clock_off_s": line.clock_off,
    })
}
