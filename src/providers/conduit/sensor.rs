//! Sensors: the list of end-device credentials (`/api/loraNetwork/whitelist`) and the network server's own
//! rows (`/api/lora/devices`), which remember a session after the credentials are gone.
//!
//! The list is written as a whole, `PUT {"enabled": true, "devices": [...]}`: the one request seen at work
//! for adding, changing and removing alike. Adding twice by `POST` has an unknown effect, and `DELETE` by
//! index hits another sensor when the list has moved. What an entry has besides our fields is kept.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{key, lorawan};
use crate::model::{Action, Eui, Fields, Key, Secret, Value, Verifier, Wish};
use crate::providers::Job;

/// LoRaWAN 1.0.2, OTAA, EU868: the profile of the sensors in use.
const DEVICE_PROFILE: &str = "LW102-OTA-EU868";
const NETWORK_PROFILE: &str = "DEFAULT-CLASS-A";

/// Our fields and the gateway's names for them.
const EUIS: [(&str, &str); 2] = [("dev_eui", "deveui"), ("app_eui", "appeui")];
const TEXTS: [(&str, &str); 3] =
    [("class", "class"), ("device_profile", "device_profile_id"), ("network_profile", "network_profile_id")];

/// Whether the sensor is among the credentials, and whether the network server has a row of it.
const LISTED: &str = "listed";
const JOINED: &str = "joined";
/// The gateway's entry as it is, to be written back.
const ENTRY: &str = "entry";

