//! A simulated MultiTech Conduit, mPower 6.0.1: a BusyBox host with sysvinit, the REST API (from itself
//! without a login, from the network over HTTPS with one), and a stand-in for the relay.

pub mod api;
mod plain;
mod sessions;
mod tree;
mod web;
mod whitelist;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_rustls::TlsAcceptor;

use self::api::{Api, Reply};
pub use self::plain::serve_plain;
use self::sessions::{Admission, Sessions};
use self::web::{Answered, Call};
use super::debian::{directory, file};
use super::door::Door;
use super::knobs::KnobBoard;
use super::line::Line;
use super::log::{Channel, Deed, Log};
use super::machine::{Account, Service, State, VirtualHost, Works, without_query};
use super::relay::Relay;
use super::ssh::Login;
use super::{held, tls};
use crate::host::{Page, ServiceAct};
use crate::model::{Eui, Secret};

/// The services mPower starts at boot.
const SERVICES: [&str; 4] = ["sshd", "mosquitto", "lora-network-server", "customapp"];

/// The unit's own names for itself.
const LOOPBACK: [&str; 4] =
    ["http://127.0.0.1:80", "http://127.0.0.1", "http://localhost:80", "http://localhost"];

/// What is particular to this kind of device.
pub struct Conduit {
    user: String,
    knobs: Arc<KnobBoard>,
    api: Mutex<Api>,
    sessions: Sessions,
    relay: Relay,
}

impl Conduit {
    /// A unit with a serial number.
    pub fn new(serial: u32, login: &Arc<Login>, knobs: Arc<KnobBoard>) -> Self {
        Self {
            user: login.user.clone(),
            knobs,
            api: Mutex::new(Api::factory(serial)),
            sessions: Sessions::new(Arc::clone(login)),
            relay: Relay::default(),
        }
    }

    /// A sensor joins; see [`Api::join`].
    ///
    /// # Errors
    /// When the running network server does not know it.
    pub fn join(&self, dev_eui: Eui) -> Result<(), String> {
        held(&self.api).join(dev_eui).map_err(|(_, reason)| reason)
    }

    /// Looks at or changes the API's state directly, as a person in front of the web page would.
    pub fn with_api<T>(&self, look: impl FnOnce(&mut Api) -> T) -> T {
        look(&mut held(&self.api))
    }

    /// Serves the API over HTTPS until dropped.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub async fn attend(self: Arc<Self>, door: Door, log: Arc<Log>) -> anyhow::Result<()> {
        let acceptor =
            TlsAcceptor::from(tls::self_signed(&["127.0.0.1", "192.168.2.1"]).map_err(anyhow::Error::msg)?);
        let knobs = Arc::clone(&self.knobs);
        door.attend(knobs, |line| Arc::clone(&self).greet(acceptor.clone(), line, Arc::clone(&log))).await;
        Ok(())
    }

    async fn greet(self: Arc<Self>, acceptor: TlsAcceptor, line: Line, log: Arc<Log>) {
        match acceptor.accept(line).await {
            Ok(stream) => web::serve(stream, |call| self.answer(call, &log)).await,
            Err(error) => tracing::debug!(%error, "simulated HTTPS did not start"),
        }
    }

    async fn answer(&self, call: Call, log: &Log) -> Option<Answered> {
        let knobs = self.knobs.now();
        tokio::time::sleep(knobs.slow).await;
        note(log, &call);
        let answered = match self.sessions.admit(&call) {
            Admission::Answered(answered) => answered,
            Admission::Admitted => held(&self.api).handle(&call.method, &call.target, &call.body).into(),
        };
        web::spoiled(answered.reply, &knobs).map(|reply| Answered { reply, token: answered.token })
    }
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
        let mut state = State { facts: facts(), ..State::default() };
        let home = format!("/home/{}", self.user);
        for path in [
            "/etc/init.d",
            "/var/config/lora",
            "/var/persistent",
            "/var/run",
            "/var/log",
            "/home/root",
            &home,
        ] {
            directory(&mut state.files, path);
        }
        for service in SERVICES {
            file(&mut state.files, &format!("/etc/init.d/{service}"), "#!/bin/sh\n");
            state.services.insert(service.to_owned(), Service::up(&state.files));
        }
        file(&mut state.files, "/etc/issue.net", "mPower 6.0.1\n");
        state.accounts.insert("root".to_owned(), Account::login(0, "root", "/home/root"));
        let mut account = Account::login(1000, &self.user, &home);
        account.groups.push("sudo".to_owned());
        state.accounts.insert(self.user.clone(), account);
        state
    }

    fn reset(&self) {
        self.relay.stop();
        self.sessions.clear();
        held(&self.api).reset();
    }

    fn page(&self, method: &str, url: &str, body: &[u8]) -> Result<Page, String> {
        let target = LOOPBACK.iter().find_map(|base| url.strip_prefix(base));
        let target = target.filter(|target| target.starts_with('/'));
        let target = target.ok_or_else(|| format!("{url}: connection refused"))?;
        let reply = held(&self.api).handle(method, target, body);
        let Reply { status, body } =
            web::spoiled(reply, &self.knobs.now()).ok_or_else(|| format!("{url}: connection refused"))?;
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
        if name == "rocade-relay" {
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

fn facts() -> BTreeMap<String, String> {
    [
        ("os", "mlinux"),
        ("version", "6.0.1"),
        ("kernel", "5.4.199"),
        ("arch", "armv5tejl"),
        ("hostname", "mtcdt"),
        ("init", "sysvinit"),
        ("python", "3.8.11"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
