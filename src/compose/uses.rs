//! Where a secret is used, who writes it there, and what a new value interrupts.

use crate::inventory::{At, Inventory, Place, SecretRef, Ssh};
use crate::providers::mosquitto::minted;

/// One use of a secret.
#[derive(Clone, Debug)]
pub struct Use {
    /// Whose it is, such as `sensor pool-hall`.
    pub owner: String,
    /// The field, such as `app_key`.
    pub field: &'static str,
    /// Where the inventory says so; nowhere for what rocade makes by itself.
    pub place: Place,
    /// What it is for.
    pub role: Role,
}

/// What a secret is for: this decides who changes it at the far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// rocade logs in with it.
    Login,
    /// A sensor's root key on its gateway.
    AppKey {
        /// The gateway.
        gateway: String,
    },
    /// A network's key for devices without their own.
    NetworkKey,
    /// The password of a client that rocade does not configure.
    Client {
        /// The broker.
        broker: String,
        /// The account.
        account: String,
    },
    /// The password of a gateway's relay: rocade configures both ends.
    Relay {
        /// The broker.
        broker: String,
    },
    /// rocade's own account for its probes.
    Probe,
    /// A telephone system's API key, made in its console.
    Console,
    /// Given by a provider, or made by the far end.
    Given,
    /// The PIN of a mailbox.
    Pin,
}

impl Role {
    /// Whether a new value can be made here; else it comes from the other end.
    pub fn is_made_here(&self) -> bool {
        !matches!(self, Role::Login | Role::Console | Role::Given)
    }

    /// Whether `apply` gives a new value to everybody who needs it.
    pub fn is_ours(&self) -> bool {
        matches!(self, Role::Relay { .. } | Role::Probe)
    }

    /// Whether it is a LoRaWAN key: 32 hex digits.
    pub fn is_key(&self) -> bool {
        matches!(self, Role::AppKey { .. } | Role::NetworkKey)
    }

    /// What a new value does and interrupts, and whether old and new can overlap.
    pub fn consequences(&self) -> String {
        match self {
            Role::Login => "rocade logs in with it and does not change it there: change it on the device first, then \
                            give the new one here"
                .into(),
            Role::AppKey { gateway } => format!(
                "`apply` writes it into the key list of gateway {gateway}; the sensor needs it too, from the \
                 manufacturer's tool. No overlap: a join server knows one AppKey a DevEUI. A running session goes on \
                 until the sensor joins again, and it must join again to take the new key"
            ),
            Role::NetworkKey => "`apply` writes it and restarts the LoRa services (about 30 s without uplinks); \
                                 devices without a key of their own must have it too and join again. No overlap"
                .into(),
            Role::Client { broker, .. } => format!(
                "`apply` gives broker {broker} the new hash and reloads it; the client is refused with the old \
                 password from then on, until it has the new one. Mosquitto keeps one password an account: for an \
                 overlap use --overlap, which makes a second account's"
            ),
            Role::Relay { broker } => format!(
                "`apply` gives it to broker {broker} and to the relay in one run; readings wait in the relay's \
                 spool in between, none is lost. No overlap is needed"
            ),
            Role::Probe => "`apply` gives it to the broker; nobody but rocade uses it".into(),
            Role::Console => "it is made in the console (Integrations, API), where the old one ends at once; give the \
                              new one here"
                .into(),
            Role::Given => "it comes from the other end; give the new one here".into(),
            Role::Pin => "the PBX never shows it, so a new value alone makes no change in the plan: it goes there with \
                          the next change of the extension, or set it in the console"
                .into(),
        }
    }
}

/// Every use of a secret in an inventory.
pub fn uses(inventory: &Inventory, secret: &str) -> Vec<Use> {
    let mut found = Found { secret, uses: Vec::new() };
    found.logins(inventory);
    found.chain(inventory);
    found.telephones(inventory);
    if found.uses.is_empty() && minted(inventory).iter().any(|name| name == secret) {
        found.made_by_apply(inventory);
    }
    found.uses
}

struct Found<'a> {
    secret: &'a str,
    uses: Vec<Use>,
}

