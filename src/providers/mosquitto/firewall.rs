//! The firewall of a broker's host: one nftables table of our own, whose policy accepts, so that it can close
//! the broker's ports and never anybody's way in. What other tables drop it cannot accept (`nft(8)`: an accept
//! ends one chain, a drop ends the packet), so a chain that may drop the broker's clients is only named.

use std::fmt::Write;

use super::{barrier, desire};
use crate::host::{Answer, Ask, Order, ServiceAct, files};
use crate::inventory::{Broker, Firewall};
use crate::model::{Action, Change, Fields, Key, Network, Observed, Resource, Secret, Value, Wish};
use crate::providers::{Fault, Lookup};

/// The collection of the rules that are in force, and whether they will be after a boot.
pub(super) const COLLECTION: &str = "firewall";
/// The collection of the files they are loaded from at boot. No other service reads these.
pub(super) const FILES: &str = "boot";

const TABLE: &str = crate::host::guard::TABLE;
const FOLDER: &str = "/etc/rocade";
const RULES: &str = "/etc/rocade/broker.nft";
const UNIT: &str = "/etc/systemd/system/rocade-firewall.service";
const SCRIPT: &str = "/etc/init.d/rocade-firewall";
const SERVICE: &str = "rocade-firewall";
const NFT: &str = "/usr/sbin/nft";

/// The fields of [`COLLECTION`]'s one resource.
const IN_FORCE: &str = "rules";
const AT_BOOT: &str = "at_boot";

fn key() -> Key {
    Key::new(COLLECTION, TABLE)
}

/// The files the rules are loaded from: the systemd unit and the init script have one name, and an init takes
/// the one it knows.
///
/// # Errors
/// When a template is missing.
pub(super) fn wished_files(
    name: &str,
    broker: &Broker,
    firewall: &Firewall,
    lookup: &dyn Lookup,
) -> Result<[(Key, Resource); 3], Fault> {
    let source = |path: &str| lookup.source(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let file = |path: &str, content: String, mode: &str| {
        let fields = files::wish(content.into(), mode, "root", "root");
        (Key::new(FILES, path), Resource { fields, ..Resource::default() })
    };
    Ok([
        file(RULES, ruleset(name, broker, firewall), "644"),
        file(UNIT, source("mosquitto/rocade-firewall.service")?, "644"),
        file(SCRIPT, source("mosquitto/rocade-firewall.init")?, "755"),
    ])
}

/// The rules as they are to be in force, now and after a boot.
pub(super) fn wished(name: &str, broker: &Broker, firewall: &Firewall) -> (Key, Resource) {
    let fields = [
        (IN_FORCE.to_owned(), rules(&ruleset(name, broker, firewall)).into()),
        (AT_BOOT.to_owned(), true.into()),
    ];
    (key(), Resource { fields: fields.into(), summary: summary(broker, firewall), ..Resource::default() })
}

fn summary(broker: &Broker, firewall: &Firewall) -> String {
    let open: Vec<String> = desire::tls_ports(broker).map(|port| port.to_string()).collect();
    let from = networks(firewall).map(|network| network.to_string()).collect::<Vec<_>>();
    let from = if from.is_empty() { "all networks".to_owned() } else { from.join(", ") };
    format!("TCP {} open to {from}", open.join(", "))
}

fn networks(firewall: &Firewall) -> impl Iterator<Item = Network> + '_ {
    firewall.from.iter().flat_map(|from| from.iter()).map(|network| *network.value)
}

/// The file that replaces our table as a whole, in the words `nft list table` uses, one network and one port
/// a rule: versions of nft differ in how they print sets.
fn ruleset(name: &str, broker: &Broker, firewall: &Firewall) -> String {
    let mut rules = vec!["type filter hook input priority filter; policy accept;".to_owned()];
    rules.push("iif \"lo\" accept".to_owned());
    if let Some(most) = &firewall.connections {
        rules.extend(desire::tls_ports(broker).flat_map(|port| limits(port, **most)));
    }
    for port in desire::tls_ports(broker) {
        let open = format!("tcp dport {port} accept");
        let from = networks(firewall).map(|network| {
            let family = if network.address().is_ipv4() { "ip" } else { "ip6" };
            format!("{family} saddr {network} {open}")
        });
        let before = rules.len();
        rules.extend(from);
        rules.push(if rules.len() == before { open } else { format!("tcp dport {port} drop") });
    }
    rules.extend(desire::clear_ports(broker).map(|port| format!("tcp dport {port} drop")));
    let mut text = format!(
        "# Written by rocade for broker {name}: changes made here by hand are undone by the next apply.\n\n\
         # Loading this file replaces the table in one step, whether it is there or not.\n\
         table {TABLE} {{}}\ndelete table {TABLE}\ntable {TABLE} {{\n"
    );
    if firewall.connections.is_some() {
        for (set, kind, _) in COUNTED {
            // Writing to a String cannot fail.
            let _ =
                writeln!(text, "\tset {set} {{\n\t\ttype {kind}\n\t\tsize 65535\n\t\tflags dynamic\n\t}}\n");
        }
    }
    text.push_str("\tchain input {\n");
    for rule in rules {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\t\t{rule}");
    }
    text.push_str("\t}\n}\n");
    text
}

