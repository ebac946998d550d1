//! Findings as JSON. New keys may come; what is there keeps its meaning while `format_version` begins with 1.

use serde_json::{Value, json};

use super::level;
use crate::inventory::{Diagnostic, Sources};

/// One JSON object: `{"format_version", "diagnostics": [{"code", "severity", "message", "labels", "help"}]}`.
/// Lines and columns count from 1, columns and lengths in characters.
pub fn json(findings: &[Diagnostic], sources: &Sources) -> String {
    let diagnostics: Vec<Value> = findings.iter().map(|finding| one(finding, sources)).collect();
    format!("{:#}\n", json!({ "format_version": "1.0", "diagnostics": diagnostics }))
}

fn one(finding: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = finding
        .labels
        .iter()
        .map(|label| {
            json!({
                "file": &*label.place.file,
                "line": label.place.line,
                "column": label.place.column,
                "length": sources.length(label),
                "text": label.text,
            })
        })
        .collect();
    json!({
        "code": finding.code,
        "severity": level(finding.severity),
        "message": finding.message,
        "labels": labels,
        "help": finding.help,
    })
}
