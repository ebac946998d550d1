//! What is odd in a list of lines.

use std::fmt::Write;

use serde::Serialize;

/// One odd thing.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its stable name, such as `duplicate-number`.
    pub code: &'static str,
    /// Where: `list.csv:4:1`.
    pub place: String,
    /// What.
    pub what: String,
}

/// A report.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The rows read.
    pub rows: usize,
    /// New entries by part.
    pub new: Vec<(&'static str, usize)>,
    /// How many entries the inventory had already; they were left as they are.
    pub kept: usize,
    /// What is odd, in the order of codes and rows.
    pub findings: Vec<Finding>,
}

/// The kinds of findings in words, in the order of a report.
pub(super) const KINDS: [(&str, &str); 22] = [
    ("duplicate-number", "Two lines with one number (only the first is taken)"),
    ("number-without-person", "Numbers without a person"),
    ("person-with-several-numbers", "People with several numbers"),
    ("duplicate-did", "Numbers from outside that ring in two places (only the first is taken)"),
    ("duplicate-email", "E-mail addresses of two people (only the first has it)"),
    ("duplicate-mac", "Devices written twice (only the first is taken)"),
    ("device-without-line", "Devices without a line"),
    ("unknown-model", "Devices of a model that is not provisioned (left out)"),
    ("unknown-member", "Members of groups that do not exist (left out)"),
    ("unknown-group", "Groups that do not exist (left out)"),
    ("group-without-number", "Groups without a number (left out)"),
    ("empty-group", "Groups without members (left out)"),
    ("group-of-one", "Groups of one"),
    ("dead-forward", "Calls sent to a number that does not exist (left out)"),
    ("forward-loop", "Calls sent round in a circle"),
    ("never-called", "Lines that are never used"),
    ("switched-off", "Lines that are switched off"),
    ("own-hours", "Hours that differ from those of the department"),
    ("zero-lost", "Numbers that had lost the 0 in front"),
    ("no-trunk", "Numbers from outside without a trunk to come in on (left out)"),
    ("in-the-way", "Entries the inventory has otherwise (left as they are there)"),
    ("nothing-said", "Rows that say nothing (left out)"),
];

impl Report {
    pub(super) fn sort(&mut self) {
        let rank = |code: &str| KINDS.iter().position(|(own, _)| *own == code);
        self.findings.sort_by_key(|finding| rank(finding.code));
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Lines read: {}\n\n", self.rows);
        for (part, count) in &self.new {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "- {count} new in `{part}`");
        }
        if self.kept > 0 {
            let _ = writeln!(text, "- {} there already", self.kept);
        }
        for (code, words) in KINDS {
            let own: Vec<&Finding> = self.findings.iter().filter(|finding| finding.code == code).collect();
            if own.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n## {words}: {}\n", own.len());
            for finding in own {
                let _ = writeln!(text, "- {} ({})", escaped(&finding.what), finding.place);
            }
        }
        if self.findings.is_empty() {
            text.push_str("\nNothing is odd.\n");
        }
        text
    }
}

/// What lists say is text, not Markdown.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '*' | '_' | '[' | ']' | '<' | '>' | '\\' | '|' | '#') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        out
    })
}
