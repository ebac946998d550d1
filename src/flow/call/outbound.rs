//! Calls to outside: which outbound rule, which trunk, what digits are sent.

use super::clock::name_of;
use super::{Next, Object, Walk, words};
use crate::inventory::{At, Extension, OutboundRoute, OutboundRule};

/// Why a rule is not for a call.
fn refusal(rule: &OutboundRule, number: &str, dialler: Option<(&str, &Extension)>) -> Option<String> {
    let list = |texts: &[At<String>]| texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(", ");
    if !rule.begins(number) {
        return Some(format!("the number does not begin with {}", list(&rule.prefixes)));
    }
    if !rule.is_as_long(number) {
        return Some(format!("the number does not have {} digits", list(&rule.lengths)));
    }
    if !rule.from.is_empty() && !dialler.is_some_and(|(own, _)| rule.has_extension(own)) {
        return Some(format!("it is for {}", list(&rule.from)));
    }
    let of_department = |one: &Extension| {
        let also = one.also_in.iter().flatten().map(|(name, _)| name.as_str());
        let mut all = also.chain([name_of(one.department.as_ref())]);
        all.any(|name| rule.departments.iter().any(|own| own.as_str() == name))
    };
    if !rule.departments.is_empty() && !dialler.is_some_and(|(_, one)| of_department(one)) {
        return Some(format!("it is for {}", list(&rule.departments)));
    }
    None
}

impl Walk<'_> {
    /// Follows a number out. The steps are ends: what the public network does is not known here.
    pub(super) fn outbound(&mut self, number: &str, dialler: Option<&str>, next: &Next) {
        let pbx = self.call.pbx;
        let known = dialler.and_then(|own| Some((own, &pbx.extensions.get(own)?.value)));
        let emergency = pbx.is_emergency(number);
        let mut next = next.clone();
        if next.parent.is_none() {
            let who = dialler.map_or("somebody".to_owned(), |own| words::who(pbx, own));
            let step = self.step(&next, None, format!("{who} dials {number}"));
            if dialler.is_none() && !emergency {
                self.assume(step, format!("{number} is no number of ours, so somebody here dials it"));
            }
            if dialler.is_none() {
                self.assume(step, "nobody is named, so only rules for everybody are looked at");
            }
            next.parent = Some(step);
        }
        let mut rules: Vec<(&String, &At<OutboundRule>, (bool, usize))> = Vec::new();
        for (position, (name, rule)) in pbx.outbound_rules.iter().enumerate() {
            let order = rule.priority.map_or(position + 1, usize::from);
            rules.push((name, rule, (rule.emergency != Some(true), order)));
        }
        rules.sort_by_key(|(.., order)| *order);
        let mut passed = Vec::new();
        for (name, rule, _) in rules {
            match refusal(rule, number, known) {
                Some(why) => passed.push(format!("{name} ({why})")),
                None => return self.out_by(&next, number, dialler, (name, rule), &passed),
            }
        }
        let grave = if emergency { ": an emergency number without a way out" } else { "" };
        let does = match (pbx.outbound_rules.written, passed.as_slice()) {
            (false, _) => "no outbound rules are known here: nor is what the PBX does with it".to_owned(),
            (true, []) => format!("no outbound rule: the call is refused{grave}"),
            (true, passed) => {
                format!("no outbound rule is for it, not {}: the call is refused{grave}", passed.join(", "))
            }
        };
        self.step(&next, None, does);
    }

    fn out_by(
        &mut self,
        next: &Next,
        number: &str,
        dialler: Option<&str>,
        (name, rule): (&str, &OutboundRule),
        passed: &[String],
    ) {
        let object = Object { kind: "outbound_rule", name: name.to_owned(), title: rule.title.value.clone() };
        let before = if passed.is_empty() { String::new() } else { format!("; not {}", passed.join(", ")) };
        let emergency = if self.call.pbx.is_emergency(number) { ", an emergency number" } else { "" };
        let step = self.step(next, Some(object), format!("takes {number}{emergency}{before}"));
        if rule.emergency == Some(true) {
            self.assume(step, "rules for emergency numbers come before the others");
        }
        if !rule.from.is_empty() && !rule.departments.is_empty() {
            self.assume(step, "a rule with `from` and `departments` wants both");
        }
        let next = Next { parent: Some(step), branch: None, ..next.clone() };
        if rule.routes.is_empty() {
            self.step(&next, None, "it has no trunk: the call is refused");
        }
        for (position, route) in rule.routes.iter().enumerate() {
            self.route(&next, number, dialler, route, position);
        }
    }

    fn route(
        &mut self,
        next: &Next,
        number: &str,
        dialler: Option<&str>,
        route: &OutboundRoute,
        position: usize,
    ) {
        let pbx = self.call.pbx;
        let strip = usize::from(route.strip.unwrap_or(0));
        let rest: String = number.chars().skip(strip).collect();
        let sent = format!("{}{rest}", route.prepend.as_deref().unwrap_or_default());
        let trunk = pbx.trunks.get(route.trunk.as_str());
        let own = dialler.and_then(|own| pbx.extensions.get(own)?.caller_id.as_ref());
        let shown = route.caller_id.as_ref().or(own);
        let shown =
            shown.or_else(|| trunk.and_then(|trunk| trunk.caller_id.as_ref().or(Some(&trunk.number))));
        let shown = shown.map_or(String::new(), |shown| format!(" and shows {}", shown.0.0));
        let when = if position == 0 { "" } else { "if that fails, " };
        let title = trunk.map_or(String::new(), |trunk| trunk.title.value.clone());
        let missing = if trunk.is_none() && pbx.trunks.written { " (not there)" } else { "" };
        let object = Object { kind: "trunk", name: route.trunk.value.clone(), title };
        let step = self.step(next, Some(object), format!("{when}sends {sent}{shown}{missing}"));
        if !shown.is_empty() && route.caller_id.is_none() {
            let words = "the number shown is the route's, else the extension's, else the trunk's";
            self.assume(step, words);
        }
    }
}
