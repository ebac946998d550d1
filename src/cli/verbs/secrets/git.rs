//! `secrets git-setup`, and what git calls then: `textconv` for diffs, `merge` for merges.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::cli::programs::git::Git;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::repository;
use crate::secrets::Store;

/// How git shows and merges our files.
const ATTRIBUTES: [&str; 4] = [
    "inventory/secrets/**/*.yaml diff=rocade-secrets merge=rocade-secrets",
    "inventory/secrets/**/*.yml diff=rocade-secrets merge=rocade-secrets",
    "pki/**/*.key.age diff=rocade-secrets merge=rocade-secrets",
    // Lines are only ever added: both sides' stay.
    "pki/ledger.jsonl merge=union",
];
/// How a hook of ours is known.
const MARK: &str = "# Written by `rocade secrets git-setup --hook`.";

/// The attributes as a file of their own.
pub fn attributes() -> String {
    ATTRIBUTES.map(|line| format!("{line}\n")).concat()
}

pub fn set_up(root: &Path, identity: Option<&Path>, hook: bool) -> anyhow::Result<()> {
    let git = Git::around(root).ok_or_else(|| anyhow!("{} is in no git repository", root.display()))?;
    let path = root.join(".gitattributes");
    let before = repository::read(&path)?.unwrap_or_default();
    let missing: Vec<&str> =
        ATTRIBUTES.into_iter().filter(|line| !before.lines().any(|other| other.trim() == *line)).collect();
    if !missing.is_empty() {
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        repository::replace(&path, format!("{before}{gap}{}\n", missing.join("\n")).as_bytes())?;
        say::word(&format!("{}: {} added; commit it", path.display(), say::count(missing.len(), "line")));
    }
    let command = command(identity, &git)?;
    let settings = [
        ("diff.rocade-secrets.textconv", format!("{command} secrets textconv")),
        ("merge.rocade-secrets.name", "rocade: secrets, by name and value".to_owned()),
        ("merge.rocade-secrets.driver", format!("{command} secrets merge %O %A %B %P")),
    ];
    for (name, value) in settings {
        git.ask(&["config", "--local", name, &value])?;
    }
    say::word("git shows and merges files of secrets through rocade in this copy of the repository");
    if hook {
        write_hook(&git, &command)?;
    }
    Ok(())
}

/// This program as a shell at the top of the working tree starts it for this inventory.
fn command(identity: Option<&Path>, git: &Git) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut words = vec![quoted(&program)];
    if !git.prefix.is_empty() {
        words.extend(["-C".to_owned(), quoted(Path::new(&git.prefix))]);
    }
    if let Some(identity) = identity {
        let identity = std::path::absolute(identity).context("finding the identity")?;
        words.extend(["-i".to_owned(), quoted(&identity)]);
    }
    Ok(words.join(" "))
}

/// A word for a POSIX shell; git starts one on Windows too.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn write_hook(git: &Git, command: &str) -> anyhow::Result<()> {
    let path = git.own_file("hooks/pre-commit")?;
    let line = format!("{command} secrets scan --staged");
    if repository::read(&path)?.is_some_and(|before| !before.contains(MARK)) {
        bail!("{} is there and not ours; add to it the line\n  {line} || exit 1", path.display());
    }
    let text = format!("#!/bin/sh\n{MARK} `git commit --no-verify` goes past it.\nexec {line}\n");
    repository::replace(&path, text.as_bytes())?;
    make_executable(&path)?;
    say::word(&format!("{} refuses keys and passwords in clear", path.display()));
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} a program", path.display()))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

fn store(arguments: &Arguments) -> Store {
    Store::without_files(&arguments.directory, surroundings::identity(arguments))
}

pub fn textconv(arguments: &Arguments, file: &Path, clear: bool) -> anyhow::Result<Exit> {
    let text = read(file)?;
    say::bytes(store(arguments).shown(&text, clear)?.as_bytes());
    Ok(Exit::Done)
}

/// A file that git named: one that is not there is a fault, not a side without secrets.
fn read(file: &Path) -> anyhow::Result<String> {
    repository::read(file)?.ok_or_else(|| anyhow!("there is no file {}", file.display()))
}

pub fn merge(arguments: &Arguments, files: [&PathBuf; 3], name: Option<&str>) -> anyhow::Result<Exit> {
    let [base, ours, theirs] = [read(files[0])?, read(files[1])?, read(files[2])?];
    let merged = store(arguments).merged(&base, &ours, &theirs);
    let name = name.map_or_else(|| files[1].display().to_string(), str::to_owned);
    let merged = merged.with_context(|| format!("merging {name}"))?;
    repository::replace(files[1], merged.text.as_bytes())?;
    merged.notes.iter().for_each(|note| say::word(&format!("{name}: {note}")));
    if merged.conflicts.is_empty() {
        return Ok(Exit::Done);
    }
    for secret in &merged.conflicts {
        say::word(&format!("conflict in {name}: `{secret}` has another value on each side"));
    }
    say::hint(&format!(
        "leave one of the two lines and take the marks out, or `git checkout --ours -- {name}` (or --theirs) and \
         `rocade secrets set NAME`; then `git add {name}`"
    ));
    Ok(Exit::Failed)
}
