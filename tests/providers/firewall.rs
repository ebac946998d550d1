//! The firewall of a broker's host: in the lab for the story, and with the real nftables in namespaces of its
//! own for what packets meet. The machine's own rules are never touched.

use rocade::host::{Order, Ruling, Thing};
use rocade::inventory::Inventory;
use rocade::lab::DevicePlan;
use rocade::model::{Key, Value, Wish};
use rocade::providers::mosquitto::MosquittoProvider;
use rocade::transport::Hosting;

use super::flow::{Bench, apply, inventory, lines, plan, settle, wish};
use super::mosquitto::{INVENTORY, with_free_ports};
use super::own_broker::{Machine, host};
use super::shelf::Shelf;

const TABLE: &str = "inet rocade_broker";
/// What is added to a broker that has rules, in the order of a plan.
const ADDED: [&str; 4] = [
    "+ boot /etc/init.d/rocade-firewall",
    "+ boot /etc/rocade/broker.nft",
    "+ boot /etc/systemd/system/rocade-firewall.service",
    "+ firewall inet rocade_broker",
];
/// And what goes when the section does.
const REMOVED: [&str; 4] = [
    "- firewall inet rocade_broker",
    "- boot /etc/init.d/rocade-firewall",
    "- boot /etc/rocade/broker.nft",
    "- boot /etc/systemd/system/rocade-firewall.service",
];

/// An inventory with a `firewall` section.
fn with_firewall(text: &str, section: &str) -> Inventory {
    inventory(&text.replace("    clients:", &format!("    firewall: {section}\n    clients:")))
}

fn wished(inventory: &Inventory) -> Wish {
    wish(&MosquittoProvider, inventory, "main", &Shelf::filled())
}

#[tokio::test]
async fn in_the_lab_rules_come_are_put_back_and_go() {
    let bench = Bench::start(DevicePlan::debian("main")).await;
    let text = with_free_ports();
    let (without, with) = (wished(&inventory(&text)), wished(&with_firewall(&text, "{}")));
    settle(&MosquittoProvider, &without, &bench.host).await;
    let lines = settle(&MosquittoProvider, &with, &bench.host).await;
    assert_eq!(lines, [&["+ package nftables"][..], &ADDED].concat());
    bench.device().log().clear();
    plan(&MosquittoProvider, &with, &bench.host).await;
    assert_eq!(bench.did(), Vec::<String>::new());

    bench.device().with_state(|state| state.firewall.remove(TABLE));
    let lines = settle(&MosquittoProvider, &with, &bench.host).await;
    assert_eq!(lines, ["~ firewall inet rocade_broker"]);
    assert_eq!(bench.did(), ["run /usr/sbin/nft"], "what stands is not written again");

    let lines = settle(&MosquittoProvider, &without, &bench.host).await;
    assert_eq!(lines, REMOVED);
    assert!(bench.device().with_state(|state| state.firewall.is_empty()));
    assert!(!bench.did().iter().any(|deed| deed.ends_with(" mosquitto")), "{:?}", bench.did());
}

#[tokio::test]
async fn another_table_that_drops_the_brokers_clients_is_named() {
    let bench = Bench::start(DevicePlan::debian("main")).await;
    let text = with_free_ports();
    let with = wished(&with_firewall(&text, "{}"));
    let port = with_firewall(&text, "{}").brokers["main"].listeners.mqtts.port.value;
    settle(&MosquittoProvider, &with, &bench.host).await;
    let filter = |rule: &str| {
        let rules = format!(
            "table inet filter {{\n\tchain input {{\n\t\ttype filter hook input priority filter; policy drop;\n\
             \t\ttcp dport 22 accept\n{rule}\t}}\n}}\n"
        );
        bench.device().with_state(|state| state.firewall.insert("inet filter".to_owned(), rules));
    };
    filter("");
    let found = plan(&MosquittoProvider, &with, &bench.host).await;
    assert_eq!(lines(&found), Vec::<String>::new());
    let rule = format!("nft insert rule inet filter input tcp dport {port} accept");
    assert!(found.unread[0].reason.contains(&rule), "{:?}", found.unread);
    filter(&format!("\t\ttcp dport {port} accept\n"));
    let found = plan(&MosquittoProvider, &with, &bench.host).await;
    assert!(found.unread.is_empty(), "{:?}", found.unread);
}

