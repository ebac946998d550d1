//! Killed with signal 9 as soon as a checkpoint is on disk, at each of them: `resume` comes to the same end, and what
//! the checkpoint calls done is not done again.

use serde_json::Value;

use crate::kill::kill_when;
use crate::place::plain_program;
use crate::round::Round;

const STEPS: &str = "  - plan: {only: [kind=gateway]}\n  \
    - apply: {only: [kind=gateway], waves: 1}\n  \
    - wait: 1s\n  \
    - apply: {only: [name=gw-0], gate: [verify]}\n  \
    - plan: {expect: no-changes}\n";

/// Runs the playbook and kills it when its n-th checkpoint is there. False when it came to its end before.
fn kill_at(round: &Round, n: usize) -> bool {
    let mut program = plain_program(round.root());
    let (mut seen, mut last) = (0, Value::Null);
    kill_when(program.args(["playbook", "run", "round", "--yes"]), || {
        let now = round.checkpoint();
        if now != last {
            seen += 1;
            last = now;
        }
        seen == n
    })
}

/// One kill; whether there was a checkpoint to be killed at.
async fn survives(n: usize) -> bool {
    let round = Round::new(3, STEPS).await;
    if !kill_at(&round, n) {
        return false;
    }
    let stands = round.checkpoint();
    let done = stands["position"]["done"].as_array().unwrap();
    let in_waves = stands["step"] == 1;
    round.forget();
    let listed = round.rocade(&["playbook", "list"]).ended(0);
    if stands["ended"] == true {
        return true;
    }
    assert!(listed.out.contains("round stands at step"), "{}", listed.out);
    let refused = round.rocade(&["playbook", "run", "round", "--yes"]).ended(6);
    assert!(refused.err.contains("begun before"), "{}", refused.err);
    round.rocade(&["playbook", "resume", "--yes"]).ended(0);
    assert_eq!(round.checkpoint()["ended"], true, "killed at checkpoint {n}");
    for target in done.iter().filter(|_| in_waves) {
        let name = target["name"].as_str().unwrap();
        assert!(
            !round.written().contains(&name.to_owned()),
            "killed at checkpoint {n}: {name} was done twice"
        );
    }
    round.forget();
    round.rocade(&["plan", "--detailed-exitcode"]).ended(0);
    assert_eq!(round.written(), [""; 0]);
    true
}

/// Every checkpoint: `cargo test --test playbook -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes most of a minute; a sample of it runs always"]
async fn a_kill_at_every_checkpoint_is_gone_on_from() {
    let mut n = 1;
    while survives(n).await {
        n += 1;
    }
    eprintln!("killed at {} checkpoints, resumed from each", n - 1);
    assert!(n > 10, "only {n} checkpoints were seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_some_checkpoints_is_gone_on_from() {
    for n in [1, 4, 6] {
        assert!(survives(n).await, "there is no checkpoint {n}");
    }
}