impl Found<'_> {
    fn take(&mut self, owner: String, field: &'static str, named: &At<SecretRef>, role: Role) {
        if named.secret == self.secret {
            self.uses.push(Use { owner, field, place: named.place.clone(), role });
        }
    }

    fn logins(&mut self, inventory: &Inventory) {
        let gateways = inventory.gateways.iter().map(|(name, one)| (format!("gateway {name}"), &one.ssh));
        let brokers = inventory.brokers.iter().map(|(name, one)| (format!("broker {name}"), &one.ssh));
        let hosts = inventory.hosts.iter().map(|(name, one)| (format!("host {name}"), &one.ssh));
        let all: Vec<(String, &Ssh)> = gateways.chain(brokers).chain(hosts).collect();
        for (owner, ssh) in all {
            for (field, named) in [("ssh.password", &ssh.password), ("ssh.sudo_password", &ssh.sudo_password)]
            {
                if let Some(named) = named {
                    self.take(owner.clone(), field, named, Role::Login);
                }
            }
        }
    }

    fn chain(&mut self, inventory: &Inventory) {
        for (name, gateway) in &inventory.gateways {
            let owner = format!("gateway {name}");
            self.take(owner.clone(), "lorawan.network_key", &gateway.lorawan.network_key, Role::NetworkKey);
            let relay = gateway.relay.as_ref();
            if let Some((relay, named)) = relay.and_then(|relay| Some((relay, relay.password.as_ref()?))) {
                let broker = relay.broker.value.clone();
                self.take(owner, "relay.password", named, Role::Relay { broker });
            }
        }
        for (name, sensor) in &inventory.sensors {
            let role = Role::AppKey { gateway: sensor.gateway.value.clone() };
            self.take(format!("sensor {name}"), "app_key", &sensor.app_key, role);
        }
        for (broker, it) in &inventory.brokers {
            for (account, client) in &it.clients {
                let role = Role::Client { broker: broker.clone(), account: account.clone() };
                self.take(format!("client {account} of broker {broker}"), "password", &client.password, role);
            }
        }
    }

    fn telephones(&mut self, inventory: &Inventory) {
        for (name, pbx) in &inventory.pbx {
            self.take(format!("pbx {name}"), "client_secret", &pbx.client_secret, Role::Console);
            for (number, extension) in pbx.extensions.iter() {
                if let Some(pin) = extension.voicemail.as_ref().and_then(|voicemail| voicemail.pin.as_ref()) {
                    self.take(format!("extension {number} of pbx {name}"), "voicemail.pin", pin, Role::Pin);
                }
            }
            for (trunk, it) in pbx.trunks.iter() {
                if let Some(password) = &it.password {
                    self.take(format!("trunk {trunk} of pbx {name}"), "password", password, Role::Given);
                }
            }
            for (sbc, it) in pbx.sbcs.iter() {
                let fields = [("password", &it.password), ("provisioning_link", &it.provisioning_link)];
                for (field, named) in fields {
                    if let Some(named) = named {
                        self.take(format!("SBC {sbc} of pbx {name}"), field, named, Role::Given);
                    }
                }
            }
        }
    }

    /// What the first apply makes, by its own names.
    fn made_by_apply(&mut self, inventory: &Inventory) {
        let parts: Vec<&str> = self.secret.split('/').collect();
        let [kind, name, _] = parts.as_slice() else { return };
        let relay = inventory.gateways.get(*name).and_then(|gateway| gateway.relay.as_ref());
        let (owner, field, role) = match (*kind, relay) {
            ("gateways", Some(relay)) => {
                (format!("gateway {name}"), "relay", Role::Relay { broker: relay.broker.value.clone() })
            }
            _ => (format!("broker {name}"), "verify", Role::Probe),
        };
        self.uses.push(Use { owner, field, place: Place::default(), role });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::compose::named_secrets;

    /// A field that names a secret and is forgotten here would be rotated as if nothing used it.
    #[test]
    fn every_secret_of_the_sample_inventory_has_its_uses() {
        let loaded = crate::inventory::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let named = named_secrets(&loaded.inventory);
        assert!(named.len() > 5, "{named:?}");
        for name in named {
            assert!(!uses(&loaded.inventory, &name).is_empty(), "{name}");
        }
        assert!(uses(&loaded.inventory, "nobody/uses/this").is_empty());
    }
}
