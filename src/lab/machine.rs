//! A simulated Linux host: what it has, and how it answers the questions and orders of `host`.
//!
//! What is the same for all kinds of device is here; what differs is behind [`Works`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use russh::keys::PrivateKey;
use tokio::sync::watch;

use super::files::Files;
use super::held;
use super::knobs::KnobBoard;
use super::log::{Channel, Deed, Log};
use super::ssh;
use crate::host::{Answer, Ask, Done, Order, Page, Ruling, ServiceAct, ServiceFacts, UserFacts};
use crate::model::Secret;

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Numeric id.
    pub uid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Names of its groups, its own first.
    pub groups: Vec<String>,
}

impl Account {
    /// A system account without login.
    pub fn system(uid: u32, name: &str, home: &str) -> Self {
        let shell = "/usr/sbin/nologin".to_owned();
        Self { uid, home: home.to_owned(), shell, groups: vec![name.to_owned()] }
    }

    /// An account for a person or root.
    pub fn login(uid: u32, name: &str, home: &str) -> Self {
        Self { shell: "/bin/sh".to_owned(), ..Self::system(uid, name, home) }
    }
}

/// A service and what it runs with.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs now.
    pub running: bool,
    /// The state of the files when it started or last reloaded.
    started: u64,
    /// The digest of the files it was told to watch then.
    stamp: Option<String>,
}

impl Service {
    /// A service that starts at boot and runs with the files as they are.
    pub fn up(files: &Files) -> Self {
        Self { enabled: true, running: true, started: files.tick(), stamp: None }
    }
}

/// Everything a device has.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Its files.
    pub files: Files,
    /// Its accounts by name.
    pub accounts: BTreeMap<String, Account>,
    /// Installed packages and their versions.
    pub packages: BTreeMap<String, String>,
    /// Services that were ever touched; whether there is one at all its files say.
    pub services: BTreeMap<String, Service>,
    /// What it says of itself (see [`Ask::Facts`]), without the clock.
    pub facts: BTreeMap<String, String>,
    /// The tables of its firewall, by family and name, as they are printed.
    pub firewall: BTreeMap<String, String>,
}

/// The files that say that there is a service, and on whose behalf.
const SERVICE_FILES: [(&str, &str); 3] =
    [("/etc/init.d/", ""), ("/lib/systemd/system/", ".service"), ("/etc/systemd/system/", ".service")];

impl State {
    /// Whether there is such a service.
    pub fn has_service(&self, name: &str) -> bool {
        SERVICE_FILES
            .iter()
            .any(|(before, after)| self.files.get(&format!("{before}{name}{after}")).is_some())
    }

    /// Whether a service runs.
    pub fn runs(&self, name: &str) -> bool {
        self.has_service(name) && self.services.get(name).is_some_and(|service| service.running)
    }

    fn service_facts(&self, name: &str, watch: &[String]) -> Option<ServiceFacts> {
        if !self.has_service(name) {
            return None;
        }
        let service = self.services.get(name).cloned().unwrap_or_default();
        let fresh = service.stamp.as_ref() == Some(&self.files.digest(watch))
            || self.files.newest(watch) <= service.started;
        let Service { enabled, running, .. } = service;
        Some(ServiceFacts { enabled, running, current: running && fresh })
    }

    /// Starts the services that are enabled, with the files as they are.
    pub fn boot(&mut self) {
        let mut services = std::mem::take(&mut self.services);
        for (name, service) in &mut services {
            let running = service.enabled && self.has_service(name);
            *service = Service { running, started: self.files.tick(), stamp: None, ..*service };
        }
        self.services = services;
    }

