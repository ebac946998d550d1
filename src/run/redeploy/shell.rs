//! SSH: on, saved, in force, its host key pinned. Restarts are waited out.

use std::time::Duration;

use tokio::time::Instant;

use super::contact::{Contact, Pauses};
use super::{Bringing, Doing, Identity, Stopped};
use crate::providers::conduit::bootstrap::{self, SshAccess};
use crate::transport::known_hosts::{KnownHosts, Standing, fingerprint};
use crate::transport::ssh::{HostKey, Route, SshFault, offered_key};

/// How long SSH may take to come up when its settings say it is on: the unit may be starting.
const COMING_UP: Duration = Duration::from_secs(5);
/// How long a unit may take to go down after it was told to.
const GOING_DOWN: Duration = Duration::from_secs(90);

impl Bringing {
    /// Turns SSH on where it is off, waits until it answers, and pins its host key. Gives what stands in the way
    /// when SSH is not there after a restart: the unit may have become another meanwhile.
    pub(super) async fn open_shell(
        &self,
        contact: &Contact,
        identity: &mut Identity,
        access: &SshAccess,
    ) -> Result<Option<Stopped>, Stopped> {
        let hand = contact.session.writing();
        let was_on = access.is_on();
        if identity.first_time {
            bootstrap::dismiss_first_time(hand).await.doing("dismissing its first-time set-up")?;
            identity.dirty = true;
        }
        if !was_on {
            bootstrap::turn_ssh_on(hand, access).await.doing("turning SSH on")?;
            identity.dirty = true;
        }
        let route = self.route(&contact.way)?;
        let quiet = if was_on { COMING_UP } else { Duration::ZERO };
        let key = match self.host_key(&route, quiet.min(self.order.patience)).await {
            Ok(key) => key,
            Err(fault) if is_silent(&fault) => {
                self.restart(contact, identity).await?;
                match self.host_key(&route, self.order.patience).await {
                    Ok(key) => key,
                    Err(fault) => {
                        let stopped = Stopped::fault(format!("SSH is on, and after a restart: {fault}"));
                        return Ok(Some(stopped.hint("is `ssh: {port: ...}` of the inventory its port?")));
                    }
                }
            }
            Err(fault) => return Err(ssh(&fault)),
        };
        if identity.dirty && (!was_on || identity.first_time) {
            // SSH answered before the restart: what was set must still be kept.
            bootstrap::save(hand).await.doing("saving its settings")?;
        }
        self.pin_host_key(&route, &key).await.map(|()| None)
    }

    async fn restart(&self, contact: &Contact, identity: &mut Identity) -> Result<(), Stopped> {
        let hand = contact.session.writing();
        if identity.dirty {
            bootstrap::save(hand).await.doing("saving its settings")?;
            (identity.dirty, identity.first_time) = (false, false);
        }
        self.say("SSH is set and not in force: restarting it");
        bootstrap::restart(hand).await.doing("restarting it")?;
        self.outlast(contact, "restarting").await
    }

    /// Waits until the unit went down and came back. Its session ends with it, however short that was.
    pub(super) async fn outlast(&self, contact: &Contact, what: &str) -> Result<(), Stopped> {
        let begin = Instant::now();
        let words = |begin: Instant| format!("{what}, {} s", begin.elapsed().as_secs());
        let mut pauses = Pauses::default();
        let limit = if what == "restarting" { GOING_DOWN } else { self.order.patience };
        while bootstrap::is_logged_in(contact.session.reading()).await {
            if begin.elapsed() > limit.min(self.order.patience) {
                return Err(Stopped::fault(format!(
                    "it did not restart within {} s",
                    begin.elapsed().as_secs()
                ))
                .hint("run it again, or restart it by hand"));
            }
            self.waits(words(begin));
            pauses.next().await;
        }
        contact.session.forget();
        let waiting = self.reach_again(contact);
        tokio::pin!(waiting);
        loop {
            self.waits(words(begin));
            tokio::select! {
                end = &mut waiting => return end,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn reach_again(&self, contact: &Contact) -> Result<(), Stopped> {
        let mut way = Some(contact.way.clone());
        self.reach(&mut way).await.map(drop)
    }

    /// The host key it offers, waiting while nobody answers.
    async fn host_key(&self, route: &Route, patience: Duration) -> Result<HostKey, SshFault> {
        let deadline = Instant::now() + patience;
        let mut pauses = Pauses::default();
        loop {
            // Which key is pinned says only which one to ask for: read anew, it may just have been forgotten.
            let path = self.workspace.root().join("inventory/known_hosts");
            let known = KnownHosts::read(&path).unwrap_or_default();
            match offered_key(route, &known, self.workspace.limits()).await {
                Err(fault) if is_silent(&fault) && Instant::now() < deadline => {
                    self.waits(format!("waiting for SSH: {fault}"));
                    pauses.next().await;
                }
                end => return end,
            }
        }
    }

    async fn pin_host_key(&self, route: &Route, key: &HostKey) -> Result<(), Stopped> {
        let _one_at_a_time = self.files.lock().await;
        let mut known = KnownHosts::read(&self.workspace.root().join("inventory/known_hosts"))?;
        let (whom, print) = (route.whom(), fingerprint(key));
        let offered = format!("{} {print}", key.algorithm().as_str());
        match known.check(route.pin_host(), route.port, key) {
            Standing::Known => Ok(()),
            Standing::Unknown => {
                known.add(route.pin_host(), route.port, key)?;
                self.say(format!("its host key {offered} is pinned"));
                Ok(())
            }
            Standing::Changed { pinned } => {
                let accept = format!("rocade trust {} --fingerprint {print}", self.target.name);
                let fault = SshFault::HostKeyChanged { whom, offered, pinned, accept };
                let hint = fault.hint().unwrap_or_default();
                Err(Stopped::guard(format!("{fault}, and the unit is not new")).hint(hint))
            }
            Standing::Revoked => Err(ssh(&SshFault::HostKeyRevoked { whom, offered })),
        }
    }
}

fn is_silent(fault: &SshFault) -> bool {
    matches!(
        fault,
        SshFault::Unreachable { .. }
            | SshFault::Refused { .. }
            | SshFault::TimedOut { .. }
            | SshFault::Closed { .. }
    )
}

fn ssh(fault: &SshFault) -> Stopped {
    let stopped = Stopped::fault(fault.to_string());
    match fault.hint() {
        Some(hint) => stopped.hint(hint),
        None => stopped,
    }
}
