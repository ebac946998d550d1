//! How far a playbook came, as a file. Replaced whole, so that a reader sees one state or the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Target;
use crate::plan::Shard;
use crate::repository;

/// The form of the file; another is not read.
const FORMAT: u32 = 1;

/// How far a playbook came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    format: u32,
    /// The playbook's name.
    pub playbook: String,
    /// SHA-256 of its file when it was begun.
    pub checksum: String,
    /// What was given.
    pub with: BTreeMap<String, String>,
    /// The share of the targets, `K/N`.
    pub shard: Option<String>,
    /// Who began it.
    pub by: String,
    /// When.
    pub begun: Timestamp,
    /// The steps that came to their end.
    pub step: usize,
    /// Where in the step after those.
    pub position: Position,
    /// Targets that failed in steps that were allowed to go on.
    pub failures: Vec<Failure>,
    /// Why it stands; nothing while it runs, or when it was cut off.
    pub stopped: Option<String>,
    /// Whether it came to its end.
    pub ended: bool,
}

/// Where in a step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// When the step was begun.
    pub begun: Option<Timestamp>,
    /// Its waves, as they were parted at its beginning.
    pub waves: Vec<Vec<Target>>,
    /// The targets that are done.
    pub done: BTreeSet<Target>,
    /// Those that failed, as `kind name`, and why.
    pub failed: BTreeMap<String, String>,
}

/// A target that failed in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step, from 1.
    pub step: usize,
    /// The target, as `kind name`.
    pub target: String,
    /// Why.
    pub reason: String,
}

impl Checkpoint {
    /// Nothing done yet.
    pub fn new(
        playbook: &str,
        checksum: &str,
        with: BTreeMap<String, String>,
        shard: Option<Shard>,
        by: &str,
        begun: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT,
            playbook: playbook.to_owned(),
            checksum: checksum.to_owned(),
            with,
            shard: shard.map(|shard| shard.to_string()),
            by: by.to_owned(),
            begun,
            step: 0,
            position: Position::default(),
            failures: Vec::new(),
            stopped: None,
            ended: false,
        }
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let Some(text) = repository::read(file)? else { return Ok(None) };
        let read: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is no checkpoint", file.display()))?;
        if read.format != FORMAT {
            bail!("{} has format {}; this rocade reads {FORMAT}", file.display(), read.format);
        }
        Ok(Some(read))
    }

    /// Writes the file: the state there was, or this one.
    ///
    /// # Errors
    /// When it cannot be written; nothing may be done then.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("writing the checkpoint")?;
        text.push('\n');
        repository::replace(file, text.as_bytes())
    }
}

fn folder(root: &Path) -> PathBuf {
    root.join(".rocade").join("playbooks")
}

/// Where a playbook's checkpoint is; each share of the targets has its own.
pub fn checkpoint_file(root: &Path, playbook: &str, shard: Option<Shard>) -> PathBuf {
    let shard = shard.map(|shard| format!(".{}-of-{}", shard.index(), shard.total())).unwrap_or_default();
    folder(root).join(format!("{playbook}{shard}.json"))
}

/// All checkpoints of a repository, by file.
///
/// # Errors
/// When one cannot be read.
pub fn checkpoints(root: &Path) -> anyhow::Result<Vec<Checkpoint>> {
    let Ok(entries) = std::fs::read_dir(folder(root)) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // A hidden one is a candidate that a crash left.
    let is_one = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        !hidden && path.extension().is_some_and(|end| end == "json")
    };
    files.retain(is_one);
    files.sort();
    files.iter().filter_map(|file| Checkpoint::read(file).transpose()).collect()
}
