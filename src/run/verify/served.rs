//! Proves after an apply, by a handshake, that a broker shows the certificate it was just given. A broker that
//! cannot be reached from here (a firewall, a forward that holds outside only) proves nothing against it: that is
//! `rocade verify`'s to find.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Subject, subject};
use crate::inventory::{At, Broker};
use crate::model::{Address, Outcome, Plan, Target};
use crate::providers::mosquitto::changes_shown;
use crate::run::workspace::Workspace;
use crate::transport::tls::TlsFault;

/// The time one handshake is given.
const STEP: Duration = Duration::from_secs(3);
/// How often, a second apart, a broker is asked before it is taken at its word: a reload takes a moment.
const TIMES: u32 = 3;

/// The changes that were confirmed and yet are not what the broker shows, with the reason.
pub(in crate::run) async fn not_shown(
    workspace: &Arc<Workspace>,
    plan: &Plan,
    steps: &BTreeMap<Address, Outcome>,
) -> Vec<(Address, Outcome)> {
    let mut given: BTreeMap<&Target, &Address> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| changes_shown(change)) {
        if steps.get(&change.address) == Some(&Outcome::Done) {
            given.insert(&change.address.target, &change.address);
        }
    }
    let mut tasks = JoinSet::new();
    for (target, address) in given {
        let Some(broker) = workspace.inventory().brokers.get(&target.name).filter(|one| one.root.is_none())
        else {
            continue;
        };
        // What is not there yet was not given either; its own change says why.
        let Ok(subject) = of(workspace, target, broker) else { continue };
        let address = address.clone();
        tasks.spawn(async move { (address, subject.shows_another().await) });
    }
    let mut found = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        if let Ok((address, Some(why))) = ended {
            found.push((address, Outcome::Failed(why)));
        }
    }
    found
}

fn of(workspace: &Workspace, target: &Target, broker: &At<Broker>) -> Result<Subject, String> {
    subject(workspace, target.clone(), &target.name, broker, Vec::new())
}

impl Subject {
    /// What it shows instead of its certificate, when it can be reached and does so to the end.
    async fn shows_another(&self) -> Option<String> {
        for port in std::iter::once(self.port).chain(self.certificates) {
            let mut left = TIMES;
            while let Some(why) = self.other_on(port).await {
                left -= 1;
                if left == 0 {
                    return Some(format!("it was put in place, but on port {port}: {why}"));
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        None
    }

    async fn other_on(&self, port: u16) -> Option<String> {
        use TlsFault::{Refused, TimedOut, Unreachable};
        match self.shown(port, STEP).await {
            Ok(shown) => shown.err(),
            Err(Unreachable { .. } | Refused { .. } | TimedOut { .. }) => None,
            Err(fault) => Some(fault.to_string()),
        }
    }
}
