//! References between entries are by name. They are read from the tree, so that a dangling one is found
//! also in an entry that has other faults.

use super::decode::{Decoder, Guesses};
use super::load::Written;
use super::tree::{Body, Node, Scalar};
use super::{Diagnostic, Place};

/// Where references stand: section, path of keys in an entry, section they point into.
const REFERENCES: [(&str, &[&str], &str); 5] = [
    ("gateways", &["site"], "sites"),
    ("gateways", &["relay", "broker"], "brokers"),
    ("sensors", &["gateway"], "gateways"),
    ("hosts", &["site"], "sites"),
    ("pbx", &["site"], "sites"),
];

/// A name that must be one of a section.
pub(super) struct Reference {
    section: &'static str,
    name: String,
    place: Place,
    length: u32,
}

/// The references of one file.
pub(super) fn collect(root: &Node, decoder: &Decoder) -> Vec<Reference> {
    let mut found = Vec::new();
    for (from, path, section) in REFERENCES {
        let Some(Node { body: Body::Map(entries), .. }) = root.get(from) else { continue };
        for entry in entries {
            let node = path.iter().try_fold(entry.value.as_ref(), |node, key| node.get(key));
            let Some(node) = node.filter(|node| !node.is_empty()) else { continue };
            if let Body::Scalar(Scalar { text, .. }) = &node.body {
                let place = decoder.place(node.span);
                found.push(Reference { section, name: text.clone(), place, length: node.span.length });
            }
        }
    }
    found
}

/// Adds a fault for each reference to nothing.
pub(super) fn check(references: &[Reference], written: &Written, found: &mut Vec<Diagnostic>) {
    let mut guesses = Guesses::default();
    for Reference { section, name, place, length } in references {
        if written.has(section, name) {
            continue;
        }
        let message = format!("there is no `{}` in `{section}`", name);
        let fault =
            Diagnostic::error("dangling-reference", message).spanning(place.clone(), *length, "not found");
        let help = match guesses.closest(name, written.names(section)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if written.names(section).nth(8).is_none() && written.any(section) => {
                format!("there are: {}", written.names(section).collect::<Vec<_>>().join(", "))
            }
            None => format!("write it under `{section}`, or correct the name"),
        };
        found.push(fault.help(help));
    }
}
