//! `pbx stats`: what a telephone system was used for. Numbers of callers are hidden unless they are asked for.

use std::fmt::Write as _;

use anyhow::{anyhow, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::json;

use crate::cli::arguments::{PbxStats, Period};
use crate::cli::progress::Count as Counted;
use crate::cli::verbs::{Waited, call, telephone_system, wait};
use crate::cli::{Arguments, Exit, say};
use crate::flow::usage::{Count, Usage, Way, masked};
use crate::inventory::Pbx;
use crate::providers::threecx::history;
use crate::run::Workspace;

/// The form of the statistics as JSON.
const FORMAT: &str = "1.0";
/// How many lines a list of numbers has, unless all is asked for.
const LINES: usize = 20;

pub fn run(arguments: &Arguments, workspace: &Workspace, verb: &PbxStats) -> anyhow::Result<Exit> {
    let (name, pbx) = telephone_system(workspace.inventory(), &verb.name)?;
    let days = days(workspace, pbx, &verb.period)?;
    let Waited::Done((mut usage, _)) = read(arguments, workspace, name, pbx, &days, false)? else {
        return Ok(Exit::Interrupted);
    };
    if !verb.numbers {
        usage.unreturned.iter_mut().for_each(|one| one.number = masked(&one.number));
    }
    if arguments.json {
        let (from, to) = (days.first.to_string(), days.last.to_string());
        let result = json!({"format_version": FORMAT, "pbx": name, "from": from, "to": to, "usage": usage});
        say::data(&format!("{result:#}"));
    } else {
        say::data(&text(&usage, name, pbx, &days, arguments.verbose));
    }
    Ok(Exit::Done)
}

/// Days on the clock of a site.
pub(super) struct Days {
    pub first: Date,
    pub last: Date,
    zone: TimeZone,
    begin: Timestamp,
    end: Timestamp,
}

pub(super) fn days(workspace: &Workspace, pbx: &Pbx, period: &Period) -> anyhow::Result<Days> {
    let zone = call::zone(workspace.inventory(), pbx)?;
    let last = period.to.unwrap_or_else(|| Zoned::now().with_time_zone(zone.clone()).date());
    let first = match period.from {
        Some(first) => first,
        None => last.checked_sub(29.days())?,
    };
    if first > last {
        bail!("the period ends on {last}, before it begins on {first}");
    }
    let begin = first.to_zoned(zone.clone())?.timestamp();
    let end = last.checked_add(1.day())?.to_zoned(zone.clone())?.timestamp();
    Ok(Days { first, last, zone, begin, end })
}

/// The usage of some days, and the simultaneous calls of the licence when they are asked for.
pub(super) fn read(
    arguments: &Arguments,
    workspace: &Workspace,
    name: &str,
    pbx: &Pbx,
    days: &Days,
    with_licence: bool,
) -> anyhow::Result<Waited<(Usage, Option<u32>)>> {
    let progress = Counted::new(arguments.json, "rows of calls read");
    let read = wait(async {
        let line = super::line(workspace, name).await?;
        let hand = line.reading();
        let calls = history::calls(pbx, days.begin, days.end, hand, &|rows| progress.at(rows)).await;
        let calls = calls.map_err(|why| anyhow!("the calls of {name} could not be read: {why}"))?;
        let licence = match with_licence {
            true => {
                hand.get("/xapi/v1/LicenseStatus?$select=MaxSimCalls").await?.body["MaxSimCalls"].as_u64()
            }
            false => None,
        };
        let licence = licence.and_then(|calls| u32::try_from(calls).ok());
        Ok((Usage::of(&calls, &days.zone), licence))
    });
    progress.finish();
    read
}

/// Seconds as people say them.
fn spell(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

fn row(name: &str, count: &Count) -> String {
    let Count { calls, answered, missed, talked } = count;
    format!("  {name:<30} {calls:>7} {answered:>9} {missed:>7}  {:>12}\n", spell(*talked))
}

fn text(usage: &Usage, name: &str, pbx: &Pbx, days: &Days, verbose: bool) -> String {
    let zone = days.zone.iana_name().unwrap_or("UTC");
    let head = say::HEAD;
    let mut text =
        format!("{head}{name}{head:#} from {} to {}, on the clock of {zone}\n\n", days.first, days.last);
    let heading = |title: &str| {
        format!(
            "{head}{title:<32} {:>7} {:>9} {:>7}  {:>12}{head:#}\n",
            "calls", "answered", "missed", "talked"
        )
    };
    // Writing into text cannot fail.
    text += &heading("all");
    text += &row("all", &usage.all);
    for (way, count) in &usage.ways {
        let word = match way {
            Way::In => "from outside",
            Way::Out => "to outside",
            Way::Internal => "internal",
        };
        text += &row(word, count);
    }
    let _ = write!(
        text,
        "\n  answered calls from outside waited {} on average, {} at most; the longest call took {}\n  at most {} at \
         the same time, {} of them with the outside\n",
        spell(usage.waited),
        spell(usage.waited_most),
        spell(usage.longest),
        usage.most_at_once,
        usage.most_outside_at_once,
    );
    if let Some(busiest) = &usage.busiest {
        let (begins, calls) = (&busiest.begins, say::count(busiest.calls as usize, "call"));
        let _ = writeln!(text, "  busiest hour: {begins}, {calls}, {:.2} Erlangs", busiest.erlangs);
    }
    text += &format!("\n{}", heading("hour"));
    usage.hours.iter().for_each(|(hour, count)| text += &row(&format!("{hour:02}:00"), count));
    text += &format!("\n{}", heading("day"));
    usage.days.iter().for_each(|(day, count)| text += &row(day, count));
    text += &format!("\n{}", heading("number"));
    let most = if verbose { usize::MAX } else { LINES };
    let mut numbers: Vec<_> = usage.numbers.iter().collect();
    numbers.sort_by_key(|(_, count)| std::cmp::Reverse(count.calls));
    numbers.iter().take(most).for_each(|(number, count)| text += &row(&titled(pbx, number), count));
    text += &more(numbers.len(), most);
    let _ = write!(text, "\n{head}missed and not called back{head:#}\n");
    for one in usage.unreturned.iter().take(most) {
        let _ = writeln!(
            text,
            "  {:<30} {}, last {}",
            one.number,
            say::count(one.calls as usize, "call"),
            one.last
        );
    }
    text += &more(usage.unreturned.len(), most);
    text
}

fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 if all == 0 => "  none\n".to_owned(),
        0 => String::new(),
        more => format!("  and {more} more (-v)\n"),
    }
}

/// A number with what it is.
fn titled(pbx: &Pbx, number: &str) -> String {
    let title = if let Some(one) = pbx.extensions.get(number) {
        format!("{} {}", one.first_name, one.last_name.as_deref().unwrap_or_default())
    } else if let Some(one) = pbx.ring_groups.get(number) {
        format!("{} (ring group)", one.title)
    } else if let Some(one) = pbx.queues.get(number) {
        format!("{} (queue)", one.title)
    } else if let Some(one) = pbx.ivrs.get(number) {
        format!("{} (IVR)", one.title)
    } else {
        String::new()
    };
    format!("{number} {}", title.trim())
}
