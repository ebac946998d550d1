//! `rocade sensors` for a person: a table, and what else is to be said below it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::say;
use crate::model::Period;
use crate::providers::conduit::heard::{Account, Heard, Last, Source, State};
use crate::run::{GatewayLine, SensorLine, Sensors, Stranger};

const HEAD: [&str; 7] = ["SENSOR", "GATEWAY", "LAST UPLINK", "SIGNAL", "BATTERY", "MISSED", "PERIOD"];

/// How many are in each state.
pub(super) fn counts(found: &Sensors) -> String {
    let count = |wanted: fn(&State) -> bool| found.sensors.iter().filter(|line| wanted(&line.state)).count();
    format!(
        "Sensors: {} heard, {} silent, {} never heard, {} not read.",
        count(|state| *state == State::Heard),
        count(|state| *state == State::Silent),
        count(|state| *state == State::Never),
        count(|state| matches!(state, State::Unread(_))),
    )
}

pub(super) fn draw(found: &Sensors) -> String {
    let mut text = String::new();
    if !found.sensors.is_empty() {
        let rows: Vec<[String; 7]> = found.sensors.iter().map(row).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEAD[column].len()]).max().unwrap_or(0)
        };
        let widths: [usize; 7] = std::array::from_fn(width);
        let head = cells(&HEAD.map(str::to_owned), &widths);
        text.push_str(&format!("{}{head}{:#}\n", say::HEAD, say::HEAD));
        for (row, line) in rows.iter().zip(&found.sensors) {
            let style = style(line);
            text.push_str(&format!("{style}{}{style:#}\n", cells(row, &widths)));
        }
    }
    let remarks = found.gateways.iter().flat_map(remarks);
    for remark in found.strangers.iter().map(stranger).chain(remarks) {
        text.push_str(&format!("{remark}\n"));
    }
    text
}

fn cells(row: &[String; 7], widths: &[usize; 7]) -> String {
    let cell = |(cell, width): (&String, &usize)| format!("{cell:<width$}");
    let line: Vec<String> = row.iter().zip(widths).map(cell).collect();
    line.join("  ").trim_end().to_owned()
}

fn style(line: &SensorLine) -> anstyle::Style {
    match line.state {
        State::Heard if line.differs() || line.heard.low_battery == Some(true) => say::CHANGED,
        State::Heard => anstyle::Style::new(),
        State::Silent | State::Never | State::Unread(_) => say::BAD,
    }
}

fn row(line: &SensorLine) -> [String; 7] {
    let heard = &line.heard;
    [
        line.name.clone(),
        line.gateway.clone(),
        last_uplink(line),
        signal(heard),
        battery(heard),
        missed(heard),
        period(line),
    ]
}

fn last_uplink(line: &SensorLine) -> String {
    let (time, source) = match line.heard.last {
        Last::At(time, source) => (local(time, line.timezone.as_deref()), source),
        Last::Never | Last::Undated => ("-".to_owned(), Source::Relay),
    };
    // Its earlier uplinks came to the relay, this one did not.
    let astray = source == Source::NetworkServer && line.heard.counts.is_some();
    let astray = if astray { " (not by the relay)" } else { "" };
    let expected = line.expected.map(|period| format!(", expected every {}", period.in_words()));
    let expected = expected.unwrap_or_default();
    match &line.state {
        State::Heard => {
            let age = line.age.map(|age| format!(", {} ago", Period(age).in_words()));
            format!("{time}{}{astray}", age.unwrap_or_default())
        }
        State::Silent => format!("silent since {time}{astray}{expected}"),
        State::Never => format!("never heard{expected}"),
        State::Unread(_) => "could not be read".to_owned(),
    }
}

