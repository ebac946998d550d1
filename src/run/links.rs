//! The connections of a run: one a target, opened when first needed, kept until the run ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use futures::future::BoxFuture;
use tokio::sync::{Mutex, OnceCell};

use super::workspace::Workspace;
use crate::host::{Answer, Ask, Become, HostLimits, LinuxHost, Order, Ruling};
use crate::model::Target;
use crate::providers::Reach;
use crate::transport::Hosting;
use crate::transport::ssh::{Session, SshFault, Traffic};

/// A connection, or the login that was refused.
type Link = Arc<OnceCell<Result<Arc<LinuxHost<Session>>, SshFault>>>;

/// The connections of a run.
#[derive(Default)]
pub struct Links {
    open: Mutex<BTreeMap<Target, Link>>,
}

impl Links {
    /// The host of a target, connected now if it was not. A login that was refused is not tried again in
    /// this run: gateways lock out those who insist.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(
        &self,
        workspace: &Workspace,
        target: &Target,
        reach: &Reach,
    ) -> anyhow::Result<Arc<dyn Hosting>> {
        let Some(route) = workspace.route(&target.name, reach)? else { return Ok(Arc::new(Nowhere)) };
        let link = Arc::clone(self.open.lock().await.entry(target.clone()).or_default());
        let host = link
            .get_or_try_init(|| async {
                let Reach::Host { ssh, root, .. } = reach else {
                    anyhow::bail!("{target} is not reached over SSH");
                };
                let session = Session::open(&route, workspace.known_hosts(), workspace.limits()).await;
                let session = match session {
                    Ok(session) => session,
                    Err(refused @ SshFault::LoginRefused { .. }) => return Ok(Err(refused)),
                    Err(fault) => return Err(fault.into()),
                };
                let sudo = match &ssh.sudo_password {
                    Some(named) => {
                        Some(workspace.store().get(&named.secret).context("the password for sudo")?)
                    }
                    None => route.password.clone(),
                };
                let becoming = Become { needed: route.user != "root", password: sudo };
                let limits = HostLimits::default();
                Ok(Ok(Arc::new(LinuxHost::new(session, becoming, root.as_deref(), limits))))
            })
            .await?;
        match host {
            Ok(host) => Ok(Arc::clone(host) as Arc<dyn Hosting>),
            Err(refused) => Err(refused.clone().into()),
        }
    }

    /// Forgets connections that were lost, so that reading again opens new ones.
    pub async fn drop_lost(&self) {
        let mut open = self.open.lock().await;
        let lost = |link: &Link| matches!(link.get(), Some(Ok(host)) if host.exec().is_closed());
        open.retain(|_, link| !lost(link));
    }

    /// How many programs were run on hosts and how many bytes went each way, over all connections.
    pub async fn traffic(&self) -> Traffic {
        let open = self.open.lock().await;
        let hosts = open.values().filter_map(|link| link.get()?.as_ref().ok());
        hosts.map(|host| host.exec().traffic()).sum()
    }
}

/// The other end of the repository's own target: there is no host to ask.
struct Nowhere;

impl Hosting for Nowhere {
    fn ask<'a>(&'a self, _asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        Box::pin(async { anyhow::bail!("this target is the repository itself") })
    }

    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for index in 0..orders.len() {
                each(index, Ruling::Failed("this target is the repository itself".into()));
            }
        })
    }
}
