//! The same list read: rows of the console's form become extensions of the inventory.
//!
//! An empty cell says nothing. Keys that name others by ids of a PBX cannot be read without it, so a row's keys are
//! taken all or not at all.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::super::super::super::directory::Directory;
use super::{COLUMNS, ROLES, blf};
use crate::intake::{Cell, Column, Fields, Mapping, Row, Sheet};
use crate::inventory::{Diagnostic, Pbx, PhoneModel, Place, Role};
use crate::model::{Dn, Mac, PhoneNumber, Secret, Value};

/// An extension of a list.
pub struct User {
    /// Its number.
    pub number: String,
    /// What the list says of it, in the inventory's words.
    pub fields: Map<String, Json>,
    /// Its PIN.
    pub pin: Option<Secret>,
    /// Its row.
    pub row: Place,
    /// What of the row is not taken.
    pub notes: Vec<String>,
}

/// Reads a list of users.
///
/// # Errors
/// Every fault of every row.
pub fn read(sheet: &Sheet, pbx: &Pbx) -> Result<Vec<User>, Vec<Diagnostic>> {
    let there = |name: &&str| sheet.header.iter().any(|cell| cell.text.eq_ignore_ascii_case(name));
    let named = COLUMNS.into_iter().filter(there);
    let columns: BTreeMap<String, Column> =
        named.map(|name| (name.to_owned(), Column::Name(name.to_owned()))).collect();
    if let Some(missing) = ["Number", "FirstName"].into_iter().find(|name| !columns.contains_key(*name)) {
        let message = format!("{} has no column `{missing}`: it is no list of a 3CX's users", sheet.file);
        return Err(vec![Diagnostic::error("no-column", message)]);
    }
    let mapping = Mapping { columns, ..Mapping::default() };
    let fields = Fields::of(sheet, &mapping, &[])?;
    let mut faults = Vec::new();
    let mut numbers: BTreeMap<String, Place> = BTreeMap::new();
    let mut users = Vec::new();
    for row in &sheet.rows {
        let mut reader = Reader { row, fields: &fields, pbx, faults: &mut faults, notes: Vec::new() };
        let Some(user) = reader.user() else { continue };
        match numbers.get(&user.number) {
            Some(first) => {
                let message = format!("extension {} stands twice", user.number);
                let fault = Diagnostic::error("duplicate-number", message).at(&user.row, "again here");
                faults.push(fault.at(first, "first here"));
            }
            None => drop(numbers.insert(user.number.clone(), user.row.clone())),
        }
        users.push(user);
    }
    if faults.is_empty() { Ok(users) } else { Err(faults) }
}

