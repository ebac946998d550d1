//! The JSON form of `rocade sensors`. Times are UTC, spans are seconds; what is not known is null.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::providers::conduit::heard::{Account, Heard, Last, Source, State};
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
    let mut value = heard(&line.heard);
    value["name"] = json!(line.name);
    value["gateway"] = json!(line.gateway);
    value["dev_eui"] = json!(line.dev_eui.to_string());
    value["state"] = json!(state);
    value["reason"] = json!(reason);
    value["age_s"] = json!(line.age);
    value["declared_period_s"] = json!(line.declared.map(|period| period.as_secs()));
    value["expected_period_s"] = json!(line.expected.map(|period| period.as_secs()));
    value
}

fn stranger(line: &Stranger) -> Value {
    let mut value = heard(&line.heard);
    value["gateway"] = json!(line.gateway);
    value["dev_eui"] = json!(line.dev_eui.to_string());
    let belongs = line.belongs.as_ref();
    value["belongs_to"] = json!(belongs.map(|(name, gateway)| json!({"name": name, "gateway": gateway})));
    value
}

fn heard(heard: &Heard) -> Value {
    let (last, source) = match heard.last {
        Last::At(time, source) => (Some(time), Some(source)),
        Last::Never | Last::Undated => (None, None),
    };
    let said = |time: Option<Timestamp>| time.map(|time| time.to_string());
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
    json!({
        "last_uplink": said(last),
        "source": source.map(source_name),
        "rssi": heard.rssi,
        "snr": heard.snr,
        "low_battery": heard.low_battery,
        "battery_percent": heard.battery,
        "counter": heard.counter,
        "counts": counts,
        "reports": reports,
    })
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Relay => "relay",
        Source::NetworkServer => "network-server",
    }
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
