//! Where keys go and what they take the place of.
//!
//! New keys come behind the last one of their map, its comments included. A comment above or behind a key stays
//! when the key's value is replaced; one inside a replaced or removed value goes with it.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::lay;
use super::proof::{Meaning, tree_of};
use crate::inventory::Place;
use crate::inventory::decode::Decoder;
use crate::inventory::tree::{self, Body, Entry, Node};

/// Sets the value at a path of keys, making the maps on the way.
///
/// # Errors
/// Why it cannot be done without touching anything else.
pub fn set(text: &str, path: &[&str], value: &Json) -> Result<String, String> {
    let Some((key, parents)) = path.split_last() else { return Err("a path has a key".to_owned()) };
    insert(text, parents, &[((*key).to_owned(), value.clone())])
}

/// Sets several keys of the map at a path, making the maps on the way; new ones come in the order given.
///
/// # Errors
/// Why it cannot be done without touching anything else.
pub fn insert(text: &str, path: &[&str], entries: &[(String, Json)]) -> Result<String, String> {
    edit(
        text,
        |body| {
            let mut changed = body.to_owned();
            let root = tree_of(body)?;
            let held = held(root.as_deref(), path);
            let (old, new): (Vec<_>, Vec<_>) =
                entries.iter().cloned().partition(|(key, _)| held.is_some_and(|map| map.get(key).is_some()));
            for (key, value) in old {
                let root = tree_of(&changed)?;
                let spot = find(&changed, root.as_deref(), path)?;
                changed = spot.replace(&changed, &key, &value)?;
            }
            if !new.is_empty() {
                let root = tree_of(&changed)?;
                changed = find(&changed, root.as_deref(), path)?.add(&changed, &new)?;
            }
            Ok(changed)
        },
        |meaning| {
            meaning.at(path, &|own| {
                for (key, value) in entries {
                    let value = Meaning::of_json(value);
                    match own.iter_mut().find(|(own, _)| own == key) {
                        Some((_, old)) => *old = value,
                        None => own.push((key.clone(), value)),
                    }
                }
            });
        },
    )
}

/// Removes the key at a path. A map that becomes empty stays, as `{}`.
///
/// # Errors
/// When there is none, or it cannot be done without touching anything else.
pub fn remove(text: &str, path: &[&str]) -> Result<String, String> {
    let Some((key, parents)) = path.split_last() else { return Err("a path has a key".to_owned()) };
    edit(
        text,
        |body| {
            let root = tree_of(body)?;
            find(body, root.as_deref(), parents)?.take(body, key)
        },
        |meaning| meaning.at(parents, &|own| own.retain(|(own, _)| own != key)),
    )
}

/// Adds items to the list at a path, behind those it has. A list that is not there is made.
///
/// # Errors
/// Why it cannot be done without touching anything else.
pub fn push(text: &str, path: &[&str], items: &[String]) -> Result<String, String> {
    let Some((key, parents)) = path.split_last() else { return Err("a path has a key".to_owned()) };
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = tree_of(body)?;
    let list = match held(root.as_deref(), path) {
        None => return set(text, path, &Json::from(items)),
        Some(node) => node,
    };
    let Body::List(own) = &list.body else { return Err(format!("`{}` is no list", path.join("."))) };
    edit(
        text,
        |body| {
            let spot = find(body, root.as_deref(), parents)?;
            let (_, entry) = spot.entry(key)?;
            if is_alias(entry) {
                return Err(format!("`{key}` is an alias; write it out"));
            }
            let end = end_of(body, entry);
            let written: Vec<String> = items.iter().map(|item| lay::text(item)).collect();
            Ok(match own.last() {
                Some(last) if is_flow(body, list) => {
                    let behind = end_of_node(body, last, last.bytes.start);
                    put(body, behind, &format!(", {}", written.join(", ")))
                }
                None => put(body, list.bytes.start + 1, &written.join(", ")),
                Some(last) => {
                    let line = body[..last.bytes.start].rfind('\n').map_or(0, |at| at + 1);
                    let dash = body[line..].find('-').ok_or("a list without dashes")?;
                    let new =
                        written.iter().map(|item| format!("{}- {item}{}", " ".repeat(dash), line_end(body)));
                    let at = next_line(body, end);
                    let gap = if body[..at].ends_with('\n') { "" } else { line_end(body) };
                    put(body, at, &format!("{gap}{}", new.collect::<String>()))
                }
            })
        },
        |meaning| {
            meaning.at(parents, &|entries| {
                if let Some((_, Meaning::List(own))) = entries.iter_mut().find(|(own, _)| own == key) {
                    own.extend(items.iter().map(|item| Meaning::of_json(&Json::from(item.as_str()))));
                }
            });
        },
    )
}

