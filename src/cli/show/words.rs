//! Values and changes in the space of a line. A secret is shown by its name, never by what it is.

use similar::{ChangeTag, TextDiff};

use crate::model::{Action, Change, Impact, Value};
use crate::plan::same;

const DETAIL_WIDTH: usize = 60;

/// What those who use the target notice.
pub(super) fn impact(impact: &Impact) -> String {
    match impact {
        Impact::None => String::new(),
        Impact::Reload(service) => format!("reloads {service}"),
        Impact::Restart(service) => format!("restarts {service}"),
        Impact::Interrupts(what) => format!("interrupts {what}"),
    }
}

/// What changes, in the space of a line.
pub fn detail(change: &Change) -> String {
    match change.action {
        Action::Create | Action::Delete => change.summary.clone(),
        Action::Wake => {
            let cause = change.because.first().map(ToString::to_string).unwrap_or_default();
            match change.because.len() {
                0 | 1 => format!("because of {cause}"),
                more => format!("because of {cause} and {} more", more - 1),
            }
        }
        Action::Update => {
            let (Some(before), Some(after)) = (&change.before, &change.after) else {
                return change.summary.clone();
            };
            let mut parts: Vec<String> =
                after.iter().map(|(name, value)| field_detail(name, before.get(name), value)).collect();
            let more = parts.len().saturating_sub(2);
            parts.truncate(2);
            let more = if more > 0 { format!(", {more} more") } else { String::new() };
            format!("{}{more}", parts.join(", "))
        }
    }
}

fn field_detail(name: &str, before: Option<&Value>, after: &Value) -> String {
    match (before, after) {
        (Some(Value::Text(before)), Value::Text(after)) if before.contains('\n') || after.contains('\n') => {
            let (plus, minus) = counts(before, after);
            format!("{name} +{plus} -{minus} lines")
        }
        (Some(Value::Verifier(_)) | None, Value::Text(after)) if after.contains('\n') => {
            format!("{name} differs")
        }
        (_, Value::Secret(_)) => format!("{name} differs (secret)"),
        _ => {
            let before = before.unwrap_or(&Value::Null);
            let (name, before, after) = differing(name.to_owned(), before, after);
            format!("{name} {} -> {}", shorten(&words(before)), shorten(&words(after)))
        }
    }
}

/// The part of a field in which it differs, when the whole is too long for a line and it is only one part.
fn differing<'a>(name: String, before: &'a Value, after: &'a Value) -> (String, &'a Value, &'a Value) {
    let fits = |value: &Value| words(value).chars().count() <= DETAIL_WIDTH;
    if fits(before) && fits(after) {
        return (name, before, after);
    }
    let mut parts: Vec<(String, &Value, &Value)> = match (before, after) {
        (Value::Map(old), Value::Map(new)) => {
            let pair = |(own, value)| (format!("{name}.{own}"), old.get(own).unwrap_or(&Value::Null), value);
            new.iter().map(pair).collect()
        }
        (Value::List(old), Value::List(new)) if old.len() == new.len() => {
            let pair = |(at, (old, new))| (format!("{name}[{}]", at + 1), old, new);
            old.iter().zip(new).enumerate().map(pair).collect()
        }
        _ => return (name, before, after),
    };
    parts.retain(|(_, old, new)| !same(new, old));
    match parts.pop() {
        Some((name, before, after)) if parts.is_empty() => differing(name, before, after),
        _ => (name, before, after),
    }
}

fn counts(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

/// A value.
pub(super) fn words(value: &Value) -> String {
    match value {
        Value::Null => "(unset)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::List(values) => format!("[{}]", values.iter().map(words).collect::<Vec<_>>().join(", ")),
        Value::Map(fields) => {
            let inner: Vec<String> = fields.iter().map(|(name, v)| format!("{name}: {}", words(v))).collect();
            format!("{{{}}}", inner.join(", "))
        }
        Value::Secret(secret) => format!("(secret {})", secret.source()),
        Value::Verifier(_) => "(not shown)".to_owned(),
        Value::Pending(by) => format!("(made by this apply: {by})"),
    }
}

/// The first line of a text, cut where it is too long for a line.
pub(super) fn shorten(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.chars().count() <= DETAIL_WIDTH && first.len() == text.trim_end().len() {
        return first.to_owned();
    }
    format!("{}...", first.chars().take(DETAIL_WIDTH - 3).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fields;

    fn map(fields: &[(&str, Value)]) -> Value {
        Value::Map(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Fields>())
    }

    #[test]
    fn of_a_long_field_the_part_is_shown_that_differs() {
        let long = "a destination with a name that takes most of the space of a line";
        let key = |number: &str, to: &str| map(&[("key", number.into()), ("to", to.into())]);
        let keys = |last: &str| Value::List(vec![key("1", long), key("2", last)]);
        let shown = field_detail("keys", Some(&keys("repeat")), &keys("end"));
        assert_eq!(shown, "keys[2] {key: 2, to: repeat} -> {key: 2, to: end}");
        // What is there beside the wish is no difference.
        let there = |ring: &str| map(&[("away", long.into()), ("ring", ring.into())]);
        let before = map(&[("available", there("20s")), ("other", long.into())]);
        let after = map(&[("available", there("25s"))]);
        assert_eq!(field_detail("forwarding", Some(&before), &after), "forwarding.available.ring 20s -> 25s");
        // Two parts are shown as the whole.
        let both = map(&[("available", there("25s")), ("other", "x".into())]);
        assert!(field_detail("forwarding", Some(&before), &both).starts_with("forwarding {available: "));
    }
}
