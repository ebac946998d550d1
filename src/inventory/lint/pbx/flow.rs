//! The way of a call: it ends at somebody, at a mailbox, or where it is said to end. Automatic steps are those
//! a caller does not choose: nobody answers, no key is pressed.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{At, Destination, Diagnostic, Pbx, Place, Route};

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
    loops(pbx, found);
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

/// When a call comes: an object may have a way of its own for that.
const TIMES: [(&str, usize); 4] =
    [("", 0), (" outside the hours", 1), (" in a break", 2), (" on a holiday", 3)];

/// Where a call that nobody takes leads on to by itself at one of these times, by the number it is at.
fn ways(pbx: &Pbx, time: usize) -> BTreeMap<&str, (&str, &Place)> {
    let groups = pbx.ring_groups.iter().map(|(number, one)| {
        (number, &one.place, way(time, [&one.when_closed, &one.on_break, &one.on_holiday], &one.no_answer))
    });
    let queues = pbx.queues.iter().map(|(number, one)| {
        (number, &one.place, way(time, [&one.when_closed, &one.on_break, &one.on_holiday], &one.no_answer))
    });
    let ivrs = pbx.ivrs.iter().map(|(number, one)| {
        (number, &one.place, way(time, [&one.when_closed, &one.on_break, &one.on_holiday], &one.no_key))
    });
    let people = pbx.extensions.iter().map(|(number, one)| {
        let profiles = one.forwarding.as_ref();
        let away = time > 0 && one.follow_hours == Some(true);
        let to = match away {
            true => profiles.and_then(|all| all.out_of_office.as_ref()?.external.as_ref()),
            false => profiles.and_then(|all| all.available.as_ref()?.no_answer.as_ref()),
        };
        (number, &one.place, onward(to))
    });
    let all = groups.chain(queues).chain(ivrs).chain(people);
    all.filter_map(|(number, place, next)| Some((number.as_str(), (next?, place)))).collect()
}

/// The number a call leads on to at a time: by the way for that time, else as when nobody takes it.
fn way<'a>(
    time: usize,
    routes: [&'a Option<At<Route>>; 3],
    next: &'a Option<At<Destination>>,
) -> Option<&'a str> {
    let route = time.checked_sub(1).and_then(|time| routes[time].as_ref());
    onward(route.map(|route| &route.to).or(next.as_ref()))
}

/// The number a destination is.
fn onward(to: Option<&At<Destination>>) -> Option<&str> {
    match &to?.value {
        Destination::RingGroup(next)
        | Destination::Queue(next)
        | Destination::Ivr(next)
        | Destination::Extension(next) => Some(next),
        _ => None,
    }
}

/// Circles a caller leaves only by hanging up. Each is said once, at its lowest number; those of certain times
/// are warnings, since departments may keep different hours.
fn loops(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let mut said: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
    for (when, time) in TIMES {
        let ways = ways(pbx, time);
        // What was met before leads nowhere new.
        let mut met: BTreeSet<&str> = BTreeSet::new();
        for start in ways.keys() {
            let mut way = Vec::new();
            let mut at = *start;
            while let Some((next, _)) = ways.get(at).filter(|_| !met.contains(at)) {
                met.insert(at);
                way.push(at);
                at = next;
            }
            let Some(from) = way.iter().position(|number| *number == at) else { continue };
            let mut circle = way.split_off(from);
            if !said.insert(circle.iter().copied().collect()) {
                continue;
            }
            let lowest = (0..circle.len()).min_by_key(|position| circle[*position]).unwrap_or(0);
            circle.rotate_left(lowest);
            let first = circle[0];
            let message = format!(
                "a call that nobody takes goes round for ever{when}: {} -> {first}",
                circle.join(" -> ")
            );
            let fault = match time {
                0 => Diagnostic::error("call-loop", message),
                _ => Diagnostic::warning("call-loop", message),
            };
            let fault = fault.at(ways[first].1, "begins here");
            found.push(fault.help("let one of them end at a mailbox, an extension or `end`"));
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
