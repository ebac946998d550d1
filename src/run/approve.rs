//! Whether a plan may be carried out: what stands against it, the guards, and who has to be asked.

use std::sync::Arc;

use super::{Person, Survey};
use crate::plan::{self, Approval, Guard};

/// What is still needed before a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: it was approved beforehand, or there is nothing to approve.
    Given,
    /// A person's word on so many changes.
    Needed(usize),
}

/// Whether this plan may be carried out, or why not. `given` is the checksum of the plan that was approved.
///
/// # Errors
/// Why it is refused.
pub fn consent(
    survey: &Survey,
    given: Option<&str>,
    guard: &Guard,
    approval: &Approval,
) -> Result<Consent, String> {
    let changes = &survey.plan.changes;
    if given.is_some_and(|checksum| checksum != survey.plan.checksum) {
        return Err("the plan given is stale: planning again gives another; nothing was changed".into());
    }
    if let Some(objection) = survey.plan.objections.first() {
        let more = survey.plan.objections.len() - 1;
        let more = if more > 0 { format!(" (and {more} more, see the plan)") } else { String::new() };
        let (target, reason) = (&objection.target, &objection.reason);
        return Err(format!("{target} would not take it: {reason}{more}; nothing was changed"));
    }
    plan::check(changes, guard).map_err(|refusal| refusal.to_string())?;
    if changes.is_empty() || approval.covers_all(changes) || given.is_some() {
        return Ok(Consent::Given);
    }
    Ok(Consent::Needed(changes.iter().filter(|change| !approval.covers(change)).count()))
}

/// Asks a person, beside the runtime: Ctrl-C is heard meanwhile.
pub async fn asks(person: &Arc<dyn Person>, question: String) -> bool {
    let person = Arc::clone(person);
    tokio::task::spawn_blocking(move || person.agrees(&question)).await.unwrap_or(false)
}
