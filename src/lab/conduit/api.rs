//! The Conduit's REST API as a state machine: a request in, an answer out, no socket and no clock.
//!
//! Writes change what runs; `command/save` makes it last; the network server loads it when it restarts.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::commissioning::{self, Dialogue, Step};
use super::firmware::Firmware;
use super::image::{self, Image};
use super::radio::{Radio, Uplink};
use super::settings::Settings;
use super::tree::{Refusal, at, at_mut, bad, merge, not_found};
use super::whitelist;
use crate::model::Eui;

/// The channel plans mPower 6 offers.
const CHANNEL_PLANS: [&str; 9] =
    ["US915", "EU868", "AU915", "AS923-1", "AS923-2", "AS923-3", "KR920", "IN865", "RU864"];

/// The commands that only need to be taken.
const QUIET_COMMANDS: [&str; 1] = ["debug_report"];

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

/// A restart and what it does besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Nothing.
    Plain,
    /// Goes back to the user-defined defaults, to the factory's when there are none.
    Defaults,
    /// Goes back to the factory's.
    Factory,
    /// Gets another firmware.
    Upgrade(Image),
}

impl fmt::Display for Restart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => out.write_str("restarts"),
            Self::Defaults => out.write_str("goes back to its user-defined defaults"),
            Self::Factory => out.write_str("goes back to its factory defaults"),
            Self::Upgrade(image) => write!(out, "gets firmware {}", image.firmware.text()),
        }
    }
}

/// The API and all it knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Api {
    firmware: Firmware,
    settings: Settings,
    #[serde(flatten)]
    radio: Radio,
    #[serde(skip)]
    dialogue: Dialogue,
    /// What a request started and has not happened yet.
    #[serde(skip)]
    due: Option<Restart>,
    /// Whether `save_apply` leaves SSH as it is until the next restart.
    #[serde(skip)]
    late: bool,
}

impl Api {
    /// A unit in its box.
    pub fn boxed(firmware: Firmware, serial: u32) -> Self {
        let settings = Settings::boxed(&firmware, serial);
        let (radio, dialogue) = (Radio::default(), Dialogue::default());
        Self { firmware, settings, radio, dialogue, due: None, late: false }
    }

    /// A unit that a person commissioned and that has SSH on; nothing else was done to it.
    pub fn commissioned(firmware: Firmware, serial: u32, user: &str, password: &str) -> Self {
        let mut api = Self::boxed(firmware, serial);
        api.settings.commission(user, password);
        api.settings.set_up();
        api
    }

    /// Its settings.
    pub(in crate::lab) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its firmware.
    pub(super) fn firmware(&self) -> &Firmware {
        &self.firmware
    }

    /// Makes `save_apply` leave SSH as it is until the next restart. What a real one does is not known.
    pub fn apply_late(&mut self) {
        self.late = true;
    }

    /// The restart that a request started, once.
    pub(super) fn take_due(&mut self) -> Option<Restart> {
        self.due.take()
    }

    /// Starts again. True when it went back to what it was in its box.
    pub(super) fn boot(&mut self, restart: &Restart) -> bool {
        self.dialogue = Dialogue::default();
        let boxed = match restart {
            Restart::Plain => {
                self.settings.boot();
                return false;
            }
            Restart::Defaults => !self.settings.reset_to_defaults(),
            Restart::Factory => {
                self.settings.reset();
                true
            }
            Restart::Upgrade(image) => {
                self.firmware = image.firmware;
                self.settings.upgrade(&image.firmware);
                if !image.wipes {
                    self.settings.boot();
                    return false;
                }
                self.settings.reset();
                true
            }
        };
        self.radio = Radio::default();
        boxed
    }

    /// Loses everything but its users and the way to reach it.
    pub fn wipe(&mut self) {
        self.settings.wipe();
        self.radio = Radio::default();
    }

    /// A sensor joins: its row appears, when the running network server knows it.
    ///
    /// # Errors
    /// When it does not.
    pub fn join(&mut self, dev_eui: Eui) -> Result<(), Refusal> {
        self.radio.join(&self.settings.loaded, dev_eui)
    }

    /// Whether a sensor joined.
    pub fn has_joined(&self, dev_eui: Eui) -> bool {
        self.radio.joined.iter().any(|row| row["deveui"] == json!(dev_eui.dashed()))
    }

    /// A frame of a sensor that joined is heard.
    ///
    /// # Errors
    /// When it did not join, or its counter is an old one.
    pub fn hear(&mut self, uplink: &Uplink) -> Result<(), Refusal> {
        let gateway = &self.settings.running["system"]["loraEui"];
        self.radio.hear(&self.settings.loaded, gateway, uplink)
    }

    /// Answers a request. `target` is path and query, such as `/api/system?fields=firmware`.
    pub fn handle(&mut self, method: &str, target: &str, body: &[u8]) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(path) = path.strip_prefix("/api") else { return Reply::fail(404, "Path not found") };
        let path: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let answer = match method {
            _ if !self.settings.is_commissioned() && path != ["commissioning"] => {
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
            ["commissioning"] => commissioning::state(&self.firmware, self.settings.is_commissioned()),
            ["whoami"] => Ok(json!({"address": "127.0.0.1", "permission": "admin", "user": "system"})),
            ["lora", "config", rest @ ..] => at(&self.settings.loaded, rest).cloned().ok_or_else(not_found),
            ["lora", "status"] => Ok(self.lora_status()),
            ["lora", rest @ ..] => self.radio.get(rest).unwrap_or_else(|| Err(not_found())),
            ["system", "dbDirty"] => Ok(json!(self.settings.is_dirty())),
            ["system"] => {
                let mut system = self.settings.running["system"].clone();
                system["dbDirty"] = json!(self.settings.is_dirty());
                Ok(system)
            }
            _ => at(&self.settings.running, path).map(|value| shown(path, value)).ok_or_else(not_found),
        }
    }

