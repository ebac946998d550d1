//! The clock of a target against the certificates it is to be given: who is given one that has not begun, or is
//! over, by its own clock trusts nobody.

use crate::host::Answer;
use crate::model::{Change, Objection, Observed, Value, Wish};
use crate::pki::Certificate;

/// What a host said of its clock, Unix seconds.
pub(super) fn seen(answers: &[Answer]) -> Option<i64> {
    answers.iter().find_map(|answer| match answer {
        Answer::Facts(facts) => facts.get("clock")?.trim().parse().ok(),
        _ => None,
    })
}

/// What stands against putting certificates on a target whose clock is not within their lives.
pub(super) fn objections(wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
    let Some(clock) = observed.clock.and_then(|clock| jiff::Timestamp::from_second(clock).ok()) else {
        return Vec::new();
    };
    let put = changes.iter().filter(|change| change.after.is_some());
    let given =
        put.filter_map(|change| match wish.resources.get(&change.address.key)?.fields.get("content")? {
            Value::Text(text) if text.contains("-----BEGIN CERTIFICATE-----") => Some((*change, text)),
            _ => None,
        });
    let mut found = Vec::new();
    for (change, text) in given {
        for certificate in Certificate::parse_all(text).unwrap_or_default() {
            let wrong = match () {
                () if clock < certificate.not_before => {
                    format!("is valid from {}", certificate.not_before)
                }
                () if clock >= certificate.not_after => format!("was valid until {}", certificate.not_after),
                () => continue,
            };
            found.push(Objection {
                target: wish.target.clone(),
                reason: format!(
                    "its clock says {clock}, and the certificate `{}` of {} {wrong}",
                    certificate.name, change.address.key.name
                ),
                place: String::new(),
                hint: "set its clock, or have it set by NTP, then plan again".to_owned(),
            });
        }
    }
    found
}