    fn act(&mut self, name: &str, act: ServiceAct, watch: &[String]) -> Result<(), String> {
        if !self.has_service(name) {
            return Err(format!("{name}: no such service"));
        }
        let (tick, digest) = (self.files.tick(), self.files.digest(watch));
        let service = self.services.entry(name.to_owned()).or_default();
        match act {
            ServiceAct::Enable => service.enabled = true,
            ServiceAct::Disable => service.enabled = false,
            ServiceAct::Stop => service.running = false,
            ServiceAct::Start if service.running => {}
            ServiceAct::Reload if !service.running => return Err(format!("{name} is not running")),
            ServiceAct::Start | ServiceAct::Restart | ServiceAct::Reload => {
                service.running = true;
                service.started = tick;
                service.stamp = Some(digest);
            }
        }
        Ok(())
    }
}

/// What differs from one kind of device to another.
pub trait Works: Send + Sync {
    /// What a new device has.
    fn factory(&self) -> State;

    /// Ends what runs.
    fn stop(&self);

    /// Forgets what it knows beside the files, and ends what runs.
    fn wipe(&self) {
        self.stop();
    }

    /// Answers an HTTP request that the device makes to itself.
    ///
    /// # Errors
    /// When nothing listens there.
    fn page(&self, method: &str, url: &str, body: &[u8]) -> Result<Page, String>;

    /// The packages that can be installed, by name, with what they bring.
    ///
    /// # Errors
    /// When there is no such package.
    fn install(&self, state: &mut State, package: &str) -> Result<(), String>;

    /// Does what a service does when it acts; its state is as before when this fails.
    fn service<'a>(
        &'a self,
        host: &'a VirtualHost,
        name: &'a str,
        act: ServiceAct,
    ) -> BoxFuture<'a, Result<(), String>>;

    /// Runs a program that is not one of the shell's; gives its output. `None`: there is no such program.
    fn run<'a>(
        &'a self,
        host: &'a VirtualHost,
        argv: &'a [String],
    ) -> BoxFuture<'a, Option<Result<String, String>>>;

    /// The addresses its services listen on besides SSH.
    fn listening(&self, state: &State) -> Vec<String>;
}

/// Whether a device runs, and how often it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// How often it was started.
    pub boots: u32,
    /// Whether it runs.
    pub on: bool,
}

/// A simulated Linux host.
pub struct VirtualHost {
    /// What it has.
    pub state: Mutex<State>,
    /// What can go wrong with it.
    pub knobs: Arc<KnobBoard>,
    /// What was asked of it.
    pub log: Arc<Log>,
    /// What its kind does.
    pub works: Arc<dyn Works>,
    /// Its SSH host key.
    pub key: Mutex<PrivateKey>,
    /// Whether it runs, and since which start.
    pub life: watch::Sender<Life>,
}

impl VirtualHost {
    /// A new device.
    pub fn new(log: Log, knobs: Arc<KnobBoard>, works: Arc<dyn Works>) -> Self {
        let state = Mutex::new(works.factory());
        let life = watch::Sender::new(Life { boots: 1, on: true });
        let key = Mutex::new(ssh::new_host_key());
        Self { state, knobs, log: Arc::new(log), works, key, life }
    }

    /// Whether it runs, and since which start.
    pub fn life(&self) -> Life {
        *self.life.borrow()
    }

    /// Takes from it everything that was put on it. Login and host key stay.
    pub fn wipe(&self) {
        self.works.wipe();
        *held(&self.state) = self.works.factory();
    }

    /// Answers a question asked by a user.
    pub fn answer(&self, ask: &Ask, user: &str) -> Answer {
        self.log.note(Channel::Ssh, Deed::Read, ask_words(ask));
        if let Ask::Get { url } = ask {
            return match self.works.page("GET", url, &[]) {
                Ok(page) => Answer::Page(page),
                Err(reason) => Answer::Unread(reason),
            };
        }
        let state = held(&self.state);
        if let Ask::File { path } | Ask::Content { path } = ask
            && user != "root"
            && state.files.get(path).is_some_and(|entry| !entry.readable_by(user))
        {
            return Answer::Unread(format!("{path}: Permission denied"));
        }
        self.look_up(&state, ask)
    }

