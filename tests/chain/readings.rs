//! Uplinks go in at the gateway's own broker and come out as readings at the other end, one for each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::bed::{GATEWAY, bed, wait_for};
use super::clients::{Client, Listener, Uplink, send};
use super::site;

/// What the recorded uplinks and published frames are read from, when it is there.
fn reference(name: &str) -> Option<String> {
    let shared = std::env::var_os("ROCADE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    fs::read_to_string(shared.join("reference").join(name)).ok()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Uplinks recorded on real gateways in Europe, as they were published.
fn recorded() -> Vec<Value> {
    let lines = reference("conduit/mqtt/uplinks-eu868.jsonl");
    json_lines(&lines.unwrap_or_default()).into_iter().map(|line| line["message"].clone()).collect()
}

/// The `sensors:` section that makes the recorded devices known, as devices whose payload is passed on.
pub fn recorded_sensors() -> String {
    let mut text = String::from("sensors:\n");
    for (number, message) in recorded().iter().enumerate() {
        let eui = message["deveui"].as_str().unwrap();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  recorded-{number}:\n    gateway: pool-gw\n    model: raw\n    dev_eui: {eui}\n    \
             app_eui: 0018B24441524632\n    app_key: {{secret: sensors/recorded-{number}/app_key}}\n    \
             topic: sites/recorded/{number}\n"
        );
    }
    if recorded().is_empty() { String::from("sensors: {}\n") } else { text }
}

/// The sensor of the inventory for a model of the published frames: DevEUI and topic.
fn sensor_of(model: &str) -> (&'static str, &'static str) {
    match model {
        "comfort-co2" => ("0018b21000004a2f", "sites/pool/hall"),
        "comfort" => ("0018b21000005c01", "sites/pool/changing-room"),
        "comfort-v1" => ("0018210000012345", "sites/pool/office"),
        other => panic!("no sensor of model {other}"),
    }
}

/// Lets the gateway forget what was heard: frames of these tests report periods that nobody declared.
fn forget_heard() {
    bed().on(
        GATEWAY,
        "/etc/init.d/rocade-relay stop
        rm /var/run/rocade-heard.json /var/config/rocade/heard.json
        /etc/init.d/rocade-relay start",
    );
}

fn schema() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../templates/conduit/relay/reading.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// JSON equality where 20 equals 20.0.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Whether a frame is the manufacturer's: that it is an error counts, the words of it are free.
fn agrees(frame: &Value, expected: &Value) -> bool {
    match expected.get("error") {
        Some(_) => frame["error"].is_string() && same(&frame["status"], &expected["status"]),
        None => same(frame, expected),
    }
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn every_published_frame_arrives_once_as_the_manufacturer_decodes_it() {
    let (Some(vectors), Some(others)) =
        (reference("adeunis/vectors.jsonl"), reference("adeunis/other-models.jsonl"))
    else {
        eprintln!("skipped: the published frames are not there (ROCADE_SHARED, or ../shared)");
        return;
    };
    let mut cases = json_lines(&vectors);
    cases.extend(json_lines(&others).into_iter().filter(|case| case["model"] == "comfort-v1"));
    assert_eq!(cases.len(), 416);
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, "sites/#");
    let uplink = |(number, case): (usize, &Value)| {
        let payload = hex::decode(case["hex"].as_str().unwrap()).unwrap();
        let (dev_eui, _) = sensor_of(case["model"].as_str().unwrap());
        Uplink::new(dev_eui, number as u64, case["fport"].as_u64().unwrap(), &payload)
    };
    send(&cases.iter().enumerate().map(uplink).collect::<Vec<_>>());
    let (schema, count) = (schema(), cases.len() as u64);
    for (number, case) in (0..count).zip(&cases) {
        let (_, topic) = sensor_of(case["model"].as_str().unwrap());
        let reading = listener.reading(topic, number).json();
        assert!(agrees(&reading["frame"], &case["decoded"]), "{case}\n{reading}");
        assert!(schema.is_valid(&reading), "{reading}");
        assert_eq!(reading["payload"], case["base64"]);
    }
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for model in ["comfort", "comfort-co2", "comfort-v1"] {
        for counter in listener.counters(sensor_of(model).1) {
            *seen.entry(counter).or_default() += 1;
        }
    }
    assert_eq!(seen.len() as u64, count);
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    forget_heard();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_sensor_is_told_as_the_relay_heard_it() {
    let site = site::ready();
    let (dev_eui, _) = sensor_of("comfort-co2");
    // Every 2 s times 150 a sample, 4 samples an uplink: 20 minutes; then measures with a low battery.
    let frames = [(9001, "1010000100040096000100"), (9003, "6a2200d72d0190")];
    let uplinks = frames.map(|(counter, frame)| {
        let mut uplink = Uplink::new(dev_eui, counter, 1, &hex::decode(frame).unwrap());
        // Without a time of the network server the relay's own counts: it is heard now.
        uplink.message.as_object_mut().unwrap().remove("time");
        uplink
    });
    send(&uplinks);
    let hall = wait_for("both to be heard", || {
        let hall = site.rocade(&["sensors", "hall", "--json"]).json()["sensors"][0].clone();
        (hall["counter"] == 9003).then_some(hall)
    });
    assert_eq!((&hall["state"], &hall["source"]), (&json!("heard"), &json!("relay")), "{hall}");
    assert_eq!((&hall["rssi"], &hall["snr"]), (&json!(-27.0), &json!(10.2)), "{hall}");
    assert_eq!((&hall["low_battery"], &hall["counts"]["last_gap"]["missed"]), (&json!(true), &json!(1)));
    assert_eq!((&hall["reports"]["sending_s"], &hall["declared_period_s"]), (&json!(1200), &json!(600)));
    let told = site.rocade(&["sensors", "hall"]).ends_with(0).out;
    assert!(told.contains("-27 dBm, 10.2 dB") && told.contains("reports 20 min, declared 10 min"), "{told}");
    let never = site.rocade(&["sensors", "plant-room"]).ends_with(1).out;
    assert!(never.contains("never heard"), "{never}");
    forget_heard();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn recorded_uplinks_arrive_as_they_were_sent() {
    let recorded = recorded();
    if recorded.is_empty() {
        eprintln!("skipped: the recorded uplinks are not there (ROCADE_SHARED, or ../shared)");
        return;
    }
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, "sites/recorded/#");
    let uplink = |message: &Value| Uplink {
        dev_eui: message["deveui"].as_str().unwrap().to_owned(),
        message: message.clone(),
    };
    send(&recorded.iter().map(uplink).collect::<Vec<_>>());
    let schema = schema();
    for (number, message) in recorded.iter().enumerate() {
        let topic = format!("sites/recorded/{number}");
        let counter = message["fcnt"].as_u64().or(message["seqn"].as_u64()).unwrap();
        let reading = listener.reading(&topic, counter).json();
        assert!(schema.is_valid(&reading), "{reading}");
        for (ours, theirs) in [("payload", "data"), ("f_port", "port"), ("frame", "absent")] {
            assert_eq!(reading[ours], *message.get(theirs).unwrap_or(&Value::Null), "{reading}");
        }
        let radio = &reading["radio"];
        for (ours, theirs) in
            [("rssi", "rssi"), ("snr", "lsnr"), ("frequency_mhz", "freq"), ("data_rate", "datr")]
        {
            assert!(same(&radio[ours], &message[theirs]), "{radio} {message}");
        }
        assert_eq!(listener.counters(&topic), [counter]);
    }
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn the_last_measures_are_kept_for_who_comes_later_and_so_is_the_relays_state() {
    let mut site = site::ready();
    let (dev_eui, topic) = sensor_of("comfort-co2");
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, "sites/#");
    // 21.5 degrees, 45 %, 400 ppm; then the sensor's configuration, which is no measure.
    let measures = Uplink::new(dev_eui, 7001, 1, &hex::decode("6a2000d72d0190").unwrap());
    let configuration = Uplink::new(dev_eui, 7002, 1, &hex::decode("100021c000010003000a00").unwrap());
    send(&[measures, configuration]);
    assert_eq!(listener.reading(topic, 7002).json()["measures"], json!({}));
    wait_for("the relay to write what it heard", || {
        bed().holds(GATEWAY, "grep -q 7002 /var/run/rocade-heard.json").then_some(())
    });
    let late = Listener::open(&site, &signage, topic);
    let kept = late.reading(topic, 7001);
    assert!(kept.retained);
    let expected = json!({
        "temperature": {"unit": "°C", "value": 21.5}, "humidity": {"unit": "%", "value": 45},
        "co2": {"unit": "ppm", "value": 400},
    });
    assert_eq!(kept.json()["measures"], expected);
    assert!(!kept.payload.contains(&b'\''), "{:?}", String::from_utf8_lossy(&kept.payload));

    let password = site.secret("brokers/main/verify");
    let watcher = Listener::open(&site, &Client::of(&site, "rocade-verify", &password), "rocade/relays/#");
    let status = wait_for("the relay's state", || watcher.received().into_iter().next());
    assert!(status.retained);
    assert_eq!(status.topic, "rocade/relays/pool-gw/status");
    assert_eq!(status.json()["state"], "online");
    forget_heard();
}