/// What is wished of one sensor.
pub(super) fn wished(dev_eui: Eui, app_eui: Eui, app_key: Value) -> Fields {
    [
        ("dev_eui", dev_eui.to_string().into()),
        ("app_eui", app_eui.to_string().into()),
        ("app_key", app_key),
        ("class", "A".into()),
        ("device_profile", DEVICE_PROFILE.into()),
        ("network_profile", NETWORK_PROFILE.into()),
        (LISTED, true.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The sensors in the list, by the inventory's names where it knows them, else by DevEUI.
///
/// # Errors
/// What is wrong with the list.
pub(super) fn seen(list: &Json, wish: &Wish) -> Result<BTreeMap<Key, Fields>, String> {
    let names = Names::of(wish);
    let entries = match list.get("devices") {
        Some(Json::Array(entries)) => entries.as_slice(),
        Some(Json::Null) => &[],
        _ => return Err("the gateway's credentials have no list of devices".to_owned()),
    };
    let mut sensors = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let number = index + 1;
        let (dev_eui, fields) = fields(entry).ok_or_else(|| {
            format!("entry {number} of the gateway's credentials has no DevEUI or a field of another type")
        })?;
        let key = match names.key(dev_eui) {
            // A second entry of one DevEUI is nobody's.
            taken if sensors.contains_key(&taken) => {
                Key::new("sensor", format!("{dev_eui} (entry {number})"))
            }
            free => free,
        };
        sensors.insert(key, fields);
    }
    Ok(sensors)
}

fn fields(entry: &Json) -> Option<(Eui, Fields)> {
    let entry_fields = entry.as_object()?;
    let mut fields = Fields::new();
    for (ours, theirs) in EUIS {
        if let Some(eui) = entry_fields.get(theirs) {
            let eui = eui.as_str()?;
            let eui = eui.parse::<Eui>().map_or_else(|_| eui.to_owned(), |eui| eui.to_string());
            fields.insert(ours.to_owned(), eui.into());
        }
    }
    for (ours, theirs) in TEXTS {
        match entry_fields.get(theirs) {
            Some(Json::String(text)) => drop(fields.insert(ours.to_owned(), text.as_str().into())),
            Some(Json::Number(number)) => drop(fields.insert(ours.to_owned(), number.to_string().into())),
            Some(Json::Null) | None => {}
            Some(_) => return None,
        }
    }
    if let Some(shown) = entry_fields.get("appkey") {
        let shown = shown.as_str()?;
        if !key::is_hidden(shown) {
            fields.insert("app_key".to_owned(), lorawan::plain(shown));
        }
    }
    fields.insert(LISTED.to_owned(), true.into());
    let entry = Secret::new(entry.to_string(), "gateway");
    fields.insert(ENTRY.to_owned(), Value::Verifier(Verifier::Plain(entry)));
    let dev_eui = fields.get("dev_eui")?.as_text()?.parse().ok()?;
    Some((dev_eui, fields))
}

/// Notes which sensors the network server has rows of; a row without credentials is a sensor too.
///
/// # Errors
/// What is wrong with the rows.
pub(super) fn join(sensors: &mut BTreeMap<Key, Fields>, rows: &Json, wish: &Wish) -> Result<(), String> {
    let names = Names::of(wish);
    let rows = rows.as_array().ok_or("the network server's devices are not a list")?;
    for row in rows {
        let dev_eui = row.get("deveui").and_then(Json::as_str).and_then(|eui| eui.parse::<Eui>().ok());
        let dev_eui = dev_eui.ok_or("one of the network server's devices has no DevEUI")?;
        let fields = sensors.entry(names.key(dev_eui)).or_insert_with(|| {
            Fields::from([
                ("dev_eui".to_owned(), dev_eui.to_string().into()),
                (LISTED.to_owned(), false.into()),
            ])
        });
        fields.insert(JOINED.to_owned(), true.into());
    }
    Ok(())
}

/// The inventory's names of sensors.
struct Names<'a>(BTreeMap<&'a str, &'a Key>);

impl<'a> Names<'a> {
    fn of(wish: &'a Wish) -> Self {
        let sensors = wish.resources.iter().filter(|(key, _)| key.collection == "sensor");
        Self(
            sensors
                .filter_map(|(key, sensor)| Some((sensor.fields.get("dev_eui")?.as_text()?, key)))
                .collect(),
        )
    }

    fn key(&self, dev_eui: Eui) -> Key {
        let dev_eui = dev_eui.to_string();
        self.0
            .get(dev_eui.as_str())
            .map_or_else(|| Key::new("sensor", dev_eui.as_str()), |key| (*key).clone())
    }
}

/// The whole list after the changes of a job: what stays is written back as it was read.
pub(super) fn list(job: &Job<'_>) -> Json {
    let changed: BTreeMap<&Key, Action> =
        job.changes.iter().map(|change| (&change.address.key, change.action)).collect();
    let mut devices = Vec::new();
    for (key, fields) in sensors(&job.observed.resources) {
        match changed.get(key) {
            Some(Action::Delete) => {}
            Some(_) => devices
                .extend(job.wish.resources.get(key).map(|wished| merged(entry(fields), &wished.fields))),
            None => devices.extend(entry(fields)),
        }
    }
    let created = changed.iter().filter(|(key, action)| {
        key.collection == "sensor"
            && **action == Action::Create
            && !job.observed.resources.contains_key(**key)
    });
    let created = created.filter_map(|(key, _)| job.wish.resources.get(*key));
    devices.extend(created.map(|wished| merged(None, &wished.fields)));
    json!({ "enabled": true, "devices": devices })
}

fn sensors(observed: &BTreeMap<Key, Fields>) -> impl Iterator<Item = (&Key, &Fields)> {
    observed.iter().filter(|(key, _)| key.collection == "sensor")
}

fn entry(fields: &Fields) -> Option<Json> {
    match fields.get(ENTRY) {
        Some(Value::Verifier(Verifier::Plain(entry))) => serde_json::from_slice(entry.reveal()).ok(),
        _ => None,
    }
}

/// An entry with our fields in the gateway's spelling.
fn merged(entry: Option<Json>, wished: &Fields) -> Json {
    let mut entry = entry.unwrap_or_else(|| json!({}));
    let text = |name: &str| wished.get(name).and_then(Value::as_text).unwrap_or_default();
    for (ours, theirs) in EUIS {
        entry[theirs] = json!(text(ours).parse::<Eui>().map(Eui::dashed).unwrap_or_default());
    }
    for (ours, theirs) in TEXTS {
        entry[theirs] = json!(text(ours));
    }
    if let Some(Value::Secret(app_key)) = wished.get("app_key") {
        entry["appkey"] = json!(app_key.reveal_text().unwrap_or_default());
    }
    entry
}

/// The DevEUI, in the API's spelling, of the network server's row that goes with a sensor, if it has one.
pub(super) fn row(fields: &Fields) -> Option<String> {
    fields.get(JOINED)?;
    fields.get("dev_eui")?.as_text()?.parse::<Eui>().ok().map(Eui::dashed)
}

/// Whether the running network server knows the same sensors by the same keys as the list; a server that
/// shows no list cannot tell.
///
/// # Errors
/// What is wrong with either list.
pub(super) fn is_current(running: &Json, list: &Json) -> Result<bool, String> {
    let Some(running) = running.get("whitelist").filter(|running| running.get("devices").is_some()) else {
        return Ok(true);
    };
    Ok(known(running)? == known(list)?)
}

/// AppEUI and AppKey by DevEUI.
fn known(list: &Json) -> Result<BTreeMap<String, (String, Vec<u8>)>, String> {
    let entries = list.get("devices").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |entry: &Json| {
        let (dev_eui, fields) = fields(entry)?;
        let app_eui = fields.get("app_eui").and_then(Value::as_text).unwrap_or_default().to_owned();
        let app_key = match fields.get("app_key") {
            Some(Value::Verifier(Verifier::Plain(app_key))) => app_key.reveal().to_vec(),
            _ => Vec::new(),
        };
        Some((dev_eui.to_string(), (app_eui, app_key)))
    };
    let wrong = || "the gateway's credentials hold an entry that cannot be read".to_owned();
    entries.iter().map(|entry| one(entry).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Change, Impact, Observed, Resource, Target};

    const HALL: &str = "0018b21000004a2f";
    const KEY: &str = "8f3a5c0e91d7426bb0c2e4f6187a9d35";

    fn target() -> Target {
        Target::new("gateway", "pool-gw")
    }

    fn wish() -> Wish {
        let app_eui = "0018b24441524632".parse().unwrap();
        let key = Value::Secret(Secret::new(KEY, "sensors/pool-hall/app_key"));
        let fields = wished(HALL.parse().unwrap(), app_eui, key);
        let resources =
            [(Key::new("sensor", "pool-hall"), Resource { fields, ..Resource::default() })].into();
        Wish::new(target(), "gateway", 30, resources)
    }

    fn change(name: &str, action: Action) -> Change {
        Change {
            address: Address { target: target(), key: Key::new("sensor", name) },
            action,
            before: None,
            after: None,
            impact: Impact::None,
            because: Vec::new(),
            summary: String::new(),
        }
    }

    fn listed_after(observed: BTreeMap<Key, Fields>, changes: &[Change]) -> Json {
        let wish = wish();
        let observed = Observed { resources: observed, ..Observed::new(target()) };
        list(&Job { wish: &wish, observed: &observed, changes, apply: "test" })
    }

    #[test]
    fn names_come_from_the_inventory_whatever_the_spelling() {
        let shown = json!({ "devices": [
            { "deveui": "00-18-B2-10-00-00-4A-2F", "appkey": "8F3A5C0E91D7426BB0C2E4F6187A9D35" },
            { "deveui": "00-80-00-00-00-00-00-01", "appkey": "" },
            { "deveui": "00-18-b2-10-00-00-4a-2f" },
        ]});
        let sensors = seen(&shown, &wish()).unwrap();
        let names: Vec<&str> = sensors.keys().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["0018b21000004a2f (entry 3)", "0080000000000001", "pool-hall"]);
        let hall = &sensors[&Key::new("sensor", "pool-hall")];
        let wished = &wish().resources[&Key::new("sensor", "pool-hall")].fields["app_key"].clone();
        assert!(crate::plan::same(wished, &hall["app_key"]));
        assert!(!sensors[&Key::new("sensor", "0080000000000001")].contains_key("app_key"), "hidden");
    }

    #[test]
    fn a_list_that_cannot_be_understood_is_no_empty_list() {
        for shown in [
            json!({}),
            json!({ "devices": {} }),
            json!({ "devices": [7] }),
            json!({ "devices": [{}] }),
            json!({ "devices": [{ "deveui": "0018" }] }),
            json!({ "devices": [{ "deveui": HALL, "appkey": 7 }] }),
        ] {
            assert!(seen(&shown, &wish()).is_err(), "{shown}");
        }
        assert!(seen(&json!({ "devices": null }), &wish()).unwrap().is_empty());
    }

    #[test]
    fn a_new_sensor_is_added_to_what_stays_as_it_was() {
        let other = json!({ "deveui": "00-80-00-00-00-00-00-01", "appkey": "x", "class": "C", "odd": [1] });
        let observed = seen(&json!({ "devices": [other] }), &wish()).unwrap();
        let list = listed_after(observed, &[change("pool-hall", Action::Create)]);
        assert_eq!(list["enabled"], true);
        assert_eq!(list["devices"][0], other, "nobody changed it");
        assert_eq!(
            list["devices"][1],
            json!({
                "deveui": "00-18-b2-10-00-00-4a-2f", "appeui": "00-18-b2-44-41-52-46-32", "appkey": KEY,
                "class": "A", "device_profile_id": "LW102-OTA-EU868", "network_profile_id": "DEFAULT-CLASS-A",
            })
        );
        assert_eq!(list["devices"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_changed_entry_keeps_what_is_not_ours_and_a_deleted_one_goes() {
        let shown = json!({ "devices": [
            { "deveui": HALL, "appkey": "00", "name": "hall" },
            { "deveui": "0080000000000001" },
        ]});
        let observed = seen(&shown, &wish()).unwrap();
        let changes = [change("pool-hall", Action::Update), change("0080000000000001", Action::Delete)];
        let list = listed_after(observed, &changes);
        assert_eq!(list["devices"].as_array().unwrap().len(), 1);
        assert_eq!(list["devices"][0]["name"], "hall");
        assert_eq!(list["devices"][0]["appkey"], KEY);
    }

    #[test]
    fn a_row_of_the_network_server_without_credentials_is_a_sensor_to_remove() {
        let mut sensors = BTreeMap::new();
        let rows = json!([{ "deveui": "00-80-00-ff-00-00-00-02", "class": "A" }]);
        join(&mut sensors, &rows, &wish()).unwrap();
        let fields = &sensors[&Key::new("sensor", "008000ff00000002")];
        assert_eq!(row(fields).as_deref(), Some("00-80-00-ff-00-00-00-02"));
        assert_eq!(listed_after(sensors.clone(), &[])["devices"], json!([]), "no entry to write back");
        assert!(join(&mut sensors, &json!([{ "class": "A" }]), &wish()).is_err());
    }

    #[test]
    fn a_running_server_without_the_new_sensor_is_not_current() {
        let list = json!({ "devices": [{ "deveui": HALL, "appkey": KEY }] });
        let running = |devices: Json| json!({ "whitelist": { "devices": devices } });
        assert_eq!(is_current(&running(json!([])), &list), Ok(false));
        assert_eq!(is_current(&running(list["devices"].clone()), &list), Ok(true));
        assert_eq!(is_current(&json!({ "whitelist": {} }), &list), Ok(true), "it shows no list");
    }
}
