//! Who guesses passwords is locked out: fail2ban reads the broker's log and bans addresses with nftables, in a
//! table of its own. Bans are fail2ban's to keep: they outlast its reload and its restart.

use serde_json::json;

use super::desire;
use crate::host::{Order, ServiceAct, files, services};
use crate::inventory::{Broker, BruteForce};
use crate::model::{Action, Change, Fields, Impact, Key, Resource, Resources, Secret, Wish};
use crate::providers::{Fault, Job, Lookup};

/// The collection of fail2ban's files.
pub(super) const FILES: &str = "jail";
/// The collection of fail2ban itself: started after the broker, whose log must be there.
pub(super) const COLLECTION: &str = "lockout";

const SERVICE: &str = "fail2ban";
const FOLDERS: [&str; 2] = ["/etc/fail2ban/filter.d", "/etc/fail2ban/jail.d"];
const FILTER: &str = "/etc/fail2ban/filter.d/rocade-mosquitto.conf";
/// Read before Debian's and anybody's own files of this folder, which may say otherwise.
const JAIL: &str = "/etc/fail2ban/jail.d/00-rocade-mosquitto.conf";

/// The packages it needs. Debian enables a jail for SSH that needs the last where there is no rsyslog, and
/// without which fail2ban as a whole does not start.
const PACKAGES: [(&str, &str); 3] =
    [(SERVICE, "lock-out"), ("nftables", "firewall"), ("python3-systemd", "lock-out")];

pub(super) fn service_key() -> Key {
    Key::new(COLLECTION, SERVICE)
}

/// All that is wished of a lock-out.
///
/// # Errors
/// When a template is missing.
pub(super) fn wished(
    name: &str,
    broker: &Broker,
    rule: &BruteForce,
    lookup: &dyn Lookup,
) -> Result<Resources, Fault> {
    let ports: Vec<String> = desire::tls_ports(broker).map(|port| port.to_string()).collect();
    let never: Vec<String> = rule.never.iter().map(|network| network.value.to_string()).collect();
    let context = json!({
        "broker": name,
        "ports": ports.join(","),
        "never": never,
        "max_retry": rule.max_retry,
        "find_time": rule.find_time.as_secs(),
        "ban_time": rule.ban_time.as_secs(),
    });
    let file = |path: &str, template: &str| -> Result<(Key, Resource), Fault> {
        let fields = files::wish(lookup.render(template, &context)?.into(), "644", "root", "root");
        let wakes = broker.root.is_none().then(service_key);
        let impact = Impact::Reload(SERVICE.to_owned());
        Ok((Key::new(FILES, path), Resource { fields, wakes, impact, ..Resource::default() }))
    };
    let mut resources = Resources::from([
        file(FILTER, "mosquitto/fail2ban-filter.conf")?,
        file(JAIL, "mosquitto/fail2ban-jail.conf.j2")?,
    ]);
    let package = |(name, summary)| (Key::new("package", name), desire::package(summary));
    resources.extend(PACKAGES.map(package));
    if broker.root.is_none() {
        let fields = ["enabled", "running", "current"].map(|name| (name.to_owned(), true.into()));
        let summary = format!(
            "{} failures in {} s: out for {} s",
            rule.max_retry,
            rule.find_time.as_secs(),
            rule.ban_time.as_secs()
        );
        resources.insert(service_key(), Resource { fields: fields.into(), summary, ..Resource::default() });
    }
    Ok(resources)
}

/// The files it reads when it starts.
pub(super) fn watched() -> Vec<String> {
    [FILTER, JAIL].map(str::to_owned).into()
}

/// Our files that are not wished, which an earlier inventory may have left.
pub(super) fn unwished(wish: &Wish) -> impl Iterator<Item = String> {
    let wished = |path: &&str| wish.resources.contains_key(&Key::new(FILES, *path));
    let unwished: Vec<&str> = [FILTER, JAIL].into_iter().filter(|path| !wished(path)).collect();
    unwished.into_iter().map(str::to_owned)
}

/// Whether a file is one of ours here.
pub(super) fn is_ours(path: &str) -> bool {
    [FILTER, JAIL].contains(&path)
}

/// The name of the service, when a question is about it.
pub(super) fn is_service(name: &str) -> bool {
    name == SERVICE
}

/// Ends the jail, and its bans with it, where it runs. A reload would do, but not on a host where Debian's own
/// jail has no log: there it fails as a whole.
const END: &str =
    "! fail2ban-client status rocade-mosquitto >/dev/null 2>&1 || fail2ban-client stop rocade-mosquitto";

/// The orders of a change of a file. The jail goes last, and with it what fail2ban does for it.
///
/// # Errors
/// What the wish lacks.
pub(super) fn file_orders(change: &Change, wished: &Fields, live: bool) -> Result<Vec<Order>, String> {
    let mut orders = Vec::new();
    if change.action != Action::Delete {
        orders.extend(FOLDERS.map(files::folder));
    }
    orders.push(files::order(change, wished)?);
    if live && change.action == Action::Delete && change.address.key.name == JAIL {
        let argv = ["/bin/sh", "-c", END].map(str::to_owned).into();
        orders.push(Order::Run { argv, stdin: Secret::new("", "nothing") });
    }
    Ok(orders)
}

/// The orders of a change of fail2ban.
pub(super) fn orders(job: &Job<'_>, change: &Change) -> Vec<Order> {
    let touched = job.changes.iter().any(|change| change.address.key.collection == FILES);
    services::orders(SERVICE, &watched(), change, ServiceAct::Reload, touched)
}
