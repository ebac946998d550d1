//! What a gateway's web side tells while its SSH does not let us in: whether it is new. Nothing is sent that a
//! passer-by could not send: no login, no password.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::workspace::Workspace;
use crate::compose::Composed;
use crate::providers::Reach;
use crate::providers::conduit::bootstrap::{self, Commissioning};
use crate::transport::ssh::SshFault;
use crate::transport::web::{Pace, WebSession, WebWay};

/// The time it is given: a plan does not wait for those who are not there.
const LOOK: Duration = Duration::from_secs(4);

/// A clause to add to the reason why a target is not reached; `None` when there is nothing to say.
pub(super) async fn look(workspace: &Workspace, one: &Composed, fault: &anyhow::Error) -> Option<String> {
    let name = &one.wish.target.name;
    let gateway = workspace.inventory().gateways.get(name).filter(|_| one.wish.target.kind == "gateway")?;
    let Reach::Host { address, interface, .. } = &one.site.reach else { return None };
    let fault = fault.chain().find_map(|cause| cause.downcast_ref::<SshFault>())?;
    let asks = match fault {
        SshFault::Unreachable { .. } | SshFault::TimedOut { .. } => gateway.bootstrap.is_some(),
        SshFault::Refused { .. } | SshFault::Closed { .. } => true,
        SshFault::HostKeyChanged { .. } | SshFault::HostKeyUnknown { .. } => true,
        _ => false,
    };
    let port = gateway.https_port.unwrap_or(443);
    let own = WebWay { address: address.clone(), port, interface: interface.clone() };
    let new_address = gateway.new_address();
    let new = WebWay {
        address: new_address.to_owned(),
        port,
        interface: gateway.interface_to(new_address).map(str::to_owned),
    };
    let mut ways = vec![own, new];
    ways.truncate(if gateway.bootstrap.is_some() { 2 } else { 1 });
    ways.dedup();
    for way in ways.iter().filter(|_| asks) {
        let Ok(session) = WebSession::new(way, None, &Arc::new(Pace::default())) else { continue };
        let Ok(Ok(commissioning)) = timeout(LOOK, bootstrap::look(session.reading())).await else { continue };
        return clause(&commissioning, fault, &way.whom(), name);
    }
    None
}

fn clause(commissioning: &Commissioning, fault: &SshFault, whom: &str, name: &str) -> Option<String> {
    match commissioning {
        Commissioning::Open(_) => Some(format!(
            "; it is in its factory state (commissioning is open at {whom}): rocade redeploy {name}"
        )),
        Commissioning::Finished if matches!(fault, SshFault::Refused { .. }) => Some(format!(
            "; it is commissioned (its web side answers at {whom}), SSH is off: rocade redeploy {name}"
        )),
        Commissioning::Finished | Commissioning::Unclear(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::conduit::bootstrap::Dialogue;

    #[test]
    fn a_new_unit_and_one_without_ssh_are_told_apart() {
        let refused = SshFault::Refused { whom: "192.168.2.1:22".into() };
        let say = |commissioning| clause(&commissioning, &refused, "192.168.2.1:443", "pool-gw");
        assert!(say(Commissioning::Open(Dialogue::Steps)).unwrap().contains("factory state"));
        assert!(say(Commissioning::Finished).unwrap().contains("SSH is off"));
        assert_eq!(say(Commissioning::Unclear("?".into())), None);
    }
}
