//! What a PBX holds: rows by set and key, and the rules that hold between them.
//!
//! Rules seen on real systems follow the digest's sources. Assumed, and never recorded: complex values
//! (`Hours`, `Gateway`) are replaced whole. What a deleted object does to those that refer to it was never
//! recorded either, so it is a choice: [`References`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refer::{self, References};
use super::rules;
use super::types::binds;

/// A refusal: status and body.
pub type Refusal = (u16, Value);

/// A set and the entity of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    pub name: &'static str,
    pub entity: &'static str,
    /// The property that is the key in URLs.
    pub key: &'static str,
    /// The kind of number its rows have, and the first of those given by themselves.
    pub number: Option<(&'static str, u32)>,
    pub writable: bool,
}

const fn set(name: &'static str, entity: &'static str, key: &'static str) -> Set {
    Set { name, entity, key, number: None, writable: true }
}

/// The sets.
pub const SETS: &[Set] = &[
    Set { number: Some(("Extension", 100)), ..set("Users", "User", "Id") },
    Set { number: Some(("Group", 0)), ..set("Groups", "Group", "Id") },
    Set { number: Some(("RingGroup", 800)), ..set("RingGroups", "RingGroup", "Id") },
    Set { number: Some(("Queue", 850)), ..set("Queues", "Queue", "Id") },
    Set { number: Some(("IVR", 900)), ..set("Receptionists", "Receptionist", "Id") },
    Set { number: Some(("Parking", 1)), ..set("Parkings", "Parking", "Id") },
    Set { number: Some(("ExternalLine", 10_000)), ..set("Trunks", "Trunk", "Id") },
    set("Holidays", "Holiday", "Id"),
    set("InboundRules", "InboundRule", "Id"),
    set("OutboundRules", "OutboundRule", "Id"),
    set("Sbcs", "Sbc", "Name"),
    set("WebsiteLinks", "Weblink", "Link"),
    set("CustomPrompts", "CustomPrompt", "Filename"),
    set("Contacts", "Contact", "Id"),
    Set { number: Some(("", 0)), writable: false, ..set("Peers", "PeerRow", "Id") },
    set("PhoneBookSettings", "PhoneBookSettings", "Id"),
    Set { writable: false, ..set("PhoneTemplates", "PhoneTemplate", "Id") },
    Set { writable: false, ..set("TrunkTemplates", "TrunkTemplate", "Id") },
    Set { writable: false, ..set("Backups", "Backup", "FileName") },
];

/// The set of a name, as URLs spell it.
pub fn set_of(name: &str) -> Option<&'static Set> {
    SETS.iter().find(|set| set.name.eq_ignore_ascii_case(name))
}

/// What a licence allows.
#[derive(Clone, Debug)]
pub struct Licence {
    /// Whether it is Enterprise.
    pub enterprise: bool,
    /// Simultaneous calls.
    pub calls: u32,
    /// Its last day, such as `2030-12-31T00:00:00Z`.
    pub expires: String,
    /// The most users, trunks and SBCs.
    pub users: usize,
    /// The most trunks.
    pub trunks: usize,
    /// The most SBCs.
    pub sbcs: usize,
    /// The most Live Chat links.
    pub live_chats: usize,
    /// The most prompts that people uploaded.
    pub prompts: usize,
}

impl Default for Licence {
    fn default() -> Self {
        let expires = "2036-12-31T00:00:00Z".to_owned();
        let (users, trunks, sbcs, live_chats, prompts) = (20_000, 10, 10, 20, 100);
        Self { enterprise: true, calls: 16, expires, users, trunks, sbcs, live_chats, prompts }
    }
}

/// The rows of all sets.
pub struct Store {
    rows: BTreeMap<&'static str, BTreeMap<String, Value>>,
    /// Who has a number: set and key.
    numbers: BTreeMap<String, (&'static str, String)>,
    next_id: i64,
    /// The patch level of 20.0.
    pub patch: u16,
    /// The licence.
    pub licence: Licence,
    /// What becomes of references to what is deleted.
    pub references: References,
    /// Contents of uploaded prompts.
    pub audio: BTreeMap<String, Vec<u8>>,
    /// Whether contacts keep their tags.
    pub keeps_tags: bool,
    /// MAC addresses of phones told to fetch their settings anew, in order.
    pub reprovisioned: Vec<String>,
    /// Rows of the history of calls.
    pub calls: Vec<Value>,
}

/// An error body as the digest shows them.
pub fn refused(status: u16, target: &str, message: &str) -> Refusal {
    let text = if target.is_empty() { message.to_owned() } else { format!("{target}:\n{message}") };
    let detail = json!({"code": "", "message": message, "target": target});
    (status, json!({"error": {"code": "", "message": text, "details": [detail]}}))
}

/// The key of a row as the table sorts it.
fn sortable(key: &str) -> String {
    if key.bytes().all(|byte| byte.is_ascii_digit()) { format!("{key:0>12}") } else { key.to_owned() }
}

impl Store {
    /// An empty store of a patch level.
    pub fn new(patch: u16, licence: Licence, references: References) -> Self {
        let rows = SETS.iter().map(|set| (set.name, BTreeMap::new())).collect();
        let (numbers, audio) = (BTreeMap::new(), BTreeMap::new());
        let (keeps_tags, reprovisioned, calls) = (true, Vec::new(), Vec::new());
        Self {
            rows,
            numbers,
            next_id: 27,
            patch,
            licence,
            references,
            audio,
            keeps_tags,
            reprovisioned,
            calls,
        }
    }

