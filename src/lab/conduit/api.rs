//! The Conduit's REST API as a state machine: a request in, an answer out, no socket and no clock.
//!
//! Writes change what runs; `command/save` makes it last; the network server loads it when it restarts.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tree::{Refusal, at, at_mut, bad, merge, not_found};
use super::whitelist;
use crate::model::Eui;

/// The settings of a unit that left the factory: a US915 plan, as most recorded units have it.
const FACTORY: &str = include_str!("factory.json");

/// The channel plans mPower 6 offers.
const CHANNEL_PLANS: [&str; 9] =
    ["US915", "EU868", "AU915", "AS923-1", "AS923-2", "AS923-3", "KR920", "IN865", "RU864"];

/// The commands that only need to be taken.
const QUIET_COMMANDS: [&str; 2] = ["save_oem", "debug_report"];

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

impl Reply {
    /// The envelope of a good answer.
    pub fn success(result: &Value) -> Self {
        Self { status: 200, body: json!({"code": 200, "result": result, "status": "success"}).to_string() }
    }

    /// The envelope of a refusal.
    pub fn fail(status: u16, error: &str) -> Self {
        Self { status, body: json!({"code": status, "error": error, "status": "fail"}).to_string() }
    }
}

/// The API and all it knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Api {
    /// What a factory reset gives back.
    factory: Value,
    /// What the API shows and changes.
    running: Value,
    /// What a restart gives back.
    saved: Value,
    /// `loraNetwork` as the network server loaded it.
    loaded: Value,
    /// The network server's rows of devices that joined.
    joined: Vec<Value>,
    /// Whether first-time set-up is over.
    commissioned: bool,
}

impl Api {
    /// A unit from the factory with its serial number.
    pub fn factory(serial: u32) -> Self {
        let mut factory: Value = serde_json::from_str(FACTORY).expect("the built-in settings are JSON");
        let [_, a, b, c] = serial.to_be_bytes();
        let octets = format!("{a:02X}:{b:02X}:{c:02X}");
        let eui = format!("00:80:00:00:A0:{octets}");
        let system = &mut factory["system"];
        system["deviceId"] = json!(format!("{serial:08}"));
        system["macAddress"] = json!(format!("00:08:00:{octets}"));
        system["uuid"] = json!(format!("{serial:032x}"));
        system["accessoryCards"][0]["eui"] = json!(eui);
        factory["loraNetwork"]["lora"]["eui_1"] = json!(eui);
        let loaded = factory["loraNetwork"].clone();
        let (running, saved) = (factory.clone(), factory.clone());
        Self { factory, running, saved, loaded, joined: Vec::new(), commissioned: true }
    }

    /// Puts the unit into commissioning mode: nothing but `commissioning` is answered, everything else gets
    /// 409. How a user is made then is not simulated yet.
    pub fn uncommission(&mut self) {
        self.commissioned = false;
    }

    /// Back to what left the factory.
    pub fn reset(&mut self) {
        self.running = self.factory.clone();
        self.saved = self.factory.clone();
        self.loaded = self.factory["loraNetwork"].clone();
        self.joined.clear();
    }

    /// A sensor joins: its row appears, when the running network server knows it.
    ///
    /// # Errors
    /// When it does not.
    pub fn join(&mut self, dev_eui: Eui) -> Result<(), Refusal> {
        let dashed = dev_eui.dashed();
        let listed = self.loaded["whitelist"]["devices"].as_array().map_or(&[][..], Vec::as_slice);
        let Some(entry) = listed.iter().find(|entry| entry["deveui"] == json!(dashed)) else {
            return Err(bad(format!("{dashed}: the network server does not know this device")));
        };
        let row = json!({
            "class": entry["class"], "deveui": dashed, "device_profile_id": 1, "network_profile_id": 1,
            "name": entry["name"].as_str().unwrap_or(""), "last_nonce": 1, "last_app_nonce": 1,
            "rejoin_count": 0, "last_seen": "", "product_id": "", "serial_number": "", "tags": "",
            "firmware_version": "", "hardware_version": "",
        });
        self.joined.retain(|row| row["deveui"] != json!(dashed));
        self.joined.push(row);
        Ok(())
    }

