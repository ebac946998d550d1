//! What git knows of files of secrets and keys that are no longer what they were.

use crate::cli::programs::git::Git;
use crate::cli::{Arguments, say};
use crate::secrets::{FOLDER, Past};

/// Every version of every file of secrets and keys; empty, with a word, where there is no git.
///
/// # Errors
/// When git fails.
pub fn past(arguments: &Arguments) -> anyhow::Result<Vec<Past>> {
    let Some(git) = Git::around(&arguments.directory) else {
        say::word("no git repository: only what is encrypted to them now can be listed");
        return Ok(Vec::new());
    };
    if git.is_shallow() {
        say::word("this is a shallow clone: what they could open before its first commit is not listed");
    }
    let versions = git.versions(&[FOLDER, "pki"])?.into_iter();
    let text = |(file, bytes): (String, Vec<u8>)| Some(Past { file, text: String::from_utf8(bytes).ok()? });
    Ok(versions.filter_map(text).collect())
}
