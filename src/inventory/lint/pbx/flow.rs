//! The way of a call: it ends at somebody, at a mailbox, or where it is said to end. Automatic steps are those
//! a caller does not choose: nobody answers, no key is pressed.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{At, Destination, Diagnostic, Pbx, Place};

/// Where a call goes by itself, and where it was written.
struct Step<'a> {
    kind: &'static str,
    place: &'a Place,
    next: Option<&'a At<Destination>>,
    /// What is missing when there is no next step.
    wants: &'static str,
}

pub(super) fn check(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let steps = steps(pbx);
    for (number, step) in &steps {
        if step.next.is_none() {
            let message =
                format!("{} {number} is a dead end: a call that nobody takes ends there", step.kind);
            let fault = Diagnostic::warning("dead-end", message).at(step.place, "");
            found.push(
                fault.help(format!("write `{}`, with `end` when the call is meant to end", step.wants)),
            );
        }
    }
    loops(&steps, found);
    numbers_without_rule(pbx, found);
    emergency(pbx, found);
}

fn steps(pbx: &Pbx) -> BTreeMap<&str, Step<'_>> {
    let groups = pbx.ring_groups.iter().map(|(number, one)| {
        let step =
            Step { kind: "ring group", place: &one.place, next: one.no_answer.as_ref(), wants: "no_answer" };
        (number.as_str(), step)
    });
    let queues = pbx.queues.iter().map(|(number, one)| {
        let step =
            Step { kind: "queue", place: &one.place, next: one.no_answer.as_ref(), wants: "no_answer" };
        (number.as_str(), step)
    });
    let ivrs = pbx.ivrs.iter().map(|(number, one)| {
        let step = Step { kind: "IVR", place: &one.place, next: one.no_key.as_ref(), wants: "no_key" };
        (number.as_str(), step)
    });
    groups.chain(queues).chain(ivrs).collect()
}

/// The number an automatic step leads on to, when that is a step itself.
fn onward<'a>(steps: &'a BTreeMap<&str, Step<'_>>, number: &str) -> Option<&'a str> {
    let next = match &steps.get(number)?.next?.value {
        Destination::RingGroup(next) | Destination::Queue(next) | Destination::Ivr(next) => next.as_str(),
        _ => return None,
    };
    steps.get_key_value(next).map(|(next, _)| *next)
}

/// Circles a caller leaves only by hanging up. Each is said once, at its lowest number.
fn loops(steps: &BTreeMap<&str, Step<'_>>, found: &mut Vec<Diagnostic>) {
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for start in steps.keys() {
        let mut way = vec![*start];
        while let Some(next) = way.last().and_then(|last| onward(steps, last)) {
            if next == *start {
                if way.iter().all(|number| !said.contains(number)) {
                    said.extend(&way);
                    let message = format!(
                        "a call that nobody takes goes round for ever: {} -> {start}",
                        way.join(" -> ")
                    );
                    let fault = Diagnostic::error("call-loop", message).at(steps[start].place, "begins here");
                    found.push(fault.help("let one of them end at a mailbox, an extension or `end`"));
                }
                break;
            }
            if way.contains(&next) {
                break;
            }
            way.push(next);
        }
    }
}

/// A number that comes in and has no rule, on a trunk without a rule for the rest.
fn numbers_without_rule(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    if !pbx.inbound_rules.written {
        return;
    }
    for (name, trunk) in &pbx.trunks.entries {
        let rules = || pbx.inbound_rules.values().filter(|rule| rule.trunk.as_str() == name);
        if rules().any(|rule| rule.did.is_none() && rule.caller.is_none()) {
            continue;
        }
        for did in trunk.dids.iter().flatten() {
            if rules().all(|rule| rule.did.as_ref().is_none_or(|own| own.0 != did.0)) {
                let fault = Diagnostic::error("did-without-rule", format!("nobody takes calls to {}", did.0));
                let help = "write an inbound rule for it, or one for all other calls of its trunk";
                found.push(fault.at(&did.place, "").help(help));
            }
        }
    }
}

/// Emergency numbers always have a way out.
fn emergency(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    if !pbx.outbound_rules.written || pbx.trunks.is_empty() {
        return;
    }
    for number in pbx.emergency() {
        let routed = pbx.outbound_rules.values().any(|rule| {
            let everybody = rule.from.is_empty() && rule.departments.is_empty();
            !rule.routes.is_empty() && everybody && rule.begins(number) && rule.is_as_long(number)
        });
        if !routed {
            let fault = Diagnostic::error("no-emergency-route", format!("not everybody can call {number}"));
            let place = pbx.outbound_rules.values().next().map_or(&pbx.url.place, |rule| &rule.place);
            let help = format!(
                "write an outbound rule with prefix {number}, `emergency: true` and a trunk, for all"
            );
            found.push(fault.at(place, "no rule here or below").help(help));
        }
    }
}
