//! What git knows of the repository: the commit that is checked out, who works here, the files of another commit.
//! Nothing in the repository is changed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::programs;
use crate::repository::{self, Commit};

/// Words of the environment that would make git speak of another repository, as inside a hook.
const ELSEWHERE: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

fn git(root: &Path) -> Command {
    let mut command = programs::start("git");
    ELSEWHERE.iter().for_each(|word| {
        command.env_remove(word);
    });
    command.arg("--no-optional-locks").arg("-C").arg(root).stdin(Stdio::null());
    command
}

/// What git prints, when it ends well.
fn said(root: &Path, words: &[&str]) -> Option<String> {
    let output = git(root).args(words).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The commit that is checked out; `None` outside a git repository and before its first commit. What rocade
/// writes itself (the audit, `.rocade`) makes no difference; without git's program nobody knows of one.
pub fn commit(root: &Path) -> Option<Commit> {
    let here = root.canonicalize().ok()?;
    here.ancestors().find(|folder| folder.join(".git").exists())?;
    let Some(id) = said(root, &["rev-parse", "--verify", "--quiet", "HEAD"]) else {
        return repository::commit(&here).map(|id| Commit { id, dirty: true });
    };
    let ours = [":(exclude)audit", ":(exclude).rocade"];
    let words = ["status", "--porcelain", "--untracked-files=normal", "--", ".", ours[0], ours[1]];
    let dirty = said(root, &words).is_none_or(|changes| !changes.is_empty());
    Some(Commit { id, dirty })
}

/// The name git knows the person by.
pub fn person(root: &Path) -> Option<String> {
    let plain = |text: String| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    said(root, &["config", "--get", "user.name"]).map(plain).filter(|name| !name.is_empty())
}

/// Unpacks the repository's folder as a commit has it. Secrets stay the ciphertext they are in git.
///
/// # Errors
/// When git does not know the commit, or the files cannot be written.
pub fn unpack(root: &Path, commit: &str, into: &Path) -> anyhow::Result<()> {
    if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("`{commit}` is not a commit");
    }
    let mut child = git(root)
        .args(["archive", "--format=tar", commit, "."])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting git")?;
    let stream = child.stdout.take().context("git has no output")?;
    let unpacked = tar::Archive::new(stream).unpack(into);
    let output = child.wait_with_output().context("waiting for git")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("git has not got commit {}: {why}", commit.get(..12).unwrap_or(commit));
    }
    unpacked.context("unpacking what git gave")
}
