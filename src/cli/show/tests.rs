//! Drawings against what stands in `drawn/`; run with `UPDATE_EXPECTED=1` to write them anew, and read the
//! difference.

use std::path::Path;

use super::*;
use crate::model::{Address, Fields, Impact, Key, PLAN_FORMAT, Secret, TargetHead, Value};

fn change(target: &str, action: Action, key: (&str, &str), summary: &str) -> Change {
    let (kind, name) = target.split_once(' ').unwrap();
    Change {
        address: Address { target: Target::new(kind, name), key: Key::new(key.0, key.1) },
        action,
        before: None,
        after: None,
        impact: Impact::None,
        because: Vec::new(),
        summary: summary.to_owned(),
    }
}

fn update(target: &str, key: (&str, &str), fields: &[(&str, Value, Value)]) -> Change {
    let side = |pick: fn(&(&str, Value, Value)) -> Value| -> Option<Fields> {
        Some(fields.iter().map(|field| (field.0.to_owned(), pick(field))).collect())
    };
    let change = change(target, Action::Update, key, "");
    Change { before: side(|field| field.1.clone()), after: side(|field| field.2.clone()), ..change }
}

fn gateway() -> Vec<Change> {
    const GATEWAY: &str = "gateway pool-gw";
    let secret = Value::Secret(Secret::new("hush", "gateways/pool-gw/network@0123456789ab"));
    let mut changes = vec![
        update(
            GATEWAY,
            ("lorawan", "network-server"),
            &[
                ("channel_plan", "US915".into(), "EU868".into()),
                ("network_key", Value::Null, secret),
                ("whitelist", false.into(), true.into()),
            ],
        ),
        change(GATEWAY, Action::Create, ("sensor", "pool-hall"), "DevEUI 0018b21000004a2f"),
        change(GATEWAY, Action::Create, ("file", "/etc/init.d/rocade-relay"), ""),
    ];
    let restart = || Impact::Restart("rocade-relay".to_owned());
    for name in ["a.py", "b.py", "codecs/a.py", "codecs/b.py", "codecs/c.py", "z.py"] {
        let path = format!("/var/config/rocade/relay/{name}");
        changes.push(Change { impact: restart(), ..change(GATEWAY, Action::Create, ("file", &path), "") });
    }
    let config = update(
        GATEWAY,
        ("file", "/var/config/rocade/relay/config.json"),
        &[("content", "one\ntwo\nthree\n".into(), "one\n2\nthree\nfour\n".into())],
    );
    changes.push(Change { impact: restart(), ..config });
    let woken = change(GATEWAY, Action::Wake, ("service", "lora"), "");
    changes.push(Change {
        because: vec![Key::new("lorawan", "network-server"), Key::new("sensor", "pool-hall")],
        impact: Impact::Interrupts("uplinks ~30 s".to_owned()),
        ..woken
    });
    changes
}

fn unread(target: &str, collection: Option<&str>, reason: &str) -> Unread {
    let (kind, name) = target.split_once(' ').unwrap();
    let collection = collection.map(str::to_owned);
    Unread { target: Target::new(kind, name), collection, name: None, reason: reason.to_owned() }
}

fn a_plan(changes: Vec<Change>, unread: Vec<Unread>) -> Plan {
    let heads = ["broker main", "gateway pool-gw", "gateway pool-gw2"].map(|target| {
        let (kind, name) = target.split_once(' ').unwrap();
        let title = if name == "pool-gw" { "MultiTech Conduit MTCDT, mPower 6.0.1" } else { "" };
        TargetHead { target: Target::new(kind, name), title: title.to_owned() }
    });
    let checksum = String::new();
    Plan {
        format_version: PLAN_FORMAT,
        targets: heads.into(),
        changes,
        unread,
        unmanaged: vec![],
        objections: vec![],
        checksum,
    }
}

#[track_caller]
fn is_drawn(name: &str, drawing: &str) {
    let plain = anstream::adapter::strip_str(drawing).to_string();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/show/drawn").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &plain).unwrap();
    }
    assert_eq!(plain, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
    assert!(!plain.contains("hush"), "{plain}");
}

#[test]
fn a_plan_in_columns() {
    let unread = vec![
        unread("broker main", Some("account"), "/etc/mosquitto/rocade/passwd: Permission denied"),
        unread("gateway pool-gw2", None, "connection refused"),
    ];
    let drawn = a_plan(gateway(), unread);
    is_drawn("plan.txt", &plan(&drawn, false));
    is_drawn("plan-verbose.txt", &plan(&drawn, true));
}

#[test]
fn the_numbers_of_a_rule_share_a_line_when_they_are_many() {
    let numbers = ["01", "02", "03", "04", "05", "06"].map(|end| format!("vip/+336000000{end}"));
    let rules = |numbers: &[String]| -> Vec<Change> {
        let rule = |name: &String| change("broker main", Action::Create, ("caller_rule", name), "VIP: Ada");
        numbers.iter().map(rule).collect()
    };
    let drawn = plan(&a_plan(rules(&numbers), vec![]), false);
    assert!(drawn.contains("caller_rule  vip/  6 numbers"), "{drawn}");
    let drawn = plan(&a_plan(rules(&numbers[..5]), vec![]), false);
    assert!(drawn.contains("vip/+33600000005  VIP: Ada"), "{drawn}");
}

#[test]
fn what_nobody_wished_is_named_on_a_line() {
    let mut drawn = a_plan(vec![], vec![]);
    let stray = |number: u32| Address {
        target: Target::new("broker", "main"),
        key: Key::new("account", format!("stray{number}")),
    };
    drawn.unmanaged = (1..=7).map(stray).collect();
    let text = anstream::adapter::strip_str(&plan(&drawn, false)).to_string();
    let line = "  not in the inventory, left alone: account stray1, account stray2, account stray3, account stray4, \
                account stray5 and 2 more\n";
    assert_eq!(text, format!("broker main\n{line}Plan: no changes.\n"));
    assert!(plan(&drawn, true).contains("account stray6, account stray7"));
}

#[test]
fn nothing_to_do_is_one_line() {
    is_drawn("no-changes.txt", &plan(&a_plan(vec![], vec![]), false));
}

#[test]
fn a_result_names_what_did_not_end_well() {
    let ends = [
        Outcome::Done,
        Outcome::Failed("no space left on device".to_owned()),
        Outcome::NotStarted("an earlier one failed".to_owned()),
        Outcome::NotStarted("an earlier one failed".to_owned()),
        Outcome::Unknown("the connection was lost".to_owned()),
    ];
    let ended: Vec<Step> = gateway()
        .into_iter()
        .zip(ends)
        .map(|(change, outcome)| Step { address: change.address, outcome })
        .collect();
    let after = a_plan(vec![], vec![unread("gateway pool-gw", None, "the connection was lost")]);
    let run = Applied {
        plan: a_plan(gateway(), vec![]),
        steps: ended,
        after: Some(after),
        locked: None,
        kept: None,
    };
    is_drawn("applied.txt", &applied(&run, false));
    is_drawn("applied-verbose.txt", &applied(&run, true));
}
