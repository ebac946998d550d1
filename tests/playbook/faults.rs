//! Every fault of a playbook at its place, all at once; and the schema that says the same to editors.

use std::collections::BTreeSet;

use rocade::inventory::{self, playbook};

use crate::place::Place;

const INVENTORY: &str = "sites:\n  pool: {title: Pool}\nbrokers:\n  main:\n    model: mosquitto\n    \
    address: 192.0.2.1\n    names: [broker.example.net]\n    listeners: {mqtts: {port: 8883}}\n\
    pki: {authority: {name: Example}}\n";

/// Findings as `line:column code`.
fn found(text: &str) -> Vec<String> {
    let inventory = inventory::parse([("inventory/x.yaml", INVENTORY)]).unwrap().inventory;
    let books = playbook::parse([("playbooks/x.yaml", text)], Some(&inventory));
    let line = |finding: &inventory::Diagnostic| match finding.place() {
        Some(place) => format!("{}:{} {}", place.line, place.column, finding.code),
        None => finding.code.to_owned(),
    };
    books.diagnostics.iter().map(line).collect()
}

#[test]
fn every_fault_is_told_at_its_place() {
    let text = r#"title: Wrong in many ways
with: {gateway: gateway, unused: site, why: text}
steps:
  - apply: {names: [mian, "{gatway}"], waves: [0], max_failures: many}
  - applly: {}
  - {}
  - plan: {only: [room=hall, site]}
    verify: {}
  - wait: 10
  - rotate: {}
  - confirm: ""
  - run: {names: ["{why}"], command: "echo {why}"}
  - redeploy: {}
  - apply: {gate: [verfy], waves: [rest, 1]}
  - verify: {names: ["{gateway}", broker/main, gateway/main], only: [site=pol]}
  - renew: {names: [pool-gw]}
"#;
    let found = found(text);
    // What cannot be read hides what holds between the values of its own step, and of no other.
    assert_eq!(
        found,
        [
            "4:47 bad-waves",
            "4:66 bad-size",
            "5:5 unknown-key",
            "6:5 no-verb",
            "7:5 several-verbs",
            "7:19 bad-label",
            "7:30 bad-label",
            "9:11 bad-duration",
            "10:5 bad-rotate",
            "11:14 empty-value",
            "12:19 text-parameter",
            "12:38 text-parameter",
            "14:20 unknown-value",
            "14:35 bad-waves",
            "15:48 dangling-reference",
            "15:70 dangling-reference",
            "16:21 dangling-reference",
        ]
    );
}

#[test]
fn what_holds_between_values_is_told_at_its_place() {
    let text = r#"title: Wrong in its references
with: {gateway: gateway, unused: site, why: text}
steps:
  - apply: {names: [mian, "{gatway}"]}
  - {}
  - plan: {only: [room=hall, site]}
    verify: {}
  - rotate: {}
  - confirm: ""
  - run: {names: ["{why}"], command: "echo {why} {HOME}"}
  - redeploy: {}
  - verify: {names: ["{gateway}", broker/main, gateway/main], only: [site=pol]}
  - renew: {names: [pool-gw]}
"#;
    let expected = [
        "2:26 unused-parameter",
        "4:21 dangling-reference",
        "4:27 unknown-parameter",
        "5:5 no-verb",
        "6:5 several-verbs",
        "6:19 bad-label",
        "6:30 bad-label",
        "8:5 bad-rotate",
        "9:14 empty-value",
        "10:19 text-parameter",
        "10:38 text-parameter",
        "11:5 every-gateway",
        "12:48 dangling-reference",
        "12:70 dangling-reference",
        "13:21 dangling-reference",
    ];
    assert_eq!(found(text), expected);
    assert_eq!(found(""), ["empty-playbook"]);
    assert_eq!(found("title: x\nsteps: []\n"), ["no-steps"]);
    assert_eq!(found("title: x\nsteps:\n  - apply: {max_failures: rest}\n"), ["3:27 bad-size"]);
    assert_eq!(found("title: x\nsteps:\n  - wait: 1s\n"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_reads_playbooks_and_a_faulty_one_takes_nothing_from_another() {
    let place = Place::new().await;
    std::fs::create_dir_all(place.file("playbooks")).unwrap();
    std::fs::write(place.file("playbooks/good.yaml"), "title: Good\nsteps:\n  - wait: 0s\n").unwrap();
    std::fs::write(place.file("playbooks/bad.yaml"), "title: Bad\nsteps:\n  - aply: {}\n").unwrap();
    let ran = place.rocade(&["validate"]).ended(64);
    assert!(
        ran.err.contains("playbooks/bad.yaml:3:5") && ran.err.contains("did you mean `apply`?"),
        "{}",
        ran.err
    );
    let ran = place.rocade(&["playbook", "run", "bad"]).ended(64);
    assert!(ran.err.contains("playbooks/bad.yaml:3:5"), "{}", ran.err);
    place.rocade(&["playbook", "run", "good"]).ended(0);
    let list = place.rocade(&["playbook", "list"]).ended(64);
    assert!(list.out.contains("good  Good"), "{}", list.out);
    // What cannot be planned is the playbook's fault, not the inventory's.
    place.rocade(&["plan"]).ended(0);
}

#[test]
fn the_schema_beside_the_playbooks_is_the_generated_one_and_takes_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
    let generated = inventory::playbook_schema();
    let path = format!("{folder}/schema.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, format!("{generated:#}\n")).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == format!("{generated:#}\n"),
        "run with UPDATE_EXPECTED=1"
    );
    let schema = jsonschema::validator_for(&generated).unwrap();
    let books = playbook::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR")), None);
    assert!(books.diagnostics.is_empty(), "{:?}", books.diagnostics);
    for name in books.books.keys() {
        let text = std::fs::read_to_string(format!("{folder}/{name}.yaml")).unwrap();
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert!(
            schema.is_valid(&value),
            "{name}: {:?}",
            schema.validate(&value).map_err(|fault| fault.to_string())
        );
    }
    let bad = [
        "steps: [{}]",
        "steps: [{plan: {}, apply: {}}]",
        "steps: [{plan: {nams: []}}]",
        "steps: [{wait: 3}]",
        "steps: [{rotate: {}}]",
        "steps: []",
        "steps: [{apply: {waves: 10 percent}}]",
        "{}",
    ];
    for steps in bad {
        let value: serde_json::Value =
            serde_saphyr::from_str(&format!("title: x\n{}", steps.replace("{}", "{ }"))).unwrap_or_default();
        assert!(!schema.is_valid(&value), "{steps}");
    }
    let named: BTreeSet<&str> = books.books.keys().map(String::as_str).collect();
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    named
        .iter()
        .for_each(|name| assert!(readme.contains(&format!("`{name}`")), "{name} is not in the README"));
}
