//! The repository's own files as a target: root certificate, leaves, secrets that rocade makes itself.
//!
//! It is applied before all others, because what it makes is what they are given. A root is made once and
//! never replaced by an apply: every client would have to be given the new one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::{Fault, Found, Job, Lookup, Provider, Reach, Site, mosquitto};
use crate::inventory::{Authority, Broker, Inventory, Pki};
use crate::model::{Collection, Fields, Key, Observed, Owns, Period, Report, Resource, Target, Value, Wish};
use crate::pki::{Certificate, Share, normal_name, normal_names};
use crate::secrets::Store;
use crate::transport::{Reading, Writing};

mod apply;
mod observe;

const AUTHORITY: &str = "authority";
const CERTIFICATE: &str = "certificate";
const SECRET: &str = "secret";
const ROOT_PENDING: &str = "the root certificate";

const COLLECTIONS: &[Collection] = &[
    Collection {
        name: AUTHORITY,
        owns: Owns::Listed,
        rank: 0,
        wakes_on_delete: None,
        write_only: &["lifetime"],
    },
    Collection {
        name: CERTIFICATE,
        owns: Owns::Listed,
        rank: 10,
        wakes_on_delete: None,
        write_only: &["lifetime", "renew_at"],
    },
    Collection { name: SECRET, owns: Owns::Listed, rank: 20, wakes_on_delete: None, write_only: &[] },
];

const ROOT_LIFETIME: Period = Period(10 * 365 * 86_400);
const LEAF_LIFETIME: Period = Period(365 * 86_400);

/// The provider of the target `pki authority`.
pub struct PkiProvider {
    root: PathBuf,
    store: Arc<Store>,
    now: Timestamp,
}

impl PkiProvider {
    /// A provider of the repository at `root`, with its secrets and the present.
    pub fn new(root: PathBuf, store: Arc<Store>, now: Timestamp) -> Self {
        Self { root, store, now }
    }
}

impl Provider for PkiProvider {
    fn kind(&self) -> &'static str {
        "pki"
    }

    fn collections(&self) -> &'static [Collection] {
        COLLECTIONS
    }

    fn sites(&self, inventory: &Inventory) -> Vec<Site> {
        let labels =
            BTreeMap::from([("kind", "pki"), ("name", AUTHORITY)].map(|(k, v)| (k.into(), v.into())));
        let site = Site { target: Target::new("pki", AUTHORITY), reach: Reach::Repository, labels };
        inventory.pki.iter().map(|_| site.clone()).collect()
    }

    fn desire(
        &self,
        inventory: &Inventory,
        target: &Target,
        lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut wish = Wish::new(target.clone(), "pki", 0, BTreeMap::default());
        let Some(pki) = &inventory.pki else { return Ok(wish) };
        faults.extend(self.nobody_to_encrypt_to());
        let root = self.root_to_be(pki, lookup).unwrap_or_else(|fault| {
            faults.push(fault.at(&pki.place));
            Value::Pending(ROOT_PENDING.into())
        });
        let renew_at = renew_at(&pki.authority).unwrap_or_else(|fault| {
            faults.push(fault);
            Share::default()
        });
        wish.resources.insert(Key::new(AUTHORITY, "root"), authority(&pki.authority));
        for (name, broker) in &inventory.brokers {
            match certificate(&pki.authority, broker, &root, renew_at) {
                Ok(resource) => {
                    wish.resources.insert(Key::new(CERTIFICATE, name), resource);
                }
                Err(found) => faults.extend(found),
            }
        }
        for path in mosquitto::minted(inventory) {
            let fields = Fields::from([("present".into(), true.into())]);
            let summary = "make, 32 random bytes".into();
            wish.resources
                .insert(Key::new(SECRET, path), Resource { fields, summary, ..Resource::default() });
        }
        if faults.is_empty() { Ok(wish) } else { Err(faults) }
    }

    fn observe<'a>(&'a self, wish: &'a Wish, _hand: Reading<'a>) -> BoxFuture<'a, Observed> {
        Box::pin(async { self.read(wish) })
    }

    fn apply<'a>(
        &'a self,
        job: Job<'a>,
        _hand: Writing<'a>,
        report: &'a mut dyn Report,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.make(&job, report) })
    }
}

