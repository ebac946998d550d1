//! `report merge`: the JSON results of the shards of a run made one. Nothing is judged anew but whether the shards
//! are all there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::cli::arguments::Report;
use crate::cli::{Exit, say};
use crate::plan::Shard;

/// Exit codes, the worst last.
const WORSE: [Exit; 9] = [
    Exit::Done,
    Exit::Pending,
    Exit::RolledBack,
    Exit::Locked,
    Exit::Refused,
    Exit::Partial,
    Exit::Failed,
    Exit::Interrupted,
    Exit::Usage,
];

pub fn run(verb: &Report) -> anyhow::Result<Exit> {
    let Report::Merge { files, detailed_exitcode } = verb;
    let results = files.iter().map(read).collect::<anyhow::Result<Vec<Value>>>()?;
    let (merged, exit, missing) = merge(results, *detailed_exitcode)?;
    say::data(&serde_json::to_string_pretty(&merged).context("writing the result as JSON")?);
    missing.iter().for_each(|words| say::word(&format!("{}error:{:#} {words}", say::BAD, say::BAD)));
    Ok(exit)
}

/// A result, with the share of the targets it is about.
pub fn with_shard(mut result: Value, shard: Option<Shard>) -> Value {
    if let (Some(shard), Some(object)) = (shard, result.as_object_mut()) {
        object.insert("shard".into(), shard.to_string().into());
    }
    result
}

fn read(file: &PathBuf) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let result: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    if !result["format_version"].is_string() {
        bail!("{} is not a result of rocade: it has no format_version", file.display());
    }
    Ok(result)
}

/// One result of several, its exit code, and what is missing.
fn merge(results: Vec<Value>, detailed: bool) -> anyhow::Result<(Value, Exit, Vec<String>)> {
    let exits = results.iter().map(|result| exit(result, detailed)).collect::<anyhow::Result<Vec<Exit>>>()?;
    let shards: Vec<String> =
        results.iter().filter_map(|result| result["shard"].as_str().map(str::to_owned)).collect();
    let missing = missing(&shards, results.len());
    let mut merged = Map::new();
    for result in results {
        let Value::Object(result) = result else { continue };
        if let (Some(one), Some(other)) = (merged.get("format_version"), result.get("format_version"))
            && (one != other || kind(&merged) != kind(&result))
        {
            bail!("these are results of different verbs or versions: they have {one} and {other}");
        }
        join(&mut merged, result);
    }
    let rank = |exit: &Exit| WORSE.iter().position(|other| other == exit);
    let mut worst = exits.into_iter().max_by_key(rank).unwrap_or(Exit::Done);
    if !missing.is_empty() && rank(&worst) < rank(&Exit::Failed) {
        worst = Exit::Failed;
    }
    merged.remove("shard");
    merged.insert("shards".into(), shards.into());
    merged.insert("exit_code".into(), worst.code().into());
    // A plan of several machines is no plan that could be applied.
    merged.remove("checksum");
    for key in ["plan", "after"] {
        match merged.get_mut(key) {
            Some(Value::Object(plan)) => drop(plan.remove("checksum")),
            // `drift` names its plan by the checksum alone.
            Some(Value::String(_)) => drop(merged.remove(key)),
            _ => {}
        }
    }
    Ok((merged.into(), worst, missing))
}

/// What tells results of one verb from those of another.
fn kind(result: &Map<String, Value>) -> BTreeSet<&str> {
    let telling = ["changes", "drift", "findings", "sensors", "playbook", "plan", "after"];
    telling.into_iter().filter(|key| result.contains_key(*key)).collect()
}

/// Lists are put one behind the other, truth holds when it holds for all; of other words the first ones stay.
fn join(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (None, value) => {
                into.insert(key, value);
            }
            (Some(Value::Array(all)), Value::Array(more)) => {
                all.extend(more);
            }
            (Some(Value::Object(all)), Value::Object(more)) if key == "counts" => add(all, &more),
            (Some(Value::Object(all)), Value::Object(more)) => join(all, more),
            (Some(Value::Bool(all)), Value::Bool(more)) => *all &= more,
            (Some(all @ Value::Null), value) => *all = value,
            (Some(_), _) => {}
        }
    }
}

/// Adds up what was counted.
fn add(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, more) in from {
        let sum = into.get(key).and_then(Value::as_u64).unwrap_or(0) + more.as_u64().unwrap_or(0);
        into.insert(key.clone(), sum.into());
    }
}

/// The exit code of a result; a plan has none of its own.
fn exit(result: &Value, detailed: bool) -> anyhow::Result<Exit> {
    if let Some(code) = result["exit_code"].as_u64() {
        let known = WORSE.iter().find(|exit| u64::from(exit.code()) == code);
        return known.copied().with_context(|| format!("{code} is no exit code of rocade"));
    }
    let any = |key: &str| result[key].as_array().map(|list| !list.is_empty());
    let (Some(unread), Some(changes)) = (any("unread"), any("changes")) else {
        bail!("a result says neither how it ended nor what it planned: was it written with --json?");
    };
    Ok(match (unread, any("objections"), changes) {
        (true, _, _) => Exit::Failed,
        (_, Some(true), _) => Exit::Refused,
        (_, _, true) if detailed => Exit::Pending,
        _ => Exit::Done,
    })
}

