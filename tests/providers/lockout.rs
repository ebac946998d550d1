//! The lock-out of those who guess passwords: real brokers of both versions write the log, the real fail2ban
//! reads it and bans with the real nftables, in namespaces of its own.

use rocade::inventory::Inventory;
use rocade::lab::DevicePlan;
use rocade::model::Wish;
use rocade::providers::mosquitto::MosquittoProvider;

use super::flow::{Bench, inventory, lines, plan, settle, wish};
use super::mosquitto::{INVENTORY, with_free_ports};
use super::own_broker::{Machine, host};
use super::shelf::Shelf;

const RULE: &str = "{max_retry: 3, find_time: 10m, ban_time: 1h, never: [10.9.2.0/24]}";
/// What a lock-out adds to a plan, in its order.
const ADDED: [&str; 3] = [
    "+ jail /etc/fail2ban/filter.d/rocade-mosquitto.conf",
    "+ jail /etc/fail2ban/jail.d/00-rocade-mosquitto.conf",
    "+ lockout fail2ban",
];

/// A neighbour with three addresses, each in a network of its own.
const NEIGHBOUR: &str = "
set -e
ip netns add neighbour
ip link add wire type veth peer name wire netns neighbour
for network in 0 1 2; do
    ip address add 10.9.$network.1/24 dev wire
    ip -n neighbour address add 10.9.$network.2/24 dev wire
done
ip link set wire up
ip -n neighbour link set wire up
";
const GUESSER: &str = "10.9.0";
const CLIENT: &str = "10.9.1";
const SPARED: &str = "10.9.2";

fn with_rule(text: &str, section: &str) -> Inventory {
    inventory(&text.replace("    clients:", &format!("    {section}\n    clients:")))
}

fn wished(inventory: &Inventory) -> Wish {
    wish(&MosquittoProvider, inventory, "main", &Shelf::filled())
}

/// The broker as it serves the network.
fn open_broker() -> String {
    INVENTORY.replace("port: MQTTS, bind: 127.0.0.1", "port: 8883").replace("WS", "9001")
}

#[tokio::test]
async fn in_the_lab_a_lock_out_comes_changes_and_goes() {
    let bench = Bench::start(DevicePlan::debian("main")).await;
    let text = with_free_ports();
    let without = wished(&inventory(&text));
    let with = wished(&with_rule(&text, &format!("brute_force: {RULE}")));
    settle(&MosquittoProvider, &without, &bench.host).await;
    let came = settle(&MosquittoProvider, &with, &bench.host).await;
    let packages = ["+ package fail2ban", "+ package nftables", "+ package python3-systemd"];
    assert_eq!(came, [&packages[..], &ADDED].concat());
    let jail = bench.text("/etc/fail2ban/jail.d/00-rocade-mosquitto.conf");
    assert!(
        jail.contains(
            "ignoreip = 127.0.0.0/8 ::1 10.9.2.0/24\nmaxretry = 3\nfindtime = 600\nbantime = 3600\n"
        )
    );

    let longer = wished(&with_rule(&text, "brute_force: {max_retry: 3, find_time: 10m, ban_time: 2h}"));
    bench.device().log().clear();
    let changed = settle(&MosquittoProvider, &longer, &bench.host).await;
    assert_eq!(changed, ["~ jail /etc/fail2ban/jail.d/00-rocade-mosquitto.conf", "! lockout fail2ban"]);
    assert_eq!(bench.did().last().unwrap(), "reload fail2ban");

    let gone = settle(&MosquittoProvider, &without, &bench.host).await;
    assert_eq!(
        gone,
        [
            "- jail /etc/fail2ban/filter.d/rocade-mosquitto.conf",
            "- jail /etc/fail2ban/jail.d/00-rocade-mosquitto.conf"
        ]
    );
    assert_eq!(bench.did().last().unwrap(), "run /bin/sh");
    assert!(!bench.did().iter().any(|deed| deed.ends_with(" mosquitto")), "{:?}", bench.did());
}

/// A machine with a neighbour; `None` where something is missing.
fn ready(machine: Option<Machine>) -> Option<Machine> {
    for needed in ["/usr/sbin/nft", "/usr/bin/fail2ban-server", "/usr/lib/python3/dist-packages/systemd"] {
        if !std::path::Path::new(needed).exists() {
            eprintln!("skipped: {needed} is not there: nftables, fail2ban and python3-systemd are needed");
            return None;
        }
    }
    let machine = machine?;
    machine.shell(NEIGHBOUR);
    machine.shell("rm -f /var/lib/fail2ban/*");
    Some(machine)
}

impl Machine {
    /// A publish from one of the neighbour's addresses; whether it was let in.
    fn login(&self, network: &str, id: &str, password: &str) -> bool {
        let (from, to) = (format!("{network}.2"), format!("{network}.1"));
        let mut argv = vec!["ip", "netns", "exec", "neighbour", "timeout", "3", "mosquitto_pub"];
        argv.extend(["-A", &from, "-h", &to, "-p", "8883", "--cafile", "/etc/mosquitto/rocade/ca.pem"]);
        argv.extend(["--insecure", "-i", id, "-u", "relay-pool-gw", "-P", password]);
        argv.extend(["-q", "1", "-t", "sites/pool/hall", "-m", "x"]);
        self.run(&argv).status.success()
    }

    /// The addresses that are banned now.
    fn banned(&self) -> String {
        let set = "nft list set inet rocade_lockout addr-set-rocade-mosquitto 2>/dev/null";
        self.shell(&format!("{set} | grep -o '[0-9.]\\{{7,\\}}' || :")).trim().to_owned()
    }