    /// A new id.
    pub fn next_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// The rows of a set, in the order of their keys.
    pub fn rows(&self, set: &str) -> impl Iterator<Item = &Value> {
        self.rows.get(set).into_iter().flat_map(BTreeMap::values)
    }

    /// How many rows a set has.
    pub fn count(&self, set: &str) -> usize {
        self.rows.get(set).map_or(0, BTreeMap::len)
    }

    /// The row of a key.
    pub fn row(&self, set: &str, key: &str) -> Option<&Value> {
        self.rows.get(set)?.get(&sortable(key))
    }

    /// Who has a number: the set and the row.
    pub fn by_number(&self, number: &str) -> Option<(&'static str, &Value)> {
        let (set, key) = self.numbers.get(number)?;
        Some((set, self.row(set, key)?))
    }

    /// All rows of all sets, each with its set.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.rows.iter().flat_map(|(set, rows)| rows.values().map(|row| (*set, row)))
    }

    /// The plan of numbers: every one that is taken, and what it is.
    pub fn peers(&self) -> Vec<Value> {
        let peer = |(number, (set, key)): (&String, &(&'static str, String))| {
            let row = self.row(set, key)?;
            let (kind, _) = set_of(set)?.number?;
            let own = json!({"Id": row["Id"], "Number": number, "Name": row["Name"], "Type": kind});
            Some(if *set == "Peers" { row.clone() } else { own })
        };
        self.numbers.iter().filter_map(peer).collect()
    }

    /// Puts a row in as it is, replacing the one of its key.
    pub fn put(&mut self, set: &Set, row: Value) {
        let key = match &row[set.key] {
            Value::String(key) => key.clone(),
            other => other.to_string(),
        };
        if let (Some(_), Some(number)) = (set.number, row["Number"].as_str()) {
            self.numbers.insert(number.to_owned(), (set.name, key.clone()));
        }
        self.rows.entry(set.name).or_default().insert(sortable(&key), row);
    }

    /// Makes a row of a body, after the rules. Gives it as it is kept.
    ///
    /// # Errors
    /// The refusal.
    pub fn create(&mut self, set: &Set, body: &Map<String, Value>) -> Result<Value, Refusal> {
        self.bind(set, body)?;
        let mut row = rules::defaults(set.name);
        let fields = row.as_object_mut().ok_or_else(|| refused(500, "", "no defaults"))?;
        fields.extend(body.clone());
        if set.key == "Id" {
            let id = self.next_id();
            row["Id"] = id.into();
        }
        rules::number(self, set, &mut row)?;
        rules::on_create(self, set, body)?;
        rules::settle(self, set, &mut row, None)?;
        self.put(set, row.clone());
        rules::after_create(self, set, &row);
        Ok(row)
    }

    /// Changes a row.
    ///
    /// # Errors
    /// The refusal.
    pub fn change(&mut self, set: &Set, key: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
        self.bind(set, body)?;
        let before = self.row(set.name, key).cloned().ok_or_else(|| refused(404, "", "Not found"))?;
        let moved = |name: &str| body.get(name).is_some_and(|value| *value != before[name]);
        if moved("Number") || moved(set.key) {
            return Err(refused(400, "Number", "WARNINGS.XAPI.FORBIDDEN_CHANGE"));
        }
        let mut row = before.clone();
        if let Some(fields) = row.as_object_mut() {
            fields.extend(body.clone());
        }
        rules::settle(self, set, &mut row, Some((&before, body)))?;
        self.put(set, row);
        Ok(())
    }

    /// Deletes a row.
    ///
    /// # Errors
    /// The refusal.
    pub fn delete(&mut self, set: &Set, key: &str) -> Result<(), Refusal> {
        let row = self.row(set.name, key).cloned().ok_or_else(|| refused(404, "", "Not found"))?;
        rules::may_delete(self, set, &row)?;
        if self.references == References::Refuse && refer::is_referred(self, set, &row) {
            return Err(refused(400, "", "WARNINGS.CANNOT_BE_DELETED"));
        }
        self.rows.entry(set.name).or_default().remove(&sortable(key));
        if let Some(number) = row["Number"].as_str() {
            self.numbers.remove(number);
            if set.name != "Groups" && self.references == References::Cut {
                self.forget_number(number);
            }
        }
        if set.name == "Trunks" {
            let id = row["Id"].clone();
            if let Some(rules) = self.rows.get_mut("InboundRules") {
                rules.retain(|_, rule| rule["TrunkDN"]["Id"] != id);
            }
        }
        Ok(())
    }

    fn bind(&self, set: &Set, body: &Map<String, Value>) -> Result<(), Refusal> {
        let plain: Map<String, Value> = body
            .iter()
            .filter(|(name, _)| !name.starts_with('@'))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        if binds(set.entity, &plain, self.patch) {
            return Ok(());
        }
        Err((
            400,
            json!({"error": {"code": "", "message": "The input was not valid.", "details":
            [{"code": "", "message": "The delta field is required.", "target": "delta"}]}}),
        ))
    }

    fn forget_number(&mut self, number: &str) {
        for table in self.rows.values_mut() {
            table.values_mut().for_each(|row| refer::forget(row, number));
        }
    }
}
