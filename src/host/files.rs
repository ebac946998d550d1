//! Files as fields of a resource: `content`, `mode`, `owner`, `group`. The resource's name is the path.
//!
//! Content is seen as a digest, so that no secret travels back to be compared.

use std::collections::BTreeMap;

use super::{Answer, Ask, FileFacts, FileKind, Order};
use crate::model::{Action, Change, Fields, Key, Secret, Value, Verifier};
use crate::transport::Reading;

/// The fields of a wished file. The mode is written as hosts report it, without leading zeros.
pub fn wish(content: Value, mode: &str, owner: &str, group: &str) -> Fields {
    let mode = mode.trim_start_matches('0');
    let mode = if mode.is_empty() { "0" } else { mode };
    let texts = [("mode", mode), ("owner", owner), ("group", group)];
    let mut fields: Fields = texts.map(|(name, text)| (name.to_owned(), Value::text(text))).into();
    fields.insert("content".to_owned(), content);
    fields
}

/// The fields of what stands at a path. What is no regular file says what it is in place of its content.
pub fn seen(facts: &FileFacts) -> Fields {
    let content = match (facts.kind, &facts.sha256) {
        (FileKind::Regular, Some(digest)) => Value::Verifier(Verifier::Sha256(digest.clone())),
        (FileKind::Regular, None) => Value::text("(a file of unknown content)"),
        (FileKind::Directory, _) => Value::text("(a directory)"),
        (FileKind::Link, _) => Value::text("(a symbolic link)"),
        (FileKind::Other, _) => Value::text("(neither a file nor a directory)"),
    };
    wish(content, &facts.mode, &facts.owner, &facts.group)
}

/// The order that brings a file to its wish: its bytes when they differ or it is not there, else mode and
/// owner.
///
/// # Errors
/// When the wish lacks a field or its content is not made yet.
pub fn order(change: &Change, wished: &Fields) -> Result<Order, String> {
    let path = change.address.key.name.clone();
    let differs = |name: &str| change.after.as_ref().is_some_and(|after| after.contains_key(name));
    let text = |name: &str| {
        let text = wished.get(name).and_then(Value::as_text).map(str::to_owned);
        text.ok_or_else(|| format!("no {name} is wished of {path}"))
    };
    if change.action == Action::Delete {
        return Ok(Order::Remove { path });
    }
    let (mode, owner, group) = (text("mode")?, text("owner")?, text("group")?);
    if !differs("content") {
        return Ok(Order::Own { path, mode, owner, group });
    }
    let content = bytes(wished).ok_or_else(|| format!("no content is wished of {path}"))?;
    Ok(Order::Put { path, content, mode, owner, group })
}

/// The order that makes a folder anybody may read, with its parents.
pub fn folder(path: &str) -> Order {
    let root = || "root".to_owned();
    Order::Directory { path: path.to_owned(), mode: "0755".to_owned(), owner: root(), group: root() }
}

/// The bytes a file is to have; `None` when they are not wished or not made yet.
pub fn bytes(wished: &Fields) -> Option<Secret> {
    match wished.get("content") {
        Some(Value::Text(text)) => Some(Secret::new(text.as_str(), "content")),
        Some(Value::Secret(secret)) => Some(secret.clone()),
        _ => None,
    }
}

/// The present contents of those resources that are files (in `collections`), in one exec, for a plan's
/// difference. What is not text or cannot be read is left out, and so is what not everybody on the host may
/// read: it may hold a password that nobody told us of, and a plan is shown and kept. Files at `open` hold
/// none, whatever their mode.
///
/// # Errors
/// Why nothing could be asked.
pub async fn contents(
    keys: &[Key],
    collections: &[&str],
    open: &[&str],
    hand: Reading<'_>,
) -> anyhow::Result<BTreeMap<Key, Fields>> {
    let files: Vec<&Key> = keys.iter().filter(|key| collections.contains(&key.collection.as_str())).collect();
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let paths = || files.iter().map(|key| key.name.clone());
    let facts = paths().map(|path| Ask::File { path });
    let asks: Vec<Ask> = facts.chain(paths().map(|path| Ask::Content { path })).collect();
    let answers = hand.ask(&asks).await?;
    let (facts, contents) = answers.split_at(files.len().min(answers.len()));
    let text = |key: &Key, facts: &Answer, content: &Answer| match (facts, content) {
        (Answer::File(Some(facts)), Answer::Content(Some(content)))
            if is_for_everybody(&facts.mode) || open.contains(&key.name.as_str()) =>
        {
            content.reveal_text().map(str::to_owned)
        }
        _ => None,
    };
    let read = files.iter().zip(facts.iter().zip(contents)).filter_map(|(key, (facts, content))| {
        let content = Value::Text(text(key, facts, content)?);
        Some(((*key).clone(), Fields::from([("content".to_owned(), content)])))
    });
    Ok(read.collect())
}

/// Whether a mode in octal lets others read.
fn is_for_everybody(mode: &str) -> bool {
    u32::from_str_radix(mode, 8).is_ok_and(|mode| mode & 0o004 != 0)
}
