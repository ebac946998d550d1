//! Simulated devices that speak the real protocols on loopback: a Conduit, a Debian host with a broker.
//! Nothing but `cli` and tests imports this room; no device of it listens on an address others can reach.
//!
//! They are for trying rocade out and for testing it against what goes wrong. What is assumed about a real
//! device, and was never recorded, says so where it is assumed.

mod air;
mod broker;
mod conduit;
mod control;
mod debian;
mod dolibarr;
mod door;
mod exec;
mod files;
mod firewall;
mod gate;
mod heard;
mod kept;
mod knobs;
mod line;
mod log;
mod machine;
mod mqtt;
mod office;
mod relay;
mod sbc;
mod shell;
mod site;
mod ssh;
mod threecx;
mod tls;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use russh::keys::PublicKey;
use tokio::task::JoinSet;

pub use self::conduit::api::{Api, Reply};
pub use self::conduit::{Conduit, Firmware, Image, Restart, Uplink, firmware_image, serve_plain};
pub use self::control::{Intervention, ask};
use self::debian::Debian;
pub use self::dolibarr::Dolibarr;
use self::door::{Door, Lockout};
pub use self::files::{FileEntry, Files};
use self::gate::Gate;
pub use self::knobs::{ApiFault, KnobBoard, Knobs, RequestFault};
pub use self::log::{Channel, Deed, Entry, Log};
pub use self::machine::{Account, Service, State};
use self::machine::{VirtualHost, Works};
pub use self::site::{up, up_boxed};
use self::ssh::{Book, Login};
pub use self::threecx::{Licence, References, ThreeCx, ThreeCxPlan};

/// Locks; a panic elsewhere while it was held leaves what it guards usable.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kinds of simulated devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A MultiTech Conduit with mPower 6.0.1.
    Conduit,
    /// A Debian 12 host.
    Debian,
    /// A 3CX V20: an API over HTTP and no SSH.
    ThreeCx,
    /// A Dolibarr: an API over HTTP that is only read.
    Dolibarr,
}

/// A device to start.
#[derive(Clone, Debug)]
pub struct DevicePlan {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Who may log in, over SSH and in the web.
    pub user: String,
    /// The password, also sudo's.
    pub password: String,
    /// Public keys that may log in, as in `authorized_keys`.
    pub authorized_keys: Vec<String>,
    /// The port of its SSH server on 127.0.0.1; 0 for any free one.
    pub ssh_port: u16,
    /// The port of its HTTPS server, for a Conduit; 0 for any free one.
    pub https_port: u16,
    /// How long three failed logins lock out; a real Conduit takes 300 s.
    pub lockout: Duration,
    /// The serial number of a Conduit: its device id; MAC address and EUI follow from it.
    pub serial: u32,
    /// The firmware of a Conduit: 5.3.0, 6.0.1, 6.3.1, 7.1.0 or another of mPower 5 to 7.
    pub firmware: String,
    /// Whether a Conduit starts as in its box: no user (`user` and `password` are only what a lab is to make of
    /// it), SSH off. Otherwise somebody commissioned it and turned SSH on.
    pub boxed: bool,
    /// How long a restart of a Conduit takes; a real one takes 2 to 3 minutes.
    pub restart: Duration,
    /// What a 3CX is.
    pub threecx: ThreeCxPlan,
}

impl DevicePlan {
    fn new(name: &str, kind: Kind, user: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            user: user.to_owned(),
            password: format!("Lab0-{:016x}", rand::random::<u64>()),
            authorized_keys: Vec::new(),
            ssh_port: 0,
            https_port: 0,
            lockout: Duration::from_secs(300),
            serial: 20_412_345,
            firmware: "6.0.1".to_owned(),
            boxed: false,
            restart: Duration::from_millis(300),
            threecx: ThreeCxPlan::default(),
        }
    }

    /// A Conduit with user `admin`, as its first owner left it: commissioned, with SSH on.
    pub fn conduit(name: &str) -> Self {
        Self::new(name, Kind::Conduit, "admin")
    }

    /// A 3CX with the API client `rocade`.
    pub fn threecx(name: &str) -> Self {
        Self::new(name, Kind::ThreeCx, "rocade")
    }

    /// A Dolibarr; the password is the API key.
    pub fn dolibarr(name: &str) -> Self {
        Self::new(name, Kind::Dolibarr, "api")
    }

    /// A Debian host with user `debian`.
    pub fn debian(name: &str) -> Self {
        Self::new(name, Kind::Debian, "debian")
    }
}

