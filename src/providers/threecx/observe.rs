//! Reads a PBX: its version and limits, then every set page by page. What fails is named, and what needs it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value as Json;

use super::directory::{Directory, SYSTEM};
use super::kind::{Identity, Kind, Patch, percent};
use super::references::NUMBERED;
use super::{fault, kinds};
use crate::model::{Fields, Key, Observed, Owns, Value, Wish};
use crate::transport::Reading;
use crate::transport::http::HttpFault;

/// Rows of a page; more are refused by most sets.
const PAGE: usize = 100;
/// A set that has more pages than this does not end.
const MAX_PAGES: usize = 10_000;

/// Reads all collections.
pub async fn observe(wish: &Wish, hand: Reading<'_>, now: jiff::Timestamp) -> Observed {
    let mut observed = Observed::new(wish.target.clone());
    let (patch, version) = match version(hand).await {
        Ok(found) => found,
        Err(fault) => return Observed::unreachable(wish.target.clone(), fault::read(&fault)),
    };
    observed.title = format!("3CX {version}");
    for (collection, reason) in &wish.unknown {
        observed.miss(Some(*collection), None, reason.as_str());
    }
    let limits = limits(hand, patch, now, &mut observed);
    let read: Vec<&'static dyn Kind> = kinds().iter().filter(|kind| kind.is_read(wish)).copied().collect();
    let sets = join_all(read.iter().map(|kind| rows(*kind, patch, "", hand)));
    let views = join_all(VIEWS.iter().map(|view| pages(hand, view.set, view.query)));
    let ((), sets, views, operator) = futures::join!(limits, sets, views, operator(wish, hand));
    let mut directory = Directory::of_wish(wish);
    for (view, rows) in VIEWS.iter().zip(views) {
        match rows {
            Ok(rows) => rows.iter().for_each(|row| (view.take)(&row.value(), &mut observed)),
            Err(fault) => {
                observed.miss(Some(SYSTEM), Some(view.set), format!("{}: {}", view.set, fault::read(&fault)));
            }
        }
    }
    observed.resources.iter().for_each(|(key, fields)| directory.learn_seen(key, fields));
    let mut found = Vec::new();
    for (kind, rows) in read.iter().zip(sets) {
        match rows {
            Ok(rows) => {
                count_prompts(*kind, &rows, &mut observed);
                found.extend(identified(*kind, rows, wish, &mut directory, &mut observed));
            }
            Err(fault) => observed.miss(Some(kind.collection()), None, fault::read(&fault)),
        }
    }
    let operator = operator.unwrap_or_else(|fault| {
        // Which one must not be deleted is not known, so none is.
        observed.miss(Some("extension"), Some("operator"), fault::read(&fault));
        String::new()
    });
    for (kind, mut identity, row) in found {
        identity.system |= kind.collection() == "extension" && identity.name == operator;
        let fields = seen(kind, &identity, &row.value(), &directory);
        // What belongs to the system and was not wished is nobody's to manage.
        let key = Key::new(kind.collection(), identity.name.as_str());
        if !identity.system || wish.resources.contains_key(&key) {
            observed.resources.insert(key, fields);
        } else {
            observed
                .resources
                .insert(Key::new(SYSTEM, format!("{}/{}", kind.collection(), identity.name)), fields);
        }
    }
    taken(wish, hand, &mut observed).await;
    observed
}

/// A row in text, until every set is read and it can be understood. As a tree of values it takes ten times the
/// memory, which counts where there are ten thousand.
struct Row(Box<str>);

impl Row {
    fn of(value: &Json) -> Self {
        Self(value.to_string().into())
    }

    fn value(&self) -> Json {
        serde_json::from_str(&self.0).expect("it was written from a value")
    }
}

/// The fields of an entity with what identifies it.
pub fn seen(kind: &dyn Kind, identity: &Identity, entity: &Json, directory: &Directory) -> Fields {
    let mut fields = kind.see(entity, directory);
    fields.insert("id".to_owned(), identity.key.as_str().into());
    if let Some(number) = &identity.number {
        fields.insert("number_on_pbx".to_owned(), number.as_str().into());
    }
    fields
}

