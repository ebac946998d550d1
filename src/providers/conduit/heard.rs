//! What a gateway heard of its sensors. The relay's account knows counters, signal and what frames say; the
//! network server's rows know at least when, also of a gateway without a relay. The later time counts.
//!
//! All times are the gateway's own, so ages are held against its clock.

mod account;
mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::unit::Unit;
use super::{api, relay};
use crate::host::{Answer, Ask};
use crate::inventory::Gateway;
use crate::model::{Eui, Period};
use crate::transport::Reading;

/// Where the relay keeps its account fresh, in memory.
pub(super) const FRESH: &str = "/var/run/rocade-heard.json";
/// What it keeps of it on flash, beside its folder; a restart of the gateway leaves this only.
const KEPT: &str = "heard.json";

/// A time this far ahead of the clock is none that can be held against it.
const AHEAD_S: i64 = 60;

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The relay.
    Relay,
    /// The gateway's network server.
    NetworkServer,
}

/// When a sensor was last heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Last {
    /// Not once.
    #[default]
    Never,
    /// While the gateway's clock was not set.
    Undated,
    /// Then, by the gateway's clock.
    At(Timestamp, Source),
}

/// What is known of one sensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Its last uplink.
    pub last: Last,
    /// Strength at the gateway in dBm.
    pub rssi: Option<f64>,
    /// Signal-to-noise ratio in dB.
    pub snr: Option<f64>,
    /// Whether its frames say that the battery is low.
    pub low_battery: Option<bool>,
    /// The battery's level in per cent, when the network server asked for it.
    pub battery: Option<u8>,
    /// The lower 16 bits of the last frame counter, as the relay has it; else as the network server has it.
    pub counter: Option<u64>,
    /// The relay's counts.
    pub counts: Option<Counts>,
    /// How it says it is set.
    pub reports: Option<Reports>,
}

/// Uplinks counted by the relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Since when.
    pub since: Option<Timestamp>,
    /// How many came.
    pub received: u64,
    /// How many are missing between those that came.
    pub missed: u64,
    /// How often it began to count anew: its joins, as far as they show.
    pub sessions: u64,
    /// The last gap: after it, and how many were missing.
    pub gap: Option<(Option<Timestamp>, u64)>,
}

/// What a sensor's last configuration frame (0x10) says. A period of 0 is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports {
    /// The time between two periodic uplinks.
    pub sending: Period,
    /// The time between two samples.
    pub sampling: Period,
    /// When it said so.
    pub at: Option<Timestamp>,
}

impl Reports {
    /// What it says, after "it reports": `10 min`, or that it sends nothing by itself.
    pub fn in_words(&self) -> String {
        match self.sending {
            Period(0) => "that it sends no measures by itself".to_owned(),
            period => period.in_words(),
        }
    }
}

/// How a sensor does, against the period expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was heard, as lately as is expected.
    Heard,
    /// Its last uplink is older than two and a half periods.
    Silent,
    /// It was never heard.
    Never,
    /// It cannot be told: why.
    Unread(String),
}

/// What there is of the relay's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// The fresh one of a relay that runs or ran since the gateway started.
    Fresh,
    /// What was on flash; with the time it was written.
    Kept(Option<Timestamp>),
    /// None.
    Absent,
    /// It is there and says nothing that could be read: why.
    Unread(String),
}

/// What a gateway heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Roll {
    /// The gateway's clock when it was asked; or why it is not known.
    pub clock: Result<Timestamp, String>,
    /// The sensors it knows of, also those that nobody listed.
    pub sensors: BTreeMap<Eui, Heard>,
    /// Whether the network server's rows could be read; or why not. Without them no sensor is never heard.
    pub network_server: Result<(), String>,
    /// The relay's account.
    pub account: Account,
}

/// Asks a gateway, in one exec.
///
/// # Errors
/// When nothing could be read, or another unit than the inventory's answers.
pub async fn heard(gateway: &Gateway, hand: Reading<'_>) -> Result<Roll, String> {
    let base = gateway.api.as_deref().unwrap_or(api::LOOPBACK);
    let get = |resource| Ask::Get { url: api::url(base, resource) };
    let content = |path: String| Ask::Content { path };
    let asks = [
        Ask::Facts,
        get("system"),
        get("lora/devices"),
        get("lora/sessions"),
        content(FRESH.to_owned()),
        content(format!("{}/{KEPT}", relay::HOME)),
    ];
    let answers = hand.ask(&asks).await.map_err(|fault| format!("{fault:#}"))?;
    let answers: [Answer; 6] = answers.try_into().map_err(|_| "the host left questions unanswered")?;
    roll(gateway, answers)
}

