//! A YAML file as a tree with places. Scalars stay the text that was written; nothing is converted here.
//!
//! What YAML 1.2 allows and an inventory does not need is refused: tags, merge keys, keys that are not text,
//! several documents in a file, aliases that grow beyond any honest use.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self as yaml, Event, ScalarStyle, ScanError, StrInput};

use super::Diagnostic;
use super::clear;
use super::decode::Decoder;

/// Nesting beyond this is refused: it bounds the stack of everything that walks a tree.
const MAX_DEPTH: u16 = 48;
/// Nodes that aliases may add to a file.
const MAX_ALIASED: u32 = 100_000;

/// A stretch of a file: where it begins (line and column from 1) and its characters on that line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub line: u32,
    pub column: u32,
    pub length: u32,
}

/// A value in a file.
#[derive(Debug)]
pub(super) struct Node {
    pub span: Span,
    pub bytes: Range<usize>,
    pub body: Body,
    weight: u32,
    depth: u16,
}

/// What a value is made of.
#[derive(Debug)]
pub(super) enum Body {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

/// A scalar: its text, and whether it stood without quotes.
#[derive(Debug)]
pub(super) struct Scalar {
    pub text: String,
    pub plain: bool,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: Key,
    pub value: Rc<Node>,
}

/// A key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub text: String,
    pub plain: bool,
    pub span: Span,
    pub bytes: Range<usize>,
}

