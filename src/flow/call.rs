//! What happens to one call, step by step: pure, from the inventory's form of a telephone system, at a time that
//! is given. Nobody answers and no key is pressed unless a branch says so. Each step says what it takes for
//! granted where the PBX's own rule is not written down anywhere; what is not known is said and ends the way.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Zoned;
use serde::Serialize;

use crate::inventory::{At, Destination, Pbx};

mod clock;
mod inbound;
mod object;
mod outbound;
#[cfg(test)]
mod tests;
mod words;

use clock::Clock;
pub use clock::Phase;

/// Destinations seen on a PBX that the inventory has no word for, by where they stand: the key is
/// `ring_group 800: when_closed.to`, the value the PBX's own word.
pub type Odd = BTreeMap<String, String>;

/// The PBX's word for a route that lets the call go on as if the department was open.
const GO_ON: &str = "ProceedWithNoExceptions";
/// The PBX's word for the mailbox of whoever was called.
const OWN_MAILBOX: &str = "VoiceMailOfDestination";

/// A call.
pub struct Call<'a> {
    /// The telephone system.
    pub pbx: &'a Pbx,
    /// What was seen on it without a word for it; empty for what was read from YAML.
    pub odd: &'a Odd,
    /// The number dialled.
    pub number: &'a str,
    /// Who calls: a number of the public network, or an extension.
    pub from: Option<&'a str>,
    /// The extension that dials, for calls from inside.
    pub dialler: Option<&'a str>,
    /// When, in the time zone of the telephone system's site.
    pub at: Zoned,
}

/// What a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From outside to a number of ours.
    Inbound,
    /// From a colleague to an internal number.
    Internal,
    /// From an extension to the public network.
    Outbound,
}

/// Something a call meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// The collection it is in, such as `ring_group`.
    pub kind: &'static str,
    /// Its number or name.
    pub name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// One step of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number, from 1.
    pub step: usize,
    /// How many branches deep it stands.
    pub depth: usize,
    /// The branch that begins with it, such as `key 1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// How long the caller has waited when it begins, in seconds.
    pub after_s: u64,
    /// Whether the caller may have waited longer: a prompt or a time that is not known lies behind.
    pub at_least: bool,
    /// What the call meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// What happens.
    pub does: String,
    /// What was taken for granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// The step whose way the call takes from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
}

/// The whole way of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// What the call is.
    pub direction: Direction,
    /// What happens, in order; branches stand right behind the step they leave.
    pub steps: Vec<Step>,
}

/// How long a caller has waited.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    seconds: u64,
    at_least: bool,
}

impl Wait {
    /// Longer by a time that is written, or by one that is not.
    fn and(self, seconds: Option<u64>) -> Self {
        Self {
            seconds: self.seconds.saturating_add(seconds.unwrap_or(0)),
            at_least: self.at_least || seconds.is_none(),
        }
    }

    /// Longer by a prompt, whose length is not known here.
    fn and_a_prompt(self) -> Self {
        Self { at_least: true, ..self }
    }
}

/// Where a call goes next.
#[derive(Clone)]
struct Next {
    to: Destination,
    wait: Wait,
    depth: usize,
    branch: Option<String>,
    /// The step it comes from.
    parent: Option<usize>,
    /// The extension that sends the call on, when one does.
    by: Option<String>,
}

/// What is written of where a call goes.
enum Lead {
    To(Destination),
    /// As if there was nothing special.
    GoOn,
    Unwritten,
    /// Somewhere the inventory has no word for.
    Odd(String),
}

struct Walk<'a> {
    call: &'a Call<'a>,
    clock: Clock<'a>,
    internal: bool,
    steps: Vec<Step>,
    /// The step each comes from, by the step's number less one.
    parents: Vec<Option<usize>>,
    /// The step where an object was met first, by its kind and number and how its department stood then.
    met: BTreeMap<(&'static str, String, Phase), usize>,
}

/// Follows a call from the number dialled to every end it can come to.
pub fn follow(call: &Call<'_>) -> Way {
    let pbx = call.pbx;
    let inside = inbound::is_internal(pbx, call.number);
    let arrival = inbound::comes_in(pbx, call.number).filter(|_| call.dialler.is_none());
    let colleague = call.dialler.or(call.from).is_none_or(|from| pbx.extensions.contains_key(from));
    let mut walk = Walk {
        call,
        clock: Clock { pbx, odd: call.odd, start: &call.at },
        internal: arrival.is_none() && colleague,
        steps: Vec::new(),
        parents: Vec::new(),
        met: BTreeMap::new(),
    };
    let direction = match (inside, arrival) {
        (Some(to), _) => {
            walk.internal_call(&to);
            Direction::Internal
        }
        (None, Some(arrival)) => {
            walk.inbound(&arrival);
            Direction::Inbound
        }
        (None, None) => {
            walk.outbound(call.number, call.dialler, &Next::first(Destination::End));
            Direction::Outbound
        }
    };
    Way { direction, steps: walk.steps }
}

