//! Each change is reported once, as its own orders ended.

use super::super::Done;
use super::*;
use crate::model::{Action, Address, Impact, Key, Target};

#[derive(Default)]
struct Seen(Vec<String>);

impl Report for Seen {
    fn step(&mut self, address: &Address, outcome: Outcome) {
        let word = match outcome {
            Outcome::Done => "done",
            Outcome::Failed(_) => "failed",
            Outcome::NotStarted(_) => "not started",
            Outcome::Unknown(_) => "unknown",
            Outcome::RolledBack(_) => "put back",
        };
        self.0.push(format!("{} {word}", address.key.name));
    }
}

fn change(name: &str) -> Change {
    Change {
        address: Address { target: Target::new("host", "h"), key: Key::new("file", name) },
        action: Action::Create,
        before: None,
        after: None,
        impact: Impact::None,
        because: Vec::new(),
        summary: String::new(),
    }
}

fn carried(sizes: &[Option<usize>], rulings: Vec<Ruling>) -> Vec<String> {
    let changes: Vec<Change> =
        ["a", "b", "c", "d", "e"][..sizes.len()].iter().map(|name| change(name)).collect();
    let order = Order::Remove { path: "/x".into() };
    let orders = sizes
        .iter()
        .map(|size| size.map(|size| vec![order.clone(); size]).ok_or("no way".to_owned()))
        .collect();
    let mut seen = Seen::default();
    let (mut ledger, flat) = Ledger::open(&changes, orders, &mut seen);
    assert_eq!(flat.len(), rulings.len());
    rulings.into_iter().enumerate().for_each(|(index, ruling)| ledger.ruling(index, ruling));
    ledger.close();
    seen.0
}

fn done() -> Ruling {
    Ruling::Done(Done::default())
}

#[test]
fn all_done() {
    let seen = carried(&[Some(0), Some(2), Some(0), Some(1)], vec![done(); 3]);
    assert_eq!(seen, ["a done", "b done", "c done", "d done"]);
}

#[test]
fn the_first_failure_ends_it() {
    let rulings =
        vec![done(), done(), Ruling::Failed("disk full".into()), Ruling::NotStarted, Ruling::NotStarted];
    let seen = carried(&[Some(1), Some(3), Some(0), Some(1)], rulings);
    assert_eq!(seen, ["a done", "b failed", "c not started", "d not started"]);
}

#[test]
fn what_was_sent_without_an_answer_is_unknown() {
    let unknown = || Ruling::Unknown("cut".into());
    let seen = carried(&[Some(1), Some(2), Some(0), Some(1)], vec![done(), done(), unknown(), unknown()]);
    assert_eq!(seen, ["a done", "b unknown", "c unknown", "d unknown"]);
}

#[test]
fn what_cannot_be_tried_fails_after_what_comes_before_it() {
    assert_eq!(carried(&[Some(1), None, Some(1)], vec![done()]), ["a done", "b failed", "c not started"]);
    let failed = vec![Ruling::Failed("no".into())];
    assert_eq!(carried(&[Some(1), None], failed), ["a failed", "b not started"]);
    assert_eq!(carried(&[None], vec![]), ["a failed"]);
}