/// Who the rows of a set are. A wished name that several have stands for none of them; of those nobody wished,
/// all but the first get their key behind it.
fn identified(
    kind: &'static dyn Kind,
    rows: Vec<Row>,
    wish: &Wish,
    directory: &mut Directory,
    observed: &mut Observed,
) -> Vec<(&'static dyn Kind, Identity, Row)> {
    let collection = kind.collection();
    let all: Vec<(Identity, Row)> =
        rows.into_iter().filter_map(|row| Some((kind.identify(&row.value(), directory)?, row))).collect();
    // Beside one of ours, what is not ours to manage has no claim to its name.
    let ours: BTreeSet<String> =
        all.iter().filter(|(own, _)| !own.system).map(|(own, _)| own.name.clone()).collect();
    let is_beside = |own: &Identity| own.system && ours.contains(&own.name);
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (identity, _) in all.iter().filter(|(own, _)| !is_beside(own)) {
        keys.entry(identity.name.clone()).or_default().push(identity.key.clone());
    }
    let is_wished = |name: &str| wish.resources.contains_key(&Key::new(collection, name));
    keys.retain(|name, keys| keys.len() > 1 && is_wished(name) && !kind.twins_are_one());
    let mut found: Vec<(&'static dyn Kind, Identity, Row)> = Vec::new();
    let mut taken = BTreeSet::new();
    for (mut identity, row) in all {
        if keys.contains_key(&identity.name) && !is_beside(&identity) {
            directory.learn_twin(collection, &identity);
            let key = Key::new(SYSTEM, format!("twin/{collection}/{}", identity.key));
            let number = identity.number.as_deref().unwrap_or_default();
            let fields = [("id", identity.key.as_str()), ("name", &identity.name), ("number_on_pbx", number)];
            let fields = fields.map(|(field, value)| (field.to_owned(), value.into()));
            observed.resources.insert(key, fields.into());
            continue;
        }
        if is_beside(&identity) || !taken.insert(identity.name.clone()) {
            identity.name = format!("{}-{}", identity.name, identity.key.trim_matches('\''));
            taken.insert(identity.name.clone());
        }
        directory.learn(collection, &identity);
        found.push((kind, identity, row));
    }
    for (name, keys) in keys {
        let title = wish.resources.get(&Key::new(collection, &*name));
        let title = title.and_then(|wished| wished.fields.get("title")?.as_text()).unwrap_or(&name);
        observed.miss(Some(collection), Some(&name), twins(collection, title, &keys));
    }
    found
}

/// Several objects that the inventory cannot tell apart, in words.
fn twins(collection: &str, title: &str, keys: &[String]) -> String {
    let kinds = format!("{}s", collection.replace('_', " "));
    let count = if keys.len() == 2 { "two".to_owned() } else { keys.len().to_string() };
    let (first, last) = keys.split_at(keys.len().saturating_sub(1));
    let ids = format!("ids {} and {}", first.join(", "), last.join(""));
    match collection {
        "inbound_rule" | "caller_rule" => {
            format!("{count} {kinds} on the PBX are for the same calls ({ids}): delete one")
        }
        _ => format!("{count} {kinds} are called {title} on the PBX ({ids}): rename one"),
    }
}

/// How many prompts may still be uploaded, once they and their limit are read.
fn count_prompts(kind: &dyn Kind, rows: &[Row], observed: &mut Observed) {
    let Some(licence) = observed.resources.get_mut(&Key::new(SYSTEM, "licence")) else { return };
    if let (true, Some(Value::Int(most))) = (kind.collection() == "prompt", licence.get("most_prompt")) {
        let uploaded = rows.iter().filter(|row| row.value()["CanBeDeleted"] != false).count();
        let left = most - i64::try_from(uploaded).unwrap_or(i64::MAX);
        licence.insert("left_prompt".to_owned(), Value::Int(left));
    }
}

/// The number of the operator, who cannot be deleted, when extensions may be.
async fn operator(wish: &Wish, hand: Reading<'_>) -> Result<String, HttpFault> {
    if wish.owns.get("extension") != Some(&Owns::Whole) {
        return Ok(String::new());
    }
    let answer = hand.get("/xapi/v1/GeneralSettingsForPbx?$select=OperatorExtension").await?;
    Ok(answer.body["OperatorExtension"].as_str().unwrap_or_default().to_owned())
}

/// Numbers that are to be given and that something has which is not looked at: a fax, a conference, a menu of
/// the system. Nothing is asked when all wished numbers are there.
async fn taken(wish: &Wish, hand: Reading<'_>, observed: &mut Observed) {
    let new = |key: &&Key| {
        NUMBERED.contains(&key.collection.as_str())
            && !observed.resources.contains_key(*key)
            && !observed.is_unread(key)
    };
    let wished: BTreeSet<&str> = wish.resources.keys().filter(new).map(|key| key.name.as_str()).collect();
    if wished.is_empty() {
        return;
    }
    match pages(hand, "Peers", "$select=Number,Type").await {
        Ok(rows) => {
            for row in rows.iter().map(Row::value) {
                let Some(number) = row["Number"].as_str().filter(|number| wished.contains(number)) else {
                    continue;
                };
                let kind = row["Type"].as_str().unwrap_or("another object");
                let fields = Fields::from([("kind".to_owned(), kind.into())]);
                observed.resources.insert(Key::new(SYSTEM, format!("peer/{number}")), fields);
            }
        }
        Err(fault) => observed.miss(Some(SYSTEM), Some("Peers"), format!("Peers: {}", fault::read(&fault))),
    }
}

/// An object of a name as it is now; `None` when it is not there.
pub async fn look(
    kind: &dyn Kind,
    name: &str,
    patch: Patch,
    directory: &Directory,
    hand: Reading<'_>,
) -> Result<Option<(Identity, Json)>, HttpFault> {
    let number = if NUMBERED.contains(&kind.collection()) { name } else { "" };
    let rows = rows(kind, patch, number, hand).await?;
    let own = |row: Json| Some((kind.identify(&row, directory).filter(|own| own.name == name)?, row));
    Ok(rows.iter().map(Row::value).find_map(own))
}

/// The version: patch level of 20.0 and the whole in words.
async fn version(hand: Reading<'_>) -> Result<(Patch, String), HttpFault> {
    let answer = hand.get("/xapi/v1/Defs?$select=Id").await?;
    let version = match answer.version {
        Some(version) => version,
        None => {
            let status = hand.get("/xapi/v1/SystemStatus?$select=Version").await?;
            status.body["Version"].as_str().unwrap_or_default().to_owned()
        }
    };
    let mut parts = version.split('.').map(|part| part.parse::<u16>().unwrap_or(0));
    let patch = match (parts.next(), parts.next(), parts.next()) {
        (Some(20), Some(0), Some(patch)) => patch,
        // Later than all that is known: every field is known there.
        (Some(major), ..) if major >= 20 => Patch::MAX,
        _ => return Err(HttpFault::NotJson(format!("its version `{version}` is not understood"))),
    };
    Ok((patch, version))
}

/// Collections that a licence counts and what XAPI calls them.
const LIMITED: [(&str, &str); 4] =
    [("extension", "Users"), ("trunk", "Trunks"), ("sbc", "Sbcs"), ("live_chat", "LiveChats")];

/// What the licence allows, for the objections.
async fn limits(hand: Reading<'_>, patch: Patch, now: jiff::Timestamp, observed: &mut Observed) {
    let mut fields = Fields::from([("patch".to_owned(), Value::Int(patch.into()))]);
    let mut missed = Vec::new();
    match hand
        .get("/xapi/v1/LicenseStatus?$select=ExpirationDate,LicenseActive,ProductCode,MaxSimCalls")
        .await
    {
        Ok(answer) => {
            let expires = answer.body["ExpirationDate"].as_str().unwrap_or_default();
            let over = expires.parse::<jiff::Timestamp>().is_ok_and(|end| end < now);
            let expired = over || answer.body["LicenseActive"] == false;
            fields.insert("expired".to_owned(), expired.into());
        }
        Err(fault) => missed.push(fault::read(&fault)),
    }
    match hand.get("/xapi/v1/Defs/Pbx.GetSystemParameters()").await {
        Ok(answer) => {
            if let Some(enterprise) = answer.body["License"]["IsEnterprise"].as_bool() {
                fields.insert("enterprise".to_owned(), enterprise.into());
            }
        }
        Err(fault) => missed.push(fault::read(&fault)),
    }
    match hand.get("/xapi/v1/Groups?$filter=IsDefault%20eq%20true&$select=Id&$top=1").await {
        Ok(answer) => {
            let id = answer.body["value"][0]["Id"].as_i64().unwrap_or_default();
            match hand.get(&format!("/xapi/v1/Groups({id})/Pbx.GetRestrictions()")).await {
                Ok(answer) => {
                    if let Some(most) = answer.body["MaxPrompts"].as_i64().filter(|most| *most > 0) {
                        fields.insert("most_prompt".to_owned(), Value::Int(most));
                    }
                    for (field, property) in LIMITED {
                        let row = &answer.body[property];
                        if let (Some(allowed), Some(used), false) =
                            (row["Allowed"].as_i64(), row["Used"].as_i64(), row["Unlimited"] == true)
                        {
                            fields.insert(format!("left_{field}"), Value::Int(allowed.saturating_sub(used)));
                        }
                    }
                }
                Err(fault) => missed.push(fault::read(&fault)),
            }
        }
        Err(fault) => missed.push(fault::read(&fault)),
    }
    observed.resources.insert(Key::new(SYSTEM, "licence"), fields);
    if let Some(reason) = missed.into_iter().next() {
        observed.miss(Some(SYSTEM), Some("licence"), format!("its licence and limits: {reason}"));
    }
}

/// A set that is looked at and not managed.
struct View {
    set: &'static str,
    query: &'static str,
    take: fn(&Json, &mut Observed),
}

const VIEWS: [View; 4] = [
    View {
        set: "Groups",
        query: "$select=Id,Props",
        take: |row, observed| {
            // None and zero are taken for no limit: what they mean was never seen.
            let most = row["Props"]["LiveChatMaxCount"].as_i64().filter(|most| *most > 0);
            if let (Some(id), Some(most)) = (row["Id"].as_i64(), most) {
                let fields = Fields::from([("live_chat".to_owned(), Value::Int(most))]);
                observed.resources.insert(Key::new(SYSTEM, format!("limits/{id}")), fields);
            }
        },
    },
    View {
        set: "Parkings",
        query: "$select=Id,Number",
        take: |row, observed| {
            if let (Some(id), Some(number)) = (row["Id"].as_i64(), row["Number"].as_str()) {
                let fields = Fields::from([("id".to_owned(), id.to_string().into())]);
                observed.resources.insert(Key::new(SYSTEM, format!("parking/{number}")), fields);
            }
        },
    },
    View {
        set: "Defs/TimeZones",
        query: "$select=Id,IanaName",
        take: |row, observed| {
            if let (Some(id), Some(iana)) = (row["Id"].as_str(), row["IanaName"].as_str()) {
                let fields = Fields::from([("id".to_owned(), id.into())]);
                observed.resources.insert(Key::new(SYSTEM, format!("zone/{iana}")), fields);
            }
        },
    },
    View {
        set: "PhoneTemplates",
        query: "$select=Id,AddAllowed,Models",
        take: |row, observed| {
            for model in row["Models"].as_array().into_iter().flatten() {
                let (Some(id), Some(name)) = (row["Id"].as_str(), model["Name"].as_str()) else { continue };
                let allowed = row["AddAllowed"] != false && model["AddAllowed"] != false;
                let fields =
                    Fields::from([("id".to_owned(), id.into()), ("add_allowed".to_owned(), allowed.into())]);
                observed.resources.insert(Key::new(SYSTEM, format!("template/{name}")), fields);
            }
        },
    },
];

/// The rows of a kind; of one number alone when there is one.
async fn rows(kind: &dyn Kind, patch: Patch, number: &str, hand: Reading<'_>) -> Result<Vec<Row>, HttpFault> {
    if kind.is_single() {
        let body = hand.get(&format!("/xapi/v1/{}?{}", kind.set(), kind.query(patch))).await?.body;
        let none = || HttpFault::NotJson("there is no object in it".to_owned());
        return body.is_object().then(|| vec![Row::of(&body)]).ok_or_else(none);
    }
    let mut query = kind.query(patch);
    if !number.is_empty() {
        query = format!("$filter=Number%20eq%20'{}'&{query}", percent(number));
    }
    let mut rows = pages(hand, kind.set(), &query).await?;
    if kind.set() == "OutboundRules" {
        // Rules for emergency numbers are not in the plain list.
        let answer = hand.get("/xapi/v1/OutboundRules/Pbx.GetEmergencyOutboundRules()").await?;
        rows.extend(array(answer.body)?);
    }
    Ok(rows)
}

/// All rows of a set: pages until a short one. A count would spare the last request and is not given everywhere.
async fn pages(hand: Reading<'_>, set: &str, query: &str) -> Result<Vec<Row>, HttpFault> {
    let mut rows = Vec::new();
    for page in 0..MAX_PAGES {
        let path = format!("/xapi/v1/{set}?$top={PAGE}&$skip={}&{query}", page * PAGE);
        let more = array(hand.get(&path).await?.body)?;
        let last = more.len() < PAGE;
        rows.extend(more);
        if last {
            return Ok(rows);
        }
    }
    Err(HttpFault::TooLarge)
}

fn array(body: Json) -> Result<Vec<Row>, HttpFault> {
    match &body["value"] {
        Json::Array(rows) if rows.iter().all(Json::is_object) => Ok(rows.iter().map(Row::of).collect()),
        _ => Err(HttpFault::NotJson("there is no list of objects in it".to_owned())),
    }
}
