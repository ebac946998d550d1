//! A simulated MultiTech Conduit: a BusyBox host with sysvinit, the REST API (from itself without a login, from
//! the network over HTTPS with one), a reset button, and a stand-in for the relay.

pub mod api;
mod commissioning;
mod disk;
mod firmware;
mod image;
mod life;
mod pace;
mod plain;
mod radio;
mod sessions;
mod settings;
mod tree;
pub(super) mod web;
mod whitelist;

use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use russh::keys::PublicKey;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

pub use self::api::Restart;
use self::api::{Api, Reply};
pub use self::firmware::Firmware;
pub use self::image::{Image, firmware_image};
use self::pace::Pace;
pub use self::plain::serve_plain;
pub use self::radio::Uplink;
use self::sessions::{Admission, Sessions};
use self::web::{Answered, Call};
use super::door::{Door, Lockout};
use super::gate::Gate;
use super::knobs::{ApiFault, KnobBoard, RequestFault};
use super::line::Line;
use super::log::{Channel, Deed, Log};
use super::machine::{State, VirtualHost, Works, without_query};
use super::relay::Relay;
use super::ssh::{Book, Login};
use super::{DevicePlan, held, tls};
use crate::host::{Page, ServiceAct};
use crate::model::{Eui, Secret};

/// The relay, as a service.
const RELAY: &str = "rocade-relay";

/// The unit's own names for itself.
const LOOPBACK: [&str; 4] =
    ["http://127.0.0.1:80", "http://127.0.0.1", "http://localhost:80", "http://localhost"];

/// What is particular to this kind of device.
pub struct Conduit {
    api: Arc<Mutex<Api>>,
    login: Arc<Login>,
    knobs: Arc<KnobBoard>,
    sessions: Sessions,
    pace: Pace,
    relay: Relay,
    acceptor: Mutex<TlsAcceptor>,
    web: Gate,
    ssh: Gate,
    /// Whether it has power.
    on: Mutex<bool>,
    restart_takes: Duration,
    restarts: UnboundedSender<Restart>,
    /// The host it runs on and the lab's port for its SSH.
    body: OnceLock<(Weak<VirtualHost>, u16)>,
}

impl Conduit {
    /// A unit, and what tells it to restart.
    ///
    /// # Errors
    /// When its firmware is not known or no certificate can be made.
    pub(super) fn new(
        plan: &DevicePlan,
        keys: Vec<PublicKey>,
        knobs: Arc<KnobBoard>,
    ) -> anyhow::Result<(Self, UnboundedReceiver<Restart>)> {
        let firmware = Firmware::of(&plan.firmware)?;
        let api = match plan.boxed {
            true => Api::boxed(firmware, plan.serial),
            false => Api::commissioned(firmware, plan.serial, &plan.user, &plan.password),
        };
        let api = Arc::new(Mutex::new(api));
        let lockout = Lockout::new(plan.lockout);
        let login = Arc::new(Login::new(Book::Unit(Arc::clone(&api)), &plan.user, keys, lockout));
        let (restarts, told) = unbounded_channel();
        let unit = Self {
            api,
            sessions: Sessions::new(Arc::clone(&login), Arc::clone(&knobs)),
            login,
            knobs,
            pace: Pace::default(),
            relay: Relay::default(),
            acceptor: Mutex::new(certificate()?),
            web: Gate::default(),
            ssh: Gate::default(),
            on: Mutex::new(true),
            restart_takes: plan.restart,
            restarts,
            body: OnceLock::new(),
        };
        Ok((unit, told))
    }

    /// Who may log in.
    pub(super) fn login(&self) -> Arc<Login> {
        Arc::clone(&self.login)
    }

    /// Puts it on its host.
    pub(super) fn embody(&self, host: &Arc<VirtualHost>, ssh_port: u16) {
        let _ = self.body.set((Arc::downgrade(host), ssh_port));
        self.settle();
    }

    fn host(&self) -> Option<Arc<VirtualHost>> {
        self.body.get().and_then(|(host, _)| host.upgrade())
    }

    /// A sensor joins; see [`Api::join`].
    ///
    /// # Errors
    /// When the running network server does not know it.
    pub fn join(&self, dev_eui: Eui) -> Result<(), String> {
        held(&self.api).join(dev_eui).map_err(|(_, reason)| reason)
    }

    /// Whether a sensor joined.
    pub fn has_joined(&self, dev_eui: Eui) -> bool {
        held(&self.api).has_joined(dev_eui)
    }

    /// A sensor sends a frame; see [`Api::hear`]. There is no relay for it: only the network server hears it.
    ///
    /// # Errors
    /// When it did not join, or its counter is an old one.
    pub fn hear(&self, uplink: &Uplink) -> Result<(), String> {
        held(&self.api).hear(uplink).map_err(|(_, reason)| reason)
    }

    /// Looks at or changes the API's state directly, as a person in front of the web page would.
    pub fn with_api<T>(&self, look: impl FnOnce(&mut Api) -> T) -> T {
        let seen = look(&mut held(&self.api));
        self.settle();
        seen
    }

    /// Makes the host follow the API: its users, whether SSH listens, a restart that was asked for.
    fn settle(&self) {
        let Some((host, port)) = self.body.get() else { return };
        let (users, ssh, due) = {
            let mut api = held(&self.api);
            let users: Vec<String> = api.settings().users().map(|(name, _)| name.to_owned()).collect();
            (users, api.settings().has_ssh(*port), api.take_due())
        };
        if let Some(host) = host.upgrade() {
            disk::keep_users(&mut held(&host.state), &users);
        }
        let on = held(&self.on);
        if *on {
            self.ssh.set(ssh);
        }
        due.into_iter().for_each(|due| self.start(due));
    }

