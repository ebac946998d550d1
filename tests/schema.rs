//! The JSON Schema against the decoder it must agree with, by validators of two other makers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rocade::inventory;

/// Faults a schema can see. The others are about YAML itself or hold between values.
const STRUCTURAL: [&str; 20] = [
    "bad-sha256",
    "bad-number",
    "bad-phone-number",
    "bad-mac",
    "bad-destination",
    "bad-prompt",
    "bad-day-of-week",
    "bad-blf-key",
    "unknown-key",
    "wrong-type",
    "missing-key",
    "empty-value",
    "unknown-value",
    "bad-eui",
    "bad-duration",
    "bad-size",
    "bad-name",
    "bad-version",
    "bad-secret-name",
    "secret-in-clear",
];
/// Faults of the YAML, which other readers see otherwise or not at all.
const OF_YAML: [&str; 10] = [
    "yaml-syntax",
    "yaml-1.1-boolean",
    "duplicate-key",
    "several-documents",
    "unknown-tag",
    "bad-key",
    "bad-alias",
    "alias-limit",
    "too-deep",
    "unreadable",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sample, and the good cases.
fn good() -> Vec<PathBuf> {
    let sample = ["brokers", "hosts", "pool"].map(|name| root().join(format!("inventory/{name}.yaml")));
    let good = fs::read_dir(root().join("tests/inventory/good")).unwrap();
    sample.into_iter().chain(good.map(|entry| entry.unwrap().path())).collect()
}

/// The one-file bad cases that a schema must refuse (true) or accept (false).
fn judged() -> BTreeMap<PathBuf, bool> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(root().join("tests/inventory/bad")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let report = inventory::parse([("inventory/case.yaml", text.as_str())]).unwrap_err();
        let any = |codes: &[&str]| report.diagnostics.iter().any(|finding| codes.contains(&finding.code));
        if !any(&OF_YAML) {
            cases.insert(path, any(&STRUCTURAL));
        }
    }
    assert!(cases.values().filter(|refused| **refused).count() >= 8, "too few structural cases: {cases:?}");
    assert!(cases.values().filter(|refused| !**refused).count() >= 8, "too few other cases: {cases:?}");
    cases
}

#[test]
fn the_schema_beside_the_sample_is_the_generated_one() {
    let path = root().join("inventory/schema.json");
    let generated = format!("{:#}\n", inventory::schema());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap() == generated, "run the tests with UPDATE_EXPECTED=1");
}

/// Editors show them: every key has words, and where its form is checked by a pattern an example that has that form.
#[test]
fn every_key_has_words_and_an_example_where_its_form_is_not_plain() {
    fn walk(node: &serde_json::Value, path: &str, faults: &mut Vec<String>) {
        for (key, own) in node["properties"].as_object().into_iter().flatten() {
            if !own["description"].is_string() {
                faults.push(format!("{path}/{key}: no words"));
            }
        }
        if let (Some(examples), Some(pattern)) = (node["examples"].as_array(), node["pattern"].as_str()) {
            let form = serde_json::json!({"pattern": pattern});
            if examples.is_empty() || !examples.iter().all(|example| jsonschema::is_valid(&form, example)) {
                faults.push(format!("{path}: an example has not the form"));
            }
        }
        let typed = node["type"].as_array().is_some_and(|types| types.len() > 1);
        if typed && node["pattern"].is_string() && node.get("examples").is_none() {
            faults.push(format!("{path}: no example"));
        }
        match node {
            serde_json::Value::Object(map) => {
                map.iter().for_each(|(key, own)| walk(own, &format!("{path}/{key}"), faults));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|own| walk(own, path, faults)),
            _ => {}
        }
    }
    let mut faults = Vec::new();
    walk(&inventory::schema(), "", &mut faults);
    assert_eq!(faults, [""; 0]);
}

