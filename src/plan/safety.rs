//! What may be done without a person's word, and how much may be deleted at all.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::model::{Action, Change};

/// The actions a person has approved beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval(BTreeSet<Action>);

/// A word that approves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of create, update, delete, all")]
pub struct ApprovalFault(String);

impl FromStr for Approval {
    type Err = ApprovalFault;

    /// Words separated by commas: `create`, `update`, `delete`, `all`. An update may wake a service.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut actions = BTreeSet::new();
        for word in text.split(',').map(str::trim) {
            match word {
                "create" => actions.insert(Action::Create),
                "update" => actions.insert(Action::Update) && actions.insert(Action::Wake),
                "delete" => actions.insert(Action::Delete),
                "all" => {
                    actions.extend([Action::Create, Action::Update, Action::Delete, Action::Wake]);
                    true
                }
                other => return Err(ApprovalFault(other.to_owned())),
            };
        }
        Ok(Self(actions))
    }
}

impl Approval {
    /// Everything is approved.
    pub fn all() -> Self {
        Self([Action::Create, Action::Update, Action::Delete, Action::Wake].into())
    }

    /// Whether everything is approved.
    pub fn is_all(&self) -> bool {
        *self == Self::all()
    }

    /// Whether a change is approved. What acts because of an approved change is approved with it.
    pub fn covers(&self, change: &Change) -> bool {
        self.0.contains(&change.action) || (change.action == Action::Wake && !self.0.is_empty())
    }

    /// Whether every change is.
    pub fn covers_all(&self, changes: &[Change]) -> bool {
        changes.iter().all(|change| self.covers(change))
    }
}

/// Limits that hold whatever a person says.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// The most deletes of one apply.
    pub max_delete: Option<usize>,
}

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More deletes than allowed.
    #[error("the plan deletes {found} resources, {allowed} are allowed (--max-delete)")]
    TooManyDeletes {
        /// In the plan.
        found: usize,
        /// Allowed.
        allowed: usize,
    },
}

/// Holds changes against the guard.
///
/// # Errors
/// Why they are refused.
pub fn check(changes: &[Change], guard: &Guard) -> Result<(), Refusal> {
    let found = changes.iter().filter(|change| change.action == Action::Delete).count();
    match guard.max_delete {
        Some(allowed) if found > allowed => Err(Refusal::TooManyDeletes { found, allowed }),
        _ => Ok(()),
    }
}
