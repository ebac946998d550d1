//! `import lines`: an old operator's list becomes parts of a telephone system, with a report of what is odd.

use anyhow::Context;

use super::list;
use super::writing::{Edits, Rows};
use crate::cli::arguments::ImportLines;
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::intake::lines::{self, Report};
use crate::repository::replace;

pub(super) fn run(arguments: &Arguments, verb: &ImportLines) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let (name, pbx) = super::super::telephone_system(workspace.inventory(), &verb.pbx)?;
    let mapping = list::mapping(Some(&verb.map), &lines::FIELDS, &lines::SETTINGS)?;
    let sheet = list::sheet(&verb.list, &mapping)?;
    let sources = sheet.sources(&[]);
    let (parts, report) = lines::read(&sheet, &mapping, verb.trunk.as_deref(), pbx)
        .map_err(|faults| list::refused(faults, sources.clone()))?;
    let mut edits = Edits::new(&workspace);
    let mut rows = Rows::new();
    for (part, entries) in parts.by_name() {
        let entries: Vec<_> = entries.iter().map(|(name, entry)| (name.clone(), entry.clone())).collect();
        for (entry, _) in &entries {
            let path = ["pbx", name, part].map(str::to_owned).to_vec();
            rows.extend(
                parts.rows.get(&(part, entry.clone())).map(|row| ((path, entry.clone()), row.clone())),
            );
        }
        edits.insert(&pbx.place.file, &["pbx", name, part], &entries)?;
    }
    if let Some(trunk) = pbx.trunks.get_key_value(parts.trunk.as_deref().unwrap_or_default()) {
        edits.push(&trunk.1.place.file, &["pbx", name, "trunks", trunk.0, "dids"], &parts.trunk_dids)?;
    }
    edits.check(&rows, Some(&sources))?;
    tell(arguments, verb, &report)?;
    let (files, odd) = (edits.files().join(", "), say::count(report.findings.len(), "odd thing"));
    if verb.dry_run {
        say::word(&format!("{odd}; nothing was written into the inventory"));
        return Ok(Exit::Done);
    }
    edits.write()?;
    say::word(&if files.is_empty() {
        format!("{odd}; nothing new")
    } else {
        format!("{odd}; written to {files}")
    });
    Ok(Exit::Done)
}

fn tell(arguments: &Arguments, verb: &ImportLines, report: &Report) -> anyhow::Result<()> {
    let named_json =
        verb.report.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "json"));
    let text = match named_json || arguments.json && verb.report.is_none() {
        true => serde_json::to_string_pretty(report)? + "\n",
        false => report.markdown(),
    };
    match &verb.report {
        None => say::data(&text),
        Some(path) => {
            let place = std::path::absolute(path).with_context(|| format!("finding {}", path.display()))?;
            replace(&place, text.as_bytes())?;
            say::word(&format!("the report is in {}", path.display()));
        }
    }
    Ok(())
}
