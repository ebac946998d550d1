//! How each type of `spec` is read from a file: its keys, its words, and which may be left out.

mod callers;
mod pbx;

use std::collections::BTreeMap;

use super::decode::{Decode, Decoder, shape, words};
use super::spec::*;
use super::tree::{Body, Entry, Node, Scalar};

shape!(Site { title, timezone });
shape!(Ssh { user, port, password, sudo_password, identity_file } or default);
shape!(Gateway {
    site,
    model,
    address,
    serial,
    mac,
    firmware,
    https_port,
    bootstrap,
    save_as_default,
    ssh,
    api,
    lorawan,
    relay,
    root,
});
shape!(Firmware { require, image, sha256 });
shape!(Bootstrap { address, interface });
shape!(Lorawan { region, join_server, network_key, network_eui });
shape!(Relay { broker, via, port, spool, password, certificate });
shape!(Sensor { gateway, model, dev_eui, app_eui, app_key, activation, period, topic, spreading_factor });
shape!(Broker { model, address, ssh, names needed, listeners, clients, reached_at, brute_force, firewall, root });
shape!(Listeners { mqtts, websockets, certificates });
shape!(Listener { port, bind, tls });
shape!(BrokerClient { password, read, write });
shape!(ReachedAt { address, port, certificates });
shape!(BruteForce { max_retry, find_time, ban_time, never });
shape!(Firewall { from, connections });
shape!(Host { site, address, ssh, vars, packages, files, root });
shape!(HostFile { path, template, secrets, source, content, mode, owner, group, restart });
shape!(Pki { authority });
shape!(Authority { name, key, root_lifetime, leaf_lifetime, renew_at, issuing, crl_lifetime });
shape!(Issuing { lifetime, only } or default);

words!(GatewayModel { "multitech-conduit" => MultitechConduit });
words!(Region { "EU868" => EU868 });
words!(JoinServer { "local" => Local } or default);
words!(Activation { "otaa" => Otaa, "abp" => Abp } or default);
words!(SensorModel {
    "adeunis-comfort" => AdeunisComfort,
    "adeunis-comfort-v1" => AdeunisComfortV1,
    "adeunis-comfort-co2" => AdeunisComfortCo2,
    "raw" => Raw,
});
words!(BrokerModel { "mosquitto" => Mosquitto });
words!(KeyKind { "ecdsa-p256" => EcdsaP256 } or default);

impl Decode for BTreeMap<String, Var> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Body::Map(entries) = &node.body else {
            decoder.wrong_type(node, "a map");
            return None;
        };
        let read = |Entry { key, value }: &Entry| (key.text.clone(), decoder.value(key.span, value));
        let vars: Vec<(String, Option<Var>)> = entries.iter().map(read).collect();
        vars.into_iter().map(|(name, var)| var.map(|var| (name, var))).collect()
    }

    fn absent() -> Option<Self> {
        Some(BTreeMap::new())
    }
}

impl Decode for Var {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match &node.body {
            Body::List(_) => Vec::decode(node, decoder).map(Var::List),
            Body::Map(_) => BTreeMap::decode(node, decoder).map(Var::Map),
            Body::Scalar(Scalar { text, plain: true }) if matches!(text.as_str(), "true" | "false") => {
                bool::decode(node, decoder).map(Var::Bool)
            }
            Body::Scalar(Scalar { text, plain: true }) if text.parse::<i64>().is_ok() => {
                i64::decode(node, decoder).map(Var::Int)
            }
            Body::Scalar(_) => String::decode(node, decoder).map(Var::Text),
        }
    }
}
