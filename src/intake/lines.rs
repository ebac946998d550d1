//! The list of lines of an old operator: people by company and site, groups, the switchboard, devices. Its columns are
//! named by a mapping; no operator's list is known here. Faults of form are refused; what is odd is reported.

mod report;
mod row;
mod weave;

pub use report::{Finding, Report};

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use self::row::Line;
use super::{Fields, Mapping, Sheet};
use crate::inventory::{Diagnostic, Pbx, Place};

/// The fields a mapping can name.
pub const FIELDS: [&str; 26] = [
    "kind",
    "number",
    "name",
    "first_name",
    "last_name",
    "email",
    "mobile",
    "company",
    "site",
    "department",
    "did",
    "caller_id",
    "groups",
    "members",
    "strategy",
    "ring",
    "no_answer",
    "busy",
    "hours",
    "closed",
    "model",
    "mac",
    "sbc",
    "calls",
    "last_call",
    "enabled",
];
/// The settings a mapping can have.
pub const SETTINGS: [&str; 4] = ["extension_digits", "group_numbers_from", "unused_before", "trunk"];

/// What a list of lines becomes: entries of the parts of a telephone system.
#[derive(Debug, Default)]
pub struct Parts {
    /// Departments, one for each company and site.
    pub departments: Map<String, Json>,
    /// Extensions.
    pub extensions: Map<String, Json>,
    /// Ring groups, the switchboard too.
    pub ring_groups: Map<String, Json>,
    /// Inbound rules, one for each number from outside.
    pub inbound_rules: Map<String, Json>,
    /// Numbers that the trunk does not list yet.
    pub trunk_dids: Vec<String>,
    /// The trunk they come in on.
    pub trunk: Option<String>,
    /// The row each entry came from, by part and name.
    pub rows: BTreeMap<(&'static str, String), Place>,
}

impl Parts {
    /// The parts by their names in the inventory.
    pub fn by_name(&self) -> [(&'static str, &Map<String, Json>); 4] {
        [
            ("departments", &self.departments),
            ("extensions", &self.extensions),
            ("ring_groups", &self.ring_groups),
            ("inbound_rules", &self.inbound_rules),
        ]
    }
}

/// Reads a list of lines for a telephone system. What that has already stays.
///
/// # Errors
/// Every cell that cannot be read.
pub fn read(
    sheet: &Sheet,
    mapping: &Mapping,
    trunk: Option<&str>,
    pbx: &Pbx,
) -> Result<(Parts, Report), Vec<Diagnostic>> {
    let fields = Fields::of(sheet, mapping, &[])?;
    let mut faults = Vec::new();
    let settings = row::Settings::of(sheet, mapping, trunk).map_err(|fault| vec![fault])?;
    let mut lines: Vec<Line> = Vec::new();
    for row in &sheet.rows {
        lines.extend(Line::read(row, &fields, &settings, &mut faults));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(weave::parts(lines, &settings, pbx))
}

#[cfg(test)]
mod tests;
