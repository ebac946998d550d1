//! `call`: what happens to a call, from the inventory or from the PBX itself.

use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Waited, import};
use crate::cli::arguments::Call;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::flow::call::{self, Odd};
use crate::inventory::{self, Inventory, Pbx};
use crate::model::Target;
use crate::providers::threecx;
use crate::run::Workspace;

/// The form of the steps as JSON.
const FORMAT: &str = "1.0";

pub fn run(arguments: &Arguments, verb: &Call) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let number = verb.number.0.as_str();
    let name = choose(workspace.inventory(), verb, number)?;
    let written = &workspace.inventory().pbx[name];
    let at = time(workspace.inventory(), written, verb.at)?;
    let live = match verb.live {
        true => match read(&workspace, name)? {
            Waited::Done(live) => Some(live),
            Waited::Interrupted => return Ok(Exit::Interrupted),
        },
        false => None,
    };
    let none = Odd::new();
    let (pbx, odd) = live.as_ref().map_or((&written.value, &none), |(pbx, odd)| (pbx, odd));
    if let Some(dialler) = &verb.dialler
        && !pbx.extensions.contains_key(dialler)
    {
        bail!("{name} has no extension {dialler}");
    }
    let (from, dialler) = (verb.from.as_ref().map(|from| from.0.as_str()), verb.dialler.as_deref());
    let way = call::follow(&call::Call { pbx, odd, number, from, dialler, at: at.clone() });
    if arguments.json {
        let result = json!({
            "format_version": FORMAT, "pbx": name, "read": if verb.live { "live" } else { "inventory" },
            "number": number, "from": from, "as": dialler, "at": at.to_string(),
            "direction": way.direction, "steps": way.steps,
        });
        say::data(&format!("{result:#}"));
    } else {
        say::data(&format!("{}\n\n{}", heading(number, name, &at, verb.live), way.text()));
    }
    Ok(Exit::Done)
}

fn heading(number: &str, name: &str, at: &Zoned, live: bool) -> String {
    let zone = at.time_zone().iana_name().unwrap_or("UTC");
    let source = if live { "as the PBX is now" } else { "as written in the inventory" };
    let when = at.strftime("%A %Y-%m-%d %H:%M");
    format!("{}{number}{:#} on {when} ({zone}), pbx {name}, {source}", say::HEAD, say::HEAD)
}

/// The PBX: the one named, the only one, or the only one that knows the number.
fn choose<'a>(inventory: &'a Inventory, verb: &Call, number: &str) -> anyhow::Result<&'a str> {
    if let Some(name) = &verb.pbx {
        return super::telephone_system(inventory, name).map(|(name, _)| name);
    }
    let all: Vec<&str> = inventory.pbx.keys().map(String::as_str).collect();
    let knows = |name: &&&str| {
        let pbx = &inventory.pbx[**name];
        verb.dialler
            .as_ref()
            .map_or_else(|| call::belongs(pbx, number), |own| pbx.extensions.contains_key(own))
    };
    let known: Vec<&str> = all.iter().filter(knows).copied().collect();
    match (all.as_slice(), known.as_slice()) {
        ([], _) => bail!("the inventory has no `pbx`"),
        ([only], _) | (_, [only]) => Ok(only),
        (_, []) => bail!("no PBX knows {number}; say which with --pbx: {}", all.join(", ")),
        (_, several) => bail!("{} know {number}; say which with --pbx", several.join(", ")),
    }
}

/// The clock of the PBX's site.
pub(super) fn zone(inventory: &Inventory, pbx: &Pbx) -> anyhow::Result<TimeZone> {
    let site = pbx.site.as_ref().and_then(|site| inventory.sites.get(site.as_str()));
    let written = site.and_then(|site| site.timezone.as_ref());
    let departments = || pbx.departments.values().find_map(|one| one.timezone.as_ref());
    match written.or_else(departments) {
        Some(name) => TimeZone::get(name).with_context(|| format!("the time zone {}", name.value)),
        None => Ok(TimeZone::UTC),
    }
}

/// A time on the clock of the PBX's site.
fn time(inventory: &Inventory, pbx: &Pbx, wanted: Option<DateTime>) -> anyhow::Result<Zoned> {
    let zone = zone(inventory, pbx)?;
    let Some(wanted) = wanted else { return Ok(jiff::Timestamp::now().to_zoned(zone)) };
    let at = wanted.to_zoned(zone)?;
    if at.datetime() != wanted {
        say::word(&format!("that time is skipped there that day: {} is taken", at.strftime("%H:%M")));
    }
    Ok(at)
}

/// A PBX as it is now, in the inventory's form, and what the inventory has no word for.
fn read(workspace: &Arc<Workspace>, name: &str) -> anyhow::Result<Waited<(Pbx, Odd)>> {
    let target = Target::new(threecx::KIND, name);
    let observed = match import::observe(workspace, &target)? {
        Waited::Done(observed) => observed,
        Waited::Interrupted => return Ok(Waited::Interrupted),
    };
    let mut unread = Vec::new();
    for missed in &observed.unread {
        let Some(collection) = &missed.collection else {
            bail!("{target} could not be read: {}", missed.reason);
        };
        say::word(&format!("could not be read: {collection}: {}", missed.reason));
        unread.push(collection.as_str());
    }
    let import = threecx::import_whole(&observed);
    let unmeant =
        import.notes.iter().filter(|note| note.starts_with("inbound_rule ") || note.contains(": dids:"));
    unmeant.for_each(|note| say::word(&format!("cannot be followed: {note}")));
    let head = format!(
        "pbx:\n  {name:?}:\n    model: 3cx\n    url: https://pbx.invalid\n    client_id: x\n    \
         client_secret: {{secret: pbx/x/client}}\n"
    );
    let whole = format!("{head}{}", import.yaml);
    let (mut seen, faults) = inventory::seen("what the PBX shows", &whole);
    let Some(mut pbx) = seen.pbx.remove(name) else {
        let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        bail!("what {target} shows cannot be followed: {}", why.join("; "));
    };
    // An entry that has no form in the inventory is not followed, and that is said.
    for fault in &faults {
        let line = fault.place().and_then(|place| whole.lines().nth(usize::try_from(place.line).ok()? - 1));
        say::word(&format!("cannot be followed: {}: {}", line.unwrap_or_default().trim(), fault.message));
    }
    // A part without an entry is empty there, unless it could not be read.
    let there = |collection: &str| !unread.contains(&collection);
    pbx.value.departments.written = there("department");
    pbx.value.extensions.written = there("extension");
    pbx.value.ring_groups.written = there("ring_group");
    pbx.value.queues.written = there("queue");
    pbx.value.ivrs.written = there("ivr");
    pbx.value.trunks.written = there("trunk");
    pbx.value.inbound_rules.written = there("inbound_rule");
    pbx.value.outbound_rules.written = there("outbound_rule");
    pbx.value.emergency_numbers = workspace.inventory().pbx[name].emergency_numbers.clone();
    Ok(Waited::Done((pbx.value, import.odd)))
}
