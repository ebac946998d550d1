//! All files under `playbooks/`, each a playbook of its file's name. A fault in one takes nothing from another.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Playbook, check};
use crate::inventory::decode::{Decode, Decoder};
use crate::inventory::tree::{Body, Node};
use crate::inventory::{Diagnostic, Inventory, Report, Severity, Sources, clear, tree};

/// Where playbooks are, in the repository.
pub const FOLDER: &str = "playbooks";

/// A file larger than this is refused unread.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A playbook that holds.
#[derive(Clone, Debug)]
pub struct Book {
    /// Its name: the file's, without its end.
    pub name: String,
    /// The file, relative to the repository.
    pub file: Arc<str>,
    /// SHA-256 of its text, lower-case hex.
    pub checksum: String,
    /// What stands in it.
    pub playbook: Playbook,
}

/// The playbooks of a repository.
#[derive(Debug, Default)]
pub struct Books {
    /// Those that hold.
    pub books: BTreeMap<String, Book>,
    /// What was found, in all files.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts.
    pub sources: Sources,
}

impl Books {
    /// The names of all, also of those that do not hold.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.files().filter_map(stem)
    }

    /// The playbook of a name.
    ///
    /// # Errors
    /// What is wrong with it; or that there is none.
    pub fn take(&self, name: &str) -> Result<&Book, Report> {
        let of_it = |finding: &&Diagnostic| {
            let file = finding.place().map(|place| place.file.to_string());
            file.is_some_and(|file| stem(&file) == Some(name)) || finding.message.contains(&path_of(name))
        };
        if let Some(book) = self.books.get(name) {
            return Ok(book);
        }
        let mut diagnostics: Vec<Diagnostic> = self.diagnostics.iter().filter(of_it).cloned().collect();
        if diagnostics.is_empty() {
            let fault = Diagnostic::error("no-playbook", format!("there is no {}", path_of(name)));
            let near = crate::inventory::decode::closest(name, self.names());
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`rocade playbook list` shows those there are".to_owned(),
            };
            diagnostics.push(fault.help(help));
        }
        Err(Report { diagnostics, sources: self.sources.clone() })
    }
}

fn path_of(name: &str) -> String {
    format!("{FOLDER}/{name}.yaml")
}

fn stem(file: &str) -> Option<&str> {
    file.rsplit('/').next()?.strip_suffix(".yaml")
}

/// Reads `playbooks/*.yaml`. References are looked up when there is an inventory.
pub fn load(root: &Path, inventory: Option<&Inventory>) -> Books {
    let mut books = Books::default();
    let entries = match std::fs::read_dir(root.join(FOLDER)) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return books,
        Err(fault) => {
            books.diagnostics.push(unreadable(FOLDER, &fault));
            return books;
        }
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names.iter().filter(|name| !name.starts_with('.') && name.ends_with(".yaml")) {
        let file = format!("{FOLDER}/{name}");
        match text(&root.join(FOLDER).join(name)) {
            Ok(text) => books.read(&file, &text, inventory),
            Err(fault) => books.diagnostics.push(unreadable(&file, &fault)),
        }
    }
    books
}

/// The same from texts by file name.
pub fn parse<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    inventory: Option<&Inventory>,
) -> Books {
    let mut books = Books::default();
    texts.into_iter().for_each(|(file, text)| books.read(file, text, inventory));
    books
}

impl Books {
    fn read(&mut self, file: &str, text: &str, inventory: Option<&Inventory>) {
        let file: Arc<str> = Arc::from(file);
        let checksum = hex::encode(Sha256::digest(text));
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut decoder = Decoder::new(Arc::clone(&file));
        let node = tree::read(text, &mut decoder);
        let playbook = match &node {
            Some(node) => decoder.value::<Playbook>(node.span, node),
            None => {
                if decoder.found.is_empty() {
                    decoder.add(Diagnostic::error("empty-playbook", format!("{file} is empty")));
                }
                None
            }
        };
        let mut found = std::mem::take(&mut decoder.found);
        match (&playbook, node) {
            (Some(playbook), _) => {
                let read = found.clone();
                check::check(playbook, inventory, &read, &mut found);
            }
            (None, Some(node)) => found.extend(of_the_rest(&node, &file, inventory)),
            (None, None) => {}
        }
        found.sort_by(|a, b| a.place().cmp(&b.place()));
        self.sources.insert(Arc::clone(&file), clear::blanked(text, &decoder.blank));
        let holds = found.iter().all(|finding| finding.severity != Severity::Error);
        self.diagnostics.extend(found);
        if let (Some(playbook), Some(name), true) = (playbook, stem(&file), holds) {
            let name = name.to_owned();
            self.books.insert(name.clone(), Book { name, file: Arc::clone(&file), checksum, playbook });
        }
    }
}

/// What is wrong between the values of the steps that can be read, beside those that cannot.
fn of_the_rest(node: &Node, file: &Arc<str>, inventory: Option<&Inventory>) -> Vec<Diagnostic> {
    // Its faults were found before.
    let mut decoder = Decoder::new(Arc::clone(file));
    let with =
        node.get("with").map_or_else(|| Some(BTreeMap::new()), |with| Decode::decode(with, &mut decoder));
    let (Some(with), Some(Node { body: Body::List(items), .. })) = (with, node.get("steps")) else {
        return Vec::new();
    };
    let steps: Vec<_> = items.iter().filter_map(|item| decoder.value(item.span, item)).collect();
    let mut found = Vec::new();
    if !steps.is_empty() {
        let book = Playbook { title: String::new(), with, steps };
        check::check(&book, inventory, &decoder.found, &mut found);
    }
    // A step that cannot be read may name what the others do not.
    found.retain(|finding| finding.severity == Severity::Error);
    found
}

fn unreadable(file: &str, fault: &io::Error) -> Diagnostic {
    Diagnostic::error("unreadable", format!("cannot read {file}: {fault}"))
}

fn text(path: &Path) -> io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("{size} bytes are more than {MAX_FILE_BYTES}")));
    }
    std::fs::read_to_string(path)
}
