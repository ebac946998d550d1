//! What is wished of `pki/`: derived from the inventory and from how far the authority is.

use std::collections::BTreeMap;

use super::{AUTHORITY, CERTIFICATE, CRL, ISSUING, LEAF_LIFETIME, PkiProvider, SECRET};
use super::{crl_lifetime, issuing_lifetime, only, renew_at, root_lifetime};
use crate::inventory::{At, Authority, Broker, Inventory, Pki};
use crate::model::{Fields, Key, Period, Resource, Target, Value, Wish};
use crate::pki::{self, Certificate, Share, normal_name, normal_names};
use crate::providers::{Fault, Lookup, mosquitto};

const ROOT_PENDING: &str = "the root certificate";
const ISSUING_PENDING: &str = "the issuing certificate";

/// What stands in `pki/`.
struct Standing {
    root: Option<Certificate>,
    root_key: bool,
    issuing: Option<Certificate>,
}

impl Standing {
    /// Whether there is to be an intermediate: where one is asked for, stays, or everything is new.
    fn wants_issuing(&self, authority: &Authority) -> bool {
        let asked = authority.issuing.is_some() || self.issuing.is_some() || self.root.is_none();
        // Without the root's key it is carried: `rocade pki csr`.
        asked && (self.root_key || self.root.is_none())
    }

    /// The identifier of the key that is to sign leaves.
    fn issuer(&self, authority: &Authority) -> Value {
        match (&self.root, &self.issuing) {
            (None, _) => Value::Pending(ROOT_PENDING.into()),
            (Some(_), Some(issuing)) => Value::text(&issuing.key_id),
            (Some(_), None) if self.wants_issuing(authority) => Value::Pending(ISSUING_PENDING.into()),
            (Some(root), None) => Value::text(&root.key_id),
        }
    }
}

impl PkiProvider {
    /// All that is wished.
    pub(super) fn wished(
        &self,
        inventory: &Inventory,
        target: &Target,
        _lookup: &dyn Lookup,
    ) -> Result<Wish, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut wish = Wish::new(target.clone(), "pki", 0, BTreeMap::default());
        let Some(pki) = &inventory.pki else { return Ok(wish) };
        let authority = &pki.authority;
        faults.extend(self.nobody_to_encrypt_to());
        let standing = match self.standing() {
            Ok(standing) => standing,
            Err(fault) => return Err(vec![fault.at(&pki.place)]),
        };
        faults.extend(self.unfit(pki, &standing).map(|fault| fault.at(&pki.place)));
        let renew_at = renew_at(authority).unwrap_or_else(|fault| {
            faults.push(fault);
            Share::default()
        });
        wish.resources.insert(Key::new(AUTHORITY, "root"), root(authority));
        if standing.wants_issuing(authority) {
            wish.resources.insert(Key::new(ISSUING, "issuing"), issuing(authority, renew_at));
        }
        let issuer = standing.issuer(authority);
        for (name, broker) in &inventory.brokers {
            match server(authority, broker, &issuer, renew_at) {
                Ok(resource) => drop(wish.resources.insert(Key::new(CERTIFICATE, name), resource)),
                Err(found) => faults.extend(found),
            }
        }
        for name in mosquitto::certified_relays(inventory) {
            let resource = leaf(authority, Vec::new(), &issuer, renew_at);
            wish.resources.insert(Key::new(CERTIFICATE, name), resource);
        }
        match self.lists(inventory, authority, &issuer, renew_at) {
            Ok(lists) => wish.resources.extend(lists),
            Err(fault) => faults.push(fault),
        }
        for path in mosquitto::minted(inventory) {
            let fields = Fields::from([("present".into(), true.into())]);
            let summary = "make, 32 random bytes".into();
            wish.resources
                .insert(Key::new(SECRET, path), Resource { fields, summary, ..Resource::default() });
        }
        if faults.is_empty() { Ok(wish) } else { Err(faults) }
    }

    fn standing(&self) -> Result<Standing, Fault> {
        let shown = |error: anyhow::Error| Fault::new(format!("{error:#}"));
        Ok(Standing {
            root: pki::root_certificate(&self.root).map_err(shown)?,
            root_key: pki::root_has_key(&self.root).map_err(shown)?,
            issuing: pki::issuing_certificate(&self.root).map_err(shown)?,
        })
    }

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

    /// Why the authority that stands cannot be the one of the inventory.
    fn unfit(&self, pki: &Pki, standing: &Standing) -> Option<Fault> {
        let root = standing.root.as_ref()?;
        let (stands, wished) = (&root.name, &pki.authority.name);
        let anew = "remove pki/root.pem and pki/root.key.age to have the next apply make a new root and \
            issue all certificates again";
        if stands != wished {
            let message = format!("the root certificate is named `{stands}`, the inventory says `{wished}`");
            return Some(Fault::new(message).hint(format!("put the name back, or {anew}")));
        }
        if self.now >= root.not_after {
            let message = format!("the root certificate ended on {}", root.not_after.strftime("%F"));
            return Some(Fault::new(message).hint(anew));
        }
        let issuing = standing.issuing.as_ref()?;
        if issuing.issuer_key_id != root.key_id {
            let fault = Fault::new("pki/issuing.pem was not signed by pki/root.pem");
            return Some(fault.hint("put back the one that belongs to it, or remove pki/issuing.*"));
        }
        if self.now >= issuing.not_after && !standing.root_key {
            let message = format!("the issuing certificate ended on {}", issuing.not_after.strftime("%F"));
            let hint = "carry a request to the root: `rocade pki csr`, `pki sign` there, `pki import` here";
            return Some(Fault::new(message).hint(hint));
        }
        None
    }

    /// The lists of revoked certificates: where a broker asks for certificates, or one was revoked.
    fn lists(
        &self,
        inventory: &Inventory,
        authority: &Authority,
        issuer: &Value,
        renew_at: Share,
    ) -> Result<Option<(Key, Resource)>, Fault> {
        let shown = |error: anyhow::Error| Fault::new(format!("{error:#}"));
        let asked = inventory.brokers.values().any(|broker| broker.listeners.certificates.is_some());
        if !asked && pki::revocations(&self.root).map_err(shown)?.is_empty() {
            return Ok(None);
        }
        let wished = pki::wished_crls(&self.root, self.now).map_err(shown)?;
        // The key is elsewhere: nothing here can make them.
        if wished.is_empty() && !issuer.is_pending() {
            return Ok(None);
        }
        let (issuers, serials): (Vec<String>, Vec<Vec<String>>) = wished.into_iter().unzip();
        let issuers = if issuer.is_pending() { issuer.clone() } else { issuers.into() };
        let mut serials = serials.concat();
        serials.sort();
        let count = serials.len();
        let lifetime = crl_lifetime(authority);
        let fields = Fields::from([
            ("issuers".into(), issuers),
            ("revoked".into(), serials.into()),
            ("due".into(), false.into()),
            ("lifetime".into(), Value::text(lifetime.to_string())),
            ("renew_at".into(), Value::text(renew_at.to_string())),
        ]);
        let summary = format!("make, {} days, {count} revoked", days(lifetime));
        Ok(Some((Key::new(CRL, "revoked"), Resource { fields, summary, ..Resource::default() })))
    }
}

