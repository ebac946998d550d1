//! Many gateways in waves, some of them failing; and the fleet the other tests use.

use std::path::Path;

use rocade::lab::Lab;
use serde_json::Value;
use tempfile::TempDir;

use crate::many::fleet;
use crate::place::{Ran, program};

/// A fleet with a playbook, nothing applied.
pub struct Round {
    /// The repository.
    pub folder: TempDir,
    /// The gateways.
    pub lab: Lab,
}

impl Round {
    /// So many gateways, and these steps as the playbook `round`.
    pub async fn new(gateways: usize, steps: &str) -> Self {
        let (folder, lab) = fleet(gateways).await;
        let round = Self { folder, lab };
        round.write(steps);
        round
    }

    /// Puts other steps into the playbook.
    pub fn write(&self, steps: &str) {
        let folder = self.root().join("playbooks");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("round.yaml"), format!("title: A round\nsteps:\n{steps}")).unwrap();
    }

    /// The repository's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program to its end.
    pub fn rocade(&self, words: &[&str]) -> Ran {
        let output = program(self.root()).args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The checkpoint; null when there is none.
    pub fn checkpoint(&self) -> Value {
        let text = std::fs::read_to_string(self.root().join(".rocade/playbooks/round.json"));
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// The gateways that were written to.
    pub fn written(&self) -> Vec<String> {
        let devices = self.lab.devices().iter().filter(|device| device.log().writes() > 0);
        devices.map(|device| device.plan.name.clone()).collect()
    }

    /// Starts counting anew.
    pub fn forget(&self) {
        self.lab.devices().iter().for_each(|device| device.log().clear());
    }

    fn fails(&self, name: &str, fails: bool) {
        self.lab.device(name).unwrap().knobs().set(|knobs| knobs.refuse = fails);
    }
}

const WAVES: &str = "  - apply: {only: [kind=gateway], waves: [1, 25%], max_failures: 1}\n";

/// Names of targets in JSON.
fn names(targets: &Value) -> Vec<&str> {
    targets.as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_failures_than_allowed_stop_the_rest_and_resume_does_only_what_is_left() {
    let round = Round::new(10, WAVES).await;
    let outlined = round.rocade(&["playbook", "plan", "round", "--json"]).ended(0).json();
    let waves = outlined["steps"][0]["waves"].as_array().unwrap();
    let sizes: Vec<usize> = waves.iter().map(|wave| wave.as_array().unwrap().len()).collect();
    assert_eq!(sizes, [1, 3, 3, 3]);
    assert_eq!(outlined["steps"][0]["may_fail"], 1);
    assert_eq!(outlined["plan"]["targets"].as_array().unwrap().len(), 10);
    assert_eq!(round.written(), [""; 0], "planning wrote");

    let (second, third) = (names(&waves[1]), names(&waves[2]));
    second[..2].iter().for_each(|name| round.fails(name, true));
    let ran = round.rocade(&["playbook", "run", "round", "--yes"]).ended(3);
    assert!(ran.err.contains("2 of 10 targets failed, 1 may; no further wave is begun"), "{}", ran.err);
    assert!(ran.err.contains("rocade playbook resume round"), "{}", ran.err);
    let mut done = vec![names(&waves[0])[0], second[2]];
    done.sort_unstable();
    let mut written = round.written();
    written.sort();
    assert_eq!(written, done);

    round.forget();
    second[..2].iter().for_each(|name| round.fails(name, false));
    round.fails(third[0], true);
    let ran = round.rocade(&["playbook", "resume", "--yes", "--json"]).ended(3);
    let result = ran.json();
    assert_eq!((&result["complete"], &result["exit_code"]), (&Value::Bool(true), &Value::from(3)));
    assert_eq!(result["failures"][0]["target"], format!("gateway {}", third[0]));
    assert_eq!(result["failures"].as_array().unwrap().len(), 1, "one may fail: {result:#}");
    let execs = |name: &str| round.lab.device(name).unwrap().log().execs();
    done.iter().for_each(|name| assert_eq!(execs(name), 0, "{name} was done and was asked again"));
    assert_eq!(round.written().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_is_put_back_and_counts_as_a_failure() {
    let steps = "  - apply: {only: [kind=gateway], waves: 1}\n  - plan: {expect: no-changes}\n";
    let round = Round::new(3, steps).await;
    round.lab.device("gw-1").unwrap().knobs().set(|knobs| knobs.fail_order = Some(1));
    let ran = round.rocade(&["playbook", "run", "round", "--yes"]).ended(3);
    assert!(ran.err.contains("1 of 3 targets failed, none may"), "{}", ran.err);
    assert_eq!(round.checkpoint()["step"], 0);
    assert!(!round.written().contains(&"gw-2".to_owned()));
    round.lab.device("gw-1").unwrap().knobs().set(|knobs| knobs.fail_order = None);
    round.rocade(&["playbook", "resume", "round", "--yes"]).ended(0);
    assert_eq!(round.checkpoint()["ended"], true);
    round.rocade(&["plan", "--detailed-exitcode"]).ended(0);
}
