//! What is kept before a host is written: put back by hand, put back by the host itself when a change cuts us
//! off; one writer at a time; an apply that dies.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use rocade::lab::{Knobs, State};
use serde_json::Value;

use crate::place::Place;

/// The files of a device but for what it keeps of itself.
fn files(place: &Place, device: &str) -> BTreeMap<String, (u32, String, Vec<u8>)> {
    place.device(device).with_state(|state: &mut State| {
        let paths = state.files.below("/");
        let own = |path: &String| path.contains("/rocade/kept") || path.starts_with("/var/lock");
        let file = |path: String| {
            let entry = state.files.get(&path).unwrap();
            let facts = (entry.mode, format!("{}:{}", entry.owner, entry.group), entry.bytes.clone());
            (path, facts)
        };
        paths.into_iter().filter(|path| !own(path)).map(file).collect()
    })
}

/// Lays a file on a device, with the folder it is in.
fn lay(place: &Place, device: &str, path: &str, text: &str) {
    let (folder, _) = path.rsplit_once('/').unwrap();
    let make = |state: &mut State| state.files.directory(folder, 0o755, "root", "root");
    place.device(device).with_state(make).unwrap();
    place.put(device, path, text);
}

fn shown(place: &Place) -> Vec<String> {
    let conduit = place.device("pool-gw").conduit().unwrap();
    ["loraNetwork", "loraNetwork/whitelist"]
        .map(|resource| conduit.with_api(|api| api.handle("GET", &format!("/api/{resource}"), b"").body))
        .into()
}

/// What `rocade plan` would do after it: nothing of a rollback is half.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_puts_back_a_gateway_never_touched_before() {
    let place = Place::new().await;
    let (before, api) = (files(&place, "pool-gw"), shown(&place));
    let running = |state: &mut State| state.runs("rocade-relay");
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_ne!(files(&place, "pool-gw"), before);
    assert!(place.device("pool-gw").with_state(running));
    // Without a person's yes nothing happens, and what would is said.
    let asked = place.rocade(&["rollback", "pool-gw", "--no-input"]).ended(6);
    assert!(asked.out.contains("< /etc/init.d/rocade-relay"), "{}", asked.out);
    assert_ne!(files(&place, "pool-gw"), before);
    let done = place.rocade(&["rollback", "pool-gw", "--yes"]).ended(0);
    assert!(done.out.contains("read again and found as it was"), "{}", done.out);
    assert_eq!(files(&place, "pool-gw"), before);
    assert_eq!(shown(&place), api);
    assert!(!place.device("pool-gw").with_state(running));
    let lock = place.rocade(&["lock", "show", "pool-gw"]).ended(0).out;
    assert!(lock.contains("free"), "{lock}");
    // And forward again.
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_back_over_several_applies() {
    let place = Place::applied().await;
    let first = files(&place, "pool-gw");
    for (from, to) in [("topic: sites/pool/hall", "topic: sites/pool/hall-2"), ("hall-2", "hall-3")] {
        place.edit("sensors.yaml", from, to);
        place.rocade(&["apply", "--yes"]).ended(0);
    }
    let listed = place.rocade(&["rollback", "--to", "rocade-0", "--yes"]).ended(64);
    let names: Vec<&str> =
        listed.err.split(['`', ' ', ',', '\n']).filter(|word| word.starts_with("rocade-2")).collect();
    assert_eq!(names.len(), 3, "{}", listed.err);
    place.rocade(&["rollback", "pool-gw", "--to", names[1], "--yes"]).ended(0);
    assert_eq!(files(&place, "pool-gw"), first);
}

