//! The first contact: where it answers, whether it is new, and whose certificate it shows.

use std::time::Duration;

use tokio::time::Instant;

use super::{Bringing, Doing, Stopped};
use crate::inventory::Gateway;
use crate::providers::conduit::bootstrap::{self, Commissioning, Dialogue, Expected};
use crate::transport::known_certificates::KnownCertificates;
use crate::transport::known_hosts::KnownHosts;
use crate::transport::neighbour;
use crate::transport::web::{WebFault, WebSession, WebWay};

/// The longest a unit is waited for before it ever answered: it may be on its way up.
const FIRST_ANSWER: Duration = Duration::from_secs(180);
/// Between two looks at a unit that does not answer: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(3)];

/// A unit that answers.
pub(super) struct Contact {
    pub(super) way: WebWay,
    pub(super) session: WebSession,
    pub(super) commissioning: Commissioning,
}

/// Pauses that grow.
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSES[0])
    }
}

impl Pauses {
    pub(super) async fn next(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 3 / 2).min(PAUSES[1]);
    }
}

/// The ways to try, in order: as told, else where it stands while new if the inventory says so, its own address,
/// and the factory's.
pub(super) fn ways(gateway: &Gateway, told: Option<&(String, Option<u16>)>) -> Vec<WebWay> {
    let port = gateway.https_port.unwrap_or(443);
    let way = |address: &str, port: u16| {
        let interface = gateway.interface_to(address).map(str::to_owned);
        WebWay { address: address.to_owned(), port, interface }
    };
    if let Some((address, told)) = told {
        return vec![way(address, told.unwrap_or(port))];
    }
    let mut addresses = [gateway.address.as_str(), gateway.new_address()];
    if gateway.bootstrap.is_some() {
        addresses.reverse();
    }
    let mut ways: Vec<WebWay> = addresses.iter().map(|address| way(address, port)).collect();
    ways.dedup();
    ways
}

impl Bringing {
    /// Waits until it answers. Once it did, it is looked for there only.
    pub(super) async fn reach(&self, known: &mut Option<WebWay>) -> Result<Contact, Stopped> {
        let ways = known.clone().map_or_else(|| self.ways.clone(), |way| vec![way]);
        let patience = match known {
            Some(_) => self.order.patience,
            None => self.order.patience.min(FIRST_ANSWER),
        };
        let deadline = Instant::now() + patience;
        let mut pauses = Pauses::default();
        loop {
            let mut faults = Vec::new();
            for way in &ways {
                match self.look(way).await {
                    Ok(contact) => {
                        *known = Some(contact.way.clone());
                        return Ok(contact);
                    }
                    Err(fault) if fault.is_silence() => faults.push(fault.to_string()),
                    Err(fault) => return Err(fault).doing("reaching it"),
                }
            }
            let faults = faults.join("; ");
            if Instant::now() >= deadline {
                let words = format!("it does not answer: {faults}");
                let hint = "check cable and power; `--at ADDRESS` says where it is";
                return Err(Stopped::fault(words).hint(hint));
            }
            self.waits(format!("waiting for it: {faults}"));
            pauses.next().await;
        }
    }

    async fn look(&self, way: &WebWay) -> Result<Contact, WebFault> {
        let session = WebSession::new(way, None, &self.pace)?.within(self.order.patience);
        let commissioning = bootstrap::look(session.reading()).await?;
        Ok(Contact { way: way.clone(), session, commissioning })
    }

