//! Restarts: the power goes, the ports with it, and what starts again is what was saved.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::api::Restart;
use super::{Conduit, RELAY, certificate, disk};
use crate::lab::door::Door;
use crate::lab::held;
use crate::lab::machine::VirtualHost;
use crate::lab::ssh::{self, Login};

/// What a unit still does between the request that restarts it and its end. A real one takes some seconds.
const NOTICE: Duration = Duration::from_millis(250);

/// The reset button, up to here: a restart; up to the next: user-defined defaults; beyond: the factory's.
const PRESS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

impl Conduit {
    /// Runs the unit until dropped: its web side, its SSH, its restarts.
    pub(in crate::lab) async fn run(
        self: Arc<Self>,
        host: Arc<VirtualHost>,
        login: Arc<Login>,
        doors: (Door, Door),
        restarts: UnboundedReceiver<Restart>,
    ) -> anyhow::Result<()> {
        let (https, ssh) = doors;
        let ssh = ssh::attend(Arc::clone(&host), login, ssh, &self.ssh);
        tokio::join!(Arc::clone(&self).attend(https, Arc::clone(&host.log)), ssh, self.live(&host, restarts));
        Ok(())
    }

    async fn live(&self, host: &VirtualHost, mut restarts: UnboundedReceiver<Restart>) {
        while let Some(restart) = restarts.recv().await {
            if host.life().on {
                tokio::time::sleep(NOTICE).await;
            }
            self.power_off(host);
            // An upgrade writes the flash first.
            let times = if matches!(restart, Restart::Upgrade(_)) { 2 } else { 1 };
            tokio::time::sleep(self.restart_takes * times).await;
            self.power_on(host, &restart);
            self.doors_follow().await;
            host.life.send_modify(|life| {
                life.on = true;
                life.boots += 1;
            });
        }
    }

    /// Waits until the ports are as they are to be, unless a knob keeps them shut.
    pub(super) async fn doors_follow(&self) {
        for gate in [&self.web, &self.ssh] {
            tokio::select! {
                () = gate.until_followed() => {}
                () = self.knobs.until_refuse(true) => {}
            }
        }
    }

    /// The mains go and come back: nothing that was not saved is left.
    pub fn cut_power(&self) {
        self.end_at_once(Restart::Plain);
    }

    /// Somebody presses the reset button; gives what it does. That a button turned off in the settings does
    /// nothing is assumed.
    pub fn press(&self, time: Duration) -> Option<Restart> {
        if !held(&self.api).settings().has_button() {
            return None;
        }
        let restart = match PRESS.iter().position(|limit| time < *limit) {
            Some(0) => Restart::Plain,
            Some(_) => Restart::Defaults,
            None => Restart::Factory,
        };
        self.end_at_once(restart.clone());
        Some(restart)
    }

    fn end_at_once(&self, restart: Restart) {
        if let Some(host) = self.host() {
            self.power_off(&host);
        }
        self.start(restart);
    }

    fn power_off(&self, host: &VirtualHost) {
        let mut on = held(&self.on);
        *on = false;
        host.life.send_modify(|life| life.on = false);
        self.web.cut();
        self.ssh.cut();
        self.relay.stop();
        self.sessions.clear();
        self.pace.clear();
    }

    fn power_on(&self, host: &VirtualHost, restart: &Restart) {
        let (boxed, firmware) = {
            let mut api = held(&self.api);
            (api.boot(restart), *api.firmware())
        };
        {
            let mut state = held(&host.state);
            disk::lose_memory(&mut state);
            let loses_config = match restart {
                Restart::Plain => false,
                Restart::Defaults | Restart::Factory => true,
                Restart::Upgrade(image) => {
                    disk::replace_root(&mut state, &firmware);
                    image.wipes
                }
            };
            if loses_config {
                self.login.forget_keys();
                disk::lose_config(&mut state, &firmware);
            }
            state.boot();
            if state.runs(RELAY) {
                self.relay.start(&state.files);
            }
        }
        if boxed {
            *held(&host.key) = ssh::new_host_key();
            match certificate() {
                Ok(acceptor) => *held(&self.acceptor) = acceptor,
                Err(error) => tracing::error!(%error, "the simulated gateway keeps its certificate"),
            }
        }
        *held(&self.on) = true;
        self.settle();
        self.web.set(true);
    }
}
