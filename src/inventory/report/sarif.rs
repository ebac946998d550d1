//! Findings as SARIF 2.1.0 (OASIS), the format that code scanning of GitHub and others reads.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use super::level;
use crate::inventory::{Diagnostic, Label, Sources};

/// One SARIF log with one run.
pub fn sarif(findings: &[Diagnostic], sources: &Sources) -> String {
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, sources)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(finding: &Diagnostic, sources: &Sources) -> Value {
    let text = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let (main, others) = finding.labels.split_at(finding.labels.len().min(1));
    let related: Vec<Value> = others
        .iter()
        .zip(1..)
        .map(|(label, id): (_, u32)| {
            let mut location = location(label, sources);
            location["id"] = json!(id);
            location["message"] = json!({ "text": label.text });
            location
        })
        .collect();
    json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": main.iter().map(|label| location(label, sources)).collect::<Vec<_>>(),
        "relatedLocations": related,
    })
}

fn location(label: &Label, sources: &Sources) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&label.place.file) },
        "region": {
            "startLine": label.place.line,
            "startColumn": label.place.column,
            "endColumn": label.place.column.saturating_add(sources.length(label)),
        },
    }})
}

/// A relative file name as a URI reference (RFC 3986).
fn uri(file: &str) -> String {
    file.bytes().fold(String::new(), |mut uri, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}
