//! From what is wished and what was seen to a plan. Pure: no I/O, no clock; the same input gives the same
//! plan, byte for byte.

mod cause;
mod checksum;
mod diff;
mod order;
mod safety;
mod scope;
mod shard;

use std::collections::BTreeMap;

pub use cause::{Cause, causes};
pub use checksum::checksum;
pub use diff::{differing_contents, same};
pub use safety::{Approval, ApprovalFault, Guard, Refusal, check};
pub use scope::{Scope, ScopeFault};
pub use shard::{Shard, ShardFault};

use crate::model::{Address, Collection, Observed, Owns, PLAN_FORMAT, Plan, TargetHead, Unread, Wish};

/// What is wished of one target, what was seen of it, and its provider's table.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// The wish.
    pub wish: &'a Wish,
    /// The observation.
    pub observed: &'a Observed,
    /// The collections of its provider.
    pub table: &'static [Collection],
}

/// Makes the plan for the targets given, in their order of rank and name.
pub fn make(pairs: &[Pair<'_>]) -> Plan {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| (a.wish.rank, &a.wish.target).cmp(&(b.wish.rank, &b.wish.target)));
    let mut changes = Vec::new();
    let mut unread = Vec::new();
    let mut unmanaged = Vec::new();
    let mut targets = Vec::new();
    for pair in sorted {
        changes.extend(order::within_target(diff::changes(&pair), &pair));
        unread.extend(pair.observed.unread.iter().cloned());
        unmanaged.extend(foreign(&pair));
        targets.push(TargetHead { target: pair.wish.target.clone(), title: pair.observed.title.clone() });
    }
    let checksum = checksum(&changes, &unread);
    let objections = Vec::new();
    Plan { format_version: PLAN_FORMAT, targets, changes, unread, unmanaged, objections, checksum }
}

/// What was seen in collections that are ours in part and nobody wished.
fn foreign(pair: &Pair<'_>) -> Vec<Address> {
    let share = |row: &Collection| (row.name, pair.wish.share_of(row));
    let listed: BTreeMap<&str, Owns> = pair.table.iter().map(share).collect();
    pair.observed
        .resources
        .keys()
        .filter(|key| listed.get(key.collection.as_str()) == Some(&Owns::Listed))
        .filter(|key| !pair.wish.resources.contains_key(key))
        .map(|key| Address { target: pair.wish.target.clone(), key: key.clone() })
        .collect()
}

/// The targets of which nothing could be read, with the reason.
pub fn unreachable(unread: &[Unread]) -> Vec<&Unread> {
    unread.iter().filter(|entry| entry.collection.is_none()).collect()
}
