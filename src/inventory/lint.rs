//! What must hold between values that are right each for itself. Only what was decoded is looked at: a broken
//! entry has its own fault and gives no second one here.

use std::collections::BTreeMap;

use super::load::Written;
use super::{Diagnostic, Inventory, Place};

mod address;
mod airtime;
mod broker;
mod gateway;
mod host;
mod key;
mod pbx;
mod pki;
mod sensor;
mod site;
mod topic;

pub use gateway::FACTORY_NETWORK_EUI;
pub use key::weak_key;

/// Adds all that is found in an inventory.
pub(super) fn check(inventory: &Inventory, written: &Written, found: &mut Vec<Diagnostic>) {
    site::check(inventory, found);
    gateway::check(inventory, found);
    sensor::check(inventory, found);
    broker::check(inventory, written, found);
    host::check(inventory, found);
    pbx::check(inventory, found);
    pki::check(inventory, found);
}

/// Adds a fault for each thing that equals an earlier one, showing both places.
fn repeated<'a, K: Ord>(
    things: impl IntoIterator<Item = (K, &'a Place)>,
    fault: impl Fn(&K) -> Diagnostic,
    found: &mut Vec<Diagnostic>,
) {
    let mut first: BTreeMap<K, &Place> = BTreeMap::new();
    for (thing, place) in things {
        match first.get(&thing) {
            Some(earlier) => found.push(fault(&thing).at(place, "again here").at(earlier, "first here")),
            None => {
                first.insert(thing, place);
            }
        }
    }
}
