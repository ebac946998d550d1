//! A gateway from its box, or from any state, to where the inventory's plan can be carried out over SSH.
//!
//! Nothing is kept of how far it came: every step looks at the device first, so a run that was cut anywhere is
//! run again. The steps: reach it, prove who it is, make its user, accept its firmware, turn SSH on, pin its key.

mod contact;
mod firmware;
mod heard;
mod identity;
mod shell;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

pub use self::heard::{Settled, Silent, settle};
use super::watch::{Event, Watch};
use super::workspace::Workspace;
use crate::inventory::{At, Gateway};
use crate::model::{Secret, Target};
use crate::plan::Scope;
use crate::providers::conduit::bootstrap::{self, Commissioning, Expected, Identity, State};
use crate::providers::{Reach, Site};
use crate::transport::ssh::Route;
use crate::transport::web::{Pace, WebFault, WebWay};

/// How often a unit is looked at anew after a step that changes its state, before it is given up.
const ROUNDS_MAX: usize = 6;

/// What the person asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where it is reached, instead of where the inventory says: address, and port of its web side.
    pub at: Option<(String, Option<u16>)>,
    /// Another unit takes the place of the one the inventory names.
    pub replacement: bool,
    /// A firmware that is not accepted is replaced.
    pub upgrade: bool,
    /// How long it is waited for, when it is to answer and after a restart.
    pub patience: Duration,
}

/// One who can be asked.
pub trait Person: Send + Sync {
    /// Whether the person agrees. Nobody there is a no.
    fn agrees(&self, question: &str) -> bool;
}

/// A gateway that the plan can be carried out on.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The gateway.
    pub target: Target,
    /// The address it is reached at.
    pub address: String,
    /// The interface it is behind, if one is named.
    pub interface: Option<String>,
    /// What it was found as.
    pub state: State,
}

/// Why a gateway was not brought further.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// What is in the way.
    pub words: String,
    /// What to do.
    pub hint: Option<String>,
    /// A guard stands in the way, not a fault.
    pub guarded: bool,
}

impl Stopped {
    fn fault(words: impl Into<String>) -> Self {
        Self { words: words.into(), hint: None, guarded: false }
    }