/// The devices to start together.
#[derive(Clone, Debug, Default)]
pub struct LabPlan {
    /// The devices.
    pub devices: Vec<DevicePlan>,
    /// The folder for request logs, one `NAME.jsonl` a device; none are written when absent.
    pub logs: Option<PathBuf>,
}

/// A running device.
pub struct Device {
    /// What was asked for, with the ports it got.
    pub plan: DevicePlan,
    /// Its SSH host key when it was started, as `known_hosts` has it: type and base64.
    pub host_key: String,
    /// The fingerprint of that key, `SHA256:...`.
    pub fingerprint: String,
    host: Arc<VirtualHost>,
    conduit: Option<Arc<Conduit>>,
    threecx: Option<Arc<ThreeCx>>,
    dolibarr: Option<Arc<Dolibarr>>,
}

impl Device {
    /// The 3CX's own side; `None` for other devices.
    pub fn threecx(&self) -> Option<&ThreeCx> {
        self.threecx.as_deref()
    }

    /// The Dolibarr's own side; `None` for other devices.
    pub fn dolibarr(&self) -> Option<&Dolibarr> {
        self.dolibarr.as_deref()
    }

    /// Where the API of a Conduit, a 3CX or a Dolibarr answers.
    pub fn url(&self) -> String {
        let tls = self.plan.kind == Kind::Conduit || self.plan.threecx.tls;
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.plan.https_port)
    }

    /// What can be made to go wrong with it.
    pub fn knobs(&self) -> &KnobBoard {
        &self.host.knobs
    }

    /// What was asked of it.
    pub fn log(&self) -> &Log {
        &self.host.log
    }

    /// The Conduit's own side; `None` for other devices.
    pub fn conduit(&self) -> Option<&Conduit> {
        self.conduit.as_deref()
    }

    /// Its SSH host key now: a Conduit has another after a factory reset.
    pub fn host_key_now(&self) -> String {
        ssh::line_of(&held(&self.host.key))
    }

    /// How often it was started: 1 until its first restart.
    pub fn boots(&self) -> u32 {
        self.host.life().boots
    }

    /// Waits until it was started so often and runs.
    pub async fn until_boots(&self, boots: u32) {
        // The sender lives in the host, so the channel cannot be closed while this waits.
        let _ = self.host.life.subscribe().wait_for(|life| life.on && life.boots >= boots).await;
    }

    /// Takes everything from it that was put on it, without a restart: files, services and settings are those
    /// of a new device. User, password, SSH and host key stay. For a real reset see [`Conduit::press`].
    pub fn wipe(&self) {
        self.host.wipe();
        self.conduit().inspect(|conduit| conduit.with_api(|_| ()));
    }

    /// Looks at or changes what it has, as a person in front of it would.
    pub fn with_state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut held(&self.host.state))
    }
}

