//! The files below a folder of the repository, as names relative to it with `/` between the parts.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;

/// The files that are wanted; hidden ones are not ours. No folder has no files.
pub(super) fn files(root: &Path, folder: &str, wanted: fn(&str) -> bool) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    list(&root.join(folder), folder, wanted, &mut found)?;
    Ok(found)
}

fn list(folder: &Path, name: &str, wanted: fn(&str) -> bool, found: &mut Vec<String>) -> anyhow::Result<()> {
    let items = match fs::read_dir(folder) {
        Ok(items) => items,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    for item in items {
        let item = item.with_context(|| format!("reading {}", folder.display()))?;
        let Ok(own) = item.file_name().into_string() else { continue };
        if own.starts_with('.') {
            continue;
        }
        let inner = format!("{name}/{own}");
        if item.file_type()?.is_dir() {
            list(&item.path(), &inner, wanted, found)?;
        } else if wanted(&own) {
            found.push(inner);
        }
    }
    Ok(())
}
