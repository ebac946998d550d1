//! What one kind of object of a PBX must say of itself: how it is wished, read, made and changed.

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::directory::Directory;
use crate::inventory::{At, Pbx, Place};
use crate::model::{Fields, Key, Origin, Resource, Resources, Target, Value, Wish};
use crate::providers::{Fault, Lookup};
use crate::transport::Writing;
use crate::transport::http::HttpFault;

/// The patch level of 20.0 that a field or a set came with.
pub type Patch = u16;

/// What `desire` gathers from the inventory.
pub struct Wishing<'a> {
    /// The telephone system.
    pub pbx: &'a Pbx,
    /// Secrets.
    pub lookup: &'a dyn Lookup,
    /// The repository's folder: prompts lie in `inventory/prompts`.
    pub root: &'a Path,
    /// Wished resources so far.
    pub resources: Resources,
    /// Faults so far.
    pub faults: Vec<Fault>,
    /// The target.
    pub target: &'a Target,
    /// Collections of which the wish is not known, and why.
    pub unknown: BTreeMap<&'static str, String>,
}

impl Wishing<'_> {
    /// Adds a resource.
    pub fn add(&mut self, collection: &'static str, name: &str, form: Form, summary: impl Into<String>) {
        let Form { fields, origin } = form;
        let resource = Resource { fields, summary: summary.into(), origin, ..Resource::default() };
        self.resources.insert(Key::new(collection, name), resource);
    }

    /// A secret as a wished value.
    pub fn secret(&mut self, form: &mut Form, field: &str, named: &At<crate::inventory::SecretRef>) {
        match self.lookup.secret(&named.secret) {
            Ok(found) => form.at(field, &named.place, found.into_value(Value::Secret)),
            Err(fault) => self.faults.push(fault.at(&named.place)),
        }
    }
}

/// Fields on their way into a wish, with where they were written.
#[derive(Default)]
pub struct Form {
    /// The fields.
    pub fields: Fields,
    /// Their places.
    pub origin: Origin,
}

impl Form {
    /// An empty form of an entry at a place.
    pub fn new(place: &Place) -> Self {
        Self { fields: Fields::new(), origin: Origin { whole: place.to_string(), ..Origin::default() } }
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    /// Sets a field that has a place of its own.
    pub fn at(&mut self, field: &str, place: &Place, value: impl Into<Value>) {
        self.set(field, value);
        if place.line > 0 {
            self.origin.fields.insert(field.to_owned(), place.to_string());
        }
    }

    /// Sets a field when it is written.
    pub fn option<T>(&mut self, field: &str, written: Option<&T>, value: impl FnOnce(&T) -> Value) {
        if let Some(written) = written {
            self.set(field, value(written));
        }
    }

    /// Sets a field with its place when it is written.
    pub fn option_at<T>(&mut self, field: &str, written: Option<&At<T>>, value: impl FnOnce(&T) -> Value) {
        if let Some(written) = written {
            self.at(field, &written.place, value(&written.value));
        }
    }
}

/// Who an entity of the PBX is.
pub struct Identity {
    /// Its name in the inventory: a number, or the key its title has there.
    pub name: String,
    /// The key of it in URLs, as XAPI spells it: `28`, `'PARIS01'`.
    pub key: String,
    /// The number that other objects refer to it by, when that is not its name (`GRP0001`, `10000`).
    pub number: Option<String>,
    /// Whether it belongs to the system: never deleted, never named as unmanaged.
    pub system: bool,
}

impl Identity {
    /// The identity of an entity with an integer key.
    pub fn numbered(name: String, entity: &Json) -> Option<Self> {
        let key = entity["Id"].as_i64()?.to_string();
        let number = entity["Number"].as_str().map(str::to_owned);
        Some(Self { name, key, number, system: false })
    }

    /// The identity of an entity whose key is text.
    pub fn named(name: &str) -> Self {
        let key = format!("'{}'", percent(&name.replace('\'', "''")));
        Self { name: name.to_owned(), key, number: None, system: false }
    }
}

/// Percent-encoding of what stands in a path or query.
pub fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~'".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Why a body could not be made: a sentence.
pub type Unmade = String;

/// Why [`Kind::make`] made nothing.
pub enum Made {
    /// The body could not be made.
    Unmade(Unmade),
    /// The PBX did not take it.
    Fault(HttpFault),
}

/// One kind of object.
pub trait Kind: Send + Sync {
    /// Its collection in the provider's table.
    fn collection(&self) -> &'static str;

    /// Its set in XAPI, such as `Users`.
    fn set(&self) -> &'static str;

