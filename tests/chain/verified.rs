//! `rocade verify` says that the chain works when it does, and which part does not when one does not.

use super::bed::{BROKER, GATEWAY, bed};
use super::site::{self, Site};

/// The lines of a verification that fail.
fn failing(site: &Site, code: i32) -> Vec<String> {
    let ran = site.rocade(&["verify", "--json"]).ends_with(code).json();
    let findings = ran["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 8, "{ran}");
    let failed = findings.iter().filter(|finding| !finding["fault"].is_null());
    failed.map(|finding| finding["what"].as_str().unwrap().to_owned()).collect()
}

/// Gives the display's account a right that the inventory does not.
fn make_hole(right: &str) {
    bed().on(
        BROKER,
        &format!(
            "sed -i '/^user signage/a topic {right}' /etc/mosquitto/rocade/acl
            systemctl reload mosquitto"
        ),
    );
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn all_holds_on_a_chain_that_works() {
    let site = site::ready();
    assert_eq!(failing(&site, 0), [""; 0]);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_stopped_broker_is_found_shown_and_started_again() {
    let site = site::ready();
    bed().on(BROKER, "systemctl stop mosquitto");
    let failed = failing(&site, 1);
    assert!(failed[0].starts_with("port 8883"), "{failed:?}");
    assert!(!failed.iter().any(|what| what.contains("1883")), "{failed:?}");
    assert_eq!(site.applied(), ["update service mosquitto"]);
    assert_eq!(failing(&site, 0), [""; 0]);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_stopped_relay_is_found_shown_and_started_again() {
    let site = site::ready();
    bed().on(GATEWAY, "/etc/init.d/rocade-relay stop");
    assert_eq!(failing(&site, 1), ["what is published on pool-gw's local broker comes through its relay"]);
    assert_eq!(site.applied(), ["update service rocade-relay"]);
    assert_eq!(failing(&site, 0), [""; 0]);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_hole_made_by_hand_is_found_shown_and_closed() {
    let site = site::ready();
    make_hole("write rocade/verify/#");
    assert_eq!(failing(&site, 1), ["signage logs in and may not publish to rocade's topics"]);
    let plan = site.rocade(&["plan", "-v"]).ends_with(0);
    assert!(plan.out.contains("-topic write rocade/verify/#"), "{}", plan.out);
    assert_eq!(site.applied(), ["update file /etc/mosquitto/rocade/acl", "update service mosquitto"]);
    assert_eq!(failing(&site, 0), [""; 0]);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn an_account_that_reads_too_much_is_found() {
    let site = site::ready();
    make_hole("read rocade/#");
    let said = site.rocade(&["verify"]).ends_with(1);
    assert!(said.out.contains("it was sent rocade/"), "{}", said.out);
    assert_eq!(failing(&site, 1), ["signage reads what it may, and nothing else"]);
    assert_eq!(site.applied(), ["update file /etc/mosquitto/rocade/acl", "update service mosquitto"]);
    assert_eq!(failing(&site, 0), [""; 0]);
}
