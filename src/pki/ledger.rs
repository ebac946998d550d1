//! `ledger.jsonl`: a line for each certificate made and each revoked, only ever added to. It holds nothing
//! secret, and is the authority's only memory of what was revoked.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Certificate;
use crate::repository;

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// What was done: `root`, `issuing`, `issue`, `renew`, `rotate`, `import`, `revoke`.
    pub what: String,
    /// When, RFC 3339 in UTC; empty in lines of old.
    pub at: String,
    /// Who, such as `ada@laptop`; empty in lines of old.
    pub by: String,
    /// The certificate's serial number, lower-case hex.
    pub serial: String,
    /// Its common name.
    pub name: String,
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// The identifier of the key that signed it, lower-case hex.
    pub issuer: String,
    /// The start of its life.
    pub not_before: String,
    /// The end of its life.
    pub not_after: String,
    /// Why.
    pub why: String,
}

impl Entry {
    /// Whether it is about a root or an intermediate.
    pub(super) fn is_of_an_authority(&self) -> bool {
        let words = ["root", "issuing"];
        words.contains(&self.what.as_str()) || words.contains(&self.why.as_str())
    }
}

/// What is done, by whom and when.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// What.
    pub what: &'a str,
    /// Why.
    pub why: &'a str,
    /// Who.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Adds a deed on a certificate.
pub(super) fn add(repository: &Path, certificate: &Certificate, deed: Deed<'_>) -> anyhow::Result<()> {
    write(
        repository,
        &Entry {
            what: deed.what.to_owned(),
            at: deed.now.strftime("%FT%TZ").to_string(),
            by: deed.by.to_owned(),
            serial: certificate.serial.clone(),
            name: certificate.name.clone(),
            names: certificate.names.clone(),
            issuer: certificate.issuer_key_id.clone(),
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
            why: deed.why.to_owned(),
        },
    )
}

/// Adds a line.
pub(super) fn write(repository: &Path, entry: &Entry) -> anyhow::Result<()> {
    let path = repository.join("pki/ledger.jsonl");
    append(&path, &serde_json::to_string(entry)?).with_context(|| format!("writing {}", path.display()))
}

/// All lines, in order. One that was cut short says nothing and is passed over: what it was about was not done.
///
/// # Errors
/// When the file is there and cannot be read, or a line is damaged otherwise: it may be a revocation.
pub fn ledger(repository: &Path) -> anyhow::Result<Vec<Entry>> {
    let text = repository::read(&repository.join("pki/ledger.jsonl"))?.unwrap_or_default();
    let mut entries = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(fault) if fault.is_eof() => {}
            Err(_) => bail!(
                "pki/ledger.jsonl:{}: this is no line of the ledger (a merge that was not ended?); until it is \
                 mended nobody can tell what was revoked",
                index + 1
            ),
        }
    }
    Ok(entries)
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // A line that was cut short stays by itself and does not swallow this one.
    let gap = if ends_within_a_line(&mut file)? { "\n" } else { "" };
    file.write_all(format!("{gap}{line}\n").as_bytes())?;
    file.sync_all()
}

fn ends_within_a_line(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
