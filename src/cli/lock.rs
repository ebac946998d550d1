//! The repository's own lock: two runs from one repository would both make what is missing.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::say;

/// Takes the lock, which holds until the file is dropped. `None`, and a word to the person, when another run
/// has it.
///
/// # Errors
/// When the lock's file cannot be made.
pub fn take(root: &Path) -> anyhow::Result<Option<fs::File>> {
    let folder = root.join(".rocade");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").with_context(|| format!("writing {}", ignore.display()))?;
    }
    on(&folder.join("lock"), "another rocade is at work in this repository")
}

/// Takes the lock of a playbook, beside its checkpoint.
///
/// # Errors
/// When the lock's file cannot be made.
pub fn of_playbook(checkpoint: &Path) -> anyhow::Result<Option<fs::File>> {
    if let Some(folder) = checkpoint.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    on(&checkpoint.with_extension("lock"), "another rocade is doing this playbook")
}

fn on(path: &Path, taken: &str) -> anyhow::Result<Option<fs::File>> {
    let file = fs::File::create(path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => {
            say::word(&format!("error: {taken}"));
            Ok(None)
        }
        Err(fs::TryLockError::Error(fault)) => {
            Err(fault).with_context(|| format!("locking {}", path.display()))
        }
    }
}
