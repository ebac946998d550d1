//! `ledger.jsonl`: a line for each certificate issued, only ever added to. It holds nothing secret.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::Certificate;

#[derive(Serialize)]
struct Line<'a> {
    serial: &'a str,
    name: &'a str,
    names: &'a [String],
    not_before: String,
    not_after: String,
    why: &'a str,
}

/// Adds a certificate.
pub(super) fn add(repository: &Path, certificate: &Certificate, why: &str) -> anyhow::Result<()> {
    let line = Line {
        serial: &certificate.serial,
        name: &certificate.name,
        names: &certificate.names,
        not_before: certificate.not_before.to_string(),
        not_after: certificate.not_after.to_string(),
        why,
    };
    let path = repository.join("pki/ledger.jsonl");
    append(&path, &serde_json::to_string(&line)?).with_context(|| format!("writing {}", path.display()))
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