fn days(lifetime: Period) -> u64 {
    lifetime.as_secs() / 86_400
}

fn root(authority: &Authority) -> Resource {
    let lifetime = root_lifetime(authority);
    let fields = Fields::from([
        ("name".into(), Value::text(&authority.name)),
        ("lifetime".into(), Value::text(lifetime.to_string())),
    ]);
    let summary = format!("make `{}`, {} days", authority.name, days(lifetime));
    Resource { fields, summary, ..Resource::default() }
}

fn issuing(authority: &Authority, renew_at: Share) -> Resource {
    let lifetime = issuing_lifetime(authority);
    let only = only(authority);
    let bound = if only.is_empty() { String::new() } else { format!(", only {}", only.join(", ")) };
    let fields = Fields::from([
        ("only".into(), only.into()),
        ("due".into(), false.into()),
        ("lifetime".into(), Value::text(lifetime.to_string())),
        ("renew_at".into(), Value::text(renew_at.to_string())),
    ]);
    let summary = format!("make, {} days{bound}", days(lifetime));
    Resource { fields, summary, ..Resource::default() }
}

fn server(
    authority: &Authority,
    broker: &Broker,
    issuer: &Value,
    renew_at: Share,
) -> Result<Resource, Vec<Fault>> {
    let wrong = |name: &At<String>| {
        normal_name(name).err().map(|fault| Fault::new(fault.to_string()).at(&name.place))
    };
    let faults: Vec<Fault> = broker.names.iter().filter_map(wrong).collect();
    match normal_names(broker.names.iter().map(|name| name.as_str())) {
        Ok(names) => Ok(leaf(authority, names, issuer, renew_at)),
        Err(_) => Err(faults),
    }
}

/// A server's leaf for these names, or a client's when there are none.
fn leaf(authority: &Authority, names: Vec<String>, issuer: &Value, renew_at: Share) -> Resource {
    let lifetime = authority.leaf_lifetime.as_ref().map_or(LEAF_LIFETIME, |at| *at.value);
    let count = names.len();
    let fields = Fields::from([
        ("client".into(), (count == 0).into()),
        ("names".into(), names.into()),
        ("issuer".into(), issuer.clone()),
        ("key".into(), true.into()),
        ("revoked".into(), false.into()),
        ("due".into(), false.into()),
        ("lifetime".into(), Value::text(lifetime.to_string())),
        ("renew_at".into(), Value::text(renew_at.to_string())),
    ]);
    let what = match count {
        0 => "for a client".to_owned(),
        1 => "1 name".to_owned(),
        _ => format!("{count} names"),
    };
    let summary = format!("issue, {} days, {what}", days(lifetime));
    Resource { fields, summary, ..Resource::default() }
}
