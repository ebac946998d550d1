//! A telephone system from wish to reality: the real program against a simulated 3CX. Every kind of object lives
//! through the same story.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod calls;
mod client;
mod contacts;
mod deletes;
mod directories;
mod faults;
mod import;
mod lists;
#[path = "../story/place.rs"]
#[allow(dead_code, reason = "the story uses the rest of it")]
mod place;
mod refused;
mod scale;
mod small;
mod story;
mod taken;
mod turns;
mod twins;
mod usage;
mod user_list;

use place::Place;
use rocade::lab::ThreeCx;
use serde_json::Value;

/// The file of the telephone system.
const FILE: &str = "head-office.yaml";

/// A place whose telephone system has everything of its inventory.
async fn office() -> Place {
    let place = Place::whole().await;
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    place.forget_requests();
    place
}

fn pbx(place: &Place) -> &ThreeCx {
    place.device("head-office").threecx().unwrap()
}

/// The changes planned for the telephone system.
fn planned(place: &Place) -> Vec<String> {
    let plan = place.rocade(&["plan", "head-office", "--json"]).ended(0).json();
    let changes = place::changes(&plan);
    changes.into_iter().filter(|change| change.contains("pbx head-office")).collect()
}

/// The writes to the telephone system without the backup before them.
fn writes(place: &Place) -> Vec<String> {
    let own = place.writes().into_iter().filter(|write| write.starts_with("head-office: "));
    let own = own.filter(|write| !write.ends_with("/Backups/Pbx.Backup"));
    own.map(|write| write.replace("head-office: ", "").replace("/xapi/v1/", "")).collect()
}

/// An object on the telephone system.
fn row(place: &Place, set: &str, property: &str, value: &str) -> Value {
    let found = pbx(place).find(set, property, value);
    assert_eq!(found.len(), 1, "{set} {value}: {found:#?}");
    found[0].clone()
}
