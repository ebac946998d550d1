//! A file that a provider places on a host, as the fields of a resource. Its content is seen as a digest
//! only, so no secret travels back to be compared.

use std::collections::BTreeMap;

use crate::host::{Answer, Ask, FileFacts, FileKind, Order, ServiceFacts};
use crate::model::{Fields, Key, Secret, Value, Verifier};
use crate::transport::Reading;

/// A file that is to be there.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    content: Option<Value>,
    mode: &'static str,
    owner: &'static str,
    group: &'static str,
}

impl Placed {
    /// A file of root's with this content; `mode` in octal without leading zeros, as hosts report it.
    pub(super) fn root(content: impl Into<Value>, mode: &'static str) -> Self {
        Self { content: Some(content.into()), mode, owner: "root", group: "root" }
    }

    /// A file of root's of which only mode and owner are wished.
    pub(super) fn bare(mode: &'static str) -> Self {
        Self { content: None, mode, owner: "root", group: "root" }
    }

    /// The same file readable by a group.
    pub(super) fn group(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    /// Its fields.
    pub(super) fn fields(self) -> Fields {
        let owned = [("mode", self.mode), ("owner", self.owner), ("group", self.group)];
        let owned = owned.map(|(name, value)| (name.to_owned(), value.into()));
        owned.into_iter().chain(self.content.map(|content| ("content".to_owned(), content))).collect()
    }
}

/// The fields of what stands at a path. What is no regular file says so and has no content.
pub(super) fn seen(facts: &FileFacts) -> Fields {
    let mut fields: Fields = [("mode", &facts.mode), ("owner", &facts.owner), ("group", &facts.group)]
        .map(|(name, value)| (name.to_owned(), value.clone().into()))
        .into();
    match (&facts.kind, &facts.sha256) {
        (FileKind::Regular, Some(sha256)) => {
            fields.insert("content".to_owned(), Value::Verifier(Verifier::Sha256(sha256.clone())));
        }
        (kind, _) => {
            fields.insert("content".to_owned(), Value::text(format!("({kind:?})").to_lowercase()));
        }
    }
    fields
}

/// The order that brings a file from what was seen to what is wished: its bytes when `differing` names
/// them (or it is not there yet), else its mode and owner.
pub(super) fn order(path: &str, wished: &Fields, differing: &Fields) -> Option<Order> {
    let text = |name: &str| wished.get(name).and_then(Value::as_text).map(str::to_owned);
    let (mode, owner, group) = (text("mode")?, text("owner")?, text("group")?);
    let path = path.to_owned();
    match differing.contains_key("content").then(|| content(wished)).flatten() {
        Some(content) => Some(Order::Put { path, content, mode, owner, group }),
        None => Some(Order::Own { path, mode, owner, group }),
    }
}

/// The bytes a file is to have; `None` when they are not wished or not made yet.
pub(super) fn content(fields: &Fields) -> Option<Secret> {
    match fields.get("content") {
        Some(Value::Text(text)) => Some(Secret::new(text.as_str(), "content")),
        Some(Value::Secret(secret)) => Some(secret.clone()),
        _ => None,
    }
}

/// Reads the present contents of files that are not secret, for a plan's difference.
///
/// # Errors
/// One line saying why nothing could be asked.
pub(super) async fn contents(keys: &[Key], hand: Reading<'_>) -> anyhow::Result<BTreeMap<Key, Fields>> {
    let files: Vec<&Key> = keys.iter().filter(|key| key.collection == "file").collect();
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let asks: Vec<Ask> = files.iter().map(|key| Ask::Content { path: key.name.clone() }).collect();
    let answers = hand.ask(&asks).await?;
    let text = |answer: Answer| match answer {
        Answer::Content(Some(content)) => content.reveal_text().map(str::to_owned),
        _ => None,
    };
    let read = files.into_iter().zip(answers).filter_map(|(key, answer)| {
        Some((key.clone(), Fields::from([("content".to_owned(), Value::Text(text(answer)?))])))
    });
    Ok(read.collect())
}

/// The fields of a service.
pub(super) fn service(facts: &ServiceFacts) -> Fields {
    [("enabled", facts.enabled), ("running", facts.running), ("current", facts.current)]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into()
}