    /// `$select` and `$expand` of a read; never a secret.
    fn query(&self, patch: Patch) -> String;

    /// The first version that lets it be made, when that is not the first of V20.
    fn since(&self) -> Patch {
        0
    }

    /// Adds what the inventory wishes.
    fn wish(&self, wishing: &mut Wishing<'_>);

    /// By what an entity is known to be the wished one, from the wished fields: its title, or trunk and number.
    /// None when its name in the inventory is its own on the PBX.
    fn handle(&self, _wished: &Fields) -> Option<String> {
        None
    }

    /// By what an entity is known to belong with the wished one, though it is none that is wished any more.
    fn family(&self, _wished: &Fields) -> Option<String> {
        None
    }

    /// Whether the set is a single object that is always there, such as settings; it is read when it is wished.
    fn is_single(&self) -> bool {
        false
    }

    /// Whether the set is read at all.
    fn is_read(&self, wish: &Wish) -> bool {
        let is_own = |key: &Key| key.collection == self.collection();
        !self.is_single() || wish.resources.keys().any(is_own)
    }

    /// Who an entity is; `None` for what rocade does not look at. Most are known by their number.
    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        Identity::numbered(entity["Number"].as_str()?.to_owned(), entity)
    }

    /// Whether it does not matter which of several entities of a name is meant.
    fn twins_are_one(&self) -> bool {
        false
    }

    /// The fields of an entity in the inventory's words.
    fn see(&self, entity: &Json, directory: &Directory) -> Fields;

    /// The body that makes the object so that others can refer to it, and the fields it gives; the rest
    /// follows by [`Kind::change`]. For most a number and a title do.
    ///
    /// # Errors
    /// Why it cannot be made.
    fn create(&self, name: &str, wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        let mut body = serde_json::Map::from_iter([("Number".to_owned(), name.into())]);
        put_plain(&[("title", "Name")], wished, &mut body);
        Ok(Json::Object(body))
    }

    /// The fields that [`Kind::create`] gives already.
    fn created_with(&self) -> &'static [&'static str] {
        &["title"]
    }

    /// The body of the PATCH that gives `fields`; `entity` is what was just read, for values that are written
    /// whole.
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

    /// The field of the inventory that a property of XAPI stands for.
    fn field_of(&self, property: &str) -> Option<&'static str>;

    /// Makes the object by other means than a POST to its set (a prompt is uploaded). Gives the entity made.
    fn make<'a>(
        &'a self,
        _name: &'a str,
        _wished: &'a Fields,
        _directory: &'a Directory,
        _root: &'a Path,
        _hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        None
    }
}

/// What a kind says of its objects as another kind does, whose objects they are to the PBX too.
macro_rules! made_as {
    ($other:ident) => {
        fn set(&self) -> &'static str {
            $other.set()
        }

        fn query(&self, patch: Patch) -> String {
            $other.query(patch)
        }

        fn create(&self, name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade> {
            $other.create(name, wished, directory)
        }

        fn created_with(&self) -> &'static [&'static str] {
            $other.created_with()
        }

        fn change(&self, name: &str, fields: &Fields, is: &Json, of: &Directory) -> Result<Json, Unmade> {
            $other.change(name, fields, is, of)
        }
    };
}

pub(super) use made_as;

/// The title, by which a kind is known whose name in the inventory is another.
pub fn title(wished: &Fields) -> Option<String> {
    wished.get("title")?.as_text().map(str::to_owned)
}

/// Properties of XAPI that are the same value under another name: `(field, property)`.
pub type Plain = [(&'static str, &'static str)];

/// Reads plain fields.
pub fn see_plain(table: &Plain, entity: &Json, fields: &mut Fields) {
    for (field, property) in table {
        let value = match &entity[*property] {
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Int(number.as_i64().unwrap_or_default()),
            Json::String(text) => Value::Text(text.clone()),
            // What is null is left out of answers; for text that is the same as empty.
            _ => Value::Text(String::new()),
        };
        fields.insert((*field).to_owned(), value);
    }
}

/// Writes plain fields into a body.
pub fn put_plain(table: &Plain, fields: &Fields, body: &mut serde_json::Map<String, Json>) {
    for (field, property) in table {
        if let Some(value) = fields.get(*field) {
            body.insert((*property).to_owned(), super::forms::json(value));
        }
    }
}

/// The field of a property in a plain table.
pub fn field_in(table: &Plain, property: &str) -> Option<&'static str> {
    table.iter().find(|(_, own)| *own == property).map(|(field, _)| *field)
}
