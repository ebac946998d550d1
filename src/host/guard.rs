//! A host written to under guard: before the first order of a batch the lock is taken, what the batch touches
//! is kept, and when the batch could cut us off a timer is set that puts it back; after its last order the lock
//! is given back, unless somebody still has to confirm. All in the same exec.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;

use super::mark::Mark;
use super::{Answer, Ask, Order, Ruling, Thing};
use crate::transport::Hosting;

/// How long the lock is held without a sign of life, in seconds.
pub const LOCK_S: u32 = 180;

/// The one table that rocade keeps in a host's firewall, by family and name.
pub const TABLE: &str = "inet rocade_broker";

/// How a refusal begins that says that another has the lock.
pub const LOCKED: &str = "it is locked for";

/// What an apply keeps on a host, and in whose name.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Who holds the lock: letters, digits and dashes.
    pub holder: String,
    /// Words for others who find the lock.
    pub words: String,
    /// The name of the apply.
    pub name: String,
    /// How long a change that could cut us off waits for its confirmation, in seconds.
    pub confirm_s: u32,
    /// From which commit it is, when that is known.
    pub mark: Option<Mark>,
}

impl Guard {
    /// Takes the lock, or holds it on.
    pub fn lock(&self) -> Order {
        let (holder, words) = (self.holder.clone(), self.words.clone());
        Order::Lock { holder, seconds: LOCK_S, words }
    }

    /// Gives the lock back.
    pub fn unlock(&self) -> Order {
        Order::Unlock { holder: self.holder.clone() }
    }

    /// What comes before anything is written: the lock, what is kept and, when it could cut us off, the timer.
    pub fn before(&self, things: Vec<Thing>, arm: bool) -> Vec<Order> {
        let keep = Order::Keep { name: self.name.clone(), things };
        let arm = arm.then(|| Order::Arm { name: self.name.clone(), seconds: self.confirm_s });
        [self.lock(), keep].into_iter().chain(arm).collect()
    }
}

/// What came of the guard so far.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Something was sent: there may be something kept.
    pub begun: bool,
    /// The timer was asked for: somebody has to confirm.
    pub armed: bool,
    /// The lock was given back already.
    pub given_back: bool,
    /// What the host lacks that would hold the timer over a power cut.
    pub lacking: Option<String>,
    /// Why no order was given at all: the lock is another's, or what is there could not be kept.
    pub refused: Option<String>,
}

/// A host under guard.
pub struct Guarded<'a> {
    host: &'a dyn Hosting,
    guard: &'a Guard,
    /// Where the mark lies.
    mark: &'a str,
    watched: Mutex<Watched>,
}

impl<'a> Guarded<'a> {
    /// A host that is written to in the name of an apply, whose mark lies at a path.
    pub fn new(host: &'a dyn Hosting, guard: &'a Guard, mark: &'a str) -> Self {
        Self { host, guard, mark, watched: Mutex::default() }
    }

    /// What came of it.
    pub fn watched(&self) -> Watched {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Watched> {
        // A panic while it was held leaves flags that are each true by themselves.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hosting for Guarded<'_> {
    fn ask<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        self.host.ask(asks)
    }

    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let armed = self.held().armed || orders.iter().any(cuts_off);
            let mark = self.guard.mark.as_ref().map(|mark| mark.order(self.mark));
            let mut things = things(orders);
            things.extend(mark.as_ref().map(|_| Thing::File(self.mark.to_owned())));
            let before = self.guard.before(things, armed);
            let count = before.len();
            {
                let mut watched = self.held();
                watched.begun = true;
                watched.armed = armed;
                watched.given_back = false;
            }
            let unlock = (!armed).then(|| self.guard.unlock());
            let after = mark.into_iter().chain(unlock);
            let all: Vec<Order> = before.into_iter().chain(orders.iter().cloned()).chain(after).collect();
            let last = all.len() - 1;
            let mut refused: Option<String> = None;
            let mut given_back = false;
            let mut lacking: Option<String> = None;
            self.host
                .order(&all, &mut |index, ruling| match index.checked_sub(count) {
                    None => match ruling {
                        Ruling::Failed(why) => refused = Some(why),
                        // The timer says what it lacks; lock and snapshot say nothing.
                        Ruling::Done(done) if !done.output.is_empty() => lacking = Some(done.output),
                        _ => {}
                    },
                    Some(0) if refused.is_some() => {
                        each(0, Ruling::Failed(refused.clone().unwrap_or_default()));
                    }
                    Some(own) if own < orders.len() => each(own, ruling),
                    Some(_) => given_back = !armed && index == last && matches!(ruling, Ruling::Done(_)),
                })
                .await;
            let mut watched = self.held();
            watched.refused = refused;
            watched.given_back = given_back;
            watched.lacking = watched.lacking.take().or(lacking);
        })
    }
}

/// The end of the URL of the page that tells whether a Conduit's settings are saved: it is kept beside them and
/// never written back.
pub const WITNESS: &str = "/api/system";

