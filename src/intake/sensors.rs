//! A list of sensors: The Things Stack's columns, a Conduit's own, or any vendor's with a mapping.
//!
//! A sensor is known by its DevEUI. Of one that the inventory has, only what the list says is changed; its name stays.

mod export;
mod row;

pub use export::{Export, chirpstack, things_stack};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use self::row::Reader;
use super::{Fields, Mapping, Sheet};
use crate::inventory::{Diagnostic, Inventory, Place};
use crate::model::{Eui, Secret};

/// The fields a mapping can name.
pub const FIELDS: [&str; 15] = [
    "name",
    "dev_eui",
    "app_eui",
    "app_key",
    "gateway",
    "site",
    "model",
    "topic",
    "period",
    "spreading_factor",
    "activation",
    "class",
    "class_c",
    "frequency_plan",
    "lorawan_version",
];
/// Names of columns that need no mapping, as letters and digits: The Things Stack's, MultiTech's, and usual ones.
const KNOWN: [(&str, &[&str]); 15] = [
    ("name", &["id", "deviceid", "name", "devicename"]),
    ("dev_eui", &["deveui"]),
    ("app_eui", &["joineui", "appeui"]),
    ("app_key", &["appkey"]),
    ("gateway", &["gateway"]),
    ("site", &["site"]),
    ("model", &["model"]),
    ("topic", &["topic"]),
    ("period", &["period"]),
    ("spreading_factor", &["spreadingfactor"]),
    ("activation", &["activation", "activationmode"]),
    ("class", &["class", "deviceclass"]),
    ("class_c", &["supportsclassc"]),
    ("frequency_plan", &["frequencyplanid", "deviceprofileid"]),
    ("lorawan_version", &["lorawanversion"]),
];

/// What the command line says of all rows that do not say it themselves.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Their gateway.
    pub gateway: Option<String>,
    /// What they are.
    pub model: Option<String>,
    /// The topic of new ones, with `{site}`, `{gateway}` and `{name}`; `sites/{site}/{name}` when absent.
    pub topic: Option<String>,
}

/// A digest of a key, so that keys are compared and not kept.
pub type KeyDigest = [u8; 32];

/// The digest of a key in whatever spelling.
pub fn digest(key: &str) -> KeyDigest {
    let digits: String = key.chars().filter(char::is_ascii_hexdigit).collect();
    Sha256::digest(digits.to_ascii_lowercase()).into()
}

/// What is known of keys already.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// By the paths of their secrets.
    pub by_path: BTreeMap<String, KeyDigest>,
    /// Secrets that are there and could not be opened, with the reason.
    pub unopened: BTreeMap<String, String>,
}

/// What becomes of a sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    New,
    /// These fields change.
    Changed(Vec<String>),
    /// The inventory says the same.
    Same,
}

/// A sensor of a list.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its name in the inventory.
    pub name: String,
    /// Its DevEUI.
    pub dev_eui: Eui,
    /// Its gateway.
    pub gateway: String,
    /// Where it stands in the list.
    pub row: Place,
    /// What becomes of it.
    pub deed: Deed,
    /// Its fields; of one that is not new those that change.
    pub fields: Map<String, Json>,
    /// Its key, when that is new, and the path of its secret.
    pub key: Option<(String, Secret)>,
}