    fn look_up(&self, state: &State, ask: &Ask) -> Answer {
        match ask {
            Ask::Facts => Answer::Facts(facts(state)),
            Ask::File { path } => Answer::File(state.files.get(path).map(super::files::FileEntry::facts)),
            Ask::Content { path } => {
                Answer::Content(state.files.bytes(path).map(|bytes| Secret::new(bytes, path.clone())))
            }
            Ask::Files { directory } => Answer::Names(state.files.below(directory)),
            Ask::Package { name } => Answer::Version(state.packages.get(name).cloned()),
            Ask::Service { name, watch } => Answer::Service(state.service_facts(name, watch)),
            Ask::User { name } => Answer::User(state.accounts.get(name).map(|account| UserFacts {
                uid: account.uid,
                home: account.home.clone(),
                shell: account.shell.clone(),
                groups: account.groups.clone(),
            })),
            Ask::Listening => {
                let mut names = vec!["0.0.0.0:22".to_owned()];
                names.extend(self.works.listening(state));
                Answer::Names(names)
            }
            Ask::Firewall { table } => Answer::Content(
                state.firewall.get(table).map(|rules| Secret::new(rules.as_bytes(), table.clone())),
            ),
            Ask::Ruleset => {
                let rules: String = state.firewall.values().map(String::as_str).collect();
                Answer::Content(Some(Secret::new(rules, "ruleset")))
            }
            Ask::Get { .. } => Answer::Unread("asked of the wrong part of the simulation".to_owned()),
        }
    }

    /// Carries out an order given by a user. Only root may change anything.
    pub async fn carry_out(&self, order: &Order, user: &str) -> Ruling {
        self.log.note(Channel::Ssh, Deed::Write, order_words(order));
        if user != "root" {
            return Ruling::Failed("Permission denied".to_owned());
        }
        if self.knobs.order_fails() {
            return Ruling::Failed("simulated failure".to_owned());
        }
        if self.knobs.now().forget {
            return Ruling::Done(Done::default());
        }
        match self.obey(order).await {
            Ok(output) => Ruling::Done(Done { output }),
            Err(reason) => Ruling::Failed(reason),
        }
    }

    async fn obey(&self, order: &Order) -> Result<String, String> {
        match order {
            Order::Service { name, act, watch } => self.serve(name, *act, watch).await?,
            Order::Run { argv, .. } | Order::Trial { argv, .. } => return self.run(argv).await,
            Order::Send { method, url, body } => return self.send(method, url, body.reveal()),
            Order::Install { package } => self.works.install(&mut held(&self.state), package)?,
            other => change_files(&mut held(&self.state), other)?,
        }
        Ok(String::new())
    }

    /// Makes a service act.
    ///
    /// # Errors
    /// When there is none or it refuses.
    pub async fn serve(&self, name: &str, act: ServiceAct, watch: &[String]) -> Result<(), String> {
        let mut after = held(&self.state).clone();
        after.act(name, act, watch)?;
        let ended = self.works.service(self, name, act).await;
        if ended.is_ok() {
            held(&self.state).services = after.services;
        } else if act == ServiceAct::Restart {
            // It was stopped before it could not be started.
            held(&self.state).services.entry(name.to_owned()).or_default().running = false;
        }
        ended
    }

    async fn run(&self, argv: &[String]) -> Result<String, String> {
        if let Some(ended) = self.works.run(self, argv).await {
            return ended;
        }
        let ended = super::shell::command(self, argv, "root");
        match ended.status {
            0 => Ok(String::from_utf8_lossy(&ended.stdout).into_owned()),
            status => Err(format!("status {status}: {}", ended.stderr.trim())),
        }
    }

