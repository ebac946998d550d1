//! Every place where a first apply can break, one after the other: it says so, claims nothing, and the next
//! apply goes on from there to the end.

use std::collections::BTreeMap;

use rocade::lab::{Knobs, State};
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

/// What a device has, but for what it keeps of itself: its files with modes and owners, and what its API shows.
fn picture(place: &Place, device: &str) -> BTreeMap<String, String> {
    let device = place.device(device);
    let own = |path: &str| path.contains("/rocade/kept") || path.starts_with("/var/lock");
    let mut picture: BTreeMap<String, String> = device.with_state(|state: &mut State| {
        let paths = state.files.below("/").into_iter().filter(|path| !own(path));
        let file = |path: String| {
            let facts = state.files.get(&path).unwrap().facts();
            let line = format!("{} {}:{} {:?}", facts.mode, facts.owner, facts.group, facts.sha256);
            (path, line)
        };
        paths.map(file).collect()
    });
    for resource in ["loraNetwork", "loraNetwork/whitelist"] {
        let target = format!("/api/{resource}");
        let shown =
            device.conduit().map(|conduit| conduit.with_api(|api| api.handle("GET", &target, b"").body));
        picture.extend(shown.map(|body| (resource.to_owned(), body)));
    }
    picture
}

/// Breaks a first apply at one point, then lets it go on. Whether it broke.
async fn break_at(device: &str, knob: &str, keep: bool) -> bool {
    let place = Place::new().await;
    let before = picture(&place, device);
    let knobs: Knobs = knob.parse().unwrap();
    place.device(device).knobs().set(|board| *board = knobs);
    let words = ["apply", "--yes", "--json", "--no-rollback"];
    let ran = place.rocade(&words[..if keep { 4 } else { 3 }]);
    let steps = steps(&ran);
    let own: Vec<&String> = steps.iter().filter(|step| step.contains(&format!(" {device}: "))).collect();
    let done = own.iter().filter(|step| step.starts_with("done")).count();
    place.device(device).knobs().set(|board| *board = Knobs::default());
    let broke = done < own.len();
    assert_eq!(ran.json()["complete"], !broke, "{knob}: {steps:#?}");
    if !broke {
        assert_eq!(ran.code, 0, "{knob}: {steps:#?}");
    } else if keep {
        assert_eq!(ran.code, 3, "{knob}: {steps:#?}");
    } else {
        assert!([3, 4].contains(&ran.code), "{knob}: {} {steps:#?}", ran.code);
        assert_eq!(done, 0, "{knob}: put back, and yet: {steps:#?}");
        let mut after = picture(&place, device);
        if place.device(device).with_state(|state: &mut State| state.packages.contains_key("mosquitto")) {
            // A package stays, with the files it brought.
            after.retain(|path, _| before.contains_key(path));
        }
        assert_eq!(after, before, "{knob}: {}", ran.err);
    }
    let again = place.rocade(&["apply", "--yes", "--json"]).ended(0).json();
    assert_eq!(again["complete"], true, "{knob}");
    // What was called done is not among what the next plan finds to do.
    let left = changes(&again["plan"]);
    for done in steps.iter().filter_map(|step| step.strip_prefix("done ")) {
        let left = left.iter().find(|change| change.ends_with(done) && !change.starts_with("wake"));
        assert!(left.is_none(), "{knob}: done, and yet: {left:?}");
    }
    broke
}

async fn break_everywhere(device: &'static str) {
    let count = orders(device).await;
    assert!(count > 20, "{device}: only {count} orders");
    let mut broke = 0;
    for n in 1..=count {
        for knob in [format!("fail-order={n}"), format!("cut-at-order={n}")] {
            broke += usize::from(break_at(device, &knob, n % 6 == 0).await);
        }
    }
    // Giving the lock back is the last order and changes nothing.
    assert_eq!(broke, 2 * (count - 1), "{device}");
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
        for (knob, said) in
            [("cut-at-exec=2", "before anything was begun"), ("cut-at-exec=3", "could not be read")]
        {
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
