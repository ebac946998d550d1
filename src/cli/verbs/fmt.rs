//! `fmt`: YAML laid out in one way. What it says, its order and its comments stay. Offline.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use similar::TextDiff;

use crate::cli::arguments::Fmt;
use crate::cli::{Arguments, Exit, lock, say};
use crate::inventory::{self, Unlaid, report};
use crate::repository;

/// A file of one's own choice is not read beyond this.
const MAX_BYTES: u64 = 64 << 20;

/// A file that would be another.
struct Changed {
    name: String,
    path: PathBuf,
    old: String,
    new: String,
}

pub fn run(arguments: &Arguments, verb: &Fmt) -> anyhow::Result<Exit> {
    if verb.files.iter().any(|file| file.as_os_str() == "-") {
        return stream(verb);
    }
    let files = match verb.files.as_slice() {
        [] => inventory::yaml_files(&arguments.directory)
            .with_context(|| format!("listing the YAML files in {}", arguments.directory.display()))?,
        named => named.iter().map(|file| (file.display().to_string(), file.clone())).collect(),
    };
    if files.is_empty() {
        let (root, bad) = (arguments.directory.display(), say::BAD);
        say::word(&format!("{bad}error:{bad:#} there is no YAML file under {root}"));
        say::hint("name the repository with `-C DIR`, or files");
        return Ok(Exit::Usage);
    }
    let (mut changed, mut good, count) = (Vec::new(), true, files.len());
    for (name, path) in files {
        match laid(&name, &path) {
            Some((old, new)) if old != new => changed.push(Changed { name, path, old, new }),
            Some(_) => {}
            None => good = false,
        }
    }
    let only_looks = verb.check || verb.diff;
    if !only_looks && !changed.is_empty() {
        let Some(_lock) = lock::take(&arguments.directory)? else { return Ok(Exit::Locked) };
        for file in &changed {
            // An import, or a person, may have written it meanwhile.
            if std::fs::read(&file.path).ok().as_deref() != Some(file.old.as_bytes()) {
                bail!("{} changed meanwhile; run it again", file.name);
            }
            repository::replace(&real(&file.path), file.new.as_bytes())?;
        }
    }
    changed.iter().for_each(|file| if verb.diff { say::data(&file.diff()) } else { say::data(&file.name) });
    let would = if only_looks { "would be" } else { "were" };
    say::word(&format!("{} of {} {would} laid out anew.", changed.len(), say::count(count, "file")));
    Ok(end(good, only_looks && !changed.is_empty()))
}

fn end(good: bool, pending: bool) -> Exit {
    match (good, pending) {
        (false, _) => Exit::Usage,
        (true, true) => Exit::Pending,
        (true, false) => Exit::Done,
    }
}

/// One text through standard input and output.
fn stream(verb: &Fmt) -> anyhow::Result<Exit> {
    if verb.files.len() > 1 {
        bail!("`-` stands alone");
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("reading standard input")?;
    let new = match inventory::laid("-", &text) {
        Ok(new) => new,
        Err(why) => {
            told("-", &why);
            return Ok(Exit::Usage);
        }
    };
    let pending = (verb.check || verb.diff) && new != text;
    if verb.diff {
        let file = Changed { name: "-".to_owned(), path: PathBuf::new(), old: text, new };
        say::data(&file.diff());
    } else if !verb.check {
        say::bytes(new.as_bytes());
    }
    Ok(end(true, pending))
}

/// A file's text and how it would be; `None` when it cannot be laid out, which is said.
fn laid(name: &str, path: &Path) -> Option<(String, String)> {
    let text = match std::fs::metadata(path) {
        Ok(about) if about.len() > MAX_BYTES => Err(format!("it has more than {MAX_BYTES} bytes")),
        _ => std::fs::read_to_string(path).map_err(|fault| format!("it cannot be read: {fault}")),
    };
    let laid = text.map_err(Unlaid::Odd).and_then(|old| Ok((inventory::laid(name, &old)?, old)));
    match laid {
        Ok((new, old)) => Some((old, new)),
        Err(why) => {
            told(name, &why);
            None
        }
    }
}

fn told(name: &str, why: &Unlaid) {
    match why {
        Unlaid::Faulty(found) => {
            say::word(&report::human(&found.diagnostics, &found.sources, say::in_colour()));
        }
        Unlaid::Odd(why) => {
            say::word(&format!("{}error:{:#} {name} stays as it is: {why}", say::BAD, say::BAD))
        }
    }
}

/// A link stays a link: what it leads to is written.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl Changed {
    fn diff(&self) -> String {
        let diff = TextDiff::from_lines(&self.old, &self.new);
        let (old, new) = (format!("a/{}", self.name), format!("b/{}", self.name));
        diff.unified_diff().context_radius(2).header(&old, &new).to_string()
    }
}