fn is_saved(place: &Place) -> bool {
    let conduit = place.device("pool-gw").conduit().unwrap();
    conduit.with_api(|api| api.handle("GET", "/api/system/dbDirty", b"").body).contains("false")
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_were_not_saved_are_dropped_by_the_unit_itself() {
    let save = {
        let place = Place::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        let orders = place.writes().into_iter().filter(|write| write.starts_with("pool-gw: "));
        orders.collect::<Vec<_>>().iter().position(|write| write.ends_with("command/save")).unwrap() + 1
    };
    let place = Place::new().await;
    let api = shown(&place);
    place.device("pool-gw").knobs().set(|knobs| knobs.fail_order = u32::try_from(save).ok());
    let ran = place.rocade(&["apply", "--yes"]).ended(4);
    let writes = place.writes();
    let last = writes.iter().rfind(|write| write.contains("/api/")).unwrap();
    assert!(last.ends_with("command/revert"), "{writes:?}\n{}", ran.err);
    assert_eq!(shown(&place), api);
    assert!(is_saved(&place));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_a_host_could_not_put_back_alone_are_still_offered() {
    let place = Place::new().await;
    let api = shown(&place);
    let fresh = files(&place, "pool-gw");
    place.rocade(&["apply", "--yes"]).ended(0);
    // As if rocade had died and the host had put itself back when its time ran out.
    let name = place.device("pool-gw").with_state(|state: &mut State| {
        let lists = state.files.below("/var/config/rocade/kept");
        let folder = lists.iter().find_map(|path| path.strip_suffix("/list")).unwrap();
        state.files.put(&format!("{folder}/reverted"), b"ok\n".to_vec(), 0o600, "root", "root").unwrap();
        folder.rsplit_once('/').unwrap().1.to_owned()
    });
    assert_ne!(shown(&place), api);
    let done = place.rocade(&["rollback", "pool-gw", "--yes"]).ended(0);
    assert!(done.out.contains("/api/loraNetwork") && !done.out.contains("/api/system"), "{}", done.out);
    assert_eq!((shown(&place), files(&place, "pool-gw")), (api, fresh));
    assert!(is_saved(&place));
    let again = place.rocade(&["rollback", "pool-gw", "--to", &name, "--no-input"]).ended(64);
    assert!(!again.err.contains(&format!("kept: {name}")), "{}", again.err);
}

/// A broken line for a host: its SSH server is told to listen elsewhere.
fn host_yaml(text: &str) -> String {
    let file = "path: /etc/ssh/sshd_config.d/10-rocade.conf, mode: \"0600\", owner: root";
    format!("    files:\n      - {{{file}, content: {text:?}}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_could_cut_us_off_is_confirmed_over_a_new_connection() {
    let mut place = Place::new().await;
    place.add_host(&host_yaml("MaxAuthTries 3\n")).await;
    let ran = place.rocade(&["apply", "signage-1", "--yes"]).ended(0);
    assert!(ran.err.contains("confirming over a new connection"), "{}", ran.err);
    let orders: Vec<String> =
        place.writes().into_iter().filter(|write| write.starts_with("signage-1: ")).collect();
    let word = |write: &String| write.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(
        orders.iter().map(word).collect::<Vec<_>>(),
        ["lock", "keep", "arm", "put", "confirm", "unlock"]
    );
    assert_eq!(place.planned().iter().filter(|change| change.contains("signage-1")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_a_change_cuts_off_puts_it_back_by_itself() {
    let mut place = Place::new().await;
    place.add_host(&host_yaml("MaxAuthTries 3\n")).await;
    let before = files(&place, "signage-1");
    // The connection dies at the order that matters and no new one is taken: for longer than the timer waits.
    let device = place.device("signage-1");
    device.knobs().set(|knobs| *knobs = "cut-at-order=4".parse::<Knobs>().unwrap());
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !device.log().entries().iter().any(|entry| entry.what.starts_with("put ")) {
                std::thread::sleep(Duration::from_millis(5));
            }
            device.knobs().set(|knobs| knobs.refuse = true);
            std::thread::sleep(Duration::from_secs(5));
            device.knobs().set(|knobs| knobs.refuse = false);
        });
        place.rocade(&["apply", "signage-1", "--yes", "--confirm-within", "3"])
    });
    let ran = ran.ended(4);
    assert!(ran.out.contains("put back"), "{} {}", ran.out, ran.err);
    assert_eq!(files(&place, "signage-1"), before);
    place.rocade(&["apply", "signage-1", "--yes"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_confirmed_is_not_told_as_done() {
    let mut place = Place::new().await;
    place.add_host(&host_yaml("MaxAuthTries 3\n")).await;
    lay(&place, "signage-1", "/etc/ssh/sshd_config.d/10-rocade.conf", "MaxAuthTries 9\n");
    // All is done, the confirmation is refused, and the host cannot put back what it kept.
    let device = place.device("signage-1");
    device.knobs().set(|knobs| *knobs = "fail-order=5".parse::<Knobs>().unwrap());
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !device.log().entries().iter().any(|entry| entry.what.starts_with("put ")) {
                std::thread::sleep(Duration::from_millis(5));
            }
            device.with_state(|state: &mut State| {
                let kept = state.files.below("/var/lib/rocade/kept");
                let kept: Vec<String> = kept.into_iter().filter(|path| path.ends_with("/0")).collect();
                assert_eq!(kept.len(), 1);
                state.files.remove(&kept[0]).unwrap();
            });
        });
        place.rocade(&["apply", "signage-1", "--yes", "--json", "--confirm-within", "2"])
    });
    let steps = ran.ended(3).json()["steps"].clone();
    let of_host = |step: &&Value| step["address"]["target"]["name"] == "signage-1";
    let outcomes: Vec<&Value> =
        steps.as_array().unwrap().iter().filter(of_host).map(|step| &step["outcome"]).collect();
    assert_eq!(outcomes, ["unknown"], "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_five_applies_can_be_gone_back_over() {
    let place = Place::new().await;
    for number in 1..=7 {
        let folder = format!("/var/config/rocade/kept/rocade-{number}");
        lay(&place, "pool-gw", &format!("{folder}/list"), "");
        // Number 6 was put back; number 5 could not be and may be tried again.
        match number {
            6 => lay(&place, "pool-gw", &format!("{folder}/reverted"), "ok\n"),
            5 => lay(&place, "pool-gw", &format!("{folder}/reverted"), "no room\n"),
            _ => {}
        }
    }
    let listed = place.rocade(&["rollback", "pool-gw", "--to", "rocade-0", "--yes"]).ended(64);
    assert!(listed.err.contains("kept: rocade-3, rocade-4, rocade-5, rocade-7"), "{}", listed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_of_a_repository_do_not_write_one_host_at_once() {
    let place = Place::applied().await;
    let lock = "0123\n999999999\nbob@elsewhere, rocade-1\n";
    let put = |state: &mut State| {
        state.files.directory("/var/lock", 0o755, "root", "root")?;
        state.files.put("/var/lock/rocade", lock.into(), 0o644, "root", "root")
    };
    place.device("pool-gw").with_state(put).unwrap();
    let shown = place.rocade(&["lock", "show"]).ended(0).out;
    assert!(
        shown.contains("gateway pool-gw  bob@elsewhere, rocade-1") && shown.contains("broker main  free"),
        "{shown}"
    );
    place.edit("sensors.yaml", "topic: sites/pool/hall", "topic: sites/pool/hall-2");
    let ran = place.rocade(&["apply", "pool-gw", "--yes"]).ended(5);
    assert!(ran.err.contains("bob@elsewhere") && ran.err.contains("rocade lock show"), "{}", ran.err);
    place.rocade(&["lock", "break", "pool-gw", "--no-input"]).ended(6);
    place.rocade(&["lock", "break", "pool-gw", "--yes"]).ended(0);
    place.rocade(&["apply", "pool-gw", "--yes"]).ended(0);
    let shown = place.rocade(&["lock", "show", "pool-gw"]).ended(0).out;
    assert!(shown.contains("free"), "{shown}");
}

/// Starts an apply, kills it as soon as `died` says so, and gives the journal's length then.
fn kill_when(place: &Place, died: &dyn Fn() -> bool) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rocade"));
    child.env_clear().env("HOME", place.root()).arg("-C").arg(place.root());
    let child = child.args(["apply", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    loop {
        if died() {
            // SIGKILL: nothing of it gets to tidy up.
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_each_order_is_gone_on_from() {
    let count = {
        let place = Place::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        place.writes().len()
    };
    let mut killed = 0;
    for n in (1..=count).step_by(3) {
        let place = Place::new().await;
        for device in place.lab.devices() {
            device.knobs().set(|knobs| knobs.slow = Duration::from_millis(1));
        }
        if !kill_when(&place, &|| place.writes().len() >= n) {
            continue;
        }
        killed += 1;
        goes_on(&place, &format!("killed after order {n} of {count}"));
    }
    assert!(killed > 10, "only {killed} applies were killed");
    eprintln!("killed after {killed} of {count} orders");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_each_record_of_the_journal_is_told_and_gone_on_from() {
    let count = {
        let place = Place::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        journal(&place).len()
    };
    let mut killed = 0;
    for n in (1..count).step_by(4) {
        let place = Place::new().await;
        if !kill_when(&place, &|| journal(&place).len() >= n) {
            continue;
        }
        let records = journal(&place);
        if records.iter().any(|record| record["event"] == "end") {
            continue;
        }
        killed += 1;
        let told = place.rocade(&["apply", "--no-input"]);
        assert!(told.err.contains("did not come to its end"), "{n}: {}", told.err);
        goes_on(&place, &format!("killed after record {n} of {count}"));
    }
    assert!(killed > 5, "only {killed} applies were killed");
    eprintln!("killed after {killed} of {count} records");
}
