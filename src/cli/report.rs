//! A plan and its causes in the forms that other programs read. Nothing here prints; secrets are shown by their
//! names, as everywhere.

mod findings;
mod gitlab;
mod json;
mod markdown;
mod prometheus;

use std::collections::BTreeMap;

use super::arguments::PlanForm;
use super::{Exit, show};
use crate::inventory::{Sources, report};
use crate::model::Target;
use crate::plan::Shard;
use crate::run::{Drift, Survey};

/// What a report is made of.
pub struct Matter<'a> {
    /// `plan` or `drift`.
    pub verb: &'static str,
    /// What was read and planned.
    pub survey: &'a Survey,
    /// Why it differs.
    pub drift: &'a Drift,
    /// The inventory's texts.
    pub sources: &'a Sources,
    /// When the last whole apply of each target began, in Unix seconds.
    pub applied: BTreeMap<Target, i64>,
    /// The time it is, in Unix seconds.
    pub now: i64,
    /// How the run ends.
    pub exit: Exit,
    /// The share of the targets.
    pub shard: Option<Shard>,
    /// Every field of every change.
    pub verbose: bool,
}

/// The report in a form.
pub fn draw(form: PlanForm, matter: &Matter<'_>) -> String {
    let suite = || findings::clean(matter);
    match form {
        PlanForm::Human => show::explained(&matter.survey.plan, matter.drift, matter.verbose),
        PlanForm::Json => json::draw(matter),
        PlanForm::Junit => report::junit_of(matter.verb, &suite(), &findings::all(matter)),
        PlanForm::Sarif => report::sarif(&findings::all(matter), matter.sources),
        PlanForm::Github => report::github(&findings::all(matter), matter.sources),
        PlanForm::Markdown => markdown::draw(matter),
        PlanForm::Gitlab => gitlab::draw(matter),
        PlanForm::Prometheus => prometheus::draw(matter),
    }
}
