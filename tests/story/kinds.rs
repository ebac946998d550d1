//! One row a collection: turn one thing, and the plan holds exactly what follows, the devices are asked for
//! exactly that, and the next plan is empty without a single write.

use rocade::lab::State;

use crate::place::Place;

struct Row {
    what: &'static str,
    turn: fn(&Place),
    plan: &'static [&'static str],
    writes: &'static [&'static str],
}

/// Holds one row after the other on one place.
fn live_through(place: &Place, rows: &[Row]) {
    for Row { what, turn, plan, writes } in rows {
        turn(place);
        place.forget_requests();
        assert_eq!(place.planned(), *plan, "{what}");
        assert_eq!(place.writes(), [""; 0], "{what}: planning wrote");
        place.rocade(&["apply", "--yes"]).ended(0);
        assert_eq!(lasting(place.writes()), *writes, "{what}");
        nothing_left(place, what);
    }
}

/// The writes without what leads up to them: the lock, what is kept before, folders, and a candidate that is
/// tried beside what runs.
pub fn lasting(writes: Vec<String>) -> Vec<String> {
    let passing = [": lock", ": unlock", ": keep ", ": directory ", "/candidate/", ": trial "];
    writes.into_iter().filter(|write| !passing.iter().any(|word| write.contains(word))).collect()
}

