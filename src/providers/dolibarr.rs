//! Dolibarr as a directory: its third parties and contacts over its REST API, read only. It is no device: nothing is
//! wished of it, and what it answers becomes contacts of a telephone system.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::transport::Reading;
use crate::transport::http::HttpFault;

mod number;

pub use number::international;

/// Rows of a page.
const PAGE: usize = 100;
/// A list that has more pages than this does not end.
const MAX_PAGES: usize = 10_000;
/// How many numbers that are none are named one by one.
const NAMED: usize = 5;

/// What a directory holds for a phonebook.
#[derive(Debug, Default)]
pub struct People {
    /// Its entries, in the order of their ids.
    pub entries: Vec<Person>,
    /// Fields whose number is none: the entry's id and the field.
    pub unclear: Vec<(String, &'static str)>,
}

impl People {
    /// What was left out, in words; no number is repeated.
    pub fn left_out(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .unclear
            .iter()
            .take(NAMED)
            .map(|(id, field)| format!("{id}: what is in {field} is no telephone number and was left out"))
            .collect();
        if let more @ 1.. = self.unclear.len().saturating_sub(NAMED) {
            lines.push(format!("and {more} more fields that hold no telephone number"));
        }
        lines
    }
}

/// An entry of a phonebook.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// What it is and its id there: `contact-12`, `company-7`.
    pub id: String,
    /// Its fields in the words of the inventory's contacts; empty ones are not there.
    pub fields: BTreeMap<&'static str, String>,
}

impl Person {
    /// The name people know it by.
    pub fn known_as(&self) -> String {
        let text = |field| self.fields.get(field).map_or("", String::as_str);
        let person = format!("{} {}", text("first_name"), text("last_name"));
        match (person.trim(), text("company")) {
            (person, "") => person.to_owned(),
            ("", company) => company.to_owned(),
            (person, company) => format!("{person}, {company}"),
        }
    }
}

/// Reads all of it, or nothing: a part would look like a directory whose rest was deleted.
///
/// # Errors
/// Why it was not read, in one line.
pub async fn read(hand: Reading<'_>) -> Result<People, String> {
    let (companies, contacts) = futures::try_join!(list(hand, "thirdparties"), list(hand, "contacts"))?;
    if companies.is_empty() && contacts.is_empty() {
        return Err("it shows no third party and no contact; may the key's user see them?".to_owned());
    }
    Ok(gather(&companies, &contacts))
}

/// All rows of a list, by page until there is none. In most versions an empty page is a 404.
async fn list(hand: Reading<'_>, what: &str) -> Result<Vec<Json>, String> {
    let mut rows = Vec::new();
    let mut known = BTreeSet::new();
    for page in 0..MAX_PAGES {
        let path = format!("{what}?sortfield=t.rowid&sortorder=ASC&limit={PAGE}&page={page}");
        let more = match hand.get(&path).await {
            Ok(answer) => answer.body,
            Err(HttpFault::Status { status: 404, body }) if is_empty(&body) => return Ok(rows),
            Err(fault) => return Err(format!("{what}: {}", told(&fault))),
        };
        let Json::Array(more) = more else { return Err(format!("{what}: the answer is no list")) };
        if more.is_empty() {
            return Ok(rows);
        }
        let before = rows.len();
        for row in more {
            let id = id(&row).ok_or_else(|| format!("{what}: an entry has no id"))?;
            if known.insert(id) {
                rows.push(row);
            }
        }
        if rows.len() == before {
            return Err(format!("{what}: page {page} repeats what was there before"));
        }
    }
    Err(format!("{what}: the list does not end"))
}

/// Whether a 404 says that the list is empty, and not that there is no such API.
fn is_empty(body: &Json) -> bool {
    let said = body["error"]["message"].as_str().unwrap_or_default().to_lowercase();
    said.contains("thirdpart") || said.contains("third part") || said.contains("contact")
}

/// Why there is no good answer, in one line.
fn told(fault: &HttpFault) -> String {
    match fault {
        HttpFault::KeyRefused => "the key was refused; look at `api_key` and at its user".to_owned(),
        HttpFault::Status { status: 403, .. } => "the key's user has no right to read them".to_owned(),
        HttpFault::Status { status: 404, .. } => {
            "there is no such API; is the module \"API/Web services REST\" on, and `url` right?".to_owned()
        }
        other => other.to_string(),
    }
}

/// Ids come as numbers or as text.
fn id(row: &Json) -> Option<u64> {
    row["id"].as_u64().or_else(|| row["id"].as_str()?.trim().parse().ok())
}