    fn lora_status(&self) -> Value {
        let lora = &self.settings.loaded["lora"];
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
            ("POST", ["commissioning"]) => self.commission(&parsed(body)?),
            ("POST", ["command", command]) => self.command(command, body),
            ("POST", ["lora", "restart"]) => {
                self.settings.load_network();
                Ok(Value::Null)
            }
            ("DELETE", ["lora", "devices", name]) => self.radio.remove(name).map(|()| Value::Null),
            (_, ["lora" | "whoami" | "login" | "logout" | "commissioning", ..]) => {
                Err((405, "Method not allowed".to_owned()))
            }
            ("PUT", path) => self.put(path, &parsed(body)?),
            ("POST", path) => self.post(path, &parsed(body)?),
            (_, path) => self.delete(path),
        }
    }

    fn commission(&mut self, given: &Value) -> Result<Value, Refusal> {
        if self.settings.is_commissioned() {
            return Err(commissioning::finished());
        }
        match self.dialogue.take(&self.firmware, given)? {
            Step::Next(answer) => Ok(answer),
            Step::User(name, password) => {
                self.settings.commission(&name, &password);
                Ok(json!({}))
            }
        }
    }

    fn command(&mut self, command: &str, body: &[u8]) -> Result<Value, Refusal> {
        match command {
            "save" => self.settings.save(),
            "save_apply" if self.firmware.has_save_apply() => {
                self.settings.save();
                match self.late {
                    true => self.settings.load_network(),
                    false => self.settings.apply(),
                }
            }
            "revert" => self.settings.revert(),
            "save_oem" => self.settings.save_defaults(),
            "restart" => self.due = Some(Restart::Plain),
            "save_restart" => {
                self.settings.save();
                self.due = Some(Restart::Plain);
            }
            // Without an image the vendor's server is asked, as documented; the lab has none newer.
            "firmware_check" if body.is_empty() || body == b"null" => {
                return Ok(json!({"currentVersion": self.firmware.text(), "updateAvailable": false}));
            }
            "firmware_check" => {
                self.image(body)?;
            }
            "firmware_upgrade" => self.due = Some(Restart::Upgrade(self.image(body)?)),
            "factory_reset" => self.due = Some(Restart::Factory),
            _ if QUIET_COMMANDS.contains(&command) => {}
            _ => return Err(not_found()),
        }
        Ok(Value::Null)
    }

    fn image(&self, body: &[u8]) -> Result<Image, Refusal> {
        Image::of(image::uploaded(body)?, self.settings.hardware(), &self.firmware)
    }

    fn put(&mut self, path: &[&str], given: &Value) -> Result<Value, Refusal> {
        if let ["system", ..] = path
            && given.as_object().is_none_or(|given| given.keys().any(|name| name != "firstTimeSetup"))
        {
            return Err(bad("system property is read only"));
        }
        let mut after = self.settings.running.clone();
        let place = at_mut(&mut after, path).filter(|_| !path.is_empty()).ok_or_else(not_found)?;
        merge(place, given)?;
        check_lora(&mut after["loraNetwork"])?;
        let result = at(&after, path).map(|value| shown(path, value)).unwrap_or_default();
        self.settings.running = after;
        Ok(result)
    }

    fn post(&mut self, path: &[&str], given: &Value) -> Result<Value, Refusal> {
        let mut after = self.settings.running.clone();
        let size_max = size_max(&after["loraNetwork"]);
        let place = at_mut(&mut after, path).ok_or_else(not_found)?;
        let Value::Array(items) = place else { return Err((405, "Method not allowed".to_owned())) };
        match path {
            ["loraNetwork", "whitelist", "devices"] => whitelist::add(items, given, size_max)?,
            ["users"] => items.push(user(items, given)?),
            _ => items.push(given.clone()),
        }
        let result = items.last().map(|value| shown(path, value)).unwrap_or_default();
        self.settings.running = after;
        Ok(result)
    }

    fn delete(&mut self, path: &[&str]) -> Result<Value, Refusal> {
        let Some((name, list)) = path.split_last() else { return Err(not_found()) };
        if list == ["users"] && self.settings.users().count() < 2 {
            return Err(bad("the last user cannot be deleted"));
        }
        match at_mut(&mut self.settings.running, list) {
            Some(Value::Array(items)) => {
                items.remove(whitelist::place(items, name)?);
                Ok(Value::Null)
            }
            Some(_) => Err((405, "Method not allowed".to_owned())),
            None => Err(not_found()),
        }
    }
}

/// What an answer shows: passwords of users are left out.
fn shown(path: &[&str], value: &Value) -> Value {
    let mut shown = value.clone();
    if path.first() == Some(&"users") {
        let rows = match &mut shown {
            Value::Array(rows) => rows.as_mut_slice(),
            Value::String(_) => return Value::Null,
            row => std::slice::from_mut(row),
        };
        rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| drop(row.shift_remove("password")));
    }
    shown
}

/// A user as it is kept.
fn user(users: &[Value], given: &Value) -> Result<Value, Refusal> {
    let text = |name: &str| given[name].as_str().ok_or_else(|| bad(format!("[{name}] property is not set")));
    let (name, password) = (text("name")?, text("password")?);
    if users.iter().any(|user| user["name"] == json!(name)) {
        return Err(bad("[name] user already exists"));
    }
    let permission = given["permission"].as_str().unwrap_or("guest");
    Ok(json!({"name": name, "password": password, "permission": permission}))
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
