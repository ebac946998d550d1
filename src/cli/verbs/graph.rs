//! `graph`: the way of readings or of calls, drawn from the inventory.

use anyhow::bail;

use crate::cli::arguments::{Drawing, Graph};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::flow;

pub fn run(arguments: &Arguments, verb: &Graph) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let inventory = workspace.inventory();
    let name = verb.name.as_deref();
    let graph = match name.and_then(|name| inventory.pbx.get(name)) {
        Some(pbx) => Some(flow::calls(pbx)),
        None => flow::chain(inventory, name),
    };
    let Some(graph) = graph else {
        let name = name.unwrap_or_default();
        bail!("the inventory has no PBX, site, gateway, broker or host `{name}`");
    };
    let title = name.unwrap_or("readings");
    let drawn = match verb.format {
        Drawing::Mermaid => graph.mermaid(),
        Drawing::Dot => graph.dot(title),
        Drawing::Svg => flow::svg(&graph, title),
    };
    say::data(drawn.trim_end());
    Ok(Exit::Done)
}
