//! Calls from outside: which trunk, which inbound rule. And calls between colleagues.

use super::clock::{Phase, name_of};
use super::{Lead, Next, Object, Walk, words};
use crate::inventory::{At, Caller, Destination, InboundRule, Pbx};

/// Where a number of ours comes in.
pub(super) struct Arrival<'a> {
    trunk: &'a str,
    number: &'a str,
    /// Whether it was asked for in another form.
    respelt: bool,
}

/// What an internal number is.
pub(super) fn is_internal(pbx: &Pbx, number: &str) -> Option<Destination> {
    let own = number.to_owned();
    if pbx.extensions.contains_key(number) {
        Some(Destination::Extension(own))
    } else if pbx.ring_groups.contains_key(number) {
        Some(Destination::RingGroup(own))
    } else if pbx.queues.contains_key(number) {
        Some(Destination::Queue(own))
    } else if pbx.ivrs.contains_key(number) {
        Some(Destination::Ivr(own))
    } else {
        None
    }
}

/// A number in one form: `0033` is `+33`.
fn plain(number: &str) -> String {
    let kept: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+' || *c == '*').collect();
    kept.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(kept)
}

/// The trunk a number comes in on. A number in its national form is found when only one of ours ends with it.
pub(super) fn comes_in<'a>(pbx: &'a Pbx, number: &str) -> Option<Arrival<'a>> {
    let rules = pbx.inbound_rules.values().filter_map(|rule| Some((rule.trunk.as_str(), rule.did.as_ref()?)));
    let trunks = pbx.trunks.iter().flat_map(|(name, trunk)| {
        trunk.dids.iter().flatten().chain([&trunk.number]).map(|did| (name.as_str(), did))
    });
    let own: Vec<(&str, &str)> = trunks.chain(rules).map(|(trunk, did)| (trunk, did.0.0.as_str())).collect();
    let wanted = plain(number);
    if let Some((trunk, did)) = own.iter().find(|(_, did)| plain(did) == wanted) {
        return Some(Arrival { trunk, number: did, respelt: plain(number) != number });
    }
    let national = wanted.strip_prefix('0').filter(|rest| rest.len() >= 6)?;
    let mut alike: Vec<&(&str, &str)> = own
        .iter()
        .filter(|(_, did)| {
            let country = did.strip_prefix('+').and_then(|digits| digits.strip_suffix(national));
            country.is_some_and(|country| (1..=3).contains(&country.len()))
        })
        .collect();
    alike.dedup_by_key(|(_, did)| *did);
    match alike.as_slice() {
        [(trunk, did)] => Some(Arrival { trunk, number: did, respelt: true }),
        _ => None,
    }
}

