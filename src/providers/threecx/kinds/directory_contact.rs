//! Contacts that come from a directory of another program. They bear rocade's tag with the directory's name and the
//! id the entry has there, such as `rocade:erp/contact-12`; all others are not looked at. While the directory cannot
//! be read, what is wished is not known, and they stay as they are.

use std::path::Path;

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::super::directory::Directory;
use super::super::kind::{Form, Identity, Kind, Made, Patch, Unmade, Wishing, made_as};
use super::contact::{Contacts, PLAIN, tagged};
use crate::model::{Fields, Owns, Wish};
use crate::transport::Writing;

pub struct DirectoryContacts;

const COLLECTION: &str = "directory_contact";

impl Kind for DirectoryContacts {
    fn collection(&self) -> &'static str {
        COLLECTION
    }

    made_as!(Contacts);

    /// The phonebook is read a second time only where a directory is in the inventory.
    fn is_read(&self, wish: &Wish) -> bool {
        wish.owns.get(COLLECTION) == Some(&Owns::Whole)
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        for (name, directory) in &wishing.pbx.directories.entries {
            let people = match wishing.lookup.people(wishing.target, name) {
                Ok(people) => people,
                Err(reason) => {
                    let reason = format!("the directory {name} could not be read: {reason}");
                    wishing.unknown.insert(COLLECTION, reason);
                    continue;
                }
            };
            for person in &people.entries {
                let mut form = Form::new(&directory.place);
                for (field, _) in PLAIN.iter().filter(|(field, _)| *field != "department") {
                    form.set(field, person.fields.get(field).map_or("", String::as_str));
                }
                wishing.add(COLLECTION, &format!("{name}/{}", person.id), form, person.known_as());
            }
        }
    }

    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        let name = tagged(entity).filter(|name| name.contains('/'))?;
        Identity::numbered(name.to_owned(), entity)
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Contacts.see(entity, directory);
        fields.remove("department");
        fields
    }

    fn make<'a>(
        &'a self,
        name: &'a str,
        wished: &'a Fields,
        directory: &'a Directory,
        root: &'a Path,
        hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        Contacts.make(name, wished, directory, root, hand)
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        Contacts.field_of(property)
    }
}
