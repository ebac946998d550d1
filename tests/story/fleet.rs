//! Many gateways at once: bounded, one exec a host, and a dead host holds up no other.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rocade::run::PARALLEL_TARGETS;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::many::{Spot, describe, fleet};
use crate::place::{Place, changes, program};

const GATEWAYS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_planned_in_one_exec_a_host_and_the_dead_hold_up_no_other() {
    let (folder, lab) = fleet(GATEWAYS).await;
    lab.device("gw-7").unwrap().knobs().set(|knobs| knobs.hang = true);
    lab.device("gw-23").unwrap().knobs().set(|knobs| knobs.refuse = true);
    let begun = Instant::now();
    let output = program(folder.path()).args(["plan", "--json"]).output().unwrap();
    eprintln!("{GATEWAYS} gateways planned, one of them hanging: {:.1} s", begun.elapsed().as_secs_f32());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let unread = plan["unread"].as_array().unwrap().iter();
    let mut unread: Vec<&str> = unread.map(|entry| entry["target"]["name"].as_str().unwrap()).collect();
    unread.sort_unstable();
    assert_eq!(unread, ["gw-23", "gw-7"]);
    let changes = changes(&plan);
    for device in lab.devices() {
        let name = device.plan.name.as_str();
        let planned = changes.iter().filter(|change| change.contains(&format!("gateway {name}: "))).count();
        let (expected, execs) = if unread.contains(&name) { (0, 0) } else { (4, 1) };
        assert_eq!((planned, device.log().execs()), (expected, execs), "{name}: {changes:#?}");
        assert_eq!(device.log().writes(), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_exec_reads_one_writes_and_one_more_reads_what_differs() {
    let place = Place::new().await;
    let execs = |place: &Place| {
        let execs = ["main", "pool-gw"].map(|name| place.device(name).log().execs());
        place.forget_requests();
        execs
    };
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(execs(&place), [3, 3], "read, write, read again");
    place.rocade(&["plan"]).ended(0);
    assert_eq!(execs(&place), [1, 1]);
    place.put("pool-gw", "/var/config/rocade/relay/main.py", "print('mine')\n");
    place.rocade(&["plan"]).ended(0);
    assert_eq!(execs(&place), [1, 2], "the content that differs is fetched to be shown");
}

/// Hosts that accept and never answer, until as many are held at once as rocade may read at once.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_hosts_are_read_at_once_than_allowed() {
    let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, gate) = tokio::sync::watch::channel(false);
    let open = Arc::new(open);
    let mut spots = Vec::new();
    for number in 0..2 * PARALLEL_TARGETS {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let password = "no host is reached here".to_owned();
        let serial = 20_000_000 + u32::try_from(number).unwrap();
        spots.push(Spot { name: format!("gw-{number}"), port, password, serial });
        let (held, most, open, mut gate) =
            (Arc::clone(&held), Arc::clone(&most), Arc::clone(&open), gate.clone());
        tokio::spawn(async move {
            let (_stream, _) = listener.accept().await.unwrap();
            let now = held.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            if now == PARALLEL_TARGETS {
                // Whoever comes although the places are taken comes in this time.
                tokio::time::sleep(Duration::from_millis(300)).await;
                open.send_replace(true);
            }
            gate.wait_for(|open| *open).await.unwrap();
            held.fetch_sub(1, Ordering::SeqCst);
        });
    }
    let folder = TempDir::new().unwrap();
    describe(&folder, &spots);
    let output = program(folder.path()).args(["plan", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["unread"].as_array().unwrap().len(), spots.len());
    assert_eq!(most.load(Ordering::SeqCst), PARALLEL_TARGETS);
}
