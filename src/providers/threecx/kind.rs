//! What one kind of object of a PBX must say of itself: how it is wished, read, made and changed.

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::directory::Directory;
use crate::inventory::{Pbx, Place};
use crate::model::{Fields, Key, Origin, Resource, Resources};
use crate::providers::{Fault, Lookup};
use crate::transport::Writing;
use crate::transport::http::HttpFault;

/// What `desire` gathers from the inventory.
pub struct Wishing<'a> {
    /// The telephone system.
    pub pbx: &'a Pbx,
    /// Secrets.
    pub lookup: &'a dyn Lookup,
    /// The repository's folder: prompts lie in `inventory/prompts`.
    pub root: &'a std::path::Path,
    /// Wished resources so far.
    pub resources: Resources,
    /// Faults so far.
    pub faults: Vec<Fault>,
}

impl Wishing<'_> {
    /// Adds a resource with where it and its fields were written.
    pub fn add(
        &mut self,
        collection: &'static str,
        name: &str,
        fields: Fields,
        summary: String,
        origin: Origin,
    ) {
        let resource = Resource { fields, summary, origin, ..Resource::default() };
        self.resources.insert(Key::new(collection, name), resource);
    }
}

/// An origin of which only the whole is known so far.
pub fn origin(place: &Place) -> Origin {
    Origin { whole: place.to_string(), ..Origin::default() }
}

/// An object as it was seen.
pub struct Seen {
    /// Its name in the inventory: a number, or the key its title has there.
    pub name: String,
    /// Its fields in the inventory's words. `id` holds the PBX's own key of it (`Int` or `Text`); nobody wishes it.
    pub fields: Fields,
    /// Whether it belongs to the system: never deleted, never named as unmanaged.
    pub system: bool,
}

/// Why a body could not be made: a sentence.
pub type Unmade = String;

/// One kind of object.
pub trait Kind: Send + Sync {
    /// Its collection in the provider's table.
    fn collection(&self) -> &'static str;

    /// Its set in XAPI, such as `Users`.
    fn set(&self) -> &'static str;

    /// `$select`, `$expand` and `$filter` of a read for a version (the digits of `20.0.10` as a tuple); never a
    /// secret. `None` when this version does not have the set.
    fn query(&self, version: (u16, u16, u16)) -> Option<String>;

    /// The entity's key in a URL: `28`, `'PARIS01'`.
    fn url_key(&self, entity: &Json) -> Option<String> {
        entity["Id"].as_i64().map(|id| id.to_string())
    }

    /// Adds what the inventory wishes.
    fn wish(&self, wishing: &mut Wishing<'_>);

    /// Reads an entity. `None` for what rocade does not know of (hidden groups, hot-desking users).
    fn see(&self, entity: &Json, directory: &Directory) -> Option<Seen>;

    /// The body that makes the object so that others can refer to it; the rest follows by [`Kind::change`].
    ///
    /// # Errors
    /// Why it cannot be made.
    fn create(&self, name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade>;

    /// The fields that [`Kind::create`] gives already.
    fn created_with(&self) -> &'static [&'static str];

    /// The body of the PATCH that gives `fields` (those that differ); `entity` is what was just read, for
    /// values that are written whole.
    ///
    /// # Errors
    /// Why it cannot be changed so, such as a reference to nobody.
    fn change(
        &self,
        name: &str,
        fields: &Fields,
        entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade>;

    /// The field of the inventory that a property of XAPI stands for, for words about errors.
    fn field_of(&self, property: &str) -> Option<&'static str>;

    /// Makes the object by other means than a POST to its set, when it needs them (a prompt is uploaded, a
    /// trunk begins with a template). Gives the entity made.
    fn make<'a>(
        &'a self,
        _name: &'a str,
        _wished: &'a Fields,
        _directory: &'a Directory,
        _root: &'a std::path::Path,
        _hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        None
    }
}

/// Why [`Kind::make`] made nothing.
pub enum Made {
    /// The body could not be made.
    Unmade(Unmade),
    /// The PBX did not take it.
    Fault(HttpFault),
}
