//! `rocade sensors` over simulated gateways: heard, silent, never heard, strange, and what could not be read.

use jiff::{SignedDuration, Timestamp};
use rocade::lab::{Conduit, DevicePlan, Knobs, Lab, LabPlan, Uplink};
use rocade::model::Eui;
use serde_json::{Value, json};

use crate::place::Place;

const HALL: &str = "0018b21000004a2f";
const CHANGING: &str = "0018b21000004a30";
/// Measures, with a good battery and a low one.
const MEASURES: [u8; 7] = [0x6a, 0x20, 0, 215, 45, 1, 144];
const LOW: [u8; 7] = [0x6a, 0x22, 0, 215, 45, 1, 144];
/// How it is set: an uplink every ten minutes, every twenty.
const EVERY_10: [u8; 11] = [0x10, 0x10, 0, 1, 0, 2, 0, 150, 0, 1, 0];
const EVERY_20: [u8; 11] = [0x10, 0x10, 0, 1, 0, 4, 0, 150, 0, 1, 0];

fn eui(text: &str) -> Eui {
    text.parse().unwrap()
}

fn conduit(place: &Place) -> &Conduit {
    place.device("pool-gw").conduit().unwrap()
}

/// A sensor sent this so many minutes ago.
fn hear(place: &Place, dev_eui: &str, payload: &[u8], minutes: i64) -> Uplink {
    hear_at(place, dev_eui, payload, Timestamp::now() - SignedDuration::from_mins(minutes))
}

fn hear_at(place: &Place, dev_eui: &str, payload: &[u8], at: Timestamp) -> Uplink {
    let uplink = Uplink { at, ..Uplink::new(eui(dev_eui), payload) };
    conduit(place).hear(&uplink).unwrap();
    uplink
}

/// Everything is applied and both sensors joined.
async fn joined() -> Place {
    let place = Place::applied().await;
    for dev_eui in [HALL, CHANGING] {
        conduit(&place).join(eui(dev_eui)).unwrap();
    }
    place
}

fn json_of(place: &Place, words: &[&str], code: i32) -> Value {
    let words: Vec<&str> = ["sensors", "--json"].iter().chain(words).copied().collect();
    let ran = place.rocade(&words).ended(code);
    assert_eq!(ran.json()["format_version"], "1.0");
    ran.json()
}