/// A list's sensors.
///
/// # Errors
/// Every fault of every row.
pub fn read(
    sheet: &Sheet,
    mapping: &Mapping,
    given: &Given,
    inventory: &Inventory,
    keys: &Keys,
) -> Result<Vec<Taken>, Vec<Diagnostic>> {
    let fields = Fields::of(sheet, mapping, &KNOWN)?;
    let needed = ["dev_eui", "app_eui", "app_key"].into_iter().filter(|field| !fields.has(field));
    let missing: Vec<Diagnostic> = needed
        .map(|field| {
            let there: Vec<&str> = sheet.header.iter().map(|cell| cell.text.as_str()).collect();
            let message = format!("{} has no column for `{field}`", sheet.file);
            let help = format!(
                "name it with `--map`: `columns: {{{field}: NAME}}`; there are: {}",
                there.join(", ")
            );
            Diagnostic::error("no-column", message).help(help)
        })
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut reader = Reader::new(&fields, given, inventory, keys);
    let mut faults = Vec::new();
    let mut taken = Vec::new();
    for row in &sheet.rows {
        match reader.row(row) {
            Ok(one) => taken.push(one),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(taken) } else { Err(faults) }
}

/// The indexes of the columns that hold keys.
pub fn secret_columns(sheet: &Sheet, mapping: &Mapping) -> Vec<usize> {
    let found = Fields::of(sheet, mapping, &KNOWN).ok().and_then(|fields| fields.column("app_key"));
    let sounding = sheet.header.iter().enumerate();
    let sounding =
        sounding.filter(|(_, cell)| cell.text.to_lowercase().contains("key")).map(|(index, _)| index);
    found.into_iter().chain(sounding).collect()
}

/// The secrets a list may be held against: those of sensors and networks.
pub fn paths(inventory: &Inventory) -> BTreeSet<String> {
    let sensors = inventory.sensors.values().map(|sensor| sensor.app_key.secret.clone());
    let networks = inventory.gateways.values().map(|gateway| gateway.lorawan.network_key.secret.clone());
    sensors.chain(networks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory;

    const SITE: &str = "sites:\n  pool: {title: Pool}\n  hall: {title: Hall}\ngateways:\n  gw:\n    site: pool\n    \
        model: multitech-conduit\n    address: 10.0.0.1\n    lorawan: {region: EU868, network_key: {secret: g/gw/n}}\n\
        sensors:\n  old:\n    gateway: gw\n    model: raw\n    dev_eui: 0018B21000000001\n    \
        app_eui: 0018B24441524632\n    app_key: {secret: sensors/old/app_key}\n    topic: a/b\n";
    const A: &str = "8f3a5c0e91d7426bb0c2e4f6187a9d35";
    const B: &str = "9f3a5c0e91d7426bb0c2e4f6187a9d36";

    fn taken(csv: &str, given: &Given, keys: &Keys) -> Result<Vec<Taken>, Vec<String>> {
        let loaded = inventory::parse([("i.yaml", SITE)]).unwrap();
        let mapping = Mapping::default();
        let sheet = Sheet::read("l.csv", csv.as_bytes(), &mapping).map_err(|(faults, _)| faults).unwrap();
        read(&sheet, &mapping, given, &loaded.inventory, keys)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    fn of_gw() -> Given {
        Given { gateway: Some("gw".to_owned()), model: Some("raw".to_owned()), topic: None }
    }

    fn known(path: &str, key: &str) -> Keys {
        Keys { by_path: BTreeMap::from([(path.to_owned(), digest(key))]), ..Keys::default() }
    }

    #[test]
    fn the_things_stacks_columns_need_no_mapping_and_a_known_sensor_keeps_its_name() {
        let csv = format!(
            "id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;app_key\n\
             hall-1;0018B21000000002;0018B24441524632;\"The; hall\";EU_863_870_TTN;MAC_V1_0_2;{B}\n\
             renamed;0018b21000000001;0018B24441524632;;EU_863_870_TTN;MAC_V1_0_2;{A}\n"
        );
        let taken = taken(&csv, &of_gw(), &known("sensors/old/app_key", A)).unwrap();
        assert_eq!((&*taken[0].name, &taken[0].deed), ("hall-1", &Deed::New));
        assert_eq!(
            Json::Object(taken[0].fields.clone()),
            serde_json::json!({
                "gateway": "gw", "model": "raw", "dev_eui": "0018b21000000002", "app_eui": "0018b24441524632",
                "app_key": {"secret": "sensors/hall-1/app_key"}, "topic": "sites/pool/hall-1",
            })
        );
        assert_eq!((&*taken[1].name, &taken[1].deed), ("old", &Deed::Same));
        assert!(taken[1].key.is_none() && taken[0].key.is_some());
    }

    #[test]
    fn what_differs_is_changed_and_nothing_else() {
        let csv = format!("deveui,appeui,appkey,class\n0018B21000000001,0018B24441524633,{B},A\n");
        let given = Given { topic: Some("x/{name}".to_owned()), ..of_gw() };
        let taken = taken(&csv, &given, &known("sensors/old/app_key", A)).unwrap();
        assert_eq!(taken[0].deed, Deed::Changed(vec!["app_eui".to_owned(), "app_key".to_owned()]));
        assert_eq!(Json::Object(taken[0].fields.clone()), serde_json::json!({"app_eui": "0018b24441524633"}));
        assert_eq!(taken[0].key.as_ref().unwrap().0, "sensors/old/app_key");
    }

    #[test]
    fn every_fault_of_every_row_is_said_at_its_cell_and_no_key_is_shown() {
        let csv = format!(
            "name;dev_eui;app_eui;app_key;gateway;model;frequency_plan_id;class\n\
             a;0018B2100000002;x;{A};gw;raw;EU868;A\n\
             b;1.8B+15;0018B24441524632;01020304050607080102030405060708;nowhere;strange;US_902_928;C\n\
             c;0018B21000000005;0018B24441524632;{B};;;;\n\
             d;0018B21000000005;0018B24441524632;{B};gw;raw;;\n\
             e;0018B21000000006;0018B24441524632;;gw;raw;;\n\
             f;0018B21000000007;0018B24441524632;{A};gw;raw;;\n\
             old;0018B21000000008;0018B24441524632;7f3a5c0e91d7426bb0c2e4f6187a9d39;gw;raw;;\n"
        );
        let faults = taken(&csv, &Given::default(), &known("g/gw/n", A)).unwrap_err();
        let said = faults.join("\n");
        for part in [
            "l.csv:2:3: an EUI has 16 hex digits",
            "l.csv:2:19: ",
            "l.csv:2:21: this key is that of `g/gw/n`",
            "l.csv:3:3: ",
            "l.csv:3:28: this key must not be used: it is the pattern",
            "l.csv:3:61: there is no gateway `nowhere`",
            "l.csv:3:69: `strange` is no model",
            "l.csv:3:77: ",
            "l.csv:3:88: ",
            "l.csv:4:1: it is not said which gateway",
            "l.csv:4:1: it is not said which model",
            "l.csv:5:3: DevEUI 0018b21000000005 stands twice",
            "l.csv:5:37: two rows have this key",
            "l.csv:6:1: it has no AppKey",
            "l.csv:7:37: two rows have this key",
            "l.csv:8:1: the inventory has another sensor `old`",
        ] {
            assert!(said.contains(part), "{part} in\n{said}");
        }
        assert!(!said.contains(&A[4..12]) && !said.contains("01020304"), "{said}");
    }
}