/// The sets in which connections are counted by address, their type, and the family of the address.
const COUNTED: [(&str, &str, &str); 2] =
    [("connections4", "ipv4_addr", "ip"), ("connections6", "ipv6_addr", "ip6")];

/// The rules by which an address holds no more than so many connections to a port.
fn limits(port: u16, most: u16) -> impl Iterator<Item = String> {
    COUNTED.into_iter().map(move |(set, _, family)| {
        format!("tcp dport {port} ct state new add @{set} {{ {family} saddr ct count over {most} }} drop")
    })
}

/// The lines of our table that say something, of the file or of what `nft list table` printed. What a set
/// holds says who is connected now.
fn rules(text: &str) -> Vec<String> {
    let head = format!("table {TABLE} {{");
    let lines = text.lines().skip_while(|line| *line != head).skip(1);
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut within = false;
    let said = lines.filter(|line| {
        let begins = line.starts_with("set ") && line.ends_with('{');
        let held = within;
        within = begins || (within && line != "}");
        begins || !(held || matches!(line.as_str(), "" | "}" | "chain input {"))
    });
    said.collect()
}

/// The questions: those that find what an earlier inventory left, also when nothing is wished; and where
/// programs run, what is in force and who else filters.
pub(super) fn asks(wish: &Wish, runs: bool) -> Vec<Ask> {
    let unwished = [RULES, UNIT, SCRIPT].into_iter().filter(|path| !is_wished(wish, path));
    let mut asks: Vec<Ask> = unwished.map(|path| Ask::File { path: path.to_owned() }).collect();
    if runs {
        asks.push(Ask::Firewall { table: TABLE.to_owned() });
        asks.push(Ask::Service { name: SERVICE.to_owned(), watch: Vec::new() });
    }
    if is_live(wish) {
        asks.push(Ask::Ruleset);
    }
    asks
}

fn is_wished(wish: &Wish, path: &str) -> bool {
    wish.resources.contains_key(&Key::new(FILES, path))
}

/// The collection a file belongs to.
pub(super) fn collection_of(path: &str) -> &'static str {
    if [RULES, UNIT, SCRIPT].contains(&path) { FILES } else { "file" }
}

/// Whether a question is about the firewall: its answer is [`take`]n here.
pub(super) fn is_asked(ask: &Ask) -> bool {
    match ask {
        Ask::Firewall { .. } | Ask::Ruleset => true,
        Ask::Service { name, .. } => name == SERVICE,
        _ => false,
    }
}

/// Takes an answer.
pub(super) fn take(observed: &mut Observed, wish: &Wish, ask: &Ask, answer: Answer) {
    let mut see = |field: &str, value: Value| {
        observed.resources.entry(key()).or_default().insert(field.to_owned(), value);
    };
    match (ask, answer) {
        (Ask::Firewall { .. }, Answer::Content(Some(table))) => {
            see(IN_FORCE, rules(table.reveal_text().unwrap_or_default()).into());
        }
        (Ask::Ruleset, Answer::Content(Some(ruleset))) => {
            name_barriers(observed, wish, ruleset.reveal_text().unwrap_or_default());
        }
        (Ask::Service { .. }, Answer::Service(Some(facts))) if facts.enabled => see(AT_BOOT, true.into()),
        // A host whose rules cannot be read matters to those who wish some.
        (_, Answer::Unread(reason)) if is_live(wish) => {
            observed.miss(Some(COLLECTION), Some(TABLE), reason);
        }
        _ => {}
    }
}