/// Shares that are not there, or twice.
fn missing(shards: &[String], results: usize) -> Vec<String> {
    let parsed: Vec<Shard> = shards.iter().filter_map(|shard| shard.parse().ok()).collect();
    if parsed.is_empty() {
        return Vec::new();
    }
    let mut words = Vec::new();
    if parsed.len() != results {
        words
            .push(format!("{} of {results} results do not say which shard they are", results - parsed.len()));
    }
    let totals: BTreeSet<u32> = parsed.iter().map(|shard| shard.total()).collect();
    if totals.len() > 1 {
        words.push("the shards are not of one run: they count differently".to_owned());
    }
    let total = totals.last().copied().unwrap_or(0);
    for index in 1..=total {
        match parsed.iter().filter(|shard| shard.index() == index && shard.total() == total).count() {
            0 => words.push(format!("shard {index}/{total} is missing")),
            1 => {}
            _ => words.push(format!("shard {index}/{total} is there twice")),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(mut result: Value, key: &str, value: Value) -> Value {
        result[key] = value;
        result
    }

    fn of(results: Vec<Value>) -> (Value, u8, Vec<String>) {
        let (merged, exit, missing) = merge(results, false).unwrap();
        (merged, exit.code(), missing)
    }

    #[test]
    fn lists_are_joined_and_the_worst_end_counts() {
        let verify = |shard: &str, name: &str, code: u8| {
            let result = json!({ "format_version": "1.0", "findings": [name], "exit_code": code });
            with_shard(result, Some(shard.parse().unwrap()))
        };
        let (merged, code, missing) = of(vec![verify("1/2", "a", 0), verify("2/2", "b", 1)]);
        assert_eq!((merged["findings"].clone(), code, missing.len()), (json!(["a", "b"]), 1, 0));
        assert_eq!(merged["shards"], json!(["1/2", "2/2"]));
        let (_, code, missing) = of(vec![verify("1/3", "a", 0), verify("3/3", "b", 0)]);
        assert_eq!((code, missing), (1, vec!["shard 2/3 is missing".to_owned()]));
        let (_, code, missing) = of(vec![verify("1/1", "a", 3), verify("1/1", "b", 6)]);
        assert_eq!((code, missing.len()), (1, 1));
    }

    #[test]
    fn what_drifted_is_joined_and_counted_together() {
        let drift = |shard: &str, counts: Value, code: u8| {
            let result = json!({
                "format_version": "1.0", "plan": shard, "counts": counts, "drift": [shard], "exit_code": code,
            });
            with_shard(result, Some(shard.parse().unwrap()))
        };
        let one = drift("1/2", json!({ "hand": 1, "git": 0 }), 2);
        let (merged, code, missing) = of(vec![one, drift("2/2", json!({ "hand": 2, "git": 3 }), 0)]);
        assert_eq!((merged["counts"].clone(), code), (json!({ "hand": 3, "git": 3 }), 2));
        assert_eq!((merged["drift"].clone(), missing.len()), (json!(["1/2", "2/2"]), 0));
        assert!(merged.get("plan").is_none(), "it is the checksum of one of them");
    }

    #[test]
    fn plans_are_judged_by_what_they_hold() {
        let plan = |changes: Value, unread: Value| {
            let plan = json!({ "format_version": "1.1", "changes": changes, "unread": unread });
            with(plan, "checksum", "x".into())
        };
        let two = vec![plan(json!([1]), json!([])), plan(json!([2]), json!([]))];
        let (merged, exit, _) = merge(two, true).unwrap();
        assert_eq!((merged["changes"].clone(), exit), (json!([1, 2]), Exit::Pending));
        assert!(merged.get("checksum").is_none());
        let applied = |changes: Value| {
            let after = plan(changes.clone(), json!([]));
            let plan = plan(changes, json!([]));
            json!({ "format_version": "1.1", "plan": plan, "after": after, "complete": true, "exit_code": 0 })
        };
        let (merged, _, _) = merge(vec![applied(json!([1])), applied(json!([2]))], false).unwrap();
        assert_eq!(merged["after"]["changes"], json!([1, 2]));
        assert!(["plan", "after"].iter().all(|key| merged[key].get("checksum").is_none()), "{merged:#}");
        let (_, exit, _) =
            merge(vec![plan(json!([1]), json!([])), plan(json!([]), json!([3]))], true).unwrap();
        assert_eq!(exit, Exit::Failed);
        let mixed = vec![
            plan(json!([]), json!([])),
            json!({ "format_version": "1.1", "findings": [], "exit_code": 0 }),
        ];
        assert!(merge(mixed, false).unwrap_err().to_string().contains("different verbs"));
    }
}
