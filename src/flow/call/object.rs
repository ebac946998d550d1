//! What a call does at what it meets: extensions, ring groups, queues, IVRs, mailboxes.

use super::clock::Phase;
use super::{Lead, Next, OWN_MAILBOX, Object, Wait, Walk, spell, words};
use crate::inventory::{At, Destination, Extension, Ivr, PeriodText, Queue, RingGroup, RingStrategy, Route};

/// The ways of an object for the times its department is not at work.
type Routes<'a> = [(Phase, &'static str, &'a Option<At<Route>>); 3];

fn routes<'a>(
    closed: &'a Option<At<Route>>,
    pause: &'a Option<At<Route>>,
    holiday: &'a Option<At<Route>>,
) -> Routes<'a> {
    [
        (Phase::Closed, "when_closed", closed),
        (Phase::Break, "on_break", pause),
        (Phase::Holiday, "on_holiday", holiday),
    ]
}

fn seconds(period: Option<&At<PeriodText>>) -> Option<u64> {
    period.map(|period| period.value.0.as_secs())
}

/// How long, in words.
fn how_long(seconds: Option<u64>) -> String {
    seconds.map_or_else(
        || "as long as the PBX has it set".to_owned(),
        |seconds| format!("for {}", spell(seconds)),
    )
}

fn at_most(seconds: Option<u64>) -> String {
    let most = seconds.map(|seconds| format!("at most {}", spell(seconds)));
    most.unwrap_or_else(|| how_long(None))
}

