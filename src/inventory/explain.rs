//! What a path of the inventory comes to: what is written and where, and what stands for what is not. Values of
//! secrets are never in it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::decode::{Decoder, closest};
use super::load::{self, SECTIONS};
use super::tree::{self, Body, Node, Span};
use super::{Diagnostic, Place, Report, Sources, clear, schema};

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its whole path, such as `gateways.pool-gw.lorawan.region`.
    pub path: String,
    /// What is written; of a secret its name; `None` for what is not written.
    pub value: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
    /// What the field is, and what stands for it when it is not written.
    pub words: Option<String>,
}

/// Why nothing can be told.
#[derive(Clone, Debug)]
pub enum Unknown {
    /// Files that are no YAML.
    Faulty(Box<Report>),
    /// There is no such thing, with what was perhaps meant.
    Nothing {
        /// What is wrong, in words.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

/// A file's tree with the byte ranges that must not be shown.
struct Parsed {
    root: Rc<Node>,
    decoder: Decoder,
}

/// An entry of a section, or a section, and what the schema says of it.
struct Found<'p> {
    path: String,
    node: &'p Node,
    file: &'p Parsed,
    span: Span,
    form: Form<'p>,
}

/// Tells what a path comes to: the field, or all fields below it.
///
/// # Errors
/// When a file is no YAML, or there is nothing by that name.
pub fn explain(root: &Path, asked: &str) -> Result<Vec<Told>, Unknown> {
    let files = read(root)?;
    let schema = schema::schema();
    let forms = Form { root: &schema, at: vec![&schema] };
    let (start, rest) = begin(&files, &forms, asked)?;
    let mut told = Vec::new();
    for found in start {
        walk(found, &rest, &mut told)?;
    }
    Ok(told)
}

fn read(root: &Path) -> Result<Vec<Parsed>, Unknown> {
    let (mut files, mut found, mut sources) = (Vec::new(), Vec::new(), Sources::default());
    for (name, text) in load::texts(root).map_err(|fault| nothing(fault, None))? {
        let mut decoder = Decoder::new(Arc::from(name.as_str()));
        let tree = tree::read(&text, &mut decoder);
        found.append(&mut decoder.found);
        sources.insert(Arc::from(name.as_str()), clear::blanked(&text, &decoder.blank));
        files.extend(tree.filter(|tree| !tree.is_empty()).map(|root| Parsed { root, decoder }));
    }
    let broken = |finding: &Diagnostic| finding.severity == super::Severity::Error;
    if found.iter().any(broken) {
        return Err(Unknown::Faulty(Box::new(Report { diagnostics: found, sources })));
    }
    Ok(files)
}

fn nothing(message: impl Into<String>, help: Option<String>) -> Unknown {
    Unknown::Nothing { message: message.into(), help }
}

/// The entries that the first words of a path name, and the words left.
fn begin<'p>(
    files: &'p [Parsed],
    forms: &Form<'p>,
    asked: &str,
) -> Result<(Vec<Found<'p>>, Vec<String>), Unknown> {
    let words: Vec<String> = asked.split('.').map(str::to_owned).collect();
    if SECTIONS.contains(&words[0].as_str()) {
        let whole =
            sections(files, forms).into_iter().filter(|found| found.path == words[0]).collect::<Vec<_>>();
        if whole.is_empty() {
            return Err(nothing(format!("the inventory has no `{}`", words[0]), None));
        }
        let rest = words[1..].to_vec();
        if rest.is_empty() || words[0] == "pki" {
            return Ok((whole, rest));
        }
        return one(whole, &rest);
    }
    let named = sections(files, forms).into_iter().filter(|found| found.path != "pki").collect();
    one(named, &words)
}

/// The one entry of some sections that a path begins with. A name may hold dots: the longest is meant.
fn one<'p>(sections: Vec<Found<'p>>, words: &[String]) -> Result<(Vec<Found<'p>>, Vec<String>), Unknown> {
    let mut names = Vec::new();
    for length in (1..=words.len()).rev() {
        let name = words[..length].join(".");
        let found: Vec<Found<'p>> = sections.iter().filter_map(|section| section.below(&name)).collect();
        match found.len() {
            0 => {}
            1 => return Ok((found, words[length..].to_vec())),
            _ => {
                let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
                return Err(nothing(
                    format!("`{name}` is the name of several"),
                    Some(format!("write one of {}", paths.join(", "))),
                ));
            }
        }
    }
    for section in &sections {
        names.extend(section.keys());
    }
    let near = closest(&words[0], names.iter().copied().chain(SECTIONS));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    Err(nothing(format!("the inventory has nothing called `{}`", words[0]), help))
}

fn sections<'p>(files: &'p [Parsed], forms: &Form<'p>) -> Vec<Found<'p>> {
    let mut all = Vec::new();
    for file in files {
        let Body::Map(entries) = &file.root.body else { continue };
        all.extend(entries.iter().map(|entry| Found {
            path: entry.key.text.clone(),
            node: &entry.value,
            file,
            span: entry.key.span,
            form: forms.below(&entry.key.text),
        }));
    }
    all
}

