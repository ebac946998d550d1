//! What a text means, to hold an edit against what was meant by it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::lay::is_typed;
use crate::inventory::decode::Decoder;
use crate::inventory::tree::{self, Body, Node};

/// A text's tree without places. A scalar knows whether it stands for something else than text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    Scalar(String, bool),
    List(Vec<Meaning>),
    Map(Keys),
}

/// The keys of a map with their values.
pub(super) type Keys = Vec<(String, Meaning)>;

/// The tree of a text; `None` for one without values.
///
/// # Errors
/// When it is no YAML that an inventory may have.
pub(super) fn tree_of(text: &str) -> Result<Option<std::rc::Rc<Node>>, String> {
    let mut decoder = Decoder::new(Arc::from(""));
    let root = tree::read(text, &mut decoder);
    match decoder.found.first() {
        Some(fault) => {
            let line = fault.place().map_or(0, |place| place.line);
            Err(format!("line {line}: {}", fault.message))
        }
        None => Ok(root.filter(|root| !root.is_empty())),
    }
}

impl Meaning {
    pub(super) fn of(root: Option<&Node>) -> Self {
        root.map_or_else(|| Self::Map(Vec::new()), Self::of_node)
    }

    fn of_node(node: &Node) -> Self {
        match &node.body {
            Body::Scalar(scalar) => Self::Scalar(scalar.text.clone(), scalar.plain && is_typed(&scalar.text)),
            Body::List(items) => Self::List(items.iter().map(|item| Self::of_node(item)).collect()),
            Body::Map(entries) => {
                let own = |entry: &tree::Entry| (entry.key.text.clone(), Self::of_node(&entry.value));
                Self::Map(entries.iter().map(own).collect())
            }
        }
    }

    pub(super) fn of_json(value: &Json) -> Self {
        match value {
            Json::String(text) => Self::Scalar(text.clone(), false),
            Json::Array(items) => Self::List(items.iter().map(Self::of_json).collect()),
            Json::Object(fields) => {
                Self::Map(fields.iter().map(|(key, value)| (key.clone(), Self::of_json(value))).collect())
            }
            other => Self::Scalar(other.to_string(), true),
        }
    }

    /// Whether this says all that another does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(own, _), Self::Scalar(text, _)) => own == text,
            (Self::List(own), Self::List(items)) => {
                own.len() == items.len() && own.iter().zip(items).all(|(own, item)| own.covers(item))
            }
            (Self::Map(own), Self::Map(entries)) => entries
                .iter()
                .all(|(key, value)| own.iter().any(|(own_key, own)| own_key == key && own.covers(value))),
            _ => false,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Scalar(text, true) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Changes the map at a path, made where it is missing.
    pub(super) fn at(&mut self, path: &[&str], change: &dyn Fn(&mut Keys)) {
        if self.is_nothing() {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(entries) = self else { return };
        let Some((first, rest)) = path.split_first() else { return change(entries) };
        let index = entries.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
            entries.push(((*first).to_owned(), Self::Map(Vec::new())));
            entries.len() - 1
        });
        entries[index].1.at(rest, change);
    }
}
