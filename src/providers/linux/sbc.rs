//! The 3CX SBC on a host: its package, the link it fetches its configuration from, its service.
//!
//! What is known, and from where; nothing of it was seen on a machine of ours:
//! * package and service `3cxsbc`, file `/etc/3cxsbc.conf`: 3CX's own installer as kept in 78wesley/3CX-SBC
//!   (`3cxsbc.sh`), apyos/docker-3cx-sbc, shaike1/openclaw-3cx; all agree.
//! * the link is `URL/sbc/KEY`, and what it answers is the whole file, with `ProvLink` among its lines: the same
//!   installer and images. The SBC fetches it anew when the PBX pushes, so the file is not ours to compare.
//! * a file of the line `ProvLink=...` alone is enough at a start: two public notes on Raspberry Pis, one of which
//!   also runs `3cxsbc-reprovision`. This is the weakest of these.
//! * the service runs as `tcxsbc`: one of these notes. 3CX's installer asks systemd, so a file that is there keeps
//!   its owner.
//! * the key of the link is taken for another word than the SBC's password on the PBX, which has a line of its own
//!   in the file (`Password=`, a public audit tool's note); so the link is a secret of the inventory.

use super::SERVICE;
use crate::host::{Order, packages};
use crate::inventory::{At, Inventory, SBC_FILE, Sbc, Unverified};
use crate::model::{
    Change, Fields, Impact, Key, Objection, Observed, Origin, Resource, Resources, Secret, Value, Verifier,
    Wish,
};
use crate::providers::{Fault, Lookup};

/// The collection of what an SBC is told; its resource has the SBC's name on the PBX.
pub(super) const SBC: &str = "sbc";
/// What is known besides, and in no plan.
pub(super) const SYSTEM: &str = "system";

const PROGRAM: &str = "3cxsbc";
const ACCOUNT: &str = "tcxsbc";
const LINK: &str = "provisioning_link";
/// Distributions that 3CX packages for, as they call themselves.
const DEBIANS: [&str; 2] = ["debian", "raspbian"];

/// The name of the SBC's service.
pub(super) fn service() -> Key {
    Key::new(SERVICE, PROGRAM)
}

/// What the SBCs of a host wish of it.
pub(super) fn wish(
    inventory: &Inventory,
    host: &str,
    lookup: &dyn Lookup,
    resources: &mut Resources,
) -> Result<(), Fault> {
    for pbx in inventory.pbx.values() {
        let here = |sbc: &At<Sbc>| sbc.host.as_ref().is_some_and(|named| named.as_str() == host);
        for (name, sbc) in pbx.sbcs.iter().filter(|(_, sbc)| here(sbc)) {
            let fields = [(LINK.to_owned(), link(name, sbc, lookup)?)].into();
            let origin = Origin { whole: sbc.place.to_string(), ..Origin::default() };
            let summary = sbc.title.clone().unwrap_or_default();
            let wakes = Some(service());
            let told = Resource { fields, impact: impact(), wakes, summary, origin };
            resources.insert(Key::new(SBC, name.as_str()), told);
            let package = Resource { fields: packages::wish(), ..Resource::default() };
            resources.insert(Key::new(super::PACKAGE, PROGRAM), package);
            let flags = ["enabled", "running", "current"].map(|flag| (flag.to_owned(), Value::Bool(true)));
            let running = Resource { fields: flags.into(), impact: impact(), ..Resource::default() };
            resources.insert(service(), running);
            if pbx.accept_unverified.iter().any(|word| word.value == Unverified::SbcHosts) {
                resources.insert(Key::new(SYSTEM, "accepted"), Resource::default());
            }
        }
    }
    Ok(())
}

fn impact() -> Impact {
    Impact::Interrupts("calls through the SBC".to_owned())
}

/// The link as it stands in the file.
fn link(name: &str, sbc: &At<Sbc>, lookup: &dyn Lookup) -> Result<Value, Fault> {
    let Some(named) = &sbc.provisioning_link else {
        return Err(Fault::new(format!("the SBC {name} has no provisioning link")).at(&sbc.place));
    };
    let found = lookup.secret(&named.secret).map_err(|fault| fault.at(&named.place))?;
    let Some(secret) = ready(found) else {
        return Err(Fault::new("nothing makes a provisioning link but the PBX").at(&named.place));
    };
    let text = secret.reveal_text().unwrap_or_default().trim_end();
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    if !plain || !text.starts_with("https://") || !text.contains("/sbc/") || text.ends_with('/') {
        let fault =
            Fault::new(format!("the secret {} is no provisioning link", named.secret)).at(&named.place);
        return Err(fault.hint("the PBX shows it as `https://FQDN/sbc/KEY`"));
    }
    Ok(Value::Secret(Secret::new(text, secret.source())))
}

