//! A plan is data: what is, what will be, and nothing that leaves a choice to the one who applies it.

use serde::Serialize;

use super::{Address, Fields, Key, Target, Unread};

/// The version of the plan's JSON form: the minor part grows with additions, the major with breaks.
pub const PLAN_FORMAT: &str = "1.1";

/// What a change does to those who use the target; the later, the more they notice.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nobody notices.
    #[default]
    None,
    /// The named service reads its configuration again.
    Reload(String),
    /// The named service is restarted.
    Restart(String),
    /// Users notice: what is interrupted and for about how long.
    Interrupts(String),
}

/// What a change is; it follows from its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not there and will be.
    Create,
    /// It is there and will differ.
    Update,
    /// It is there and will not be.
    Delete,
    /// It stays as it is, but must act because something it depends on changes.
    Wake,
}

/// One change of one resource.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// What is changed.
    pub address: Address,
    /// What follows from the two sides.
    pub action: Action,
    /// The observed fields that differ; `None` when it is not there. For a delete, all that was seen.
    pub before: Option<Fields>,
    /// The wished fields that differ (all of them on create); `None` when it will not be there.
    pub after: Option<Fields>,
    /// What users notice.
    pub impact: Impact,
    /// For [`Action::Wake`]: the changes that cause it.
    pub because: Vec<Key>,
    /// Words for the plan's line.
    pub summary: String,
}

impl Change {
    /// Whether this change needs a value that an earlier step of the same apply makes.
    pub fn is_pending(&self) -> bool {
        self.after.as_ref().is_some_and(|fields| fields.values().any(super::Value::is_pending))
    }
}

/// What a target calls itself, for the plan's headings.
#[derive(Clone, Debug, Serialize)]
pub struct TargetHead {
    /// The target.
    pub target: Target,
    /// Its own words, empty when it could not be read.
    pub title: String,
}

/// What stands against the changes of a target: a limit of its licence, a field its version does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// The target.
    pub target: Target,
    /// What stands against it.
    pub reason: String,
    /// Where what it is about was written, `file:line:column`; empty when it is about the whole.
    pub place: String,
    /// What to do; empty when there is nothing to say.
    pub hint: String,
}

/// All changes, in the order they will be made.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// [`PLAN_FORMAT`].
    pub format_version: &'static str,
    /// The targets looked at, in order.
    pub targets: Vec<TargetHead>,
    /// The changes, in the order they will be made.
    pub changes: Vec<Change>,
    /// What could not be read and is therefore left alone.
    pub unread: Vec<Unread>,
    /// What is there, in collections that are ours in part, and nobody wished.
    pub unmanaged: Vec<Address>,
    /// Why a target would not take its changes; with one of these nothing of the target is written.
    pub objections: Vec<Objection>,
    /// SHA-256 over the canonical JSON of `changes` and `unread`, lower-case hex.
    pub checksum: String,
}
