//! The kinds of objects, one file each.

use super::kind::Kind;

/// All kinds, in the order of the provider's table.
pub fn kinds() -> &'static [&'static dyn Kind] {
    &[]
}
