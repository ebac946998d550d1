//! What can be written in the inventory. These types are also the JSON Schema and its words.

mod broker;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::OnceLock;

use schemars::JsonSchema;

use super::At;
use super::scalar::{
    ByteSizeText, EuiText, MacText, NetworkText, PeriodText, SecretRef, Sha256Text, VersionRange,
};

pub use broker::*;

/// Entries of a section by name.
pub type Section<T> = BTreeMap<String, At<T>>;

/// The whole inventory: all files under `inventory/` together.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Inventory {
    /// Places where devices stand.
    #[schemars(transform = super::schema::named)]
    pub sites: Section<Site>,
    /// LoRaWAN gateways.
    #[schemars(transform = super::schema::named)]
    pub gateways: Section<Gateway>,
    /// LoRaWAN sensors.
    #[schemars(transform = super::schema::named)]
    pub sensors: Section<Sensor>,
    /// MQTT brokers.
    #[schemars(transform = super::schema::named)]
    pub brokers: Section<Broker>,
    /// Other Linux hosts of the chain: displays, SBC machines.
    #[schemars(transform = super::schema::named)]
    pub hosts: Section<Host>,
    /// Telephone systems.
    #[schemars(transform = super::schema::named)]
    pub pbx: Section<super::pbx::Pbx>,
    /// The certificate authority.
    pub pki: Option<At<Pki>>,
    /// The names of each gateway's sensors, made at the first question. An inventory is not changed once it
    /// was asked.
    #[schemars(skip)]
    by_gateway: OnceLock<HashMap<String, Vec<String>>>,
}

impl Inventory {
    /// The sensors of a gateway with their names, in order. Takes as long as it has sensors, however many
    /// there are in all.
    pub fn sensors_of(&self, gateway: &str) -> impl Iterator<Item = (&str, &At<Sensor>)> {
        let by_gateway = self.by_gateway.get_or_init(|| {
            let mut by_gateway: HashMap<String, Vec<String>> = HashMap::new();
            for (name, sensor) in &self.sensors {
                by_gateway.entry(sensor.gateway.value.clone()).or_default().push(name.clone());
            }
            by_gateway
        });
        let names = by_gateway.get(gateway).into_iter().flatten();
        names
            .filter_map(|name| self.sensors.get_key_value(name))
            .map(|(name, sensor)| (name.as_str(), sensor))
    }
}

/// A place where devices stand.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Site {
    /// Its name for people.
    pub title: String,
    /// IANA time zone, such as `Europe/Paris`.
    #[schemars(default)]
    pub timezone: Option<At<String>>,
}

/// How rocade logs in over SSH. Without password and key the agent and `~/.ssh/config` decide.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Ssh {
    /// The user; `~/.ssh/config` or the local user when absent.
    pub user: Option<String>,
    /// The port; 22 when neither this nor `~/.ssh/config` says another.
    pub port: Option<u16>,
    /// The user's password, also for sudo.
    pub password: Option<At<SecretRef>>,
    /// The password for sudo when it is not the user's.
    pub sudo_password: Option<At<SecretRef>>,
    /// A private key file on the engineer's machine; `~` is the home directory.
    pub identity_file: Option<String>,
}

/// A LoRaWAN gateway.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Gateway {
    /// The site it stands at.
    pub site: At<String>,
    /// What it is.
    pub model: GatewayModel,
    /// IP address or name it is reached at.
    pub address: At<String>,
    /// Serial number (device id); another unit at its address is refused.
    #[schemars(default)]
    pub serial: Option<At<String>>,
    /// Hardware address of its Ethernet port; another unit is refused by `redeploy`.
    #[schemars(default)]
    pub mac: Option<At<MacText>>,
    /// What its firmware must be.
    #[schemars(default)]
    pub firmware: Option<Firmware>,
    /// The port of its web side, which `redeploy` speaks to; 443 when absent.
    #[schemars(default)]
    pub https_port: Option<u16>,
    /// Where it stands while it is new.
    #[schemars(default)]
    pub bootstrap: Option<Bootstrap>,
    /// Whether `redeploy` makes what it applied the user-defined defaults: the short reset (5 to 30 s) then comes
    /// back with these settings.
    #[schemars(default)]
    pub save_as_default: Option<bool>,
    /// How to log in.
    #[schemars(default)]
    pub ssh: Ssh,
    /// Where its REST API answers, seen from the gateway itself; `http://127.0.0.1` when absent.
    #[schemars(default)]
    pub api: Option<String>,
    /// Its LoRaWAN network server.
    pub lorawan: Lorawan,
    /// The relay that republishes readings to a broker.
    #[schemars(default)]
    pub relay: Option<Relay>,
    /// A prefix for every path on the target (images, chroots, tests).
    #[schemars(default)]
    pub root: Option<At<String>>,
}