/// Whether a number comes in on a trunk of a telephone system, is one of its internal numbers, or neither.
pub fn belongs(pbx: &Pbx, number: &str) -> bool {
    inbound::is_internal(pbx, number).is_some() || inbound::comes_in(pbx, number).is_some()
}

impl Next {
    fn first(to: Destination) -> Self {
        Self { to, wait: Wait::default(), depth: 0, branch: None, parent: None, by: None }
    }
}

impl<'a> Walk<'a> {
    /// Goes on until every way has come to an end. An object is looked into once for each way its department
    /// can stand; met again, the step that looked into it is named. So the walk ends.
    fn go(&mut self, first: Next) {
        let mut open = vec![first];
        while let Some(next) = open.pop() {
            let mut onward = self.arrive(&next);
            onward.reverse();
            open.append(&mut onward);
        }
    }

    /// Notes a step; its number is given back.
    fn step(&mut self, next: &Next, object: Option<Object>, does: impl Into<String>) -> usize {
        let step = self.steps.len() + 1;
        self.steps.push(Step {
            step,
            depth: next.depth,
            branch: next.branch.clone(),
            after_s: next.wait.seconds,
            at_least: next.wait.at_least,
            object,
            does: does.into(),
            assumed: Vec::new(),
            same_as: None,
        });
        self.parents.push(next.parent);
        step
    }

    fn assume(&mut self, step: usize, words: impl Into<String>) {
        self.steps[step - 1].assumed.push(words.into());
    }

    /// Whether a step lies on the way to another.
    fn leads_to(&self, from: usize, mut step: Option<usize>) -> bool {
        while let Some(number) = step {
            if number == from {
                return true;
            }
            step = self.parents[number - 1];
        }
        false
    }

    /// What is written at a place of an object: `what` is `ring_group 800`, `field` is `no_answer`.
    fn lead(&self, what: &str, field: &str, to: Option<&At<Destination>>) -> Lead {
        match (self.call.odd.get(&format!("{what}: {field}")), to) {
            (Some(word), _) if word == GO_ON => Lead::GoOn,
            (Some(word), _) => Lead::Odd(word.clone()),
            (None, Some(to)) => Lead::To(to.value.clone()),
            (None, None) => Lead::Unwritten,
        }
    }

    /// The next step after one, or the words of why it is not known, as an end of the way.
    fn onward(&mut self, lead: Lead, from: &Next, unwritten: &str) -> Option<Destination> {
        match lead {
            Lead::To(to) => Some(to),
            Lead::GoOn | Lead::Unwritten => {
                self.step(from, None, unwritten);
                None
            }
            Lead::Odd(word) => {
                let does =
                    format!("goes to `{word}`, which has no word here: the way is not known from here");
                self.step(from, None, does);
                None
            }
        }
    }
}

/// Seconds as people say them: `5 min 50 s`.
pub fn spell(seconds: u64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}"));
    let said: Vec<String> = said.collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

impl Way {
    /// The way as text, a line a step, branches indented.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        for step in &self.steps {
            let indent = "  ".repeat(2 * step.depth);
            if let Some(branch) = &step.branch {
                let _ = writeln!(text, "    {}{branch}:", &indent[..indent.len().saturating_sub(2)]);
            }
            let more = if step.at_least { " or more" } else { "" };
            let after = match step.after_s {
                0 => String::new(),
                seconds => format!("after {}{more}: ", spell(seconds)),
            };
            let object = step.object.as_ref().map(|object| format!("{}: ", words::object(object)));
            let object = object.unwrap_or_default();
            let _ = writeln!(text, "{:3} {indent}{after}{object}{}", step.step, step.does);
        }
        let mut assumed: Vec<(&str, Vec<String>)> = Vec::new();
        for (step, words) in
            self.steps.iter().flat_map(|step| step.assumed.iter().map(move |one| (step, one)))
        {
            match assumed.iter_mut().find(|(known, _)| known == words) {
                Some((_, steps)) => steps.push(step.step.to_string()),
                None => assumed.push((words, vec![step.step.to_string()])),
            }
        }
        if !assumed.is_empty() {
            text.push_str("\nAssumed:\n");
        }
        for (words, steps) in assumed {
            let many = if steps.len() == 1 { "step" } else { "steps" };
            let _ = writeln!(text, "  {words} ({many} {})", steps.join(", "));
        }
        text
    }
}
