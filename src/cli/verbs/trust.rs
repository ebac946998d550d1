//! `trust`: pins the SSH host key a target shows, after a person compared it.

use anyhow::{anyhow, bail};

use super::Waited;
use crate::cli::arguments::Trust;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::plan::Scope;
use crate::transport::known_hosts::{KnownHosts, fingerprint};
use crate::transport::ssh;

pub fn run(arguments: &Arguments, verb: &Trust) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let scope = Scope { names: vec![verb.name.clone()], ..Scope::default() };
    let sites = workspace.sites(&scope)?;
    let route = sites
        .iter()
        .find_map(|(site, _)| workspace.route(&site.target.name, &site.reach).transpose())
        .ok_or_else(|| anyhow!("{} is not reached over SSH", verb.name))??;
    let offered = super::wait(async {
        Ok(ssh::offered_key(&route, workspace.known_hosts(), workspace.limits()).await?)
    })?;
    let Waited::Done(key) = offered else { return Ok(Exit::Interrupted) };
    let shown = fingerprint(&key);
    match &verb.fingerprint {
        Some(expected) if *expected == shown => {}
        Some(expected) => bail!("{} shows {shown}, not {expected}; nothing was pinned", route.whom()),
        None => {
            say::word(&format!("{} shows {shown}", route.whom()));
            let Waited::Done(agreed) = super::ask(arguments, "Is this the host's own key?")? else {
                return Ok(Exit::Interrupted);
            };
            if !agreed {
                say::hint(&format!("rocade trust {} --fingerprint {shown}", verb.name));
                return Ok(Exit::Refused);
            }
        }
    }
    let mut known = KnownHosts::read(&workspace.root().join("inventory/known_hosts"))?;
    known.repin(route.pin_host(), route.port, &key)?;
    say::word(&format!("{} is pinned in inventory/known_hosts", route.whom()));
    Ok(Exit::Done)
}
