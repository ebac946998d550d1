//! A gateway read as it is, without a wish. Nothing is written.

use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::{Links, Workspace};
use crate::plan::Scope;
use crate::providers::conduit::live::{self, Live};

/// What a gateway of the inventory has.
///
/// # Errors
/// When it cannot be reached or is another unit.
pub async fn live(workspace: &Arc<Workspace>, name: &str, links: &Arc<Links>) -> anyhow::Result<Live> {
    let scope = Scope { names: vec![format!("gateway/{name}")], ..Scope::default() };
    let sites = workspace.sites(&scope)?;
    let site = sites.into_iter().map(|(site, _)| site).find(|site| site.target.kind == "gateway");
    let site = site.ok_or_else(|| anyhow!("there is no gateway `{name}` in the inventory"))?;
    let gateway = workspace.inventory().gateways.get(name).context("a gateway that was chosen")?;
    let line = links.open(workspace, &site.target, &site.reach).await?;
    live::live(gateway, line.reading())
        .await
        .map_err(|fault| anyhow!("{} could not be read: {fault}", site.target))
}
