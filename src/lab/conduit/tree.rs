//! Changing a tree of settings the way the Conduit's API does: objects are merged, the rest is replaced, and
//! neither new names nor other types are taken.

use serde_json::Value;

/// Why a request is not carried out: HTTP status and the `error` text.
pub type Refusal = (u16, String);

pub(super) fn bad(reason: impl Into<String>) -> Refusal {
    (400, reason.into())
}

pub(super) fn not_found() -> Refusal {
    (404, "Path not found".to_owned())
}

/// What stands at a path below `tree`; numbers are indexes of lists.
pub(super) fn at<'a>(tree: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

pub(super) fn at_mut<'a>(tree: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(tree, |value, name| match value {
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        other => other.get_mut(name),
    })
}

/// Merges `patch` into `tree`; nothing is changed when it is refused. That unknown names are refused is the
/// simulation's choice: what the device does with them was never recorded, and a wrong name must not pass.
///
/// # Errors
/// 400, naming the property.
pub(super) fn merge(tree: &mut Value, patch: &Value) -> Result<(), Refusal> {
    check(tree, patch, "")?;
    put(tree, patch);
    Ok(())
}

fn check(tree: &Value, patch: &Value, name: &str) -> Result<(), Refusal> {
    match (tree, patch) {
        (Value::Object(tree), Value::Object(patch)) => patch.iter().try_for_each(|(name, patch)| {
            let known = tree.get(name).ok_or_else(|| bad(format!("[{name}] property is not known")))?;
            check(known, patch, name)
        }),
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        _ if std::mem::discriminant(tree) == std::mem::discriminant(patch) => Ok(()),
        _ => Err(bad(format!("[{name}] property has the wrong type"))),
    }
}

fn put(tree: &mut Value, patch: &Value) {
    match (tree, patch) {
        (Value::Object(tree), Value::Object(patch)) => {
            for (name, patch) in patch {
                put(tree.entry(name.clone()).or_insert(Value::Null), patch);
            }
        }
        (tree, patch) => *tree = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_merge_and_lists_are_replaced() {
        let mut tree = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
        merge(&mut tree, &json!({"a": {"c": [3]}})).unwrap();
        assert_eq!(tree, json!({"a": {"b": 1, "c": [3]}, "d": "x"}));
    }

    #[test]
    fn a_refused_patch_changes_nothing() {
        let before = json!({"a": 1, "b": {"c": true}});
        for patch in [json!({"a": 2, "b": {"c": "yes"}}), json!({"a": 2, "x": 1}), json!([])] {
            let mut tree = before.clone();
            assert_eq!(merge(&mut tree, &patch).unwrap_err().0, 400, "{patch}");
            assert_eq!(tree, before);
        }
    }
}
