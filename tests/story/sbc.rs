//! An SBC from the inventory to the machine it runs on: told its link once, left alone with what it makes of it.

use rocade::lab::State;

use crate::place::Place;

const FILE: &str = "/etc/3cxsbc.conf";
const LINK: &str = "https://example.my3cx.fr/sbc/4f0c9d3b7a61";
const OTHER: &str = "https://example.my3cx.fr/sbc/96e1b3d05c28";

/// The telephone system of the sample and a host on which its SBC is to run; nothing is applied.
async fn place() -> Place {
    let mut place = Place::whole().await;
    place.add_host("").await;
    place.set_secret("pbx/head-office/sbc-link", LINK);
    let host = "\n        host: signage-1\n        provisioning_link: {secret: pbx/head-office/sbc-link}";
    place.edit("head-office.yaml", "        security: tls", &format!("        security: tls{host}"));
    place.forget_requests();
    place
}

fn planned(place: &Place) -> Vec<String> {
    let changes = crate::place::changes(&place.rocade(&["plan", "signage-1", "--json"]).ended(0).json());
    changes.into_iter().filter(|change| change.contains("host signage-1")).collect()
}

fn apply(place: &Place) -> Vec<String> {
    place.forget_requests();
    place.rocade(&["apply", "signage-1", "--yes"]).ended(0);
    let writes = crate::kinds::lasting(place.writes());
    place.forget_requests();
    assert_eq!(planned(place), [""; 0]);
    place.rocade(&["apply", "signage-1", "--yes"]).ended(0);
    assert_eq!(place.writes(), [""; 0], "applying again wrote");
    writes
}

fn text(place: &Place) -> String {
    place.device("signage-1").with_state(|state| state.files.text(FILE).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_and_told_its_link() {
    let place = place().await;
    let ran = place.rocade(&["plan", "signage-1", "-v"]).ended(0);
    assert!(!ran.out.contains("4f0c9d3b7a61"), "{}", ran.out);
    assert_eq!(
        planned(&place),
        [
            "create host signage-1: package 3cxsbc",
            "create host signage-1: sbc paris01",
            "create host signage-1: service 3cxsbc",
        ]
    );
    assert_eq!(place.writes(), [""; 0]);
    assert_eq!(
        apply(&place),
        [
            "signage-1: install 3cxsbc",
            "signage-1: put /etc/3cxsbc.conf",
            "signage-1: enable 3cxsbc",
            "signage-1: restart 3cxsbc",
        ]
    );
    // What stands there now is what the SBC fetched; nobody else may read it.
    assert!(text(&place).starts_with("[Bridge/1]\n"), "{}", text(&place));
    let facts = place.device("signage-1").with_state(|state| state.files.get(FILE).unwrap().facts());
    assert_eq!(
        (facts.mode.as_str(), facts.owner.as_str(), facts.group.as_str()),
        ("600", "tcxsbc", "tcxsbc")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_link_is_one_file_and_a_restart() {
    let place = place().await;
    apply(&place);
    place.set_secret("pbx/head-office/sbc-link", &format!("{OTHER}\n"));
    assert_eq!(
        planned(&place),
        ["update host signage-1: sbc paris01", "wake host signage-1: service 3cxsbc"]
    );
    assert_eq!(apply(&place), ["signage-1: put /etc/3cxsbc.conf", "signage-1: restart 3cxsbc"]);
    assert!(text(&place).contains(&format!("ProvLink={OTHER}\n")), "{}", text(&place));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pbx_pushes_is_the_sbcs_own() {
    let place = place().await;
    apply(&place);
    place.put("signage-1", FILE, &format!("[Bridge/1]\nTunnelPort=5091\nProvLink={LINK}\n"));
    assert_eq!(planned(&place), [""; 0]);
    // A link that was put there and not taken up, as after an apply that died in between, is no such thing.
    place.set_secret("pbx/head-office/sbc-link", OTHER);
    place.device("signage-1").with_state(|state| {
        state.files.put(FILE, format!("ProvLink={OTHER}\n").into(), 0o600, "tcxsbc", "tcxsbc").unwrap();
    });
    assert_eq!(planned(&place), ["update host signage-1: service 3cxsbc"]);
    assert_eq!(apply(&place), ["signage-1: restart 3cxsbc"]);
    // Stopped by hand.
    let stop = |state: &mut State| state.services.get_mut("3cxsbc").unwrap().running = false;
    place.device("signage-1").with_state(stop);
    assert_eq!(apply(&place), ["signage-1: restart 3cxsbc"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_the_inventory_it_stays_as_it_is() {
    let place = place().await;
    apply(&place);
    let lines = "\n        host: signage-1\n        provisioning_link: {secret: pbx/head-office/sbc-link}";
    place.edit("head-office.yaml", lines, "");
    assert_eq!(planned(&place), [""; 0]);
    place.rocade(&["apply", "signage-1", "--yes"]).ended(0);
    assert_eq!(place.writes(), [""; 0]);
    assert!(text(&place).contains("ProvLink="));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_where_it_cannot_be_or_was_not_accepted() {
    let place = place().await;
    place.edit("head-office.yaml", ", sbc_hosts]", "]");
    place.device("signage-1").with_state(|state| state.facts.insert("os".to_owned(), "fedora".to_owned()));
    let ran = place.rocade(&["apply", "signage-1", "--yes"]).ended(6);
    for words in ["3CX has it for Debian, and this host is `fedora`", "accept_unverified: [sbc_hosts]"] {
        assert!(ran.out.contains(words), "{words} in\n{}\n{}", ran.out, ran.err);
    }
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_no_link_is_refused_without_being_shown() {
    let place = place().await;
    for wrong in [
        "4f0c9d3b7a61",
        "http://example.my3cx.fr/sbc/4f0c9d3b7a61",
        "https://x/sbc/4f0c9d3b7a61\nPbxSipPort=1",
    ] {
        place.set_secret("pbx/head-office/sbc-link", wrong);
        let ran = place.rocade(&["plan", "signage-1"]).ended(64);
        let said = ran.out + &ran.err;
        assert!(said.contains("is no provisioning link") && !said.contains("4f0c9d3b7a61"), "{said}");
    }
    assert_eq!(place.writes(), [""; 0]);
}
