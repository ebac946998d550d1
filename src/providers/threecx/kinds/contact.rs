//! Contacts of the phonebook. Those of rocade bear its tag with their name in the inventory behind, such as
//! `rocade:piscine-lyon`; all others (typed in by people, synchronised by other programs, which have tags of their
//! own) are not looked at.

use std::path::Path;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::kind::{
    Form, Identity, Kind, Made, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain,
};
use crate::inventory::Contact;
use crate::model::Fields;
use crate::transport::Writing;
use crate::transport::http::Method;

pub struct Contacts;

/// The beginning of the tag of contacts that are rocade's.
const TAG: &str = "rocade:";

pub(super) const PLAIN: &Plain = &[
    ("first_name", "FirstName"),
    ("last_name", "LastName"),
    ("company", "CompanyName"),
    ("title", "Title"),
    ("email", "Email"),
    ("mobile", "PhoneNumber"),
    ("mobile_2", "Mobile2"),
    ("business", "Business"),
    ("business_2", "Business2"),
    ("home", "Home"),
    ("other", "Other"),
    ("fax", "BusinessFax"),
    ("department", "Department"),
];

/// The wished fields. A contact is wholly ours, so what is not written is to be empty; but the department, which
/// nobody was seen to write.
fn wish_one(form: &mut Form, one: &Contact, department: Option<&str>) {
    let texts = [
        ("first_name", &one.first_name),
        ("last_name", &one.last_name),
        ("company", &one.company),
        ("title", &one.title),
    ];
    for (field, text) in texts {
        form.set(field, text.as_deref().unwrap_or_default());
    }
    for (field, _) in PLAIN.iter().filter(|(field, _)| *field != "department") {
        form.fields.entry((*field).to_owned()).or_insert_with(|| "".into());
    }
    form.option_at("email", one.email.as_ref(), |email| email.as_str().into());
    for (field, number) in one.numbers() {
        form.at(field, &number.place, number.0.to_string());
    }
    if let (Some(written), Some(title)) = (&one.department, department) {
        form.at("department", &written.place, title);
    }
}

/// The name in rocade's tag; those from a directory have a `/` in it.
pub(super) fn tagged(entity: &Json) -> Option<&str> {
    entity["Tag"].as_str()?.strip_prefix(TAG).filter(|name| !name.is_empty())
}

impl Kind for Contacts {
    fn collection(&self) -> &'static str {
        "contact"
    }

    fn set(&self) -> &'static str {
        "Contacts"
    }

    fn query(&self, _patch: Patch) -> String {
        let properties: Vec<&str> = PLAIN.iter().map(|(_, property)| *property).collect();
        format!("$select=Id,Tag,{}", properties.join(","))
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.contacts.entries {
            let mut form = Form::new(&one.place);
            let title = |key: &str| match pbx.departments.get(key) {
                Some(department) => department.title.value.clone(),
                None if key == "default" => "DEFAULT".to_owned(),
                None => key.to_owned(),
            };
            let department = one.department.as_ref().map(|key| title(key));
            wish_one(&mut form, one, department.as_deref());
            wishing.add("contact", name, form, one.known_as());
        }
    }

    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        let name = tagged(entity).filter(|name| !name.contains('/'))?;
        Identity::numbered(name.to_owned(), entity)
    }

    fn see(&self, entity: &Json, _directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        fields
    }

    fn create(&self, name: &str, wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        let written = wished.iter().filter(|(_, value)| value.as_text() != Some(""));
        let written: Fields = written.map(|(field, value)| (field.clone(), value.clone())).collect();
        let mut body = Map::from_iter([("Tag".to_owned(), json!(format!("{TAG}{name}")))]);
        put_plain(PLAIN, &written, &mut body);
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &[
            "first_name",
            "last_name",
            "company",
            "title",
            "email",
            "mobile",
            "mobile_2",
            "business",
            "business_2",
            "home",
            "other",
            "fax",
            "department",
        ]
    }

    fn change(&self, _: &str, fields: &Fields, _: &Json, _: &Directory) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(PLAIN, fields, &mut body);
        Ok(Json::Object(body))
    }

    /// A contact whose tag was not kept could never be told from those of others, and would be made again and again:
    /// it is taken back.
    fn make<'a>(
        &'a self,
        name: &'a str,
        wished: &'a Fields,
        directory: &'a Directory,
        _root: &'a Path,
        hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        Some(Box::pin(async move {
            let body = self.create(name, wished, directory).map_err(Made::Unmade)?;
            let made = hand.send(Method::Post, "/xapi/v1/Contacts", Some(&body)).await;
            let made = made.map_err(Made::Fault)?.body;
            if made["Tag"] == body["Tag"] {
                return Ok(made);
            }
            let taken_back = match made["Id"].as_i64() {
                Some(id) => {
                    hand.send(Method::Delete, &format!("/xapi/v1/Contacts({id})"), None).await.is_ok()
                }
                None => false,
            };
            let end = if taken_back { "it was deleted again" } else { "delete it in the console" };
            Err(Made::Unmade(format!(
                "the PBX made the contact without its tag, by which rocade knows its own; {end}"
            )))
        }))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        field_in(PLAIN, property)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    #[test]
    fn only_contacts_with_our_tag_are_seen() {
        let directory = Directory::default();
        let named = |tag: Json| {
            let entity = json!({"Id": 7, "FirstName": "Jean", "Tag": tag});
            Contacts.identify(&entity, &directory).map(|identity| identity.name)
        };
        assert_eq!(named(json!("rocade:piscine-lyon")).as_deref(), Some("piscine-lyon"));
        for other in [
            Json::Null,
            json!(""),
            json!("dolibarr:12"),
            json!("rocade"),
            json!("rocade:"),
            json!("rocade:erp/12"),
            json!("VIP"),
        ] {
            assert_eq!(named(other.clone()), None, "{other}");
        }
        assert!(Contacts.identify(&json!({"Id": 7}), &directory).is_none());
    }

    #[test]
    fn a_contact_is_made_with_its_tag_and_without_empty_fields() {
        let wished =
            Fields::from([("company".to_owned(), "Pool".into()), ("mobile".to_owned(), Value::from(""))]);
        let body = Contacts.create("pool", &wished, &Directory::default()).unwrap();
        assert_eq!(body, json!({"Tag": "rocade:pool", "CompanyName": "Pool"}));
    }
}
