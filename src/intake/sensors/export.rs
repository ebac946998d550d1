//! Sensors in the forms of other network servers: The Things Stack's list of devices, ChirpStack's requests.
//!
//! What a Conduit is set up for here holds for them too: EU868, LoRaWAN 1.0.2, class A, OTAA.

use serde_json::{Value as Json, json};

use crate::inventory::Sensor;
use crate::model::Secret;

/// A sensor with its key, when that is to be written.
pub struct Export<'a> {
    /// Its name.
    pub name: &'a str,
    /// The sensor.
    pub sensor: &'a Sensor,
    /// Its key.
    pub key: Option<Secret>,
}

impl Export<'_> {
    fn key(&self) -> &str {
        self.key.as_ref().and_then(Secret::reveal_text).unwrap_or_default().trim()
    }
}

/// The names The Things Stack's importer knows its columns by.
const COLUMNS: [&str; 8] = [
    "id",
    "dev_eui",
    "join_eui",
    "name",
    "frequency_plan_id",
    "lorawan_version",
    "lorawan_phy_version",
    "app_key",
];
/// The most characters an id of a device has there.
const ID_CHARS: usize = 36;

/// The Things Stack's list, and what to know of it.
///
/// # Errors
/// When a row cannot be written.
pub fn things_stack(sensors: &[Export<'_>]) -> Result<(Vec<u8>, Vec<String>), csv::Error> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let mut notes = Vec::new();
    for one in sensors {
        let id = one.name.replace('.', "-");
        if id.len() > ID_CHARS {
            notes.push(format!("sensor {}: an id has at most {ID_CHARS} characters there", one.name));
        }
        let (dev_eui, app_eui) = (one.sensor.dev_eui.value.0, one.sensor.app_eui.value.0);
        let euis = [dev_eui, app_eui].map(|eui| eui.to_string().to_ascii_uppercase());
        writer.write_record([
            id.as_str(),
            &euis[0],
            &euis[1],
            one.name,
            "EU_863_870_TTN",
            "MAC_V1_0_2",
            "PHY_V1_0_2_REV_B",
            one.key(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|failed| csv::Error::from(failed.into_error()))?;
    Ok((bytes, notes))
}

/// The requests that make them on a ChirpStack 4, in order: the device, then its key. For LoRaWAN 1.0 the AppKey
/// goes into `nwkKey` there.
pub fn chirpstack(sensors: &[Export<'_>], application: &str, profile: &str) -> Json {
    let requests = sensors.iter().flat_map(|one| {
        let dev_eui = one.sensor.dev_eui.value.0.to_string();
        let device = json!({
            "method": "POST",
            "path": "/api/devices",
            "json": {"device": {
                "devEui": dev_eui,
                "name": one.name,
                "description": "",
                "applicationId": application,
                "deviceProfileId": profile,
                "joinEui": one.sensor.app_eui.value.0.to_string(),
                "skipFcntCheck": false,
                "isDisabled": false,
                "variables": {},
                "tags": {"gateway": one.sensor.gateway.value, "model": one.sensor.model.name()},
            }},
        });
        let keys = json!({
            "method": "POST",
            "path": format!("/api/devices/{dev_eui}/keys"),
            "json": {"deviceKeys": {"nwkKey": one.key()}},
        });
        std::iter::once(device).chain(one.key.is_some().then_some(keys))
    });
    Json::Array(requests.collect())
}
