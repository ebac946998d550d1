//! The calls a PBX had, from the report behind its console's call log (role System Owner). The history's own set would
//! do without a report, but refuses to be filtered by time.
//!
//! A call is the rows of one history id: V20 was seen to give every row the same `Indent`, `SegmentId` and `CallId`.
//! Which words `Direction` knows was never recorded: what it does not say is told from the numbers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::fault;
use crate::flow::usage::{Call, Way};
use crate::inventory::Pbx;
use crate::transport::Reading;

/// Rows of a page.
const PAGE: usize = 100;
/// A history that has more pages than this is asked for in smaller parts.
const MAX_PAGES: usize = 20_000;

/// The calls that began in a period, as far as its end not taken in. `progress` is told how many rows were read.
///
/// # Errors
/// Why they could not be read, in one line.
pub async fn calls(
    pbx: &Pbx,
    from: Timestamp,
    to: Timestamp,
    hand: Reading<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Call>, String> {
    let period = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (begin, end) = (period(from), period(to));
    let mut rows: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut read = 0;
    for page in 0..MAX_PAGES {
        let path = format!(
            "/xapi/v1/ReportCallLogData/Pbx.GetCallLogData(periodFrom={begin},periodTo={end},sourceType=0,\
             sourceFilter='',destinationType=0,destinationFilter='',callsType=0,callTimeFilterType=0,\
             callTimeFilterFrom='0:00:0',callTimeFilterTo='0:00:0',hidePcalls=false)\
             ?$orderby=StartTime%20asc&$top={PAGE}&$skip={}",
            page * PAGE
        );
        let body = hand.get(&path).await.map_err(|fault| fault::read(&fault))?.body;
        let more = body["value"].as_array().ok_or("there is no list of calls in the answer")?;
        for row in more {
            rows.entry(key(row, &mut read)).or_default().push(row.clone());
        }
        progress(read);
        if more.len() < PAGE {
            let calls = rows.values().filter_map(|rows| call(rows, pbx));
            return Ok(calls.filter(|call| (from..to).contains(&call.start)).collect());
        }
    }
    Err("the history does not end; ask for a shorter period".to_owned())
}

/// What the rows of a call share; a row without it stands alone.
fn key(row: &Json, read: &mut usize) -> String {
    *read += 1;
    let text = |name: &str| row[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    text("MainCallHistoryId").or_else(|| text("CallHistoryId")).unwrap_or_else(|| format!("row {read}"))
}

/// ISO 8601, or as .NET writes a span: `00:01:23.5`, `1.02:03:04`.
fn span(value: &Json) -> SignedDuration {
    let text = value.as_str().unwrap_or_default().trim();
    if let Ok(span) = text.parse::<SignedDuration>() {
        return span;
    }
    let (days, rest) = match text.split_once('.') {
        Some((days, rest)) if rest.contains(':') => (days.parse().unwrap_or(0), rest),
        _ => (0_i64, text),
    };
    let parts: Option<Vec<i64>> = rest.split(':').map(|part| part.split('.').next()?.parse().ok()).collect();
    match parts.as_deref() {
        Some([hours, minutes, seconds]) => {
            SignedDuration::from_secs(days.saturating_mul(86_400) + hours * 3600 + minutes * 60 + seconds)
        }
        _ => SignedDuration::ZERO,
    }
}

/// One end of a row.
struct End<'a> {
    dn: &'a str,
    caller_id: &'a str,
}

impl<'a> End<'a> {
    fn of(row: &'a Json, which: [&str; 2]) -> Self {
        let text = |name: &str| row[name].as_str().unwrap_or_default().trim();
        Self { dn: text(which[0]), caller_id: text(which[1]) }
    }

    /// The number outside, when it is one.
    fn outside(&self, pbx: &Pbx) -> Option<&'a str> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        let is_inside = is_inside(pbx, self.dn) || is_inside(pbx, self.caller_id);
        [self.caller_id, self.dn].into_iter().find(|text| !is_inside && digits(text) >= 6)
    }
}

fn is_inside(pbx: &Pbx, number: &str) -> bool {
    pbx.extensions.contains_key(number) || is_machine(pbx, number) || pbx.ring_groups.contains_key(number)
}

/// Queues and IVRs answer calls without a person.
fn is_machine(pbx: &Pbx, number: &str) -> bool {
    pbx.queues.contains_key(number) || pbx.ivrs.contains_key(number)
}

const SOURCE: [&str; 2] = ["SourceDn", "SourceCallerId"];
const DESTINATION: [&str; 2] = ["DestinationDn", "DestinationCallerId"];

fn call(rows: &[Json], pbx: &Pbx) -> Option<Call> {
    let start_of = |row: &Json| row["StartTime"].as_str()?.parse::<Timestamp>().ok();
    let mut rows: Vec<(Timestamp, &Json)> =
        rows.iter().filter_map(|row| Some((start_of(row)?, row))).collect();
    rows.sort_by_key(|(start, _)| *start);
    let (start, first) = *rows.first()?;
    let (source, destination) = (End::of(first, SOURCE), End::of(first, DESTINATION));
    let said = first["Direction"].as_str().unwrap_or_default().to_lowercase();
    let way = match (said.as_str(), source.outside(pbx), destination.outside(pbx)) {
        (said, ..) if said.starts_with("inbound") => Way::In,
        (said, ..) if said.starts_with("outbound") => Way::Out,
        (said, ..) if said.starts_with("internal") => Way::Internal,
        (_, Some(_), _) => Way::In,
        (_, None, Some(_)) => Way::Out,
        _ => Way::Internal,
    };
    let outside = match way {
        Way::In => source.outside(pbx),
        Way::Out => destination.outside(pbx),
        Way::Internal => None,
    };
    let mut found = Call {
        start,
        end: start,
        way,
        outside: outside.map(str::to_owned),
        answered: None,
        parties: BTreeSet::new(),
        taker: None,
    };
    if way != Way::In && is_inside(pbx, source.dn) {
        found.parties.insert(source.dn.to_owned());
        found.taker = Some(source.dn.to_owned());
    }
    rows.iter().for_each(|(begins, row)| leg(&mut found, *begins, row, pbx));
    Some(found)
}

/// Adds a row to its call.
fn leg(call: &mut Call, begins: Timestamp, row: &Json, pbx: &Pbx) {
    let destination = End::of(row, DESTINATION);
    let (rings, talks) = (span(&row["RingingDuration"]), span(&row["TalkingDuration"]));
    let answered = begins.checked_add(rings).unwrap_or(begins);
    call.end = call.end.max(answered.checked_add(talks).unwrap_or(answered));
    if call.way != Way::Out && is_inside(pbx, destination.dn) {
        call.parties.insert(destination.dn.to_owned());
    }
    if row["Answered"] == true && !is_machine(pbx, destination.dn) && call.answered.is_none() {
        call.answered = Some(answered);
        if call.way == Way::In && pbx.extensions.contains_key(destination.dn) {
            call.taker = Some(destination.dn.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_read_in_both_spellings() {
        for (text, seconds) in
            [("PT1M23.5S", 83), ("00:01:23.5000000", 83), ("1.02:03:04", 93_784), ("", 0), ("x", 0)]
        {
            assert_eq!(span(&json!(text)).as_secs(), seconds, "{text}");
        }
    }
}