struct Reader<'r> {
    row: &'r Row,
    fields: &'r Fields<'r>,
    pbx: &'r Pbx,
    faults: &'r mut Vec<Diagnostic>,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn get(&self, column: &str) -> Option<Cell> {
        self.fields.get(self.row, column)
    }

    fn text(&self, column: &str) -> Option<String> {
        self.get(column).map(|cell| cell.text)
    }

    fn parsed<T>(&mut self, column: &str, code: &'static str) -> Option<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let cell = self.get(column)?;
        cell.text.parse().map_err(|fault| self.faults.push(cell.fault(code, format!("{fault}")))).ok()
    }

    fn flag(&mut self, column: &str) -> Option<bool> {
        let cell = self.get(column)?;
        match cell.text.to_ascii_lowercase().as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => {
                self.faults.push(cell.fault("bad-flag", format!("`{column}` is 0 or 1")));
                None
            }
        }
    }

    fn user(&mut self) -> Option<User> {
        let before = self.faults.len();
        let number: Option<Dn> = self.parsed("Number", "bad-number");
        if number.is_none() && self.faults.len() == before {
            let fault = Diagnostic::error("no-number", "it has no number");
            self.faults.push(fault.at(&self.row.place, ""));
        }
        let number = number?.0;
        let mut fields = Map::new();
        let (first, last) = match (self.text("FirstName"), self.text("LastName")) {
            (None, None) => (number.clone(), None),
            (None, Some(last)) => (last, None),
            (Some(first), last) => (first, last),
        };
        let mobile: Option<PhoneNumber> = self.parsed("MobileNumber", "bad-phone-number");
        let caller: Option<PhoneNumber> = self.parsed("OutboundCallerID", "bad-phone-number");
        let (department, role) = (self.department(), self.role());
        let mut put = |name: &str, value: Option<Json>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("first_name", Some(json!(first)));
        put("last_name", last.map(Json::from));
        put("email", self.text("EmailAddress").map(Json::from));
        put("mobile", mobile.map(|number| json!(number.0)));
        put("department", department.map(Json::from));
        put("role", role.map(Json::from));
        put("caller_id", caller.map(|number| json!(number.0)));
        put("enabled", self.flag("Disabled").map(|disabled| json!(!disabled)));
        put("hide_in_phonebook", self.flag("HideInPhonebook").map(Json::from));
        put("voicemail", self.voicemail());
        put("recording", self.recording());
        put("phones", self.phone(&number).map(|phone| json!([phone])));
        put("blf", self.keys(&number));
        self.dids(&number);
        let pin = self.text("VMPIN").map(|pin| Secret::new(pin, "list"));
        let notes = std::mem::take(&mut self.notes);
        let user = User { number, fields, pin, row: self.row.place.clone(), notes };
        (self.faults.len() == before).then_some(user)
    }

    fn department(&mut self) -> Option<String> {
        let cell = self.get("Department").filter(|cell| !cell.text.eq_ignore_ascii_case("DEFAULT"))?;
        let mut own = self.pbx.departments.iter();
        let found = own.find(|(name, one)| one.title.value == cell.text || **name == cell.text);
        if found.is_none() {
            let titles: Vec<&str> = self.pbx.departments.values().map(|one| one.title.as_str()).collect();
            let fault = cell.fault("no-department", format!("there is no department `{}`", cell.text));
            let help =
                format!("write it under `departments` of the PBX first; there are: {}", titles.join(", "));
            self.faults.push(fault.help(help));
        }
        found.map(|(name, _)| name.clone())
    }

    /// The role, when it is not the one everybody has.
    fn role(&mut self) -> Option<&'static str> {
        let cell = self.get("Role")?;
        let word = cell.text.split('"').nth(1).unwrap_or(&cell.text).to_owned();
        match ROLES.iter().find(|(_, own)| *own == word) {
            Some((Role::Users, _)) => None,
            Some((_, word)) => Some(word),
            None => {
                self.faults.push(cell.fault("bad-role", format!("`{word}` is no role")));
                None
            }
        }
    }

    fn voicemail(&mut self) -> Option<Json> {
        let mut voicemail = Map::new();
        // It takes messages unless that is written.
        let enabled = self.flag("VMEnable").filter(|enabled| !enabled);
        voicemail.extend(enabled.map(|enabled| ("enabled".to_owned(), json!(enabled))));
        if let Some(cell) = self.get("VMEmailOptions") {
            let words = ["none", "notification", "attachment", "attachment_and_delete"];
            match cell.text.parse::<usize>().ok().and_then(|option| words.get(option)) {
                Some(word) => drop(voicemail.insert("email".to_owned(), json!(word))),
                None => self.faults.push(cell.fault("bad-option", "`VMEmailOptions` is from 0 to 3")),
            }
        }
        let play = self.flag("VMPlayCallerID");
        voicemail.extend(play.map(|play| ("play_caller_id".to_owned(), json!(play))));
        (!voicemail.is_empty()).then_some(Json::Object(voicemail))
    }

    fn recording(&mut self) -> Option<Json> {
        let calls = match (self.flag("RecordCalls")?, self.flag("RecordExternal").unwrap_or(false)) {
            (false, _) => "none",
            (true, true) => "external",
            (true, false) => "all",
        };
        let mut recording = Map::from_iter([("calls".to_owned(), json!(calls))]);
        let may = [
            ("may_see", "RecordCanSee"),
            ("may_delete", "RecordCanDelete"),
            ("may_control", "RecordStartStop"),
        ];
        for (name, column) in may {
            recording.extend(self.flag(column).map(|may| (name.to_owned(), json!(may))));
        }
        // Without recording and without rights the cells are what everybody has.
        (calls != "none" || recording.len() > 1).then_some(Json::Object(recording))
    }

    fn phone(&mut self, number: &str) -> Option<Json> {
        let mac: Mac = self.parsed("MAC", "bad-mac")?;
        let word = self.text("Model").unwrap_or_default();
        let Some(model) = PhoneModel::ALL.into_iter().find(|model| model.name().eq_ignore_ascii_case(&word))
        else {
            self.notes
                .push(format!("extension {number}: the phone {mac} is a `{word}`, which is not provisioned"));
            return None;
        };
        let mut phone = json!({ "model": model.word(), "mac": mac.to_string() });
        if let Some(router) = self.get("Router") {
            let sbc = self.pbx.sbcs.keys().find(|name| name.eq_ignore_ascii_case(&router.text));
            match (router.text.parse::<Mac>(), sbc) {
                (Ok(own), _) if own == mac => phone["router"] = json!(true),
                (Ok(other), _) => phone["behind"] = json!(other.to_string()),
                (Err(_), Some(sbc)) => phone["sbc"] = json!(sbc),
                (Err(_), None) => {
                    let message = format!("`{}` is neither an SBC of the PBX nor a MAC address", router.text);
                    self.faults.push(router.fault("no-sbc", message));
                }
            }
        }
        Some(phone)
    }

    fn keys(&mut self, number: &str) -> Option<Json> {
        let xml = self.text("BLF")?;
        let Value::List(keys) = blf::see(&xml, &Directory::default()) else { return None };
        let written: Option<Vec<Json>> = keys.iter().map(key).collect();
        match written {
            Some(keys) if keys.is_empty() => None,
            Some(keys) => Some(Json::Array(keys)),
            None => {
                self.notes.push(format!(
                    "extension {number}: its keys name others by ids of the PBX and are left out; `rocade import \
                     pbx` reads them"
                ));
                None
            }
        }
    }

    fn dids(&mut self, number: &str) {
        for did in self.text("DID").unwrap_or_default().split(':').filter(|did| !did.is_empty()) {
            let mut rules = self.pbx.inbound_rules.values().filter_map(|rule| rule.did.as_ref());
            let ours = did.parse::<PhoneNumber>();
            if !rules.any(|own| Ok(&own.0) == ours.as_ref().map_err(|_| ())) {
                self.notes.push(format!("extension {number}: no inbound rule of the inventory has {did}"));
            }
        }
    }
}

/// A key in the inventory's words; `None` when ids of a PBX are needed to tell what it is.
fn key(key: &Value) -> Option<Json> {
    let Value::Map(fields) = key else { return None };
    let known = ["key", "custom", "first_name", "last_name", "queue_login", "profile", "line"];
    let strange = |name: &String| !known.contains(&name.as_str());
    if fields.keys().any(strange) || fields.get("profile").and_then(Value::as_text) == Some("other") {
        return None;
    }
    let mut words = Map::new();
    for (name, value) in fields {
        let word = match value {
            Value::Text(text) if text.is_empty() => continue,
            Value::Text(text) => json!(text),
            Value::Int(number) => json!(number),
            Value::Bool(own) => json!(own),
            _ => return None,
        };
        words.insert(name.clone(), word);
    }
    Some(Json::Object(words))
}
