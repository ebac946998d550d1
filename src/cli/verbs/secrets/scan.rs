//! `secrets scan`: keys and passwords in clear, in files or in what is about to be committed.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::arguments::Scan;
use crate::cli::programs::git::Git;
use crate::cli::{Arguments, Exit, say};
use crate::inventory;
use crate::model::PLAN_FORMAT;
use crate::secrets::{self, FOLDER, Hit, Known};

/// What is larger was not written by a person.
const MOST: u64 = 64 << 20;
/// Folders that are not looked into where no git says what belongs to the repository.
const NOT_OURS: [&str; 4] = [".git", ".rocade", "target", "node_modules"];

pub fn run(arguments: &Arguments, verb: &Scan) -> anyhow::Result<Exit> {
    let known = known(arguments);
    let texts = if verb.staged { staged(arguments)? } else { lying(arguments, &verb.files)? };
    let number = texts.len();
    let mut hits: Vec<Hit> = Vec::new();
    for text in texts {
        let (name, bytes) = text.read()?;
        hits.extend(fields(&name, &bytes));
        let fresh = secrets::scan(&name, &bytes, &known).into_iter();
        let fresh =
            fresh.filter(|hit| !hits.iter().any(|other| other.file == hit.file && other.line == hit.line));
        let fresh: Vec<Hit> = fresh.collect();
        hits.extend(fresh);
    }
    if arguments.json {
        draw_json(number, &hits)?;
    } else {
        for Hit { file, line, column, rule, words } in &hits {
            say::data(&format!("{file}:{line}:{column}: {rule}: {words}"));
        }
        say::word(&format!("{}, {} in clear", say::count(number, "file"), say::count(hits.len(), "place")));
        if !hits.is_empty() {
            say::hint(&format!(
                "keep it with `rocade secrets set PATH`; what is none gets the comment `{}`; what was committed \
                 before must be changed at its device",
                secrets::ALLOW
            ));
        }
    }
    Ok(if hits.is_empty() { Exit::Done } else { Exit::Failed })
}

fn draw_json(number: usize, hits: &[Hit]) -> anyhow::Result<()> {
    let hit = |hit: &Hit| {
        serde_json::json!({
            "file": hit.file, "line": hit.line, "column": hit.column, "rule": hit.rule, "message": hit.words,
        })
    };
    let findings: Vec<_> = hits.iter().map(hit).collect();
    let result = serde_json::json!({ "format_version": PLAN_FORMAT, "files": number, "findings": findings });
    say::data(&serde_json::to_string_pretty(&result)?);
    Ok(())
}

/// The repository's own secrets, as far as they can be opened here.
fn known(arguments: &Arguments) -> Known {
    let known = super::open(arguments).and_then(|store| store.known());
    known.unwrap_or_else(|fault| {
        say::word(&format!("the repository's own secrets are not looked for: {fault:#}"));
        Known::default()
    })
}

/// Fields of an inventory that must name a secret and hold one.
fn fields(name: &str, bytes: &[u8]) -> Vec<Hit> {
    let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    let is_inventory = name.starts_with("inventory/") && !name.starts_with(&format!("{FOLDER}/"));
    let (true, true, Ok(text)) = (is_yaml, is_inventory, std::str::from_utf8(bytes)) else {
        return Vec::new();
    };
    let (_, found) = inventory::seen(name, text);
    let found = found.into_iter().filter(|one| ["secret-in-clear", "bad-secret-name"].contains(&one.code));
    let hit = |one: inventory::Diagnostic| {
        let place = one.place()?.clone();
        let (line, column) = (usize::try_from(place.line).ok()?, usize::try_from(place.column).ok()?);
        Some(Hit { file: name.to_owned(), line, column, rule: one.code, words: one.message })
    };
    found.filter_map(hit).collect()
}

/// One text to look through.
enum Text {
    File { name: String, path: PathBuf },
    Bytes { name: String, bytes: Vec<u8> },
}

impl Text {
    fn read(self) -> anyhow::Result<(String, Vec<u8>)> {
        match self {
            Text::Bytes { name, bytes } => Ok((name, bytes)),
            Text::File { name, path } => {
                let size = path.metadata().with_context(|| format!("reading {name}"))?.len();
                if size > MOST {
                    say::word(&format!("{name} is not looked through: it is larger than {} MiB", MOST >> 20));
                    return Ok((name, Vec::new()));
                }
                let bytes = std::fs::read(&path).with_context(|| format!("reading {name}"))?;
                Ok((name, bytes))
            }
        }
    }
}

/// What is about to be committed, as it is in git's index.
fn staged(arguments: &Arguments) -> anyhow::Result<Vec<Text>> {
    let root = &arguments.directory;
    let git = Git::around(root).ok_or_else(|| anyhow!("{} is in no git repository", root.display()))?;
    let words = ["diff", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=ACMRT"];
    let listed = git.ask(&words)?;
    let paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let objects: Vec<String> = paths.iter().map(|path| format!(":{path}")).collect();
    let contents = git.contents(&objects)?;
    let name = |path: &str| path.strip_prefix(&git.prefix).unwrap_or(path).to_owned();
    let texts = paths.iter().zip(contents);
    Ok(texts.filter_map(|(path, bytes)| Some(Text::Bytes { name: name(path), bytes: bytes? })).collect())
}

/// Files and folders as they lie there: those named, or all of the repository.
fn lying(arguments: &Arguments, named: &[PathBuf]) -> anyhow::Result<Vec<Text>> {
    let root = &arguments.directory;
    let mut found = Vec::new();
    if named.is_empty() {
        match Git::around(root) {
            Some(git) => {
                let listed = git.ask(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
                let names = listed.split('\0').filter(|name| !name.is_empty());
                let files = names.map(|name| (name.to_owned(), root.join(name)));
                // What is tracked and gone is no file; a link is looked at where it leads, or is another repository.
                let files = files.filter(|(_, path)| path.is_file());
                found.extend(files.map(|(name, path)| Text::File { name, path }));
            }
            None => walk(root, root, &mut found)?,
        }
    }
    for path in named {
        if path.is_dir() {
            walk(root, path, &mut found)?;
        } else {
            found.push(Text::File { name: name_in(root, path), path: path.clone() });
        }
    }
    Ok(found)
}

fn name_in(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).or_else(|_| path.strip_prefix("."));
    inside.unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Text>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(root, &path, found)?;
            }
        } else if path.is_file() {
            found.push(Text::File { name: name_in(root, &path), path });
        }
    }
    Ok(())
}
