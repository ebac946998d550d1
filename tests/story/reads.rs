//! Not read is not "not there": whatever breaks while reading, nothing is deleted, what could not be read is
//! named, and the rest of the plan stands.

use rocade::lab::Knobs;

use crate::place::{Place, changes};

/// A broken reading of the gateway: its knobs, and the collections that cannot be read then; `*` is the
/// whole gateway.
const BROKEN: &[(&str, &[&str])] = &[
    ("api=down", &["lorawan", "saved", "sensor", "service", "unit"]),
    ("api=garbage", &["lorawan", "saved", "sensor", "service", "unit"]),
    ("api=half", &["lorawan", "saved", "sensor", "service", "unit"]),
    ("api=503", &["lorawan", "saved", "sensor", "service", "unit"]),
    ("api=401", &["lorawan", "saved", "sensor", "service", "unit"]),
    ("cut-at-exec=1", &["*"]),
    ("cut-after-bytes=1", &["*"]),
    ("cut-after-bytes=2000", &["*"]),
    ("cut-after-bytes=4000", &["*"]),
    ("refuse", &["*"]),
    ("hang", &["*"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_named_and_left_alone() {
    let place = Place::applied().await;
    // Something is to do on either device, also a delete on the one that breaks.
    place.put("pool-gw", "/var/config/rocade/relay/old.py", "print('old')\n");
    place.put("main", "/etc/mosquitto/conf.d/old.conf", "listener 1884\n");
    place.edit("sensors.yaml", "0018B21000004A30", "0018B21000004A31");
    for (knobs, expected) in BROKEN {
        let knob: Knobs = knobs.parse().unwrap();
        place.device("pool-gw").knobs().set(|board| *board = knob);
        place.forget_requests();
        let plan = place.rocade(&["plan", "--json"]).ended(1).json();
        assert_eq!(place.writes(), [""; 0], "{knobs}");
        let unread = plan["unread"].as_array().unwrap();
        assert!(unread.iter().all(|entry| entry["target"]["name"] == "pool-gw"), "{knobs}: {unread:#?}");
        assert!(unread.iter().all(|entry| !entry["reason"].as_str().unwrap().is_empty()), "{unread:#?}");
        let collections = unread.iter().map(|entry| entry["collection"].as_str().unwrap_or("*").to_owned());
        let mut collections: Vec<String> = collections.collect();
        collections.sort();
        collections.dedup();
        assert_eq!(collections, *expected, "{knobs}: {unread:#?}");
        let changes = changes(&plan);
        let of_unread = |change: &&String| {
            change.contains("gateway pool-gw")
                && (expected == &["*"] || expected.iter().any(|name| change.contains(&format!(": {name} "))))
        };
        // The relay is a service that could be read; only the network server could not.
        let spoken: Vec<_> =
            changes.iter().filter(of_unread).filter(|change| !change.ends_with("rocade-relay")).collect();
        assert!(spoken.is_empty(), "{knobs}: {spoken:#?}");
        let stands = "delete broker main: file /etc/mosquitto/conf.d/old.conf";
        assert!(changes.iter().any(|change| change == stands), "{knobs}: {changes:#?}");
        place.device("pool-gw").knobs().set(|board| *board = Knobs::default());
        let words = place.rocade(&["plan"]);
        assert!(words.ended(0).out.contains("old.py"), "read again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_is_applied_and_the_unread_is_said() {
    let place = Place::new().await;
    place.device("pool-gw").knobs().set(|knobs| knobs.refuse = true);
    let ran = place.rocade(&["apply", "--yes"]).ended(3);
    assert!(ran.out.contains("could not be read"), "{}", ran.out);
    assert!(ran.out.contains("refuses the connection"), "{}", ran.out);
    assert!(place.writes().iter().all(|write| write.starts_with("main: ")));
    let ran = place.rocade(&["apply", "--yes"]).ended(1);
    assert!(ran.out.contains("could not be read"), "{}", ran.out);
    place.device("pool-gw").knobs().set(|knobs| knobs.refuse = false);
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(place.planned(), [""; 0]);
}

/// Another unit at the gateway's address is not touched, whatever it lets rocade read.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_another_serial_number_is_left_alone() {
    let place = Place::new().await;
    place.edit("gateways.yaml", "serial: \"20412345\"", "serial: \"20412346\"");
    let ran = place.rocade(&["apply", "--yes"]).ended(3);
    assert!(ran.out.contains("20412345"), "{}", ran.out);
    assert!(place.writes().iter().all(|write| write.starts_with("main: ")), "{:?}", place.writes());
}
