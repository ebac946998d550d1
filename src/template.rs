//! Templates and the files sent as they are: the repository's own `templates/` first, then the built-in ones,
//! file by file. An undefined variable is a fault, never an empty text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The characters of a faulty line that are repeated in an error.
const SNIPPET_CHARS: usize = 100;

/// The templates of one repository.
pub struct Templates {
    folder: PathBuf,
    environment: Environment<'static>,
}

impl Templates {
    /// The templates of the repository at `root`; reads nothing yet.
    pub fn open(root: &Path) -> Self {
        let folder = root.join("templates");
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        environment.set_auto_escape_callback(|name| {
            let html = name.trim_end_matches(".j2").ends_with(".html");
            if html { AutoEscape::Html } else { AutoEscape::None }
        });
        let place = folder.clone();
        environment.set_loader(move |name| load(&place, name));
        Self { folder, environment }
    }

    /// A file as it is.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub fn source(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        find(&self.folder, path)?.with_context(|| format!("there is no templates/{path}"))
    }

    /// The paths of all files below a folder, of the repository and built in, in order. What Python left
    /// behind when it ran them does not count.
    pub fn sources(&self, folder: &str) -> Vec<String> {
        let mut paths = BTreeSet::new();
        if check(folder).is_ok() {
            walk(&self.folder, &self.folder.join(folder), &mut paths);
            if let Some(built_in) = BUILT_IN.get_dir(folder) {
                walk_built_in(built_in, &mut paths);
            }
        }
        paths.into_iter().filter(|path| !path.contains("__pycache__") && !path.ends_with(".pyc")).collect()
    }

    /// Renders a template.
    ///
    /// # Errors
    /// When there is none of this name, it is damaged or uses an undefined variable: with its line.
    pub fn render(&self, path: &str, context: &serde_json::Value) -> anyhow::Result<String> {
        check(path)?;
        let rendered = self.environment.get_template(path).and_then(|template| template.render(context));
        rendered.map_err(|error| anyhow::anyhow!(self.explain(path, &error)))
    }

    /// One line: place, fault, and the line of the template at fault.
    fn explain(&self, path: &str, error: &Error) -> String {
        let innermost = std::iter::successors(Some(error), |error| {
            std::error::Error::source(*error).and_then(|source| source.downcast_ref::<Error>())
        })
        .last()
        .unwrap_or(error);
        if innermost.kind() == ErrorKind::TemplateNotFound && innermost.line().is_none() {
            return format!("there is no templates/{path}");
        }
        let name = innermost.name().unwrap_or(path);
        let what = match innermost.detail() {
            Some(detail) => format!("{}: {detail}", innermost.kind()),
            None => innermost.kind().to_string(),
        };
        let Some(line) = innermost.line() else { return format!("templates/{name}: {what}") };
        let source = find(&self.folder, name).ok().flatten().unwrap_or_default();
        let source = String::from_utf8_lossy(&source);
        let snippet: String = source
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .trim()
            .chars()
            .take(SNIPPET_CHARS)
            .collect();
        format!("templates/{name}:{line}: {what} in `{snippet}`")
    }
}

/// Refuses names that lead out of the folder.
fn check(path: &str) -> anyhow::Result<()> {
    let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !plain || path.contains(['\\', ':', '\0']) {
        bail!("`{path}` is no name of a file under templates/");
    }
    Ok(())
}

fn find(folder: &Path, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    check(path)?;
    let own = folder.join(path);
    if own.is_file() {
        return std::fs::read(&own).map(Some).with_context(|| format!("reading {}", own.display()));
    }
    Ok(BUILT_IN.get_file(path).map(|file| file.contents().to_vec()))
}

fn load(folder: &Path, name: &str) -> Result<Option<String>, Error> {
    let fault = |why: String| Error::new(ErrorKind::InvalidOperation, why);
    let Some(bytes) = find(folder, name).map_err(|error| fault(format!("{error:#}")))? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|_| fault(format!("templates/{name} is not UTF-8 text")))
}

fn walk(root: &Path, folder: &Path, paths: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            walk(root, &path, paths);
        } else if let Ok(inside) = path.strip_prefix(root) {
            paths.insert(slashed(inside));
        }
    }
}

fn walk_built_in(folder: &Dir<'_>, paths: &mut BTreeSet<String>) {
    paths.extend(folder.files().map(|file| slashed(file.path())));
    folder.dirs().for_each(|below| walk_built_in(below, paths));
}

/// A path with `/` on every system.
fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