/// Running devices. They end when this is dropped.
pub struct Lab {
    devices: Vec<Device>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Lab {
    /// Starts devices.
    ///
    /// # Errors
    /// When a port is taken, a log cannot be written or a key is no key.
    pub async fn start(plan: LabPlan) -> anyhow::Result<Self> {
        let mut lab = Self { devices: Vec::new(), tasks: JoinSet::new() };
        for device in plan.devices {
            let name = device.name.clone();
            let path = plan.logs.as_ref().map(|folder| folder.join(format!("{name}.jsonl")));
            let log = Log::open(&name, path.as_deref()).with_context(|| format!("the log of {name}"))?;
            lab.boot(device, log).await.with_context(|| format!("starting {name}"))?;
        }
        Ok(lab)
    }

    async fn boot(&mut self, mut plan: DevicePlan, log: Log) -> anyhow::Result<()> {
        let keys = plan.authorized_keys.iter().map(|key| key.parse()).collect::<Result<Vec<_>, _>>();
        let keys = keys.context("an authorized key")?;
        let knobs = Arc::new(KnobBoard::default());
        match plan.kind {
            Kind::Conduit => return self.boot_conduit(plan, keys, knobs, log).await,
            Kind::Debian | Kind::ThreeCx | Kind::Dolibarr => {}
        }
        let host = Arc::new(VirtualHost::new(log, knobs, Arc::new(Debian::new(&plan.user))));
        if matches!(plan.kind, Kind::ThreeCx | Kind::Dolibarr) {
            let door = Door::open(plan.https_port).await.context("its HTTP port")?;
            plan.https_port = door.port();
            let (knobs, log) = (Arc::clone(&host.knobs), Arc::clone(&host.log));
            let (mut threecx, mut dolibarr) = (None, None);
            if plan.kind == Kind::ThreeCx {
                let device = threecx.insert(Arc::new(ThreeCx::new(plan.threecx.clone(), knobs, log)));
                self.tasks.spawn(Arc::clone(device).attend(door));
            } else {
                let device = dolibarr.insert(Arc::new(Dolibarr::new(plan.password.clone(), knobs, log)));
                self.tasks.spawn(Arc::clone(device).attend(door));
            }
            let (host_key, fingerprint) = (String::new(), String::new());
            self.devices.push(Device { plan, host_key, fingerprint, host, conduit: None, threecx, dolibarr });
            return Ok(());
        }
        let book = Book::One(plan.user.clone(), plan.password.clone());
        let login = Arc::new(Login::new(book, &plan.user, keys, Lockout::new(plan.lockout)));
        let door = Door::open(plan.ssh_port).await.context("its SSH port")?;
        plan.ssh_port = door.port();
        let served = Arc::clone(&host);
        self.tasks.spawn(async move {
            ssh::attend(served, login, door, &Gate::default()).await;
            Ok(())
        });
        self.settle(plan, host, None);
        Ok(())
    }

    async fn boot_conduit(
        &mut self,
        mut plan: DevicePlan,
        keys: Vec<PublicKey>,
        knobs: Arc<KnobBoard>,
        log: Log,
    ) -> anyhow::Result<()> {
        let (conduit, restarts) = Conduit::new(&plan, keys, Arc::clone(&knobs))?;
        let conduit = Arc::new(conduit);
        let works: Arc<dyn Works> = Arc::clone(&conduit) as Arc<dyn Works>;
        let host = Arc::new(VirtualHost::new(log, knobs, works));
        let https = Door::open(plan.https_port).await.context("its HTTPS port")?;
        let ssh = Door::open(plan.ssh_port).await.context("its SSH port")?;
        (plan.https_port, plan.ssh_port) = (https.port(), ssh.port());
        conduit.embody(&host, plan.ssh_port);
        let login = conduit.login();
        self.tasks.spawn(Arc::clone(&conduit).run(Arc::clone(&host), login, (https, ssh), restarts));
        self.settle(plan, host, Some(conduit));
        Ok(())
    }

    fn settle(&mut self, plan: DevicePlan, host: Arc<VirtualHost>, conduit: Option<Arc<Conduit>>) {
        let (host_key, fingerprint) = {
            let key = held(&host.key);
            (ssh::line_of(&key), ssh::fingerprint_of(&key))
        };
        self.devices.push(Device {
            plan,
            host_key,
            fingerprint,
            host,
            conduit,
            threecx: None,
            dolibarr: None,
        });
    }

    /// The devices, in the order of the plan.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// A device by its name.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.plan.name == name)
    }

    /// Lets the sensors of the sample site live: they join when the Conduits let them, and send.
    pub fn live(&mut self) {
        for conduit in self.devices.iter().filter_map(|device| device.conduit.clone()) {
            self.tasks.spawn(air::live(conduit));
        }
    }

    /// Lets the sensors of the sample site join and send once, as far as they are let in.
    pub fn send_uplinks(&self) {
        self.devices.iter().filter_map(Device::conduit).for_each(|conduit| {
            air::send(conduit);
        });
    }

    /// Waits as long as the devices run, which is until this future is dropped or one of them fails.
    ///
    /// # Errors
    /// Why one of them cannot go on.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a simulated device stopped")??;
        }
        Ok(())
    }

    /// Ends all devices.
    pub async fn stop(mut self) {
        self.devices.iter().for_each(|device| device.host.works.stop());
        self.tasks.shutdown().await;
    }
}