/// Adds lines of YAML, written from the first column on, to the map at a path, which is in block style. They say
/// new keys only.
///
/// # Errors
/// Why it cannot be done without touching anything else.
pub fn append(text: &str, path: &[&str], lines: &str) -> Result<String, String> {
    let added = tree_of(lines)?;
    let Meaning::Map(added) = Meaning::of(added.as_deref()) else { return Err("lines of keys".to_owned()) };
    edit(
        text,
        |body| {
            let root = tree_of(body)?;
            find(body, root.as_deref(), path)?.add_lines(body, lines)
        },
        |meaning| meaning.at(path, &|own| own.extend(added.iter().cloned())),
    )
}

/// Where the key at a path stands in a text.
pub fn place_of(file: &str, text: &str, path: &[&str]) -> Option<Place> {
    let (key, parents) = path.split_last()?;
    places_of(file, text, parents).into_iter().find(|(own, _)| own == key).map(|(_, place)| place)
}

/// The keys of the map at a path and where they stand, in their order; none when there is no such map.
pub fn places_of(file: &str, text: &str, path: &[&str]) -> Vec<(String, Place)> {
    let mut decoder = Decoder::new(Arc::from(file));
    let root = tree::read(text.strip_prefix('\u{feff}').unwrap_or(text), &mut decoder);
    match held(root.as_deref(), path).map(|node| &node.body) {
        Some(Body::Map(entries)) => {
            let own = |entry: &Entry| (entry.key.text.clone(), decoder.place(entry.key.span));
            entries.iter().map(own).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a text says this at a path already: every key of a map, however it is quoted; it may say more.
pub fn says(text: &str, path: &[&str], value: &Json) -> bool {
    let root = tree_of(text.strip_prefix('\u{feff}').unwrap_or(text)).ok().flatten();
    let own = held(root.as_deref(), path).map(|node| Meaning::of(Some(node)));
    own.is_some_and(|own| own.covers(&Meaning::of_json(value)))
}

/// Edits, and proves by reading again that the text says what was meant.
fn edit(
    text: &str,
    change: impl Fn(&str) -> Result<String, String>,
    meant: impl Fn(&mut Meaning),
) -> Result<String, String> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut meaning = Meaning::of(tree_of(body)?.as_deref());
    meant(&mut meaning);
    let changed = change(body)?;
    let read =
        tree_of(&changed).map_err(|fault| format!("the text has a form that is not edited: {fault}"))?;
    if Meaning::of(read.as_deref()) != meaning {
        return Err("the text has a form that is not edited, such as an anchor used twice".to_owned());
    }
    Ok(format!("{}{changed}", &text[..text.len() - body.len()]))
}

fn held<'n>(root: Option<&'n Node>, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(root?, |node, key| node.get(key))
}

/// A map found on the way along a path, and what of the path is missing below it.
struct Spot<'n> {
    /// The map, with its entries; none where nothing is written yet.
    map: Option<(&'n Node, &'n [Entry])>,
    /// The key it stands at, none for the whole text.
    holder: Option<&'n Entry>,
    missing: Vec<String>,
    in_flow: bool,
}

fn find<'n>(text: &str, root: Option<&'n Node>, path: &[&str]) -> Result<Spot<'n>, String> {
    let missing = |rest: &[&str]| rest.iter().map(|key| (*key).to_owned()).collect();
    let Some(mut node) = root else {
        return Ok(Spot { map: None, holder: None, missing: missing(path), in_flow: false });
    };
    let (mut holder, mut in_flow) = (None, false);
    for depth in 0..=path.len() {
        in_flow |= is_flow(text, node);
        let rest = &path[depth..];
        let entries = match &node.body {
            Body::Map(entries) => entries,
            Body::Scalar(_) if node.is_empty() => {
                return Ok(Spot { map: None, holder, missing: missing(rest), in_flow });
            }
            _ => return Err(format!("`{}` is no map", path[..depth].join("."))),
        };
        let next = rest.first().and_then(|key| entries.iter().find(|entry| entry.key.text == *key));
        let Some(entry) = next else {
            return Ok(Spot { map: Some((node, entries)), holder, missing: missing(rest), in_flow });
        };
        if is_alias(entry) {
            return Err(format!("`{}` is an alias; write it out", path[..=depth].join(".")));
        }
        (holder, node) = (Some(entry), &entry.value);
    }
    Err("the path has no end".to_owned())
}

