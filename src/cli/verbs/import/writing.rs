//! Edits of inventory files: made in memory, checked together with all other files, then written.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use serde_json::Value as Json;

use crate::inventory::{self, Place, Severity, amend};
use crate::repository::{read, replace};
use crate::run::{Refused, Workspace};

/// Edits that are made together or not at all.
pub(super) struct Edits<'w> {
    workspace: &'w Workspace,
    files: BTreeMap<String, String>,
}

/// The row each new or changed entry came from, by its path such as `sensors` and `pool-hall`.
pub(super) type Rows = BTreeMap<(Vec<String>, String), Place>;

impl<'w> Edits<'w> {
    pub fn new(workspace: &'w Workspace) -> Self {
        Self { workspace, files: BTreeMap::new() }
    }

    fn text(&self, file: &str) -> anyhow::Result<String> {
        match self.files.get(file) {
            Some(text) => Ok(text.clone()),
            None => Ok(read(&self.workspace.root().join(file))?.unwrap_or_default()),
        }
    }

    /// Whether a file says this already at a path.
    pub fn says(&self, file: &str, path: &[&str], value: &Json) -> anyhow::Result<bool> {
        Ok(amend::says(&self.text(file)?, path, value))
    }

    /// Sets keys of a map.
    pub fn insert(&mut self, file: &str, path: &[&str], entries: &[(String, Json)]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let text = self.text(file)?;
        let changed = amend::insert(&text, path, entries)
            .map_err(|fault| anyhow!("{fault}"))
            .with_context(|| format!("writing `{}` into {file}", path.join(".")))?;
        if changed != text {
            self.files.insert(file.to_owned(), changed);
        }
        Ok(())
    }

    /// Adds items to a list.
    pub fn push(&mut self, file: &str, path: &[&str], items: &[String]) -> anyhow::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let changed = amend::push(&self.text(file)?, path, items)
            .map_err(|fault| anyhow!("{fault}"))
            .with_context(|| format!("adding to `{}` in {file}", path.join(".")))?;
        self.files.insert(file.to_owned(), changed);
        Ok(())
    }

    /// Holds the inventory as it would become against all its rules. A fault in what came from a row is said at
    /// the row.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self, rows: &Rows, list: Option<&inventory::Sources>) -> Result<(), Refused> {
        let Err(mut report) = inventory::load_changed(self.workspace.root(), &self.files) else {
            return Ok(());
        };
        if let Some(list) = list {
            for file in list.files().map(str::to_owned).collect::<Vec<_>>() {
                report.sources.insert(file.as_str().into(), list.text(&file).unwrap_or_default().to_owned());
            }
        }
        let places = self.places(rows);
        report.diagnostics.retain(|fault| fault.severity == Severity::Error);
        for fault in &mut report.diagnostics {
            let Some(label) = fault.labels.first().cloned() else { continue };
            let near = places.range(..=(label.place.file.to_string(), label.place.line)).next_back();
            let row =
                near.filter(|((file, _), _)| **file == *label.place.file).and_then(|(_, row)| row.as_ref());
            if let Some(row) = row {
                let place = row.clone();
                let text = "what this row would become".to_owned();
                fault.labels.insert(0, inventory::Label { place, length: 1, text });
            }
        }
        Err(Refused::Inventory(Box::new(report)))
    }

    /// Where each entry beside the new ones begins, and the row it came from.
    fn places(&self, rows: &Rows) -> BTreeMap<(String, u32), Option<Place>> {
        let mut places = BTreeMap::new();
        let parents: std::collections::BTreeSet<&Vec<String>> =
            rows.keys().map(|(parent, _)| parent).collect();
        for (file, text) in &self.files {
            for parent in &parents {
                let path: Vec<&str> = parent.iter().map(String::as_str).collect();
                for (name, place) in amend::places_of(file, text, &path) {
                    let row = rows.get(&((*parent).clone(), name)).cloned();
                    places.insert((file.clone(), place.line), row);
                }
            }
        }
        places
    }

    /// The files that would change.
    pub fn files(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    /// Writes the files.
    pub fn write(self) -> anyhow::Result<()> {
        self.files
            .iter()
            .try_for_each(|(file, text)| replace(&self.workspace.root().join(file), text.as_bytes()))
    }
}
