//! Reads a PBX: its version and limits, then every set page by page. What fails is named, and what needs it.

use futures::future::join_all;
use serde_json::Value as Json;

use super::directory::{Directory, SYSTEM};
use super::kind::{Identity, Kind, Patch};
use super::{fault, kinds};
use crate::model::{Fields, Key, Observed, Value, Wish};
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
    let limits = limits(hand, patch, now, &mut observed);
    let sets = join_all(kinds().iter().map(|kind| rows(*kind, patch, hand)));
    let views = join_all(VIEWS.iter().map(|view| pages(hand, view.set, view.query)));
    let ((), sets, views) = futures::join!(limits, sets, views);
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
    for (kind, rows) in kinds().iter().zip(sets) {
        match rows {
            Ok(rows) => found.extend(identified(*kind, rows, &mut directory)),
            Err(fault) => observed.miss(Some(kind.collection()), None, fault::read(&fault)),
        }
    }
    for (kind, identity, row) in found {
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
    observed
}

/// A row in text, until every set is read and it can be understood. As a tree of values it takes ten times the
/// memory, which counts where there are ten thousand.
struct Row(Box<str>);

impl Row {
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

/// Who the rows of a set are; those whose name is taken get their key behind it.
fn identified(
    kind: &'static dyn Kind,
    rows: Vec<Row>,
    directory: &mut Directory,
) -> Vec<(&'static dyn Kind, Identity, Row)> {
    let mut found: Vec<(&'static dyn Kind, Identity, Row)> = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for row in rows {
        let Some(mut identity) = kind.identify(&row.value(), directory) else { continue };
        if !taken.insert(identity.name.clone()) {
            identity.name = format!("{}-{}", identity.name, identity.key.trim_matches('\''));
            taken.insert(identity.name.clone());
        }
        directory.learn(kind.collection(), &identity);
        found.push((kind, identity, row));
    }
    found
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
                    for (field, property) in [("extension", "Users"), ("trunk", "Trunks"), ("sbc", "Sbcs")] {
                        let row = &answer.body[property];
                        if let (Some(allowed), Some(used), false) =
                            (row["Allowed"].as_i64(), row["Used"].as_i64(), row["Unlimited"] == true)
                        {
                            fields.insert(format!("left_{field}"), Value::Int(allowed - used));
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

const VIEWS: [View; 3] = [
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

async fn rows(kind: &dyn Kind, patch: Patch, hand: Reading<'_>) -> Result<Vec<Row>, HttpFault> {
    let mut rows = pages(hand, kind.set(), &kind.query(patch)).await?;
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
        Json::Array(rows) if rows.iter().all(Json::is_object) => {
            Ok(rows.iter().map(|row| Row(row.to_string().into())).collect())
        }
        _ => Err(HttpFault::NotJson("there is no list of objects in it".to_owned())),
    }
}