    /// Waits until an address is banned; fails with what fail2ban said.
    fn waits_for_ban(&self, address: &str) {
        let set = "nft list set inet rocade_lockout addr-set-rocade-mosquitto 2>/dev/null";
        let wait = format!("timeout 60 sh -c 'until {set} | grep -qF {address}; do sleep 0.1; done'");
        let waited = self.run(&["sh", "-c", &wait]);
        assert!(
            waited.status.success(),
            "{}",
            self.shell("cat /var/log/fail2ban.log /var/log/mosquitto/*.log")
        );
    }
}

/// Wrong passwords end in a ban that outlasts a reload and a restart; everybody else is served, also the one
/// that logs in between two guesses; and all of it goes with the section.
async fn guesses_end_in_a_ban(machine: Machine) {
    let hands = host(&machine);
    let text = open_broker();
    let with = wished(&with_rule(&text, &format!("brute_force: {RULE}")));
    let came = settle(&MosquittoProvider, &with, &hands).await;
    // The machine has fail2ban already: it is not new there.
    let began = came.iter().position(|line| *line == ADDED[0]).unwrap();
    assert_eq!(came[began + 1], ADDED[1]);
    assert_eq!(came.last().unwrap(), "~ lockout fail2ban");

    for guess in ["one", "two", "three"] {
        assert!(machine.login(CLIENT, "relay", "relay password"), "the client is served");
        assert!(!machine.login(SPARED, "spared", guess));
        assert!(!machine.login(GUESSER, "guesser", guess));
    }
    machine.waits_for_ban("10.9.0.2");
    assert_eq!(machine.banned(), "10.9.0.2");
    assert!(!machine.login(GUESSER, "guesser", "relay password"), "also with the right password");
    assert!(machine.login(CLIENT, "relay", "relay password"), "the client is served");
    assert!(machine.login(SPARED, "spared", "relay password"), "who is spared is served");

    machine.shell("fail2ban-client reload");
    machine.waits_for_ban("10.9.0.2");
    machine.shell("/etc/init.d/fail2ban restart");
    machine.waits_for_ban("10.9.0.2");
    let again = plan(&MosquittoProvider, &with, &hands).await;
    assert_eq!(lines(&again), Vec::<String>::new());

    settle(&MosquittoProvider, &wished(&inventory(&text)), &hands).await;
    assert_eq!(machine.banned(), "");
    assert!(machine.login(GUESSER, "guesser", "relay password"));
    machine.shell("fail2ban-client stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_end_in_a_ban_with_mosquitto_2_0() {
    let Some(machine) = ready(Machine::boot()) else { return };
    guesses_end_in_a_ban(machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_end_in_a_ban_with_mosquitto_2_1() {
    let Some(machine) = ready(Machine::boot_newer()) else { return };
    guesses_end_in_a_ban(machine).await;
}

/// Every failure that the broker of a version logs is found with its address, and nothing else is, whatever
/// the clients call themselves.
async fn each_failure_is_found_in_the_log(machine: Machine) {
    let rule = "brute_force: {max_retry: 99, find_time: 10m, ban_time: 1h}";
    settle(&MosquittoProvider, &wished(&with_rule(&open_broker(), rule)), &host(&machine)).await;
    machine.shell("fail2ban-client stop");
    let blames = [
        "x [10.9.1.2:1] disconnected: not authorised.",
        "New connection from 10.9.1.2:1 on port 8883.",
        "x disconnected, not authorised.",
    ];
    for id in ["guesser"].into_iter().chain(blames) {
        assert!(machine.login(CLIENT, "relay", "relay password"));
        assert!(!machine.login(GUESSER, id, "wrong"));
    }
    for id in blames {
        assert!(machine.login(CLIENT, id, "relay password"), "a client of a strange name");
    }
    let found = machine.shell(
        "fail2ban-regex --out '<ip>' /var/log/mosquitto/mosquitto.log \
         /etc/fail2ban/filter.d/rocade-mosquitto.conf",
    );
    let found: Vec<&str> = found.lines().collect();
    let log = machine.shell("cat /var/log/mosquitto/mosquitto.log");
    assert_eq!(found, ["10.9.0.2"; 4], "the log's words are no longer those of the filter:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_is_found_in_the_log_of_mosquitto_2_0() {
    let Some(machine) = ready(Machine::boot()) else { return };
    each_failure_is_found_in_the_log(machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_is_found_in_the_log_of_mosquitto_2_1() {
    let Some(machine) = ready(Machine::boot_newer()) else { return };
    each_failure_is_found_in_the_log(machine).await;
}

/// An address that holds as many connections as it may gets no further one; others do.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_holds_no_more_connections_than_it_may() {
    let Some(machine) = ready(Machine::boot()) else { return };
    let hands = host(&machine);
    let with = wished(&with_rule(&open_broker(), "firewall: {connections: 2}"));
    settle(&MosquittoProvider, &with, &hands).await;
    let hold = "for one in 1 2; do
            setsid ip netns exec neighbour bash -c 'exec 3<>/dev/tcp/10.9.0.1/8883; echo >>/run/held; read -u 3' \
                >/dev/null 2>&1 </dev/null &
        done
        timeout 10 sh -c 'until [ $(wc -l </run/held) = 2 ]; do sleep 0.1; done'";
    machine.shell(&format!(": >/run/held; {hold}"));
    assert!(!machine.login(GUESSER, "third", "relay password"));
    assert!(machine.login(CLIENT, "relay", "relay password"));
    let again = plan(&MosquittoProvider, &with, &hands).await;
    assert_eq!(lines(&again), Vec::<String>::new(), "who is connected is no difference");
}
