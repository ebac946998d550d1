//! `graph`: the way calls take, drawn from the inventory.

use anyhow::anyhow;

use crate::cli::arguments::{Drawing, Graph};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::flow::CallFlow;

pub fn run(arguments: &Arguments, verb: &Graph) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let pbx = workspace.inventory().pbx.get(&verb.name);
    let pbx = pbx.ok_or_else(|| anyhow!("there is no `{}` under `pbx` in the inventory", verb.name))?;
    let flow = CallFlow::of(pbx);
    let drawn = match verb.format {
        Drawing::Mermaid => flow.mermaid(),
        Drawing::Dot => flow.dot(&verb.name),
    };
    say::data(drawn.trim_end());
    Ok(Exit::Done)
}
