//! The relay's account of what it heard (`rocade_relay/heard.py`), fresh or kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Account, Counts, FRESH, Heard, KEPT, Last, Reports, Source, time};
use crate::host::Answer;
use crate::model::{Eui, Period, Secret};

/// The version of the account that is read.
const FORMAT: u32 = 1;

/// An account that was read.
pub(super) struct Read {
    pub kind: Account,
    pub sensors: BTreeMap<Eui, Heard>,
}

#[derive(Deserialize)]
struct Document {
    format: u32,
    written_at: Option<String>,
    sensors: BTreeMap<String, Entry>,
    unknown: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    last: Option<String>,
    uplinks: u64,
    since: Option<String>,
    f_cnt: Option<u64>,
    sessions: u64,
    missed: u64,
    gap: Option<Gap>,
    rssi: Option<f64>,
    snr: Option<f64>,
    low_battery: Option<bool>,
    reports: Option<Configuration>,
}

#[derive(Deserialize)]
struct Gap {
    at: Option<String>,
    missed: u64,
}

#[derive(Deserialize)]
struct Configuration {
    sending_s: u64,
    sampling_s: u64,
    at: Option<String>,
}

/// The fresh account, else the kept one, else none.
///
/// # Errors
/// Why the one that is there cannot be read.
pub(super) fn of(fresh: Answer, kept: Answer) -> Result<Option<Read>, String> {
    for (answer, path) in [(fresh, FRESH), (kept, KEPT)] {
        let unread = |reason: String| format!("the relay's account {path}: {reason}");
        match answer {
            Answer::Content(None) => {}
            Answer::Content(Some(text)) => return read(&text, path == FRESH).map(Some).map_err(unread),
            Answer::Unread(reason) => return Err(unread(reason)),
            _ => return Err(unread("the host answered another question".to_owned())),
        }
    }
    Ok(None)
}

fn read(text: &Secret, fresh: bool) -> Result<Read, String> {
    let document: Document =
        serde_json::from_slice(text.reveal()).map_err(|fault| format!("it has another form: {fault}"))?;
    if document.format != FORMAT {
        return Err(format!("it has format {}, this rocade reads {FORMAT}", document.format));
    }
    let written_at = optional(document.written_at.as_deref())?;
    let kind = if fresh { Account::Fresh } else { Account::Kept(written_at) };
    let mut sensors = BTreeMap::new();
    for (dev_eui, entry) in document.sensors.into_iter().chain(document.unknown) {
        let dev_eui: Eui = dev_eui.parse().map_err(|fault| format!("`{dev_eui}`: {fault}"))?;
        sensors.insert(dev_eui, entry.heard().map_err(|fault| format!("{dev_eui}: {fault}"))?);
    }
    Ok(Read { kind, sensors })
}

fn optional(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(time).transpose()
}

impl Entry {
    fn heard(self) -> Result<Heard, String> {
        let last = match optional(self.last.as_deref())? {
            Some(time) => Last::At(time, Source::Relay),
            None if self.uplinks > 0 => Last::Undated,
            None => Last::Never,
        };
        let gap = self.gap.map(|gap| Ok::<_, String>((optional(gap.at.as_deref())?, gap.missed)));
        let counts = Counts {
            since: optional(self.since.as_deref())?,
            received: self.uplinks,
            missed: self.missed,
            sessions: self.sessions,
            gap: gap.transpose()?,
        };
        let reports = |said: Configuration| {
            let (sending, sampling) = (Period(said.sending_s), Period(said.sampling_s));
            Ok::<_, String>(Reports { sending, sampling, at: optional(said.at.as_deref())? })
        };
        Ok(Heard {
            last,
            rssi: self.rssi,
            snr: self.snr,
            low_battery: self.low_battery,
            battery: None,
            counter: self.f_cnt,
            // Of a sensor that is not configured the relay counts no gaps.
            counts: (self.sessions > 0).then_some(counts),
            reports: self.reports.map(reports).transpose()?,
        })
    }
}