    /// Makes the first user. A unit in its box has made itself new keys: what was pinned for it is another's.
    pub(super) async fn make_user(
        &self,
        contact: &Contact,
        dialogue: Dialogue,
        expected: &mut Expected,
    ) -> Result<(), Stopped> {
        let (wire, way) = (
            neighbour::hardware_address(&contact.way.address, contact.way.interface.as_deref()),
            &contact.way,
        );
        let seen = wire.as_ref().map(|mac| mac.digits().to_owned());
        self.prove_on_the_wire(seen, way, expected)?;
        // Most firmwares say nothing more before there is a user. One that does is held to it right away.
        match bootstrap::identify(contact.session.reading()).await {
            Ok(identity) => self.prove(&identity, expected, false).await?,
            Err(_) if wire.is_some() && expected.mac.is_some() || self.order.replacement => {}
            Err(_) => self.take_unproven(wire.map(|mac| mac.to_string()), expected).await?,
        }
        self.pin_certificate(contact).await?;
        self.forget_host_key(contact).await?;
        bootstrap::commission(contact.session.writing(), dialogue, &self.user, &self.password)
            .await
            .map_err(|fault| match fault {
                WebFault::Own(words) => {
                    Stopped::fault(words).hint(format!("give it another: rocade secrets set {}", self.secret))
                }
                fault => Stopped::fault(format!("making its first user: {fault}"))
                    .hint("nothing has to be undone: run it again"),
            })?;
        self.say(format!("made its first user, {}", self.user));
        Ok(())
    }

    /// A unit in its box that nothing tells from another gets our user before its serial number can be held
    /// against the inventory: somebody has to want that.
    async fn take_unproven(&self, wire: Option<String>, expected: &Expected) -> Result<(), Stopped> {
        let lacks = match (&wire, &expected.mac) {
            (Some(wire), _) => format!("its hardware address is {wire}, and the inventory has no `mac`"),
            (None, Some(_)) => "its hardware address cannot be seen from here".to_owned(),
            (None, None) => {
                "the inventory has no `mac`, and its hardware address cannot be seen from here".to_owned()
            }
        };
        let words = format!("it says who it is only once it has our user: {lacks}");
        if !self.asks(format!("{words}. Make our user on it?")).await {
            let hint =
                "write the `mac` of its label into the inventory and connect it directly, or say --yes";
            return Err(Stopped::guard(format!("{words}; nobody agreed, nothing was sent to it")).hint(hint));
        }
        self.say(words);
        Ok(())
    }

    async fn pin_certificate(&self, contact: &Contact) -> Result<(), Stopped> {
        let Some(shown) = contact.session.fingerprint() else {
            return Err(Stopped::fault("it shows no certificate"));
        };
        let _one_at_a_time = self.files.lock().await;
        let mut known = KnownCertificates::read(&self.workspace.known_certificates())?;
        if known.pinned(&self.target.name) != Some(shown.as_str()) {
            known.pin(&self.target.name, &shown)?;
            self.say(format!("its certificate {shown} is pinned"));
        }
        Ok(())
    }

    async fn forget_host_key(&self, contact: &Contact) -> Result<(), Stopped> {
        let route = self.route(&contact.way)?;
        let _one_at_a_time = self.files.lock().await;
        let mut known = KnownHosts::read(&self.workspace.root().join("inventory/known_hosts"))?;
        Ok(known.forget(route.pin_host(), route.port)?)
    }

    /// Holds a unit that has a user to its pinned certificate, before any password is sent. That of a new one was
    /// pinned before its user was made.
    pub(super) async fn trust_certificate(&self, contact: &Contact) -> Result<(), Stopped> {
        let shown = contact.session.fingerprint().unwrap_or_default();
        let known = KnownCertificates::read(&self.workspace.known_certificates())?;
        match known.pinned(&self.target.name) {
            Some(pinned) if pinned == shown => Ok(()),
            Some(pinned) => {
                let name = &self.target.name;
                let words = format!(
                    "the certificate of {} has changed and it is not new: it shows {shown}, pinned is {pinned}",
                    contact.way.whom()
                );
                Err(Stopped::guard(words).hint(format!(
                    "no password was sent; compare it at the device, then remove the line of {name} from \
                     inventory/known_certificates"
                )))
            }
            None => {
                let question =
                    format!("{} shows certificate {shown}. Is it this gateway's own?", contact.way.whom());
                if !self.asks(question).await {
                    let words =
                        format!("the certificate of {} is not known: it shows {shown}", contact.way.whom());
                    let hint = "no password was sent; compare it at the device, then say --yes, or write it to \
                                inventory/known_certificates";
                    return Err(Stopped::guard(words).hint(hint));
                }
                self.pin_certificate(contact).await
            }
        }
    }
}
