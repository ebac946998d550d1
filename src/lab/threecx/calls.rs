//! The report of calls. Assumed: it is cut by `$top` and `$skip` like a set and sorted by time; that every row of V20
//! has the same `Indent`, `SegmentId` and `CallId` was seen.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::Answer;
use super::query::Options;
use super::store::{Store, refused};

const REPORT: &str = "ReportCallLogData/Pbx.GetCallLogData(";

/// The most rows of one answer.
const MAX_TOP: usize = 100;

/// Answers the report; `None` for any other path.
pub fn report(store: &Store, method: &str, path: &str, query: &str) -> Option<Answer> {
    let inside = path.strip_prefix(REPORT)?.strip_suffix(')')?;
    let argument = |name: &str| {
        let mut pairs = inside.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let time = |name: &str| argument(name).and_then(|text| text.parse::<Timestamp>().ok());
    let all = ["sourceType", "destinationFilter", "callsType", "callTimeFilterTo", "hidePcalls"];
    let (true, Some(from), Some(to)) =
        (all.iter().all(|name| argument(name).is_some()), time("periodFrom"), time("periodTo"))
    else {
        return Some(refused(400, "", "The function is called without one of its parameters.").into());
    };
    let options = match Options::parse(query) {
        Ok(options) if method == "GET" && options.top.is_none_or(|top| top <= MAX_TOP) => options,
        _ => return Some(refused(400, "", "The limit of '100' for Top query has been exceeded.").into()),
    };
    let began = |row: &Value| row["StartTime"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let mut rows: Vec<&Value> = store
        .calls
        .iter()
        .filter(|row| began(row).is_some_and(|began| began >= from && began <= to))
        .collect();
    rows.sort_by_key(|row| began(row));
    let page: Vec<&&Value> = rows.iter().skip(options.skip).take(options.top.unwrap_or(MAX_TOP)).collect();
    Some(Answer::of(200, json!({"@odata.count": rows.len(), "value": page})))
}

/// A row with what every row has.
pub fn row(fields: &Value) -> Value {
    let mut row = json!({
        "CdrId": "", "CallId": 1, "Indent": 1, "SegmentId": 1, "SourceType": 0, "DestinationType": 0,
        "RingingDuration": "PT0S", "TalkingDuration": "PT0S", "Answered": false, "Direction": "",
        "ActionType": 0, "QualityReport": false, "SubrowDescNumber": 0,
    });
    for (name, value) in fields.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    row
}
