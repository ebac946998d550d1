//! Wish, apply, nothing left; one thing turned is one write; what is taken out is handled as the inventory says.

use serde_json::json;

use crate::turns::{TURNS, Turn};
use crate::{FILE, office, pbx, place::Place, planned, row, writes};

#[tokio::test(flavor = "multi_thread")]
async fn planning_an_empty_pbx_shows_all_and_writes_nothing() {
    let place = Place::whole().await;
    let changes = planned(&place);
    let mut collections: Vec<&str> =
        changes.iter().map(|change| change.split(": ").nth(1).unwrap().split(' ').next().unwrap()).collect();
    collections.dedup();
    assert_eq!(
        collections,
        [
            "prompt",
            "department",
            "extension",
            "sbc",
            "ivr",
            "queue",
            "ring_group",
            "holiday",
            "trunk",
            "caller_rule",
            "inbound_rule",
            "outbound_rule",
            "live_chat",
            "contact",
            "phonebook"
        ]
    );
    // The settings of the phonebook are there on every PBX.
    let (settings, rest) = changes.split_last().unwrap();
    assert_eq!(settings, "update pbx head-office: phonebook settings");
    assert!(rest.iter().all(|change| change.starts_with("create ")), "{changes:#?}");
    assert_eq!(writes(&place), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_made_and_nothing_is_left_to_write() {
    let place = office().await;
    assert_eq!(planned(&place), [""; 0]);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(place.writes(), [""; 0]);
    // Cycles: ring group to ring group to queue, IVR to IVR and back.
    assert_eq!(row(&place, "RingGroups", "Number", "800")["ForwardNoAnswer"]["Number"], "801");
    assert_eq!(row(&place, "Receptionists", "Number", "901")["Forwards"][1]["ForwardDN"], "900");
    // The key watches the extension the PBX knows by this id.
    let blf = row(&place, "Users", "Number", "101")["Blfs"].as_str().unwrap().to_owned();
    let watched = row(&place, "Users", "Number", "102")["Id"].clone();
    assert!(blf.contains(&format!("<BLF ID=\"{watched}\" BLFNo=\"2\"")), "{blf}");
    // Each phone was told once.
    let mut told = pbx(&place).reprovisioned();
    told.sort();
    assert_eq!(told, ["805EC0000001", "805EC0000002", "805EC0000003", "805EC0000004"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_turned_is_one_write() {
    let place = office().await;
    for Turn { what, from, to, plan, set } in TURNS {
        place.edit(FILE, from, to);
        place.forget_requests();
        let planned = planned(&place);
        assert!(
            planned.iter().all(|change| change.contains(plan)) && !planned.is_empty(),
            "{what}: {planned:?}"
        );
        place.rocade(&["apply", "head-office", "--yes"]).ended(0);
        let written = writes(&place);
        assert_eq!(written.len(), planned.len(), "{what}: {written:?}");
        assert!(
            written.iter().all(|write| write.split('(').next() == Some(&format!("PATCH {set}"))),
            "{what}: {written:?}"
        );
        place.forget_requests();
        assert_eq!(crate::planned(&place), [""; 0], "{what}");
        assert_eq!(writes(&place), [""; 0], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_or_phone_is_one_write_and_one_phone_told() {
    let place = office().await;
    let before = pbx(&place).reprovisioned().len();
    place.edit(FILE, "blf: [101]", "blf: [101, 103]");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let patches: Vec<String> =
        writes(&place).into_iter().filter(|write| write.starts_with("PATCH")).collect();
    assert_eq!(patches.len(), 1, "{patches:?}");
    assert_eq!(pbx(&place).reprovisioned()[before..], ["805EC0000002"]);
}

/// A prompt's content is its name on the PBX: a changed file is uploaded, what plays it is changed, the old
/// content goes last.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_prompt_is_another_one() {
    let place = office().await;
    let path = place.file("inventory/prompts/welcome.wav");
    let mut audio = std::fs::read(&path).unwrap();
    *audio.last_mut().unwrap() ^= 1;
    std::fs::write(&path, audio).unwrap();
    let planned = planned(&place);
    assert_eq!(
        planned.iter().map(|change| change.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["create", "update", "delete"],
        "{planned:?}"
    );
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(crate::planned(&place), [""; 0]);
    assert_eq!(pbx(&place).count("CustomPrompts"), 4, "three of ours and the system's");
}

const HALL: &str = "      \"104\":
        first_name: Hall
        department: support
        phones: [{model: yealink-t41s, mac: 80:5e:c0:00:00:04}]
";

/// What is on the PBX and not in the inventory is kept, named or deleted, as it says; system objects stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_is_handled_as_the_inventory_says() {
    let place = office().await;
    place.edit(FILE, HALL, "");
    place.edit(FILE, "members: [103, 104]", "members: [103]");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let unmanaged = |place: &Place| {
        let plan = place.rocade(&["plan", "head-office", "--json"]).ended(0).json();
        plan["unmanaged"].as_array().unwrap().iter().map(|one| one["key"]["name"].clone()).collect::<Vec<_>>()
    };
    // Reported: the extension taken out, and the operator, which is nobody's to own here.
    assert_eq!(unmanaged(&place), [json!("10"), json!("104")]);
    assert_eq!(planned(&place), [""; 0]);
    place.edit(FILE, "unmanaged: report ", "unmanaged: keep ");
    assert_eq!((unmanaged(&place).len(), planned(&place).len()), (0, 0));
    place.edit(FILE, "unmanaged: keep ", "unmanaged: delete ");
    // The operator is the system's, and never goes.
    assert_eq!(planned(&place), ["delete pbx head-office: extension 104"]);
}

/// A part that the inventory does not have is not owned, whatever `unmanaged` says.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_of_a_part_that_is_not_written() {
    let place = office().await;
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (kept, _) = text.split_once("    departments:\n").unwrap();
    std::fs::write(&path, kept.replace("unmanaged: report ", "unmanaged: delete ")).unwrap();
    assert_eq!(planned(&place), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_is_said_or_noted() {
    let place = Place::whole().await;
    let applied = place.rocade(&["apply", "head-office", "--yes", "-v"]).ended(0);
    let json = place.rocade(&["plan", "head-office", "--json"]).ended(0);
    let log = std::fs::read_to_string(place.file(".rocade/lab/head-office.jsonl")).unwrap();
    let said = format!("{}{}{}{log}", applied.out, applied.err, json.out);
    let client = pbx(&place).plan().client_secret.clone();
    for secret in [client.as_str(), "2468013579", "secret-of-a", "SECRET-LICENCE-KEY"] {
        assert!(!said.contains(secret), "{secret}");
    }
    // The search finds what is there.
    assert!(said.contains("extension") && said.contains("Ada"));
}

/// Holidays that several departments keep have its title in theirs: they follow, and none is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_department_with_another_title_is_the_same_one() {
    let place = office().await;
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    place.edit(FILE, "      sales:\n        title: Sales\n", "      sales:\n        title: Selling\n");
    let planned = planned(&place);
    assert_eq!(
        planned,
        ["update pbx head-office: department sales", "update pbx head-office: holiday christmas.sales"]
    );
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(crate::planned(&place), [""; 0]);
}
