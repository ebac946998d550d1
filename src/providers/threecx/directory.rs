//! Who is who on a PBX: names of the inventory against the keys and numbers the PBX gave. Made of what was
//! read; what is made during an apply is added.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Identity;
use super::kinds;
use crate::model::{Fields, Key, Observed, Value, Wish};

/// The collection of [`Observed`] that carries what is no object of the inventory: parking places, time
/// zones, phone templates, licence. Its names are `parking/SP1`, `zone/51`, `template/Yealink T46S`.
pub const SYSTEM: &str = "system";

/// The directory.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// `(collection, name)` to key in URLs.
    keys: BTreeMap<(String, String), String>,
    /// `(collection, key)` to name.
    names: BTreeMap<(String, String), String>,
    /// `(collection, name)` to the number others refer to it by, and back.
    numbers: BTreeMap<(String, String), String>,
    by_number: BTreeMap<(String, String), String>,
    /// `(collection, handle)` to the name wished for it.
    wished: BTreeMap<(String, String), String>,
    /// `(collection, name)` of all that is wished.
    wishes: BTreeSet<(String, String)>,
    /// Prompt file of the repository to its name on the PBX, and back.
    prompts: BTreeMap<String, String>,
    prompt_files: BTreeMap<String, String>,
    /// `(collection, name)` that several objects of the PBX share: nothing is told of them by name.
    twins: BTreeSet<(String, String)>,
}

fn pair(collection: &str, name: &str) -> (String, String) {
    (collection.to_owned(), name.to_owned())
}

impl Directory {
    /// A directory that knows what is wished and nothing of the PBX yet.
    pub fn of_wish(wish: &Wish) -> Self {
        let mut directory = Self::default();
        for (key, resource) in &wish.resources {
            directory.wishes.insert(pair(&key.collection, &key.name));
            if key.collection == "prompt"
                && let Some(file) = resource.fields.get("file").and_then(Value::as_text)
            {
                directory.prompts.insert(file.to_owned(), key.name.clone());
                directory.prompt_files.insert(key.name.clone(), file.to_owned());
            }
            let kind = kinds().iter().find(|kind| kind.collection() == key.collection);
            let handles = kind.map(|kind| [kind.handle(&resource.fields), kind.family(&resource.fields)]);
            for handle in handles.into_iter().flatten().flatten() {
                directory.wished.insert(pair(&key.collection, &handle), key.name.clone());
            }
        }
        directory
    }

    /// A directory made again from an observation.
    pub fn of(wish: &Wish, observed: &Observed) -> Self {
        let mut directory = Self::of_wish(wish);
        for (key, fields) in &observed.resources {
            directory.learn_seen(key, fields);
        }
        directory
    }

    /// Adds what was observed of a resource.
    pub fn learn_seen(&mut self, key: &Key, fields: &Fields) {
        let text = |name: &str| fields.get(name).and_then(Value::as_text).map(str::to_owned);
        if let (SYSTEM, Some(twin)) = (key.collection.as_str(), key.name.strip_prefix("twin/")) {
            let collection = twin.split('/').next().unwrap_or_default();
            if let (Some(name), Some(key)) = (text("name"), text("id")) {
                let number = text("number_on_pbx");
                self.learn_twin(collection, &Identity { name, key, number, system: false });
            }
            return;
        }
        if let Some(own) = text("id") {
            let number = text("number_on_pbx");
            // What belongs to the system stands apart as `department/default`, and is referred to all the same.
            let is_kind = |collection: &str| kinds().iter().any(|kind| kind.collection() == collection);
            let (collection, name) = match key.name.split_once('/') {
                Some((first, rest)) if key.collection == SYSTEM && is_kind(first) => (first, rest),
                _ => (key.collection.as_str(), key.name.as_str()),
            };
            self.learn(collection, &Identity { name: name.to_owned(), key: own, number, system: false });
        }
    }

