//! An apply that is killed (`kill -9`) after each order and each record of its journal: the next one is told of it
//! and goes on by itself.

use std::time::Duration;

use serde_json::Value;

use crate::keeping::files;
use crate::kill::kill_when;
use crate::place::{Place, plain_program};

/// Starts an apply and kills it as soon as `died` says so.
fn kill_apply(place: &Place, died: &dyn Fn() -> bool) -> bool {
    kill_when(plain_program(place.root()).args(["apply", "--yes"]), died)
}

fn journal(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.file(".rocade/journal.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// After a kill the next apply tells of it, goes on by itself and ends complete; nothing is half-written and
/// the sensors' keys are those of the secrets.
fn goes_on(place: &Place, what: &str) {
    let ran = place.rocade(&["apply", "--yes", "--json"]).ended(0);
    assert_eq!(ran.json()["complete"], true, "{what}");
    assert_eq!(place.planned(), [""; 0], "{what}");
    for device in ["pool-gw", "main"] {
        let half = files(place, device).into_keys().find(|path| path.contains(".rocade-"));
        assert_eq!(half, None, "{what}: {device}");
    }
}

/// The audit has one line of an apply that died, also after runs that have nothing to do.
fn on_record(place: &Place, apply: &str, what: &str) {
    place.rocade(&["apply", "--yes"]).ended(0);
    let runs = place.rocade(&["history", "--json"]).ended(0).json();
    let runs = runs["runs"].as_array().unwrap().iter().filter(|run| run["apply"] == apply);
    let [run] = runs.collect::<Vec<_>>()[..] else { panic!("{what}: not one line of {apply}") };
    assert_eq!((&run["result"], &run["exit"]), (&"did not come to its end".into(), &1.into()), "{what}");
    let from = run["from"].as_str().unwrap();
    assert!(from.contains('@') && !from.contains(','), "{what}: {from}");
}

/// Tries every n-th order; n is 1 for all of them.
async fn kill_at_orders(each: usize) {
    let count = {
        let place = Place::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        place.writes().len()
    };
    let mut killed = 0;
    for n in (1..=count).step_by(each) {
        let place = Place::new().await;
        for device in place.lab.devices() {
            device.knobs().set(|knobs| knobs.slow = Duration::from_millis(1));
        }
        if !kill_apply(&place, &|| place.writes().len() >= n) {
            continue;
        }
        killed += 1;
        goes_on(&place, &format!("killed after order {n} of {count}"));
    }
    assert!(killed > count / each / 2, "only {killed} applies were killed");
    eprintln!("killed after {killed} of {count} orders");
}

/// Tries every n-th record.
async fn kill_at_records(each: usize) {
    let count = {
        let place = Place::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        journal(&place).len()
    };
    let mut killed = 0;
    for n in (1..count).step_by(each) {
        let place = Place::new().await;
        if !kill_apply(&place, &|| journal(&place).len() >= n) {
            continue;
        }
        let records = journal(&place);
        if records.iter().any(|record| record["event"] == "end") {
            continue;
        }
        killed += 1;
        let told = place.rocade(&["apply", "--no-input"]);
        assert!(told.err.contains("did not come to its end"), "{n}: {}", told.err);
        let what = format!("killed after record {n} of {count}");
        goes_on(&place, &what);
        on_record(&place, records[0]["apply"].as_str().unwrap(), &what);
    }
    assert!(killed > count / each / 3, "only {killed} applies were killed");
    eprintln!("killed after {killed} of {count} records");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_an_order_is_gone_on_from() {
    kill_at_orders(7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_a_record_of_the_journal_is_told_and_gone_on_from() {
    kill_at_records(7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_died_after_its_last_change_is_on_record() {
    let place = Place::applied().await;
    let text = std::fs::read_to_string(place.file(".rocade/journal.jsonl")).unwrap();
    let cut: Vec<&str> = text.lines().filter(|line| !line.contains("\"event\":\"end\"")).collect();
    std::fs::write(place.file(".rocade/journal.jsonl"), cut.join("\n")).unwrap();
    std::fs::remove_dir_all(place.file("audit")).unwrap();
    let apply = journal(&place).last().unwrap()["apply"].as_str().unwrap().to_owned();
    on_record(&place, &apply, "nothing left to do");
    on_record(&place, &apply, "nothing left to do, again");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --test story -- --ignored --nocapture killed"]
async fn a_kill_after_each_order_is_gone_on_from() {
    kill_at_orders(1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --test story -- --ignored --nocapture killed"]
async fn a_kill_after_each_record_of_the_journal_is_told_and_gone_on_from() {
    kill_at_records(1).await;
}
