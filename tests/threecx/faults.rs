//! What goes wrong on the way: a write that fails or breaks off, answers that are none, a person in the console
//! at the same time. Nothing false is called done, and the next apply goes on to the end.

use rocade::lab::{ApiFault, Knobs, ThreeCxPlan};
use serde_json::{Value, json};

use crate::small::{applied, small};
use crate::{FILE, office, pbx, place::Place, planned, writes};

fn turn(place: &Place, knobs: &str) {
    let knobs: Knobs = knobs.parse().unwrap();
    place.device("head-office").knobs().set(|board| *board = knobs);
}

/// How many PBXs are tried at the same time.
const PARALLEL: usize = 4;

/// Every write of a first apply fails once, and is cut off once after it was done: each in a PBX of its own.
#[test]
fn an_apply_breaks_at_every_write_and_the_next_one_ends_it() {
    let (writes, counts) = on_a_runtime(async {
        let place = small(ThreeCxPlan::default()).await;
        place.rocade(&["apply", "--yes"]).ended(0);
        (place.writes().len(), counts(&place))
    });
    assert!(writes > 25 && counts.iter().all(|(_, count)| *count > 0), "{writes} writes: {counts:?}");
    let points: Vec<(&str, usize)> =
        (1..=writes).flat_map(|at| [("fail-order", at), ("cut-at-order", at)]).collect();
    std::thread::scope(|scope| {
        for worker in 0..PARALLEL {
            let (points, counts) = (&points, &counts);
            scope.spawn(move || {
                for (knob, at) in points.iter().skip(worker).step_by(PARALLEL) {
                    on_a_runtime(broken_at(knob, *at, counts));
                }
            });
        }
    });
    eprintln!("{} points: {writes} writes, each failed and cut", points.len());
}

fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// How many objects of each set there are.
fn counts(place: &Place) -> Vec<(&'static str, usize)> {
    let sets = crate::deletes::SETS.into_iter().chain(["CustomPrompts"]);
    sets.map(|set| (set, pbx(place).count(set))).collect()
}

async fn broken_at(knob: &str, at: usize, whole: &[(&'static str, usize)]) {
    let point = format!("{knob}={at}");
    let place = small(ThreeCxPlan::default()).await;
    turn(&place, &point);
    let ran = place.rocade(&["apply", "--yes", "--json"]);
    // A write that was done is found to be: only a failed one leaves something. Telling a phone is no part of a
    // change, it asks again by itself.
    let codes: &[i32] = if knob == "cut-at-order" { &[0] } else { &[0, 1, 3] };
    assert!(codes.contains(&ran.code), "{point}: {} {}\n{}", ran.code, ran.err, ran.out);
    let result = ran.json();
    let left: Vec<&Value> = result["after"]["changes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|change| &change["address"])
        .collect();
    for step in result["steps"].as_array().unwrap().iter().filter(|step| step["outcome"] == "done") {
        assert!(!left.contains(&&step["address"]), "{point}: a false done: {step}");
    }
    turn(&place, "");
    // An apply that ends well has read again and found nothing left.
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(counts(&place), whole, "{point}");
}

/// What was not answered is looked at once: done, not done, or nobody can say.
#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_write_is_settled_by_looking() {
    let place = applied(ThreeCxPlan::default()).await;
    place.edit(FILE, "first_name: Grace", "first_name: Grace B.");
    // Not done: it is confirmed without being done, and the confirmation is cut.
    turn(&place, "forget,cut-at-order=2");
    let ran = place.rocade(&["apply", "--yes"]).ended(1);
    assert!(ran.out.contains("it was read again and is as before"), "{}", ran.out);
    // Done.
    turn(&place, "cut-at-order=2");
    place.rocade(&["apply", "--yes"]).ended(0);
    // Deleted: what is gone is gone.
    place.edit(FILE, "      france: {title: France", "      france: {title: All of France");
    turn(&place, "cut-at-order=2");
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(pbx(&place).count("OutboundRules"), 2);
    turn(&place, "forget,cut-at-order=2");
    place.edit(FILE, "      shop: {", "      boutique: {");
    let ran = place.rocade(&["apply", "--yes"]);
    assert!(ran.out.contains("it was looked for and is not there"), "{}", ran.out);
}

/// Nobody can say: the look fails too. That is neither done nor failed.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_settled_is_unknown() {
    // Cut after it was done, and answered by a gateway in between that waited too long.
    for (cut, status) in [(Some(2), 500), (None, 504)] {
        let place = applied(ThreeCxPlan::default()).await;
        place.edit(FILE, "first_name: Grace", "first_name: Grace B.");
        let device = place.device("head-office");
        device.knobs().set(|knobs| {
            knobs.slow = std::time::Duration::from_millis(150);
            knobs.cut_at_order = cut;
        });
        let ran = std::thread::scope(|scope| {
            let applying = scope.spawn(|| place.rocade(&["apply", "--yes", "--json"]));
            // From the look right before the write on; the answer to that is on its way already.
            let read = |entry: &rocade::lab::Entry| entry.what.starts_with("GET /xapi/v1/Users(");
            while !device.log().entries().iter().any(read) {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            device.knobs().set(|knobs| knobs.api = Some(ApiFault::Status(status)));
            applying.join().unwrap()
        });
        let step = ran.ended(3).json()["steps"][0].clone();
        assert_eq!(step["outcome"], "unknown", "{step}");
        turn(&place, "");
        place.rocade(&["apply", "--yes"]).ended(0);
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
