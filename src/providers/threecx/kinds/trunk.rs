//! SIP trunks: made from the provider's template on the PBX. The PBX keeps name, host, port and registration in
//! `Gateway`, which is written whole.

use std::path::Path;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Made, Patch, Plain, Unmade, Wishing, field_in, percent, put_plain, see_plain, title,
};
use super::{Words, word_in};
use crate::inventory::Registration;
use crate::model::{Fields, Value};
use crate::transport::Writing;
use crate::transport::http::Method;

pub struct Trunks;

const PLAIN: &Plain = &[
    ("number", "ExternalNumber"),
    ("user", "AuthID"),
    ("calls", "SimultaneousCalls"),
    ("caller_id", "OutboundCallerID"),
];
const GATEWAY: &Plain = &[("title", "Name"), ("host", "Host"), ("port", "Port")];
const REGISTER: &Words<Registration> = &[
    (Registration::Nothing, "nothing", "Nothing"),
    (Registration::IncomingCalls, "incoming_calls", "IncomingCalls"),
    (Registration::OutgoingCalls, "outgoing_calls", "OutgoingCalls"),
    (Registration::InOutCalls, "in_out_calls", "InOutCalls"),
];

impl Kind for Trunks {
    fn collection(&self) -> &'static str {
        "trunk"
    }

    fn set(&self) -> &'static str {
        "Trunks"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Id,Number,ExternalNumber,DidNumbers,AuthID,SimultaneousCalls,OutboundCallerID,Gateway"
            .to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.trunks.entries {
            let mut form = Form::new(&one.place);
            form.at("title", &one.title.place, one.title.value.as_str());
            form.option_at("host", one.host.as_ref(), |host| host.as_str().into());
            form.option("port", one.port.as_ref(), |port| Value::Int((*port).into()));
            form.option("register", one.register.as_ref(), |wished| word_in(REGISTER, *wished));
            form.option("user", one.user.as_ref(), |user| user.as_str().into());
            form.at("number", &one.number.place, one.number.0.to_string());
            form.option("dids", one.dids.as_ref(), |dids| {
                let mut dids: Vec<String> = dids.iter().map(|did| did.0.to_string()).collect();
                dids.sort();
                dids.into()
            });
            form.option("calls", one.calls.as_ref(), |calls| Value::Int((*calls).into()));
            form.option_at("caller_id", one.caller_id.as_ref(), |number| number.0.to_string().into());
            if let Some(password) = &one.password {
                wishing.secret(&mut form, "password", password);
            }
            form.at("template", &one.template.place, one.template.value.as_str());
            wishing.add("trunk", name, form, format!("{}, {}", one.title.value, one.number.0));
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        title(wished)
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let title = entity["Gateway"]["Name"].as_str()?;
        Identity::numbered(directory.name_for("trunk", title), entity)
    }

    fn see(&self, entity: &Json, _directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        see_plain(GATEWAY, &entity["Gateway"], &mut fields);
        super::see_word(REGISTER, &entity["Gateway"], "RequireRegistrationFor", "register", &mut fields);
        let template = entity["Gateway"]["TemplateFilename"].as_str().unwrap_or_default();
        fields.insert("template".to_owned(), template.into());
        let mut dids: Vec<String> = entity["DidNumbers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
        dids.sort();
        fields.insert("dids".to_owned(), dids.into());
        fields
    }

    fn create(&self, _name: &str, _wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        Err("a trunk is made from its template".to_owned())
    }

    fn created_with(&self) -> &'static [&'static str] {
        &[
            "title",
            "host",
            "port",
            "register",
            "user",
            "number",
            "dids",
            "calls",
            "caller_id",
            "password",
            "template",
        ]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        entity: &Json,
        _directory: &Directory,
    ) -> Result<Json, Unmade> {
        if fields.contains_key("template") {
            return Err("a trunk keeps the template it was made from: delete it and make it anew".to_owned());
        }
        let mut body = Map::new();
        fill(fields, entity, &mut body);
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "DidNumbers" => Some("dids"),
            "AuthPassword" => Some("password"),
            "template" => Some("template"),
            _ => field_in(PLAIN, property).or_else(|| field_in(GATEWAY, property)),
        }
    }

    fn make<'a>(
        &'a self,
        _name: &'a str,
        wished: &'a Fields,
        _directory: &'a Directory,
        _root: &'a Path,
        hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        Some(Box::pin(async move {
            let template = wished.get("template").and_then(Value::as_text).unwrap_or_default();
            let path = format!("/xapi/v1/Trunks/Pbx.InitTrunk(template='{}')", percent(template));
            let mut trunk = hand.reading().get(&path).await.map_err(Made::Fault)?.body;
            let filled = trunk.clone();
            let Some(body) = trunk.as_object_mut() else {
                return Err(Made::Unmade(format!("the template {template} gives no trunk")));
            };
            body.retain(|name, _| !name.starts_with('@') && name != "Id");
            fill(wished, &filled, body);
            hand.send(Method::Post, "/xapi/v1/Trunks", Some(&trunk))
                .await
                .map(|answer| answer.body)
                .map_err(Made::Fault)
        }))
    }
}

/// Puts the fields into a body; `entity` gives what of the gateway stays.
fn fill(fields: &Fields, entity: &Json, body: &mut Map<String, Json>) {
    put_plain(PLAIN, fields, body);
    let mut gateway = entity["Gateway"].as_object().cloned().unwrap_or_default();
    let before = gateway.clone();
    put_plain(GATEWAY, fields, &mut gateway);
    super::put_word(REGISTER, fields, "register", "RequireRegistrationFor", &mut gateway);
    if gateway != before {
        body.insert("Gateway".to_owned(), Json::Object(gateway));
    }
    if let Some(dids) = fields.get("dids") {
        body.insert("DidNumbers".to_owned(), forms::json(dids));
    }
    if let Some(password) = fields.get("password") {
        body.insert("AuthPassword".to_owned(), json!({"Value": forms::json(password)}));
    }
}
