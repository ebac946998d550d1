//! Lists and live gateways that become inventory: comments stay, keys go into the secrets, faults come all at once,
//! and a second run changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use rocade::lab::{DevicePlan, Knobs, Lab, LabPlan};

use crate::place::{Place, changes};

const A: &str = "8f3a5c0e91d7426bb0c2e4f6187a9d35";
const B: &str = "9f3a5c0e91d7426bb0c2e4f6187a9d36";

/// Every file of the inventory.
fn inventory(place: &Place) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, into);
            } else {
                into.insert(entry.display().to_string(), std::fs::read(&entry).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&place.file("inventory"), &mut files);
    files
}

fn shows(files: &BTreeMap<String, Vec<u8>>, text: &str) -> bool {
    files.values().any(|bytes| String::from_utf8_lossy(bytes).to_lowercase().contains(text))
}

fn put(place: &Place, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = place.file(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_things_stacks_list_becomes_sensors_and_goes_back() {
    let place = Place::new().await;
    place.edit(
        "sensors.yaml",
        "  pool-changing:\n",
        "  # beside the lockers\n  pool-changing:   # two of them\n",
    );
    let before = std::fs::read_to_string(place.file("inventory/sensors.yaml")).unwrap();
    let list = put(
        &place,
        "list.csv",
        format!(
            "id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;lorawan_phy_version;app_key\r\n\
             sauna;0018B21000000002;0018B24441524632;Sauna;EU_863_870_TTN;MAC_V1_0_2;PHY_V1_0_2_REV_B;{A}\r\n\
             changing;0018B21000004A30;0018B24441524633;x;EU_863_870_TTN;MAC_V1_0_2;PHY_V1_0_2_REV_B;{B}\r\n"
        ),
    );
    let import = ["import", "sensors", &list, "--model", "adeunis-comfort"];
    let untouched = inventory(&place);
    let dry = place.rocade(&[&import[..], &["--dry-run"]].concat()).ended(0);
    assert!(
        dry.out.contains("+ sauna") && dry.out.contains("~ pool-changing: app_eui, app_key"),
        "{}",
        dry.out
    );
    assert!(inventory(&place) == untouched, "a dry run writes nothing");
    place.rocade(&import).ended(0);
    let text = std::fs::read_to_string(place.file("inventory/sensors.yaml")).unwrap();
    let expected =
        before.replacen("4A30\n    app_eui: 0018B24441524632", "4A30\n    app_eui: 0018b24441524633", 1);
    let new = "  sauna:\n    gateway: pool-gw\n    model: adeunis-comfort\n    dev_eui: \"0018b21000000002\"\n    \
        app_eui: \"0018b24441524632\"\n    app_key: {secret: sensors/sauna/app_key}\n    topic: sites/pool/sauna\n";
    assert_eq!(text.replace('"', ""), (expected + new).replace('"', ""));
    let imported = inventory(&place);
    assert!(!shows(&imported, A) && !shows(&imported, B) && shows(&untouched, "lockers"));
    place.rocade(&["validate"]).ended(0);
    let again = place.rocade(&import).ended(0);
    assert!(
        again.out.is_empty() && again.err.contains("0 sensors new, 0 changed, 2 as they were"),
        "{}",
        again.err
    );
    assert!(inventory(&place) == imported, "a second run changes nothing");

    let out = place.file("out.csv").display().to_string();
    place.rocade(&["export", "sensors", "--format", "tts", "--with-secrets", "--out", &out]).ended(0);
    let back = place.rocade(&["import", "sensors", &out]).ended(0);
    assert!(back.err.contains("0 sensors new, 0 changed, 3 as they were"), "{}", back.err);
    assert!(inventory(&place) == imported);
    // Nothing but the blanks that stood before is left to lay out.
    let left = place.rocade(&["fmt", "--diff"]).ended(2).out;
    assert_eq!(left.matches("\n+").count(), 2, "{left}");
    assert!(left.contains("+  pool-changing:  # two of them\n"), "{left}");
    let bare = place.rocade(&["export", "sensors", "--format", "tts"]).ended(0);
    assert!(
        !bare.out.contains(A) && bare.out.contains("sauna;0018B21000000002;0018B24441524632;sauna;"),
        "{}",
        bare.out
    );
    let asked = "export sensors --format chirpstack --with-secrets --application a --profile p";
    let asked: Vec<&str> = asked.split(' ').collect();
    let requests = place.rocade(&asked).ended(0).json();
    assert_eq!(requests.as_array().unwrap().len(), 6);
    assert_eq!(requests[4]["json"]["device"]["devEui"], "0018b21000000002");
    assert_eq!(requests[5]["path"], "/api/devices/0018b21000000002/keys");
    assert_eq!(requests[5]["json"]["deviceKeys"]["nwkKey"], A);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_list_is_read_with_a_mapping_in_its_encoding() {
    let place = Place::new().await;
    let map = put(
        &place,
        "map.yaml",
        "delimiter: tab\nencoding: windows-1252\nskip: 1\ncolumns:\n  name: Désignation\n  dev_eui: N° DevEUI\n  \
         app_eui: 3\n  app_key: 4\n  model: Réf\nconstants: {period: 10m, gateway: pool-gw}\n\
         words: {model: {ARF8275A: adeunis-comfort}}\n",
    );
    let mut list = b"Livraison 42\nD\xe9signation\tN\xb0 DevEUI\tAppEUI\tAppKey\tR\xe9f\n".to_vec();
    list.extend(b"H\xe2ll d'entr\xe9e\t00-18-B2-10-00-00-00-02\t0018B24441524632\t");
    list.extend(A.as_bytes());
    list.extend(b"\tARF8275A\n");
    let list = put(&place, "list.txt", list);
    place.rocade(&["import", "sensors", &list, "--map", &map, "--topic", "{gateway}/{name}"]).ended(0);
    let text = std::fs::read_to_string(place.file("inventory/sensors.yaml")).unwrap();
    for part in ["  hall-d-entree:\n", "    period: 10m\n", "    topic: pool-gw/hall-d-entree\n"] {
        assert!(text.contains(part), "{text}");
    }
    let wrong = put(&place, "map.yaml", "colums: {}\n");
    let ran = place.rocade(&["import", "sensors", &list, "--map", &wrong]).ended(64);
    assert!(ran.err.contains("map.yaml:1:"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_list_is_refused_with_all_its_faults_and_changes_nothing() {
    let place = Place::new().await;
    let own = place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out;
    let before = inventory(&place);
    let head = "name;dev_eui;app_eui;app_key;model;topic;period";
    let list = put(
        &place,
        "list.csv",
        format!(
            "{head}\na;0018B21000000002;0018B24441524632;01020304050607080102030405060708;raw;a/a;\n\
             b;0018B21000000003;0018B24441524632;{A};raw;a/b;\nc;0018B21000000004;0018B24441524632;{A};raw;a/c;\n\
             d;18B21000000005;0018B24441524632;{B};raw;a/d;\ne;0018B21000000006;0018B24441524632;{own};raw;a/e;\n"
        ),
    );
    let ran = place.rocade(&["import", "sensors", &list]).ended(64);
    for part in
        ["list.csv:2:37", "list.csv:4:37", "list.csv:5:3", "list.csv:6:37", "sensors/pool-hall/app_key"]
    {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    let shown = ran.err + &ran.out;
    assert!(![A, B, &own, "01020304050607080"].iter().any(|key| shown.contains(*key)), "{shown}");
    // What only the rules of the whole inventory can tell is said at the row too.
    let row = |key: &str, topic: &str, period: &str| {
        format!("0018B24441524632;{key};adeunis-comfort;{topic};{period}")
    };
    let rows = [row(A, "sites/pool/hall", ""), row(B, "a/f", "1m")];
    let list = put(
        &place,
        "list.csv",
        format!("{head}\ne;0018B21000000007;{}\nf;0018B21000000008;{}\n", rows[0], rows[1]),
    );
    let ran = place.rocade(&["import", "sensors", &list]).ended(64);
    for part in ["duplicate-topic", "duty-cycle", "list.csv:3:1"] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    assert!(inventory(&place) == before, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_taken_without_an_identity() {
    let place = Place::new().await;
    let list =
        put(&place, "list.csv", format!("dev_eui,app_eui,app_key\n0018B21000000002,0018B24441524632,{A}\n"));
    let identity = place.file(".rocade/identity.txt");
    std::fs::rename(&identity, place.file(".rocade/away.txt")).unwrap();
    let ran = place.rocade(&["import", "sensors", &list, "--model", "raw"]).ended(0);
    assert!(ran.err.contains("could not be opened"), "{}", ran.err);
    std::fs::rename(place.file(".rocade/away.txt"), identity).unwrap();
    assert_eq!(place.rocade(&["secrets", "get", "sensors/0018b21000000002/app_key"]).ended(0).out, A);
}

/// A Conduit of a firmware in the place of the lab's own, without a relay.
async fn conduit(place: &Place, firmware: &str) -> Lab {
    let plan = DevicePlan { firmware: firmware.to_owned(), ..DevicePlan::conduit("pool-gw") };
    let lab = Lab::start(LabPlan { devices: vec![plan], logs: None }).await.unwrap();
    let device = &lab.devices()[0];
    let path = place.file("inventory/gateways.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let old = &place.device("pool-gw").plan;
    let text = text
        .replace(&format!("port: {},", old.ssh_port), &format!("port: {},", device.plan.ssh_port))
        .replace(&format!("{:08}", old.serial), &format!("{:08}", device.plan.serial))
        .replace(">=6.0.1, <7", ">=5, <8")
        .replace("    relay: {broker: main, spool: 16 MiB}\n", "");
    std::fs::write(&path, text).unwrap();
    place.set_secret("gateways/pool-gw/admin", &device.plan.password);
    let known = place.file("inventory/known_hosts");
    let line = format!("[127.0.0.1]:{} {}\n", device.plan.ssh_port, device.host_key);
    std::fs::write(&known, std::fs::read_to_string(&known).unwrap() + &line).unwrap();
    lab
}

fn planned(place: &Place) -> Vec<String> {
    let plan = place.rocade(&["plan", "gateway/pool-gw", "--json"]).ended(0).json();
    changes(&plan).into_iter().filter(|change| change.contains("gateway pool-gw")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_gateway_becomes_inventory_and_the_plan_is_empty() {
    for firmware in ["5.3.0", "6.0.1", "6.3.1", "7.1.0"] {
        let place = Place::new().await;
        let lab = conduit(&place, firmware).await;
        place.rocade(&["apply", "gateway/pool-gw", "--yes"]).ended(0);
        assert_eq!(planned(&place), [""; 0], "{firmware}");
        let sensors = std::fs::read_to_string(place.file("inventory/sensors.yaml")).unwrap();
        let key = place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out;
        // Another inventory: one sensor with other keys, the other not at all, the network by another key.
        let (one, _) = sensors.split_once("\n  pool-changing:").unwrap();
        std::fs::write(place.file("inventory/sensors.yaml"), format!("# kept\n{one}# behind it\n")).unwrap();
        place.edit("gateways.yaml", "      join_server: local\n", "      network_eui: 0018B24441524699\n");
        place.set_secret("gateways/pool-gw/network", A);
        place.set_secret("sensors/pool-hall/app_key", B);
        assert!(!planned(&place).is_empty(), "{firmware}");
        let ran = place.rocade(&["import", "gateway", "pool-gw"]).ended(0);
        assert_eq!(planned(&place), [""; 0], "{firmware}: {}{}", ran.out, ran.err);
        assert_eq!(place.rocade(&["secrets", "get", "sensors/pool-hall/app_key"]).ended(0).out, key);
        let imported = inventory(&place);
        let text = std::fs::read_to_string(place.file("inventory/sensors.yaml")).unwrap();
        assert!(text.starts_with("# kept\n") && text.contains("# behind it\n"), "{text}");
        assert!(text.contains("  0018b21000004a30:\n    gateway: pool-gw\n    model: raw\n"), "{text}");
        assert!(!shows(&imported, &key), "{firmware}");
        place.rocade(&["import", "gateway", "pool-gw"]).ended(0);
        assert!(inventory(&place) == imported, "{firmware}: a second run changes nothing");
        place.rocade(&["fmt", "--check"]).ended(0);
        drop(lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_does_not_say_is_named_and_left_alone() {
    let place = Place::new().await;
    let before = inventory(&place);
    place.device("pool-gw").knobs().set(|knobs| *knobs = "api=503".parse::<Knobs>().unwrap());
    let ran = place.rocade(&["import", "gateway", "pool-gw"]).ended(3);
    for part in ["could not be read: its network: ", "could not be read: its sensors: ", "503"] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    assert!(inventory(&place) == before);
    // A unit as the factory made it has a key that anybody knows.
    place.device("pool-gw").knobs().set(|knobs| *knobs = Knobs::default());
    let ran = place.rocade(&["import", "gateway", "pool-gw"]);
    assert!(ran.err.contains("left out: the network's key: it must not be used"), "{}", ran.err);
}
