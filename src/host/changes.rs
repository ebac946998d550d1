//! Carries the changes of one target to its host in one exec and reports each as soon as its end is known.
//!
//! A change is done when all its orders are. What was sent without an answer is unknown, never done.

use super::{Order, Ruling};
use crate::model::{Change, Outcome, Report};
use crate::transport::Writing;

/// Gives the orders of all changes in one exec. `orders[i]` belong to `changes[i]`: none when the orders
/// of an earlier change do its work, a reason when it cannot be tried. The first change that fails ends it.
pub async fn carry_out(
    changes: &[Change],
    orders: Vec<Result<Vec<Order>, String>>,
    hand: Writing<'_>,
    report: &mut dyn Report,
) {
    let (mut ledger, flat) = Ledger::open(changes, orders, report);
    if !flat.is_empty() {
        hand.order(&flat, &mut |index, ruling| ledger.ruling(index, ruling)).await;
    }
    ledger.close();
}

/// How far the changes have come.
struct Ledger<'a> {
    changes: &'a [Change],
    /// `ends[i]` is the number of orders up to and with those of change `i`.
    ends: Vec<usize>,
    /// The change that is reported next.
    next: usize,
    /// What went wrong first with its orders.
    own: Option<Outcome>,
    /// How the change before it ended.
    last: Outcome,
    /// Why the change after those with orders cannot be tried.
    refused: Option<String>,
    report: &'a mut dyn Report,
}

impl<'a> Ledger<'a> {
    /// A ledger, and the orders to give: all up to the first change that cannot be tried.
    fn open(
        changes: &'a [Change],
        orders: Vec<Result<Vec<Order>, String>>,
        report: &'a mut dyn Report,
    ) -> (Self, Vec<Order>) {
        let last = Outcome::Done;
        let mut ledger = Self { changes, ends: Vec::new(), next: 0, own: None, last, refused: None, report };
        let mut flat = Vec::new();
        for own in orders {
            match own {
                Ok(own) => flat.extend(own),
                Err(why) => {
                    ledger.refused = Some(why);
                    break;
                }
            }
            ledger.ends.push(flat.len());
        }
        ledger.settle(0);
        (ledger, flat)
    }

    fn ruling(&mut self, index: usize, ruling: Ruling) {
        let outcome = match ruling {
            Ruling::Done(_) => None,
            Ruling::Failed(why) => Some(Outcome::Failed(why)),
            Ruling::NotStarted => Some(not_started()),
            Ruling::Unknown(why) => Some(Outcome::Unknown(why)),
        };
        self.own = self.own.take().or(outcome);
        self.settle(index + 1);
    }

    /// Reports the changes whose orders have all ended, after the first `orders` of them.
    fn settle(&mut self, orders: usize) {
        while let Some(end) = self.ends.get(self.next).filter(|end| **end <= orders) {
            let start = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
            let outcome = match (start == *end, &self.last) {
                (false, _) => self.own.take().unwrap_or(Outcome::Done),
                (true, Outcome::Failed(_)) => not_started(),
                (true, last) => last.clone(),
            };
            self.step(outcome);
        }
    }

    fn step(&mut self, outcome: Outcome) {
        if let Some(change) = self.changes.get(self.next) {
            self.report.step(&change.address, outcome.clone());
        }
        self.last = outcome;
        self.next += 1;
    }

    /// Reports the changes that have no orders because one could not be tried.
    fn close(mut self) {
        if let Some(why) = self.refused.take() {
            let whole = self.last == Outcome::Done;
            self.step(if whole { Outcome::Failed(why) } else { not_started() });
        }
        while self.next < self.changes.len() {
            self.step(not_started());
        }
    }
}

fn not_started() -> Outcome {
    Outcome::NotStarted("an earlier change failed".to_owned())
}

#[cfg(test)]
mod tests;