/// The first field of these that holds a text, without control characters.
fn text(row: &Json, names: &[&str]) -> Option<String> {
    let plain = |name: &&str| {
        let value = match &row[*name] {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            _ => return None,
        };
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    names.iter().find_map(plain)
}

/// Whether a flag is set, or is clear, as far as it is there.
fn says(row: &Json, names: &[&str], value: &str) -> bool {
    text(row, names).is_some_and(|said| said == value)
}

/// What a company has for those who work there.
struct Company {
    name: Option<String>,
    country: Option<String>,
    closed: bool,
}

fn gather(companies: &[Json], contacts: &[Json]) -> People {
    let mut people = People::default();
    let mut known = BTreeMap::new();
    for row in companies {
        let Some(id) = id(row) else { continue };
        let country = text(row, &["country_code"]);
        let (name, closed) = (text(row, &["name", "nom"]), says(row, &["status"], "0"));
        if let (Some(name), false) = (&name, closed) {
            let texts = [("company", Some(name.clone()))];
            let numbers = [("mobile", &["phone_mobile"][..]), ("business", &["phone"]), ("fax", &["fax"])];
            people.take(format!("company-{id}"), row, texts, &numbers, country.as_deref());
        }
        known.insert(id, Company { name, country, closed });
    }
    for row in contacts {
        let Some(id) = id(row) else { continue };
        let company = text(row, &["socid", "fk_soc"]).and_then(|id| known.get(&id.parse().ok()?));
        let is_private = says(row, &["priv"], "1");
        if is_private
            || says(row, &["statut", "status"], "0")
            || company.is_some_and(|company| company.closed)
        {
            continue;
        }
        let country = text(row, &["country_code"]).or_else(|| company?.country.clone());
        let of_company = || company.and_then(|company| company.name.clone());
        let texts = [
            ("first_name", text(row, &["firstname"])),
            ("last_name", text(row, &["lastname"])),
            ("company", text(row, &["socname", "thirdparty_name"]).or_else(of_company)),
            ("title", text(row, &["poste"])),
        ];
        let numbers = [
            ("mobile", &["phone_mobile"][..]),
            ("business", &["phone_pro"]),
            ("home", &["phone_perso"]),
            ("fax", &["fax"]),
        ];
        people.take(format!("contact-{id}"), row, texts, &numbers, country.as_deref());
    }
    people
}

impl People {
    /// Takes an entry with a name and a number to call.
    fn take(
        &mut self,
        id: String,
        row: &Json,
        texts: impl IntoIterator<Item = (&'static str, Option<String>)>,
        numbers: &[(&'static str, &'static [&'static str])],
        country: Option<&str>,
    ) {
        let mut fields: BTreeMap<&'static str, String> =
            texts.into_iter().filter_map(|(field, text)| Some((field, text?))).collect();
        let is_named = fields.keys().any(|field| *field != "title");
        let mut is_called = false;
        for (field, names) in numbers {
            let Some(written) = text(row, names) else { continue };
            match international(&written, country) {
                Some(number) => {
                    is_called |= *field != "fax";
                    fields.insert(field, number);
                }
                None => self.unclear.push((id.clone(), names[0])),
            }
        }
        if let Some(email) = text(row, &["email"]).filter(|email| email.contains('@')) {
            fields.insert("email", email);
        }
        if is_named && is_called {
            self.entries.push(Person { id, fields });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_those_that_can_be_called() {
        let companies = [
            json!({"id": "7", "name": "Piscine de Lyon", "phone": "04 72 00 11 22", "status": "1",
                "country_code": "FR"}),
            json!({"id": 8, "name": "Closed", "phone": "04 72 00 11 23", "status": 0}),
            json!({"id": 9, "name": "Bruxelles SA", "phone": "02 511 00 00", "country_code": "BE"}),
        ];
        let contacts = [
            json!({"id": "1", "lastname": "Martin", "firstname": "Jean", "socid": "7",
                "phone_mobile": "06.11.22.33.44",
                "poste": "Director", "email": "jean@example.fr", "statut": "1", "priv": "0"}),
            json!({"id": "2", "lastname": "Private", "phone_mobile": "0611223345", "priv": "1"}),
            json!({"id": "3", "lastname": "Gone", "phone_mobile": "0611223346", "statut": "0"}),
            json!({"id": "4", "lastname": "Silent", "phone_mobile": ""}),
            json!({"id": "5", "lastname": "Of the closed", "fk_soc": 8, "phone_pro": "0472001124"}),
            json!({"id": "6", "lastname": "Fax", "fax": "0472001125"}),
        ];
        let people = gather(&companies, &contacts);
        let ids: Vec<&str> = people.entries.iter().map(|person| person.id.as_str()).collect();
        assert_eq!(ids, ["company-7", "contact-1"]);
        let martin = &people.entries[1];
        assert_eq!(martin.known_as(), "Jean Martin, Piscine de Lyon");
        assert_eq!(martin.fields["mobile"], "+33611223344");
        assert_eq!(people.unclear, [("company-9".to_owned(), "phone")], "no number of France");
        assert!(people.left_out()[0].contains("company-9"));
    }
}