fn ready(found: crate::providers::Found<Secret>) -> Option<Secret> {
    match found {
        crate::providers::Found::Ready(secret) => Some(secret),
        crate::providers::Found::Pending(_) => None,
    }
}

/// What the SBC's file says: its link, and whether that is all of it.
pub(super) fn seen(content: &Secret) -> Fields {
    let text = content.reveal_text().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let link = lines.iter().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim_end() == "ProvLink").then(|| value.trim_start())
    });
    let theirs = |link: &str| Value::Verifier(Verifier::Plain(Secret::new(link, SBC_FILE)));
    let mut fields = Fields::from([("bare".to_owned(), Value::Bool(link.is_some() && lines.len() == 1))]);
    fields.extend(link.map(|link| (LINK.to_owned(), theirs(link))));
    fields
}

/// A file that is more than its link was fetched by the SBC, which runs with it however late it was written.
pub(super) fn judge(observed: &mut Observed) {
    let fetched = |(key, fields): (&Key, &Fields)| {
        key.collection == SBC && matches!(fields.get("bare"), Some(Value::Bool(false)))
    };
    let whole = observed.resources.iter().any(fetched);
    if let Some(fields) = observed.resources.get_mut(&service()).filter(|_| whole)
        && matches!(fields.get("running"), Some(Value::Bool(true)))
    {
        fields.insert("current".to_owned(), true.into());
    }
}

/// Puts the link in place of all that was fetched from another.
pub(super) fn order(key: &Key, wished: &Fields, observed: &Observed) -> Result<Order, String> {
    let Some(Value::Secret(link)) = wished.get(LINK) else {
        return Err(format!("no link is wished of {key}"));
    };
    let seen = observed.resources.get(key);
    let name =
        |field: &str| seen.and_then(|seen| seen.get(field)).and_then(Value::as_text).unwrap_or(ACCOUNT);
    let content = [b"ProvLink=", link.reveal(), b"\n"].concat();
    Ok(Order::Put {
        path: SBC_FILE.to_owned(),
        content: Secret::new(content, link.source()),
        mode: "0600".to_owned(),
        owner: name("owner").to_owned(),
        group: name("group").to_owned(),
    })
}

/// What stands against an SBC on this host.
pub(super) fn objections(wish: &Wish, observed: &Observed, changes: &[&Change]) -> Vec<Objection> {
    let Some((key, sbc)) = wish.resources.iter().find(|(key, _)| key.collection == SBC) else {
        return Vec::new();
    };
    let touches =
        |change: &&Change| change.address.key.collection == SBC || change.address.key.name == PROGRAM;
    if !changes.iter().any(touches) {
        return Vec::new();
    }
    let objection = |reason: String, hint: &str| Objection {
        target: wish.target.clone(),
        reason,
        place: sbc.origin.whole.clone(),
        hint: hint.to_owned(),
    };
    let mut found = Vec::new();
    let os = observed.resources.get(&Key::new(SYSTEM, "os")).and_then(|os| os.get("id")?.as_text());
    if let Some(os) = os.filter(|os| !DEBIANS.contains(os)) {
        found.push(objection(format!("{key}: 3CX has it for Debian, and this host is `{os}`"), ""));
    }
    if !wish.resources.contains_key(&Key::new(SYSTEM, "accepted")) {
        let hint = "write `accept_unverified: [sbc_hosts]` on the PBX to try it all the same";
        found.push(objection(format!("{key}: its install was never seen on a real host"), hint));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_what_the_sbc_made_of_it() {
        let link = Value::Secret(Secret::new("https://pbx.example.net/sbc/abc", "x"));
        for (text, bare) in [
            ("ProvLink=https://pbx.example.net/sbc/abc\n", true),
            ("[Bridge/1]\r\nTunnelPort=5090\r\nProvLink = https://pbx.example.net/sbc/abc\r\n", false),
        ] {
            let seen = seen(&Secret::new(text, "x"));
            assert!(crate::plan::same(&link, &seen[LINK]), "{text}");
            assert!(matches!(seen["bare"], Value::Bool(is) if is == bare), "{text}");
        }
        let none = seen(&Secret::new("#ProvLink=https://pbx.example.net/sbc/abc\n[Bridge/1]\n", "x"));
        assert!(!none.contains_key(LINK));
    }
}