    fn start(&self, restart: Restart) {
        // Nobody hears it when the lab has ended.
        let _ = self.restarts.send(restart);
    }

    /// Serves the API over HTTPS until dropped.
    async fn attend(self: Arc<Self>, door: Door, log: Arc<Log>) {
        let knobs = Arc::clone(&self.knobs);
        let greet = |line| Arc::clone(&self).greet(line, Arc::clone(&log));
        door.attend_behind(&self.web, knobs, greet).await;
    }

    async fn greet(self: Arc<Self>, line: Line, log: Arc<Log>) {
        let acceptor = held(&self.acceptor).clone();
        match acceptor.accept(line).await {
            Ok(stream) => web::serve(stream, |call| self.answer(call, &log)).await,
            Err(error) => tracing::debug!(%error, "simulated HTTPS did not start"),
        }
    }

    async fn answer(&self, call: Call, log: &Log) -> Option<Answered> {
        let knobs = self.knobs.now();
        tokio::time::sleep(knobs.slow).await;
        note(log, &call);
        let fault = self.knobs.request_fault();
        match fault {
            Some(RequestFault::Refuse) => {
                self.knobs.set(|knobs| knobs.refuse = true);
                return None;
            }
            Some(RequestFault::CutBefore) => return None,
            Some(RequestFault::Stall) => std::future::pending().await,
            Some(RequestFault::CutAfter | RequestFault::Garbage | RequestFault::Half) | None => {}
        }
        let answered = match self.admit(&call) {
            Admission::Answered(answered) => answered,
            Admission::Admitted => {
                let reply = self.with_api(|api| api.handle(&call.method, &call.target, &call.body));
                self.doors_follow().await;
                reply.into()
            }
        };
        let spoilt = match fault {
            Some(RequestFault::CutAfter) => return None,
            Some(RequestFault::Garbage) => Some(ApiFault::Garbage),
            Some(RequestFault::Half) => Some(ApiFault::Half),
            _ => knobs.api,
        };
        web::spoiled(answered.reply, spoilt).map(|reply| Answered { reply, token: answered.token })
    }

    /// Looks at a request from the network. In its box the unit has no login to ask for.
    fn admit(&self, call: &Call) -> Admission {
        let (commissioned, pace) = {
            let api = held(&self.api);
            (api.settings().is_commissioned(), api.settings().pace().clone())
        };
        match (self.pace.takes(&pace), commissioned) {
            (false, _) => Admission::Answered(Reply::fail(429, "Too many requests").into()),
            (true, false) => Admission::Admitted,
            (true, true) => self.sessions.admit(call),
        }
    }
}

/// A certificate of its own, as a unit makes it when it is started for the first time.
fn certificate() -> anyhow::Result<TlsAcceptor> {
    let made = tls::self_signed(&["127.0.0.1", "192.168.2.1"]);
    made.map(TlsAcceptor::from).map_err(anyhow::Error::msg)
}

/// Notes a request from the network; logging in and out changes no setting.
fn note(log: &Log, call: &Call) {
    let path = without_query(&call.target);
    let reads = call.method == "GET" || matches!(path, "/api/login" | "/api/logout");
    let deed = if reads { Deed::Read } else { Deed::Write };
    log.note(Channel::Api, deed, format!("{} {path}", call.method));
}

impl Works for Conduit {
    fn factory(&self) -> State {
        disk::fresh(held(&self.api).firmware())
    }

    fn stop(&self) {
        self.relay.stop();
    }

    fn wipe(&self) {
        self.stop();
        self.sessions.clear();
        held(&self.api).wipe();
    }

    fn page(&self, method: &str, url: &str, body: &[u8]) -> Result<Page, String> {
        let target = LOOPBACK.iter().find_map(|base| url.strip_prefix(base));
        let target = target.filter(|target| target.starts_with('/'));
        let target = target.ok_or_else(|| format!("{url}: connection refused"))?;
        let reply = self.with_api(|api| api.handle(method, target, body));
        let Reply { status, body } =
            web::spoiled(reply, self.knobs.now().api).ok_or_else(|| format!("{url}: connection refused"))?;
        Ok(Page { status, body: Secret::new(body, "the simulated API") })
    }

    fn install(&self, _: &mut State, package: &str) -> Result<(), String> {
        Err(format!("opkg: {package}: no feed is reachable (simulated device)"))
    }

    fn service<'a>(
        &'a self,
        host: &'a VirtualHost,
        name: &'a str,
        act: ServiceAct,
    ) -> BoxFuture<'a, Result<(), String>> {
        if name == RELAY {
            let files = held(&host.state).files.clone();
            match act {
                ServiceAct::Start => self.relay.ensure(&files),
                ServiceAct::Restart | ServiceAct::Reload => self.relay.start(&files),
                ServiceAct::Stop => self.relay.stop(),
                ServiceAct::Enable | ServiceAct::Disable => {}
            }
        }
        futures::future::ready(Ok(())).boxed()
    }

    fn run<'a>(
        &'a self,
        host: &'a VirtualHost,
        argv: &'a [String],
    ) -> BoxFuture<'a, Option<Result<String, String>>> {
        let probed = self.relay.probe(&held(&host.state).files, argv);
        futures::future::ready(probed).boxed()
    }

    fn listening(&self, _: &State) -> Vec<String> {
        ["0.0.0.0:80", "0.0.0.0:443", "127.0.0.1:1883"].map(str::to_owned).into()
    }
}
