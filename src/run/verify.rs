//! Proves by use that the chain works: what should be let through is, what should be refused is.
//!
//! A refusal is proven without waiting: after the refused publish was acknowledged, a permitted marker is
//! sent; when the marker arrives and the refused message has not, it never will.

mod rights;
pub(super) mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde::Serialize;
use tokio::task::JoinSet;

use super::workspace::{Refused, Workspace};
use super::{Links, Watch};
use crate::host::{Order, Ruling};
use crate::inventory::{At, Broker, Inventory};
use crate::model::{Secret, Target};
use crate::plan::Scope;
use crate::providers::mosquitto::{
    Grant, VERIFIER, grants, relay_password, relay_user, shows_certificate, verifier_password,
};
use crate::providers::{Found, Leaf, Lookup, Reach, Site};
use crate::transport::mqtt::{Account, Client, MqttFault};
use crate::transport::tls::{self, Server, TlsFault};

/// The time one step (a connection, an answer, an arrival) is given.
const STEP: Duration = Duration::from_secs(10);
/// The time the relay is given to bring a probe through: it may be between two attempts to reconnect.
const LOOP: Duration = Duration::from_secs(60);
/// The clear-text port of MQTT, which must be closed to the network.
const CLEAR_PORT: u16 = 1883;

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The target it was tried on.
    pub target: Target,
    /// What should hold.
    pub what: String,
    /// Why it does not; `None` when it holds.
    pub fault: Option<String>,
}

/// How an account logs in.
struct Login {
    /// Its password, or the certificate it shows instead.
    shows: Shows,
    /// A topic of its own to publish to, when it has one.
    own_topic: Option<String>,
}

/// What an account shows of itself.
enum Shows {
    Password(Secret),
    Certificate(Leaf),
}

/// A broker with all that is needed to talk to it.
struct Subject {
    target: Target,
    address: String,
    port: u16,
    server_name: String,
    root_pem: String,
    /// SHA-256 of the certificates it should show, leaf first, lower-case hex.
    chain: Vec<String>,
    watcher: Secret,
    /// Where clients show a certificate, when they can.
    certificates: Option<u16>,
    /// Accounts by name.
    accounts: BTreeMap<String, Login>,
    /// What each account may do.
    grants: BTreeMap<String, Vec<Grant>>,
    /// The gateways whose relays publish here.
    relays: Vec<String>,
}

