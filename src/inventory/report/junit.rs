//! Findings as JUnit XML: a test case for each file without errors, and one for each finding.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::inventory::{Diagnostic, Severity, Sources};

/// One `testsuites` document.
pub fn junit(findings: &[Diagnostic], sources: &Sources) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let wrong: BTreeSet<&str> = errors.filter_map(|finding| Some(finding.place()?.file.as_ref())).collect();
    let clean = sources.files().filter(|file| !wrong.contains(file)).map(str::to_owned).collect::<Vec<_>>();
    junit_of("inventory", &clean, findings)
}

/// One `testsuites` document of a suite: what is clean, and the findings.
pub fn junit_of(suite: &str, clean: &[String], findings: &[Diagnostic]) -> String {
    let failures = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let suite = escaped(suite);
    let cases: String = clean
        .iter()
        .map(|name| format!("    <testcase classname=\"{suite}\" name=\"{}\"/>\n", escaped(name)))
        .chain(findings.iter().map(|finding| case(&suite, finding)))
        .collect();
    let tests = clean.len() + findings.len();
    let counts = format!("name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite {counts}>\n\
         {cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(suite: &str, finding: &Diagnostic) -> String {
    let name = format!("{}: {finding}", finding.code);
    let help = finding.help.as_deref().unwrap_or("");
    let (name, message, help) = (escaped(&name), escaped(&finding.message), escaped(help));
    let body = match finding.severity {
        Severity::Error => {
            format!("<failure type=\"{}\" message=\"{message}\">{help}</failure>", finding.code)
        }
        Severity::Warning => format!("<system-out>warning: {message}. {help}</system-out>"),
    };
    format!("    <testcase classname=\"{suite}\" name=\"{name}\">{body}</testcase>\n")
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
