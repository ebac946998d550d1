//! The recipes of the README, run as they stand: what a runner of GitLab or GitHub, or cron, would give to a shell.

use std::process::Command;

use serde_json::Value;

use crate::place::Place;

/// The blocks of a language in the README's part about drift.
fn blocks(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let part = readme.split("\n## Drift, reports, history\n").nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let open = format!("```{language}\n");
    part.split(&open).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

fn yaml(language_block: &str) -> Value {
    serde_saphyr::from_str(language_block).unwrap()
}

/// Runs a line as the runners do, and how it ended.
fn shell(place: &Place, line: &str) -> i32 {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_rocade")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", line]).current_dir(place.root()).env_clear();
    command.env("PATH", path).env("HOME", place.root()).env("TMPDIR", place.file(".rocade"));
    command.env("GITHUB_STEP_SUMMARY", place.file("summary.md"));
    command.env("ROCADE_REPOSITORY", place.root()).env("ROCADE_METRICS", place.root());
    let output = command.output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 3, "{line}: {code} {}", String::from_utf8_lossy(&output.stderr));
    code
}

async fn drifted() -> Place {
    let place = Place::applied().await;
    place.put("main", "/etc/mosquitto/conf.d/rocade.conf", "# by hand\n");
    place
}

fn lines(job: &Value) -> Vec<&str> {
    job["script"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlabs_jobs_leave_the_reports_they_name() {
    let place = drifted().await;
    let yaml_blocks = blocks("yaml");
    let pipeline = yaml(yaml_blocks.iter().find(|block| block.contains("stage:")).unwrap());
    let ends: Vec<i32> = lines(&pipeline["check"]).into_iter().map(|line| shell(&place, line)).collect();
    assert_eq!(ends, [0, 0]);
    let ends: Vec<i32> = lines(&pipeline["drift"]).into_iter().map(|line| shell(&place, line)).collect();
    assert_eq!(ends, [2]);
    assert_eq!(pipeline["drift"]["allow_failure"]["exit_codes"], 2);
    for job in ["check", "drift"] {
        let artifacts = &pipeline[job]["artifacts"];
        let mut files: Vec<String> = Vec::new();
        for value in [&artifacts["reports"]["junit"], &artifacts["reports"]["terraform"], &artifacts["paths"]]
        {
            match value {
                Value::String(file) => files.push(file.clone()),
                Value::Array(all) => files.extend(all.iter().filter_map(Value::as_str).map(str::to_owned)),
                _ => {}
            }
        }
        assert!(!files.is_empty());
        for file in files {
            assert!(place.file(&file).metadata().is_ok_and(|facts| facts.len() > 0), "{job}: {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn githubs_steps_leave_what_the_next_ones_take() {
    let place = drifted().await;
    let yaml_blocks = blocks("yaml");
    let workflow = yaml(yaml_blocks.iter().find(|block| block.contains("runs-on:")).unwrap());
    let steps = workflow["jobs"]["rocade"]["steps"].as_array().unwrap();
    let ends: Vec<i32> =
        steps.iter().filter_map(|step| step["run"].as_str()).map(|line| shell(&place, line)).collect();
    assert_eq!(ends, [0, 2, 0]);
    let upload = steps.iter().find_map(|step| step["with"]["sarif_file"].as_str()).unwrap();
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(place.file(upload)).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 2);
    assert!(std::fs::read_to_string(place.file("summary.md")).unwrap().starts_with("### rocade drift"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cron_script_tells_of_drift_and_is_silent_otherwise() {
    let place = drifted().await;
    let scripts = blocks("bash");
    let [script] = scripts.as_slice() else { panic!("one script: {scripts:?}") };
    assert_eq!(shell(&place, script), 2);
    let metrics = std::fs::read_to_string(place.file("rocade.prom")).unwrap();
    assert!(metrics.contains("rocade_drift{target=\"broker/main\",kind=\"unknown\"} 2"), "{metrics}");
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(shell(&place, script), 0);
}
