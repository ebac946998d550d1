//! Who is who on a PBX: numbers, titles and names of the inventory against the ids the PBX gave them. Made of
//! what was observed; what is made during an apply is added.

use std::collections::BTreeMap;

/// Ids by collection and name of the inventory.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// `(collection, name)` to the PBX's id.
    ids: BTreeMap<(String, String), i64>,
    /// `(collection, title on the PBX)` to the name in the inventory, for those that have another there:
    /// departments (also by their number `GRP0000`), trunks, rules.
    names: BTreeMap<(String, String), String>,
    /// Phone model's name to template file.
    templates: BTreeMap<String, String>,
}
