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
    // A folder that the commit has not, as an ignored one of another repository, is none of its state.
    said(root, &["rev-parse", "--verify", "--quiet", "HEAD:./"])?;
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
        // Git ends with nobody to read on when its words could not be unpacked.
        if why.is_empty() {
            unpacked.context("unpacking what git gave")?;
        }
        bail!("git has not got commit {}: {why}", commit.get(..12).unwrap_or(commit));
    }
    unpacked.context("unpacking what git gave")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn does(root: &Path, words: &[&str]) {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
        let output = git(root).env("HOME", root).args(who).args(words).output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A repository whose inventory lies in the folder `site`, with two commits.
    fn repository(root: &Path) -> [String; 2] {
        fs::create_dir_all(root.join("site")).unwrap();
        does(root, &["init", "--quiet"]);
        fs::write(root.join(".gitignore"), "ignored/\n").unwrap();
        ["one", "two"].map(|text| {
            fs::write(root.join("site/gateways.yaml"), text).unwrap();
            does(root, &["add", "--all"]);
            does(root, &["commit", "--quiet", "--message", text]);
            said(root, &["rev-parse", "HEAD"]).unwrap()
        })
    }

    fn read_at(root: &Path, id: &str) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        unpack(root, id, folder.path())?;
        Ok(fs::read_to_string(folder.path().join("gateways.yaml")).unwrap())
    }

    #[test]
    fn a_folder_in_a_repository_in_its_worktree_and_detached_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("whole");
        let [one, two] = repository(&root);
        let clean = |id: &String| Some(Commit { id: id.clone(), dirty: false });
        let site = root.join("site");
        assert_eq!(commit(&site), clean(&two));
        // What lies beside the folder is not the inventory's, and the audit is rocade's own.
        fs::write(root.join("elsewhere"), "x").unwrap();
        fs::create_dir_all(site.join("audit")).unwrap();
        fs::write(site.join("audit/2026-03.jsonl"), "{}").unwrap();
        assert_eq!(commit(&site), clean(&two));
        let tree = folder.path().join("tree");
        does(&root, &["worktree", "add", "--quiet", "--detach", tree.to_str().unwrap(), &one]);
        assert!(tree.join(".git").is_file());
        assert_eq!(commit(&tree.join("site")), clean(&one));
        assert_eq!(read_at(&tree.join("site"), &two).unwrap(), "two");
        fs::write(tree.join("site/gateways.yaml"), "three").unwrap();
        assert!(commit(&tree.join("site")).unwrap().dirty);
    }

    #[test]
    fn what_git_has_not_is_said_and_what_it_ignores_is_none_of_its_commits() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("whole");
        let [one, two] = repository(&root);
        let url = format!("file://{}", root.display());
        does(folder.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
        let shallow = folder.path().join("shallow/site");
        assert_eq!(commit(&shallow).unwrap().id, two);
        assert_eq!(read_at(&shallow, &two).unwrap(), "two");
        let fault = read_at(&shallow, &one).unwrap_err().to_string();
        assert!(fault.starts_with(&format!("git has not got commit {}", &one[..12])), "{fault}");
        // A folder with no write left is not taken for a commit that is missing.
        let fault = unpack(&root.join("site"), &two, Path::new("/proc/none")).unwrap_err().to_string();
        assert!(fault.contains("unpacking"), "{fault}");
        fs::create_dir_all(root.join("ignored")).unwrap();
        assert_eq!(commit(&root.join("ignored")), None);
    }
}
