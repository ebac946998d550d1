//! What needs no device: checking, decoding, support for editors and shells.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::place::{Place, program};

#[tokio::test(flavor = "multi_thread")]
async fn findings_in_every_form() {
    let place = Place::new().await;
    place.edit("sensors.yaml", "dev_eui: 0018B21000004A30", "dev_eui: 0018B21000004A2F");
    let form = |form: &str| place.rocade(&["validate", "--output", form]).ended(64);
    let human = form("human");
    assert!(human.err.contains("duplicate-deveui") && human.out.is_empty(), "{}", human.err);
    assert!(human.err.contains("1 error, 0 warnings"), "{}", human.err);
    assert_eq!(form("json").json()["diagnostics"][0]["code"], "duplicate-deveui");
    let sarif = form("sarif").json();
    assert_eq!(
        (&sarif["version"], &sarif["runs"][0]["results"][0]["ruleId"]),
        (&json!("2.1.0"), &json!("duplicate-deveui"))
    );
    let junit = form("junit").out;
    assert!(junit.starts_with("<?xml") && junit.contains("<failure"), "{junit}");
    let github = form("github").out;
    assert!(github.starts_with("::error file=inventory/sensors.yaml,line="), "{github}");
}

#[test]
fn editors_and_shells_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let out = |words: &[&str]| {
        let output = program(folder.path()).args(words).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let schema: Value = serde_json::from_str(&out(&["schema"])).unwrap();
    assert!(schema["properties"]["gateways"].is_object(), "{schema:#}");
    jsonschema::meta::validate(&schema).unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = out(&["completions", shell]);
        assert!(script.contains("rocade") && script.contains("complete"), "{shell}");
    }
    assert!(out(&["man"]).contains(".TH rocade 1"));
    let folder = tempfile::tempdir().unwrap();
    out(&["man", "--out", folder.path().to_str().unwrap()]);
    for (page, words) in
        [("rocade.1", "rocade-plan(1)"), ("rocade-apply.1", "max"), ("rocade-pbx-size.1", "blocking")]
    {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.replace('\\', "").contains(words), "{page}");
    }
}

#[test]
fn frames_are_decoded_one_by_one_and_by_the_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let rocade = |words: &[&str], input: String| {
        let output = program(folder.path()).args(words).write_stdin(input).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    // A periodic frame of a Comfort, as the manufacturer publishes it: its type is all that matters here.
    let (code, hex, _) = rocade(&["decode", "--model", "comfort", "4800"], String::new());
    let (again, base64, _) = rocade(&["decode", "--model", "comfort", "SAA="], String::new());
    assert_eq!((code, again, &hex), (0, 0, &base64));
    let decoded: Value = serde_json::from_str(&hex).unwrap();
    assert!(decoded["type"].is_string(), "{decoded}");
    for (words, said) in
        [(["--model", "comfort", "zz"], "decode:"), (["--model", "nope", "4800"], "comfort-co2")]
    {
        let (code, out, err) = rocade(&["decode", words[0], words[1], words[2]], String::new());
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains(said), "{err}");
    }
    let line = |number: usize| match number % 10 {
        9 => "{not json\n".to_owned(),
        8 => json!({"model": format!("nope-{number}"), "fport": 1, "hex": "00"}).to_string() + "\n",
        _ => json!({"model": "comfort", "fport": 1, "hex": "4800"}).to_string() + "\n",
    };
    let (code, out, err) = rocade(&["decode", "--jsonl"], (0..1_000).map(line).collect());
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len(), err.as_str()), (0, 1_000, ""));
    for (number, line) in lines.iter().enumerate() {
        match number % 10 {
            9 => assert!(line["error"].is_string(), "{number}: {line}"),
            8 => assert!(line["error"].as_str().unwrap().contains(&format!("nope-{number}")), "{line}"),
            _ => assert_eq!(*line, decoded, "{number}"),
        }
    }
}

/// `rocade ... | head -0`: no panic, no words.
#[test]
fn a_closed_pipe_is_no_reason_to_complain() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["schema"][..], &["man"], &["completions", "zsh"]] {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
        let command = command.arg("-C").arg(folder.path()).args(words).as_std_mut();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(1), ""), "{words:?}");
    }
}
