//! Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

use super::level;
use crate::inventory::{Diagnostic, Sources};

/// One `::error` or `::warning` line a finding.
pub fn github(findings: &[Diagnostic], sources: &Sources) -> String {
    findings.iter().map(|finding| line(finding, sources)).collect()
}

fn line(finding: &Diagnostic, sources: &Sources) -> String {
    let place = finding.labels.first().map_or_else(String::new, |label| {
        let end = label.place.column.saturating_add(sources.length(label));
        format!(
            "file={},line={},col={},endColumn={end},",
            property(&label.place.file),
            label.place.line,
            label.place.column
        )
    });
    let text = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    format!("::{} {place}title={}::{}\n", level(finding.severity), property(finding.code), data(&text))
}

/// Escapes as the runner's toolkit does for the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes as the runner's toolkit does for a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
