//! Differences in the forms that other programs read: each is read by something else than rocade.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::Place;

const CONF: &str = "/etc/mosquitto/conf.d/rocade.conf";

async fn drifted() -> Place {
    let place = Place::applied().await;
    place.put("main", CONF, "# by ```hand```\n");
    place
}

fn form(place: &Place, verb: &str, form: &str, code: i32) -> String {
    place.rocade(&[verb, "--output", form]).ended(code).out
}

/// The published schema of SARIF 2.1.0, out of a package of npm's registry; it is fetched once.
fn sarif_schema() -> Option<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sarif");
    let file = folder.join("package/lib/schemas/sarif-2.1.0-rtm.5.json");
    if !file.is_file() {
        std::fs::create_dir_all(&folder).unwrap();
        let fetch = "npm pack --silent --fetch-retries=0 --fetch-timeout=20000 @microsoft/jest-sarif@1.0.0-beta.0 \
            && tar xzf microsoft-jest-sarif-*.tgz package/lib/schemas";
        let mut shell = Command::new("sh");
        let fetched = shell.args(["-c", fetch]).current_dir(&folder).stdout(Stdio::null()).status();
        if !fetched.is_ok_and(|status| status.success()) {
            eprintln!("skipped: the schema of SARIF could not be fetched from npm's registry");
            return None;
        }
    }
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    // Its pattern of a language has a bracket too many; rocade writes no language.
    for one in ["run", "toolComponent"] {
        schema["definitions"][one]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
    }
    Some(schema)
}

#[tokio::test(flavor = "multi_thread")]
async fn sarif_is_as_its_schema_has_it() {
    let Some(schema) = sarif_schema() else { return };
    let judge = jsonschema::validator_for(&schema).unwrap();
    let place = drifted().await;
    for (verb, code) in [("drift", 2), ("plan", 0), ("validate", 0)] {
        let sarif: Value = serde_json::from_str(&form(&place, verb, "sarif", code)).unwrap();
        let faults: Vec<String> = judge.iter_errors(&sarif).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{verb}");
        let mut spoiled = sarif;
        spoiled["runs"][0]["tool"] = Value::Null;
        assert!(!judge.is_valid(&spoiled), "the schema bites");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_read_what_drift_says() {
    let place = drifted().await;
    let json: Value = serde_json::from_str(&form(&place, "drift", "json", 2)).unwrap();
    assert_eq!(json["counts"]["unknown"], 2, "{json:#}");
    // Python's own parser of XML.
    let junit = form(&place, "drift", "junit", 2);
    let program = "import sys,xml.etree.ElementTree as t\nr=t.fromstring(sys.stdin.buffer.read())\n\
        print(r.get('tests'),r.get('failures'),len(r.findall('.//failure')),len(r.findall('.//testcase')))";
    let mut python = Command::new("python3");
    let python = python.args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), junit.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said.trim(), "4 2 2 4", "two clean targets, two differences:\n{junit}");
    // What code scanning needs of SARIF: a rule for each result, a level, a text, a line of a file that is there.
    let sarif: Value = serde_json::from_str(&form(&place, "drift", "sarif", 2)).unwrap();
    let run = &sarif["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert_eq!((sarif["version"].as_str(), results.len()), (Some("2.1.0"), 2));
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result:#}");
        assert_eq!(result["level"], "error");
        assert!(
            result["message"]["text"].as_str().unwrap().starts_with("broker main: update "),
            "{result:#}"
        );
        let place_of = &result["locations"][0]["physicalLocation"];
        assert!(place.file(place_of["artifactLocation"]["uri"].as_str().unwrap()).is_file());
        assert!(place_of["region"]["startLine"].as_u64().unwrap() > 0);
    }
    let github = form(&place, "drift", "github", 2);
    assert!(github.lines().all(|line| line.starts_with("::error file=inventory/")), "{github}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_shows_the_plan() {
    let place = drifted().await;
    let widget: Value = serde_json::from_str(&form(&place, "plan", "gitlab", 0)).unwrap();
    assert_eq!(widget, serde_json::json!({"create": 0, "update": 2, "delete": 0}));
    let text = place.rocade(&["plan", "-v", "--output", "markdown"]).ended(0).out;
    assert!(text.starts_with("### rocade plan\n\n**Plan: 0 to add, 2 to change, 0 to delete.**\n"), "{text}");
    // What stands in a file does not end the block it is shown in.
    assert!(text.contains("\n````diff\n") && text.contains("\n````\n\n</details>"), "{text}");
    assert!(text.contains("\n~ file "), "{text}");
    let junit = form(&place, "plan", "junit", 0);
    assert!(junit.contains("failures=\"0\""), "a change that is wanted is no failure: {junit}");
    let same = Place::applied().await;
    assert_eq!(form(&same, "plan", "markdown", 0), "### rocade plan\n\n**Plan: no changes.**\n");
}

/// A sample of the text format: a name, labels and a number, or why it is none.
fn sample(line: &str) -> Result<(String, String, f64), String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).ok_or("no value")?;
    let (name, rest) = line.split_at(end);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once("} ").ok_or("labels without an end")?,
        None => ("", rest.trim_start()),
    };
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{name}` is not a name"));
    }
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (key, value) = label.split_once("=\"").ok_or("a label without a value")?;
        let plain = value.trim_end_matches('"');
        if !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || plain.contains('"') {
            return Err(format!("`{label}` is not a label"));
        }
    }
    Ok((name.to_owned(), labels.to_owned(), value.parse().map_err(|_| format!("`{value}` is no number"))?))
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_the_metrics() {
    let place = drifted().await;
    let file = place.file("rocade.prom");
    let words = ["drift", "--output", "prometheus", "--out", &file.display().to_string()];
    assert_eq!(place.rocade(&words).ended(2).out, "");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut families = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind, "gauge");
            assert!(!families.contains(&name), "{name} twice");
            families.push(name);
        } else if !line.starts_with("# HELP ") {
            let (name, labels, _) = sample(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            assert_eq!(families.last(), Some(&name.as_str()), "{line}");
            assert!(seen.insert((name, labels)), "{line} twice");
        }
    }
    assert_eq!(
        families,
        [
            "rocade_drift",
            "rocade_unread",
            "rocade_last_apply_timestamp_seconds",
            "rocade_drift_check_timestamp_seconds"
        ]
    );
    assert!(text.contains("rocade_drift{target=\"broker/main\",kind=\"unknown\"} 2\n"), "{text}");
    assert!(text.contains("rocade_unread{target=\"gateway/pool-gw\"} 0\n"), "{text}");
    assert!(sample("rocade_drift{target=\"a\"b\"} 1").is_err() && sample("1x 2").is_err());
    // A target that is not there is no drift, and is seen.
    let refuse = "refuse".parse::<rocade::lab::Knobs>().unwrap();
    place.device("pool-gw").knobs().set(|own| *own = refuse);
    place.rocade(&words).ended(1);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("rocade_unread{target=\"gateway/pool-gw\"} 1\n"), "{text}");
    // Where it cannot be written nothing is left behind.
    let nowhere = place.file("rocade.prom/x.prom").display().to_string();
    place.rocade(&["drift", "--output", "prometheus", "--out", &nowhere]).ended(1);
}
