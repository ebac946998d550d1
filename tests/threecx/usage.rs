//! What a telephone system was used for, and how large it must be, from the history of its calls.

use rocade::lab::ApiFault;
use serde_json::json;

use crate::pbx;
use crate::place::Place;

const MARCH: [&str; 4] = ["--from", "2026-03-01", "--to", "2026-03-31"];

/// Notes a row of a call.
fn row(place: &Place, id: &str, start: &str, from: [&str; 2], to: &str, spans: [&str; 2]) {
    let answered = spans[1] != "PT0S";
    pbx(place).note_call(&json!({
        "MainCallHistoryId": id, "CallHistoryId": format!("{id}-{to}"), "StartTime": start,
        "SourceDn": from[0], "SourceCallerId": from[1], "DestinationDn": to,
        "RingingDuration": spans[0], "TalkingDuration": spans[1], "Answered": answered,
    }));
}

async fn used() -> Place {
    let place = Place::whole().await;
    let ada = ["10000", "+33611223344"];
    // Rings at the group, then one of its members answers.
    row(&place, "a", "2026-03-02T09:00:00Z", ada, "800", ["PT10S", "PT0S"]);
    row(&place, "a", "2026-03-02T09:00:10Z", ada, "101", ["PT5S", "PT10M"]);
    // A queue takes the call, and nobody of it does.
    row(&place, "b", "2026-03-02T09:02:00Z", ["10000", "+33699887766"], "850", ["PT0S", "PT2M"]);
    row(&place, "b", "2026-03-02T09:02:00Z", ["10000", "+33699887766"], "103", ["PT2M", "PT0S"]);
    // Called back by 102, and missed again for another.
    row(&place, "c", "2026-03-02T09:20:00Z", ["102", "102"], "10000", ["PT5S", "PT0S"]);
    row(&place, "d", "2026-03-02T15:00:00Z", ["10000", "+33655443322"], "101", ["PT20S", "PT0S"]);
    // Out of the period.
    row(&place, "e", "2026-04-02T15:00:00Z", ada, "101", ["PT20S", "PT0S"]);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_and_callers_stay_hidden() {
    let place = used().await;
    place.forget_requests();
    let stats = [&["pbx", "stats", "head-office"][..], &MARCH].concat();
    let said = place.rocade(&[&stats[..], &["--json"]].concat()).ended(0).json();
    let usage = &said["usage"];
    assert_eq!(usage["ways"]["in"], json!({"calls": 3, "answered": 1, "missed": 2, "talked": 600}));
    assert_eq!(usage["all"]["calls"], 4);
    assert_eq!(
        (&usage["waited"], &usage["longest"], &usage["most_at_once"]),
        (&json!(15), &json!(600), &json!(2))
    );
    assert_eq!(usage["numbers"]["800"], json!({"calls": 1, "answered": 1, "missed": 0, "talked": 0}));
    assert_eq!(usage["numbers"]["101"], json!({"calls": 2, "answered": 1, "missed": 1, "talked": 600}));
    assert_eq!(usage["numbers"]["850"]["missed"], 1, "a queue's own answer is nobody's");
    assert_eq!(usage["hours"].as_object().unwrap().len(), 2);
    assert_eq!(usage["unreturned"][0]["number"], "+336******22");
    let text = place.rocade(&stats).ended(0).out;
    for words in ["busiest hour: 2026-03-02 10:00", "waited 15 s on average", "+336******66", "800 "] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(!text.contains("+33699887766"));
    let whole = place.rocade(&[&stats[..], &["--numbers"]].concat()).ended(0).out;
    assert!(whole.contains("+33699887766"), "{whole}");
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_read_to_its_end_or_not_at_all() {
    let place = Place::whole().await;
    for number in 0..250 {
        let start = format!("2026-03-{:02}T09:{:02}:00Z", number / 60 + 1, number % 60);
        row(&place, &number.to_string(), &start, ["10000", "+33611223344"], "101", ["PT5S", "PT1M"]);
    }
    let stats = [&["pbx", "stats", "head-office", "--json"][..], &MARCH].concat();
    assert_eq!(place.rocade(&stats).ended(0).json()["usage"]["all"]["calls"], 250);
    place.device("head-office").knobs().set(|knobs| knobs.api = Some(ApiFault::Half));
    let said = place.rocade(&stats).ended(1);
    assert!(said.err.contains("could not be read") && said.out.is_empty(), "{}{}", said.err, said.out);
    let backwards = ["pbx", "stats", "head-office", "--from", "2026-03-02", "--to", "2026-03-01"];
    assert!(place.rocade(&backwards).ended(1).err.contains("before it begins"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_is_held_against_licence_and_trunks() {
    let place = used().await;
    // 40 people of 35 minutes, 15 % in an hour: 3.5 Erlangs, 9 channels at 1 % (8 carry 3.13).
    let people = ["pbx", "size", "--users", "40", "--minutes-per-day", "35", "--json"];
    let said = place.rocade(&people).ended(0).json();
    assert_eq!(
        (&said["erlangs"], &said["needed"], &said["licence"]["next"]),
        (&json!(3.5), &json!(9), &json!(16))
    );
    let said = place.rocade(&[&people[..], &["head-office"]].concat()).ended(1).json();
    assert_eq!(said["trunks"]["calls"], 8, "one too few");
    let said =
        place.rocade(&["pbx", "size", "--users", "40", "--minutes-per-day", "35", "--licence", "8"]).ended(1);
    assert!(said.out.contains("the licence: 8 calls") && said.out.contains("too few"), "{}", said.out);
    // From the history, against the licence the PBX has.
    let said =
        place.rocade(&[&["pbx", "size", "head-office", "--json"][..], &MARCH].concat()).ended(0).json();
    assert_eq!((&said["licence"]["calls"], &said["most_at_once"]), (&json!(16), &json!(2)));
    assert!(said["erlangs"].as_f64().unwrap() > 0.1);
    for words in [&["--users", "4"][..], &["--users", "4", "--minutes-per-day", "0"], &["--blocking", "0%"]] {
        place.rocade(&[&["pbx", "size"], words].concat()).ended(64);
    }
    assert!(place.rocade(&["pbx", "size"]).ended(1).err.contains("--users"));
}