impl Spot<'_> {
    /// Entries under the keys that are missing.
    fn wrapped(&self, entries: &[(String, Json)]) -> Vec<(String, Json)> {
        self.missing.iter().rev().fold(entries.to_vec(), |inner, key| {
            vec![(key.clone(), Json::Object(inner.into_iter().collect()))]
        })
    }

    fn add(&self, text: &str, entries: &[(String, Json)]) -> Result<String, String> {
        let entries = self.wrapped(entries);
        if self.in_flow {
            return self.add_in_flow(text, &entries);
        }
        let lines = |indent| entries.iter().map(|(key, value)| lay::entry(key, value, indent)).collect();
        self.add_below(text, lines)
    }

    fn add_in_flow(&self, text: &str, entries: &[(String, Json)]) -> Result<String, String> {
        let value = lay::flow(&Json::Object(entries.iter().cloned().collect()));
        let inner = &value[1..value.len() - 1];
        match (self.map, self.holder) {
            (Some((_, [.., last])), _) => Ok(put(text, end_of(text, last), &format!(", {inner}"))),
            (Some((map, [])), _) => Ok(put(text, map.bytes.start + 1, inner)),
            (None, Some(holder)) => Ok(put(text, colon(text, holder)?, &format!(" {value}"))),
            (None, None) => Err("nothing is written".to_owned()),
        }
    }

    /// Puts whole lines below the last key, or below the key that has no value yet.
    fn add_below(&self, text: &str, lines: impl Fn(usize) -> String) -> Result<String, String> {
        let (from, indent) = match (self.map, self.holder) {
            (Some((_, entries @ [first, ..])), _) => {
                let last = entries.last().unwrap_or(first);
                (end_of(text, last), column(first))
            }
            (_, Some(holder)) => (colon(text, holder)?, column(holder) + 2),
            (_, None) => (text.len(), 0),
        };
        let at = behind_comments(text, from, indent);
        let end = line_end(text);
        let mut fresh = lines(indent);
        if end == "\r\n" {
            fresh = fresh.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        let bare = at > 0 && !text[..at].ends_with('\n');
        let gap =
            if indent == 0 && self.map.is_some() && !fresh.starts_with(['\r', '\n']) { end } else { "" };
        Ok(put(text, at, &format!("{}{gap}{fresh}", if bare { end } else { "" })))
    }

    fn add_lines(&self, text: &str, lines: &str) -> Result<String, String> {
        if self.in_flow || !self.missing.is_empty() {
            return Err("the map is not in block style, a key a line".to_owned());
        }
        self.add_below(text, |indent| {
            let deep = |line: &str| match line.trim().is_empty() {
                true => "\n".to_owned(),
                false => format!("{}{}\n", " ".repeat(indent), line.trim_end()),
            };
            lines.lines().map(deep).collect()
        })
    }

    fn entry(&self, key: &str) -> Result<(usize, &Entry), String> {
        let entries = self.map.filter(|_| self.missing.is_empty()).map(|(_, entries)| entries);
        let mut entries = entries.unwrap_or_default().iter().enumerate();
        entries.find(|(_, entry)| entry.key.text == key).ok_or_else(|| format!("there is no `{key}`"))
    }

    fn replace(&self, text: &str, key: &str, value: &Json) -> Result<String, String> {
        let (_, entry) = self.entry(key)?;
        replaced(text, entry, value, self.in_flow)
    }

    fn take(&self, text: &str, key: &str) -> Result<String, String> {
        let (index, entry) = self.entry(key)?;
        let entries = self.map.map(|(_, entries)| entries).unwrap_or_default();
        if self.in_flow {
            let range = match (index.checked_sub(1).map(|before| &entries[before]), entries.get(index + 1)) {
                (Some(before), _) => end_of(text, before)..end_of(text, entry),
                (None, Some(next)) => entry.key.bytes.start..next.key.bytes.start,
                (None, None) => entry.key.bytes.start..end_of(text, entry),
            };
            return Ok(swap(text, range, ""));
        }
        let start = text[..entry.key.bytes.start].rfind('\n').map_or(0, |at| at + 1);
        if !text[start..entry.key.bytes.start].trim().is_empty() {
            return Err(format!("`{key}` does not begin its line"));
        }
        let gone = swap(text, start..next_line(text, end_of(text, entry)), "");
        match (entries.len(), self.holder) {
            (1, Some(holder)) => Ok(put(&gone, colon(text, holder)?, " {}")),
            _ => Ok(gone),
        }
    }
}

