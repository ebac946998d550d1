//! All files under `inventory/` become one inventory, or one report with every fault of all of them.
//!
//! Each file is read on its own; a name given in two files is a fault that shows both places. What a broken
//! entry was named is remembered, so that what refers to it is not called dangling as well.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::{Decode, Decoder};
use super::refer::{self, Reference};
use super::tree::{self, Body, Entry, Node, Span};
use super::{At, Diagnostic, Inventory, Place, Report, Section, Severity, Sources, clear, lint};

/// A file larger than this is refused unread: 100,000 sensors take about 25 MB.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The sections, in the order they are shown in.
pub(super) const SECTIONS: [&str; 7] = ["sites", "gateways", "sensors", "brokers", "hosts", "pbx", "pki"];

/// An inventory that holds.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The inventory.
    pub inventory: Inventory,
    /// The texts it was read from, for drawing later findings.
    pub sources: Sources,
    /// What somebody should look at.
    pub warnings: Vec<Diagnostic>,
}

/// Where each entry of each section was written, also those that could not be decoded.
#[derive(Default)]
pub(super) struct Written(HashMap<&'static str, BTreeMap<String, (Place, u32)>>);

impl Written {
    /// Whether a section has an entry of this name.
    pub fn has(&self, section: &str, name: &str) -> bool {
        self.0.get(section).is_some_and(|names| names.contains_key(name))
    }

    /// The names of a section, in order.
    pub fn names(&self, section: &str) -> impl Iterator<Item = &str> {
        self.0.get(section).into_iter().flat_map(|names| names.keys().map(String::as_str))
    }

    /// Whether anything was written in a section.
    pub fn any(&self, section: &str) -> bool {
        self.names(section).next().is_some()
    }
}

/// What the files gave so far.
#[derive(Default)]
struct Gathered {
    inventory: Inventory,
    written: Written,
    references: Vec<Reference>,
    found: Vec<Diagnostic>,
    sources: Sources,
}

/// Reads the inventory of a repository: `root/inventory/**/*.yaml` and `*.yml`, but not `inventory/secrets`.
///
/// # Errors
/// Every fault found, in all files; warnings are among them then.
pub fn load(root: &Path) -> Result<Loaded, Report> {
    let mut gathered = Gathered::default();
    match files(&root.join("inventory")) {
        Ok(paths) if paths.is_empty() => {
            let message =
                format!("no inventory: there is no YAML file under {}", root.join("inventory").display());
            let help = "name the repository with `-C DIR`; `rocade lab up DIR` writes one to try";
            gathered.found.push(Diagnostic::error("no-inventory", message).help(help));
        }
        Ok(paths) => paths.iter().for_each(|path| gathered.read(root, path)),
        Err(fault) => {
            let message = format!("cannot list {}: {fault}", root.join("inventory").display());
            gathered.found.push(Diagnostic::error("unreadable", message));
        }
    }
    let mut loaded = gathered.finish()?;
    loaded.warnings.extend(missing_images(root, &loaded.inventory));
    Ok(loaded)
}

/// The same with some files as they are to become; none of them is written yet.
///
/// # Errors
/// As [`load`].
pub fn load_changed(root: &Path, changed: &BTreeMap<String, String>) -> Result<Loaded, Report> {
    let mut gathered = Gathered::default();
    match files(&root.join("inventory")) {
        Ok(paths) => {
            let other = |path: &&PathBuf| !changed.contains_key(&relative(root, path));
            paths.iter().filter(other).for_each(|path| gathered.read(root, path));
        }
        Err(fault) => {
            let message = format!("cannot list {}: {fault}", root.join("inventory").display());
            gathered.found.push(Diagnostic::error("unreadable", message));
        }
    }
    changed.iter().for_each(|(name, text)| gathered.take(Arc::from(name.as_str()), text));
    gathered.finish()
}

/// The texts of the inventory's files by their names in the repository.
///
/// # Errors
/// Which cannot be read, in words.
pub(super) fn texts(root: &Path) -> Result<Vec<(String, String)>, String> {
    let paths = files(&root.join("inventory"))
        .map_err(|fault| format!("cannot list {}: {fault}", root.join("inventory").display()))?;
    let read = |path: &PathBuf| {
        let name = relative(root, path);
        let text = text(path).map_err(|fault| format!("cannot read {name}: {fault}"))?;
        Ok((name, text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
    };
    paths.iter().map(read).collect()
}

/// All YAML that an engineer writes in a repository, by names: the inventory, playbooks, mappings of imports.
///
/// # Errors
/// When a folder cannot be listed.
pub fn yaml_files(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for folder in ["inventory", "playbooks", "templates/import"] {
        found.extend(files(&root.join(folder))?.into_iter().map(|path| (relative(root, &path), path)));
    }
    Ok(found)
}

/// A file's name in the repository, with `/` between its parts.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Images that are not there: they are large, and may be kept out of the repository.
fn missing_images(root: &Path, inventory: &Inventory) -> Vec<Diagnostic> {
    let images = inventory.gateways.values().filter_map(|gateway| gateway.firmware.as_ref()?.image.as_ref());
    let missing = images.filter(|image| !root.join(image.as_str()).is_file());
    let warning = |image: &At<String>| {
        let message = format!("there is no file `{}`", image.value);
        let warning = Diagnostic::warning("missing-image", message).at(&image.place, "");
        warning.help("`redeploy --upgrade` needs it; fetch it from the manufacturer")
    };
    missing.map(warning).collect()
}

/// The same from texts by file name.
///
/// # Errors
/// As [`load`].
pub fn parse<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Loaded, Report> {
    let mut gathered = Gathered::default();
    for (name, text) in texts {
        gathered.take(Arc::from(name), text);
    }
    gathered.finish()
}

/// What stands in a text that a device gave, with its faults of form. Nothing else is judged: what is live is as
/// it is.
pub fn seen(name: &str, text: &str) -> (Inventory, Vec<Diagnostic>) {
    let mut gathered = Gathered::default();
    gathered.take(Arc::from(name), text);
    (gathered.inventory, gathered.found)
}

impl Gathered {
    fn read(&mut self, root: &Path, path: &Path) {
        let name = relative(root, path);
        match text(path) {
            Ok(text) => self.take(Arc::from(name), &text),
            Err(fault) => {
                let message = format!("cannot read {}: {fault}", name);
                self.found.push(Diagnostic::error("unreadable", message));
            }
        }
    }

    fn take(&mut self, file: Arc<str>, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut decoder = Decoder::new(Arc::clone(&file));
        if let Some(root) = tree::read(text, &mut decoder)
            && !root.is_empty()
        {
            self.sections(&root, &mut decoder);
            self.references.extend(refer::collect(&root, &decoder));
        }
        self.found.append(&mut decoder.found);
        self.sources.insert(file, clear::blanked(text, &decoder.blank));
    }

    fn sections(&mut self, root: &Node, decoder: &mut Decoder) {
        let Body::Map(entries) = &root.body else {
            decoder.wrong_type(root, "a map of sections");
            return;
        };
        for entry in entries {
            let Self { inventory, written, .. } = self;
            match entry.key.text.as_str() {
                "sites" => section("sites", entry, &mut inventory.sites, written, decoder),
                "gateways" => section("gateways", entry, &mut inventory.gateways, written, decoder),
                "sensors" => section("sensors", entry, &mut inventory.sensors, written, decoder),
                "brokers" => section("brokers", entry, &mut inventory.brokers, written, decoder),
                "hosts" => section("hosts", entry, &mut inventory.hosts, written, decoder),
                "pbx" => section("pbx", entry, &mut inventory.pbx, written, decoder),
                "pki" => {
                    if written.claim("pki", "pki", entry.key.span, decoder) {
                        let value = decoder.value(entry.key.span, &entry.value);
                        let place = decoder.place(entry.key.span);
                        inventory.pki = value.map(|value| At { value, place });
                    }
                }
                _ => decoder.unknown_key(&entry.key, &SECTIONS),
            }
        }
    }

    fn finish(mut self) -> Result<Loaded, Report> {
        refer::check(&self.references, &self.written, &mut self.found);
        lint::check(&self.inventory, &self.written, &mut self.found);
        self.found.sort_by(|a, b| a.place().cmp(&b.place()));
        if self.found.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Report { diagnostics: self.found, sources: self.sources });
        }
        Ok(Loaded { inventory: self.inventory, sources: self.sources, warnings: self.found })
    }
}

impl Written {
    /// Notes a name; false, with a fault that shows both places, when it is taken.
    fn claim(&mut self, section: &'static str, name: &str, span: Span, decoder: &mut Decoder) -> bool {
        let names = self.0.entry(section).or_default();
        if let Some((place, length)) = names.get(name) {
            let fault =
                Diagnostic::error("duplicate-name", format!("`{name}` is written twice in `{section}`"));
            let fault = decoder.mark(fault, span, "again here");
            decoder.add(fault.spanning(place.clone(), *length, "first here"));
            return false;
        }
        names.insert(name.to_owned(), (decoder.place(span), span.length));
        true
    }
}

fn section<T: Decode>(
    name: &'static str,
    entry: &Entry,
    into: &mut Section<T>,
    written: &mut Written,
    decoder: &mut Decoder,
) {
    let Body::Map(entries) = &entry.value.body else {
        decoder.section_of_names(entry);
        return;
    };
    for Entry { key, value } in entries {
        decoder.check_name(key);
        let free = written.claim(name, &key.text, key.span, decoder);
        let decoded = decoder.value(key.span, value);
        if let (true, Some(value)) = (free, decoded) {
            into.insert(key.text.clone(), At { value, place: decoder.place(key.span) });
        }
    }
}

/// The text of a file, refused when it is huge or not UTF-8.
fn text(path: &Path) -> io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("{size} bytes are more than {MAX_FILE_BYTES}")));
    }
    String::from_utf8(std::fs::read(path)?).map_err(|fault| {
        let good = fault.utf8_error().valid_up_to();
        let line = 1 + fault.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        io::Error::other(format!("line {line} is not UTF-8"))
    })
}

/// The YAML files below a directory, in the order of their names; none when there is no such directory.
fn files(inventory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![inventory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if entry.file_type()?.is_dir() {
                if !hidden && path != inventory.join("secrets") {
                    open.push(path);
                }
            } else if !hidden && path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