fn nothing_left(place: &Place, what: &str) {
    place.forget_requests();
    assert_eq!(place.planned(), [""; 0], "{what}: something is left");
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(place.writes(), [""; 0], "{what}: applying again wrote");
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing() {
    let place = Place::new().await;
    let before = tree(&place);
    for words in [&["validate"][..], &["plan"], &["plan", "-v"], &["plan", "--json"]] {
        place.rocade(words).ended(0);
    }
    assert_eq!(place.writes(), [""; 0]);
    assert_eq!(tree(&place), before);
}

/// The files of the repository without the devices' own logs.
fn tree(place: &Place) -> Vec<(String, Vec<u8>)> {
    fn walk(folder: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && !entry.ends_with(".rocade") {
                walk(&entry, found);
            } else if entry.is_file() {
                found.push((entry.display().to_string(), std::fs::read(&entry).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(place.root(), &mut found);
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_all_of_it_and_nothing_left() {
    let place = Place::new().await;
    let planned = place.planned();
    let mut collections: Vec<String> = planned
        .iter()
        .map(|change| {
            let (target, key) = change.split_once(": ").unwrap();
            format!("{} {}", target.split(' ').nth(1).unwrap(), key.split(' ').next().unwrap())
        })
        .collect();
    collections.dedup();
    assert_eq!(
        collections,
        [
            "pki authority",
            "pki issuing",
            "pki certificate",
            "pki secret",
            "broker package",
            "broker account",
            "broker file",
            "broker service",
            "gateway lorawan",
            "gateway sensor",
            "gateway file",
            "gateway saved",
            "gateway service",
        ]
    );
    place.rocade(&["apply", "--yes"]).ended(0);
    nothing_left(&place, "the first apply");
}

/// The rest of a file of the inventory goes from a line on.
fn cut(place: &Place, file: &str, from: &str) {
    let path = place.file(&format!("inventory/{file}"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (kept, _) = text.split_once(from).unwrap();
    std::fs::write(&path, kept).unwrap();
}

fn stop(place: &Place, device: &str, service: &str) {
    let services = |state: &mut State| state.services.get_mut(service).unwrap().running = false;
    place.device(device).with_state(services);
}

const GATEWAY: &[Row] = &[
    Row {
        what: "a network key",
        turn: |place| place.set_secret("gateways/pool-gw/network", "1a2b3c4d5e6f708192a3b4c5d6e7f801"),
        plan: &[
            "update gateway pool-gw: lorawan network-server",
            "wake gateway pool-gw: saved settings",
            "wake gateway pool-gw: service lora",
        ],
        writes: &[
            "pool-gw: PUT http://127.0.0.1/api/loraNetwork",
            "pool-gw: POST http://127.0.0.1/api/command/save",
            "pool-gw: POST http://127.0.0.1/api/lora/restart",
        ],
    },
    Row {
        what: "a sensor's key",
        turn: |place| place.set_secret("sensors/pool-hall/app_key", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
        plan: &[
            "update gateway pool-gw: sensor pool-hall",
            "wake gateway pool-gw: saved settings",
            "wake gateway pool-gw: service lora",
        ],
        writes: &[
            "pool-gw: PUT http://127.0.0.1/api/loraNetwork/whitelist",
            "pool-gw: POST http://127.0.0.1/api/command/save",
            "pool-gw: POST http://127.0.0.1/api/lora/restart",
        ],
    },
    Row {
        what: "a sensor that leaves",
        turn: |place| cut(place, "sensors.yaml", "  pool-changing:"),
        plan: &[
            "update broker main: file /etc/mosquitto/rocade/acl",
            "wake broker main: service mosquitto",
            "update gateway pool-gw: file /var/config/rocade/relay/config.json",
            "delete gateway pool-gw: sensor 0018b21000004a30",
            "wake gateway pool-gw: saved settings",
            "wake gateway pool-gw: service lora",
            "wake gateway pool-gw: service rocade-relay",
        ],
        writes: &[
            "pool-gw: put /var/config/rocade/relay/config.json",
            "pool-gw: PUT http://127.0.0.1/api/loraNetwork/whitelist",
            "pool-gw: POST http://127.0.0.1/api/command/save",
            "pool-gw: POST http://127.0.0.1/api/lora/restart",
            "pool-gw: restart rocade-relay",
            "main: put /etc/mosquitto/rocade/acl",
            "main: reload mosquitto",
        ],
    },
    Row {
        what: "a file changed by hand",
        turn: |place| place.put("pool-gw", "/var/config/rocade/relay/main.py", "print('mine')\n"),
        plan: &[
            "update gateway pool-gw: file /var/config/rocade/relay/main.py",
            "update gateway pool-gw: service rocade-relay",
        ],
        writes: &["pool-gw: put /var/config/rocade/relay/main.py", "pool-gw: restart rocade-relay"],
    },
    Row {
        what: "a file nobody wished",
        turn: |place| place.put("pool-gw", "/var/config/rocade/relay/old.py", "print('old')\n"),
        plan: &[
            "delete gateway pool-gw: file /var/config/rocade/relay/old.py",
            "wake gateway pool-gw: service rocade-relay",
        ],
        writes: &["pool-gw: remove /var/config/rocade/relay/old.py", "pool-gw: restart rocade-relay"],
    },
    Row {
        what: "a relay that was stopped",
        turn: |place| stop(place, "pool-gw", "rocade-relay"),
        plan: &["update gateway pool-gw: service rocade-relay"],
        writes: &["pool-gw: restart rocade-relay"],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_lives_through_it() {
    live_through(&Place::applied().await, GATEWAY);
}

/// What a gateway has of the relay goes with it, and the relay's account at the broker.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_leaves_takes_everything_along() {
    let place = Place::applied().await;
    place.edit("gateways.yaml", "    relay: {broker: main, spool: 16 MiB}\n", "");
    place.rocade(&["apply", "--yes"]).ended(0);
    nothing_left(&place, "a relay that leaves");
    let left = |state: &mut State| {
        (state.files.below("/var/config/rocade/relay"), state.has_service("rocade-relay"))
    };
    assert_eq!(place.device("pool-gw").with_state(left), (vec![], false));
    let accounts = |state: &mut State| state.files.text("/etc/mosquitto/rocade/passwd").unwrap();
    assert!(!place.device("main").with_state(accounts).contains("relay-pool-gw"));
}

const HISTORY: &str = "      history: {password: {secret: brokers/main/history}, read: [\"sites/#\"]}\n";

const BROKER: &[Row] = &[
    Row {
        what: "a client's password",
        turn: |place| place.set_secret("brokers/main/signage", "another password"),
        plan: &["update broker main: account signage", "wake broker main: service mosquitto"],
        writes: &["main: put /etc/mosquitto/rocade/passwd", "main: reload mosquitto"],
    },
    Row {
        what: "one more client",
        turn: |place| {
            place.set_secret("brokers/main/history", "a third password");
            place.edit("brokers.yaml", "      signage: {", &format!("{HISTORY}      signage: {{"));
        },
        plan: &[
            "create broker main: account history",
            "update broker main: file /etc/mosquitto/rocade/acl",
            "wake broker main: service mosquitto",
        ],
        writes: &[
            "main: put /etc/mosquitto/rocade/passwd",
            "main: put /etc/mosquitto/rocade/acl",
            "main: reload mosquitto",
        ],
    },
    Row {
        what: "a client that leaves",
        turn: |place| place.edit("brokers.yaml", HISTORY, ""),
        plan: &[
            "update broker main: file /etc/mosquitto/rocade/acl",
            "delete broker main: account history",
            "wake broker main: service mosquitto",
        ],
        writes: &[
            "main: put /etc/mosquitto/rocade/acl",
            "main: put /etc/mosquitto/rocade/passwd",
            "main: reload mosquitto",
        ],
    },
    Row {
        what: "a configuration changed by hand",
        turn: |place| place.put("main", "/etc/mosquitto/conf.d/rocade.conf", "allow_anonymous true\n"),
        plan: &[
            "update broker main: file /etc/mosquitto/conf.d/rocade.conf",
            "update broker main: service mosquitto",
        ],
        writes: &["main: put /etc/mosquitto/conf.d/rocade.conf", "main: restart mosquitto"],
    },
    Row {
        what: "a configuration nobody wished",
        turn: |place| place.put("main", "/etc/mosquitto/conf.d/old.conf", "listener 1884\n"),
        plan: &[
            "delete broker main: file /etc/mosquitto/conf.d/old.conf",
            "update broker main: service mosquitto",
        ],
        writes: &["main: remove /etc/mosquitto/conf.d/old.conf", "main: restart mosquitto"],
    },
    Row {
        what: "a broker that was stopped",
        turn: |place| stop(place, "main", "mosquitto"),
        plan: &["update broker main: service mosquitto"],
        writes: &["main: restart mosquitto"],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_lives_through_it() {
    live_through(&Place::applied().await, BROKER);
}

/// Somebody lost a secret that rocade had made.
fn lose_secret(place: &Place, name: &str) {
    for entry in std::fs::read_dir(place.file("inventory/secrets")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let kept = text.lines().filter(|line| !line.contains(name));
        std::fs::write(&path, kept.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
}

const PKI: &[Row] = &[
    Row {
        what: "one more name in a certificate",
        turn: |place| {
            place.edit("brokers.yaml", "127.0.0.1, localhost]", "127.0.0.1, localhost, b.example.net]")
        },
        plan: &[
            "update pki authority: certificate main",
            "update broker main: file /etc/mosquitto/rocade/server.key",
            "update broker main: file /etc/mosquitto/rocade/server.pem",
            "wake broker main: service mosquitto",
        ],
        writes: &[
            "main: put /etc/mosquitto/rocade/server.key",
            "main: put /etc/mosquitto/rocade/server.pem",
            "main: reload mosquitto",
        ],
    },
    Row {
        what: "a relay's password that is lost",
        turn: |place| lose_secret(place, "gateways/pool-gw/relay"),
        plan: &[
            "create pki authority: secret gateways/pool-gw/relay",
            "update broker main: account relay-pool-gw",
            "wake broker main: service mosquitto",
            "update gateway pool-gw: file /var/config/rocade/relay/password",
            "wake gateway pool-gw: service rocade-relay",
        ],
        writes: &[
            "pool-gw: put /var/config/rocade/relay/password",
            "pool-gw: restart rocade-relay",
            "main: put /etc/mosquitto/rocade/passwd",
            "main: reload mosquitto",
        ],
    },
    Row {
        what: "a root that is lost",
        turn: |place| {
            std::fs::remove_file(place.file("pki/root.pem")).unwrap();
            std::fs::remove_file(place.file("pki/root.key.age")).unwrap();
        },
        plan: &[
            "create pki authority: authority root",
            "create pki authority: issuing issuing",
            "update pki authority: certificate main",
            "update broker main: file /etc/mosquitto/rocade/ca.pem",
            "update broker main: file /etc/mosquitto/rocade/server.key",
            "update broker main: file /etc/mosquitto/rocade/server.pem",
            "wake broker main: service mosquitto",
            "update gateway pool-gw: file /var/config/rocade/relay/ca.pem",
            "wake gateway pool-gw: service rocade-relay",
        ],
        writes: &[
            "pool-gw: put /var/config/rocade/relay/ca.pem",
            "pool-gw: restart rocade-relay",
            "main: put /etc/mosquitto/rocade/ca.pem",
            "main: put /etc/mosquitto/rocade/server.key",
            "main: put /etc/mosquitto/rocade/server.pem",
            "main: restart mosquitto",
        ],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_lives_through_it() {
    live_through(&Place::applied().await, PKI);
}

const HOST_WISHES: &str = r#"    vars: {room: hall}
    packages: [unclutter]
    files:
      - {path: /etc/room.json, content: "hall\n"}
      - {path: /etc/systemd/system/signage.service, content: "[Service]\n", restart: signage}
"#;

const HOST: &[Row] = &[
    Row {
        what: "everything",
        turn: |_| {},
        plan: &[
            "create host signage-1: package unclutter",
            "create host signage-1: file /etc/room.json",
            "create host signage-1: file /etc/systemd/system/signage.service",
            "create host signage-1: service signage",
        ],
        writes: &[
            "signage-1: install unclutter",
            "signage-1: put /etc/room.json",
            "signage-1: put /etc/systemd/system/signage.service",
            "signage-1: restart signage",
        ],
    },
    Row {
        what: "another text",
        turn: |place| place.edit("hosts.yaml", "hall\\n", "bar\\n"),
        plan: &["update host signage-1: file /etc/room.json"],
        writes: &["signage-1: put /etc/room.json"],
    },
    Row {
        what: "another mode",
        turn: |place| place.edit("hosts.yaml", "content: \"bar\\n\"", "content: \"bar\\n\", mode: \"0600\""),
        plan: &["update host signage-1: file /etc/room.json"],
        writes: &["signage-1: own /etc/room.json"],
    },
    Row {
        what: "a file that is gone",
        turn: |place| {
            let gone = |state: &mut State| state.files.remove("/etc/room.json").unwrap();
            assert!(place.device("signage-1").with_state(gone));
        },
        plan: &["create host signage-1: file /etc/room.json"],
        writes: &["signage-1: put /etc/room.json"],
    },
    Row {
        what: "a service whose file was changed by hand",
        turn: |place| place.put("signage-1", "/etc/systemd/system/signage.service", "[Unit]\n"),
        plan: &[
            "update host signage-1: file /etc/systemd/system/signage.service",
            "update host signage-1: service signage",
        ],
        writes: &["signage-1: put /etc/systemd/system/signage.service", "signage-1: restart signage"],
    },
    Row {
        what: "a file that is wished no more stays: the host is not ours",
        turn: |place| {
            place.edit(
                "hosts.yaml",
                "      - {path: /etc/room.json, content: \"bar\\n\", mode: \"0600\"}\n",
                "",
            )
        },
        plan: &[],
        writes: &[],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_host_lives_through_it() {
    let mut place = Place::applied().await;
    place.add_host(HOST_WISHES).await;
    live_through(&place, HOST);
}