    fn send(&self, method: &str, url: &str, body: &[u8]) -> Result<String, String> {
        let page = self.works.page(method, url, body)?;
        let envelope: serde_json::Value = serde_json::from_slice(page.body.reveal()).unwrap_or_default();
        let refused = matches!(envelope["status"].as_str(), Some("fail" | "error"));
        if (200..300).contains(&page.status) && !refused {
            return Ok(String::new());
        }
        let error = envelope["error"].as_str().unwrap_or("no reason given");
        Err(format!("{method} {url}: {} {error}", page.status))
    }
}

fn facts(state: &State) -> BTreeMap<String, String> {
    // A device has a clock of its own.
    let clock = jiff::Timestamp::now().as_second();
    let mut facts = state.facts.clone();
    facts.insert("clock".to_owned(), clock.to_string());
    facts
}

fn octal(mode: &str) -> Result<u32, String> {
    u32::from_str_radix(mode, 8).map_err(|_| format!("chmod: invalid mode: {mode}"))
}

/// Both names must be known to the device, as `chown` demands.
fn known(state: &State, owner: &str, group: &str) -> Result<(), String> {
    if !state.accounts.contains_key(owner) {
        return Err(format!("chown: unknown user {owner}"));
    }
    match state.accounts.values().any(|account| account.groups.iter().any(|name| name == group)) {
        true => Ok(()),
        false => Err(format!("chown: unknown group {group}")),
    }
}

fn change_files(state: &mut State, order: &Order) -> Result<(), String> {
    match order {
        Order::Put { path, content, mode, owner, group } => {
            known(state, owner, group)?;
            state.files.put(path, content.reveal().to_vec(), octal(mode)?, owner, group)
        }
        Order::Own { path, mode, owner, group } => {
            known(state, owner, group)?;
            state.files.own(path, octal(mode)?, owner, group)
        }
        Order::Directory { path, mode, owner, group } => {
            known(state, owner, group)?;
            state.files.directory(path, octal(mode)?, owner, group)
        }
        Order::Remove { path } => state.files.remove(path).map(|_| ()),
        Order::User { name, home } => {
            let uid = state.accounts.values().map(|account| account.uid).filter(|uid| *uid < 1000).max();
            let account = Account::system(uid.unwrap_or(100) + 1, name, home);
            state.accounts.entry(name.clone()).or_insert(account);
            Ok(())
        }
        _ => Err("not an order about files".to_owned()),
    }
}

fn ask_words(ask: &Ask) -> String {
    match ask {
        Ask::Facts => "facts".to_owned(),
        Ask::File { path } => format!("file {path}"),
        Ask::Content { path } => format!("content {path}"),
        Ask::Files { directory } => format!("files {directory}"),
        Ask::Package { name } => format!("package {name}"),
        Ask::Service { name, .. } => format!("service {name}"),
        Ask::User { name } => format!("user {name}"),
        Ask::Get { url } => format!("GET {}", without_query(url)),
        Ask::Listening => "listening".to_owned(),
        Ask::Firewall { table } => format!("firewall {table}"),
        Ask::Ruleset => "ruleset".to_owned(),
    }
}

fn order_words(order: &Order) -> String {
    match order {
        Order::Put { path, .. } => format!("put {path}"),
        Order::Own { path, .. } => format!("own {path}"),
        Order::Directory { path, .. } => format!("directory {path}"),
        Order::Remove { path } => format!("remove {path}"),
        Order::Install { package } => format!("install {package}"),
        Order::Service { name, act, .. } => format!("{act:?} {name}").to_lowercase(),
        Order::User { name, .. } => format!("user {name}"),
        Order::Trial { argv, .. } => format!("trial {}", argv.first().map_or("", String::as_str)),
        Order::Run { argv, .. } => format!("run {}", argv.first().map_or("", String::as_str)),
        Order::Send { method, url, .. } => format!("{method} {}", without_query(url)),
    }
}

/// A URL without its query, which may hold a token or a password.
pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(path, _)| path)
}
