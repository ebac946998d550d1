//! `pbx size`: how many calls at the same time are needed, against what the licence and the trunks allow.

use anyhow::bail;
use serde_json::json;

use super::stats;
use crate::cli::arguments::PbxSize;
use crate::cli::verbs::{Waited, telephone_system};
use crate::cli::{Arguments, Exit, say};
use crate::flow::erlang;
use crate::run::Workspace;

/// The form of the result as JSON.
const FORMAT: &str = "1.0";
/// The simultaneous calls 3CX sells licences for.
const LICENCES: [u32; 13] = [4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024];

/// What is to be carried.
struct Load {
    erlangs: f64,
    words: String,
    licence: Option<u32>,
    /// The most calls that were seen at the same time.
    seen: Option<u32>,
}

pub fn run(arguments: &Arguments, workspace: &Workspace, verb: &PbxSize) -> anyhow::Result<Exit> {
    let Waited::Done(load) = load(arguments, workspace, verb)? else { return Ok(Exit::Interrupted) };
    let Some(needed) = erlang::channels(load.erlangs, verb.blocking) else {
        bail!("{:.0} Erlangs are more than any telephone system carries", load.erlangs);
    };
    let trunks: Option<u32> = match &verb.name {
        Some(name) => {
            let (_, pbx) = telephone_system(workspace.inventory(), name)?;
            let calls = pbx.trunks.values().map(|trunk| trunk.calls.map(u32::from));
            calls.collect::<Option<Vec<u32>>>().filter(|all| !all.is_empty()).map(|all| all.iter().sum())
        }
        None => None,
    };
    let licence = verb.licence.or(load.licence);
    let short = [licence, trunks].into_iter().flatten().any(|has| has < needed);
    if arguments.json {
        let blocked = |has: Option<u32>| has.map(|has| erlang::blocking(load.erlangs, has));
        let result = json!({
            "format_version": FORMAT, "erlangs": load.erlangs, "blocking": verb.blocking, "needed": needed,
            "most_at_once": load.seen,
            "licence": {"calls": licence, "blocking": blocked(licence), "next": next(needed)},
            "trunks": {"calls": trunks, "blocking": blocked(trunks)},
        });
        say::data(&format!("{result:#}"));
    } else {
        say::data(&text(&load, verb.blocking, needed, licence, trunks));
    }
    Ok(if short { Exit::Failed } else { Exit::Done })
}

fn load(arguments: &Arguments, workspace: &Workspace, verb: &PbxSize) -> anyhow::Result<Waited<Load>> {
    if let (Some(users), Some(minutes)) = (verb.users, verb.minutes_per_day) {
        let erlangs = f64::from(users) * minutes * verb.busy_hour_share / 60.0;
        let words = format!(
            "{users} people, {minutes} minutes a day each, {} of them in the busiest hour",
            percent(verb.busy_hour_share)
        );
        return Ok(Waited::Done(Load { erlangs, words, licence: None, seen: None }));
    }
    let Some(name) = &verb.name else {
        bail!(
            "say how many people telephone how long (--users, --minutes-per-day), or name a PBX with a history"
        );
    };
    let (name, pbx) = telephone_system(workspace.inventory(), name)?;
    let days = stats::days(workspace, pbx, &verb.period)?;
    let read = stats::read(arguments, workspace, name, pbx, &days, verb.licence.is_none())?;
    let Waited::Done((usage, licence)) = read else { return Ok(Waited::Interrupted) };
    let Some(busiest) = usage.busiest else {
        bail!("{name} had no call from {} to {}; nothing can be said", days.first, days.last);
    };
    let words =
        format!("the busiest hour of {name} from {} to {}: {}", days.first, days.last, busiest.begins);
    let seen = Some(usage.most_at_once);
    Ok(Waited::Done(Load { erlangs: busiest.erlangs, words, licence, seen }))
}

/// The smallest licence that allows so many calls.
fn next(needed: u32) -> Option<u32> {
    LICENCES.into_iter().find(|calls| *calls >= needed)
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn text(load: &Load, blocking: f64, needed: u32, licence: Option<u32>, trunks: Option<u32>) -> String {
    let mut lines = vec![
        load.words.clone(),
        format!("traffic: {:.2} Erlangs", load.erlangs),
        format!(
            "{}needed: {needed} calls at the same time{:#}, so that {} of calls find no channel",
            say::HEAD,
            say::HEAD,
            percent(blocking)
        ),
    ];
    lines.extend(load.seen.map(|seen| format!("the most that were seen at the same time: {seen}")));
    let against = |what: &str, has: u32| {
        let blocked = percent(erlang::blocking(load.erlangs, has));
        let (style, word) = if has < needed { (say::BAD, "too few") } else { (say::GOOD, "enough") };
        format!("{what}: {has} calls, {style}{word}{style:#}, {blocked} would be turned away")
    };
    lines.extend(licence.map(|has| against("the licence", has)));
    lines.extend(trunks.map(|has| against("the trunks", has)));
    lines.push(match next(needed) {
        Some(calls) => format!("the smallest licence that does: {calls} calls (SC)"),
        None => "no licence of 3CX allows so many".to_owned(),
    });
    lines.join("\n")
}