/// Gateway models rocade knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum GatewayModel {
    /// MultiTech Conduit (MTCDT) with mPower 5.3 to 7.
    MultitechConduit,
}

/// The firmware policy of a gateway.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Firmware {
    /// Accepted versions, such as `>=6.0.1, <7`.
    pub require: At<VersionRange>,
    /// The image file that `redeploy --upgrade` installs when its version is not accepted, in the repository.
    #[schemars(default)]
    pub image: Option<At<String>>,
    /// The SHA-256 of the image.
    #[schemars(default)]
    pub sha256: Option<At<Sha256Text>>,
}

/// Where a gateway stands while it is new or reset.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Bootstrap {
    /// Its address then; 192.168.2.1, the factory's, when absent.
    #[schemars(default)]
    pub address: Option<At<String>>,
    /// The network interface it is behind, such as `eth1` (Linux): several new gateways share one address.
    #[schemars(default)]
    pub interface: Option<At<String>>,
}

/// Where every Conduit stands until it is configured (MultiTech, all firmware).
pub const FACTORY_ADDRESS: &str = "192.168.2.1";

impl Gateway {
    /// Its address while it is new.
    pub fn new_address(&self) -> &str {
        let address = self.bootstrap.as_ref().and_then(|bootstrap| bootstrap.address.as_ref());
        address.map_or(FACTORY_ADDRESS, |address| address.as_str())
    }

    /// The network interface it is behind while it is new.
    pub fn interface(&self) -> Option<&str> {
        let interface = self.bootstrap.as_ref().and_then(|bootstrap| bootstrap.interface.as_ref());
        interface.map(|interface| interface.as_str())
    }

    /// The interface to go through to an address: only the one it has while new is shared.
    pub fn interface_to(&self, address: &str) -> Option<&str> {
        self.interface().filter(|_| address == self.new_address())
    }
}

/// The network server of a gateway.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lorawan {
    /// The frequency plan.
    pub region: Region,
    /// Where joins are answered; `local` when absent.
    #[schemars(default)]
    pub join_server: JoinServer,
    /// The network's key for devices without their own: 32 hex digits, never the factory's.
    pub network_key: At<SecretRef>,
    /// The network's EUI; derived from the gateway's name when absent.
    #[schemars(default)]
    pub network_eui: Option<At<EuiText>>,
}

/// Frequency plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub enum Region {
    /// 863 to 870 MHz, Europe.
    EU868,
}

/// Where joins are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum JoinServer {
    /// On the gateway.
    #[default]
    Local,
}

/// The relay program on a gateway.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Relay {
    /// The broker it publishes to.
    pub broker: At<String>,
    /// The name or address of the broker the relay uses, past the broker's `reached_at`, which is used when absent.
    #[schemars(default)]
    pub via: Option<At<String>>,
    /// The port the relay uses; with `via` the one the broker binds when absent, else that of `reached_at`.
    #[schemars(default)]
    pub port: Option<At<u16>>,
    /// The most it keeps on disk while the broker is away; 16 MiB when absent.
    #[schemars(default)]
    pub spool: Option<At<ByteSizeText>>,
    /// Its password at the broker; made by the first apply when absent.
    #[schemars(default)]
    pub password: Option<At<SecretRef>>,
    /// Whether it shows a certificate of its own instead of a password; the broker needs `listeners.certificates`.
    #[schemars(default)]
    pub certificate: Option<At<bool>>,
}

/// A LoRaWAN sensor.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sensor {
    /// The gateway that knows its key.
    pub gateway: At<String>,
    /// What it is; the frames do not say.
    pub model: SensorModel,
    /// DevEUI: 16 hex digits.
    pub dev_eui: At<EuiText>,
    /// AppEUI (JoinEUI): 16 hex digits.
    pub app_eui: At<EuiText>,
    /// Its own root key, 32 hex digits.
    pub app_key: At<SecretRef>,
    /// How it joins; `otaa` when absent.
    #[schemars(default)]
    pub activation: At<Activation>,
    /// How often it is to send.
    #[schemars(default)]
    pub period: Option<At<PeriodText>>,
    /// The broker topic of its readings.
    pub topic: At<String>,
    /// The spreading factor assumed for the duty cycle check, 7 to 12; 12 when absent.
    #[schemars(default)]
    pub spreading_factor: Option<At<u8>>,
}

impl Default for At<Activation> {
    fn default() -> Self {
        At::nowhere(Activation::Otaa)
    }
}

/// How a sensor joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Activation {
    /// Over the air, with the AppKey.
    #[default]
    Otaa,
    /// By fixed session keys; refused, with the reason.
    Abp,
}