    fn guard(words: impl Into<String>) -> Self {
        Self { words: words.into(), hint: None, guarded: true }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<anyhow::Error> for Stopped {
    fn from(fault: anyhow::Error) -> Self {
        Self::fault(format!("{fault:#}"))
    }
}

/// While doing what a fault came up.
trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, Stopped>;
}

impl<T> Doing<T> for Result<T, WebFault> {
    fn doing(self, what: &str) -> Result<T, Stopped> {
        let hint = "nothing has to be undone: run it again";
        self.map_err(|fault| Stopped::fault(format!("{what}: {fault}")).hint(hint))
    }
}

/// Brings gateways to where they can be reached over SSH, all at once. Each ends for itself.
pub async fn bring_up(
    workspace: &Arc<Workspace>,
    names: &[String],
    order: &Order,
    person: &Arc<dyn Person>,
    watch: &Arc<dyn Watch>,
) -> Vec<(Target, Result<Ready, Stopped>)> {
    let mut ends: Vec<(Target, Result<Ready, Stopped>)> = Vec::new();
    let mut units = Vec::new();
    let files = Arc::new(Mutex::new(()));
    for name in names {
        let target = Target::new("gateway", name.as_str());
        match Bringing::of(workspace, &target, order, person, watch, &files) {
            Ok(unit) => units.push(unit),
            Err(stopped) => ends.push((target, Err(stopped))),
        }
    }
    let mut tasks = JoinSet::new();
    for unit in apart(units, &mut ends) {
        tasks.spawn(async move { (unit.target.clone(), unit.bring().await) });
    }
    while let Some(ended) = tasks.join_next().await {
        ends.push(ended.unwrap_or_else(|_| {
            let stopped = Stopped::fault("rocade failed at it; please report this");
            (Target::new("gateway", "one of them"), Err(stopped))
        }));
    }
    ends
}

/// Takes from each the ways that another has too: who answers there may be either. One that has no other way
/// ends here.
fn apart(units: Vec<Bringing>, ends: &mut Vec<(Target, Result<Ready, Stopped>)>) -> Vec<Bringing> {
    let all: Vec<(String, WebWay)> = units
        .iter()
        .flat_map(|unit| unit.ways.iter().map(|way| (unit.target.name.clone(), way.clone())))
        .collect();
    let mut left = Vec::new();
    for mut unit in units {
        let mut shared = None;
        unit.ways.retain(|way| {
            let other = all.iter().find(|(name, other)| other == way && *name != unit.target.name);
            shared = other.or(shared.take());
            other.is_none()
        });
        match shared {
            Some((other, way)) if unit.ways.is_empty() => {
                let words = format!("{other} is at {} too: either may answer there", way.whom());
                let hint =
                    "one at a time, or name the interface each is behind: `bootstrap: {interface: eth1}`";
                ends.push((unit.target.clone(), Err(Stopped::guard(words).hint(hint))));
            }
            _ => left.push(unit),
        }
    }
    left
}

/// One gateway on its way.
struct Bringing {
    workspace: Arc<Workspace>,
    target: Target,
    site: Site,
    order: Order,
    person: Arc<dyn Person>,
    watch: Arc<dyn Watch>,
    pace: Arc<Pace>,
    /// Where it is looked for, in order.
    ways: Vec<WebWay>,
    /// Held while a file of the inventory changes: several gateways may be under way.
    files: Arc<Mutex<()>>,
    user: String,
    password: Secret,
    /// The password's path among the secrets.
    secret: String,
}

impl Bringing {
    fn of(
        workspace: &Arc<Workspace>,
        target: &Target,
        order: &Order,
        person: &Arc<dyn Person>,
        watch: &Arc<dyn Watch>,
        files: &Arc<Mutex<()>>,
    ) -> Result<Self, Stopped> {
        let name = &target.name;
        let scope = Scope { names: vec![format!("gateway/{name}")], ..Scope::default() };
        let sites = workspace.sites(&scope).map_err(|refused| Stopped::fault(refused.to_string()))?;
        let site = sites.into_iter().map(|(site, _)| site).find(|site| site.target == *target);
        let site = site.ok_or_else(|| Stopped::fault(format!("the inventory has no gateway `{name}`")))?;
        let Reach::Host { ssh, .. } = &site.reach else {
            return Err(Stopped::fault(format!("{name} is not reached over SSH")));
        };
        let Some(named) = &ssh.password else {
            let words = format!("{name} has no password in the inventory: its first user cannot be made");
            return Err(
                Stopped::fault(words).hint(format!("`ssh: {{password: {{secret: gateways/{name}/admin}}}}`"))
            );
        };
        let password = workspace.store().get(&named.secret)?;
        let (secret, user) = (named.secret.clone(), ssh.user.clone());
        let gateway = workspace.inventory().gateways.get(name);
        let ways = gateway.map(|gateway| contact::ways(gateway, order.at.as_ref())).unwrap_or_default();
        Ok(Self {
            ways,
            workspace: Arc::clone(workspace),
            target: target.clone(),
            site,
            order: order.clone(),
            person: Arc::clone(person),
            watch: Arc::clone(watch),
            pace: Arc::new(Pace::default()),
            files: Arc::clone(files),
            user: user.unwrap_or_else(|| "admin".to_owned()),
            password,
            secret,
        })
    }

    fn gateway(&self) -> Result<&At<Gateway>, Stopped> {
        let gateway = self.workspace.inventory().gateways.get(&self.target.name);
        gateway.ok_or_else(|| Stopped::fault("it left the inventory"))
    }

    fn say(&self, words: impl Into<String>) {
        self.watch.event(Event::Said(self.target.clone(), words.into()));
    }

