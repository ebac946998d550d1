//! Where a thing lives: target, collection, name. An address is stable across runs and printable.

use std::fmt;

/// One machine or service that is read and written as a whole, such as `gateway pool-gw`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// The inventory's word for it: `gateway`, `broker`, `host`, `pki`.
    pub kind: String,
    /// The name the inventory gives it.
    pub name: String,
}

impl Target {
    /// A target from its kind and its name in the inventory.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A resource within its target: collection (such as `file`) and name (such as a path).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// The collection's name, from the provider's table.
    pub collection: String,
    /// The resource's name within the collection.
    pub name: String,
}

impl Key {
    /// A key from collection and name.
    pub fn new(collection: impl Into<String>, name: impl Into<String>) -> Self {
        Self { collection: collection.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.collection, self.name)
    }
}

/// The full address of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The target it belongs to.
    pub target: Target,
    /// Its place within the target.
    pub key: Key,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.target, self.key)
    }
}
