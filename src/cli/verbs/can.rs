//! `can`: whether a client may do something at a broker, and which line of the inventory says so.

use serde_json::json;

use crate::cli::arguments::{Can, Doing};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::inventory::Inventory;
use crate::providers::mosquitto::{self, Access, Grant, Reach};

/// The form of the answers as JSON.
const FORMAT: &str = "1.0";

/// One broker's answer.
struct Answer {
    broker: String,
    account: String,
    allowed: bool,
    /// The grant that covers all, or those that cover parts.
    by: Vec<Grant>,
    /// What the account may do so at all.
    own: Vec<String>,
}

pub fn run(arguments: &Arguments, verb: &Can) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    if let Some(fault) = topic_fault(verb) {
        say::word(&format!("{}error:{:#} `{}`: {fault}", say::BAD, say::BAD, verb.topic));
        return Ok(Exit::Usage);
    }
    let answers = answers(workspace.inventory(), verb);
    if answers.is_empty() {
        say::word(&format!("{}error:{:#} {}", say::BAD, say::BAD, unknown(workspace.inventory(), verb)));
        return Ok(Exit::Usage);
    }
    if arguments.json {
        let answers: Vec<_> = answers
            .iter()
            .map(|answer| {
                json!({
                    "broker": answer.broker, "account": answer.account, "allowed": answer.allowed,
                    "grants": answer.by,
                })
            })
            .collect();
        let result = json!({
            "format_version": FORMAT, "client": verb.client, "action": word(verb), "topic": verb.topic,
            "answers": answers,
        });
        say::data(&format!("{result:#}"));
    } else {
        for answer in &answers {
            say::data(&sentence(verb, answer));
        }
    }
    let all = answers.iter().all(|answer| answer.allowed);
    Ok(if all { Exit::Done } else { Exit::Failed })
}

fn word(verb: &Can) -> &'static str {
    match verb.action {
        Doing::Publish => "publish",
        Doing::Read => "read",
    }
}

fn access(verb: &Can) -> Access {
    match verb.action {
        Doing::Publish => Access::Publish,
        Doing::Read => Access::Read,
    }
}

fn topic_fault(verb: &Can) -> Option<&'static str> {
    match verb.action {
        Doing::Publish if verb.topic.contains(['+', '#']) => {
            Some("a message is published to a topic, which has no wildcard")
        }
        _ => mosquitto::filter_fault(&verb.topic),
    }
}

/// The answers of the brokers that know the client.
fn answers(inventory: &Inventory, verb: &Can) -> Vec<Answer> {
    let chosen = |name: &&String| verb.broker.as_ref().is_none_or(|chosen| chosen == *name);
    let mut answers = Vec::new();
    for name in inventory.brokers.keys().filter(chosen) {
        let accounts = mosquitto::grants(inventory, name, &inventory.brokers[name]);
        let relay = mosquitto::relay_user(&verb.client);
        let Some((account, grants)) =
            accounts.get_key_value(&verb.client).or_else(|| accounts.get_key_value(&relay))
        else {
            continue;
        };
        let reach = mosquitto::reach(grants, access(verb), &verb.topic);
        let own = grants.iter().filter(|grant| grant.access == access(verb));
        answers.push(Answer {
            broker: name.clone(),
            account: account.clone(),
            allowed: matches!(reach, Reach::Whole(_)),
            by: match reach {
                Reach::Whole(grant) => vec![grant.clone()],
                Reach::Part(grants) => grants.into_iter().cloned().collect(),
                Reach::None => Vec::new(),
            },
            own: own.map(|grant| grant.filter.clone()).collect(),
        });
    }
    answers
}

fn sentence(verb: &Can, answer: &Answer) -> String {
    let may = match verb.action {
        Doing::Publish => "publish to",
        Doing::Read => "read",
    };
    let Answer { broker, account, .. } = answer;
    let by = |grant: &Grant| {
        let place = grant.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        format!("  {place}{} ({})", grant.filter, grant.why)
    };
    let by: Vec<String> = answer.by.iter().map(by).collect();
    let what = format!("{account} {{}} {may} {} at {broker}", verb.topic);
    if answer.allowed {
        return format!(
            "{}yes{:#}: {}\n{}",
            say::GOOD,
            say::GOOD,
            what.replacen("{}", "may", 1),
            by.join("\n")
        );
    }
    let no = format!("{}no{:#}: {}", say::BAD, say::BAD, what.replacen("{}", "may not", 1));
    match (by.as_slice(), answer.own.as_slice()) {
        ([], []) => format!("{no}\n  it may {may} nothing"),
        ([], own) => format!("{no}\n  it may {may} {}", own.join(", ")),
        (parts, _) => format!("{no}, only a part of it\n{}", parts.join("\n")),
    }
}

fn unknown(inventory: &Inventory, verb: &Can) -> String {
    if let Some(broker) = verb.broker.as_ref().filter(|broker| !inventory.brokers.contains_key(*broker)) {
        return format!("the inventory has no broker `{broker}`");
    }
    let accounts = inventory.brokers.iter().flat_map(|(name, broker)| {
        mosquitto::grants(inventory, name, broker).into_keys().collect::<Vec<_>>()
    });
    let known: std::collections::BTreeSet<String> = accounts.collect();
    let known: Vec<String> = known.into_iter().collect();
    format!("no broker knows `{}`; there are: {}", verb.client, known.join(", "))
}
