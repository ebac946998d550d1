//! Reads the directories of other programs that the chosen telephone systems' phonebooks are filled from, before
//! anything is composed: what is wished of a phonebook is made of their answers.

use std::sync::Arc;

use futures::future::join_all;

use super::workspace::Workspace;
use super::{Event, Refused, Watch};
use crate::inventory::{At, Directory};
use crate::model::Target;
use crate::plan::Scope;
use crate::providers::dolibarr::{self, People};
use crate::providers::threecx;
use crate::transport::Reading;
use crate::transport::http::HttpSession;

/// Reads them all and leaves the answers where wishes find them. One that cannot be read is no error: the plan
/// names it, and its contacts stay.
pub(super) async fn read(
    workspace: &Workspace,
    scope: &Scope,
    watch: &Arc<dyn Watch>,
) -> Result<(), Refused> {
    let inventory = workspace.inventory();
    let sites = workspace.sites(scope)?;
    let systems = sites.iter().filter(|(site, _)| site.target.kind == threecx::KIND);
    let all = systems.filter_map(|(site, _)| Some((&site.target, inventory.pbx.get(&site.target.name)?)));
    let all =
        all.flat_map(|(target, pbx)| pbx.directories.iter().map(move |(name, one)| (target, name, one)));
    join_all(all.map(|(target, name, directory)| ask(workspace, target, name, directory, watch))).await;
    Ok(())
}

async fn ask(
    workspace: &Workspace,
    target: &Target,
    name: &str,
    directory: &At<Directory>,
    watch: &Arc<dyn Watch>,
) {
    watch.event(Event::Waiting(target.clone(), format!("reading the directory {name}")));
    let read = people(workspace, directory).await;
    if let Ok(people) = &read {
        for line in people.left_out() {
            watch.event(Event::Said(target.clone(), format!("{name}: {line}")));
        }
    }
    workspace.shelf().take_people(target.clone(), name.to_owned(), read.map(Arc::new));
}

async fn people(workspace: &Workspace, directory: &Directory) -> Result<People, String> {
    let route = workspace.directory_route(directory).map_err(|fault| format!("{fault:#}"))?;
    let session = HttpSession::new(route).map_err(|fault| format!("{fault:#}"))?;
    dolibarr::read(Reading::over(&session)).await
}
