//! From the tree of a file to typed values. A fault never stops the decoding of what stands beside it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::tree::{Body, Entry, Key, Node, Span};
use super::{At, Diagnostic, Place};

mod plain;

pub(super) use plain::raw;
use plain::{is_yaml11_boolean, kind, text, yaml11};

/// Names of sections, gateways and so on that may be proposed for one that is not there. Each costs a walk
/// through all names, so a broken inventory gets them for its first faults only.
const MAX_GUESSES: u32 = 50;

/// One file's decoding: where faults go and what has to be blanked in its text.
pub(super) struct Decoder {
    file: Arc<str>,
    /// What was found.
    pub found: Vec<Diagnostic>,
    /// Byte ranges of secrets written in clear.
    pub blank: Vec<Range<usize>>,
    /// The key (or list item) whose value is decoded now: what is missing is missing there.
    owner: Span,
}

/// A type that can be written in the inventory.
pub(super) trait Decode: Sized {
    /// The value of a node; `None` after its faults were added to the decoder.
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self>;

    /// What it is when its key is not written; `None` when the key must be.
    fn absent() -> Option<Self> {
        None
    }
}

impl Decoder {
    pub fn new(file: Arc<str>) -> Self {
        Self { file, found: Vec::new(), blank: Vec::new(), owner: Span::default() }
    }

    pub fn add(&mut self, fault: Diagnostic) {
        self.found.push(fault);
    }

    /// The place where a span begins.
    pub fn place(&self, span: Span) -> Place {
        Place { file: Arc::clone(&self.file), line: span.line, column: span.column }
    }

    /// A diagnostic with a span of this file added.
    pub fn mark(&self, fault: Diagnostic, span: Span, text: impl Into<String>) -> Diagnostic {
        fault.spanning(self.place(span), span.length, text)
    }

    /// A value is not what was expected; its text is never repeated in the message.
    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        let (fault, label) = if node.is_empty() {
            let fault =
                Diagnostic::error("empty-value", format!("nothing is written where {expected} belongs"));
            (fault.help("write a value or remove the key"), "empty")
        } else {
            let fault = Diagnostic::error("wrong-type", format!("expected {expected}, found {}", kind(node)));
            (fault, "")
        };
        let span = if node.is_empty() { self.owner } else { node.span };
        self.add(self.mark(fault, span, label));
    }

    /// A value of the right type is not acceptable.
    pub fn refuse(&mut self, code: &'static str, node: &Node, message: impl Into<String>, help: &str) {
        let fault = self.mark(Diagnostic::error(code, message), node.span, "");
        self.add(if help.is_empty() { fault } else { fault.help(help) });
    }

    /// A key is not acceptable.
    pub fn refuse_key(&mut self, code: &'static str, key: &Key, message: impl Into<String>, help: &str) {
        let fault = self.mark(Diagnostic::error(code, message), key.span, "");
        self.add(fault.help(help));
    }

    /// A key that is not known here.
    pub fn unknown_key(&mut self, key: &Key, known: &[&str]) {
        let fault = Diagnostic::error("unknown-key", format!("unknown key `{}`", key.text));
        let help = match closest(&key.text, known.iter().copied()) {
            _ if key.text == "<<" => "merge keys are not part of YAML 1.2: write the keys out".to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.add(self.mark(fault, key.span, "not known here").help(help));
    }

    /// Decodes the value of a key.
    pub fn value<T: Decode>(&mut self, key: Span, node: &Node) -> Option<T> {
        let outer = std::mem::replace(&mut self.owner, key);
        let value = T::decode(node, self);
        self.owner = outer;
        value
    }

    /// A section is no map.
    pub fn section_of_names(&mut self, section: &Entry) {
        self.owner = section.key.span;
        self.wrong_type(&section.value, "a map of names");
    }

    /// Whether a name may stand for an entry of a section.
    pub fn check_name(&mut self, key: &Key) {
        let fits = key.text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && key.text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c));
        if !fits || key.text.len() > 63 {
            let fault = Diagnostic::error("bad-name", format!("`{}` is no name", key.text));
            let help =
                "a name has at most 63 lower-case letters, digits, `-` and `.`, a letter or digit first";
            self.add(self.mark(fault, key.span, "").help(help));
        } else if key.plain && is_yaml11_boolean(&key.text) {
            self.add(yaml11(self, &key.text, key.span, &format!("write \"{}\" in quotes", key.text)));
        }
    }
}

