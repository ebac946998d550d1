//! What GitLab's merge request widget reads of a report of type `terraform`: three counts.

use serde_json::json;

use super::Matter;
use crate::model::Action;

/// The counts.
pub fn draw(matter: &Matter<'_>) -> String {
    let changes = &matter.survey.plan.changes;
    let count = |actions: &[Action]| changes.iter().filter(|change| actions.contains(&change.action)).count();
    let counts = json!({
        "create": count(&[Action::Create]),
        "update": count(&[Action::Update, Action::Wake]),
        "delete": count(&[Action::Delete]),
    });
    format!("{counts}\n")
}