    fn waits(&self, words: impl Into<String>) {
        self.watch.event(Event::Waiting(self.target.clone(), words.into()));
    }

    /// Asks the person, beside the runtime: Ctrl-C is heard meanwhile.
    async fn asks(&self, question: String) -> bool {
        let (person, name) = (Arc::clone(&self.person), self.target.name.clone());
        let asked = tokio::task::spawn_blocking(move || person.agrees(&format!("{name}: {question}")));
        asked.await.unwrap_or(false)
    }

    /// The way over SSH to where its web side answered.
    fn route(&self, way: &WebWay) -> Result<Route, Stopped> {
        let site = self.site.clone().detour(&way.address, way.interface.as_deref());
        let route = self.workspace.route(&self.target.name, &site.reach)?;
        route.ok_or_else(|| Stopped::fault("it is not reached over SSH"))
    }

    async fn bring(&self) -> Result<Ready, Stopped> {
        let mut expected = Expected::of(self.gateway()?);
        let mut way = None;
        let mut found = None;
        let (mut upgraded, mut looked_again) = (false, false);
        for _ in 0..ROUNDS_MAX {
            let contact = self.reach(&mut way).await?;
            match &contact.commissioning {
                Commissioning::Unclear(words) => {
                    let hint = "is it a Conduit with mPower 5.3 or later?";
                    return Err(
                        Stopped::fault(format!("it does not say whether it is new: {words}")).hint(hint)
                    );
                }
                Commissioning::Open(dialogue) => {
                    self.say(format!("{} at {}", State::Factory(*dialogue), contact.way.whom()));
                    found.get_or_insert(State::Factory(*dialogue));
                    self.make_user(&contact, *dialogue, &mut expected).await?;
                    continue;
                }
                Commissioning::Finished => {}
            }
            self.trust_certificate(&contact).await?;
            self.log_in(&contact).await?;
            let fresh = matches!(found, Some(State::Factory(_)));
            let mut identity = self.identify(&contact, &mut expected, fresh).await?;
            if let Some(wrong) = expected.wrong_firmware(&identity) {
                self.upgrade(&contact, &identity, wrong, upgraded).await?;
                upgraded = true;
                continue;
            }
            let access =
                bootstrap::ssh_access(contact.session.reading()).await.doing("reading its SSH settings")?;
            let state = State::ours(&identity, access.is_on());
            if found.is_none() {
                self.say(format!("{}, {state}", identity.title));
            }
            if let Some(stopped) = self.open_shell(&contact, &mut identity, &access).await? {
                match std::mem::replace(&mut looked_again, true) {
                    false => continue,
                    true => return Err(stopped),
                }
            }
            contact.session.log_out().await;
            let state = found.unwrap_or(state);
            let WebWay { address, interface, .. } = contact.way;
            return Ok(Ready { target: self.target.clone(), address, interface, state });
        }
        Err(Stopped::fault("its state does not come to rest: each step is done, and it is as before"))
    }

    async fn log_in(&self, contact: &contact::Contact) -> Result<(), Stopped> {
        let secret = &self.secret;
        match contact.session.log_in(&self.user, &self.password).await {
            Ok(()) => Ok(()),
            Err(fault) if matches!(fault.status(), Some(401 | 403)) => {
                let words = fault.words().unwrap_or_default().to_owned();
                let locked = words.contains(" 0 attempts") || words.to_lowercase().contains("lock");
                let stopped = Stopped::fault(State::CommissionedByOthers { words }.to_string());
                let hint = if locked {
                    format!(
                        "it takes no login for 300 s now; then correct the secret {secret}, or reset it (30 s)"
                    )
                } else {
                    format!(
                        "it was tried once as `{}` with the secret {secret} and is not tried again: three failures \
                         lock its web side for 300 s; correct the secret, or hold its reset button for 30 s",
                        self.user
                    )
                };
                Err(stopped.hint(hint))
            }
            Err(fault) => Err(fault).doing("logging in"),
        }
    }
}
