//! The pipeline and the manifest of the README are YAML that says what the text says.

use serde_json::Value;

/// The first fenced YAML block of the README that holds a text.
fn block(mark: &str) -> Value {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let text = blocks
        .into_iter()
        .find(|block| block.contains(mark))
        .unwrap_or_else(|| panic!("no block with {mark}"));
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_pipeline_runs_every_shard_and_merges_what_they_say() {
    let pipeline = block("CI_NODE_TOTAL");
    let shards = &pipeline["round"];
    assert!(shards["parallel"].as_u64().unwrap() > 1);
    let script = shards["script"].to_string();
    assert!(script.contains("--shard auto") && script.contains("--json"), "{script}");
    assert_eq!(pipeline["report"]["needs"][0], "round");
    assert!(pipeline["report"]["script"].to_string().contains("rocade report merge"));
    assert_eq!(shards["artifacts"]["when"], "always");
}

#[test]
fn the_job_has_as_many_completions_as_shards() {
    let job = block("completionMode");
    assert_eq!((&job["kind"], &job["spec"]["completionMode"]), (&"Job".into(), &"Indexed".into()));
    let completions = job["spec"]["completions"].as_u64().unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert!(container["args"].to_string().contains(&format!("auto/{completions}")), "{container}");
    assert_eq!(job["spec"]["template"]["spec"]["restartPolicy"], "Never");
}
