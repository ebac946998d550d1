//! A playbook's own plan: its steps, waves and targets as they are now, and the plan of the first step that writes
//! to targets. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::audience::{Audience, Told};
use super::course::{Order, Unfit, scope, shared_out, title};
use super::given;
use super::spread::selected;
use super::wave;
use crate::inventory::playbook::{Act, Book, Gate, Pace};
use crate::model::Target;
use crate::plan::Shard;
use crate::run::{self, Links, Workspace};

/// A step to come.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// Its number, from 1.
    pub step: usize,
    /// Its verb.
    pub verb: &'static str,
    /// What it does.
    pub title: String,
    /// Its targets, wave by wave.
    pub waves: Vec<Vec<Target>>,
    /// What must hold after each wave.
    pub gate: Vec<&'static str>,
    /// How many targets may fail.
    pub may_fail: usize,
}

/// The steps of a playbook as they would be now. The first that applies is planned, and the audience told.
///
/// # Errors
/// Why it would not be begun.
pub async fn outline(book: &Book, order: &Order, audience: &dyn Audience) -> Result<Vec<Outline>, Unfit> {
    let workspace = Arc::new(audience.open()?);
    let with = given::settle(&book.playbook, &order.given, workspace.inventory(), workspace.store())
        .map_err(Unfit::Words)?;
    if let Some(shard) = order.shard {
        shared_out(book, shard)?;
    }
    let mut steps = Vec::new();
    let mut planned = false;
    for (index, step) in book.playbook.steps.iter().enumerate() {
        let Some(act) = step.act() else { continue };
        let line = line(&workspace, index + 1, title(&step.title, act, &with), act, &with, order.shard)?;
        audience.tell(Told::Step { number: line.step, of: book.playbook.steps.len(), title: &line.title });
        for (number, targets) in line.waves.iter().enumerate() {
            audience.tell(Told::Wave { number: number + 1, of: line.waves.len(), targets });
        }
        if matches!(act, Act::Apply(_) | Act::Redeploy(_)) && !planned {
            planned = true;
            let scope = scope(act.selection(), &with, order.shard);
            let (links, watch) = (Arc::new(Links::default()), audience.watch());
            let survey = run::survey(&workspace, &scope, &links, &watch).await;
            audience.tell(Told::Plan(&survey.map_err(anyhow::Error::from)?.plan));
        }
        steps.push(line);
    }
    Ok(steps)
}

fn line(
    workspace: &Workspace,
    step: usize,
    title: String,
    act: Act<'_>,
    with: &BTreeMap<String, String>,
    shard: Option<Shard>,
) -> anyhow::Result<Outline> {
    let pace = act.pace();
    let mut targets = match act.selection() {
        Some(selection) => selected(workspace, &scope(Some(selection), with, shard))?,
        None => Vec::new(),
    };
    if let Act::Redeploy(_) = act {
        targets.retain(|target| target.kind == "gateway");
    }
    let sizes = pace.and_then(Pace::sizes);
    let may_fail = pace.map_or(0, |pace| wave::allowed(pace.most(), targets.len()));
    let word = |gate: &Gate| match gate {
        Gate::Verify => "verify",
        Gate::Sensors => "sensors",
    };
    let gate = act.gate().iter().map(word).collect();
    Ok(Outline { step, verb: act.verb(), title, waves: wave::waves(&targets, sizes), gate, may_fail })
}
