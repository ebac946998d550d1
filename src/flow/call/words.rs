//! How steps name what a call meets.

use super::Object;
use crate::inventory::{At, NumberText, Pbx, Prompt};

/// An object: `ring group 800 Sales`, `trunk operator (Operator)`.
pub(super) fn object(object: &Object) -> String {
    let kind = match object.kind {
        "ring_group" => "ring group",
        "inbound_rule" => "inbound rule",
        "outbound_rule" => "outbound rule",
        "ivr" => "IVR",
        kind => kind,
    };
    let numbered = object.name.starts_with(|first: char| first.is_ascii_digit());
    let title = match (object.title.as_str(), numbered) {
        ("", _) => String::new(),
        (title, true) => format!(" {title}"),
        (title, false) => format!(" ({title})"),
    };
    format!("{kind} {}{title}", object.name)
}

/// The name of an extension for people; empty when it is not known.
pub(super) fn person(pbx: &Pbx, number: &str) -> String {
    pbx.extensions.get(number).map_or_else(String::new, |one| {
        let last = one.last_name.as_deref().unwrap_or_default();
        format!("{} {last}", one.first_name).trim_end().to_owned()
    })
}

/// An extension with its name, and whether it can ring.
pub(super) fn who(pbx: &Pbx, number: &str) -> String {
    match pbx.extensions.get(number) {
        Some(one) if one.enabled == Some(false) => format!("{number} {} (disabled)", person(pbx, number)),
        Some(_) => format!("{number} {}", person(pbx, number)),
        None if pbx.extensions.written => format!("{number} (not there)"),
        None => number.to_owned(),
    }
}

/// Several extensions, in order.
pub(super) fn all(pbx: &Pbx, numbers: &[At<NumberText>], between: &str) -> String {
    let all: Vec<String> = numbers.iter().map(|number| who(pbx, &number.0.0)).collect();
    all.join(between)
}

/// The name of a prompt.
pub(super) fn prompt(prompt: &Prompt) -> &str {
    match prompt {
        Prompt::File(name) | Prompt::OnPbx(name) => name,
    }
}
