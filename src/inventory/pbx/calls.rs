//! What takes calls for several: ring groups, queues, IVRs.

use schemars::JsonSchema;

use super::{Destination, Prompt, Route};
use crate::inventory::scalar::{NumberText, PeriodText};
use crate::inventory::{At, Section};

/// How members ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum RingStrategy {
    /// One after the other.
    Hunt,
    /// All at once.
    RingAll,
    /// Their loudspeakers take the call.
    Paging,
}

/// A mailbox shared by e-mail (from 20.0.9).
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SharedMailbox {
    /// Whether the members get the message.
    #[schemars(default)]
    pub members: Option<bool>,
    /// Other addresses that get it.
    #[schemars(default)]
    pub also: Vec<At<String>>,
}

/// A ring group.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RingGroup {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Who rings, in order.
    pub members: Vec<At<NumberText>>,
    /// How they ring; all at once when absent.
    #[schemars(default)]
    pub strategy: Option<RingStrategy>,
    /// How long it rings; with `hunt`, each member.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// Where the call goes when nobody answers.
    #[schemars(default)]
    pub no_answer: Option<At<Destination>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
    /// Its shared mailbox.
    #[schemars(default)]
    pub mailbox: Option<At<SharedMailbox>>,
}

/// How a queue chooses the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum QueueStrategy {
    /// In order.
    Hunt,
    /// All at once.
    RingAll,
    /// In order from a random one on.
    HuntRandomStart,
    /// The next in turn.
    NextAgent,
    /// The one who waited longest.
    LongestWaiting,
    /// The one who talked least.
    LeastTalkTime,
    /// The one who answered fewest.
    FewestAnswered,
    /// In threes.
    HuntBy3s,
    /// The first three who are free.
    First3Available,
}

/// Whether a queue's calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum QueueRecording {
    /// They are not.
    Disabled,
    /// They are, unless the caller says no.
    AllowToOptOut,
    /// They are when the caller says yes.
    AskToOptIn,
}

/// A queue.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Queue {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Who answers, in order.
    pub agents: Vec<At<NumberText>>,
    /// Who manages it.
    #[schemars(default)]
    pub managers: Option<Vec<At<NumberText>>>,
    /// How the agent is chosen.
    #[schemars(default)]
    pub strategy: Option<QueueStrategy>,
    /// How long an agent's phone rings.
    #[schemars(default)]
    pub ring: Option<At<PeriodText>>,
    /// How long a caller waits at most.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// How long an agent is left alone after a call.
    #[schemars(default)]
    pub wrap_up: Option<At<PeriodText>>,
    /// How many callers may wait.
    #[schemars(default)]
    pub max_callers: Option<u16>,
    /// Whether callers hear their position.
    #[schemars(default)]
    pub announce_position: Option<bool>,
    /// What is played first.
    #[schemars(default)]
    pub intro: Option<At<Prompt>>,
    /// What is played while waiting.
    #[schemars(default)]
    pub music: Option<At<Prompt>>,
    /// Whether calls are recorded; needs the Enterprise licence.
    #[schemars(default)]
    pub recording: Option<At<QueueRecording>>,
    /// Where the call goes when the time is over.
    #[schemars(default)]
    pub no_answer: Option<At<Destination>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
    /// Its shared mailbox.
    #[schemars(default)]
    pub mailbox: Option<At<SharedMailbox>>,
}

/// An IVR (digital receptionist).
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ivr {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// What it says.
    pub prompt: At<Prompt>,
    /// What each key does.
    #[schemars(transform = crate::inventory::schema::named)]
    pub keys: Section<Destination>,
    /// How long it waits for a key.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// Where the call goes when no key is pressed.
    #[schemars(default)]
    pub no_key: Option<At<Destination>>,
    /// Where the call goes after a wrong key: an internal number.
    #[schemars(default)]
    pub wrong_key: Option<At<NumberText>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
}
