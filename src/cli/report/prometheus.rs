//! Prometheus' text format (version 0.0.4), for node_exporter's textfile collector.

use std::fmt::Write;

use super::Matter;
use crate::model::Target;
use crate::plan::Cause;

/// The metrics, each with its help and type before it.
pub fn draw(matter: &Matter<'_>) -> String {
    let plan = &matter.survey.plan;
    let mut text = String::new();
    head(&mut text, "rocade_drift", "Objects that differ from the inventory, by what made them differ.");
    for target in plan.targets.iter().map(|head| &head.target) {
        for cause in Cause::ALL {
            let of_cause = plan.changes.iter().filter(|change| change.address.target == *target);
            let number = of_cause.filter(|change| matter.drift.cause(change) == cause).count();
            let labels = format!("target=\"{}\",kind=\"{}\"", label(target), cause.word());
            line(&mut text, "rocade_drift", &labels, &number.to_string());
        }
    }
    head(&mut text, "rocade_unread", "Parts of a target that could not be read.");
    for target in plan.targets.iter().map(|head| &head.target) {
        let number = plan.unread.iter().filter(|entry| entry.target == *target).count();
        line(&mut text, "rocade_unread", &format!("target=\"{}\"", label(target)), &number.to_string());
    }
    let applied = "rocade_last_apply_timestamp_seconds";
    if !matter.applied.is_empty() {
        head(&mut text, applied, "When the last apply began that came to its end, as the audit has it.");
    }
    for (target, at) in &matter.applied {
        line(&mut text, applied, &format!("target=\"{}\"", label(target)), &at.to_string());
    }
    let checked = "rocade_drift_check_timestamp_seconds";
    head(&mut text, checked, "When this was looked at.");
    let _ = writeln!(text, "{checked} {}", matter.now);
    text
}

fn head(text: &mut String, name: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn line(text: &mut String, name: &str, labels: &str, value: &str) {
    let _ = writeln!(text, "{name}{{{labels}}} {value}");
}

/// `kind/name`, as the value of a label.
fn label(target: &Target) -> String {
    let text = format!("{}/{}", target.kind, target.name);
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