/// The name nearest to one that is not known, when it is near enough to be meant.
pub(super) fn closest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 3).clamp(1, 4);
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A budget of guesses for names out of the whole inventory.
#[derive(Default)]
pub(super) struct Guesses(u32);

impl Guesses {
    /// As [`closest`], while the budget lasts.
    pub fn closest<'n>(&mut self, name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        self.0 += 1;
        if self.0 > MAX_GUESSES { None } else { closest(name, known) }
    }
}

/// The keys of a map, taken one by one.
pub(super) struct Keys<'n> {
    entries: &'n [Entry],
    owner: Span,
}

impl<'n> Keys<'n> {
    /// Opens a map; keys that are not known are faults at once.
    pub fn open(node: &'n Node, known: &[&[&str]], decoder: &mut Decoder) -> Option<Self> {
        let Body::Map(entries) = &node.body else {
            decoder.wrong_type(node, &format!("a map with {}", listed(&known.concat())));
            return None;
        };
        let is_known = |key: &Key| known.iter().any(|keys| keys.contains(&key.text.as_str()));
        for entry in entries.iter().filter(|entry| !is_known(&entry.key)) {
            decoder.unknown_key(&entry.key, &known.concat());
        }
        Some(Self { entries, owner: decoder.owner })
    }

    /// The value of a key, or what stands for it when it is not written.
    pub fn take<T: Decode>(&self, name: &str, decoder: &mut Decoder) -> Option<T> {
        if let Some(Entry { key, value }) = self.entries.iter().find(|entry| entry.key.text == name) {
            return decoder.value(key.span, value);
        }
        T::absent().or_else(|| self.missing(name, decoder))
    }

    /// The value of a key that must be written, also when its type could stand for nothing.
    pub fn need<T: Decode>(&self, name: &str, decoder: &mut Decoder) -> Option<T> {
        if self.entries.iter().any(|entry| entry.key.text == name) {
            return self.take(name, decoder);
        }
        self.missing(name, decoder)
    }

    /// The only entry, when there is exactly one.
    pub fn only(&self) -> Option<&'n Entry> {
        if let [entry] = self.entries { Some(entry) } else { None }
    }

    /// The text of a key that may be left out, as it was written.
    pub fn take_raw(&self, name: &str, decoder: &mut Decoder) -> Option<Option<String>> {
        match self.entries.iter().find(|entry| entry.key.text == name) {
            Some(entry) => raw(&entry.value, decoder, "text").map(|text| Some(text.to_owned())),
            None => Some(None),
        }
    }

    fn missing<T>(&self, name: &str, decoder: &mut Decoder) -> Option<T> {
        let fault = Diagnostic::error("missing-key", format!("`{name}` is missing"));
        let fault = decoder.mark(fault, self.owner, format!("needs `{name}`"));
        decoder.add(fault);
        None
    }
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// Fields whose keys stand among those of the type they are part of.
pub(super) trait Part: Sized {
    /// The keys.
    const KEYS: &'static [&'static str];

    /// Takes them out of that type's map.
    fn take(keys: &Keys<'_>, decoder: &mut Decoder) -> Option<Self>;
}

