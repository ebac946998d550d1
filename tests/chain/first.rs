//! The first apply on hosts nobody touched, and the one after it, which writes nothing.

use std::fs;

use super::bed::{BROKER, GATEWAY, bed, succeed};
use super::site::{self, Site};

/// All that rocade manages on a host: files and folders with each date and number the file system keeps; processes.
pub fn state(host: &str) -> String {
    let listing = "-printf '%p %i %m %u:%g %s %T@ %C@\\n' | sort";
    match host {
        BROKER => bed().on(
            host,
            &format!(
                "/usr/bin/find /etc/mosquitto -name candidate -prune -o {listing}
                systemctl show --property MainPID,ExecMainStartTimestamp,NRestarts,UnitFileState mosquitto
                grep -c 'Reloading config' /var/log/mosquitto/mosquitto.log || true"
            ),
        ),
        _ => bed().on(
            host,
            &format!(
                "/usr/bin/find /var/config/rocade/relay /etc/init.d/rocade-relay /etc/rc?.d \
                -path '*/__pycache__*' -prune -o {listing}
                cat /var/run/rocade-relay.pid && pgrep -f '[r]elay/main.py'"
            ),
        ),
    }
}

fn repository(site: &Site) -> String {
    let listing = "%p %i %m %s %T@ %C@\n";
    succeed(bed().operator("find").arg(site.path("")).args([
        "-path",
        "*/.rocade",
        "-prune",
        "-o",
        "-printf",
        listing,
    ]))
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_plan_is_applied_to_untouched_hosts_and_then_nothing_is_written() {
    let site = site::untouched();
    let plan = site.beside("plan.json");
    let plan = plan.to_str().unwrap();
    site.rocade(&["plan", "--out", plan]).ends_with(0);
    assert_eq!(fs::read_dir(site.path("pki")).unwrap().count(), 0, "planning made something");
    assert!(!bed().holds(BROKER, "test -e /etc/mosquitto"), "planning made something");
    site.rocade(&["apply", plan]).ends_with(0);
    site.is_settled();

    let before = (state(BROKER), state(GATEWAY), repository(&site), bed().api_writes());
    let again = site.rocade(&["apply", "--yes"]).ends_with(0);
    assert!(again.out.contains("no changes"), "{}", again.out);
    assert_eq!(site.rocade(&["apply", "--yes", "--json"]).ends_with(0).json()["complete"], true);
    assert_eq!(before.0, state(BROKER));
    assert_eq!(before.1, state(GATEWAY));
    assert_eq!(before.2, repository(&site));
    assert_eq!(before.3, bed().api_writes());

    // The plan is used up: what it meant to make is there.
    let stale = site.rocade(&["apply", plan]).ends_with(6);
    assert!(stale.err.contains("stale"), "{}", stale.err);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn the_comparison_of_states_sees_a_touched_file_and_a_restart() {
    let _site = site::ready();
    for (host, deed) in [
        (
            BROKER,
            "cat /etc/mosquitto/rocade/acl >/tmp/acl && cat /tmp/acl >/etc/mosquitto/rocade/acl; rm /tmp/acl",
        ),
        (BROKER, "systemctl restart mosquitto"),
        (
            BROKER,
            "systemctl reload mosquitto; while ! grep -q Reloading /var/log/mosquitto/mosquitto.log; do :; done",
        ),
        (GATEWAY, "chmod 644 /var/config/rocade/relay/main.py"),
        (GATEWAY, "/etc/init.d/rocade-relay restart"),
    ] {
        let before = state(host);
        bed().on(host, deed);
        assert_ne!(before, state(host), "{deed}");
    }
}
