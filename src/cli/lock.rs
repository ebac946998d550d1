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
    let path = folder.join("lock");
    let file = fs::File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => {
            say::word("error: another rocade is applying from this repository");
            Ok(None)
        }
        Err(fs::TryLockError::Error(fault)) => {
            Err(fault).with_context(|| format!("locking {}", path.display()))
        }
    }
}
