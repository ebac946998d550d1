//! The unit's settings: what runs, what is saved, what its owner made the default, what left the factory.
//!
//! Passwords stand among the users in clear: it is a simulation. No answer shows them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::firmware::Firmware;

/// The settings of a unit that left the factory: a US915 plan, as most recorded units have it.
const FACTORY: &str = include_str!("factory.json");

/// SSH's port on the unit.
const SSH_PORT: u16 = 22;

/// All settings of a unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// What a factory reset gives back.
    factory: Value,
    /// What a reset to user-defined defaults gives back, when there is such a thing.
    defaults: Option<Value>,
    /// What a restart gives back.
    saved: Value,
    /// What the API shows and changes.
    pub(super) running: Value,
    /// `loraNetwork` as the network server loaded it.
    pub(super) loaded: Value,
    /// `remoteAccess` as its services were started with.
    served: Value,
}

impl Settings {
    /// A unit in its box: no users, SSH off.
    pub fn boxed(firmware: &Firmware, serial: u32) -> Self {
        let mut factory: Value = serde_json::from_str(FACTORY).expect("the built-in settings are JSON");
        let [_, a, b, c] = serial.to_be_bytes();
        let octets = format!("{a:02X}:{b:02X}:{c:02X}");
        let eui = format!("00:80:00:00:A0:{octets}");
        let system = &mut factory["system"];
        system["deviceId"] = json!(format!("{serial:08}"));
        system["macAddress"] = json!(format!("00:08:00:{octets}"));
        system["uuid"] = json!(format!("{serial:032x}"));
        system["accessoryCards"][0]["eui"] = json!(eui);
        system["loraEui"] = json!(eui);
        let lora = &mut factory["loraNetwork"]["lora"];
        lora["eui_1"] = json!(eui);
        lora["frequencyBand"] = json!(firmware.frequency_band());
        name_firmware(&mut factory, firmware);
        let (loaded, served) = (factory["loraNetwork"].clone(), factory["remoteAccess"].clone());
        let (running, saved) = (factory.clone(), factory.clone());
        Self { factory, defaults: None, saved, running, loaded, served }
    }

    /// Makes the first user. That this is saved at once is assumed.
    pub fn commission(&mut self, user: &str, password: &str) {
        self.running["users"] = json!([{"name": user, "password": password, "permission": "admin"}]);
        self.save();
    }

    /// Dismisses the first-time set-up and turns SSH on, as a person in the web page does after commissioning.
    pub fn set_up(&mut self) {
        self.running["system"]["firstTimeSetup"] = json!(false);
        self.running["remoteAccess"]["ssh"]["enabled"] = json!(true);
        self.running["remoteAccess"]["ssh"]["lan"] = json!(true);
        self.save();
        self.apply();
    }

    /// Whether there is a user.
    pub fn is_commissioned(&self) -> bool {
        self.users().next().is_some()
    }

    /// Names and passwords of the users.
    pub fn users(&self) -> impl Iterator<Item = (&str, &str)> {
        let users = self.running["users"].as_array().map_or(&[][..], Vec::as_slice);
        users.iter().filter_map(|user| Some((user["name"].as_str()?, user["password"].as_str()?)))
    }

    /// Whether a restart would lose something.
    pub fn is_dirty(&self) -> bool {
        self.running != self.saved
    }

    /// Makes what runs last.
    pub fn save(&mut self) {
        self.saved = self.running.clone();
    }

    /// Drops what was not saved.
    pub fn revert(&mut self) {
        self.running = self.saved.clone();
    }

    /// Makes what runs the user-defined default.
    pub fn save_defaults(&mut self) {
        self.defaults = Some(self.running.clone());
    }

    /// Starts all services with what runs.
    pub fn apply(&mut self) {
        self.load_network();
        self.served = self.running["remoteAccess"].clone();
    }

    /// Starts the network server with what runs.
    pub fn load_network(&mut self) {
        self.loaded = self.running["loraNetwork"].clone();
    }

    /// Starts with what is saved.
    pub fn boot(&mut self) {
        self.revert();
        self.apply();
    }

    /// Forgets everything that is not in its firmware.
    pub fn reset(&mut self) {
        self.defaults = None;
        self.saved = self.factory.clone();
        self.boot();
    }

    /// Goes back to the user-defined defaults, to the factory's when there are none. True for the former.
    pub fn reset_to_defaults(&mut self) -> bool {
        let Some(defaults) = self.defaults.clone() else {
            self.reset();
            return false;
        };
        self.saved = defaults;
        self.boot();
        true
    }

    /// Loses everything but its users and the way to reach it.
    pub fn wipe(&mut self) {
        let before = std::mem::take(&mut self.running);
        self.defaults = None;
        self.running = self.factory.clone();
        for name in ["users", "remoteAccess"] {
            self.running[name] = before[name].clone();
        }
        self.running["system"]["firstTimeSetup"] = before["system"]["firstTimeSetup"].clone();
        self.save();
        self.apply();
    }

    /// Gets another firmware; settings stay.
    pub fn upgrade(&mut self, firmware: &Firmware) {
        let trees = [&mut self.factory, &mut self.saved, &mut self.running];
        trees.into_iter().chain(&mut self.defaults).for_each(|tree| name_firmware(tree, firmware));
    }

    /// The model and revision of its board.
    pub fn hardware(&self) -> &str {
        self.factory["system"]["hardwareVersion"].as_str().unwrap_or("")
    }

    /// Whether the reset button does something.
    pub fn has_button(&self) -> bool {
        self.running["resetButton"]["enabled"] == json!(true)
    }

    /// How many requests its web side takes.
    pub fn pace(&self) -> &Value {
        &self.served["dosAttackPrevention"]
    }

    /// Whether SSH is reached from the LAN. The lab's port stands for port 22, whatever its own number is;
    /// settings may name it by either.
    pub fn has_ssh(&self, lab_port: u16) -> bool {
        let ssh = &self.served["ssh"];
        let ports = [json!(SSH_PORT), json!(lab_port)];
        ssh["enabled"] == json!(true) && ssh["lan"] == json!(true) && ports.contains(&ssh["port"])
    }
}

fn name_firmware(tree: &mut Value, firmware: &Firmware) {
    let system = &mut tree["system"];
    system["firmware"] = json!(firmware.text());
    system["apiVersion"] = json!(firmware.text());
    system["capabilities"]["python3"] = json!(firmware.python3().is_some());
}
