//! Every place where a first apply can break, one after the other: it says so, claims nothing, and the next
//! apply goes on from there to the end.

use rocade::lab::Knobs;
use serde_json::Value;

use crate::place::{Place, Ran, changes};

/// The outcomes of a run's changes, as `done broker main: package mosquitto`.
fn steps(ran: &Ran) -> Vec<String> {
    let line = |step: &Value| {
        let (target, key) = (&step["address"]["target"], &step["address"]["key"]);
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let [outcome, kind, name] = [&step["outcome"], &target["kind"], &target["name"]].map(word);
        let [collection, resource] = [&key["collection"], &key["name"]].map(word);
        format!("{outcome} {kind} {name}: {collection} {resource}")
    };
    ran.json()["steps"].as_array().unwrap().iter().map(line).collect()
}

/// How many orders the first apply gives to a device.
async fn orders(device: &str) -> usize {
    let place = Place::new().await;
    place.rocade(&["apply", "--yes"]).ended(0);
    place.writes().iter().filter(|write| write.starts_with(&format!("{device}: "))).count()
}

/// Breaks a first apply at one point, then lets it go on.
async fn break_at(device: &str, knob: &str) {
    let place = Place::new().await;
    let knobs: Knobs = knob.parse().unwrap();
    place.device(device).knobs().set(|board| *board = knobs);
    let ran = place.rocade(&["apply", "--yes", "--json"]).ended(3);
    let steps = steps(&ran);
    let broken =
        steps.iter().filter(|step| step.starts_with("failed") || step.starts_with("unknown")).count();
    assert!(broken > 0, "{knob}: nothing failed: {steps:#?}");
    assert_eq!(ran.json()["complete"], false, "{knob}");
    place.device(device).knobs().set(|board| *board = Knobs::default());
    let again = place.rocade(&["apply", "--yes", "--json"]).ended(0).json();
    assert_eq!(again["complete"], true, "{knob}");
    // What was called done is not among what the next plan finds to do.
    let left = changes(&again["plan"]);
    for done in steps.iter().filter_map(|step| step.strip_prefix("done ")) {
        let left = left.iter().find(|change| change.ends_with(done) && !change.starts_with("wake"));
        assert!(left.is_none(), "{knob}: done, and yet: {left:?}");
    }
}

async fn break_everywhere(device: &'static str) {
    let count = orders(device).await;
    assert!(count > 20, "{device}: only {count} orders");
    for n in 1..=count {
        break_at(device, &format!("fail-order={n}")).await;
        break_at(device, &format!("cut-at-order={n}")).await;
    }
    eprintln!("{device}: {} fault points", 2 * count);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_breaks_at_every_order_of_a_gateway() {
    break_everywhere("pool-gw").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_breaks_at_every_order_of_a_broker() {
    break_everywhere("main").await;
}

/// The connection breaks when it is written (2) and when it is read again (3).
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_breaks_at_every_exec() {
    for device in ["main", "pool-gw"] {
        for (knob, said) in [("cut-at-exec=2", "unknown"), ("cut-at-exec=3", "could not be read")] {
            let place = Place::new().await;
            let knobs: Knobs = knob.parse().unwrap();
            place.device(device).knobs().set(|board| *board = knobs);
            let ran = place.rocade(&["apply", "--yes"]).ended(3);
            assert!(ran.out.contains(said), "{device} {knob}: {}", ran.out);
            place.rocade(&["apply", "--yes"]).ended(0);
            assert_eq!(place.planned(), [""; 0], "{device} {knob}");
        }
    }
}

/// Devices that confirm everything and do nothing are found out by reading again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_confirmed_and_not_done_is_found_out() {
    let place = Place::new().await;
    for device in place.lab.devices() {
        device.knobs().set(|knobs| knobs.forget = true);
    }
    let ran = place.rocade(&["apply", "--yes"]).ended(3);
    assert!(ran.out.contains("still not as wished"), "{}", ran.out);
    for device in place.lab.devices() {
        device.knobs().set(|knobs| knobs.forget = false);
    }
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
}
