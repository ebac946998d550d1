//! Shares of the targets: each target in exactly one, and the results of all of them make the whole.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rocade::model::Target;
use rocade::plan::{Scope, Shard};

use crate::place::{Place, changes};
use crate::round::Round;

proptest! {
    #[test]
    fn every_target_is_of_exactly_one_share(
        names in proptest::collection::btree_set("(gateway|broker|host)/[a-z][a-z0-9-]{0,12}", 0..60),
        total in 1u32..40,
    ) {
        let targets: Vec<Target> = names.iter().map(|name| {
            let (kind, name) = name.split_once('/').unwrap();
            Target::new(kind, name)
        }).collect();
        let labels = std::collections::BTreeMap::new();
        let mut taken = Vec::new();
        for index in 1..=total {
            let scope = Scope { shard: Shard::new(index, total), ..Scope::default() };
            taken.extend(scope.choose(targets.iter().map(|target| (target, &labels))).unwrap());
        }
        taken.sort();
        let mut all: Vec<&Target> = targets.iter().collect();
        all.sort();
        prop_assert_eq!(taken, all);
    }
}

#[test]
fn shares_are_even_and_a_target_keeps_its_own() {
    let of =
        |name: &str| (1..=8).find(|index| Shard::new(*index, 8).unwrap().has(&Target::new("gateway", name)));
    // Of another machine, another day: a share that moved would let two machines do the same.
    assert_eq!([of("pool-gw"), of("gw-0"), of("gw-1")], PINNED);
    let counts = (1..=8).map(|index| {
        let shard = Shard::new(index, 8).unwrap();
        (0..4000).filter(|n| shard.has(&Target::new("gateway", format!("gw-{n}")))).count()
    });
    assert!(counts.clone().all(|count| (400..600).contains(&count)), "{:?}", counts.collect::<Vec<_>>());
}

const PINNED: [Option<u32>; 3] = [Some(5), Some(5), Some(8)];

#[tokio::test(flavor = "multi_thread")]
async fn the_plans_of_all_shards_make_the_whole_plan() {
    let round = Round::new(9, "  - apply: {waves: 2}\n").await;
    let whole = changes(&round.rocade(&["plan", "--json"]).ended(0).json());
    let mut files = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let file = round.root().join(format!("plan-{}.json", &shard[..1])).display().to_string();
        round.rocade(&["plan", "--shard", shard, "--out", &file]).ended(0);
        files.push(file);
    }
    let drifted: Vec<String> = ["1/3", "2/3", "3/3"]
        .map(|shard| {
            let file = round.root().join(format!("drift-{}.json", &shard[..1])).display().to_string();
            let told = round.rocade(&["drift", "--json", "--shard", shard, "--out", &file]).ended(2);
            assert_eq!(told.out, "");
            file
        })
        .to_vec();
    let words: Vec<&str> =
        ["report", "merge"].into_iter().chain(drifted.iter().map(String::as_str)).collect();
    let drift = round.rocade(&words).ended(2).json();
    assert_eq!(drift["drift"].as_array().unwrap().len(), whole.len());
    assert_eq!((&drift["shards"][2], &drift["exit_code"]), (&"3/3".into(), &2.into()));
    let merge = |files: &[String], code: i32| {
        let words: Vec<&str> = ["report", "merge", "--detailed-exitcode"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .collect();
        round.rocade(&words).ended(code)
    };
    let merged = merge(&files, 2).json();
    assert_eq!(merged["shards"], serde_json::json!(["1/3", "2/3", "3/3"]));
    let mut parts = changes(&merged);
    assert_eq!(parts.len(), whole.len(), "a target is in two shards");
    parts.sort();
    assert_eq!(parts, {
        let mut whole = whole;
        whole.sort();
        whole
    });
    assert!(merge(&files[..2], 1).err.contains("shard 3/3 is missing"));
    assert!(merge(&[&files[..], &files[..1]].concat(), 1).err.contains("shard 1/3 is there twice"));

    // As three machines of a Kubernetes Job do.
    let mut written = BTreeSet::new();
    for index in ["0", "1", "2"] {
        let run = crate::place::program(round.root())
            .args(["playbook", "run", "round", "--yes", "--json", "--shard", "auto/3"])
            .env("JOB_COMPLETION_INDEX", index)
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        let now: BTreeSet<String> = round.written().into_iter().collect();
        assert!(now.is_disjoint(&written), "written by two");
        written.extend(now);
        round.forget();
    }
    assert_eq!(written.len(), 9);
    round.rocade(&["plan", "--detailed-exitcode"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_share_makes_what_the_repository_holds() {
    let place = Place::new().await;
    let main = Target::new("broker", "main");
    let (shard, total) = (2..9)
        .find_map(|total| (2..=total).find(|k| Shard::new(*k, total).unwrap().has(&main)).map(|k| (k, total)))
        .unwrap();
    let shard = format!("{shard}/{total}");
    let plan = place.rocade(&["plan", "--shard", &shard]).ended(6);
    assert!(plan.out.contains(&format!("shard {shard} makes nothing there")), "{}", plan.out);
    assert!(plan.out.contains("rocade apply authority") && !plan.out.contains("certificate"), "{}", plan.out);
    place.rocade(&["apply", "--yes", "--shard", &shard]).ended(6);
    assert!(place.writes().is_empty() && !place.file("pki/root.pem").exists());
    place.rocade(&["apply", "authority", "--yes"]).ended(0);
    let applied = place.rocade(&["apply", "--yes", "--json", "--shard", &shard]).ended(0).json();
    assert_eq!((&applied["exit_code"], &applied["shard"]), (&0.into(), &shard.as_str().into()));
    place.rocade(&["plan", "main", "--detailed-exitcode"]).ended(0);
    // A renewal that is due is left to the first: the certificate there is still good.
    place.rocade(&["plan", "--detailed-exitcode", "--shard", &shard]).ended(0);
    let unset = place.rocade(&["plan", "--shard", "auto"]).ended(64);
    assert!(unset.err.contains("neither CI_NODE_INDEX nor JOB_COMPLETION_INDEX"), "{}", unset.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_the_repository_is_not_shared_out() {
    let round = Round::new(1, "  - plan: {}\n  - renew: {}\n").await;
    let ran = round.rocade(&["playbook", "run", "round", "--shard", "1/2"]).ended(6);
    assert!(ran.err.contains("changes the repository itself (step 2, renew)"), "{}", ran.err);
}