/// A definition of the schema, and an inventory in which an empty map stands in its place, on the last line.
const PLACES: [(&str, &str); 44] = [
    ("Site", "sites:\n  x: {}"),
    ("Gateway", "gateways:\n  x: {}"),
    ("Firmware", "gateways:\n  x:\n    firmware: {}"),
    ("Bootstrap", "gateways:\n  x:\n    bootstrap: {}"),
    ("Lorawan", "gateways:\n  x:\n    lorawan: {}"),
    ("Relay", "gateways:\n  x:\n    relay: {}"),
    ("Ssh", "hosts:\n  x:\n    ssh: {}"),
    ("Sensor", "sensors:\n  x: {}"),
    ("SecretRef", "sensors:\n  x:\n    app_key: {}"),
    ("Broker", "brokers:\n  x: {}"),
    ("Listeners", "brokers:\n  x:\n    listeners: {}"),
    ("Listener", "brokers:\n  x:\n    listeners:\n      mqtts: {}"),
    ("BrokerClient", "brokers:\n  x:\n    clients:\n      y: {}"),
    ("ReachedAt", "brokers:\n  x:\n    reached_at: {}"),
    ("BruteForce", "brokers:\n  x:\n    brute_force: {}"),
    ("Firewall", "brokers:\n  x:\n    firewall: {}"),
    ("Host", "hosts:\n  x: {}"),
    ("HostFile", "hosts:\n  x:\n    files:\n      - {}"),
    ("Authority", "pki:\n  authority: {}"),
    ("Issuing", "pki:\n  authority:\n    issuing: {}"),
    ("Pbx", "pbx:\n  x: {}"),
    ("Route", "pbx:\n  x:\n    departments:\n      y:\n        when_open: {}"),
    ("Department", "pbx:\n  x:\n    departments:\n      y: {}"),
    ("Holiday", "pbx:\n  x:\n    holidays:\n      y: {}"),
    ("Extension", "pbx:\n  x:\n    extensions:\n      \"101\": {}"),
    ("Voicemail", "pbx:\n  x:\n    extensions:\n      \"101\":\n        voicemail: {}"),
    ("Recording", "pbx:\n  x:\n    extensions:\n      \"101\":\n        recording: {}"),
    ("Forwarding", "pbx:\n  x:\n    extensions:\n      \"101\":\n        forwarding: {}"),
    (
        "Answering",
        "pbx:\n  x:\n    extensions:\n      \"101\":\n        forwarding:\n          available: {}",
    ),
    ("Absence", "pbx:\n  x:\n    extensions:\n      \"101\":\n        forwarding:\n          away: {}"),
    ("Phone", "pbx:\n  x:\n    extensions:\n      \"101\":\n        phones:\n          - {}"),
    ("RingGroup", "pbx:\n  x:\n    ring_groups:\n      \"800\": {}"),
    ("SharedMailbox", "pbx:\n  x:\n    ring_groups:\n      \"800\":\n        mailbox: {}"),
    ("Queue", "pbx:\n  x:\n    queues:\n      \"850\": {}"),
    ("Ivr", "pbx:\n  x:\n    ivrs:\n      \"900\": {}"),
    ("Trunk", "pbx:\n  x:\n    trunks:\n      y: {}"),
    ("InboundRule", "pbx:\n  x:\n    inbound_rules:\n      y: {}"),
    ("OutboundRule", "pbx:\n  x:\n    outbound_rules:\n      y: {}"),
    ("OutboundRoute", "pbx:\n  x:\n    outbound_rules:\n      y:\n        routes:\n          - {}"),
    ("Sbc", "pbx:\n  x:\n    sbcs:\n      y: {}"),
    ("LiveChat", "pbx:\n  x:\n    live_chat:\n      y: {}"),
    ("Contact", "pbx:\n  x:\n    contacts:\n      y: {}"),
    ("Directory", "pbx:\n  x:\n    directories:\n      y: {}"),
    ("Phonebook", "pbx:\n  x:\n    phonebook: {}"),
];