    /// Answers a request. `target` is path and query, such as `/api/system?fields=firmware`.
    pub fn handle(&mut self, method: &str, target: &str, body: &[u8]) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(path) = path.strip_prefix("/api") else { return Reply::fail(404, "Path not found") };
        let path: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let answer = match method {
            _ if !self.commissioned && path != ["commissioning"] => {
                Err((409, "device is in commissioning mode".to_owned()))
            }
            "GET" => self.get(&path, query),
            "PUT" | "POST" | "DELETE" => self.change(method, &path, body),
            _ => Err((405, "Method not allowed".to_owned())),
        };
        match answer {
            Ok(result) => Reply::success(&result),
            Err((status, error)) => Reply::fail(status, &error),
        }
    }

    fn get(&self, path: &[&str], query: &str) -> Result<Value, Refusal> {
        match path {
            [] => {
                let names = query.split('&').find_map(|pair| pair.strip_prefix("fields=")).unwrap_or("");
                let names = names.split(',').filter(|name| !name.is_empty());
                names.map(|name| Ok((name.to_owned(), self.get(&[name], "")?))).collect()
            }
            ["commissioning"] if !self.commissioned => Ok(json!({"aasID": ""})),
            ["commissioning"] => Err(bad("commissioning is finished")),
            ["whoami"] => Ok(json!({"address": "127.0.0.1", "permission": "admin", "user": "system"})),
            ["lora", "config", rest @ ..] => at(&self.loaded, rest).cloned().ok_or_else(not_found),
            ["lora", "devices"] => Ok(json!(self.joined)),
            ["lora", "devices", name] => Ok(self.joined[whitelist::place(&self.joined, name)?].clone()),
            ["lora", "status"] => Ok(self.lora_status()),
            ["lora", "sessions" | "gateways" | "packets", ..] => Ok(json!([])),
            ["system", "dbDirty"] => Ok(json!(self.is_dirty())),
            ["system"] => {
                let mut system = self.running["system"].clone();
                system["dbDirty"] = json!(self.is_dirty());
                Ok(system)
            }
            _ => at(&self.running, path).cloned().ok_or_else(not_found),
        }
    }

    fn is_dirty(&self) -> bool {
        self.running != self.saved
    }

    fn lora_status(&self) -> Value {
        let lora = &self.loaded["lora"];
        let serves = lora["enabled"] == json!(true)
            && lora["packetForwarderMode"] == json!(false)
            && lora["basicStationMode"] == json!(false);
        json!({
            "lora-basic-station": 0, "lora-cloud-connector": 0, "lora-lens-server": 0,
            "lora-network-server": if serves { 1201 } else { 0 }, "lora-packet-forwarder": [1202],
        })
    }

    fn change(&mut self, method: &str, path: &[&str], body: &[u8]) -> Result<Value, Refusal> {
        match (method, path) {
            (_, ["commissioning"]) => Err(bad("commissioning is finished")),
            ("POST", ["command", command]) => self.command(command),
            ("POST", ["lora", "restart"]) => {
                self.loaded = self.running["loraNetwork"].clone();
                Ok(Value::Null)
            }
            ("DELETE", ["lora", "devices", name]) => {
                let place = whitelist::place(&self.joined, name)?;
                self.joined.remove(place);
                Ok(Value::Null)
            }
            (_, ["lora" | "whoami" | "login" | "logout", ..]) => Err((405, "Method not allowed".to_owned())),
            ("PUT", path) => self.put(path, &parsed(body)?),
            ("POST", path) => self.post(path, &parsed(body)?),
            (_, path) => self.delete(path),
        }
    }

    fn command(&mut self, command: &str) -> Result<Value, Refusal> {
        match command {
            "save" => self.saved = self.running.clone(),
            "save_apply" | "save_restart" => {
                self.saved = self.running.clone();
                self.loaded = self.running["loraNetwork"].clone();
            }
            "revert" => self.running = self.saved.clone(),
            "restart" => {
                self.running = self.saved.clone();
                self.loaded = self.running["loraNetwork"].clone();
            }
            "factory_reset" => self.reset(),
            _ if QUIET_COMMANDS.contains(&command) => {}
            _ => return Err(not_found()),
        }
        Ok(Value::Null)
    }

    fn put(&mut self, path: &[&str], given: &Value) -> Result<Value, Refusal> {
        if let ["system", ..] = path
            && given.as_object().is_none_or(|given| given.keys().any(|name| name != "firstTimeSetup"))
        {
            return Err(bad("system property is read only"));
        }
        let mut after = self.running.clone();
        let place = at_mut(&mut after, path).filter(|_| !path.is_empty()).ok_or_else(not_found)?;
        merge(place, given)?;
        check_lora(&mut after["loraNetwork"])?;
        let result = at(&after, path).cloned().unwrap_or_default();
        self.running = after;
        Ok(result)
    }

    fn post(&mut self, path: &[&str], given: &Value) -> Result<Value, Refusal> {
        let mut after = self.running.clone();
        let size_max = size_max(&after["loraNetwork"]);
        let place = at_mut(&mut after, path).ok_or_else(not_found)?;
        let Value::Array(items) = place else { return Err((405, "Method not allowed".to_owned())) };
        match path {
            ["loraNetwork", "whitelist", "devices"] => whitelist::add(items, given, size_max)?,
            _ => items.push(given.clone()),
        }
        let result = items.last().cloned().unwrap_or_default();
        self.running = after;
        Ok(result)
    }

    fn delete(&mut self, path: &[&str]) -> Result<Value, Refusal> {
        let Some((name, list)) = path.split_last() else { return Err(not_found()) };
        match at_mut(&mut self.running, list) {
            Some(Value::Array(items)) => {
                items.remove(whitelist::place(items, name)?);
                Ok(Value::Null)
            }
            Some(_) => Err((405, "Method not allowed".to_owned())),
            None => Err(not_found()),
        }
    }
}

fn parsed(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|_| bad("Invalid JSON"))
}

fn size_max(network: &Value) -> usize {
    network["whitelist"]["maxSize"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(0)
}

/// Holds the network server's settings against what they may be, and writes them as the gateway shows them.
fn check_lora(network: &mut Value) -> Result<(), Refusal> {
    let plan = network["lora"]["channelPlan"].as_str().unwrap_or("");
    if !CHANNEL_PLANS.contains(&plan) {
        return Err(bad("[channelPlan] property is not a channel plan"));
    }
    for (name, digits) in [("eui", 16), ("key", 32)] {
        let given = network["network"][name].as_str().unwrap_or("");
        let Some(kept) = whitelist::hex_digits(given, digits) else {
            return Err(bad(format!("[{name}] property is not {digits} hex digits")));
        };
        network["network"][name] = json!(kept);
    }
    let size_max = size_max(network);
    let devices = network["whitelist"]["devices"].as_array().map_or(&[][..], Vec::as_slice);
    network["whitelist"]["devices"] = whitelist::list(devices, size_max)?;
    Ok(())
}

#[cfg(test)]
mod tests;
