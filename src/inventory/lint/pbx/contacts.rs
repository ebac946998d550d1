//! The phonebook and the callers of inbound rules: a contact can be found and called, callers lead to numbers, and
//! no two rules of a trunk take the same caller.

use std::collections::BTreeSet;

use super::super::repeated;
use crate::inventory::decode::closest;
use crate::inventory::{At, Caller, Diagnostic, InboundRule, Pbx, Place};

pub(super) fn check(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    contacts(pbx, found);
    for rule in pbx.inbound_rules.values() {
        callers(pbx, rule, found);
    }
    same_callers(pbx, found);
    let is_contacts =
        |rule: &&At<InboundRule>| !matches!(rule.caller.as_deref(), None | Some(Caller::Number(_)));
    let rules = pbx.inbound_rules.values().filter(is_contacts);
    repeated(
        rules.map(|rule| ((rule.trunk.as_str(), rule.title.as_str()), &rule.title.place)),
        |(trunk, title)| {
            let message =
                format!("two rules for contacts on {trunk} are called `{title}`, by which they are known");
            Diagnostic::error("duplicate-title", message)
        },
        found,
    );
}

fn contacts(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    for (name, one) in &pbx.contacts.entries {
        if one.known_as().is_empty() {
            let fault = Diagnostic::error("contact-without-name", format!("{name} has no name a PBX takes"));
            found.push(fault.at(&one.place, "").help("write `first_name`, `last_name` or `company`"));
        }
        if one.numbers().next().is_none() {
            let fault = Diagnostic::error("contact-without-number", format!("{name} has no number"));
            found.push(fault.at(&one.place, "").help("write `mobile`, `business` or another of its numbers"));
        }
    }
    let numbers = pbx.contacts.values().flat_map(|one| one.numbers());
    repeated(
        numbers.map(|(_, number)| (number.0.to_string(), &number.place)),
        |number| {
            let message = format!("{number} is in the phonebook twice: the PBX shows one of its names");
            Diagnostic::warning("shared-number", message)
        },
        found,
    );
}

/// Callers named as contacts are contacts of this inventory, and some of their numbers can call.
fn callers(pbx: &Pbx, rule: &InboundRule, found: &mut Vec<Diagnostic>) {
    let Some(caller) = &rule.caller else { return };
    if let Some(did) = &rule.did {
        let message = "a rule is for a number called or for those who call, not for both";
        let fault = Diagnostic::error("two-conditions", message).at(&caller.place, "");
        found.push(fault.at(&did.place, "and this").help("write two rules, or take one of the two out"));
    }
    let (kind, name, known): (_, _, BTreeSet<&str>) = match &caller.value {
        Caller::Number(_) => return,
        Caller::Contact(name) => ("contact", name, pbx.contacts.keys().map(String::as_str).collect()),
        Caller::Group(name) => {
            let groups = pbx.contacts.values().filter_map(|one| one.group.as_ref());
            ("group of contacts", name, groups.map(|group| group.as_str()).collect())
        }
    };
    if !known.contains(name.as_str()) {
        let message = format!("there is no {kind} `{name}` on this PBX");
        let fault = Diagnostic::error("dangling-reference", message).at(&caller.place, "not found");
        found.push(match closest(name, known.into_iter()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("rules for contacts are made of those written under `contacts`"),
        });
    } else if pbx.caller_numbers(caller).is_empty() {
        let message = format!("{} has no number that calls: a fax does not", caller.value);
        found.push(Diagnostic::error("caller-without-number", message).at(&caller.place, ""));
    }
}

/// A caller of a rule: the number or mask, and where the rule names it.
fn taken<'a>(pbx: &'a Pbx, caller: &'a At<Caller>) -> Vec<(String, &'a Place)> {
    match &caller.value {
        Caller::Number(number) => vec![(number.clone(), &caller.place)],
        contacts => {
            let numbers = pbx.caller_numbers(contacts);
            numbers.iter().map(|one| (one.number.0.to_string(), &caller.place)).collect()
        }
    }
}

fn same_callers(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let trunks: BTreeSet<&str> = pbx.inbound_rules.values().map(|rule| rule.trunk.as_str()).collect();
    for trunk in trunks {
        let rules = pbx.inbound_rules.values().filter(|rule| rule.trunk.as_str() == trunk);
        let callers = rules.filter(|rule| rule.did.is_none()).filter_map(|rule| rule.caller.as_ref());
        let all: Vec<(String, &Place)> = callers.flat_map(|caller| taken(pbx, caller)).collect();
        repeated(
            all.iter().map(|(number, place)| (number.clone(), *place)),
            |number| {
                Diagnostic::error("duplicate-rule", format!("two rules of {trunk} take calls from {number}"))
            },
            found,
        );
        // One fault a pair of rules, however many of their numbers meet.
        let mut said = BTreeSet::new();
        for (mask, at) in all.iter().filter(|(mask, _)| mask.ends_with('*')) {
            let begin = mask.trim_end_matches('*');
            let meets = |(number, _): &&(String, &Place)| number != mask && number.starts_with(begin);
            for (number, place) in all.iter().filter(meets) {
                if said.insert((*at, *place)) {
                    let message = format!(
                        "{number} is also in {mask}: which of the two rules a 3CX takes is not known"
                    );
                    let fault = Diagnostic::warning("overlapping-callers", message);
                    found.push(fault.at(place, "this caller").at(at, "is in here"));
                }
            }
        }
    }
}
