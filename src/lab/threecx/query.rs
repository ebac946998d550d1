//! OData query options as a 3CX takes them: `$top`, `$skip`, `$filter`, `$search`, `$orderby`, `$count`,
//! `$select`, `$expand`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::types::{Kind, property_of};

/// The options of a request.
#[derive(Debug, Default)]
pub struct Options {
    pub top: Option<usize>,
    pub skip: usize,
    pub filter: Option<String>,
    pub search: Option<String>,
    pub count: bool,
    pub select: Vec<String>,
    pub expand: BTreeMap<String, Options>,
}

/// Percent-decoding of a URL's part; `+` is a space in a query.
pub fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let mut bytes = Vec::new();
    let mut rest = spaced.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match (first, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Options {
    /// The options of a query string.
    ///
    /// # Errors
    /// Which one is wrong.
    pub fn parse(query: &str) -> Result<Self, String> {
        Self::of(query.split('&').filter(|part| !part.is_empty()).map(decoded).collect())
    }

    fn of(parts: Vec<String>) -> Result<Self, String> {
        let mut options = Self::default();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(format!("`{part}` is no query option"))?;
            let number = || value.parse::<usize>().map_err(|_| format!("{name} takes a number"));
            match name {
                "$top" => options.top = Some(number()?),
                "$skip" => options.skip = number()?,
                "$filter" => options.filter = Some(value.to_owned()),
                "$search" => options.search = Some(value.trim_matches('"').to_lowercase()),
                "$count" => options.count = value == "true",
                "$orderby" => {}
                "$select" => options.select = split(value, ',').map(str::to_owned).collect(),
                "$expand" => {
                    for one in split(value, ',') {
                        let (name, inner) = one.split_once('(').unwrap_or((one, ""));
                        let inner = inner.strip_suffix(')').unwrap_or(inner);
                        let inner = Self::of(
                            split(inner, ';').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
                        )?;
                        options.expand.insert(name.to_owned(), inner);
                    }
                }
                _ => return Err(format!("{name} is not known")),
            }
        }
        Ok(options)
    }
}

/// Splits outside parentheses.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == at && depth == 0
    })
}

/// An entity as the options ask for it: nulls left out, navigations only when expanded.
///
/// # Errors
/// A property that is not known.
pub fn project(entity: &str, row: &Value, options: &Options, patch: u16) -> Result<Value, String> {
    let unknown = options
        .select
        .iter()
        .chain(options.expand.keys())
        .find(|name| property_of(entity, name, patch).is_none());
    if let Some(name) = unknown {
        return Err(format!("Could not find a property named '{name}' on type 'Pbx.{entity}'."));
    }
    let Value::Object(row) = row else { return Ok(row.clone()) };
    let mut shown = Map::new();
    for (name, value) in row {
        let Some(property) = property_of(entity, name, patch) else { continue };
        let chosen = options.select.is_empty() || options.select.contains(name);
        if value.is_null() {
            continue;
        }
        if property.navigation {
            let Some(inner) = options.expand.get(name) else { continue };
            let value = match (&property.kind, value) {
                (Kind::List(kind), Value::Array(rows)) => {
                    let of = |row: &Value| nested(kind, row, inner, patch);
                    Value::Array(rows.iter().map(of).collect::<Result<_, _>>()?)
                }
                (kind, value) => nested(kind, value, inner, patch)?,
            };
            shown.insert(name.clone(), value);
        } else if chosen {
            shown.insert(name.clone(), without_nulls(value));
        }
    }
    Ok(Value::Object(shown))
}

fn nested(kind: &Kind, row: &Value, options: &Options, patch: u16) -> Result<Value, String> {
    match kind {
        Kind::Entity(entity) => project(entity, row, options, patch).map(|row| without_nulls(&row)),
        _ => Ok(row.clone()),
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Whether a row passes `$filter`: `Name eq 'x'`, `contains(Name,'x')`, `startswith(..)`, joined by `and`.
///
/// # Errors
/// What is not understood.
pub fn passes(filter: &str, row: &Value) -> Result<bool, String> {
    let mut all = true;
    for term in filter.split(" and ").map(str::trim) {
        all &= term_passes(term, row)?;
    }
    Ok(all)
}

fn term_passes(term: &str, row: &Value) -> Result<bool, String> {
    let literal = |text: &str| text.trim().trim_matches('\'').replace("''", "'");
    type Test = fn(&str, &str) -> bool;
    let tests: [(&str, Test); 2] = [
        ("contains(", |text, part| text.contains(part)),
        ("startswith(", |text, part| text.starts_with(part)),
    ];
    for (function, test) in tests {
        if let Some((name, part)) =
            term.strip_prefix(function).and_then(|rest| rest.strip_suffix(')')?.split_once(','))
        {
            return Ok(test(row[name.trim()].as_str().unwrap_or_default(), &literal(part)));
        }
    }
    let (name, value) = term.split_once(" eq ").ok_or(format!("`{term}` is not understood"))?;
    let (name, lower) = match name.trim().strip_prefix("tolower(").and_then(|rest| rest.strip_suffix(')')) {
        Some(name) => (name, true),
        None => (name.trim(), false),
    };
    Ok(match &row[name] {
        Value::String(text) if lower => text.to_lowercase() == literal(value),
        Value::String(text) => *text == literal(value),
        Value::Null => value.trim() == "null",
        other => serde_json::from_str::<Value>(value.trim()).is_ok_and(|wanted| wanted == *other),
    })
}
