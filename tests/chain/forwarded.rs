//! A broker whose clients know another address and other ports than it has: a real port forward of nftables stands
//! between. The relay and `rocade verify` go through it, and nothing gets in beside it.

use crate::bed::{BROKER, GATEWAY, bed};
use crate::site;

/// The address that clients know, and what it is forwarded to. Who knows the address behind it gets nowhere.
const FORWARD: &str = "
ip address add 192.168.145.110/32 dev lo
nft -f - <<'RULES'
table ip forward_test {
    chain before {
        type filter hook prerouting priority raw; policy accept;
        ip daddr 192.168.145.100 tcp dport { 8883, 8884 } drop
    }
    chain forward {
        type nat hook prerouting priority dstnat; policy accept;
        ip daddr 192.168.145.110 tcp dport 18883 counter dnat to 192.168.145.100:8883
        ip daddr 192.168.145.110 tcp dport 18884 counter dnat to 192.168.145.100:8884
    }
}
RULES
";

/// Takes the forward away, also when the test fails: the next test has the same bed.
struct Forward;

impl Forward {
    fn stand() -> Self {
        Self::fall();
        bed().on(BROKER, FORWARD);
        Self
    }

    fn fall() {
        bed().on(
            BROKER,
            "nft delete table ip forward_test 2>/dev/null; ip address del 192.168.145.110/32 dev lo 2>/dev/null; :",
        );
    }

    /// How many connections each forward has brought.
    fn brought(&self) -> Vec<u32> {
        let rules = bed().on(BROKER, "nft list chain ip forward_test forward");
        let after = rules.split("counter packets ").skip(1);
        after.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        Self::fall();
    }
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn the_relay_and_a_verification_go_through_a_port_forward() {
    let site = site::ready();
    site.edit("brokers.yaml", "192.168.145.100]", "192.168.145.100, 192.168.145.110]");
    site.edit(
        "brokers.yaml",
        "    clients:",
        "    reached_at: {address: 192.168.145.110, port: 18883, certificates: 18884}\n    firewall: {}\n    clients:",
    );
    site.edit("brokers.yaml", "mqtts: {port: 8883}", "mqtts: {port: 8883}\n      certificates: {port: 8884}");
    let forward = Forward::stand();
    site.applied();
    let said = site.rocade(&["verify"]).ends_with(0);
    for what in ["port 18883 shows", "port 18884 shows", "port 18884 refuses a client without a certificate"]
    {
        assert!(said.out.contains(what), "no `{what}` in {}", said.out);
    }
    let brought = forward.brought();
    assert!(brought.len() == 2 && brought.iter().all(|count| *count > 0), "{brought:?}");

    // With a certificate of its own the relay goes by the other port.
    site.edit("gateways.yaml", "relay: {broker: main,", "relay: {broker: main, certificate: true,");
    site.applied();
    let config = bed().on(GATEWAY, "cat /var/config/rocade/relay/config.json");
    assert!(config.contains("\"port\": 18884") && config.contains("192.168.145.110"), "{config}");
    site.rocade(&["verify"]).ends_with(0);
}