/// Reads the answers to the questions of [`heard`].
fn roll(gateway: &Gateway, answers: [Answer; 6]) -> Result<Roll, String> {
    let [facts, system, devices, sessions, fresh, kept] = answers;
    if let (Ok(system), Some(wished)) = (api::of(system), &gateway.serial)
        && let Some(serial) = Unit::of(&system).serial
        && !serial.eq_ignore_ascii_case(wished)
    {
        return Err(format!("this is the unit with serial number {serial}, the inventory says {}", **wished));
    }
    let mut sensors = BTreeMap::new();
    let account = match account::of(fresh, kept) {
        // What a relay that was removed has left says nothing of today.
        _ if gateway.relay.is_none() => Account::Absent,
        Ok(Some(account)) => {
            sensors = account.sensors;
            account.kind
        }
        Ok(None) => Account::Absent,
        Err(reason) => Account::Unread(reason),
    };
    let network_server = api::of(devices).and_then(|rows| rows::join(&mut sensors, &rows));
    // Battery levels are an extra that not every firmware has.
    if let Ok(sessions) = api::of(sessions) {
        rows::add_sessions(&mut sensors, &sessions);
    }
    Ok(Roll { clock: clock(facts), sensors, network_server, account })
}

fn clock(facts: Answer) -> Result<Timestamp, String> {
    let facts = match facts {
        Answer::Facts(facts) => facts,
        Answer::Unread(reason) => return Err(reason),
        _ => return Err("the host answered another question".to_owned()),
    };
    let seconds = facts.get("clock").and_then(|clock| clock.parse().ok());
    let clock = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    clock.ok_or_else(|| "the gateway does not say what time it is".to_owned())
}

impl Roll {
    /// The time of a sensor's last uplink, by the gateway's clock.
    pub fn last(&self, dev_eui: Eui) -> Option<Timestamp> {
        match self.sensors.get(&dev_eui)?.last {
            Last::At(time, _) => Some(time),
            Last::Never | Last::Undated => None,
        }
    }

    /// How many seconds ago a sensor was last heard.
    pub fn age(&self, dev_eui: Eui) -> Option<u64> {
        let clock = self.clock.as_ref().ok()?;
        let age = clock.as_second() - self.last(dev_eui)?.as_second();
        // The clock is in whole seconds and read a moment before the account.
        u64::try_from(age.max(0)).ok().filter(|_| age >= -AHEAD_S)
    }

    /// The period expected of a sensor: the declared one, else the one it reports.
    pub fn expected(&self, dev_eui: Eui, declared: Option<Period>) -> Option<Period> {
        let reported = || Some(self.sensors.get(&dev_eui)?.reports?.sending);
        declared.or_else(reported).filter(|period| period.as_secs() > 0)
    }

    /// How a sensor does. One without any expected period is heard when it ever was.
    pub fn state(&self, dev_eui: Eui, declared: Option<Period>) -> State {
        let last = self.sensors.get(&dev_eui).map(|heard| heard.last).unwrap_or_default();
        let time = match (last, &self.network_server) {
            (Last::At(time, _), _) => time,
            (Last::Undated, _) => {
                return State::Unread("it was heard while the gateway's clock was not set".to_owned());
            }
            (Last::Never, Ok(())) => return State::Never,
            (Last::Never, Err(reason)) => return State::Unread(reason.clone()),
        };
        let age = match (&self.clock, self.age(dev_eui)) {
            (_, Some(age)) => age,
            (Err(reason), None) => return State::Unread(reason.clone()),
            (Ok(clock), None) => {
                return State::Unread(format!("it was heard at {time}, the gateway's clock says {clock}"));
            }
        };
        let late = self.expected(dev_eui, declared).is_some_and(|period| is_late(age, period));
        match &self.network_server {
            _ if !late => State::Heard,
            // What is on flash may be an hour old: it tells that a sensor was heard, not that it was not.
            Err(reason) if self.account != Account::Fresh => State::Unread(reason.clone()),
            _ => State::Silent,
        }
    }

    /// Why some of it could not be read.
    pub fn unread(&self) -> Vec<String> {
        let clock = self.clock.as_ref().err();
        let account = match &self.account {
            Account::Unread(reason) => Some(reason),
            _ => None,
        };
        clock.into_iter().chain(self.network_server.as_ref().err()).chain(account).cloned().collect()
    }
}

/// Whether an age is more than two and a half periods: two uplinks in a row may be lost.
fn is_late(age: u64, period: Period) -> bool {
    age.saturating_mul(2) > period.as_secs().saturating_mul(5)
}

/// A time as the gateway's programs write it.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("`{text}` is no time"))
}

#[cfg(test)]
mod tests;