#[test]
fn schema_and_decoder_need_the_same_keys() {
    let schema = inventory::schema();
    for (definition, text) in PLACES {
        let required = schema["$defs"][definition]["required"].as_array().cloned().unwrap_or_default();
        let required: Vec<String> =
            required.iter().map(|key| format!("needs `{}`", key.as_str().unwrap())).collect();
        let findings = match inventory::parse([("inventory/x.yaml", text)]) {
            Ok(_) => Vec::new(),
            Err(report) => report.diagnostics,
        };
        let last = u32::try_from(text.lines().count()).unwrap();
        let labels = findings.iter().filter(|it| it.code == "missing-key").map(|it| &it.labels[0]);
        let missing: Vec<&str> =
            labels.filter(|label| label.place.line == last).map(|label| label.text.as_str()).collect();
        assert_eq!(missing, required, "{definition}");
    }
    let maps = schema["$defs"].as_object().unwrap().iter().filter(|(_, it)| it.get("properties").is_some());
    let unheard: Vec<&String> =
        maps.map(|(name, _)| name).filter(|name| PLACES.iter().all(|(known, _)| known != name)).collect();
    assert_eq!(unheard, ["Pki"], "definitions without a place in this test");
}

#[test]
fn schema_and_decoder_know_the_same_words() {
    let places = [
        ("GatewayModel", "gateways:\n  x: {model: zzzzzzzz}"),
        ("Region", "gateways:\n  x: {lorawan: {region: zzzzzzzz}}"),
        ("JoinServer", "gateways:\n  x: {lorawan: {join_server: zzzzzzzz}}"),
        ("SensorModel", "sensors:\n  x: {model: zzzzzzzz}"),
        ("Activation", "sensors:\n  x: {activation: zzzzzzzz}"),
        ("BrokerModel", "brokers:\n  x: {model: zzzzzzzz}"),
        ("KeyKind", "pki: {authority: {key: zzzzzzzz}}"),
    ];
    let schema = inventory::schema();
    for (definition, text) in places {
        let words = schema["$defs"][definition]["oneOf"].as_array().unwrap();
        let words: Vec<&str> = words.iter().map(|word| word["const"].as_str().unwrap()).collect();
        let report = inventory::parse([("inventory/x.yaml", text)]).unwrap_err();
        let finding = report.diagnostics.iter().find(|it| it.code == "unknown-value").unwrap();
        assert_eq!(
            finding.help.as_deref(),
            Some(&*format!("known here: {}", words.join(", "))),
            "{definition}"
        );
    }
}

#[test]
fn a_validator_in_rust_agrees_with_the_decoder() {
    let validator = jsonschema::draft202012::new(&inventory::schema()).unwrap();
    let read = |path: &Path| serde_saphyr::from_str(&fs::read_to_string(path).unwrap());
    let mut unread = Vec::new();
    for path in good() {
        match read(&path) {
            Ok(inventory) => {
                let verdict = validator.validate(&inventory).map_err(|fault| fault.to_string());
                assert_eq!(verdict, Ok(()), "{}", path.display());
            }
            Err(_) => unread.push(path.file_stem().unwrap().to_owned()),
        }
    }
    assert_eq!(unread, ["an-eui-beyond-every-float"]);
    for (path, refused) in judged() {
        assert_eq!(!validator.is_valid(&read(&path).unwrap()), refused, "{}", path.display());
    }
}

#[test]
fn a_validator_in_python_agrees_with_the_decoder() {
    let Some(python) = python() else { return };
    let mut expected: BTreeMap<PathBuf, &str> = good().into_iter().map(|path| (path, "accepted")).collect();
    for (path, refused) in judged() {
        expected.insert(path, if refused { "refused" } else { "accepted" });
    }
    let output = Command::new(python)
        .arg(root().join("tests/inventory/validate.py"))
        .arg(root().join("inventory/schema.json"))
        .args(expected.keys())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).unwrap();
    let found: BTreeMap<PathBuf, &str> = found
        .lines()
        .map(|line| line.split_once(' ').map(|(verdict, path)| (path.into(), verdict)).unwrap())
        .collect();
    assert_eq!(found, expected);
}

/// A Python with PyYAML and jsonschema, made below `target/` once; `None`, said plainly, where that fails.
fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema-venv");
    let python = venv.join("bin/python");
    let works = |program: &Path, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let imports = ["-c", "import yaml, jsonschema"];
    if works(&python, &imports) {
        return Some(python);
    }
    let made = works(Path::new("python3"), &["-m", "venv", &venv.to_string_lossy()])
        && works(&python, &["-m", "pip", "install", "-q", "PyYAML", "jsonschema"])
        && works(&python, &imports);
    if !made {
        eprintln!("skipped: no Python with PyYAML and jsonschema could be made");
    }
    made.then_some(python)
}
