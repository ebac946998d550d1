//! Answers in their recorded form against what is read from them.

use serde_json::{Value as Json, json};

use super::*;
use crate::host::Page;
use crate::model::Secret;

const HALL: &str = "0018b21000004a2f";
const NOW: i64 = 1_796_000_000; // 2026-11-30T00:53:20Z

fn eui(text: &str) -> Eui {
    text.parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn page(result: Json) -> Answer {
    let body = json!({"code": 200, "status": "success", "result": result}).to_string();
    Answer::Page(Page { status: 200, body: Secret::new(body, "test") })
}

fn content(document: &Json) -> Answer {
    Answer::Content(Some(Secret::new(document.to_string(), "test")))
}

/// The gateway of the sample inventory.
fn gateway() -> Gateway {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    crate::inventory::load(root).unwrap().inventory.gateways["pool-gw"].value.clone()
}

/// What the parts of a gateway answer; by default it heard nothing and has no relay.
struct Site {
    clock: Answer,
    system: Answer,
    devices: Answer,
    sessions: Answer,
    fresh: Answer,
    kept: Answer,
}

impl Default for Site {
    fn default() -> Self {
        let clock = Answer::Facts([("clock".to_owned(), NOW.to_string())].into());
        Self {
            clock,
            system: page(json!({"deviceId": "20412345", "firmware": "6.0.1"})),
            devices: page(json!([])),
            sessions: page(json!([])),
            fresh: Answer::Content(None),
            kept: Answer::Content(None),
        }
    }
}

impl Site {
    fn try_roll(self) -> Result<Roll, String> {
        let Site { clock, system, devices, sessions, fresh, kept } = self;
        roll(&gateway(), [clock, system, devices, sessions, fresh, kept])
    }

    fn roll(self) -> Roll {
        self.try_roll().unwrap()
    }
}

/// The rows of a network server that saw the hall's sensor so many seconds ago.
fn seen(ago: i64) -> Answer {
    let last = at(-ago).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    page(json!([{"class": "A", "deveui": "00-18-b2-10-00-00-4a-2f", "last_seen": last, "rejoin_count": 0}]))
}

/// The relay's account of the hall's sensor, heard so many seconds ago.
fn account(ago: i64) -> Json {
    json!({
        "format": 1, "gateway": "pool-gw", "written_at": at(-5).to_string(),
        "sensors": {HALL: {
            "last": at(-ago).to_string(), "uplinks": 140, "since": "2026-11-29T00:00:00.000Z", "f_cnt": 143,
            "session": "00b0feb6", "sessions": 1, "missed": 4,
            "gap": {"at": "2026-11-29T10:00:00.000Z", "missed": 2}, "rssi": -101, "snr": -3.5,
            "low_battery": true,
            "reports": {"sending_s": 600, "sampling_s": 300, "at": "2026-11-29T00:00:00.000Z"},
        }},
        "unknown": {"0080000000000009": {
            "last": at(-60).to_string(), "uplinks": 3, "since": null, "f_cnt": null, "session": null,
            "sessions": 0, "missed": 0, "gap": null, "rssi": -110, "snr": null, "low_battery": null,
            "reports": null,
        }},
    })
}

const TEN: Option<Period> = Some(Period(600));

#[test]
fn the_relays_account_says_all() {
    let roll = Site { fresh: content(&account(60)), devices: seen(61), ..Site::default() }.roll();
    let heard = &roll.sensors[&eui(HALL)];
    assert_eq!(heard.last, Last::At(at(-60), Source::Relay));
    assert_eq!((heard.rssi, heard.snr, heard.low_battery), (Some(-101.0), Some(-3.5), Some(true)));
    let counts = heard.counts.as_ref().unwrap();
    assert_eq!((counts.received, counts.missed, counts.sessions, heard.counter), (140, 4, 1, Some(143)));
    assert_eq!(counts.gap.unwrap().1, 2);
    assert_eq!(heard.reports.unwrap().sending, Period(600));
    assert_eq!((roll.age(eui(HALL)), roll.state(eui(HALL), TEN)), (Some(60), State::Heard));
    let stranger = &roll.sensors[&eui("0080000000000009")];
    assert_eq!((stranger.rssi, stranger.counts.is_none()), (Some(-110.0), true));
    assert_eq!((roll.account.clone(), roll.unread()), (Account::Fresh, vec![]));
}

#[test]
fn the_network_server_alone_says_when() {
    let sessions = json!([
        {"deveui": "00-18-b2-10-00-00-4a-2f", "up_counter": 141, "status_battery": 127},
        {"deveui": "00-80-00-ff-00-00-00-02", "up_counter": 0, "status_battery": 255},
        {"deveui": 7}, "nonsense",
    ]);
    let roll = Site { devices: seen(60), sessions: page(sessions), ..Site::default() }.roll();
    let heard = &roll.sensors[&eui(HALL)];
    assert_eq!(heard.last, Last::At(at(-60), Source::NetworkServer));
    assert_eq!((heard.battery, heard.counter, heard.counts.is_none()), (Some(50), Some(140), true));
    assert_eq!(roll.account, Account::Absent);
}

#[test]
fn what_a_removed_relay_left_does_not_count() {
    let mut gateway = gateway();
    gateway.relay = None;
    let Site { clock, system, devices, sessions, kept, .. } = Site { devices: seen(900), ..Site::default() };
    let roll = roll(&gateway, [clock, system, devices, sessions, content(&account(60)), kept]).unwrap();
    assert_eq!((roll.last(eui(HALL)), roll.account), (Some(at(-900)), Account::Absent));
}

#[test]
fn rows_as_they_were_recorded() {
    let devices = json!([
        {"class": "A", "created_at": "2025-09-30T15:56:29Z", "deveui": "00-80-00-ff-00-00-00-02",
         "device_profile_id": 16, "last_nonce": 443, "last_seen": "", "name": "", "rejoin_count": 0},
        {"class": "A", "created_at": "2025-12-15T15:43:12Z", "deveui": "00-80-00-00-0a-00-11-ba",
         "device_profile_id": 16, "last_nonce": 15, "last_seen": "2025-12-15T22:18:21Z", "name": ""},
    ]);
    let roll = Site { devices: page(devices), ..Site::default() }.roll();
    assert_eq!(roll.state(eui("008000ff00000002"), TEN), State::Never);
    assert_eq!(roll.last(eui("008000000a0011ba")), Some("2025-12-15T22:18:21Z".parse().unwrap()));
    assert_eq!(roll.state(eui("008000000a0011ba"), TEN), State::Silent);
    assert_eq!(roll.state(eui("008000000a0011ba"), None), State::Heard, "nobody says how often it should");
    assert_eq!(roll.state(eui(HALL), TEN), State::Never, "it has no row");
}

#[test]
fn the_later_of_the_two_counts() {
    let roll = Site { fresh: content(&account(900)), devices: seen(60), ..Site::default() }.roll();
    let heard = &roll.sensors[&eui(HALL)];
    assert_eq!(heard.last, Last::At(at(-60), Source::NetworkServer));
    assert_eq!(heard.rssi, Some(-101.0), "the rest is the relay's");
    let roll = Site { fresh: content(&account(60)), devices: seen(58), ..Site::default() }.roll();
    assert_eq!(roll.sensors[&eui(HALL)].last, Last::At(at(-60), Source::Relay), "it is the same uplink");
}

#[test]
fn silent_is_more_than_two_and_a_half_periods() {
    let state = |ago| Site { devices: seen(ago), ..Site::default() }.roll().state(eui(HALL), TEN);
    assert_eq!((state(1500), state(1501)), (State::Heard, State::Silent));
    let undeclared = Site { fresh: content(&account(1501)), ..Site::default() }.roll();
    assert_eq!(undeclared.expected(eui(HALL), None), TEN, "it reports its period itself");
    assert_eq!(undeclared.state(eui(HALL), None), State::Silent);
    assert_eq!(undeclared.state(eui(HALL), Some(Period(3600))), State::Heard);
}

#[test]
fn what_could_not_be_read_is_not_silence() {
    let lost = || Answer::Unread("connection refused".to_owned());
    let unread = |state: State| matches!(state, State::Unread(reason) if reason.contains("refused"));

    let nothing = Site { devices: lost(), ..Site::default() }.roll();
    assert!(unread(nothing.state(eui(HALL), TEN)), "no row and no account is not `never`");
    assert_eq!(nothing.unread(), ["connection refused"]);

    let fresh = |ago| Site { devices: lost(), fresh: content(&account(ago)), ..Site::default() }.roll();
    assert_eq!(fresh(60).state(eui(HALL), TEN), State::Heard);
    assert_eq!(fresh(6000).state(eui(HALL), TEN), State::Silent);

    let kept = |ago| Site { devices: lost(), kept: content(&account(ago)), ..Site::default() }.roll();
    assert_eq!(kept(60).state(eui(HALL), TEN), State::Heard);
    assert!(unread(kept(6000).state(eui(HALL), TEN)), "it may have been heard since");
    assert_eq!(kept(60).account, Account::Kept(Some(at(-5))));

    let clockless = Site { clock: lost(), devices: seen(60), ..Site::default() }.roll();
    assert!(unread(clockless.state(eui(HALL), TEN)));

    let broken = Site { fresh: lost(), devices: seen(60), ..Site::default() }.roll();
    assert_eq!(broken.state(eui(HALL), TEN), State::Heard, "the network server knows");
    assert!(broken.unread()[0].contains(FRESH), "{:?}", broken.unread());
}

#[test]
fn times_that_cannot_be_are_no_silence() {
    let ahead = |ago: i64| Site { devices: seen(-ago), ..Site::default() }.roll();
    assert_eq!(ahead(30).state(eui(HALL), TEN), State::Heard);
    assert_eq!(ahead(30).age(eui(HALL)), Some(0));
    let State::Unread(reason) = ahead(3600).state(eui(HALL), TEN) else { panic!("it is in the future") };
    assert!(reason.contains("clock"), "{reason}");

    let mut undated = account(60);
    undated["sensors"][HALL]["last"] = Json::Null;
    let roll = Site { fresh: content(&undated), ..Site::default() }.roll();
    assert!(matches!(roll.state(eui(HALL), TEN), State::Unread(reason) if reason.contains("clock")));
    let roll = Site { fresh: content(&undated), devices: seen(60), ..Site::default() }.roll();
    assert_eq!(roll.state(eui(HALL), TEN), State::Heard);
}

#[test]
fn bad_answers_are_named_and_nothing_is_made_of_them() {
    for devices in [
        json!({}),
        json!([{"class": "A"}]),
        json!([{"deveui": "12"}]),
        json!([{"deveui": HALL, "last_seen": "yesterday"}]),
        json!([{"deveui": HALL, "last_seen": 7}]),
    ] {
        let roll = Site { devices: page(devices.clone()), ..Site::default() }.roll();
        assert!(roll.network_server.is_err() && roll.sensors.is_empty(), "{devices}");
    }
    type Damage = fn(&mut Json);
    let damages: [Damage; 9] = [
        |all| *all = json!([]),
        |all| all["format"] = json!(2),
        |all| drop(all.as_object_mut().unwrap().remove("sensors")),
        |all| all["written_at"] = json!("noon"),
        |all| all["sensors"]["xyz"] = all["sensors"][HALL].clone(),
        |all| all["sensors"][HALL]["last"] = json!("noon"),
        |all| all["sensors"][HALL]["missed"] = json!(-1),
        |all| all["sensors"][HALL]["reports"] = json!({"sending_s": "600"}),
        |all| all["unknown"] = json!(null),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut damaged = account(60);
        damage(&mut damaged);
        let roll = Site { fresh: content(&damaged), devices: seen(90), ..Site::default() }.roll();
        assert!(matches!(&roll.account, Account::Unread(reason) if reason.contains(FRESH)), "{number}");
        assert_eq!(roll.last(eui(HALL)), Some(at(-90)), "{number}");
    }
}

#[test]
fn another_unit_is_not_believed() {
    let system = page(json!({"deviceId": "20499999"}));
    let reason = Site { system, devices: seen(60), ..Site::default() }.try_roll().unwrap_err();
    assert!(reason.contains("20499999") && reason.contains("20412345"), "{reason}");
    let quiet = Answer::Unread("no answer".to_owned());
    assert!(Site { system: quiet, ..Site::default() }.try_roll().is_ok(), "its host key is pinned");
}