impl Node {
    /// The value of a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.body {
            Body::Map(entries) => {
                entries.iter().find(|entry| entry.key.text == key).map(|entry| entry.value.as_ref())
            }
            _ => None,
        }
    }

    /// Nothing was written where a value should be.
    pub fn is_empty(&self) -> bool {
        matches!(&self.body, Body::Scalar(Scalar { text, plain: true })
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// A list or map whose end was not read yet.
struct Open {
    span: Span,
    start: usize,
    anchor: usize,
    held: Held,
}

enum Held {
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>, Option<Key>),
}

struct Builder<'a, 'd> {
    text: &'a str,
    decoder: &'d mut Decoder,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    aliased: u32,
    root: Option<Rc<Node>>,
}

/// Reads a file's text. Faults go to the decoder; `None` when there is no tree, which for an empty file is
/// no fault.
pub(super) fn read(text: &str, decoder: &mut Decoder) -> Option<Rc<Node>> {
    let mut options = yaml::Options::default();
    options.flow_nesting_limit = usize::from(MAX_DEPTH);
    options.block_nesting_limit = usize::from(MAX_DEPTH);
    let mut parser = yaml::Parser::new_from_str_with_options(text, options);
    let mut builder =
        Builder { text, decoder, open: Vec::new(), anchors: HashMap::new(), aliased: 0, root: None };
    match builder.consume(&mut parser) {
        Ok(()) => builder.root,
        Err(fault) => {
            let lines = clear::lines(text);
            decoder.blank.extend(lines);
            decoder.add(*fault);
            None
        }
    }
}

type Step<T> = Result<T, Box<Diagnostic>>;

impl Builder<'_, '_> {
    fn consume<'i>(&mut self, parser: &mut yaml::Parser<'i, StrInput<'i>>) -> Step<()> {
        while let Some(event) = parser.next_event() {
            let (event, marked) = event.map_err(|fault| self.syntax(&fault))?;
            let span = self.span(&marked);
            let start = marked.start.byte_offset().unwrap_or(0);
            let end = marked.end.byte_offset().unwrap_or(start);
            match event {
                Event::DocumentStart(..) if self.root.is_some() => {
                    return Err(self.refused(
                        "several-documents",
                        "a second document in one file",
                        span,
                        "put it into a file of its own: all files are one inventory",
                    ));
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    let plain = style == ScalarStyle::Plain && tag.is_none();
                    self.scalar(Scalar { text: text.into_owned(), plain }, span, start..end, anchor)?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.open.push(Open { span, start, anchor, held: Held::List(Vec::new()) });
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.open.push(Open { span, start, anchor, held: Held::Map(Vec::new(), None) });
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(end)?,
                Event::Alias(anchor) => self.alias(anchor, span)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: Scalar, span: Span, bytes: Range<usize>, anchor: usize) -> Step<()> {
        if clear::looks_like_key(&scalar.text) {
            self.decoder.blank.push(bytes.clone());
        }
        if let Some(Open { held: Held::Map(_, key @ None), .. }) = self.open.last_mut() {
            *key = Some(Key { text: scalar.text, plain: scalar.plain, span, bytes });
            return Ok(());
        }
        let node = Node { span, bytes, body: Body::Scalar(scalar), weight: 1, depth: 1 };
        self.attach(Rc::new(node), anchor)
    }

    fn close(&mut self, end: usize) -> Step<()> {
        let Some(Open { mut span, start, anchor, held }) = self.open.pop() else { return Ok(()) };
        let flow =
            self.text.get(start..end).filter(|text| text.starts_with(['{', '[']) && !text.contains('\n'));
        span.length = flow.map_or(span.length, |text| narrow(text.chars().count()));
        let body = match held {
            Held::List(items) => Body::List(items),
            Held::Map(entries, _) => Body::Map(self.without_duplicates(entries)),
        };
        let children: Vec<&Rc<Node>> = match &body {
            Body::List(items) => items.iter().collect(),
            Body::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
            Body::Scalar(_) => Vec::new(),
        };
        let weight = children.iter().fold(1u32, |sum, child| sum.saturating_add(child.weight));
        let depth = 1 + children.iter().map(|child| child.depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(self.refused("too-deep", "nested too deeply", span, "no inventory needs this"));
        }
        self.attach(Rc::new(Node { span, bytes: start..end.max(start), body, weight, depth }), anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step<()> {
        let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
            return Err(self.refused("bad-alias", "an alias inside its own anchor", span, "write it out"));
        };
        self.aliased = self.aliased.saturating_add(node.weight);
        if self.aliased > MAX_ALIASED {
            let message = format!("aliases add more than {MAX_ALIASED} values to this file");
            return Err(self.refused("alias-limit", message, span, "write the values out"));
        }
        self.attach(node, 0)
    }

    fn attach(&mut self, node: Rc<Node>, anchor: usize) -> Step<()> {
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.held) {
            None => self.root = Some(node),
            Some(Held::List(items)) => items.push(node),
            Some(Held::Map(entries, key)) => match key.take() {
                Some(key) => {
                    clear::collect(&key.text, &node, &mut self.decoder.blank);
                    entries.push(Entry { key, value: node });
                }
                None => {
                    return Err(self.refused(
                        "bad-key",
                        "a key that is not text",
                        node.span,
                        "use a plain name",
                    ));
                }
            },
        }
        Ok(())
    }

    /// The first of each key; every further one is a fault that shows both.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
        let mut again = Vec::new();
        for (index, Entry { key, .. }) in entries.iter().enumerate() {
            if let Some(earlier) = first.get(key.text.as_str()) {
                let fault = Diagnostic::error("duplicate-key", format!("`{}` is written twice", key.text));
                let fault = self.decoder.mark(fault, key.span, "again here");
                self.decoder.add(self.decoder.mark(fault, *earlier, "first here"));
                again.push(index);
            } else {
                first.insert(&key.text, key.span);
            }
        }
        drop(first);
        let mut index = 0..;
        entries
            .into_iter()
            .filter(|_| index.next().is_some_and(|at| again.binary_search(&at).is_err()))
            .collect()
    }

    fn check_tag(&mut self, tag: Option<&yaml::Tag>, span: Span) {
        if tag.is_some_and(|tag| !matches!(tag.core_suffix(), Some("str" | "seq" | "map"))) {
            let fault = Diagnostic::error("unknown-tag", "YAML tags have no meaning in an inventory");
            let fault = self.decoder.mark(fault, span, "this value carries a tag");
            self.decoder.add(fault.help("remove the tag"));
        }
    }

    fn refused(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        help: &str,
    ) -> Box<Diagnostic> {
        Box::new(self.decoder.mark(Diagnostic::error(code, message), span, "here").help(help))
    }

    fn syntax(&self, fault: &ScanError) -> Box<Diagnostic> {
        let mark = fault.marker();
        let span = Span { line: narrow(mark.line()), column: narrow(mark.col() + 1), length: 1 };
        let message = format!("this is not YAML: {}", fault.info());
        Box::new(self.decoder.mark(Diagnostic::error("yaml-syntax", message), span, ""))
    }

    fn span(&self, marked: &yaml::Span) -> Span {
        let (start, end) = (&marked.start, &marked.end);
        let length = if start.line() == end.line() {
            end.index().saturating_sub(start.index())
        } else {
            let rest = start.byte_offset().and_then(|at| self.text.get(at..)).unwrap_or("");
            rest.lines().next().unwrap_or("").chars().count()
        };
        Span { line: narrow(start.line()), column: narrow(start.col() + 1), length: narrow(length).max(1) }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