/// Verifies the brokers chosen and the relays that publish to them.
///
/// # Errors
/// When the choice fits nothing or the inventory is faulty.
pub async fn verify(
    workspace: &Arc<Workspace>,
    scope: &Scope,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> Result<Vec<Finding>, Refused> {
    let sites: Vec<Site> = workspace.sites(scope)?.into_iter().map(|(site, _)| site).collect();
    let chosen: Vec<Target> = sites.iter().map(|site| site.target.clone()).collect();
    let mut findings = Vec::new();
    let mut tasks = JoinSet::new();
    let mut begun = BTreeSet::new();
    for (name, broker) in &workspace.inventory().brokers {
        let target = Target::new("broker", name.as_str());
        let relays = relays(workspace.inventory(), name, &chosen);
        if !chosen.contains(&target) && relays.is_empty() {
            continue;
        }
        match subject(workspace, target.clone(), name, broker, relays) {
            Ok(subject) => {
                let (workspace, links) = (Arc::clone(workspace), Arc::clone(links));
                watch.event(super::Event::Reading(target.clone()));
                begun.insert(target);
                tasks.spawn(async move { examine(&workspace, &subject, &links).await });
            }
            Err(reason) => {
                findings.push(Finding { target, what: "everything was applied".into(), fault: Some(reason) })
            }
        }
    }
    let has_sensors = |site: &Site| {
        let gateway = site.target.kind == "gateway";
        gateway && workspace.inventory().sensors_of(&site.target.name).next().is_some()
    };
    let gateways: Vec<Site> = sites.into_iter().filter(has_sensors).collect();
    findings.extend(super::sensors::verify_periods(workspace, &gateways, links, watch).await);
    while let Some(ended) = tasks.join_next().await {
        if let Ok(found) = ended {
            begun.retain(|target| found.iter().all(|finding: &Finding| finding.target != *target));
            findings.extend(found);
        }
    }
    // A task that panicked must not make its broker look good.
    findings.extend(begun.into_iter().map(|target| Finding {
        target,
        what: "it was verified".into(),
        fault: Some("rocade failed while verifying it; please report this".into()),
    }));
    findings.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(findings)
}

/// The chosen gateways whose relays publish to a broker.
fn relays(inventory: &Inventory, broker: &str, chosen: &[Target]) -> Vec<String> {
    let publishes = |relay: &crate::inventory::Relay| *relay.broker == broker;
    inventory
        .gateways
        .iter()
        .filter(|(_, gateway)| gateway.relay.as_ref().is_some_and(publishes))
        .map(|(name, _)| name.clone())
        .filter(|name| chosen.contains(&Target::new("gateway", name.as_str())))
        .collect()
}

fn subject(
    workspace: &Workspace,
    target: Target,
    name: &str,
    broker: &At<Broker>,
    relays: Vec<String>,
) -> Result<Subject, String> {
    let shelf = workspace.shelf();
    let mut accounts = BTreeMap::new();
    for (gateway, spec) in &workspace.inventory().gateways {
        let Some(relay) = spec.relay.as_ref().filter(|relay| *relay.broker == name) else { continue };
        let user = relay_user(gateway);
        let shows = match shows_certificate(relay) {
            true => Shows::Certificate(ready(shelf.leaf(&user))?),
            false => Shows::Password(ready(relay_password(gateway, relay, shelf))?),
        };
        let own_topic = Some(format!("rocade/relays/{gateway}/verify"));
        accounts.insert(user, Login { shows, own_topic });
    }
    for (client, spec) in &broker.clients {
        let shows = Shows::Password(ready(shelf.secret(&spec.password.secret))?);
        accounts.insert(client.clone(), Login { shows, own_topic: None });
    }
    let leaf = ready(shelf.leaf(name))?;
    let address = broker.client_address().value.clone();
    let named = broker.names.iter().any(|held| held.value == address);
    let server_name = if named {
        address.clone()
    } else {
        broker.names.first().map_or(address.clone(), |n| n.value.clone())
    };
    Ok(Subject {
        target,
        address,
        port: broker.client_port(),
        server_name,
        root_pem: ready(shelf.authority())?,
        chain: tls::fingerprints(&leaf.chain_pem).map_err(|fault| format!("{fault:#}"))?,
        grants: grants(workspace.inventory(), name, broker),
        watcher: ready(verifier_password(name, shelf))?,
        certificates: broker.certificate_port(),
        accounts,
        relays,
    })
}

fn ready<T>(found: Result<Found<T>, crate::providers::Fault>) -> Result<T, String> {
    match found {
        Ok(Found::Ready(value)) => Ok(value),
        Ok(Found::Pending(what)) => Err(format!("{what} is not there yet; run `rocade apply` first")),
        Err(fault) => Err(fault.message),
    }
}

fn nonce() -> String {
    hex::encode(rand::rng().random::<[u8; 12]>())
}

/// Tries everything on one broker.
async fn examine(workspace: &Workspace, subject: &Subject, links: &Links) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |what: String, result: Result<(), String>| {
        findings.push(Finding { target: subject.target.clone(), what, fault: result.err() });
    };
    for port in std::iter::once(subject.port).chain(subject.certificates) {
        note(
            format!("port {port} shows the certificate issued for {}", subject.server_name),
            subject.shows_its_certificate(port).await,
        );
    }
    note(format!("port {CLEAR_PORT} is closed to the network"), subject.clear_port_is_closed().await);
    note("a wrong password is refused".to_owned(), subject.refuses_a_wrong_password().await);
    if let Some(port) = subject.certificates {
        note(format!("port {port} refuses a client without a certificate"), subject.asks_for_one(port).await);
    }
    for (user, login) in &subject.accounts {
        let what = match &login.own_topic {
            Some(topic) => format!("{user} logs in and publishes to {topic}, and nowhere else"),
            None => format!("{user} logs in and may not publish to rocade's topics"),
        };
        note(what, subject.lets_through_and_refuses(user, login).await);
        note(
            format!("{user} reads what it may, and nothing else"),
            subject.reads_only_what_it_may(user, login).await,
        );
    }
    for gateway in &subject.relays {
        note(
            format!("what is published on {gateway}'s local broker comes through its relay"),
            subject.relay_brings_a_probe(workspace, gateway, links).await,
        );
    }
    findings
}