/// How closely a rule means a caller, in characters: the whole number, or its beginning before `*`; `None`
/// when it means another.
fn closeness(pbx: &Pbx, rule: &InboundRule, caller: &str) -> Option<usize> {
    let caller = plain(caller);
    let written = rule.caller.as_ref()?;
    match &written.value {
        Caller::Number(pattern) => {
            let pattern = plain(pattern);
            let meant = match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
                // Masks of the PBX; in the inventory a number has at most its end left open.
                (Some(end), Some(_)) => caller.contains(end.trim_end_matches('*')),
                (Some(end), None) => caller.ends_with(end),
                (None, Some(beginning)) => caller.starts_with(beginning),
                (None, None) => caller == pattern,
            };
            meant.then_some(pattern.len())
        }
        contacts => {
            let numbers = pbx.caller_numbers(contacts);
            numbers.iter().any(|found| plain(&found.number.0.0) == caller).then_some(caller.len())
        }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn internal_call(&mut self, to: &Destination) {
        let number = self.call.number;
        let pbx = self.call.pbx;
        let who = match self.call.dialler.or(self.call.from) {
            Some(from) if self.internal => format!("{} dials {number}", words::who(pbx, from)),
            Some(from) => format!("{from} calls from outside and is put through to {number}"),
            None => format!("a colleague dials {number}"),
        };
        let first = Next::first(to.clone());
        let step = self.step(&first, None, who);
        self.go(Next { parent: Some(step), ..first });
    }

    pub(super) fn inbound(&mut self, arrival: &Arrival<'_>) {
        let pbx = self.call.pbx;
        let first = Next::first(Destination::End);
        let trunk = pbx.trunks.get(arrival.trunk).map_or(String::new(), |trunk| trunk.title.value.clone());
        let object = Object { kind: "trunk", name: arrival.trunk.to_owned(), title: trunk };
        let from = self.call.from.map_or_else(|| "an unknown caller".to_owned(), str::to_owned);
        let step =
            self.step(&first, Some(object), format!("brings a call from {from} to {}", arrival.number));
        if arrival.respelt {
            self.assume(step, format!("{} means {}", self.call.number, arrival.number));
        }
        let next = Next { parent: Some(step), ..first };
        let Some((name, rule, why)) = self.rule_for(arrival) else {
            let does = "no inbound rule is for it; nobody takes the call";
            self.step(&next, None, if pbx.inbound_rules.written { does } else { NO_RULES });
            return;
        };
        let object = Object { kind: "inbound_rule", name: name.to_owned(), title: rule.title.value.clone() };
        self.take(&next, object, rule, why);
    }

    /// The rule that takes a call. A rule for the caller comes before one for the number called, which comes
    /// before the one for the rest.
    fn rule_for(&self, arrival: &Arrival<'_>) -> Option<(&'a str, &'a InboundRule, &'static str)> {
        let pbx = self.call.pbx;
        let own = || {
            let rules = pbx.inbound_rules.iter();
            rules.filter(|(_, rule)| rule.trunk.as_str() == arrival.trunk)
        };
        let caller = self.call.from.and_then(|from| {
            let for_caller = own().filter(|(_, rule)| rule.did.is_none());
            let meant = for_caller.filter_map(|rule| Some((closeness(pbx, rule.1, from)?, rule)));
            meant.max_by_key(|(closeness, _)| *closeness).map(|(_, rule)| rule)
        });
        let number = || {
            own().find(|(_, rule)| {
                rule.did.as_ref().is_some_and(|did| plain(&did.0.0) == plain(arrival.number))
            })
        };
        let rest = || own().find(|(_, rule)| rule.did.is_none() && rule.caller.is_none());
        let (why, (name, rule)) = caller
            .map(|found| ("it is for this caller", found))
            .or_else(|| Some(("it is for this number", number()?)))
            .or_else(|| Some(("no other rule is for this call", rest()?)))?;
        Some((name.as_str(), &rule.value, why))
    }

    /// The rule sends the call on, as its hours say.
    fn take(&mut self, next: &Next, object: Object, rule: &InboundRule, why: &str) {
        let what = format!("inbound_rule {}", object.name);
        let department = self.department_of(&rule.to);
        let standing = match &rule.hours {
            Some(week) => self.clock.in_hours(week, department.as_ref(), next.wait),
            None => self.clock.standing(department.as_ref(), next.wait),
        };
        let step = self.step(next, Some(object), format!("takes it, since {why}; {}", standing.words));
        if why == "it is for this caller" {
            self.assume(step, "a rule for the caller comes before one for the number called");
        }
        let owner = name_of(department.as_ref());
        let (field, written) = match standing.phase {
            Phase::Open => ("to", None),
            Phase::Break => {
                let words = "a break is no closing time: an inbound rule rings as in its hours";
                self.assume(step, words);
                ("to", None)
            }
            Phase::Closed => ("when_closed", rule.when_closed.as_ref()),
            Phase::Holiday => ("on_holiday", rule.on_holiday.as_ref()),
        };
        if rule.hours.is_none() || standing.phase == Phase::Holiday {
            let words =
                format!("the hours and holidays of a rule are those of where it leads, department {owner}");
            self.assume(step, words);
        }
        if let Some(assumed) = standing.assumed {
            self.assume(step, assumed);
        }
        // Without a destination of its own, a time goes where the rule goes at all times.
        let lead = match self.lead(&what, field, written) {
            Lead::Unwritten | Lead::GoOn => self.lead(&what, "to", Some(&rule.to)),
            lead => lead,
        };
        let onward = Next { parent: Some(step), ..next.clone() };
        if let Some(to) = self.onward(lead, &onward, "where the rule leads is not known here") {
            self.go(Next { to, ..onward });
        }
    }

    /// The department of what a destination leads to.
    fn department_of(&self, to: &Destination) -> Option<At<String>> {
        let pbx = self.call.pbx;
        match to {
            Destination::Extension(number) | Destination::Voicemail(number) => {
                pbx.extensions.get(number)?.department.clone()
            }
            Destination::RingGroup(number) => pbx.ring_groups.get(number)?.department.clone(),
            Destination::Queue(number) => pbx.queues.get(number)?.department.clone(),
            Destination::Ivr(number) => pbx.ivrs.get(number)?.department.clone(),
            Destination::External(_) | Destination::End | Destination::Repeat | Destination::CallByName => {
                None
            }
        }
    }
}

const NO_RULES: &str = "no inbound rules are known here, nor is what the PBX does with it";