/// A time in a site's zone, else UTC, to the minute. The zone is told: clocks go back once a year.
fn local(time: Timestamp, timezone: Option<&str>) -> String {
    let zone = timezone.and_then(|name| jiff::tz::db().get(name).ok()).unwrap_or(TimeZone::UTC);
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn signal(heard: &Heard) -> String {
    let told = [(heard.rssi, "dBm"), (heard.snr, "dB")];
    let words = told.into_iter().filter_map(|(value, unit)| Some(format!("{} {unit}", value?)));
    or_dash(words.collect::<Vec<_>>().join(", "))
}

fn battery(heard: &Heard) -> String {
    let low = heard.low_battery.map(|low| if low { "low" } else { "good" }.to_owned());
    let level = heard.battery.map(|level| format!("{level} %"));
    or_dash(low.into_iter().chain(level).collect::<Vec<_>>().join(", "))
}

fn missed(heard: &Heard) -> String {
    let told = |counts: &crate::providers::conduit::heard::Counts| {
        format!("{} of {}", counts.missed, counts.received + counts.missed)
    };
    heard.counts.as_ref().map_or_else(|| "-".to_owned(), told)
}

fn period(line: &SensorLine) -> String {
    let reported = line.heard.reports.map(|reports| format!("reports {}", reports.in_words()));
    let declared = line.declared.map(|period| format!("declared {}", period.in_words()));
    or_dash(reported.into_iter().chain(declared).collect::<Vec<_>>().join(", "))
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

fn stranger(line: &Stranger) -> String {
    let Stranger { gateway, dev_eui, timezone, belongs, heard } = line;
    let (time, source) = match heard.last {
        Last::At(time, source) => (local(time, timezone.as_deref()), source),
        Last::Never | Last::Undated => ("an unknown time".to_owned(), Source::Relay),
    };
    let source = match source {
        Source::Relay => "the relay",
        Source::NetworkServer => "the network server",
    };
    let place = match belongs {
        Some((name, owner)) => format!("is `{name}`, which the inventory gives to {owner}"),
        None => "is not in the inventory".to_owned(),
    };
    let signal = match signal(heard).as_str() {
        "-" => String::new(),
        signal => format!(", {signal}"),
    };
    format!(
        "{}{dev_eui}{:#} {place}: {source} of {gateway} heard it last at {time}{signal}",
        say::CHANGED,
        say::CHANGED
    )
}

/// What is to be said of a gateway.
fn remarks(line: &GatewayLine) -> Vec<String> {
    let name = &line.name;
    let bad = |words: String| format!("{}{name}{:#} {words}", say::BAD, say::BAD);
    let mut remarks = Vec::new();
    if let Some(off) = line.clock_off {
        let by = Period(off.unsigned_abs()).in_words();
        let way = if off > 0 { "ahead" } else { "behind" };
        remarks.push(bad(format!("has a clock that is {by} {way}: times above are as it tells them")));
    }
    let roll = match &line.roll {
        Ok(roll) => roll,
        Err(reason) => {
            remarks.push(bad(format!("could not be read: {reason}")));
            return remarks;
        }
    };
    remarks
        .extend(roll.unread().into_iter().map(|reason| bad(format!("could not be read in part: {reason}"))));
    let plain = match &roll.account {
        Account::Fresh | Account::Unread(_) => None,
        Account::Kept(written_at) => {
            let written = written_at.map(|time| format!(" at {}", local(time, None)));
            let written = written.unwrap_or_default();
            Some(format!(
                "its relay has not run since it was started; what it had heard was written{written}"
            ))
        }
        Account::Absent => {
            Some("no relay tells what it heard: only the network server's times are shown".to_owned())
        }
    };
    remarks.extend(plain.map(|words| format!("{name}: {words}")));
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_comes_twice_is_told_apart() {
        let told = |time: &str, zone| local(time.parse().unwrap(), zone);
        assert_eq!(told("2026-10-25T00:30:00Z", Some("Europe/Paris")), "2026-10-25 02:30 CEST");
        assert_eq!(told("2026-10-25T01:30:00Z", Some("Europe/Paris")), "2026-10-25 02:30 CET");
        assert_eq!(told("2026-11-24T09:12:59Z", Some("Europe/Paris")), "2026-11-24 10:12 CET");
        assert_eq!(told("2026-11-24T09:12:59Z", None), "2026-11-24 09:12 UTC");
    }
}
