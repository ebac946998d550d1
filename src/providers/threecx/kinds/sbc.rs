//! Session border controllers. Their name is their key, in lower case in the inventory; the password is written
//! and never read.

use serde_json::{Map, Value as Json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain,
};
use super::{Words, word_in};
use crate::inventory::SbcSecurity;
use crate::model::Fields;

pub struct Sbcs;

const PLAIN: &Plain = &[("title", "DisplayName")];
const SECURITY: &Words<SbcSecurity> = &[(SbcSecurity::Tcp, "tcp", "TCP"), (SbcSecurity::Tls, "tls", "TLS")];

impl Kind for Sbcs {
    fn collection(&self) -> &'static str {
        "sbc"
    }

    fn set(&self) -> &'static str {
        "Sbcs"
    }

    fn query(&self, patch: Patch) -> String {
        format!("$select=Name,DisplayName,PhoneMAC{}", if patch >= 7 { ",Security" } else { "" })
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.sbcs.entries {
            let mut form = Form::new(&one.place);
            form.option("title", one.title.as_ref(), |title| title.as_str().into());
            form.option("security", one.security.as_ref(), |wished| word_in(SECURITY, *wished));
            if let Some(password) = &one.password {
                wishing.secret(&mut form, "password", password);
            }
            wishing.add("sbc", name, form, one.title.clone().unwrap_or_default());
        }
    }

    /// A router phone has an SBC of its own; it belongs to the phone.
    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        let name = entity["Name"].as_str()?;
        let system = entity["PhoneMAC"].as_str().is_some_and(|mac| !mac.is_empty());
        Some(Identity { system, name: name.to_lowercase(), ..Identity::named(name) })
    }

    fn see(&self, entity: &Json, _directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        if !entity["Security"].is_null() {
            super::see_word(SECURITY, entity, "Security", "security", &mut fields);
        }
        fields
    }

    fn create(&self, name: &str, wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        if !wished.contains_key("password") {
            return Err(format!("sbc {name}: it is made with a password; write `password: {{secret: ...}}`"));
        }
        let mut body = Map::from_iter([("Name".to_owned(), name.into())]);
        put(wished, &mut body);
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["title", "security", "password"]
    }

    fn change(&self, _: &str, fields: &Fields, _: &Json, _: &Directory) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put(fields, &mut body);
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Security" => Some("security"),
            "Password" => Some("password"),
            _ => field_in(PLAIN, property),
        }
    }
}

fn put(fields: &Fields, body: &mut Map<String, Json>) {
    put_plain(PLAIN, fields, body);
    super::put_word(SECURITY, fields, "security", "Security", body);
    if let Some(password) = fields.get("password") {
        body.insert("Password".to_owned(), forms::json(password));
    }
}
