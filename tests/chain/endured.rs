//! Power cuts, killed programs, wiped hosts, applies that die in the middle: afterwards all is as wished, and no
//! reading was lost.

use std::process::Stdio;
use std::time::Duration;

use super::bed::{BROKER, GATEWAY, bed, wait_for};
use super::clients::{Client, Listener, Uplink, send};
use super::first::state;
use super::site::{self, Site};

const HALL: &str = "0018b21000004a2f";
const TOPIC: &str = "sites/pool/hall";
const RELAY: &str = "pgrep -f '[r]elay/main.py'";

fn uplink(counter: u64) -> Uplink {
    Uplink::new(HALL, counter, 1, &hex::decode("6a2000d72d0190").unwrap())
}

/// The keys of the sensors as the gateway's network server holds them.
pub fn whitelist() -> serde_json::Value {
    let text = bed().on(GATEWAY, "curl -sS http://127.0.0.1/api/loraNetwork/whitelist");
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["result"].clone()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_killed_relay_comes_back_and_has_missed_nothing() {
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, TOPIC);
    let before = bed().on(GATEWAY, RELAY);
    bed().on(GATEWAY, &format!("kill -KILL $({RELAY})"));
    send(&[uplink(7301)]);
    listener.reading(TOPIC, 7301);
    assert_ne!(before, bed().on(GATEWAY, RELAY));
    site.is_settled();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn nothing_is_lost_while_the_broker_is_away_and_the_gateway_loses_power() {
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, TOPIC);
    bed().on(BROKER, "systemctl stop mosquitto");
    send(&[uplink(7401), uplink(7402), uplink(7403)]);
    wait_for("the spool to hold the last reading", || {
        bed().holds(GATEWAY, "grep -q '\"f_cnt\":7403' /var/config/rocade/spool/*.seg").then_some(())
    });
    bed().reboot(GATEWAY);
    send(&[uplink(7404)]);
    bed().on(BROKER, "systemctl start mosquitto");
    for counter in 7401..=7404 {
        listener.reading(TOPIC, counter);
    }
    site.is_settled();
    site.rocade(&["verify"]).ends_with(0);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn the_broker_host_comes_back_from_a_power_cut_by_itself() {
    let mut site = site::ready();
    bed().reboot(BROKER);
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, TOPIC);
    send(&[uplink(7501)]);
    listener.reading(TOPIC, 7501);
    site.is_settled();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_gateway_wiped_by_its_firmware_is_put_back_with_the_same_keys() {
    let mut site = site::ready();
    let before = whitelist();
    assert!(before["devices"].as_array().unwrap().len() >= 4, "{before}");
    bed().reset(GATEWAY);
    let planned = site.applied();
    for change in ["create sensor hall", "update lorawan network-server", "create service rocade-relay"] {
        assert!(planned.iter().any(|line| line == change), "{planned:?}");
    }
    assert!(!planned.iter().any(|line| line.contains("mosquitto")), "{planned:?}");
    assert_eq!(whitelist(), before);
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, TOPIC);
    send(&[uplink(7601)]);
    listener.reading(TOPIC, 7601);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_gateway_with_another_host_key_is_left_alone_until_a_person_trusts_it() {
    let site = site::ready();
    bed().replace(GATEWAY);
    let writes = bed().api_writes();
    let refused = site.rocade(&["apply", "--yes"]).ends_with(1);
    assert!(refused.out.contains("could not be read"), "{}", refused.out);
    assert!(!bed().holds(GATEWAY, "test -e /var/config/rocade"));
    site.rocade(&["trust", "pool-gw", "--fingerprint", "SHA256:AAAA"]).ends_with(1);
    site.trust("pool-gw", GATEWAY);
    assert_eq!(bed().api_writes(), writes);
    site.applied();
}

/// What the two sides of the cuts differ in: something of every kind that rocade writes.
fn turn(site: &mut Site, round: u64) {
    let (from, to) = if round % 2 == 1 { (8883, 8884) } else { (8884, 8883) };
    site.edit("brokers.yaml", &format!("port: {from}"), &format!("port: {to}"));
    site.set("brokers/main/signage", &format!("{round:032x}"));
    site.set("sensors/hall/app_key", &format!("ab{round:030x}"));
}

/// Applies, and kills rocade after a while as nothing else would; gives whether it was cut.
fn cut(site: &Site, after: Duration) -> bool {
    let mut command = site.command(&["apply", "--yes"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    // It may have ended by itself.
    let _ = child.kill();
    !child.wait().unwrap().success()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn an_apply_cut_anywhere_is_finished_by_the_next() {
    let mut site = site::untouched();
    let mut cuts = 0;
    for round in 1..=16 {
        cuts += usize::from(cut(&site, Duration::from_millis(130 * round)));
        // Whatever is half done can be read, and no secret is said about it.
        site.plan();
        if round > 6 {
            turn(&mut site, round);
        }
    }
    assert!(cuts >= 10, "only {cuts} were cut");
    site.applied();
    site.rocade(&["verify"]).ends_with(0);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_configuration_that_mosquitto_refuses_never_reaches_the_running_broker() {
    let site = site::ready();
    // The trial has a folder of its own beside the files: only the date of the folder around it may change.
    let files = || {
        let folder = |line: &&str| !line.starts_with("/etc/mosquitto/rocade ");
        state(BROKER).lines().filter(folder).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = files();
    let faulty =
        include_str!("../../templates/mosquitto/rocade.conf.j2").to_owned() + "\nno_such_option true\n";
    site.add("templates/mosquitto/rocade.conf.j2", &faulty);
    let failed = site.rocade(&["apply", "--yes"]).ends_with(1);
    assert!(failed.out.contains("no_such_option"), "{}", failed.out);
    assert_eq!(before, files());
    site.remove("templates/mosquitto/rocade.conf.j2");
    site.is_settled();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_listener_opened_by_hand_is_shown_and_closed() {
    let mut site = site::ready();
    bed().on(
        BROKER,
        "printf 'listener 1883 0.0.0.0\\nallow_anonymous true\\n' >/etc/mosquitto/conf.d/zz-test.conf
        systemctl restart mosquitto",
    );
    let in_clear = Client { port: 1883, tls: Vec::new(), ..Client::of(&site, "", "") };
    assert!(in_clear.subscribe(&site, TOPIC).status.success(), "the hole is open");
    let planned = site.applied();
    assert!(planned.contains(&"update listener 1883".to_owned()), "{planned:?}");
    assert!(planned.contains(&"delete file /etc/mosquitto/conf.d/zz-test.conf".to_owned()), "{planned:?}");
    assert!(!in_clear.subscribe(&site, TOPIC).status.success(), "the hole is closed");

    bed().on(BROKER, "echo 'no such line' >/etc/mosquitto/conf.d/zz-test.conf");
    site.applied();
    assert!(Client::signage(&mut site).subscribe(&site, TOPIC).status.success());
}