/// Makes a struct a [`Part`].
macro_rules! part {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::inventory::decode::Part for $name {
            const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn take(
                keys: &$crate::inventory::decode::Keys<'_>,
                decoder: &mut $crate::inventory::decode::Decoder,
            ) -> Option<Self> {
                $(let $field = keys.take(stringify!($field), decoder);)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

/// Decodes a struct: all its fields, each under its own name. The struct literal makes sure that none is
/// forgotten. `needed` stands behind a list that must be written, and `: Type..` behind a [`Part`]; with
/// `or default`, the whole may be left out.
macro_rules! shape {
    ($name:ident { $($field:ident $($needed:ident)? $(: $part:ident ..)?),* $(,)? } $(or $default:ident)?) => {
        impl $crate::inventory::decode::Decode for $name {
            fn decode(
                node: &$crate::inventory::tree::Node,
                decoder: &mut $crate::inventory::decode::Decoder,
            ) -> Option<Self> {
                let known: &[&[&str]] = &[$(shape!(# $field $($part)?)),*];
                let keys = $crate::inventory::decode::Keys::open(node, known, decoder)?;
                $(let $field = shape!(@ keys, decoder, $field $($needed)? $(: $part)?);)*
                Some(Self { $($field: $field?),* })
            }

            $(fn absent() -> Option<Self> {
                Some(Self::$default())
            })?
        }
    };
    (@ $keys:ident, $decoder:ident, $field:ident) => { $keys.take(stringify!($field), $decoder) };
    (@ $keys:ident, $decoder:ident, $field:ident needed) => { $keys.need(stringify!($field), $decoder) };
    (@ $keys:ident, $decoder:ident, $field:ident : $part:ident) => {
        <$part as $crate::inventory::decode::Part>::take(&$keys, $decoder)
    };
    (# $field:ident) => { &[stringify!($field)] };
    (# $field:ident $part:ident) => { <$part as $crate::inventory::decode::Part>::KEYS };
}

/// Decodes an enum from words.
macro_rules! words {
    ($name:ident { $($word:literal => $variant:ident),* $(,)? } $(or $default:ident)?) => {
        impl $crate::inventory::decode::Decode for $name {
            fn decode(
                node: &$crate::inventory::tree::Node,
                decoder: &mut $crate::inventory::decode::Decoder,
            ) -> Option<Self> {
                let known = [$($word),*];
                match $crate::inventory::decode::word(node, &known, decoder)? {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }

            $(fn absent() -> Option<Self> {
                Some(Self::$default())
            })?
        }
    };
}

pub(super) use {part, shape, words};

/// A scalar that must be one of some words.
pub(super) fn word<'n>(node: &'n Node, known: &[&str], decoder: &mut Decoder) -> Option<&'n str> {
    let text = text(node, decoder, &format!("one of {}", listed(known)))?;
    if known.contains(&text) {
        return Some(text);
    }
    let help = match closest(text, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    decoder.refuse("unknown-value", node, format!("unknown value `{}`", text), &help);
    None
}

impl<T: Decode> Decode for At<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let place = decoder.place(node.span);
        T::decode(node, decoder).map(|value| At { value, place })
    }

    fn absent() -> Option<Self> {
        T::absent().map(At::nowhere)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        T::decode(node, decoder).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Body::List(items) = &node.body else {
            decoder.wrong_type(node, "a list");
            return None;
        };
        let decoded: Vec<Option<T>> =
            items.iter().map(|item: &Rc<Node>| decoder.value(item.span, item)).collect();
        decoded.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

impl<T: Decode> Decode for BTreeMap<String, At<T>> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Body::Map(entries) = &node.body else {
            decoder.wrong_type(node, "a map of names");
            return None;
        };
        let mut whole = true;
        let mut section = BTreeMap::new();
        for Entry { key, value } in entries {
            decoder.check_name(key);
            match decoder.value(key.span, value) {
                Some(value) => {
                    section.insert(key.text.clone(), At { value, place: decoder.place(key.span) });
                }
                None => whole = false,
            }
        }
        whole.then_some(section)
    }

    fn absent() -> Option<Self> {
        Some(BTreeMap::new())
    }
}
