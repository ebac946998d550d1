//! Live Chat links (XAPI: website links). The link's name is its key.

use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Patch, Plain, Unmade, Wishing, field_in, percent, put_plain, see_plain,
};
use super::{Words, word_in};
use crate::inventory::Visitor;
use crate::model::{Fields, Value};

pub struct LiveChats;

const PLAIN: &Plain = &[("title", "Name"), ("chat", "ChatEnabled"), ("calls", "CallsEnabled")];
const ASK: &Words<Visitor> = &[
    (Visitor::Both, "both", "Both"),
    (Visitor::Name, "name", "Name"),
    (Visitor::Email, "email", "Email"),
    (Visitor::None, "none", "None"),
];

impl Kind for LiveChats {
    fn collection(&self) -> &'static str {
        "live_chat"
    }

    fn set(&self) -> &'static str {
        "WebsiteLinks"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Link,Name,Group,DN,Website,ChatEnabled,CallsEnabled,General".to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.live_chat.entries {
            let mut form = Form::new(&one.place);
            form.option("title", one.title.as_ref(), |title| title.as_str().into());
            form.option_at("department", one.department.as_ref(), |name| name.as_str().into());
            form.at("to", &one.to.place, forms::destination(&one.to));
            let mut websites: Vec<String> = one.websites.iter().map(|site| site.value.clone()).collect();
            websites.sort();
            form.set("websites", websites.clone());
            form.option("chat", one.chat.as_ref(), |chat| (*chat).into());
            form.option("calls", one.calls.as_ref(), |calls| (*calls).into());
            form.option("ask", one.ask.as_ref(), |wished| word_in(ASK, *wished));
            wishing.add("live_chat", name, form, websites.join(", "));
        }
    }

    /// Every extension has a link of its own by its number; only those for web sites are looked at.
    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        let link = entity["Link"].as_str()?;
        entity["Website"].as_array().is_some_and(|sites| !sites.is_empty()).then(|| Identity {
            key: format!("'{}'", percent(&link.replace('\'', "''"))),
            ..Identity::named(link)
        })
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        let group = entity["Group"].as_str().unwrap_or_default();
        if let Some(department) = directory.name_of_number("department", group) {
            fields.insert("department".to_owned(), department.into());
        }
        let number = entity["DN"]["Number"].as_str().unwrap_or_default();
        let word = ["extension", "ring_group", "queue"]
            .into_iter()
            .find(|kind| directory.key(kind, number).is_some());
        fields.insert("to".to_owned(), forms::single(word.unwrap_or("other"), number));
        let mut websites: Vec<String> = entity["Website"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
        websites.sort();
        fields.insert("websites".to_owned(), websites.into());
        super::see_word(ASK, &entity["General"], "Authentication", "ask", &mut fields);
        fields
    }

    fn create(&self, name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade> {
        let mut all = wished.clone();
        all.entry("department".to_owned()).or_insert_with(|| "default".into());
        let mut body = Map::from_iter([("Link".to_owned(), name.into())]);
        put(&all, &json!({}), directory, &mut body)?;
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["title", "department", "to", "websites", "chat", "calls", "ask"]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put(fields, entity, directory, &mut body)?;
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "DN" => Some("to"),
            "Group" => Some("department"),
            "Website" => Some("websites"),
            "General" => Some("ask"),
            _ => field_in(PLAIN, property),
        }
    }
}

fn put(
    fields: &Fields,
    entity: &Json,
    directory: &Directory,
    body: &mut Map<String, Json>,
) -> Result<(), Unmade> {
    put_plain(PLAIN, fields, body);
    if let Some(department) = fields.get("department").and_then(Value::as_text) {
        body.insert("Group".to_owned(), json!(directory.number("department", department)?));
    }
    if let Some(Value::Map(to)) = fields.get("to")
        && let Some((word, number)) = to.iter().next()
    {
        let number = number.as_text().unwrap_or_default();
        body.insert("DN".to_owned(), json!({"Id": directory.id(word, number)?, "Number": number}));
    }
    if let Some(websites) = fields.get("websites") {
        body.insert("Website".to_owned(), forms::json(websites));
    }
    if fields.contains_key("ask") {
        let mut general = entity["General"].as_object().cloned().unwrap_or_default();
        super::put_word(ASK, fields, "ask", "Authentication", &mut general);
        body.insert("General".to_owned(), Json::Object(general));
    }
    Ok(())
}