#[test]
fn under_a_prefix_files_are_placed_and_nothing_is_in_force() {
    let text = with_free_ports().replace("    names: [127", "    root: /srv/image\n    names: [127");
    let wish = wished(&with_firewall(&text, "{}"));
    let is = |collection: &str| wish.resources.keys().filter(|key| key.collection == collection).count();
    assert_eq!((is("boot"), is("firewall")), (3, 0));
}

/// A neighbour of the machine: from one of its addresses it reaches the machine at 10.9.0.1, from the other
/// at 10.9.1.1. It lives in a namespace inside the machine's.
const NEIGHBOUR: &str = "
set -e
ip netns add neighbour
ip link add wire type veth peer name wire netns neighbour
ip address add 10.9.0.1/24 dev wire
ip address add 10.9.1.1/24 dev wire
ip link set wire up
ip -n neighbour address add 10.9.0.2/24 dev wire
ip -n neighbour address add 10.9.1.2/24 dev wire
ip -n neighbour link set wire up
";

impl Machine {
    /// Whether the neighbour reaches a port at one of the machine's addresses. Nothing answers where packets
    /// are dropped, so the neighbour gives up after a while.
    fn is_open(&self, address: &str, port: u16) -> bool {
        let connect = format!("</dev/tcp/{address}/{port}");
        let argv = ["ip", "netns", "exec", "neighbour", "timeout", "2", "bash", "-c", &connect];
        self.run(&argv).status.success()
    }
}

/// A machine with a neighbour; `None` where there is no nftables.
fn machine() -> Option<Machine> {
    if !std::path::Path::new("/usr/sbin/nft").exists() {
        eprintln!("skipped: nftables is not installed");
        return None;
    }
    let machine = Machine::boot()?;
    machine.shell(NEIGHBOUR);
    Some(machine)
}

/// Real rules are kept and put in force again, and those that were not there go.
#[tokio::test(flavor = "multi_thread")]
async fn rules_in_force_are_put_back() {
    let Some(machine) = machine() else { return };
    let host = host(&machine);
    let order = async |order: Order| {
        let mut rulings = Vec::new();
        host.order(&[order], &mut |_, ruling| rulings.push(ruling)).await;
        assert!(matches!(rulings.as_slice(), [Ruling::Done(_)]), "{rulings:?}");
    };
    let keep = |name: &str| Order::Keep { name: name.into(), things: vec![Thing::Table(TABLE.into())] };
    let revert = |name: &str| Order::Revert { name: name.into() };
    let rules = || {
        let listed = machine.run(&["nft", "list", "table", "inet", "rocade_broker"]);
        listed.status.success().then(|| String::from_utf8(listed.stdout).unwrap())
    };
    order(keep("rocade-1")).await;
    machine.shell("nft 'table inet rocade_broker { chain input { tcp dport 1883 drop; }; }'");
    let first = rules().unwrap();
    order(keep("rocade-2")).await;
    machine.shell("nft 'add rule inet rocade_broker input tcp dport 8883 drop'");
    assert_ne!(rules().unwrap(), first);
    order(revert("rocade-2")).await;
    assert_eq!(rules().unwrap(), first);
    order(revert("rocade-1")).await;
    assert_eq!(rules(), None);
}

