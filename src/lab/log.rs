//! What was asked of a device and what was changed in it. Never a body, a password or a token.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::held;

/// The way a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// SSH.
    Ssh,
    /// The REST API, from the network or from the device itself.
    Api,
    /// MQTT.
    Mqtt,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// It changes nothing.
    Read,
    /// It is meant to change something.
    Write,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The device's name.
    pub device: String,
    /// The way it came in.
    pub channel: Channel,
    /// What it does.
    pub kind: Deed,
    /// In words: method and path, question and path.
    pub what: String,
}

/// The requests of one device, in order, in memory and as JSON lines in a file.
#[derive(Debug)]
pub struct Log {
    device: String,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: Vec<Entry>,
    execs: usize,
    file: Option<File>,
}

impl Log {
    /// The log of a device, also written to `path` when given.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn open(device: &str, path: Option<&Path>) -> std::io::Result<Self> {
        let file = path.map(File::create).transpose()?;
        Ok(Self { device: device.to_owned(), held: Mutex::new(Held { file, ..Held::default() }) })
    }

    /// Notes a request.
    pub(super) fn note(&self, channel: Channel, kind: Deed, what: impl Into<String>) {
        let entry = Entry { device: self.device.clone(), channel, kind, what: what.into() };
        let mut held = held(&self.held);
        if let (Some(file), Ok(line)) = (&mut held.file, serde_json::to_string(&entry)) {
            // A full disk must not stop a simulated device; memory has the entry.
            let _ = writeln!(file, "{line}");
        }
        held.entries.push(entry);
    }

    pub(super) fn note_exec(&self) {
        held(&self.held).execs += 1;
    }

    /// All requests so far.
    pub fn entries(&self) -> Vec<Entry> {
        held(&self.held).entries.clone()
    }

    /// How many execs were started over SSH.
    pub fn execs(&self) -> usize {
        held(&self.held).execs
    }

    /// How many requests were meant to change the device. Messages published at its broker are not among
    /// them: they change no configuration.
    pub fn writes(&self) -> usize {
        let entries = &held(&self.held).entries;
        entries.iter().filter(|entry| entry.kind == Deed::Write && entry.channel != Channel::Mqtt).count()
    }

    /// Forgets what was noted so far; the file keeps it.
    pub fn clear(&self) {
        let mut held = held(&self.held);
        held.entries.clear();
        held.execs = 0;
    }
}
