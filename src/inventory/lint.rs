//! What must hold between values that are right each for itself.

use super::load::Written;
use super::{Diagnostic, Inventory};

/// Adds all that is found in an inventory.
pub(super) fn check(_inventory: &Inventory, _written: &Written, _found: &mut Vec<Diagnostic>) {}