/// Sensor models whose frames rocade decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum SensorModel {
    /// Adeunis Comfort with application firmware 2.1 or later.
    AdeunisComfort,
    /// Adeunis Comfort with application firmware before 2.1.
    AdeunisComfortV1,
    /// Adeunis Comfort CO2.
    AdeunisComfortCo2,
    /// Any other: the payload is passed on undecoded.
    Raw,
}

impl SensorModel {
    /// The name in the inventory and in the relay's configuration.
    pub fn name(self) -> &'static str {
        match self {
            SensorModel::AdeunisComfort => "adeunis-comfort",
            SensorModel::AdeunisComfortV1 => "adeunis-comfort-v1",
            SensorModel::AdeunisComfortCo2 => "adeunis-comfort-co2",
            SensorModel::Raw => "raw",
        }
    }
}

/// Any other Linux host.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Host {
    /// The site it stands at.
    #[schemars(default)]
    pub site: Option<At<String>>,
    /// The name or address it is reached at.
    pub address: At<String>,
    /// How to log in.
    #[schemars(default)]
    pub ssh: Ssh,
    /// Values for its templates.
    #[schemars(default)]
    pub vars: BTreeMap<String, Var>,
    /// Packages that must be installed.
    #[schemars(default)]
    pub packages: Vec<At<String>>,
    /// Files that must have this content.
    #[schemars(default)]
    pub files: Vec<At<HostFile>>,
    /// A prefix for every path on the target (images, chroots, tests).
    #[schemars(default)]
    pub root: Option<At<String>>,
}

/// A template variable.
#[derive(Clone, Debug, PartialEq, JsonSchema, serde::Serialize)]
#[serde(untagged)]
pub enum Var {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Var>),
    /// A map.
    Map(BTreeMap<String, Var>),
}

/// A file on a host: from a template, from a file under `templates/`, or from text in the inventory.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HostFile {
    /// Absolute path on the host.
    pub path: At<String>,
    /// A template under `templates/`, rendered with `vars`, `host` and `site`.
    #[schemars(default)]
    pub template: Option<At<String>>,
    /// Secrets the template knows as `secrets.NAME`. A file with any is readable by its owner and group at most.
    #[schemars(default)]
    #[schemars(transform = super::schema::named)]
    pub secrets: Section<SecretRef>,
    /// A file under `templates/`, sent as it is.
    #[schemars(default)]
    pub source: Option<At<String>>,
    /// The content itself.
    #[schemars(default)]
    pub content: Option<String>,
    /// Permission bits in octal, as text; `"0644"` when absent, `"0640"` for a file with secrets.
    #[schemars(default)]
    pub mode: Option<At<String>>,
    /// Its owner; `root` when absent.
    #[schemars(default)]
    pub owner: Option<String>,
    /// Its group; the owner's name when absent.
    #[schemars(default)]
    pub group: Option<String>,
    /// A service to restart when the file changes.
    #[schemars(default)]
    pub restart: Option<At<String>>,
}

/// The certificate authority.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pki {
    /// Its root certificate and how long things live.
    pub authority: Authority,
}

/// The root of the certificate authority.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Authority {
    /// The root's common name.
    pub name: String,
    /// The kind of keys; `ecdsa-p256` when absent.
    #[schemars(default)]
    pub key: KeyKind,
    /// How long the root lives; 10 years when absent.
    #[schemars(default)]
    pub root_lifetime: Option<At<PeriodText>>,
    /// How long a leaf lives; 1 year when absent.
    #[schemars(default)]
    pub leaf_lifetime: Option<At<PeriodText>>,
    /// The share of a certificate's life after which it is renewed, as a fraction; `2/3` when absent.
    #[schemars(default)]
    pub renew_at: Option<At<String>>,
    /// The intermediate that issues leaves, so that the root's key can be kept off line. A new authority has one;
    /// one that issues from its root gets one when this is written, `issuing: {}` will do.
    #[schemars(default)]
    pub issuing: Option<At<Issuing>>,
    /// How long a list of revoked certificates is good for; 180 days when absent. Brokers refuse every client
    /// certificate once it is over.
    #[schemars(default)]
    pub crl_lifetime: Option<At<PeriodText>>,
}

/// The issuing intermediate.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Issuing {
    /// How long it lives; 5 years when absent.
    pub lifetime: Option<At<PeriodText>>,
    /// The domains (`example.net`, with all below it) and networks it can sign for; any when absent. Clients hold it
    /// to that.
    pub only: Vec<At<String>>,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum KeyKind {
    /// ECDSA on NIST P-256.
    #[default]
    EcdsaP256,
}
