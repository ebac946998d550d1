//! What stands against the changes: licence, version, limits, and writes nobody saw work.

use crate::model::{Change, Objection, Observed, Wish};

/// All objections.
pub fn objections(_wish: &Wish, _observed: &Observed, _changes: &[&Change]) -> Vec<Objection> {
    Vec::new()
}
