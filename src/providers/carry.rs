//! Carries the changes of one target to its host in one exec and says how each ended. A change is done
//! when all its orders are; what was sent without an answer is unknown, never done.

use crate::host::{Order, Ruling};
use crate::model::{Change, Outcome, Report};
use crate::transport::Writing;

/// Gives the orders of all changes, in their order; `orders[i]` belongs to `changes[i]` and may be empty
/// when an earlier change's orders do its work.
pub(super) async fn out(
    changes: &[Change],
    orders: Vec<Vec<Order>>,
    hand: Writing<'_>,
    report: &mut dyn Report,
) {
    // ends[i] is the number of orders up to and with those of change i.
    let ends: Vec<usize> = orders
        .iter()
        .scan(0, |total, own| {
            *total += own.len();
            Some(*total)
        })
        .collect();
    let flat: Vec<Order> = orders.into_iter().flatten().collect();
    let mut next = 0;
    let mut broken: Option<Outcome> = None;
    let mut settle = |done: usize, ruling: Option<Ruling>| {
        if let Some(outcome) = ruling.and_then(ended) {
            if broken.is_none() {
                report.step(&changes[next].address, outcome);
                next += 1;
                broken = Some(Outcome::NotStarted("an earlier change failed".to_owned()));
            }
            return;
        }
        while broken.is_none() && next < changes.len() && ends[next] <= done {
            report.step(&changes[next].address, Outcome::Done);
            next += 1;
        }
    };
    settle(0, None);
    if !flat.is_empty() {
        hand.order(&flat, &mut |index, ruling| settle(index + 1, Some(ruling))).await;
    }
    while next < changes.len() {
        let outcome = broken.clone().unwrap_or_else(|| Outcome::Unknown("no answer came".to_owned()));
        report.step(&changes[next].address, outcome);
        next += 1;
    }
}

/// How a ruling ends its change; `None` when it goes on.
fn ended(ruling: Ruling) -> Option<Outcome> {
    match ruling {
        Ruling::Done(_) => None,
        Ruling::Failed(why) => Some(Outcome::Failed(why)),
        Ruling::NotStarted => Some(Outcome::NotStarted("an earlier order failed".to_owned())),
        Ruling::Unknown(why) => Some(Outcome::Unknown(why)),
    }
}
