//! Findings as JUnit XML: a test case for each file without errors, and one for each finding.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::inventory::{Diagnostic, Severity, Sources};

/// One `testsuites` document.
pub fn junit(findings: &[Diagnostic], sources: &Sources) -> String {
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    let failures = errors().count();
    let wrong: BTreeSet<&str> = errors().filter_map(|finding| Some(finding.place()?.file.as_ref())).collect();
    let clean: Vec<&str> = sources.files().filter(|file| !wrong.contains(file)).collect();
    let cases: String = clean
        .iter()
        .map(|file| format!("    <testcase classname=\"inventory\" name=\"{}\"/>\n", escaped(file)))
        .chain(findings.iter().map(case))
        .collect();
    let tests = clean.len() + findings.len();
    let counts = format!("name=\"inventory\" tests=\"{tests}\" failures=\"{failures}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite {counts}>\n\
         {cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(finding: &Diagnostic) -> String {
    let name = format!("{}: {finding}", finding.code);
    let help = finding.help.as_deref().unwrap_or("");
    let (name, message, help) = (escaped(&name), escaped(&finding.message), escaped(help));
    let body = match finding.severity {
        Severity::Error => {
            format!("<failure type=\"{}\" message=\"{message}\">{help}</failure>", finding.code)
        }
        Severity::Warning => format!("<system-out>warning: {message}. {help}</system-out>"),
    };
    format!("    <testcase classname=\"inventory\" name=\"{name}\">{body}</testcase>\n")
}

/// Text for XML 1.0, in which most control characters cannot be written at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{}", c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}
