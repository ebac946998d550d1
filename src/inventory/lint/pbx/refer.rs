//! References within a telephone system lead to somebody of the right kind. Parts that are not written may be
//! on the PBX: what leads into them is not judged.

use crate::inventory::{At, Destination, Diagnostic, KeyAction, Pbx, Place, Route};

/// Every destination of an entry, with its place.
pub(super) fn destinations(pbx: &Pbx) -> Vec<&At<Destination>> {
    let mut all: Vec<&At<Destination>> = Vec::new();
    let mut routes: Vec<&Option<At<Route>>> = Vec::new();
    for one in pbx.departments.values() {
        routes.extend([&one.when_open, &one.when_closed, &one.on_break, &one.on_holiday]);
    }
    for one in pbx.ring_groups.values() {
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
        all.extend(&one.no_answer);
    }
    for one in pbx.queues.values() {
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
        all.extend(&one.no_answer);
    }
    for one in pbx.ivrs.values() {
        routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]);
        all.extend(one.keys.values().chain(&one.no_key));
    }
    all.extend(routes.into_iter().flatten().map(|route| &route.to));
    for rule in pbx.inbound_rules.values() {
        all.push(&rule.to);
        all.extend(rule.when_closed.iter().chain(&rule.on_holiday));
    }
    all.extend(pbx.live_chat.values().map(|link| &link.to));
    for forwarding in pbx.extensions.values().filter_map(|one| one.forwarding.as_ref()) {
        for part in [&forwarding.available, &forwarding.custom_1, &forwarding.custom_2].into_iter().flatten()
        {
            all.extend(part.no_answer.iter().chain(&part.busy).chain(&part.not_registered));
        }
        for part in [&forwarding.away, &forwarding.out_of_office].into_iter().flatten() {
            all.extend(part.internal.iter().chain(&part.external));
        }
    }
    all
}

/// The kind a number has in this entry.
fn kind_of(pbx: &Pbx, number: &str) -> Option<&'static str> {
    [
        ("an extension", pbx.extensions.contains_key(number)),
        ("a ring group", pbx.ring_groups.contains_key(number)),
        ("a queue", pbx.queues.contains_key(number)),
        ("an IVR", pbx.ivrs.contains_key(number)),
    ]
    .into_iter()
    .find(|(_, known)| *known)
    .map(|(kind, _)| kind)
}

fn lead(
    pbx: &Pbx,
    number: &str,
    wanted: &'static str,
    written: bool,
    place: &Place,
    found: &mut Vec<Diagnostic>,
) {
    let message = match kind_of(pbx, number) {
        Some(kind) if kind == wanted => return,
        Some(kind) => format!("{number} is {kind}, not {wanted}"),
        None if written => format!("there is no {number}: it should be {wanted}"),
        None => return,
    };
    found.push(Diagnostic::error("dangling-reference", message).at(place, ""));
}

pub(super) fn check(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let people = pbx.extensions.written;
    for to in destinations(pbx) {
        let (number, wanted, written) = match &to.value {
            Destination::Extension(number) | Destination::Voicemail(number) => {
                (number, "an extension", people)
            }
            Destination::RingGroup(number) => (number, "a ring group", pbx.ring_groups.written),
            Destination::Queue(number) => (number, "a queue", pbx.queues.written),
            Destination::Ivr(number) => (number, "an IVR", pbx.ivrs.written),
            Destination::External(_) | Destination::End | Destination::Repeat | Destination::CallByName => {
                continue;
            }
        };
        lead(pbx, number, wanted, written, &to.place, found);
    }
    let groups = pbx.ring_groups.values().flat_map(|group| &group.members);
    let queues =
        pbx.queues.values().flat_map(|queue| queue.agents.iter().chain(queue.managers.iter().flatten()));
    for member in groups.chain(queues) {
        lead(pbx, &member.0.0, "an extension", people, &member.place, found);
    }
    for key in pbx.extensions.values().flat_map(|one| one.blf.iter().flatten()) {
        if let KeyAction::Watch(number) | KeyAction::SpeedDial(number) = &key.does {
            lead(pbx, number, "an extension", people, &key.place, found);
        }
    }
    // A wrong key may lead to a number of any kind.
    let all = [people, pbx.ring_groups.written, pbx.queues.written, pbx.ivrs.written];
    for wrong in pbx.ivrs.values().filter_map(|one| one.wrong_key.as_ref()) {
        if !all.contains(&false) && kind_of(pbx, &wrong.0.0).is_none() {
            let message = format!("there is no {} on this PBX", wrong.0.0);
            found.push(Diagnostic::error("dangling-reference", message).at(&wrong.place, "not found"));
        }
    }
    named(pbx, found);
}

/// References by name: departments, trunks, SBCs.
fn named(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let mut departments: Vec<&At<String>> = Vec::new();
    departments.extend(pbx.extensions.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.ring_groups.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.queues.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.ivrs.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.live_chat.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.holidays.values().flat_map(|one| &one.departments));
    departments.extend(pbx.contacts.values().filter_map(|one| one.department.as_ref()));
    departments.extend(pbx.outbound_rules.values().flat_map(|one| &one.departments));
    let mut missing = |kind: &str, name: &At<String>, known: bool| {
        if !known {
            let message = format!("there is no {kind} `{}` on this PBX", name.value);
            found.push(Diagnostic::error("dangling-reference", message).at(&name.place, "not found"));
        }
    };
    if pbx.departments.written {
        for name in departments {
            missing(
                "department",
                name,
                name.as_str() == "default" || pbx.departments.contains_key(name.as_str()),
            );
        }
    }
    if pbx.trunks.written {
        let rules = pbx.inbound_rules.values().map(|rule| &rule.trunk);
        let routes = pbx.outbound_rules.values().flat_map(|rule| &rule.routes).map(|route| &route.trunk);
        for name in rules.chain(routes) {
            missing("trunk", name, pbx.trunks.contains_key(name.as_str()));
        }
    }
    if pbx.sbcs.written {
        let phones = pbx.extensions.values().flat_map(|one| one.phones.iter().flatten());
        for name in phones.filter_map(|phone| phone.sbc.as_ref()) {
            missing("SBC", name, pbx.sbcs.contains_key(name.as_str()));
        }
    }
}