impl Subject {
    fn server(&self) -> Server<'_> {
        let (address, name) = (&self.address, &self.server_name);
        Server { address, port: self.port, name, root_pem: &self.root_pem, shown: None }
    }

    async fn login(&self, user: &str, password: &Secret) -> Result<Client, MqttFault> {
        self.login_at(self.server(), user, password).await
    }

    async fn login_at(&self, server: Server<'_>, user: &str, password: &Secret) -> Result<Client, MqttFault> {
        let client_id = format!("rocade-{}", nonce());
        Client::connect(server, &Account { user, password, client_id: &client_id }, STEP).await
    }

    /// With its certificate the account is who that says, whatever else it writes.
    async fn login_as(&self, user: &str, login: &Login) -> Result<Client, MqttFault> {
        match (&login.shows, self.certificates) {
            (Shows::Password(password), _) => self.login(user, password).await,
            (Shows::Certificate(leaf), port) => {
                let shown = Some((leaf.chain_pem.as_str(), &leaf.key_pem));
                let server = Server { port: port.unwrap_or(self.port), shown, ..self.server() };
                self.login_at(server, VERIFIER, &Secret::new(nonce(), "nobody reads it")).await
            }
        }
    }

    /// Only an end in the handshake counts (with TLS 1.3 it comes after our half of it): a broker that looks at
    /// the password has not asked for a certificate.
    async fn asks_for_one(&self, port: u16) -> Result<(), String> {
        match self.login_at(Server { port, ..self.server() }, VERIFIER, &self.watcher).await {
            Err(MqttFault::Closed { .. } | MqttFault::Tls(TlsFault::Protocol { .. })) => Ok(()),
            Err(fault) => Err(fault.to_string()),
            Ok(client) => {
                client.close().await;
                Err(format!("{VERIFIER} was let in with its password"))
            }
        }
    }

    async fn shows_its_certificate(&self, port: u16) -> Result<(), String> {
        self.shown(port, STEP).await.map_err(|fault| fault.to_string())?
    }

    /// Whether it shows its certificate, when it shows one at all.
    async fn shown(&self, port: u16, limit: Duration) -> Result<Result<(), String>, TlsFault> {
        let peer = tls::handshake(Server { port, ..self.server() }, limit).await?;
        if peer.chain == self.chain {
            return Ok(Ok(()));
        }
        if peer.chain.first() == self.chain.first() {
            return Ok(Err(
                "it shows the right one with other certificates behind it: it has not taken up the new \
                        chain"
                    .to_owned(),
            ));
        }
        Ok(Err(format!(
            "it shows another one, SHA-256 {}: it has not taken up the new certificate",
            peer.chain.first().map_or("none", String::as_str)
        )))
    }

    async fn clear_port_is_closed(&self) -> Result<(), String> {
        if tls::tcp_open(&self.address, CLEAR_PORT, STEP).await {
            return Err("it is open".to_owned());
        }
        Ok(())
    }

    async fn refuses_a_wrong_password(&self) -> Result<(), String> {
        match self.login(VERIFIER, &Secret::new(nonce(), "wrong on purpose")).await {
            Err(MqttFault::Refused { .. }) => Ok(()),
            Err(fault) => Err(fault.to_string()),
            Ok(client) => {
                client.close().await;
                Err(format!("{VERIFIER} was let in with a wrong password"))
            }
        }
    }

    /// A watcher that sees the topics of verifications and relays.
    async fn watcher(&self) -> Result<Client, String> {
        let mut watcher = self.login(VERIFIER, &self.watcher).await.map_err(|fault| fault.to_string())?;
        for filter in ["rocade/verify/#", "rocade/relays/#"] {
            if !watcher.subscribe(filter).await.map_err(|fault| fault.to_string())? {
                return Err(format!("{VERIFIER} may not read {filter}"));
            }
        }
        Ok(watcher)
    }

    async fn lets_through_and_refuses(&self, user: &str, login: &Login) -> Result<(), String> {
        let own_topic = login.own_topic.as_deref();
        let mut watcher = self.watcher().await?;
        let mut client = self.login_as(user, login).await.map_err(|fault| fault.to_string())?;
        let nonce = nonce();
        let refused = self.refused_topics(user, &nonce);
        let marker = format!("rocade/verify/marker/{nonce}");
        let tried = async {
            for topic in &refused {
                client.publish(topic, nonce.as_bytes()).await?;
            }
            if let Some(topic) = own_topic {
                client.publish(topic, nonce.as_bytes()).await?;
            }
            watcher.publish(&marker, nonce.as_bytes()).await?;
            let mut arrived = Vec::new();
            while let Some(message) = watcher.next(STEP).await? {
                let ours = message.payload == nonce.as_bytes();
                if ours && message.topic == marker {
                    return Ok(Some(arrived));
                }
                if ours {
                    arrived.push(message.topic);
                }
            }
            Ok::<_, MqttFault>(None)
        };
        let arrived = tried.await.map_err(|fault| fault.to_string());
        client.close().await;
        watcher.close().await;
        let Some(arrived) = arrived? else { return Err("nothing arrived".to_owned()) };
        if let Some(topic) = arrived.iter().find(|topic| refused.contains(topic)) {
            return Err(format!("it published to {topic}, which it may not"));
        }
        match own_topic {
            Some(topic) if !arrived.iter().any(|seen| seen == topic) => {
                Err(format!("what it published to {topic} did not arrive"))
            }
            _ => Ok(()),
        }
    }

    async fn relay_brings_a_probe(
        &self,
        workspace: &Workspace,
        gateway: &str,
        links: &Links,
    ) -> Result<(), String> {
        let mut watcher = self.watcher().await?;
        let nonce = nonce();
        let result = async {
            send_probe(workspace, gateway, &nonce, links).await?;
            let topic = format!("rocade/relays/{gateway}/probe");
            let deadline = tokio::time::Instant::now() + LOOP;
            loop {
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                let message = watcher.next(left).await.map_err(|fault| fault.to_string())?;
                let Some(message) = message else {
                    return Err(format!("nothing came on {topic} within {} s", LOOP.as_secs()));
                };
                let text = String::from_utf8_lossy(&message.payload);
                if message.topic == topic && text.contains(&nonce) {
                    return Ok(());
                }
            }
        };
        let result = result.await;
        watcher.close().await;
        result
    }
}

/// Publishes a probe on a gateway's local broker, with the relay's own program.
async fn send_probe(workspace: &Workspace, gateway: &str, nonce: &str, links: &Links) -> Result<(), String> {
    let scope = Scope { names: vec![format!("gateway/{gateway}")], ..Scope::default() };
    let sites = workspace.sites(&scope).map_err(|refused| refused.to_string())?;
    let site = sites.iter().map(|(site, _)| site).find(|site| matches!(site.reach, Reach::Host { .. }));
    let site = site.ok_or_else(|| format!("{gateway} is not reached over SSH"))?;
    let host =
        links.open(workspace, &site.target, &site.reach).await.map_err(|fault| format!("{fault:#}"))?;
    let argv = crate::providers::conduit::probe_command(nonce);
    let order = Order::Run { argv, stdin: Secret::new("", "nothing") };
    let mut end = Ruling::NotStarted;
    host.writing().order(std::slice::from_ref(&order), &mut |_, ruling| end = ruling).await;
    match end {
        Ruling::Done(_) => Ok(()),
        Ruling::Failed(reason) | Ruling::Unknown(reason) => Err(format!("the probe was not sent: {reason}")),
        Ruling::NotStarted => Err("the probe was not sent".to_owned()),
    }
}