impl<'p> Found<'p> {
    /// What is written under a key, or at a place of a list counted from 0.
    fn below(&self, key: &str) -> Option<Found<'p>> {
        let (node, span): (&Node, Span) = match &self.node.body {
            Body::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key.text == key)?;
                (&entry.value, entry.key.span)
            }
            Body::List(items) => {
                let item = items.get(key.parse::<usize>().ok()?)?;
                (item, item.span)
            }
            Body::Scalar(_) => return None,
        };
        let path = format!("{}.{key}", self.path);
        Some(Found { path, node, file: self.file, span, form: self.form.below(key) })
    }

    fn keys(&self) -> Vec<&'p str> {
        match &self.node.body {
            Body::Map(entries) => entries.iter().map(|entry| entry.key.text.as_str()).collect(),
            Body::List(_) | Body::Scalar(_) => Vec::new(),
        }
    }

    fn told(&self, value: String) -> Told {
        // A value is shown where it stands itself; one over several lines where its key is.
        let span = if matches!(self.node.body, Body::Scalar(_)) { self.node.span } else { self.span };
        let place = Some(self.file.decoder.place(span));
        Told { path: self.path.clone(), value: Some(value), place, words: self.form.words() }
    }

    /// The name of a secret, when that is what stands here.
    fn secret(&self) -> Option<String> {
        match (&self.node.get("secret")?.body, self.keys().len()) {
            (Body::Scalar(scalar), 1) => Some(format!("the secret {}", self.shown(&scalar.text))),
            _ => None,
        }
    }

    /// A text, unless it stands in a stretch that holds a secret in clear.
    fn shown(&self, text: &str) -> String {
        let own = &self.node.bytes;
        let hidden = |range: &std::ops::Range<usize>| range.start < own.end && own.start < range.end;
        if self.file.decoder.blank.iter().any(hidden) {
            return "(a secret in clear: not shown)".to_owned();
        }
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// Everything written here, and what is not.
    fn leaves(&self, told: &mut Vec<Told>) {
        if let Some(secret) = self.secret() {
            return told.push(self.told(secret));
        }
        match &self.node.body {
            Body::Scalar(scalar) => told.push(self.told(self.shown(&scalar.text))),
            Body::List(items) if items.iter().all(|item| matches!(item.body, Body::Scalar(_))) => {
                let texts = (0..items.len()).filter_map(|index| self.below(&index.to_string()));
                let texts: Vec<String> = texts
                    .filter_map(|one| match &one.node.body {
                        Body::Scalar(scalar) => Some(one.shown(&scalar.text)),
                        Body::List(_) | Body::Map(_) => None,
                    })
                    .collect();
                told.push(self.told(format!("[{}]", texts.join(", "))));
            }
            Body::List(items) => (0..items.len())
                .filter_map(|index| self.below(&index.to_string()))
                .for_each(|below| below.leaves(told)),
            Body::Map(entries) => {
                entries
                    .iter()
                    .filter_map(|entry| self.below(&entry.key.text))
                    .for_each(|below| below.leaves(told));
                let absent = self.form.fields().into_iter().filter(|field| self.node.get(field).is_none());
                told.extend(absent.map(|field| self.absent(&field)));
            }
        }
    }

    /// A field that is not written.
    fn absent(&self, field: &str) -> Told {
        let words = self.form.below(field).words();
        Told { path: format!("{}.{field}", self.path), value: None, place: None, words }
    }
}

/// Goes on from an entry along the words left.
fn walk(found: Found<'_>, words: &[String], told: &mut Vec<Told>) -> Result<(), Unknown> {
    if words.is_empty() {
        found.leaves(told);
        return Ok(());
    }
    for length in (1..=words.len()).rev() {
        if let Some(below) = found.below(&words[..length].join(".")) {
            return walk(below, &words[length..], told);
        }
    }
    let mut form = found.form.clone();
    for (index, word) in words.iter().enumerate() {
        let fields = form.fields();
        if !fields.contains(word) {
            let mut known: Vec<&str> = fields.iter().map(String::as_str).collect();
            if index == 0 {
                known.extend(found.keys());
            }
            known.sort_unstable();
            known.dedup();
            let path = std::iter::once(found.path.as_str()).chain(words[..index].iter().map(String::as_str));
            let message = format!("`{}` has nothing called `{word}`", path.collect::<Vec<_>>().join("."));
            let help = match closest(word, known.iter().copied()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if known.is_empty() => None,
                None => Some(format!("known there: {}", known.join(", "))),
            };
            return Err(nothing(message, help));
        }
        form = form.below(word);
    }
    let path = format!("{}.{}", found.path, words.join("."));
    told.push(Told { path, value: None, place: None, words: form.words() });
    Ok(())
}

/// What the schema says of a place: every form that may stand there.
#[derive(Clone)]
struct Form<'s> {
    root: &'s Json,
    at: Vec<&'s Json>,
}

impl<'s> Form<'s> {
    /// The definitions that hold here, references followed. The first is the place's own, with its words.
    fn all(&self) -> Vec<&'s Json> {
        let (mut all, mut open) = (Vec::new(), self.at.clone());
        while let Some(one) = open.pop() {
            all.push(one);
            let named = one["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
            open.extend(named.and_then(|name| self.root.pointer(name)));
            for choice in ["allOf", "anyOf", "oneOf"] {
                open.extend(one[choice].as_array().into_iter().flatten());
            }
        }
        all
    }

    fn below(&self, key: &str) -> Form<'s> {
        let all = self.all();
        let own = all.iter().filter_map(|form| form["properties"].get(key));
        let mut at: Vec<&Json> = own.collect();
        if at.is_empty() {
            let any =
                all.iter().filter_map(|form| form.get("additionalProperties").or_else(|| form.get("items")));
            at = any.filter(|form| form.is_object()).collect();
        }
        Form { root: self.root, at }
    }

    /// The fields that may stand here: not those of forms that exclude each other.
    fn fields(&self) -> Vec<String> {
        let maps: Vec<&serde_json::Map<String, Json>> =
            self.all().iter().filter_map(|form| form["properties"].as_object()).collect();
        match maps.as_slice() {
            [one] => one.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn words(&self) -> Option<String> {
        let words = self.at.iter().find_map(|form| form["description"].as_str());
        words.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
