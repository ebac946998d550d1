//! The connections of a run: one a target, opened when first needed, kept until the run ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{Mutex, OnceCell};

use super::workspace::Workspace;
use crate::host::mark::Traces;
use crate::host::{Become, HostLimits, LinuxHost};
use crate::model::Target;
use crate::providers::Reach;
use crate::transport::http::HttpSession;
use crate::transport::ssh::{Session, SshFault, Traffic};
use crate::transport::{Reading, Writing};

/// A connection, or the login that was refused.
type Link = Arc<OnceCell<Result<Line, SshFault>>>;

/// What a target is reached over.
#[derive(Clone)]
pub enum Line {
    /// A Linux host over SSH.
    Host(Arc<LinuxHost<Session>>),
    /// An API over HTTP.
    Http(Arc<HttpSession>),
    /// The repository itself.
    Own,
}

impl Line {
    /// A hand that reads over it.
    pub fn reading(&self) -> Reading<'_> {
        match self {
            Line::Host(host) => Reading::on(&**host),
            Line::Http(session) => Reading::over(session),
            Line::Own => Reading::nowhere(),
        }
    }

    /// A hand that writes over it.
    pub fn writing(&self) -> Writing<'_> {
        match self {
            Line::Host(host) => Writing::on(&**host),
            Line::Http(session) => Writing::over(session),
            Line::Own => Writing::nowhere(),
        }
    }
}

/// The connections of a run.
#[derive(Default)]
pub struct Links {
    open: Mutex<BTreeMap<Target, Link>>,
    traces: Mutex<BTreeMap<Target, Traces>>,
}

impl Links {
    /// The line to a target, connected now if it was not. A login that was refused is not tried again in
    /// this run: gateways lock out those who insist.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(&self, workspace: &Workspace, target: &Target, reach: &Reach) -> anyhow::Result<Line> {
        let link = Arc::clone(self.open.lock().await.entry(target.clone()).or_default());
        let line = link.get_or_try_init(|| connect(workspace, target, reach)).await?;
        line.clone().map_err(Into::into)
    }

    /// Notes what a host tells of the applies that wrote it.
    pub(super) async fn note_traces(&self, target: &Target, traces: Traces) {
        self.traces.lock().await.insert(target.clone(), traces);
    }

    /// What the hosts that were read tell of the applies that wrote them.
    pub async fn traces(&self) -> BTreeMap<Target, Traces> {
        self.traces.lock().await.clone()
    }

    /// Forgets connections that were lost, so that reading again opens new ones.
    pub async fn drop_lost(&self) {
        let mut open = self.open.lock().await;
        let lost = |link: &Link| matches!(link.get(), Some(Ok(Line::Host(host))) if host.exec().is_closed());
        open.retain(|_, link| !lost(link));
    }

    /// A new connection to a target in place of the one there was; what was refused before is tried once more.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn renew(&self, workspace: &Workspace, target: &Target, reach: &Reach) -> anyhow::Result<Line> {
        self.open.lock().await.remove(target);
        self.open(workspace, target, reach).await
    }

    /// How many programs were run on hosts and how many bytes went each way, over all connections.
    pub async fn traffic(&self) -> Traffic {
        let open = self.open.lock().await;
        let host = |link: &Link| match link.get() {
            Some(Ok(Line::Host(host))) => Some(host.exec().traffic()),
            _ => None,
        };
        open.values().filter_map(host).sum()
    }
}

async fn connect(
    workspace: &Workspace,
    target: &Target,
    reach: &Reach,
) -> anyhow::Result<Result<Line, SshFault>> {
    if let Some(route) = workspace.http_route(reach)? {
        return Ok(Ok(Line::Http(Arc::new(HttpSession::new(route)?))));
    }
    let (Some(route), Reach::Host { ssh, root, .. }) = (workspace.route(&target.name, reach)?, reach) else {
        return Ok(Ok(Line::Own));
    };
    let session = Session::open(&route, workspace.known_hosts(), workspace.limits()).await;
    let session = match session {
        Ok(session) => session,
        Err(refused @ SshFault::LoginRefused { .. }) => return Ok(Err(refused)),
        Err(fault) => return Err(fault.into()),
    };
    let sudo = match &ssh.sudo_password {
        Some(named) => Some(workspace.store().get(&named.secret).context("the password for sudo")?),
        None => route.password.clone(),
    };
    let becoming = Become { needed: route.user != "root", password: sudo };
    let limits = HostLimits::default();
    Ok(Ok(Line::Host(Arc::new(LinuxHost::new(session, becoming, root.as_deref(), limits)))))
}