impl Walk<'_> {
    /// What a call does where it arrives, and where it can go from there.
    pub(super) fn arrive(&mut self, next: &Next) -> Vec<Next> {
        let pbx = self.call.pbx;
        match &next.to {
            Destination::End => self.last(next, None, "the call ends"),
            Destination::CallByName => {
                self.last(next, None, "the caller spells a name; who rings then is not known here")
            }
            Destination::Repeat => {
                let step = self.step(next, None, "the prompt is played again");
                self.same_as(step, next.parent);
                Vec::new()
            }
            Destination::External(number) => {
                let step = self.step(next, None, format!("goes on to {number}, outside"));
                let out = Next { parent: Some(step), branch: None, ..next.clone() };
                self.outbound(number, next.by.as_deref(), &out);
                Vec::new()
            }
            Destination::Voicemail(number) => self.mailbox(next, number),
            Destination::Extension(number) => match pbx.extensions.get(number) {
                Some(one) => self.extension(next, number, one),
                None => self.nobody(next, "extension", number, pbx.extensions.written),
            },
            Destination::RingGroup(number) => match pbx.ring_groups.get(number) {
                Some(one) => self.ring_group(next, number, one),
                None => self.nobody(next, "ring_group", number, pbx.ring_groups.written),
            },
            Destination::Queue(number) => match pbx.queues.get(number) {
                Some(one) => self.queue(next, number, one),
                None => self.nobody(next, "queue", number, pbx.queues.written),
            },
            Destination::Ivr(number) => match pbx.ivrs.get(number) {
                Some(one) => self.ivr(next, number, one),
                None => self.nobody(next, "ivr", number, pbx.ivrs.written),
            },
        }
    }

    fn last(&mut self, next: &Next, object: Option<Object>, does: &str) -> Vec<Next> {
        self.step(next, object, does);
        Vec::new()
    }

    fn nobody(&mut self, next: &Next, kind: &'static str, number: &str, written: bool) -> Vec<Next> {
        let object = Object { kind, name: number.to_owned(), title: String::new() };
        let does = match written {
            true => "is not there; where the call ends is not known",
            false => "is not known here, nor is the way from here on",
        };
        self.last(next, Some(object), does)
    }

    fn mailbox(&mut self, next: &Next, number: &str) -> Vec<Next> {
        let pbx = self.call.pbx;
        let title = words::person(pbx, number);
        let object = Object { kind: "mailbox", name: number.to_owned(), title };
        let off = pbx.extensions.get(number).and_then(|one| one.voicemail.as_ref()?.enabled) == Some(false);
        let does = match (off, pbx.extensions.contains_key(number)) {
            (true, _) => "takes no messages; what the caller hears is not known",
            (false, true) => "takes a message",
            (false, false) if pbx.extensions.written => "is not there; where the call ends is not known",
            (false, false) => "takes a message, if it is there: extensions are not known here",
        };
        self.last(next, Some(object), does)
    }

    fn same_as(&mut self, step: usize, earlier: Option<usize>) {
        if let Some(earlier) = earlier {
            self.steps[step - 1].does.push_str(&format!(", from here on as in step {earlier}"));
            self.steps[step - 1].same_as = Some(earlier);
        }
    }

    /// Whether an object was met before; then the step says so.
    fn again(&mut self, next: &Next, object: &Object, phase: Phase) -> bool {
        let key = (object.kind, object.name.clone(), phase);
        let Some(earlier) = self.met.get(&key).copied() else {
            self.met.insert(key, self.steps.len() + 1);
            return false;
        };
        let round = self.leads_to(earlier, next.parent);
        let does = if round { "once more, in a circle" } else { "once more" };
        let step = self.step(next, Some(object.clone()), does);
        self.same_as(step, Some(earlier));
        true
    }

    /// Arrives at an object that has ways for the times its department is not at work. `Err` when one of them
    /// takes the call; otherwise how the department stands, in words when it is not at work, and what is assumed.
    fn enter(
        &mut self,
        next: &Next,
        object: &Object,
        department: Option<&At<String>>,
        routes: Routes<'_>,
    ) -> Result<(String, Vec<String>), Vec<Next>> {
        let standing = self.clock.standing(department, next.wait);
        if self.again(next, object, standing.phase) {
            return Err(Vec::new());
        }
        let mut assumed: Vec<String> = standing.assumed.into_iter().collect();
        let Some((_, field, route)) = routes.into_iter().find(|(phase, ..)| *phase == standing.phase) else {
            return Ok((String::new(), assumed));
        };
        let route = route.as_ref();
        let what = format!("{} {}", object.kind, object.name);
        let lead = self.lead(&what, &format!("{field}.to"), route.map(|route| &route.to));
        if matches!(lead, Lead::Unwritten | Lead::GoOn) {
            if matches!(lead, Lead::Unwritten) {
                let words = format!(
                    "an object without `{field}` rings on as if its department was open; `--live` tells \
                     whether the PBX has a way of its own"
                );
                assumed.push(words);
                if self.clock.has_way(department, standing.phase) {
                    assumed
                        .push("a department's own ways are for calls to it, not to its objects".to_owned());
                }
            }
            return Ok((format!("{}, and it has no way for that; ", standing.words), assumed));
        }
        let prompt = route.and_then(|route| route.prompt.as_ref());
        let plays = prompt.map_or(String::new(), |prompt| format!("plays {} and ", words::prompt(prompt)));
        let does = format!("{}; {plays}sends the call on", standing.words);
        let step = self.step(next, Some(object.clone()), does);
        let wait = if prompt.is_some() { next.wait.and_a_prompt() } else { next.wait };
        if matches!(lead, Lead::To(Destination::End)) {
            // A 3CX shows both alike.
            self.assume(
                step,
                format!("`end` as `{field}` ends the call; on the PBX a way never set looks the same"),
            );
        }
        let onward = Next { parent: Some(step), branch: None, wait, ..next.clone() };
        let to = self.onward(lead, &onward, "");
        Err(to.map(|to| Next { to, ..onward }).into_iter().collect())
    }

    /// The step of an object that rings, and where the call goes when nobody answers.
    fn rings(&mut self, next: &Next, object: Object, does: &str, assumed: Vec<String>) -> usize {
        let step = self.step(next, Some(object), does);
        assumed.into_iter().for_each(|words| self.assume(step, words));
        step
    }

    fn after(&mut self, next: &Next, step: usize, wait: Wait, lead: Lead) -> Vec<Next> {
        let onward = Next { parent: Some(step), branch: None, wait, ..next.clone() };
        let to = self.onward(lead, &onward, "nobody took it: where the call goes then is not known here");
        to.map(|to| Next { to, ..onward }).into_iter().collect()
    }

    fn ring_group(&mut self, next: &Next, number: &str, one: &RingGroup) -> Vec<Next> {
        let object = Object { kind: "ring_group", name: number.to_owned(), title: one.title.clone() };
        let ways = routes(&one.when_closed, &one.on_break, &one.on_holiday);
        let (closed, assumed) = match self.enter(next, &object, one.department.as_ref(), ways) {
            Ok(entered) => entered,
            Err(elsewhere) => return elsewhere,
        };
        let pbx = self.call.pbx;
        let each = seconds(one.timeout.as_ref());
        let (does, wait) = match one.strategy.unwrap_or(RingStrategy::RingAll) {
            _ if one.members.is_empty() => ("has no members".to_owned(), Some(0)),
            RingStrategy::RingAll => {
                let who = words::all(pbx, &one.members, ", ");
                (format!("rings {who} at once {}", how_long(each)), each)
            }
            RingStrategy::Hunt => {
                let who = words::all(pbx, &one.members, ", then ");
                let count = u64::try_from(one.members.len()).unwrap_or(u64::MAX);
                (format!("rings {who}, each {}", how_long(each)), each.map(|each| each.saturating_mul(count)))
            }
            RingStrategy::Paging => {
                let who = words::all(pbx, &one.members, ", ");
                let does = format!("{closed}speaks from the loudspeakers of {who}");
                self.rings(next, object, &does, assumed);
                return Vec::new();
            }
        };
        let lead = self.lead(&format!("ring_group {number}"), "no_answer", one.no_answer.as_ref());
        let step = self.rings(next, object, &format!("{closed}{does}"), assumed);
        self.after(next, step, next.wait.and(wait), lead)
    }

    fn queue(&mut self, next: &Next, number: &str, one: &Queue) -> Vec<Next> {
        let object = Object { kind: "queue", name: number.to_owned(), title: one.title.clone() };
        let ways = routes(&one.when_closed, &one.on_break, &one.on_holiday);
        let (closed, assumed) = match self.enter(next, &object, one.department.as_ref(), ways) {
            Ok(entered) => entered,
            Err(elsewhere) => return elsewhere,
        };
        let pbx = self.call.pbx;
        let who = match one.agents.as_slice() {
            [] => "has no agents".to_owned(),
            agents => {
                let ring = how_long(seconds(one.ring.as_ref()));
                format!("rings {}, each {ring}", words::all(pbx, agents, ", "))
            }
        };
        let most = seconds(one.timeout.as_ref());
        let full = one.max_callers.map_or(String::new(), |most| format!("; with {most} waiting it is full"));
        let does = format!("{closed}{who}; the caller waits {}{full}", at_most(most));
        let lead = self.lead(&format!("queue {number}"), "no_answer", one.no_answer.as_ref());
        let step = self.rings(next, object, &does, assumed);
        if one.max_callers.is_some() {
            self.assume(step, "a full queue sends the next caller where it sends one whose time is over");
        }
        self.after(next, step, next.wait.and(most), lead)
    }

    fn ivr(&mut self, next: &Next, number: &str, one: &Ivr) -> Vec<Next> {
        let object = Object { kind: "ivr", name: number.to_owned(), title: one.title.clone() };
        let ways = routes(&one.when_closed, &one.on_break, &one.on_holiday);
        let (closed, assumed) = match self.enter(next, &object, one.department.as_ref(), ways) {
            Ok(entered) => entered,
            Err(elsewhere) => return elsewhere,
        };
        let timeout = seconds(one.timeout.as_ref());
        let prompt = words::prompt(&one.prompt);
        let does = format!("{closed}plays {prompt}, then waits for a key {}", how_long(timeout));
        let what = format!("ivr {number}");
        let step = self.rings(next, object, &does, assumed);
        let heard = next.wait.and_a_prompt();
        let branch = |name: String, wait| Next {
            to: Destination::End,
            wait,
            depth: next.depth + 1,
            branch: Some(name),
            parent: Some(step),
            by: None,
        };
        let mut ways = Vec::new();
        for (key, to) in &one.keys {
            let lead = self.lead(&what, &format!("keys.{key}.to"), Some(to));
            ways.push((branch(format!("key {key}"), next.wait), lead));
        }
        if let Some(wrong) = &one.wrong_key {
            let number = &wrong.0.0;
            let to = super::inbound::is_internal(self.call.pbx, number);
            let lead = Lead::To(to.unwrap_or_else(|| Destination::Extension(number.clone())));
            ways.push((branch("a wrong key".to_owned(), heard), lead));
        }
        let lead = self.lead(&what, "no_key", one.no_key.as_ref());
        ways.push((branch("no key".to_owned(), heard.and(timeout)), lead));
        self.branches(ways)
    }

    /// Ways whose destination is not known are steps of their own right away, behind the others.
    fn branches(&mut self, ways: Vec<(Next, Lead)>) -> Vec<Next> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for (next, lead) in ways {
            match lead {
                Lead::To(to) => known.push(Next { to, ..next }),
                lead => unknown.push((next, lead)),
            }
        }
        for (next, lead) in unknown {
            self.onward(lead, &next, "where the call goes then is not known here");
        }
        known
    }

    /// The profile of an extension: the department's hours choose it, or the person does.
    fn extension(&mut self, next: &Next, number: &str, one: &Extension) -> Vec<Next> {
        let title = words::person(self.call.pbx, number);
        let object = Object { kind: "extension", name: number.to_owned(), title };
        let standing = self.clock.standing(one.department.as_ref(), next.wait);
        if self.again(next, &object, standing.phase) {
            return Vec::new();
        }
        let follows = one.follow_hours == Some(true);
        let away = follows && standing.phase != Phase::Open;
        let mut assumed = Vec::new();
        let profile = match (follows, standing.phase) {
            (true, phase) => {
                if phase == Phase::Break {
                    assumed
                        .push("a break counts as outside the hours for profiles that follow them".to_owned());
                }
                assumed.extend(standing.assumed);
                format!(
                    "{}, so its profile is {}",
                    standing.words,
                    if away { "out of office" } else { "available" }
                )
            }
            (false, _) => {
                assumed.push("a person's profile is `available` unless it follows the hours".to_owned());
                "its profile is available".to_owned()
            }
        };
        if one.enabled == Some(false) {
            return self.last(next, Some(object), "is disabled; what the caller hears is not known");
        }
        let by = Next { by: Some(number.to_owned()), ..next.clone() };
        match away {
            true => self.absent(&by, object, one, &profile, assumed),
            false => self.present(&by, object, one, &profile, assumed),
        }
    }

    fn absent(
        &mut self,
        next: &Next,
        object: Object,
        one: &Extension,
        profile: &str,
        assumed: Vec<String>,
    ) -> Vec<Next> {
        let number = object.name.clone();
        let absence = one.forwarding.as_ref().and_then(|all| all.out_of_office.as_ref());
        let (field, to) = match self.internal {
            true => ("internal", absence.and_then(|one| one.internal.as_ref())),
            false => ("external", absence.and_then(|one| one.external.as_ref())),
        };
        let step = self.rings(next, object, &format!("does not ring; {profile}"), assumed);
        let lead = self.person_lead(&number, &format!("out_of_office.{field}"), to);
        let lead = self.or_mailbox(lead, one, &number, step);
        self.after(next, step, next.wait, lead)
    }

    fn present(
        &mut self,
        next: &Next,
        object: Object,
        one: &Extension,
        profile: &str,
        assumed: Vec<String>,
    ) -> Vec<Next> {
        let number = object.name.clone();
        let there = one.forwarding.as_ref().and_then(|all| all.available.as_ref());
        let ring = there.and_then(|one| seconds(one.ring.as_ref()));
        let step = self.rings(next, object, &format!("rings {}; {profile}", how_long(ring)), assumed);
        let branch = |name: &str| Next {
            to: Destination::End,
            depth: next.depth + 1,
            branch: Some(name.to_owned()),
            parent: Some(step),
            ..next.clone()
        };
        let mut ways = Vec::new();
        let others = [
            ("busy", "busy", there.and_then(|one| one.busy.as_ref())),
            ("not_registered", "no phone registered", there.and_then(|one| one.not_registered.as_ref())),
        ];
        for (field, name, to) in others {
            let lead = self.person_lead(&number, &format!("available.{field}"), to);
            if !matches!(lead, Lead::Unwritten) {
                ways.push((branch(name), lead));
            }
        }
        let mut onward = self.branches(ways);
        let lead =
            self.person_lead(&number, "available.no_answer", there.and_then(|one| one.no_answer.as_ref()));
        let lead = self.or_mailbox(lead, one, &number, step);
        let unanswered =
            Next { branch: Some("no answer".to_owned()), wait: next.wait.and(ring), ..branch("") };
        onward.extend(self.branches(vec![(unanswered, lead)]));
        onward
    }

    /// Where a person's calls go; the PBX's word for the own mailbox has a meaning here.
    fn person_lead(&self, number: &str, field: &str, to: Option<&At<Destination>>) -> Lead {
        match self.lead(&format!("extension {number}"), &format!("forwarding.{field}"), to) {
            Lead::Odd(word) if word == OWN_MAILBOX => Lead::To(Destination::Voicemail(number.to_owned())),
            lead => lead,
        }
    }

    /// Where nothing is written and the extension has a mailbox, that takes the call.
    fn or_mailbox(&mut self, lead: Lead, one: &Extension, number: &str, step: usize) -> Lead {
        let has = one.voicemail.as_ref().is_some_and(|mailbox| mailbox.enabled != Some(false));
        if !has || !matches!(lead, Lead::Unwritten) {
            return lead;
        }
        self.assume(step, "a mailbox takes the calls for which no forwarding is written");
        Lead::To(Destination::Voicemail(number.to_owned()))
    }
}
