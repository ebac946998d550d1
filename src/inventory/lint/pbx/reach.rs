//! Who a call can reach, and when: objects nothing leads to, numbers that ring on at night, people whose calls
//! nothing takes when they do not answer. What is not written here may be on the PBX, so these are warnings.

use std::collections::BTreeSet;

use crate::inventory::{At, Destination, Diagnostic, Extension, InboundRule, KeyAction, Pbx, Route, Week};

pub(super) fn check(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    if !pbx.inbound_rules.written {
        return;
    }
    unreachable(pbx, found);
    for rule in pbx.inbound_rules.values() {
        at_night(pbx, rule, found);
    }
    unanswered(pbx, found);
}

/// The number a destination leads to.
fn number(to: &Destination) -> Option<&str> {
    match to {
        Destination::Extension(number)
        | Destination::RingGroup(number)
        | Destination::Queue(number)
        | Destination::Ivr(number) => Some(number),
        Destination::Voicemail(_)
        | Destination::External(_)
        | Destination::End
        | Destination::Repeat
        | Destination::CallByName => None,
    }
}

/// Where calls come from by themselves: rules, people's forwarding and keys, departments, Live Chat.
fn beginnings(pbx: &Pbx) -> Vec<&str> {
    let mut all: Vec<&At<Destination>> = Vec::new();
    for rule in pbx.inbound_rules.values() {
        all.push(&rule.to);
        all.extend(rule.when_closed.iter().chain(&rule.on_holiday));
    }
    for one in pbx.departments.values() {
        let routes = [&one.when_open, &one.when_closed, &one.on_break, &one.on_holiday];
        all.extend(routes.into_iter().flatten().map(|route| &route.to));
    }
    all.extend(pbx.live_chat.values().map(|link| &link.to));
    all.extend(pbx.extensions.values().flat_map(|one| forwarded(one)));
    let keys = pbx.extensions.values().flat_map(|one| one.blf.iter().flatten());
    let dialled = keys.filter_map(|key| match &key.does {
        KeyAction::Custom { number, .. } | KeyAction::SpeedDial(number) => Some(number.as_str()),
        _ => None,
    });
    all.into_iter().filter_map(|to| number(to)).chain(dialled).collect()
}

/// Where the calls of a person go on to, whatever the profile.
fn forwarded(one: &Extension) -> Vec<&At<Destination>> {
    let Some(all) = &one.forwarding else { return Vec::new() };
    let there = [&all.available, &all.custom_1, &all.custom_2].into_iter().flatten();
    let there = there.flat_map(|part| part.no_answer.iter().chain(&part.busy).chain(&part.not_registered));
    let absent = [&all.away, &all.out_of_office].into_iter().flatten();
    there.chain(absent.flat_map(|part| part.internal.iter().chain(&part.external))).collect()
}

/// Where a ring group, a queue or an IVR leads on to.
fn onward<'a>(pbx: &'a Pbx, from: &str) -> Vec<&'a str> {
    let mut all: Vec<&At<Destination>> = Vec::new();
    let mut routes: Vec<&Option<At<Route>>> = Vec::new();
    let mut wrong = None;
    if let Some(one) = pbx.ring_groups.get(from) {
        all.extend(&one.no_answer);
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
    }
    if let Some(one) = pbx.queues.get(from) {
        all.extend(&one.no_answer);
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
    }
    if let Some(one) = pbx.ivrs.get(from) {
        all.extend(one.keys.values().chain(&one.no_key));
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
        wrong = one.wrong_key.as_ref().map(|number| number.0.0.as_str());
    }
    all.extend(routes.into_iter().flatten().map(|route| &route.to));
    all.into_iter().filter_map(|to| number(to)).chain(wrong).collect()
}

fn unreachable(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let mut open = beginnings(pbx);
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(onward(pbx, next));
        }
    }
    let groups = pbx.ring_groups.iter().map(|(number, one)| ("ring group", number, &one.place));
    let queues = pbx.queues.iter().map(|(number, one)| ("queue", number, &one.place));
    let ivrs = pbx.ivrs.iter().map(|(number, one)| ("IVR", number, &one.place));
    for (kind, number, place) in groups.chain(queues).chain(ivrs) {
        if !reached.contains(number.as_str()) {
            let message = format!("no call from outside reaches {kind} {number}");
            let help =
                "lead a rule, a key or a forwarding there, or take it out; colleagues can still dial it";
            found.push(Diagnostic::warning("unreachable", message).at(place, "").help(help));
        }
    }
}

/// What a rule leads to, when it rings for several: its kind, department and way for the night.
type Rung<'a> = (&'static str, Option<&'a At<String>>, bool);

/// A person's number may ring at any hour; the warning of calls that nothing takes is for that.
fn rung<'a>(pbx: &'a Pbx, to: &Destination) -> Option<Rung<'a>> {
    match to {
        Destination::RingGroup(number) => {
            let one = pbx.ring_groups.get(number)?;
            Some(("ring group", one.department.as_ref(), one.when_closed.is_some()))
        }
        Destination::Queue(number) => {
            let one = pbx.queues.get(number)?;
            Some(("queue", one.department.as_ref(), one.when_closed.is_some()))
        }
        Destination::Ivr(number) => {
            let one = pbx.ivrs.get(number)?;
            Some(("IVR", one.department.as_ref(), one.when_closed.is_some()))
        }
        _ => None,
    }
}

fn at_night(pbx: &Pbx, rule: &InboundRule, found: &mut Vec<Diagnostic>) {
    let Some((kind, department, has_way)) = rung(pbx, &rule.to) else { return };
    let name = department.map_or("default", |name| name.as_str());
    let hours = pbx.departments.get(name).and_then(|one| one.hours.as_ref());
    let closes = |week: &At<Week>| week.0.values().any(|spans| !spans.is_empty());
    if rule.when_closed.is_some() || has_way || !rule.hours.as_ref().or(hours).is_some_and(closes) {
        return;
    }
    let number = number(&rule.to).unwrap_or_default();
    let message =
        format!("calls ring on at night: {kind} {number} has hours and no way for the time outside them");
    let help = format!("write `when_closed` in this rule or in {kind} {number}");
    found.push(Diagnostic::warning("no-night-path", message).at(&rule.to.place, "").help(help));
}

/// People whom rules lead to and whose calls nothing takes when they do not answer. Each is named once.
fn unanswered(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let rules = pbx.inbound_rules.values();
    let leads =
        rules.flat_map(|rule| [&rule.to].into_iter().chain(&rule.when_closed).chain(&rule.on_holiday));
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for to in leads {
        let Destination::Extension(number) = &to.value else { continue };
        let Some(one) = pbx.extensions.get(number) else { continue };
        let mailbox = one.voicemail.as_ref().is_some_and(|mailbox| mailbox.enabled != Some(false));
        let available = one.forwarding.as_ref().and_then(|all| all.available.as_ref());
        let onward = available.is_some_and(|part| part.no_answer.is_some());
        if mailbox || onward || !said.insert(number) {
            continue;
        }
        let message = format!("nothing takes a call from outside that {number} does not answer");
        let fault = Diagnostic::warning("no-answer-path", message).at(&to.place, "leads there");
        found.push(
            fault
                .at(&one.place, "")
                .help("write its `voicemail`, or `forwarding: {available: {no_answer: ..}}`"),
        );
    }
}
