//! Field values: a plain tree with three special leaves (secret, verifier, pending).

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Secret, Verifier};

/// The fields of one resource by name.
pub type Fields = BTreeMap<String, Value>;

/// One value. Wished values come from the inventory, observed ones from a device.
#[derive(Clone, Debug)]
pub enum Value {
    /// Said to be unset.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text, also file contents that are not secret.
    Text(String),
    /// An ordered list.
    List(Vec<Value>),
    /// A nested map.
    Map(Fields),
    /// Wished: bytes that must not be shown.
    Secret(Secret),
    /// Observed: what can be checked against a wished secret or a wished text.
    Verifier(Verifier),
    /// Wished: made by an earlier step of the same apply (such as a certificate); says by what.
    Pending(String),
}

impl Value {
    /// Text from anything that turns into a string.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// Whether it, or a part of it, is made by an earlier step of the same apply.
    pub fn is_pending(&self) -> bool {
        match self {
            Value::Pending(_) => true,
            Value::List(values) => values.iter().any(Value::is_pending),
            Value::Map(fields) => fields.values().any(Value::is_pending),
            _ => false,
        }
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl From<Secret> for Value {
    fn from(value: Secret) -> Self {
        Value::Secret(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

/// The public form: secrets as `{"secret": source}`, verifiers as `{"unseen": true}`, pending values as
/// `{"pending": by what}`. Nothing a reader could test guesses against leaves this function.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::List(values) => values.serialize(serializer),
            Value::Map(values) => values.serialize(serializer),
            Value::Secret(secret) => leaf(serializer, "secret", secret.source()),
            Value::Verifier(_) => leaf(serializer, "unseen", &true),
            Value::Pending(by) => leaf(serializer, "pending", by),
        }
    }
}

fn leaf<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    key: &str,
    value: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}
