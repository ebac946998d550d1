//! What can be written of a broker.

use super::*;

/// An MQTT broker.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Broker {
    /// What it is.
    pub model: BrokerModel,
    /// The name or address rocade reaches its host at, and clients the broker unless told otherwise.
    pub address: At<String>,
    /// How to log in.
    #[schemars(default)]
    pub ssh: Ssh,
    /// Every name and address a client may use; all go into the certificate.
    pub names: Vec<At<String>>,
    /// Where it listens.
    pub listeners: Listeners,
    /// Who may log in besides the relays.
    #[schemars(default)]
    #[schemars(transform = crate::inventory::schema::named)]
    pub clients: Section<BrokerClient>,
    /// Where clients reach it when that is not `address` and the port bound: NAT, a port forward.
    #[schemars(default)]
    pub reached_at: Option<ReachedAt>,
    /// When to lock out those who guess passwords: by fail2ban on its host.
    #[schemars(default)]
    pub brute_force: Option<BruteForce>,
    /// The firewall rules on its host; when absent rocade removes those it once made and adds none.
    #[schemars(default)]
    pub firewall: Option<Firewall>,
    /// A prefix for every path on the target (images, chroots, tests).
    #[schemars(default)]
    pub root: Option<At<String>>,
}

/// Broker programs rocade knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum BrokerModel {
    /// Eclipse Mosquitto 2.
    Mosquitto,
}

/// A broker's listeners. There is none in clear text for the network.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Listeners {
    /// MQTT over TLS.
    pub mqtts: Listener,
    /// MQTT over WebSocket, for a display on the same host (clear) or the network (TLS).
    #[schemars(default)]
    pub websockets: Option<Listener>,
    /// MQTT over TLS for clients that show a certificate of the authority instead of a password (mutual TLS).
    #[schemars(default)]
    pub certificates: Option<Listener>,
}

/// One listener.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Listener {
    /// TCP port.
    pub port: At<u16>,
    /// Address to bind; all when absent. A WebSocket listener in clear must be bound to loopback.
    #[schemars(default)]
    pub bind: Option<At<IpAddr>>,
    /// Serve it with TLS; always so for `mqtts`.
    #[schemars(default)]
    pub tls: Option<bool>,
}

/// A client of a broker other than the relays.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BrokerClient {
    /// Its password.
    pub password: At<SecretRef>,
    /// Topic filters it may read.
    #[schemars(default)]
    pub read: Vec<At<String>>,
    /// Topic filters it may publish to.
    #[schemars(default)]
    pub write: Vec<At<String>>,
}

/// Where clients reach a broker behind NAT or a port forward. The certificate must hold the address.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReachedAt {
    /// The name or address clients use; the broker's `address` when absent.
    #[schemars(default)]
    pub address: Option<At<String>>,
    /// The TCP port clients use for MQTT over TLS; the one bound when absent.
    #[schemars(default)]
    pub port: Option<At<u16>>,
    /// The TCP port of those that show a certificate (`listeners.certificates`); the one bound when absent.
    #[schemars(default)]
    pub certificates: Option<At<u16>>,
}

/// Lock-out of those who guess passwords.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BruteForce {
    /// Failures before the lock-out.
    pub max_retry: u32,
    /// The window they are counted in.
    pub find_time: At<PeriodText>,
    /// How long the lock-out lasts.
    pub ban_time: At<PeriodText>,
    /// Networks that are never locked out; loopback never is.
    #[schemars(default)]
    pub never: Vec<At<NetworkText>>,
}

/// Firewall rules on a broker's host, in a table of their own: whatever else the host filters stays as it is.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Firewall {
    /// Networks that may reach the broker's TLS listeners; all when absent.
    #[schemars(default)]
    pub from: Option<At<Vec<At<NetworkText>>>>,
    /// How many connections one address may hold to the TLS listeners at a time; any number when absent.
    #[schemars(default)]
    pub connections: Option<At<u16>>,
}
