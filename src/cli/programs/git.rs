//! git, asked about the repository that the inventory stands in. It never writes history.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, anyhow, bail};

use super::start;

/// The git repository around an inventory.
pub struct Git {
    root: PathBuf,
    /// Where the inventory stands in it: empty, or a path that ends in `/`.
    pub prefix: String,
}

impl Git {
    /// The repository that a folder stands in; `None` without one, or without git.
    pub fn around(folder: &Path) -> Option<Self> {
        let mut git = Self { root: folder.to_owned(), prefix: String::new() };
        git.prefix = git.ask(&["rev-parse", "--show-prefix"]).ok()?.trim_end_matches('\n').to_owned();
        Some(git)
    }

    /// Makes a folder a repository; whether that was done: git may not be there.
    pub fn begin(folder: &Path) -> bool {
        let git = Self { root: folder.to_owned(), prefix: String::new() };
        git.ask(&["init", "--quiet", "--initial-branch", "main"]).is_ok()
    }

    /// What git answers, as text.
    ///
    /// # Errors
    /// When git fails: with what it says.
    pub fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        let bytes = self.run(words, b"")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What git answers to some input.
    ///
    /// # Errors
    /// When git cannot be started or fails: with what it says.
    pub fn run(&self, words: &[&str], input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut child = start("git")
            .arg("-C")
            .arg(&self.root)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting git")?;
        let mut stdin = child.stdin.take().context("git takes no input")?;
        let input = input.to_vec();
        // Both ways at once: git answers while it still reads. It may end before it has read all.
        let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().context("waiting for git")?;
        feeding.join().map_err(|_| anyhow!("git could not be given its input"))?;
        if !output.status.success() {
            let words: Vec<&str> = words.iter().take(2).copied().collect();
            bail!("git {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }

    /// The contents of objects, in the order asked; `None` for what is no file there.
    ///
    /// # Errors
    /// When git fails.
    pub fn contents(&self, names: &[String]) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
        let mut asked = names.join("\n");
        asked.push('\n');
        let answer = self.run(&["cat-file", "--batch"], asked.as_bytes())?;
        let mut rest = answer.as_slice();
        let mut contents = Vec::new();
        for name in names {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let end = end.with_context(|| format!("git ended before {name}"))?;
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let words: Vec<&str> = head.split(' ').collect();
            let [_, kind, size] = words.as_slice() else {
                contents.push(None);
                continue;
            };
            let Ok(size) = size.parse::<usize>() else {
                contents.push(None);
                continue;
            };
            let bytes = rest.get(..size).with_context(|| format!("git cut {name} short"))?;
            contents.push((*kind == "blob").then(|| bytes.to_vec()));
            rest = rest.get(size + 1..).unwrap_or_default();
        }
        Ok(contents)
    }

    /// Every version of the files below some folders that any branch, tag or stash knows: path in the
    /// inventory, content.
    ///
    /// # Errors
    /// When git fails.
    pub fn versions(&self, folders: &[&str]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut words = vec!["rev-list", "--all", "--full-history", "--objects", "--"];
        words.extend(folders);
        let listed = self.ask(&words)?;
        let objects = listed.lines().filter_map(|line| line.split_once(' '));
        let inside = |path: &str| path.strip_prefix(self.prefix.as_str()).map(str::to_owned);
        let objects: Vec<(String, String)> =
            objects.filter_map(|(id, path)| Some((id.to_owned(), inside(path)?))).collect();
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = objects.iter().map(|(id, _)| id.clone()).collect();
        let contents = self.contents(&ids)?.into_iter().zip(objects);
        Ok(contents.filter_map(|(content, (_, path))| Some((path, content?))).collect())
    }

    /// Whether a part of the history is missing here.
    pub fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|word| word.trim() == "true")
    }

    /// A file of git's own folder, such as `hooks/pre-commit`, wherever git keeps it.
    ///
    /// # Errors
    /// When git fails.
    pub fn own_file(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.ask(&["rev-parse", "--git-path", name])?;
        Ok(self.root.join(path.trim_end_matches('\n')))
    }
}
