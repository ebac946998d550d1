//! Which host keys are trusted. A key is trusted because a line of the file says so, never because it came
//! first.
//!
//! The file is OpenSSH's own (`sshd(8)`, SSH_KNOWN_HOSTS FILE FORMAT), so `ssh-keygen -F` and `-R` work on
//! it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::PublicKey;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::pattern::Patterns;

/// The pinned host keys of an inventory.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    path: PathBuf,
    entries: Vec<Entry>,
    notes: Vec<String>,
}

/// What the pins say of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is pinned for this host.
    Known,
    /// Nothing is pinned for this host.
    Unknown,
    /// Other keys are pinned for this host.
    Changed {
        /// Their type and fingerprint, such as `ssh-ed25519 SHA256:...`.
        pinned: Vec<String>,
    },
    /// It is marked `@revoked`.
    Revoked,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Index of the line in the file.
    line: usize,
    hosts: Hosts,
    revoked: bool,
    key_type: String,
    blob: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Hosts {
    Plain(Patterns),
    /// `|1|salt|hash`: HMAC-SHA1 of the one host name, keyed with the salt.
    Hashed {
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

impl Hosts {
    fn parse(field: &str) -> Option<Self> {
        let Some(hashed) = field.strip_prefix("|1|") else {
            return Some(Hosts::Plain(Patterns::parse(field)));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Hosts::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? })
    }

    fn holds(&self, name: &str) -> bool {
        match self {
            Hosts::Plain(patterns) => patterns.holds(name),
            Hosts::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok()),
        }
    }
}

enum Line {
    Blank,
    Entry(Entry),
    Note(String),
}

fn parse_line(index: usize, text: &str) -> Line {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Line::Blank;
    }
    let mut fields = text.split_ascii_whitespace().peekable();
    let marker = fields.next_if(|field| field.starts_with('@'));
    if marker == Some("@cert-authority") {
        return Line::Note(format!("line {}: @cert-authority is not supported and ignored", index + 1));
    }
    let entry = match (marker, fields.next(), fields.next(), fields.next()) {
        (None | Some("@revoked"), Some(hosts), Some(key_type), Some(key)) => Hosts::parse(hosts)
            .zip(STANDARD.decode(key).ok())
            .map(|(hosts, blob)| (hosts, key_type.to_owned(), blob)),
        _ => None,
    };
    match entry {
        Some((hosts, key_type, blob)) => {
            Line::Entry(Entry { line: index, hosts, revoked: marker.is_some(), key_type, blob })
        }
        None => Line::Note(format!("line {}: not a known_hosts line, ignored", index + 1)),
    }
}

/// The name a host is pinned under: the name itself, lower case, or `[name]:port` when the port is not 22.
pub fn pin_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// A key's fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding.
pub fn fingerprint(key: &PublicKey) -> String {
    fingerprint_of(&key.to_bytes().unwrap_or_default())
}

fn fingerprint_of(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

impl KnownHosts {
    /// Reads the pins. A file that is not there pins nothing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = read_or_empty(path)?;
        let mut pins = Self { path: path.to_owned(), ..Self::default() };
        for (index, line) in text.lines().enumerate() {
            match parse_line(index, line) {
                Line::Blank => {}
                Line::Entry(entry) => pins.entries.push(entry),
                Line::Note(note) => pins.notes.push(note),
            }
        }
        Ok(pins)
    }

    /// What in the file had to be ignored, one line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the pins say of a key that a host offered.
    pub fn check(&self, host: &str, port: u16, key: &PublicKey) -> Standing {
        let Ok(blob) = key.to_bytes() else { return Standing::Unknown };
        let (revoked, pinned): (Vec<_>, Vec<_>) =
            self.entries_of(host, port).partition(|entry| entry.revoked);
        if revoked.iter().any(|entry| entry.blob == blob) {
            Standing::Revoked
        } else if pinned.iter().any(|entry| entry.blob == blob) {
            Standing::Known
        } else if pinned.is_empty() {
            Standing::Unknown
        } else {
            let pinned = pinned.iter().map(|e| format!("{} {}", e.key_type, fingerprint_of(&e.blob)));
            Standing::Changed { pinned: pinned.collect() }
        }
    }

    /// The types of the keys pinned for a host, such as `ssh-ed25519`, in the file's order.
    pub fn key_types(&self, host: &str, port: u16) -> Vec<&str> {
        self.entries_of(host, port).filter(|entry| !entry.revoked).map(|e| e.key_type.as_str()).collect()
    }

    /// Pins one more key for a host. The file is replaced as a whole, so a crash leaves the old or the new
    /// one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, host: &str, port: u16, key: &PublicKey) -> anyhow::Result<()> {
        let lines = read_or_empty(&self.path)?.lines().map(str::to_owned).collect();
        self.replace(lines, host, port, key)
    }

    /// Pins a key for a host in place of all others it had.
    ///
    /// # Errors
    /// When the file cannot be written, or a line with several or wildcard names pins another key for the
    /// host.
    pub fn repin(&mut self, host: &str, port: u16, key: &PublicKey) -> anyhow::Result<()> {
        let lines = self.lines_without(host, port)?;
        self.replace(lines, host, port, key)
    }

    /// Forgets the keys pinned for a host, as after a reset, when it has made itself new ones.
    ///
    /// # Errors
    /// As [`KnownHosts::repin`].
    pub fn forget(&mut self, host: &str, port: u16) -> anyhow::Result<()> {
        let lines = self.lines_without(host, port)?;
        if lines.len() < read_or_empty(&self.path)?.lines().count() {
            crate::repository::replace(&self.path, (lines.join("\n") + "\n").as_bytes())?;
        }
        *self = Self::read(&self.path)?;
        Ok(())
    }

    /// The file's lines but those that pin a key for this host only.
    fn lines_without(&self, host: &str, port: u16) -> anyhow::Result<Vec<String>> {
        let current = Self::read(&self.path)?;
        let name = pin_name(host, port);
        let mut dropped = Vec::new();
        for entry in current.entries_of(host, port).filter(|entry| !entry.revoked) {
            if matches!(&entry.hosts, Hosts::Plain(patterns) if !patterns.is_only(&name)) {
                let place = format!("{}:{}", self.path.display(), entry.line + 1);
                anyhow::bail!("{place} pins a key for {name} and for other hosts: edit that line by hand");
            }
            dropped.push(entry.line);
        }
        let text = read_or_empty(&self.path)?;
        let lines = text.lines().enumerate().filter(|(index, _)| !dropped.contains(index));
        Ok(lines.map(|(_, line)| line.to_owned()).collect())
    }

    fn replace(
        &mut self,
        mut lines: Vec<String>,
        host: &str,
        port: u16,
        key: &PublicKey,
    ) -> anyhow::Result<()> {
        let blob = STANDARD.encode(key.to_bytes().context("the key cannot be written")?);
        lines.push(format!("{} {} {blob}", pin_name(host, port), key.algorithm().as_str()));
        crate::repository::replace(&self.path, (lines.join("\n") + "\n").as_bytes())?;
        *self = Self::read(&self.path)?;
        Ok(())
    }

    fn entries_of(&self, host: &str, port: u16) -> impl Iterator<Item = &Entry> {
        let name = pin_name(host, port);
        self.entries.iter().filter(move |entry| entry.hosts.holds(&name))
    }
}

fn read_or_empty(path: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("cannot read {}", path.display())),
    }
}