/// Names each chain of another table that may drop what ours lets in, with the rule it lacks.
fn name_barriers(observed: &mut Observed, wish: &Wish, ruleset: &str) {
    let Some(Value::List(rules)) = wish.resources.get(&key()).and_then(|wished| wished.fields.get(IN_FORCE))
    else {
        return;
    };
    let open =
        rules.iter().filter_map(|rule| rule.as_text()?.strip_suffix(" accept")?.rsplit_once("tcp dport "));
    let mut ports: Vec<u16> = open.filter_map(|(_, port)| port.parse().ok()).collect();
    ports.dedup();
    for port in ports {
        for chain in barrier::chains(ruleset, TABLE, port) {
            let reason = format!(
                "the policy of chain `{chain}` is drop and no rule beside it names this port; \
                 `nft insert rule {chain} tcp dport {port} accept` opens it"
            );
            observed.miss(Some("port"), Some(&format!("{port} behind {chain}")), reason);
        }
    }
}

/// The orders of a change of the rules: loaded in one step, and at every boot from now on. Both halves of
/// what goes are known to be there: nothing else makes it a change.
pub(super) fn orders(change: &Change) -> Vec<Order> {
    let differs =
        |side: &Option<Fields>, field: &str| side.as_ref().is_some_and(|side| side.contains_key(field));
    let run = |words: &[&str]| Order::Run {
        argv: std::iter::once(&NFT).chain(words).map(|word| (*word).to_owned()).collect(),
        stdin: Secret::new("", "nothing"),
    };
    let goes = change.action == Action::Delete;
    let side = if goes { &change.before } else { &change.after };
    let mut orders = Vec::new();
    if differs(side, IN_FORCE) {
        let words: &[&str] =
            if goes { &["delete", "table", "inet", "rocade_broker"] } else { &["-f", RULES] };
        orders.push(run(words));
    }
    if differs(side, AT_BOOT) {
        let acts: &[ServiceAct] =
            if goes { &[ServiceAct::Stop, ServiceAct::Disable] } else { &[ServiceAct::Enable] };
        orders.extend(acts.iter().map(|act| service(*act)));
    }
    orders
}

fn service(act: ServiceAct) -> Order {
    Order::Service { name: SERVICE.to_owned(), act, watch: Vec::new() }
}

/// The orders of a change of a file. New rules are tried by nft before they are put in place, where there is
/// a firewall to try them on (not under a prefix).
///
/// # Errors
/// What the wish lacks.
pub(super) fn file_orders(change: &Change, wished: &Fields, live: bool) -> Result<Vec<Order>, String> {
    let mut orders = Vec::new();
    if change.address.key.name == RULES && change.action != Action::Delete {
        orders.push(files::folder(FOLDER));
        if let Some(content) = files::bytes(wished).filter(|_| live) {
            let argv = [NFT, "-c", "-f", "-"].map(str::to_owned).into();
            orders.push(Order::Run { argv, stdin: content });
        }
    }
    orders.push(files::order(change, wished)?);
    // systemd goes on with the unit it knows until something is asked of it.
    if live && change.address.key.name == UNIT {
        orders.push(service(ServiceAct::Enable));
    }
    Ok(orders)
}

/// Whether rules are wished to be in force.
pub(super) fn is_live(wish: &Wish) -> bool {
    wish.resources.contains_key(&key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_as_what_nft_prints() {
        let printed = "table inet rocade_broker {\n\tchain input {\n\t\ttype filter hook input priority filter; \
             policy accept;\n\t\tiif \"lo\" accept\n\t\ttcp dport 1883 drop\n\t}\n}\n";
        let file = format!("# words\ntable {TABLE} {{}}\ndelete table {TABLE}\n{printed}");
        assert_eq!(rules(&file), rules(printed));
        assert_eq!(rules(printed).len(), 3);
        let counted = printed.replace(
            "\tchain",
            "\tset connections4 {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 ct count over 2,\n\t\t\t \
             10.0.0.2 ct count over 2 }\n\t}\n\n\tchain",
        );
        assert_eq!(rules(&counted)[0], "set connections4 {");
        assert_eq!(rules(&counted)[1..], rules(printed)[..]);
        let added = printed.replace("\t}\n}", "\t}\n\n\tchain other {\n\t}\n}");
        assert_eq!(rules(&added)[3], "chain other {");
    }
}
