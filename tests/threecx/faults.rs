//! What goes wrong on the way: a write that fails or breaks off, answers that are none, a person in the console
//! at the same time. Nothing false is called done, and the next apply goes on to the end.

use rocade::lab::Knobs;
use serde_json::json;

use crate::{FILE, office, pbx, place::Place, planned, writes};

fn turn(place: &Place, knobs: &str) {
    let knobs: Knobs = knobs.parse().unwrap();
    place.device("head-office").knobs().set(|board| *board = knobs);
}

/// Every write of a first apply fails once, and is cut off once after it was done.
#[tokio::test(flavor = "multi_thread")]
async fn an_apply_breaks_at_every_write_and_the_next_one_ends_it() {
    let count = {
        let place = Place::whole().await;
        place.rocade(&["apply", "head-office", "--yes"]).ended(0);
        place.writes().iter().filter(|write| write.starts_with("head-office: ")).count()
    };
    assert!(count > 40, "only {count} writes");
    for at in (1..=count).step_by(3) {
        for knob in ["fail-order", "cut-at-order"] {
            let place = Place::whole().await;
            turn(&place, &format!("{knob}={at}"));
            let ran = place.rocade(&["apply", "head-office", "--yes", "--json"]);
            // Telling a phone is no part of a change: it asks again by itself.
            assert!([0, 1, 3].contains(&ran.code), "{knob}={at}: {} {}", ran.code, ran.err);
            turn(&place, "");
            place.rocade(&["apply", "head-office", "--yes"]).ended(0);
            assert_eq!(planned(&place), [""; 0], "{knob}={at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_are_not_read_and_delete_nothing() {
    let place = office().await;
    place.edit(FILE, "unmanaged: report ", "unmanaged: delete ");
    for knobs in ["api=garbage", "api=half", "api=503", "api=500", "api=down", "refuse"] {
        turn(&place, knobs);
        let ran = place.rocade(&["plan", "head-office", "--json"]).ended(1);
        let plan = ran.json();
        let changes = crate::place::changes(&plan);
        assert!(!changes.iter().any(|change| change.contains("pbx")), "{knobs}: {changes:?}");
        assert!(!plan["unread"].as_array().unwrap().is_empty(), "{knobs}");
    }
    turn(&place, "");
    assert_eq!(writes(&place), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_confirmed_and_not_done_is_found_out() {
    let place = office().await;
    place.edit(FILE, "last_name: Example", "last_name: Sample");
    turn(&place, "forget");
    let ran = place.rocade(&["apply", "head-office", "--yes"]).ended(3);
    assert!(ran.out.contains("still not as wished"), "{}", ran.out);
    turn(&place, "");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(planned(&place), [""; 0]);
}

/// A person changes the object between plan and write: it stays as the person left it.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_in_the_console_is_noticed() {
    let place = office().await;
    place.edit(FILE, "last_name: Example", "last_name: Sample");
    let plan = place.file("plan.json");
    place.rocade(&["plan", "head-office", "--out", plan.to_str().unwrap()]).ended(0);
    pbx(&place).alter("Users", "Number", "101", &json!({"LastName": "Console"})).unwrap();
    let ran = place.rocade(&["apply", plan.to_str().unwrap(), "--yes"]).ended(6);
    assert!(ran.err.contains("stale"), "{}", ran.err);
    assert_eq!(pbx(&place).find("Users", "Number", "101")[0]["LastName"], "Console");
    assert_eq!(writes(&place), [""; 0]);
}

/// The same between the plan that apply makes and its write: the object is left alone and said.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_in_the_console_is_noticed_right_before_the_write() {
    let place = office().await;
    place.edit(FILE, "last_name: Example", "last_name: Sample");
    place.device("head-office").knobs().set(|knobs| knobs.slow = std::time::Duration::from_millis(150));
    let ran = std::thread::scope(|scope| {
        let applying = scope.spawn(|| place.rocade(&["apply", "head-office", "--yes"]));
        let backup = |place: &Place| {
            place.device("head-office").log().entries().iter().any(|entry| entry.what.ends_with("Pbx.Backup"))
        };
        while !backup(&place) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        pbx(&place).alter("Users", "Number", "101", &json!({"Mobile": "+33699999999"})).unwrap();
        applying.join().unwrap()
    });
    let ran = ran.ended(1);
    assert!(ran.out.contains("extension 101: a person changed mobile since the plan"), "{}", ran.out);
    assert_eq!(writes(&place), [""; 0]);
    assert_eq!(pbx(&place).find("Users", "Number", "101")[0]["LastName"], "Example");
}

/// A dead key, as the console leaves it when a watched extension was made anew, is seen and mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_is_seen_and_mended() {
    let place = office().await;
    let key = "<BLF ID=\"999\" BLFNo=\"2\" BLFType=\"BLF\" BLFTypeID=\"0\">101</BLF>";
    let dead = format!("<PhoneDevice><BLFS>{key}</BLFS></PhoneDevice>");
    pbx(&place).alter("Users", "Number", "102", &json!({ "Blfs": dead })).unwrap();
    assert_eq!(planned(&place), ["update pbx head-office: extension 102"]);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(planned(&place), [""; 0]);
}
