//! Secrets that have a file of their own: the authority's keys, `pki/**/*.key.age`, bound to their path
//! without `.age`. A key that waits beside the present one ends in `.key.age.new`; one in `pki/next/`, of the
//! authority that takes over, is bound to the name it ends up under.

use std::path::Path;

use super::tree;
use crate::repository;

/// The folder of keys, relative to the repository.
pub(super) const FOLDER: &str = "pki";

/// One such file.
pub(super) struct KeyFile {
    /// The name its value is bound to, such as `pki/leaves/main.key`.
    pub name: String,
    /// The file, relative to the repository.
    pub file: String,
    /// age's text form.
    pub sealed: String,
}

/// The name that the value of a file is bound to; `None` when it is no key's file.
pub(super) fn name_of(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".new").unwrap_or(file);
    let name = stem.strip_suffix(".age").filter(|name| name.ends_with(".key"))?;
    Some(name.replacen("pki/next/", "pki/", 1))
}

/// The key files of a repository, in order.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<KeyFile>> {
    let mut files = tree::files(root, FOLDER, |name| name_of(name).is_some())?;
    files.sort();
    let mut keys = Vec::new();
    for file in files {
        let Some(sealed) = repository::read(&root.join(&file))? else { continue };
        let Some(name) = name_of(&file) else { continue };
        keys.push(KeyFile { name, file, sealed });
    }
    Ok(keys)
}
