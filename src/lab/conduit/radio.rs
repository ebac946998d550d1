//! What the network server knows of the air: who joined, what was heard.
//!
//! Rows of devices and sessions and the counters have recorded shapes. `packets/recent` was never recorded: that
//! its rows have the names of the messages on MQTT, the newest first, is assumed.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tree::{Refusal, bad, not_found};
use super::whitelist;
use crate::model::Eui;

/// So many packets are remembered.
const PACKETS_MAX: usize = 100;

/// A frame a sensor sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplink {
    /// The sensor.
    pub dev_eui: Eui,
    /// Application port.
    pub port: u8,
    /// The frame as the application sees it.
    pub payload: Vec<u8>,
    /// Frame counter; the next one when absent.
    pub fcnt: Option<u32>,
    /// Strength at the gateway in dBm.
    pub rssi: i32,
    /// Signal-to-noise ratio at the gateway in dB.
    pub snr: f64,
    /// When it is heard.
    pub at: Timestamp,
}

impl Uplink {
    /// A frame on port 1, heard well and now, with the next counter.
    pub fn new(dev_eui: Eui, payload: &[u8]) -> Self {
        let payload = payload.to_vec();
        Self { dev_eui, port: 1, payload, fcnt: None, rssi: -67, snr: 8.5, at: Timestamp::now() }
    }
}

/// The network server's own rows. They last over restarts and are no settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Radio {
    /// The devices that joined.
    pub joined: Vec<Value>,
    #[serde(default)]
    sessions: Vec<Value>,
    #[serde(default)]
    packets: Vec<Value>,
}

impl Radio {
    /// A device of the list joins.
    ///
    /// # Errors
    /// When it is not in the list that the network server loaded.
    pub fn join(&mut self, loaded: &Value, dev_eui: Eui) -> Result<(), Refusal> {
        let dashed = dev_eui.dashed();
        let listed = loaded["whitelist"]["devices"].as_array().map_or(&[][..], Vec::as_slice);
        let Some(entry) = listed.iter().find(|entry| entry["deveui"] == json!(dashed)) else {
            return Err(bad(format!("{dashed}: the network server does not know this device")));
        };
        let now = stamp(Timestamp::now());
        let row = json!({
            "class": entry["class"], "created_at": now, "deveui": dashed, "device_profile_id": 1,
            "device_profile_updated_at": now, "network_profile_id": 1, "network_profile_updated_at": now,
            "name": entry["name"].as_str().unwrap_or(""), "last_nonce": 1, "last_app_nonce": 1,
            "rejoin_count": 0, "last_seen": "", "product_id": "", "serial_number": "", "tags": "",
            "firmware_version": "", "hardware_version": "",
        });
        let session = json!({
            "appeui": entry["appeui"], "joineui": entry["appeui"], "created_at": now, "deveui": dashed,
            "dev_addr": format!("{:08x}", rand::random_range(0..0x0200_0000)), "last_seen": "",
            "net_id": loaded["lora"]["netID"], "nwk_down_counter": 0, "app_down_counter": 0, "up_counter": 0,
            "rx1_delay": loaded["lora"]["rx1Delay"], "tx_datarate": 0, "tx_power": 0, "status_battery": 0,
            "status_snr": 0, "multicast": 0, "is_class_b": 0,
        });
        self.forget(&json!(dashed));
        self.joined.push(row);
        self.sessions.push(session);
        Ok(())
    }

    /// A frame is heard from a device that joined.
    ///
    /// # Errors
    /// When it did not join, or its counter did not grow and the network server is strict about it.
    pub fn hear(&mut self, loaded: &Value, gateway: &Value, uplink: &Uplink) -> Result<(), Refusal> {
        let dashed = json!(uplink.dev_eui.dashed());
        let row = self.joined.iter_mut().find(|row| row["deveui"] == dashed);
        let session = self.sessions.iter_mut().find(|row| row["deveui"] == dashed);
        let (Some(row), Some(session)) = (row, session) else {
            return Err(bad(format!("{dashed}: this device did not join")));
        };
        let next = session["up_counter"].as_u64().unwrap_or(0);
        let fcnt = uplink.fcnt.map_or(next, u64::from);
        if fcnt < next && loaded["lora"]["enableStrictCounterValidation"] == json!(true) {
            return Err(bad(format!("{dashed}: counter {fcnt} is below {next}")));
        }
        let time = json!(stamp(uplink.at));
        row["last_seen"] = time.clone();
        session["last_seen"] = time;
        session["up_counter"] = json!(fcnt + 1);
        let mut eui: String = gateway.as_str().unwrap_or("").to_lowercase();
        eui = eui.replace(':', "-");
        let packet = json!({
            "deveui": dashed, "appeui": session["appeui"], "devaddr": session["dev_addr"], "gweui": eui,
            "fcnt": fcnt, "seqn": fcnt, "port": uplink.port, "size": uplink.payload.len(),
            "data": STANDARD.encode(&uplink.payload), "rssi": uplink.rssi, "lsnr": uplink.snr, "chan": 0,
            "freq": 868.1, "datr": "SF9BW125", "codr": "4/5", "modu": "LORA", "time": uplink.at.to_string(),
        });
        self.packets.insert(0, packet);
        self.packets.truncate(PACKETS_MAX);
        Ok(())
    }

    /// Answers `GET lora/...` for its rows; `None`: they are not its.
    pub fn get(&self, path: &[&str]) -> Option<Result<Value, Refusal>> {
        Some(match path {
            ["devices"] => Ok(json!(self.joined)),
            ["devices", name] => whitelist::place(&self.joined, name).map(|place| self.joined[place].clone()),
            ["sessions"] => Ok(json!(self.sessions)),
            ["packets", "recent"] => Ok(json!(self.packets)),
            ["packets", "queue"] | ["gateways"] => Ok(json!([])),
            ["stats"] => Ok(json!({
                "rx_pkts": self.packets.len(), "tx_pkts": 0, "rx_joins": self.joined.len(),
                "rx_joins_ok": self.joined.len(), "rx_joins_nok_mic": 0, "rx_crc_errors": 0,
                "pkts_1st_wnd": 0, "pkts_2nd_wnd": 0, "pkts_dropped": 0,
            })),
            ["stats", name] => {
                let counters = self.get(&["stats"])?;
                counters.and_then(|all| all.get(*name).cloned().ok_or_else(not_found))
            }
            _ => return None,
        })
    }

    /// Removes a device with its session.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn remove(&mut self, name: &str) -> Result<(), Refusal> {
        let place = whitelist::place(&self.joined, name)?;
        let dashed = self.joined[place]["deveui"].clone();
        self.forget(&dashed);
        Ok(())
    }

    fn forget(&mut self, dashed: &Value) {
        self.joined.retain(|row| row["deveui"] != *dashed);
        self.sessions.retain(|row| row["deveui"] != *dashed);
    }
}

/// A time as the network server writes it, in whole seconds.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