/// Name and state of each sensor, in order.
fn states(found: &Value) -> Vec<String> {
    let sensors = found["sensors"].as_array().unwrap().iter();
    sensors
        .map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn heard_and_silent_and_never_heard_are_told_apart_and_silent_ones_come_first() {
    let place = joined().await;
    assert_eq!(states(&json_of(&place, &[], 1)), ["pool-changing never", "pool-hall never"]);
    let told = place.rocade(&["sensors"]).ended(1).out;
    assert!(told.contains("never heard, expected every 10 min"), "{told}");

    hear(&place, CHANGING, &[0x4c, 0x20, 0, 215, 45], 1);
    assert_eq!(states(&json_of(&place, &[], 1)), ["pool-hall never", "pool-changing heard"]);

    let last = hear(&place, HALL, &MEASURES, 26).at;
    let found = json_of(&place, &[], 1);
    assert_eq!(states(&found), ["pool-hall silent", "pool-changing heard"]);
    assert_eq!(found["sensors"][0]["last_uplink"], json!(last.to_string()));
    let told = place.rocade(&["sensors"]).ended(1).out;
    let local = last.in_tz("Europe/Paris").unwrap().strftime("%Y-%m-%d %H:%M %Z").to_string();
    let sentence = format!("silent since {local}, expected every 10 min");
    assert!(told.lines().nth(1).unwrap().contains(&sentence), "{sentence}\n{told}");
    assert!(told.contains("Sensors: 1 heard, 1 silent, 0 never heard, 0 not read."), "{told}");
    assert_eq!(states(&json_of(&place, &["--silent"], 1)), ["pool-hall silent"]);

    hear(&place, HALL, &MEASURES, 0);
    assert_eq!(states(&json_of(&place, &[], 0)), ["pool-changing heard", "pool-hall heard"]);
    assert_eq!(states(&json_of(&place, &["--silent"], 0)), [""; 0]);
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_tells_signal_battery_gaps_and_the_reported_period() {
    let place = joined().await;
    hear(&place, CHANGING, &[0x4c, 0x20, 0, 215, 45], 1);
    hear(&place, HALL, &EVERY_20, 25);
    for (fcnt, payload, minutes) in [(1, &MEASURES, 20), (4, &MEASURES, 10), (5, &LOW, 1)] {
        let at = Timestamp::now() - SignedDuration::from_mins(minutes);
        let uplink = Uplink { fcnt: Some(fcnt), rssi: -101, at, ..Uplink::new(eui(HALL), payload) };
        conduit(&place).hear(&uplink).unwrap();
    }
    let found = json_of(&place, &["pool-hall"], 0);
    assert_eq!(states(&found), ["pool-hall heard"]);
    let hall = &found["sensors"][0];
    assert_eq!(
        (&hall["rssi"], &hall["snr"], &hall["source"]),
        (&json!(-101.0), &json!(8.5), &json!("relay"))
    );
    assert_eq!((&hall["low_battery"], &hall["counter"]), (&json!(true), &json!(5)));
    assert_eq!((&hall["counts"]["received"], &hall["counts"]["missed"]), (&json!(4), &json!(2)));
    assert_eq!(hall["counts"]["last_gap"]["missed"], json!(2));
    assert_eq!((&hall["reports"]["sending_s"], &hall["declared_period_s"]), (&json!(1200), &json!(600)));
    assert_eq!(found["gateways"][0]["relay_account"], "fresh");

    let told = place.rocade(&["sensors"]).ended(0).out;
    for words in ["reports 20 min, declared 10 min", "2 of 6", "low", "-101 dBm, 8.5 dB"] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let verified = place.rocade(&["verify"]).ended(1).out;
    let fault = "pool-hall sends every 10 min, as declared: it reports 20 min";
    assert!(verified.contains(fault), "{verified}");

    hear(&place, HALL, &EVERY_10, 0);
    let verified = place.rocade(&["verify"]).ended(0).out;
    assert!(verified.contains("holds  pool-hall sends every 10 min, as declared"), "{verified}");

    // The network server hears one that does not come to the relay.
    let at = Timestamp::now() + SignedDuration::from_secs(10);
    let stray = Uplink { at, ..Uplink::new(eui(HALL), &MEASURES) };
    conduit(&place).with_api(|api| api.hear(&stray)).unwrap();
    assert_eq!(json_of(&place, &["pool-hall"], 0)["sensors"][0]["source"], "network-server");
    let told = place.rocade(&["sensors", "pool-hall"]).ended(0).out;
    assert!(told.contains("0 s ago (not by the relay)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_heard_and_not_in_the_inventory_is_named() {
    let place = joined().await;
    let stranger = json!({
        "deveui": "00-80-00-00-00-00-00-09", "appeui": "00-18-b2-44-41-52-46-32", "class": "A",
        "appkey": "000102030405060708090a0b0c0d0e0f",
    });
    conduit(&place).with_api(|api| {
        let added = api.handle("POST", "/api/loraNetwork/whitelist/devices", stranger.to_string().as_bytes());
        assert_eq!(added.status, 200, "{}", added.body);
        assert_eq!(api.handle("POST", "/api/lora/restart", b"").status, 200);
    });
    conduit(&place).join(eui("0080000000000009")).unwrap();
    hear(&place, "0080000000000009", &[1, 2], 3);
    for dev_eui in [HALL, CHANGING] {
        hear(&place, dev_eui, &MEASURES, 1);
    }
    let found = json_of(&place, &[], 0);
    let strangers = found["strangers"].as_array().unwrap();
    assert_eq!(strangers.len(), 1);
    assert_eq!(
        (&strangers[0]["dev_eui"], &strangers[0]["source"]),
        (&json!("0080000000000009"), &json!("relay"))
    );
    let told = place.rocade(&["sensors"]).ended(0).out;
    assert!(
        told.contains("0080000000000009 is not in the inventory: the relay of pool-gw heard it"),
        "{told}"
    );
    assert_eq!(json_of(&place, &["pool-hall"], 0)["strangers"], json!([]), "one sensor was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_the_network_server_says_when() {
    let place = joined().await;
    place.edit("gateways.yaml", "    relay: {broker: main, spool: 16 MiB}\n", "");
    place.rocade(&["apply", "--yes"]).ended(0);
    hear(&place, HALL, &LOW, 1);
    hear(&place, CHANGING, &MEASURES, 60);
    let found = json_of(&place, &[], 1);
    assert_eq!(states(&found), ["pool-changing silent", "pool-hall heard"]);
    let hall = &found["sensors"][1];
    assert_eq!((&hall["source"], &hall["counter"]), (&json!("network-server"), &json!(0)));
    assert_eq!(
        (&hall["low_battery"], &hall["rssi"], &hall["counts"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(found["gateways"][0]["relay_account"], "absent");
    let told = place.rocade(&["sensors"]).ended(1).out;
    assert!(told.contains("only the network server's times are shown"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_not_silence() {
    let place = joined().await;
    hear(&place, HALL, &MEASURES, 1);
    let set = |knobs: &str| {
        let knobs: Knobs = knobs.parse().unwrap();
        place.device("pool-gw").knobs().set(|board| *board = knobs);
    };
    for fault in ["refuse", "hang", "cut-at-exec=1", "cut-after-bytes=2000"] {
        set(fault);
        let found = json_of(&place, &[], 1);
        assert_eq!(states(&found), ["pool-changing unread", "pool-hall unread"], "{fault}");
        let reason = found["sensors"][0]["reason"].as_str().unwrap();
        assert_eq!(found["gateways"][0]["unread"], json!([reason]), "{fault}");
    }
    for fault in ["api=down", "api=half", "api=garbage", "api=503"] {
        set(fault);
        let found = json_of(&place, &[], 1);
        // The relay heard one; whether the network server heard the other nobody could say.
        assert_eq!(states(&found), ["pool-changing unread", "pool-hall heard"], "{fault}");
        assert_eq!(found["gateways"][0]["unread"].as_array().unwrap().len(), 1, "{fault}");
    }
    let told = place.rocade(&["sensors"]).ended(1).out;
    assert!(told.contains("pool-gw could not be read in part"), "{told}");
    set("");
    place.put("pool-gw", "/var/run/rocade-heard.json", "{\"format\": 1,");
    let found = json_of(&place, &[], 1);
    assert_eq!(states(&found), ["pool-changing never", "pool-hall heard"]);
    assert!(found["gateways"][0]["unread"][0].as_str().unwrap().contains("the relay's account"));
}

/// One more gateway, `hotel-gw`, with the sensor `hotel-hall`.
async fn add_gateway(place: &Place) -> Lab {
    let device = DevicePlan { serial: 20_412_346, ..DevicePlan::conduit("hotel-gw") };
    let lab = Lab::start(LabPlan { devices: vec![device], logs: None }).await.unwrap();
    let hotel = &lab.devices()[0];
    place.set_secret("gateways/hotel-gw/admin", &hotel.plan.password);
    place.set_secret("gateways/hotel-gw/network", "00112233445566778899aabbccddee01");
    place.set_secret("sensors/hotel-hall/app_key", "00112233445566778899aabbccddee02");
    let port = hotel.plan.ssh_port;
    let text = format!(
        "gateways:\n  hotel-gw:\n    site: pool\n    model: multitech-conduit\n    address: 127.0.0.1\n    \
         ssh: {{user: admin, port: {port}, password: {{secret: gateways/hotel-gw/admin}}}}\n    \
         lorawan: {{region: EU868, network_key: {{secret: gateways/hotel-gw/network}}}}\n    \
         relay: {{broker: main}}\n\
         sensors:\n  hotel-hall:\n    gateway: hotel-gw\n    model: raw\n    dev_eui: 0018B21000004A41\n    \
         app_eui: 0018B24441524632\n    app_key: {{secret: sensors/hotel-hall/app_key}}\n    \
         period: 10m\n    topic: sites/hotel/hall\n"
    );
    std::fs::write(place.file("inventory/hotel.yaml"), text).unwrap();
    let mut known = std::fs::read_to_string(place.file("inventory/known_hosts")).unwrap();
    known.push_str(&format!("[127.0.0.1]:{port} {}\n", hotel.host_key));
    std::fs::write(place.file("inventory/known_hosts"), known).unwrap();
    lab
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_hangs_leaves_the_others_to_be_told() {
    let place = joined().await;
    hear(&place, HALL, &MEASURES, 1);
    hear(&place, CHANGING, &MEASURES, 60);
    let lab = add_gateway(&place).await;
    let expected =
        |hotel| ["pool-changing silent".to_owned(), format!("hotel-hall {hotel}"), "pool-hall heard".into()];
    assert_eq!(states(&json_of(&place, &[], 1)), expected("never"));
    lab.devices()[0].knobs().set(|knobs| knobs.hang = true);
    assert_eq!(states(&json_of(&place, &[], 1)), expected("unread"));
    assert_eq!(states(&json_of(&place, &["pool-gw", "--except", "pool-changing"], 0)), ["pool-hall heard"]);
    // Whoever is heard at another gateway than its own is told with its name.
    place.edit("sensors.yaml", "0018B21000004A2F", "0018B21000004A51");
    place.edit("hotel.yaml", "0018B21000004A41", "0018B21000004A2F");
    let told = place.rocade(&["sensors", "pool-gw"]).ended(1).out;
    assert!(
        told.contains("0018b21000004a2f is `hotel-hall`, which the inventory gives to hotel-gw"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateways_wrong_clock_is_said_and_its_ages_stay_right() {
    let place = joined().await;
    let clock = Timestamp::from_second(Timestamp::now().as_second() - 3 * 3600).unwrap();
    let told = clock.as_second().to_string();
    place.device("pool-gw").with_state(|state| state.facts.insert("clock".to_owned(), told));
    for dev_eui in [HALL, CHANGING] {
        hear_at(&place, dev_eui, &MEASURES, clock - SignedDuration::from_secs(90));
    }
    let found = json_of(&place, &[], 0);
    assert_eq!(states(&found), ["pool-changing heard", "pool-hall heard"]);
    assert_eq!(found["sensors"][0]["age_s"], json!(90));
    assert!(found["gateways"][0]["clock_off_s"].as_i64().unwrap() <= -3 * 3600, "{found}");
    let told = place.rocade(&["sensors"]).ended(0).out;
    assert!(told.contains("pool-gw has a clock that is 3 h"), "{told}");
    assert!(told.contains("behind") && told.contains("1 min 30 s ago"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sensors_are_chosen_by_name_or_with_their_gateway() {
    let place = joined().await;
    let chosen = |words: &[&str]| {
        let found = json_of(&place, words, 1);
        let sensors = found["sensors"].as_array().unwrap().iter();
        sensors.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&["pool-hall"]), ["pool-hall"]);
    assert_eq!(chosen(&["sensor/pool-hall"]), ["pool-hall"]);
    assert_eq!(chosen(&["pool-gw"]), ["pool-changing", "pool-hall"]);
    assert_eq!(chosen(&["pool-gw", "pool-hall"]), ["pool-changing", "pool-hall"]);
    assert_eq!(chosen(&["--except", "pool-hall"]), ["pool-changing"]);
    assert_eq!(chosen(&["--only", "site=pool"]), ["pool-changing", "pool-hall"]);
    let none = place.rocade(&["sensors", "main"]).ended(0);
    assert!(none.err.contains("no gateway among these targets"), "{}", none.err);
    place.forget_requests();
    chosen(&[]);
    assert_eq!(place.device("pool-gw").log().execs(), 1, "one exec a gateway");
}

#[tokio::test(flavor = "multi_thread")]
async fn abp_is_refused_with_the_reason() {
    let place = Place::new().await;
    let model = "    model: adeunis-comfort-co2\n";
    place.edit("sensors.yaml", model, &format!("{model}    activation: abp\n"));
    for verb in ["validate", "plan"] {
        let ran = place.rocade(&[verb]).ended(64);
        let reason =
            "a Conduit takes credentials for OTAA only, and drops the uplinks of ABP sensors silently";
        assert!(ran.out.contains(reason) || ran.err.contains(reason), "{}{}", ran.out, ran.err);
    }
    assert_eq!(place.writes(), [""; 0]);
}