/// The text with an entry's value replaced: a word by a word in the same quotes, all else from its colon on.
fn replaced(text: &str, entry: &Entry, value: &Json, in_flow: bool) -> Result<String, String> {
    if is_alias(entry) {
        return Err(format!("`{}` is an alias; write it out", entry.key.text));
    }
    let (colon, end) = (colon(text, entry)?, end_of(text, entry));
    let old = &entry.value;
    if let (Body::Scalar(_), Json::String(word), false) = (&old.body, value, end == colon) {
        // A literal text begins behind its mark.
        let indicated = text[colon..].trim_start_matches([' ', '\t']);
        let start = match indicated.starts_with(['|', '>']) {
            true => text.len() - indicated.len(),
            false => old.bytes.start,
        };
        let written = &text[start..end];
        let single = !word.contains(|c: char| c.is_control());
        let new = match written.chars().next() {
            Some('"') => lay::quoted(word),
            Some('\'') if single => format!("'{}'", word.replace('\'', "''")),
            _ => lay::text(word),
        };
        return Ok(swap(text, start..end, &new));
    }
    let line = next_line(text, colon);
    let on_line = in_flow || lay::fits(value, column(entry) + entry.key.text.chars().count() + 2);
    let below = old.bytes.start >= line && end > colon;
    let kept = if below { colon..line } else { end..next_line(text, end) };
    let (before, rest) = (&text[..colon], &text[kept.end.max(end)..]);
    if on_line && !below {
        return Ok(format!("{before} {}{}", lay::flow(value), &text[end..]));
    }
    // An anchor goes with its value.
    let comment = text[kept.clone()].find('#').map_or("", |at| &text[kept.start + at..kept.end]).trim_end();
    let comment = if comment.is_empty() { String::new() } else { format!(" {comment}") };
    let new_line = line_end(text);
    if on_line {
        let rest = &text[end..];
        return Ok(format!("{before} {}{comment}{}", lay::flow(value), glued(rest, new_line)));
    }
    let rest = if below { &text[next_line(text, end)..] } else { rest };
    let lines = lay::block(value, column(entry) + 2).replace('\n', new_line);
    Ok(format!("{before}{comment}{new_line}{lines}{rest}"))
}

/// What follows on the line of a value that went, or the next line.
fn glued(rest: &str, new_line: &str) -> String {
    if rest.is_empty() || rest.starts_with(['\n', '\r']) {
        rest.to_owned()
    } else {
        format!("{new_line}{rest}")
    }
}

fn is_flow(text: &str, node: &Node) -> bool {
    matches!(node.body, Body::Map(_) | Body::List(_))
        && text.get(node.bytes.start..).is_some_and(|text| text.starts_with(['{', '[']))
}

/// The value stands before its key: it is another's, by an alias.
fn is_alias(entry: &Entry) -> bool {
    !entry.value.is_empty() && entry.value.bytes.start < entry.key.bytes.end
}

fn column(entry: &Entry) -> usize {
    usize::try_from(entry.key.span.column.saturating_sub(1)).unwrap_or_default()
}

/// The byte behind a key's colon.
fn colon(text: &str, entry: &Entry) -> Result<usize, String> {
    let from = entry.key.bytes.end;
    let rest = text.get(from..).unwrap_or_default();
    let at = rest.find(':').filter(|at| rest[..*at].trim().is_empty());
    at.map(|at| from + at + 1).ok_or_else(|| format!("`{}` has no colon behind it", entry.key.text))
}

/// The byte behind the last one of an entry's value.
fn end_of(text: &str, entry: &Entry) -> usize {
    let behind = colon(text, entry).unwrap_or(entry.key.bytes.end);
    if is_alias(entry) {
        let line = text[behind..].lines().next().unwrap_or_default();
        let word = line.trim_start().find([' ', ',', '}', ']']).unwrap_or(line.trim().len());
        return behind + line.len() - line.trim_start().len() + word;
    }
    end_of_node(text, &entry.value, behind)
}

fn end_of_node(text: &str, node: &Node, behind: usize) -> usize {
    match &node.body {
        Body::Scalar(scalar) if scalar.plain && scalar.text.is_empty() => behind,
        Body::Map(_) | Body::List(_) if is_flow(text, node) => node.bytes.end,
        Body::Map(entries) => entries.last().map_or(behind, |last| end_of(text, last)),
        Body::List(items) => items.last().map_or(behind, |last| end_of_node(text, last, last.bytes.start)),
        Body::Scalar(_) => {
            let written = text.get(node.bytes.clone()).unwrap_or_default();
            node.bytes.start + written.trim_end().len()
        }
    }
}

/// Behind the line a byte is on, and behind the comments below it that are set as deep or deeper.
fn behind_comments(text: &str, from: usize, indent: usize) -> usize {
    let mut end = next_line(text, from);
    let mut at = end;
    while at < text.len() {
        let next = next_line(text, at);
        let line = &text[at..next];
        match line.trim_start() {
            "" => {}
            code if code.starts_with('#') && super::indent(line) >= indent => end = next,
            _ => break,
        }
        at = next;
    }
    end
}

fn next_line(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn put(text: &str, at: usize, new: &str) -> String {
    format!("{}{new}{}", &text[..at], &text[at..])
}

fn swap(text: &str, range: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..range.start], &text[range.end..])
}
