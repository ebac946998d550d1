//! What is wished of a target and what was seen of it.

use std::collections::BTreeMap;

use super::{Fields, Impact, Key, Target};

/// Whether a collection's resources that nobody wished are ours to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owns {
    /// The whole collection is ours: what is not wished goes.
    Whole,
    /// Only the resources named in the wish are ours: the plan names the rest and leaves it.
    Listed,
    /// Only the resources named in the wish are ours: the rest is not spoken of.
    Kept,
}

/// One row of a provider's static table.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// The name, as in `file`, `sensor`, `account`.
    pub name: &'static str,
    /// Who owns what nobody wished.
    pub owns: Owns,
    /// The order of writing within a target: low first, deletes in the reverse order after the rest.
    pub rank: u8,
    /// The resource that must act when one of this collection is deleted: collection and name.
    pub wakes_on_delete: Option<(&'static str, &'static str)>,
    /// Fields a device takes but never shows; compared as equal while the resource exists.
    pub write_only: &'static [&'static str],
}

/// One wished resource.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// The fields that are wished; fields not named here are left as they are.
    pub fields: Fields,
    /// What a change of it does to those who use the target.
    pub impact: Impact,
    /// The resource (a service, a saved state) that must act when this one changes.
    pub wakes: Option<Key>,
    /// Words for the plan's line, such as `DevEUI 0018b21000004a2f`.
    pub summary: String,
    /// Where it was written.
    pub origin: Origin,
}

/// Where a wished resource and its fields were written, as `file:line:column`; empty where nobody said.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The resource.
    pub whole: String,
    /// Fields by name.
    pub fields: BTreeMap<String, String>,
}

impl Origin {
    /// The place of a field, or of the resource when the field has none of its own.
    pub fn of(&self, field: &str) -> &str {
        self.fields.get(field).unwrap_or(&self.whole)
    }
}

/// Wished resources by place.
pub type Resources = BTreeMap<Key, Resource>;

/// All that is wished of one target.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The target.
    pub target: Target,
    /// The provider's kind, the key of its table.
    pub provider: &'static str,
    /// The order among targets: low first (`pki` 0, brokers 10, hosts 20, gateways 30).
    pub rank: u8,
    /// Its resources.
    pub resources: Resources,
    /// Collections of which another share is ours than the provider's table says.
    pub owns: BTreeMap<&'static str, Owns>,
    /// Collections of which the wish is not known, and why: what they are filled from could not be read. They stay as
    /// they are.
    pub unknown: BTreeMap<&'static str, String>,
}

impl Wish {
    /// A wish that owns what the provider's table says.
    pub fn new(target: Target, provider: &'static str, rank: u8, resources: Resources) -> Self {
        Self { target, provider, rank, resources, owns: BTreeMap::new(), unknown: BTreeMap::new() }
    }

    /// Who owns what nobody wished in a collection.
    pub fn share_of(&self, collection: &Collection) -> Owns {
        self.owns.get(collection.name).copied().unwrap_or(collection.owns)
    }
}

/// A collection or resource that could not be read, and why.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Unread {
    /// The target.
    pub target: Target,
    /// The collection; `None` when nothing of the target could be read.
    pub collection: Option<String>,
    /// The resource; `None` when it is the whole collection.
    pub name: Option<String>,
    /// Why, in one line.
    pub reason: String,
}

/// All that was seen of one target. What is missing in `resources` and not in `unread` is not there.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The target.
    pub target: Target,
    /// What it calls itself, such as `MultiTech Conduit MTCDT, mPower 6.0.1`.
    pub title: String,
    /// What else was seen that decides in which words its wish is put, by name. Never compared.
    pub facts: BTreeMap<String, String>,
    /// What its clock said when it was read, Unix seconds; `None` when it was not asked.
    pub clock: Option<i64>,
    /// The fields seen, by place.
    pub resources: BTreeMap<Key, Fields>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Observed {
    /// An empty observation to fill.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            title: String::new(),
            facts: BTreeMap::new(),
            clock: None,
            resources: BTreeMap::new(),
            unread: Vec::new(),
        }
    }

    /// The observation of a target of which nothing could be read.
    pub fn unreachable(target: Target, reason: impl Into<String>) -> Self {
        let mut observed = Self::new(target);
        observed.miss(None, None, reason);
        observed
    }

    /// Notes that something could not be read.
    pub fn miss(&mut self, collection: Option<&str>, name: Option<&str>, reason: impl Into<String>) {
        self.unread.push(Unread {
            target: self.target.clone(),
            collection: collection.map(str::to_owned),
            name: name.map(str::to_owned),
            reason: reason.into(),
        });
    }

    /// Whether this place could not be read, on its own or with its collection or target.
    pub fn is_unread(&self, key: &Key) -> bool {
        self.unread.iter().any(|unread| match (&unread.collection, &unread.name) {
            (None, _) => true,
            (Some(collection), None) => *collection == key.collection,
            (Some(collection), Some(name)) => *collection == key.collection && *name == key.name,
        })
    }
}
