//! The network server's rows: `/api/lora/devices` says when a sensor was last seen, `/api/lora/sessions` has
//! the answer to the last question for its battery.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::{Heard, Last, Source, time};
use crate::model::Eui;

/// The levels of LoRaWAN's DevStatusAns that are one: 0 is an external source, 255 that it cannot tell.
const LEVELS: std::ops::RangeInclusive<u64> = 1..=254;

/// The relay writes its account a moment late, and the rows have whole seconds.
const LAG: SignedDuration = SignedDuration::from_secs(5);

/// Notes the time each row has, where it is later than what is known.
///
/// # Errors
/// What is wrong with the rows; then none of them counts.
pub(super) fn join(sensors: &mut BTreeMap<Eui, Heard>, rows: &Json) -> Result<(), String> {
    let rows = rows.as_array().ok_or("the network server's devices are not a list")?;
    let read = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    for (dev_eui, seen) in read {
        let heard = sensors.entry(dev_eui).or_default();
        let Some(seen) = seen else { continue };
        let later = match heard.last {
            Last::At(time, _) => seen.duration_since(time) > LAG,
            Last::Never | Last::Undated => true,
        };
        if later {
            heard.last = Last::At(seen, Source::NetworkServer);
        }
    }
    Ok(())
}

/// A row's DevEUI and the time in it; an empty text when the device was never seen.
fn row(row: &Json) -> Result<(Eui, Option<Timestamp>), String> {
    let dev_eui = dev_eui(row).ok_or("one of the network server's devices has no DevEUI")?;
    let seen = match row.get("last_seen") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text.is_empty() => None,
        Some(Json::String(text)) => {
            Some(time(text).map_err(|fault| format!("the network server's row of {dev_eui}: {fault}"))?)
        }
        Some(_) => return Err(format!("the network server's row of {dev_eui} has no time in `last_seen`")),
    };
    Ok((dev_eui, seen))
}

fn dev_eui(row: &Json) -> Option<Eui> {
    row.get("deveui")?.as_str()?.parse().ok()
}

/// Notes battery levels, and counters where the relay knows none. Rows that are not understood say nothing.
pub(super) fn add_sessions(sensors: &mut BTreeMap<Eui, Heard>, rows: &Json) {
    for row in rows.as_array().map_or(&[][..], Vec::as_slice) {
        let Some(heard) = dev_eui(row).and_then(|dev_eui| sensors.get_mut(&dev_eui)) else { continue };
        let level = row["status_battery"].as_u64().filter(|level| LEVELS.contains(level));
        heard.battery = level.and_then(|level| u8::try_from((level * 100 + 127) / 254).ok());
        // The server keeps the counter it expects next.
        let counter = row["up_counter"].as_u64().filter(|next| *next > 0).map(|next| next - 1);
        heard.counter = heard.counter.or(counter);
    }
}
