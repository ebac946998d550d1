//! A list and its mapping, read from files.

use std::path::Path;

use anyhow::Context;

use crate::intake::{Mapping, Sheet};
use crate::inventory::{Diagnostic, Report, Sources};
use crate::run::Refused;

/// Reads a mapping; the default one when there is none.
pub(super) fn mapping(path: Option<&Path>, fields: &[&str], settings: &[&str]) -> anyhow::Result<Mapping> {
    let Some(path) = path else { return Ok(Mapping::default()) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
    Mapping::read(&name, &text, fields, settings).map_err(|faults| {
        let mut sources = Sources::default();
        sources.insert(name.as_str().into(), text);
        refused(faults, sources)
    })
}

/// Reads a list.
pub(super) fn sheet(path: &Path, mapping: &Mapping) -> anyhow::Result<Sheet> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("reading {name}"))?;
    Sheet::read(&name, &bytes, mapping).map_err(|(faults, sources)| refused(faults, sources))
}

/// Faults of a list, drawn as those of an inventory.
pub(super) fn refused(mut diagnostics: Vec<Diagnostic>, sources: Sources) -> anyhow::Error {
    diagnostics.sort_by(|a, b| a.place().cmp(&b.place()));
    Refused::Inventory(Box::new(Report { diagnostics, sources })).into()
}
