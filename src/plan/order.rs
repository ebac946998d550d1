//! The order of changes within a target: what others need first, deletes after, those who act last.

use std::collections::BTreeSet;

use super::Pair;
use crate::model::{Action, Change, Key};

/// Creates and updates by the rank of their collection, then deletes in the reverse order, then the
/// resources that act because of others (services, saved states) by rank.
pub(super) fn within_target(mut changes: Vec<Change>, pair: &Pair<'_>) -> Vec<Change> {
    let rank = |key: &Key| pair.table.iter().find(|row| row.name == key.collection).map_or(0, |row| row.rank);
    let mut actors: BTreeSet<Key> =
        pair.wish.resources.values().filter_map(|resource| resource.wakes.clone()).collect();
    actors.extend(pair.table.iter().filter_map(|row| row.wakes_on_delete).map(|(c, n)| Key::new(c, n)));
    changes.sort_by_cached_key(|change| {
        let key = change.address.key.clone();
        let rank = i16::from(rank(&key));
        match change.action {
            Action::Delete => (1, -rank, key),
            _ if actors.contains(&key) => (2, rank, key),
            _ => (0, rank, key),
        }
    });
    changes
}