impl PkiProvider {
    /// Nothing here can be made before there is someone to encrypt it to.
    fn nobody_to_encrypt_to(&self) -> Option<Fault> {
        match self.store.recipients() {
            Ok(recipients) if recipients.is_empty() => {
                let fault = crate::secrets::Fault::NoRecipients;
                let hint = fault.hint().unwrap_or_default();
                Some(Fault::new(fault.to_string()).hint(hint))
            }
            Ok(_) => None,
            Err(error) => Some(Fault::new(format!("{error:#}"))),
        }
    }

    /// The identifier of the root's key, once it is known that the root fits the inventory.
    fn root_to_be(&self, pki: &Pki, lookup: &dyn Lookup) -> Result<Value, Fault> {
        let pem = match lookup.authority()? {
            Found::Ready(pem) => pem,
            Found::Pending(_) => return Ok(Value::Pending(ROOT_PENDING.into())),
        };
        let root =
            Certificate::parse(&pem).map_err(|error| Fault::new(format!("pki/root.pem: {error:#}")))?;
        let (stands, wished) = (&root.name, &pki.authority.name);
        let anew = "remove pki/root.pem and pki/root.key.age to have the next apply make a new root and \
            issue all certificates again";
        if stands != wished {
            let message = format!("the root certificate is named `{stands}`, the inventory says `{wished}`");
            return Err(Fault::new(message).hint(format!("put the name back, or {anew}")));
        }
        if self.now >= root.not_after {
            let message = format!("the root certificate ended on {}", root.not_after.strftime("%F"));
            return Err(Fault::new(message).hint(anew));
        }
        Ok(Value::text(root.key_id))
    }
}

/// The share of a leaf's life after which it is renewed; two thirds when the inventory does not say.
///
/// # Errors
/// When it is no fraction: with its place.
pub fn renew_at(authority: &Authority) -> Result<Share, Fault> {
    match &authority.renew_at {
        None => Ok(Share::default()),
        Some(text) => text.value.parse().map_err(|fault: &str| Fault::new(fault).at(&text.place)),
    }
}

fn days(lifetime: Period) -> u64 {
    lifetime.as_secs() / 86_400
}

fn authority(authority: &Authority) -> Resource {
    let lifetime = authority.root_lifetime.as_ref().map_or(ROOT_LIFETIME, |at| *at.value);
    let fields = Fields::from([
        ("name".into(), Value::text(&authority.name)),
        ("lifetime".into(), Value::text(lifetime.to_string())),
    ]);
    let summary = format!("make `{}`, {} days", authority.name, days(lifetime));
    Resource { fields, summary, ..Resource::default() }
}

fn certificate(
    authority: &Authority,
    broker: &Broker,
    root: &Value,
    renew_at: Share,
) -> Result<Resource, Vec<Fault>> {
    let wrong = |name: &crate::inventory::At<String>| {
        normal_name(name).err().map(|fault| Fault::new(fault.to_string()).at(&name.place))
    };
    let faults: Vec<Fault> = broker.names.iter().filter_map(wrong).collect();
    let Ok(names) = normal_names(broker.names.iter().map(|name| name.as_str())) else { return Err(faults) };
    let lifetime = authority.leaf_lifetime.as_ref().map_or(LEAF_LIFETIME, |at| *at.value);
    let count = names.len();
    let fields = Fields::from([
        ("names".into(), names.into()),
        ("issuer".into(), root.clone()),
        ("key".into(), true.into()),
        ("due".into(), false.into()),
        ("lifetime".into(), Value::text(lifetime.to_string())),
        ("renew_at".into(), Value::text(renew_at.to_string())),
    ]);
    let names = if count == 1 { "1 name".to_owned() } else { format!("{count} names") };
    let summary = format!("issue, {} days, {names}", days(lifetime));
    Ok(Resource { fields, summary, ..Resource::default() })
}