/// What orders touch, so far as it can be kept: each once, folders before what is in them.
pub fn things(orders: &[Order]) -> Vec<Thing> {
    let thing = |order: &Order| match order {
        Order::Put { path, .. }
        | Order::Own { path, .. }
        | Order::Directory { path, .. }
        | Order::Remove { path } => Some(Thing::File(path.clone())),
        Order::Service { name, .. } => Some(Thing::Service(name.clone())),
        Order::Send { method: "PUT", url, .. } => Some(Thing::Page(url.clone())),
        Order::Run { argv, .. } if argv.first().is_some_and(|program| program.ends_with("nft")) => {
            Some(Thing::Table(TABLE.to_owned()))
        }
        _ => None,
    };
    let things: BTreeSet<Thing> = orders.iter().filter_map(thing).collect();
    let systems: Vec<Thing> = things.iter().filter_map(witness).collect();
    things.into_iter().chain(systems).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The page that tells whether a Conduit's settings are saved, beside one of its settings.
fn witness(thing: &Thing) -> Option<Thing> {
    let Thing::Page(url) = thing else { return None };
    let (base, _) = url.split_once("/api/")?;
    Some(Thing::Page(format!("{base}{WITNESS}")))
}

/// Folders and files by which people and rocade get into a host.
const WAYS_IN: [&str; 30] = [
    "/etc/ssh/",
    "/etc/network/",
    "/etc/netplan/",
    "/etc/systemd/network/",
    "/etc/NetworkManager/",
    "/etc/wpa_supplicant/",
    "/etc/sudoers",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/pam.d/",
    "/etc/security/",
    "/etc/nftables",
    "/etc/iptables/",
    "/etc/ufw/",
    "/etc/hosts.allow",
    "/etc/hosts.deny",
    "/etc/fail2ban/",
    "/etc/dropbear/",
    "/etc/default/ssh",
    "/etc/default/dropbear",
    "/etc/dhcp",
    "/etc/firewalld/",
    "/etc/wireguard/",
    "/etc/openvpn/",
    "/etc/sysctl",
    "/etc/systemd/system/ssh",
    "/etc/init.d/networking",
    "/etc/init.d/ssh",
    "/etc/nsswitch.conf",
];
/// Services and programs that hold them open.
const KEEPERS: [&str; 17] = [
    "ssh",
    "ssh.socket",
    "sshd",
    "dhcpcd",
    "wpa_supplicant",
    "openvpn",
    "dropbear",
    "networking",
    "systemd-networkd",
    "NetworkManager",
    "nftables",
    "netfilter-persistent",
    "ufw",
    "fail2ban",
    "nft",
    "iptables",
    "ip",
];
/// Resources of a Conduit's API that do.
const PAGES: [&str; 5] = ["/api/remoteAccess", "/api/users", "/api/ni/", "/api/filters", "/api/firewall"];

/// Whether an order can cut us off: it touches SSH, users, the network or a firewall.
pub fn cuts_off(order: &Order) -> bool {
    let keeper =
        |name: &str| KEEPERS.contains(&name) || name.contains("firewall") || name.starts_with("wg-quick@");
    match order {
        Order::Put { path, .. }
        | Order::Own { path, .. }
        | Order::Directory { path, .. }
        | Order::Remove { path } => {
            let below = format!("{path}/");
            WAYS_IN.iter().any(|way| below.starts_with(way)) || below.contains("/.ssh/") || is_home(path)
        }
        Order::Service { name, .. } => keeper(name),
        Order::Run { argv, .. } => {
            argv.first().is_some_and(|program| keeper(program.rsplit('/').next().unwrap_or(program)))
        }
        Order::Send { url, .. } => PAGES.iter().any(|page| url.contains(page)),
        _ => false,
    }
}

/// Whether a path is a home: SSH takes no key from one that others may write to.
fn is_home(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == "/root" || path.strip_prefix("/home/").is_some_and(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ServiceAct;
    use crate::model::Secret;

    fn put(path: &str) -> Order {
        let word = |text: &str| text.to_owned();
        let content = Secret::new("x", "test");
        Order::Put { path: word(path), content, mode: word("0644"), owner: word("root"), group: word("root") }
    }

    fn service(name: &str) -> Order {
        Order::Service { name: name.to_owned(), act: ServiceAct::Restart, watch: Vec::new() }
    }

    #[test]
    fn what_orders_touch_is_kept_once() {
        let send = |method| Order::Send {
            method,
            url: "http://127.0.0.1/api/x".into(),
            body: Secret::new("", "test"),
        };
        let orders = [put("/b"), service("s"), send("PUT"), send("POST"), put("/a"), put("/b")];
        let file = |path: &str| Thing::File(path.to_owned());
        let page = |name: &str| Thing::Page(format!("http://127.0.0.1/api/{name}"));
        let pages = [page("system"), page("x")];
        assert_eq!(things(&orders)[..3], [file("/a"), file("/b"), Thing::Service("s".into())]);
        assert_eq!(things(&orders)[3..], pages, "whether all was saved is kept beside the settings");
    }

    #[test]
    fn ways_in_are_known() {
        for risky in ["/etc/ssh/sshd_config", "/home/ada/.ssh/authorized_keys", "/etc/sudoers.d/ada"] {
            assert!(cuts_off(&put(risky)), "{risky}");
        }
        let word = |text: &str| text.to_owned();
        let folder = |path: &str| Order::Directory {
            path: word(path),
            mode: word("0777"),
            owner: word("ada"),
            group: word("ada"),
        };
        assert!(
            ["/root", "/home/ada", "/home/ada/.ssh", "/etc/ssh"].iter().all(|path| cuts_off(&folder(path)))
        );
        assert!(!cuts_off(&folder("/home/ada/signs")) && !cuts_off(&folder("/etc/mosquitto")));
        assert!(cuts_off(&service("ssh")) && cuts_off(&service("rocade-firewall")));
        assert!(!cuts_off(&put("/etc/mosquitto/mosquitto.conf")) && !cuts_off(&service("mosquitto")));
    }
}