    /// Adds an object.
    pub fn learn(&mut self, collection: &str, identity: &Identity) {
        let Identity { name, key, number, .. } = identity;
        self.keys.insert(pair(collection, name), key.clone());
        self.names.insert(pair(collection, key), name.clone());
        if let Some(number) = number {
            self.numbers.insert(pair(collection, name), number.clone());
            self.by_number.insert(pair(collection, number), name.clone());
        }
    }

    /// Adds one of several objects of a name. Those that refer to it are seen to; it cannot be referred to.
    pub fn learn_twin(&mut self, collection: &str, identity: &Identity) {
        let Identity { name, key, number, .. } = identity;
        self.twins.insert(pair(collection, name));
        self.names.insert(pair(collection, key), name.clone());
        if let Some(number) = number {
            self.by_number.insert(pair(collection, number), name.clone());
        }
    }

    /// Why nobody of a name can be referred to.
    fn nobody(&self, collection: &str, name: &str) -> String {
        let kind = collection.replace('_', " ");
        match self.twins.contains(&pair(collection, name)) {
            true => format!("several objects on the PBX are the {kind} {name}"),
            false => format!("there is no {kind} {name} on the PBX"),
        }
    }

    /// The name an object has in the inventory: the wished one of its handle, else a name made of it. So an
    /// object whose title changes is the same one when its entry is named after the title it had.
    pub fn name_for(&self, collection: &str, handle: &str) -> String {
        self.wished_name(collection, handle).map_or_else(|| slug(handle), str::to_owned)
    }

    /// Whether an object of a name is wished.
    pub fn is_wished(&self, collection: &str, name: &str) -> bool {
        self.wishes.contains(&pair(collection, name))
    }

    /// The name wished for a handle.
    pub fn wished_name(&self, collection: &str, handle: &str) -> Option<&str> {
        self.wished.get(&pair(collection, handle)).map(String::as_str)
    }

    /// The key in URLs.
    pub fn key(&self, collection: &str, name: &str) -> Option<&str> {
        self.keys.get(&pair(collection, name)).map(String::as_str)
    }

    /// The IANA name of a time zone's id.
    pub fn zone(&self, id: &str) -> Option<&str> {
        self.names.get(&pair(SYSTEM, id)).and_then(|name| name.strip_prefix("zone/"))
    }

    /// The integer id.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub fn id(&self, collection: &str, name: &str) -> Result<i64, String> {
        let key = self.key(collection, name).and_then(|key| key.parse().ok());
        key.ok_or_else(|| self.nobody(collection, name))
    }

    /// The name of an id.
    pub fn name_of(&self, collection: &str, id: &serde_json::Value) -> Option<&str> {
        self.names.get(&pair(collection, &id.as_i64()?.to_string())).map(String::as_str)
    }

    /// The number others refer to an object by.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub fn number(&self, collection: &str, name: &str) -> Result<&str, String> {
        let number = self.numbers.get(&pair(collection, name)).map(String::as_str);
        number.ok_or_else(|| self.nobody(collection, name))
    }

    /// The name of a number.
    pub fn name_of_number(&self, collection: &str, number: &str) -> Option<&str> {
        self.by_number.get(&pair(collection, number)).map(String::as_str)
    }

    /// The name on the PBX of a prompt file of the repository.
    pub fn prompt_on_pbx(&self, file: &str) -> Option<&str> {
        self.prompts.get(file).map(String::as_str)
    }

    /// The file of the repository that a prompt on the PBX was made of.
    pub fn prompt_file(&self, on_pbx: &str) -> Option<&str> {
        self.prompt_files.get(on_pbx).map(String::as_str)
    }

    /// The files of the repository that prompts are made of.
    pub fn prompt_files(&self) -> impl Iterator<Item = &str> {
        self.prompts.keys().map(String::as_str)
    }
}

/// A title as a name of the inventory.
pub fn slug(title: &str) -> String {
    let plain = title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("-");
    name.truncate(60);
    if name.is_empty() { "unnamed".to_owned() } else { name }
}
