//! One run: wish, look, plan, apply. The hands are laid on a simulated device.

use rocade::host::{Become, HostLimits, LinuxHost};
use rocade::inventory::{self, Inventory};
use rocade::lab::{Deed, Device, DevicePlan, Lab, LabPlan};
use rocade::model::{Action, Address, Outcome, Plan, Report, Secret, Target, Wish};
use rocade::plan::{self, Pair};
use rocade::providers::{Job, Provider};
use rocade::transport::known_hosts::KnownHosts;
use rocade::transport::ssh::{AgentUse, Limits, Route, Session};
use rocade::transport::{Hosting, Reading, Writing};

use super::shelf::Shelf;

/// The inventory written in a text.
pub fn inventory(text: &str) -> Inventory {
    match inventory::parse([("inventory/test.yaml", text)]) {
        Ok(loaded) => loaded.inventory,
        Err(report) => panic!("{:?}", report),
    }
}

pub fn wish(provider: &dyn Provider, inventory: &Inventory, name: &str, shelf: &Shelf) -> Wish {
    match provider.desire(inventory, &Target::new(provider.kind(), name), shelf) {
        Ok(wish) => wish,
        Err(faults) => panic!("{faults:?}"),
    }
}

/// A running device of the lab, reached as every device is: over SSH, as its user, with sudo.
pub struct Bench {
    pub lab: Lab,
    pub host: LinuxHost<Session>,
}

impl Bench {
    pub async fn start(plan: DevicePlan) -> Self {
        let lab = Lab::start(LabPlan { devices: vec![plan], logs: None }).await.unwrap();
        let device = &lab.devices()[0];
        let folder = tempfile::tempdir().unwrap();
        let pins = folder.path().join("known_hosts");
        let line = format!("[127.0.0.1]:{} {}\n", device.plan.ssh_port, device.host_key);
        std::fs::write(&pins, line).unwrap();
        let password = Secret::new(device.plan.password.as_str(), "test");
        let route = Route {
            name: device.plan.name.clone(),
            address: "127.0.0.1".to_owned(),
            port: device.plan.ssh_port,
            user: device.plan.user.clone(),
            password: Some(password.clone()),
            identity_files: Vec::new(),
            agent: AgentUse::None,
            jumps: Vec::new(),
            pinned_as: None,
            interface: None,
        };
        let known = KnownHosts::read(&pins).unwrap();
        let session = Session::open(&route, &known, Limits::default()).await.unwrap();
        let sudo = Become { needed: true, password: Some(password) };
        let host = LinuxHost::new(session, sudo, None, HostLimits::default());
        Self { lab, host }
    }

    pub fn device(&self) -> &Device {
        &self.lab.devices()[0]
    }

    /// What was asked of the device to change it, since the log was cleared.
    pub fn did(&self) -> Vec<String> {
        let entries = self.device().log().entries().into_iter();
        entries.filter(|entry| entry.kind == Deed::Write).map(|entry| entry.what).collect()
    }

    pub fn text(&self, path: &str) -> String {
        self.device().with_state(|state| state.files.text(path)).unwrap_or_else(|| panic!("no {path}"))
    }

    pub fn put(&self, path: &str, text: &str, group: &str) {
        self.device()
            .with_state(|state| state.files.put(path, text.into(), 0o640, "root", group))
            .unwrap_or_else(|reason| panic!("{path}: {reason}"));
    }
}

/// What is to be done now.
pub async fn plan(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Plan {
    let observed = provider.observe(wish, Reading::on(hands)).await;
    let suited = provider.suited(wish, &observed);
    let wish = suited.as_ref().unwrap_or(wish);
    plan::make(&[Pair { wish, observed: &observed, table: provider.collections() }])
}

/// Plans and applies; gives how each change ended.
pub async fn apply(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Vec<(String, Outcome)> {
    let observed = provider.observe(wish, Reading::on(hands)).await;
    let suited = provider.suited(wish, &observed);
    let wish = suited.as_ref().unwrap_or(wish);
    let plan = plan::make(&[Pair { wish, observed: &observed, table: provider.collections() }]);
    let mut ends = Ends::default();
    let job = Job { wish, observed: &observed, changes: &plan.changes, apply: "test" };
    provider.apply(job, Writing::on(hands), &mut ends).await;
    assert_eq!(ends.0.len(), plan.changes.len(), "every change is reported once");
    ends.0
}

/// Applies, demands that all went well and that nothing is left to do; gives the changes as lines.
pub async fn settle(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Vec<String> {
    let before = plan(provider, wish, hands).await;
    for (name, outcome) in apply(provider, wish, hands).await {
        assert_eq!(outcome, Outcome::Done, "{name}");
    }
    let after = plan(provider, wish, hands).await;
    assert_eq!(lines(&after), Vec::<String>::new(), "nothing is left to do");
    assert!(after.unread.is_empty(), "{:?}", after.unread);
    lines(&before)
}

/// A plan's changes, one a line.
pub fn lines(plan: &Plan) -> Vec<String> {
    let sign = |action| match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
        Action::Wake => '!',
    };
    plan.changes.iter().map(|change| format!("{} {}", sign(change.action), change.address.key)).collect()
}

#[derive(Default)]
struct Ends(Vec<(String, Outcome)>);

impl Report for Ends {
    fn step(&mut self, address: &Address, outcome: Outcome) {
        self.0.push((address.key.to_string(), outcome));
    }
}
