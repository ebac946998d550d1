//! The inventory as its users meet it: whole files in, findings out. Cases are files, named after what they
//! show; run with `UPDATE_EXPECTED=1` to write what is expected anew, and read the difference.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::fs;
use std::path::{Path, PathBuf};

use rocade::inventory::{self, Report, report};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The bad cases: each a file, or a folder whose files are one inventory.
fn bad_cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/inventory/bad")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir() || path.extension().is_some_and(|end| end == "yaml"));
    cases.sort();
    cases
}

fn texts(case: &Path) -> Vec<(String, String)> {
    let files = if case.is_dir() {
        let mut files: Vec<PathBuf> =
            fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    } else {
        vec![case.to_owned()]
    };
    let name = |path: &Path| format!("inventory/{}", path.file_name().unwrap().to_str().unwrap());
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

fn findings(case: &Path) -> Report {
    let texts = texts(case);
    match inventory::parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
        Err(report) => report,
        Ok(_) => panic!("{} is accepted", case.display()),
    }
}

#[test]
fn the_sample_is_accepted() {
    let loaded = inventory::load(root()).unwrap_or_else(|report| panic!("{report}"));
    let inventory = &loaded.inventory;
    assert_eq!(*inventory.gateways["pool-gw"].site, "pool");
    assert_eq!(inventory.sensors["pool-plant-room"].dev_eui.0.to_string(), "0018210000012345");
    assert_eq!(inventory.sensors["pool-hall"].dev_eui.place.to_string(), "inventory/pool.yaml:24:14");
    assert!(inventory.pki.is_some());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn every_good_case_is_accepted_without_a_word() {
    for entry in fs::read_dir(root().join("tests/inventory/good")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        // Line ends and a byte order mark as some editors write them change nothing.
        for text in [text.clone(), format!("\u{feff}{}", text.replace('\n', "\r\n"))] {
            let loaded = inventory::parse([("inventory/case.yaml", text.as_str())]);
            let loaded = loaded.unwrap_or_else(|report| panic!("{}: {report}", path.display()));
            assert!(loaded.warnings.is_empty(), "{}: {:?}", path.display(), loaded.warnings);
        }
    }
}

#[test]
fn euis_are_the_digits_that_were_written() {
    let euis = |case: &str| {
        let text = fs::read_to_string(root().join("tests/inventory/good").join(case)).unwrap();
        let sensors = inventory::parse([("inventory/case.yaml", text.as_str())]).unwrap().inventory.sensors;
        ["101", "pool-roof"].map(|name| sensors[name].dev_eui.0.to_string())
    };
    assert_eq!(euis("euis-that-look-like-numbers.yaml"), ["1800000000012345", "0018210000012345"]);
    assert_eq!(euis("an-eui-beyond-every-float.yaml"), ["1e10000000000000", "0018210000012345"]);
}

#[test]
fn every_bad_case_is_refused_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for case in bad_cases() {
        let Report { diagnostics, sources } = findings(&case);
        let found = report::human(&diagnostics, &sources, false);
        let expected = case.with_extension("expected");
        if update {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&found) {
            wrong.push(format!("{}\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was written in clear in the bad cases; every one begins with one of these.
const PLANTED: [&str; 2] = ["planted-secret", "8f3a5c0e91d7426bb0c2e4f6187a9d3"];

#[test]
fn no_drawing_shows_a_secret_that_was_written_in_clear() {
    let mut planted = 0;
    for case in bad_cases() {
        planted += texts(&case).iter().filter(|(_, text)| PLANTED.iter().any(|it| text.contains(it))).count();
        let found = findings(&case);
        for (form, text) in drawings(&found) {
            for secret in PLANTED {
                assert!(!text.contains(secret), "{} shows a secret as {form}:\n{text}", case.display());
            }
        }
    }
    assert_eq!(planted, 2, "the cases with planted secrets are gone");
}

fn drawings(Report { diagnostics, sources }: &Report) -> Vec<(&'static str, String)> {
    vec![
        ("plain text", report::human(diagnostics, sources, false)),
        ("coloured text", report::human(diagnostics, sources, true)),
        ("json", report::json(diagnostics, sources)),
        ("sarif", report::sarif(diagnostics, sources)),
        ("junit", report::junit(diagnostics, sources)),
        ("github", report::github(diagnostics, sources)),
        ("lines", Report { diagnostics: diagnostics.clone(), sources: sources.clone() }.to_string()),
        ("sources", format!("{sources:?}")),
        ("debug", format!("{diagnostics:?}")),
    ]
}

#[test]
fn every_form_says_the_same() {
    let case = root().join("tests/inventory/bad/duplicate-deveui-in-two-files");
    let found = findings(&case);
    for (form, text) in drawings(&found).into_iter().filter(|(form, _)| !form.contains("text")) {
        if matches!(form, "json" | "sarif" | "junit" | "github") {
            let name = format!("tests/inventory/forms/{form}");
            let path = root().join(&name);
            // The version of the tool is part of SARIF and changes with every release.
            let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(&path, &text).unwrap();
            }
            assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{name}");
        }
    }
}

#[test]
fn names_from_files_cannot_break_out_of_a_form() {
    let text = "sites:\n  \"a<b>&'\\\"\\n::error::x%\": {title: x}\n";
    let Report { diagnostics, sources } = inventory::parse([("inventory/a,b:c d.yaml", text)]).unwrap_err();
    let github = report::github(&diagnostics, &sources);
    assert_eq!(github.lines().count(), 1, "{github}");
    assert!(github.starts_with("::error file=inventory/a%2Cb%3Ac d.yaml,line=2,col=3,"), "{github}");
    assert!(report::sarif(&diagnostics, &sources).contains("\"uri\": \"inventory/a%2Cb%3Ac%20d.yaml\""));
    let junit = report::junit(&diagnostics, &sources);
    assert!(junit.contains("a&lt;b&gt;&amp;'&quot;\\n"), "{junit}");
}

#[test]
fn an_inventory_is_all_yaml_files_but_the_secrets() {
    let repository = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = repository.path().join("inventory").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    assert_eq!(inventory::load(repository.path()).unwrap_err().diagnostics[0].code, "no-inventory");
    write("sites/one.yaml", b"sites:\n  one: {title: One}\n");
    write("two.yml", b"sites:\n  two: {title: Two}\n");
    write("empty.yaml", b"# nothing yet\n");
    write("secrets/all.yaml", b"not: an inventory\n");
    write("deep/secrets/three.yaml", b"sites:\n  three: {title: Three}\n");
    write(".hidden.yaml", b"not: an inventory\n");
    write("notes.txt", b"not: an inventory\n");
    let loaded = inventory::load(repository.path()).unwrap();
    assert_eq!(loaded.inventory.sites.keys().collect::<Vec<_>>(), ["one", "three", "two"]);
    assert_eq!(loaded.inventory.sites["two"].place.to_string(), "inventory/two.yml:2:3");
    write("latin-1.yaml", b"sites:\n  four: {title: \xe9t\xe9}\n");
    write("two.yml", b"sites:\n  two: {titel: Two}\n");
    let report = inventory::load(repository.path()).unwrap_err().to_string();
    assert!(report.contains("cannot read inventory/latin-1.yaml: line 2 is not UTF-8"), "{report}");
    assert!(report.contains("unknown key `titel`"), "{report}");
}

/// An inventory of this many gateways with a hundred sensors each.
fn fleet(gateways: u32) -> String {
    let mut text = String::from(
        "brokers:
  main:
    model: mosquitto
    address: b.example.net
    names: [b.example.net]
    listeners: {mqtts: {port: 8883}}
pki: {authority: {name: Root}}
sites: {s: {title: S}}
gateways:
",
    );
    for gateway in 0..gateways {
        let key = format!("network_key: {{secret: gateways/g{gateway}/network}}");
        text += &format!("  g{gateway}:\n    site: s\n    model: multitech-conduit\n");
        text += &format!("    address: g{gateway}.example.net\n    lorawan: {{region: EU868, {key}}}\n");
        text += "    relay: {broker: main}\n";
    }
    text += "sensors:\n";
    for sensor in 0..gateways * 100 {
        text += &format!("  s{sensor}:\n    gateway: g{}\n    model: adeunis-comfort\n", sensor / 100);
        text += &format!("    dev_eui: 0018B2{sensor:010}\n    app_eui: 0018B24441524632\n");
        text += &format!("    app_key: {{secret: sensors/s{sensor}/app_key}}\n");
        text += &format!("    period: 10m\n    topic: sites/s/{sensor}\n");
    }
    text
}

fn check_fleet(gateways: u32) {
    let text = fleet(gateways);
    let loaded = inventory::parse([("inventory/fleet.yaml", text.as_str())]).unwrap();
    assert_eq!(loaded.inventory.gateways.len(), gateways as usize);
    assert_eq!(loaded.inventory.sensors.len(), gateways as usize * 100);
    let last = &loaded.inventory.sensors[&format!("s{}", gateways * 100 - 1)];
    assert_eq!(last.dev_eui.0.to_string(), format!("0018b2{:010}", gateways * 100 - 1));
}

#[test]
fn a_conduit_holds_two_thousand_sensors_and_no_more() {
    let all_on = |text: String| {
        (0..21).fold(text, |text, it| text.replace(&format!("gateway: g{it}\n"), "gateway: g0\n"))
    };
    let full = all_on(fleet(20));
    assert!(inventory::parse([("inventory/fleet.yaml", full.as_str())]).is_ok());
    let overfull = all_on(fleet(21));
    let report = inventory::parse([("inventory/fleet.yaml", overfull.as_str())]).unwrap_err();
    assert_eq!(report.to_string(), "inventory/fleet.yaml:10:3: `g0` has 2100 sensors, a Conduit holds 2000");
}

#[test]
fn what_only_somebody_should_look_at_is_a_warning() {
    let text = fleet(2)
        .replace("    relay: {broker: main}\n", "")
        .replace("gateways/g1/network", "gateways/g0/network");
    let loaded = inventory::parse([("inventory/fleet.yaml", text.as_str())]).unwrap();
    let codes: Vec<&str> = loaded.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["no-relay", "no-relay", "shared-key"]);
}

#[test]
fn where_clients_reach_a_broker_and_who_reads_a_secret_is_checked() {
    let broker = |section: &str| {
        let text = include_str!("../inventory/brokers.yaml")
            .replace("    firewall:", &format!("{section}    firewall:"));
        let report = inventory::parse([("inventory/brokers.yaml", text.as_str())]).err();
        report.map(|report| report.diagnostics.iter().map(|fault| fault.code).collect::<Vec<_>>())
    };
    assert_eq!(broker("    reached_at: {address: 192.168.145.100, port: 18883}\n"), None);
    let faulty = "    reached_at: {address: mqtt.example.org, port: 0}\n";
    assert_eq!(broker(faulty).unwrap(), ["not-in-certificate", "out-of-range"]);
    let faulty = "    reached_at: {certificates: 18884}\n";
    assert_eq!(broker(faulty).unwrap(), ["no-certificate-listener"]);
    let twice =
        "    brute_force: {max_retry: 5, find_time: 10m, ban_time: 1h, never: [10.0.0.0/8, 10.0.0.0/8]}\n";
    assert_eq!(broker(twice).unwrap(), ["duplicate-network"]);

    let file = |rest: &str| {
        let text = format!(
            "hosts:\n  x:\n    address: 10.0.0.1\n    files:\n      \
             - {{path: /a, secrets: {{key: {{secret: a/b}}}}, {rest}}}\n"
        );
        let report = inventory::parse([("inventory/hosts.yaml", text.as_str())]).err();
        report.map(|report| report.diagnostics.iter().map(|fault| fault.code).collect::<Vec<_>>())
    };
    assert_eq!(file("template: t"), None);
    assert_eq!(file("template: t, mode: \"0644\"").unwrap(), ["secret-for-all"]);
    assert_eq!(file("content: t").unwrap(), ["file-origin"]);
}

#[test]
fn fifty_gateways_with_a_hundred_sensors_each_are_one_inventory() {
    check_fleet(50);
}

#[test]
#[ignore = "ten seconds without optimisation"]
fn a_thousand_gateways_with_a_hundred_sensors_each_are_one_inventory() {
    check_fleet(1000);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        draw_everything(&text);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(at in 0usize..2000, gone in 0usize..40,
        new in "\\PC{0,6}|[\\n:{}#&*!'\" -]{0,8}") {
        let sample = fs::read_to_string(root().join("inventory/pool.yaml")).unwrap();
        let sample: Vec<char> = sample.chars().collect();
        let before = sample.iter().take(at).copied();
        let after = sample.iter().skip(at + gone).copied();
        draw_everything(&before.chain(new.chars()).chain(after).collect::<String>());
    }
}

fn draw_everything(text: &str) {
    if let Err(report) = inventory::parse([("inventory/x.yaml", text)]) {
        assert!(!report.diagnostics.is_empty());
        drawings(&report);
    }
}