/// The broker as it serves the network.
fn open_broker() -> String {
    INVENTORY.replace("port: MQTTS, bind: 127.0.0.1", "port: 8883").replace("WS", "9001")
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_pass_from_the_networks_named_and_from_no_other() {
    let Some(machine) = machine() else { return };
    let hands = host(&machine);
    let without = wished(&inventory(&open_broker()));
    settle(&MosquittoProvider, &without, &hands).await;
    assert!(machine.is_open("10.9.0.1", 8883) && machine.is_open("10.9.1.1", 8883));

    let with = wished(&with_firewall(&open_broker(), "{from: [10.9.0.0/24, '2001:db8::/32']}"));
    let before = machine.shell("pidof mosquitto");
    let lines = settle(&MosquittoProvider, &with, &hands).await;
    assert_eq!(&lines[lines.len() - 4..], ADDED);
    assert_eq!(machine.shell("pidof mosquitto"), before, "the broker was not restarted");
    assert!(machine.is_open("10.9.0.1", 8883), "from a network that is named");
    assert!(!machine.is_open("10.9.1.1", 8883), "from another");
    machine.shell("timeout 2 bash -c '</dev/tcp/127.0.0.1/8883'");

    // A clear-text port is closed whoever listens there, and all that is not the broker's stays open.
    let serve = |port: u16| {
        format!(
            "setsid python3 -m http.server {port} >/dev/null 2>&1 </dev/null & echo $! >/run/server-{port}
             for _ in $(seq 50); do bash -c '</dev/tcp/127.0.0.1/{port}' 2>/dev/null && exit; sleep 0.1; done
             exit 1"
        )
    };
    let stop = |port: u16| {
        format!("pid=$(cat /run/server-{port}); kill $pid; while kill -0 $pid; do sleep 0.1; done 2>&1")
    };
    machine.shell(&serve(1883));
    machine.shell(&serve(2222));
    assert!(!machine.is_open("10.9.0.1", 1883));
    assert!(machine.is_open("10.9.1.1", 2222));
    machine.shell(&stop(1883));
    machine.shell(&stop(2222));

    // To all networks.
    let all = wished(&with_firewall(&open_broker(), "{}"));
    let lines = settle(&MosquittoProvider, &all, &hands).await;
    assert_eq!(lines, ["~ boot /etc/rocade/broker.nft", "~ firewall inet rocade_broker"]);
    assert!(machine.is_open("10.9.1.1", 8883));

    let lines = settle(&MosquittoProvider, &without, &hands).await;
    assert_eq!(lines, REMOVED);
    assert_eq!(machine.shell("nft list ruleset; ls /etc/rc2.d | grep '^S.*rocade' || :"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_changed_by_hand_are_seen_put_back_and_loaded_at_boot() {
    let Some(machine) = machine() else { return };
    let hands = host(&machine);
    let wish = wished(&with_firewall(&open_broker(), "{from: [10.9.0.0/24]}"));
    settle(&MosquittoProvider, &wish, &hands).await;
    let good = machine.shell("nft list ruleset");
    for by_hand in [
        "nft insert rule inet rocade_broker input tcp dport 8883 accept",
        "nft flush chain inet rocade_broker input",
        "nft delete table inet rocade_broker",
        "nft add rule inet rocade_broker input counter; nft add chain inet rocade_broker other",
    ] {
        machine.shell(by_hand);
        let lines = settle(&MosquittoProvider, &wish, &hands).await;
        assert_eq!(lines, ["~ firewall inet rocade_broker"], "{by_hand}");
        assert_eq!(machine.shell("nft list ruleset"), good, "{by_hand}");
    }
    // What a start of this system runs.
    machine.shell("nft flush ruleset; set -- /etc/rc2.d/S*rocade-firewall; \"$1\" start");
    assert_eq!(machine.shell("nft list ruleset"), good);
    machine.shell("/etc/init.d/rocade-firewall start");
    assert_eq!(machine.shell("nft list ruleset"), good, "a second start changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_nft_refuses_are_not_put_in_place() {
    let Some(machine) = machine() else { return };
    let hands = host(&machine);
    let good = wished(&with_firewall(&open_broker(), "{}"));
    settle(&MosquittoProvider, &good, &hands).await;
    let (rules, file) = (machine.shell("nft list ruleset"), machine.shell("cat /etc/rocade/broker.nft"));
    let mut bad = good.clone();
    let wished = bad.resources.get_mut(&Key::new("boot", "/etc/rocade/broker.nft")).unwrap();
    let Value::Text(text) = &wished.fields["content"] else { panic!() };
    let text = text.replace("tcp dport 1883 drop", "tcp dport no-such-port drop");
    wished.fields.insert("content".to_owned(), text.into());
    let ends = apply(&MosquittoProvider, &bad, &hands).await;
    assert!(format!("{:?}", ends[0].1).contains("no-such-port"), "{ends:?}");
    assert_eq!(machine.shell("nft list ruleset"), rules);
    assert_eq!(machine.shell("cat /etc/rocade/broker.nft"), file);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_named_against_another_table_opens_the_port() {
    let Some(machine) = machine() else { return };
    let hands = host(&machine);
    let wish = wished(&with_firewall(&open_broker(), "{}"));
    settle(&MosquittoProvider, &wish, &hands).await;
    machine.shell(
        "nft add table inet filter
         nft add chain inet filter input '{ type filter hook input priority 0; policy drop; }'
         nft add rule inet filter input iif lo accept
         nft add rule inet filter input tcp dport 22 accept",
    );
    assert!(!machine.is_open("10.9.0.1", 8883), "an accept of ours does not undo a drop of another's");
    let found = plan(&MosquittoProvider, &wish, &hands).await;
    let reason = &found.unread[0].reason;
    let command = reason.split('`').find(|part| part.starts_with("nft insert ")).unwrap();
    machine.shell(command);
    assert!(machine.is_open("10.9.0.1", 8883));
    assert!(plan(&MosquittoProvider, &wish, &hands).await.unread.is_empty());
}
