//! A telephone system for those who use it: directory, groups, hours, numbers, a sheet of keys a phone.

use serde::Serialize;

use super::Table;
use crate::flow;
use crate::inventory::{BlfKey, Destination, Extension, KeyAction, Pbx, Profile, Week};
use crate::model::Weekday;

/// A telephone system.
#[derive(Serialize)]
pub struct System {
    pub name: String,
    pub url: String,
    pub remarks: String,
    /// Rows of the table of equipment.
    pub phones: Vec<Vec<String>>,
    directory: Table,
    groups: Table,
    hours: Table,
    numbers: Table,
    calls: minijinja::Value,
    sheets: Vec<Sheet>,
    emergency: String,
}

/// The keys of a person's phone.
#[derive(Serialize)]
struct Sheet {
    number: String,
    name: String,
    phones: String,
    keys: Vec<(u8, String, String)>,
}

/// A telephone system of the inventory.
pub fn system(name: &str, pbx: &Pbx) -> System {
    let trunks: Vec<&str> = pbx.trunks.values().map(|trunk| trunk.title.as_str()).collect();
    let sbcs: Vec<String> = pbx.sbcs.keys().map(|name| format!("SBC {name}")).collect();
    let remarks: Vec<String> = trunks.iter().map(|title| (*title).to_owned()).chain(sbcs).collect();
    System {
        name: name.to_owned(),
        url: pbx.url.value.clone(),
        remarks: remarks.join(", "),
        phones: phones(pbx),
        directory: directory(pbx),
        groups: groups(pbx),
        hours: hours(pbx),
        numbers: numbers(pbx),
        calls: minijinja::Value::from_safe_string(flow::svg(&flow::calls(pbx), name)),
        sheets: pbx.extensions.iter().filter_map(|(number, one)| sheet(pbx, number, one)).collect(),
        emergency: pbx.emergency().join(", "),
    }
}

fn person(one: &Extension) -> String {
    format!("{} {}", one.first_name, one.last_name.as_deref().unwrap_or_default()).trim().to_owned()
}

fn department(pbx: &Pbx, name: Option<&str>) -> String {
    let name = name.unwrap_or("default");
    pbx.departments.get(name).map_or_else(|| name.to_owned(), |one| one.title.value.clone())
}

fn who(pbx: &Pbx, number: &str) -> String {
    let name = pbx.extensions.get(number).map(|one| person(one));
    format!("{number} {}", name.unwrap_or_default()).trim_end().to_owned()
}

fn phones(pbx: &Pbx) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (number, one) in pbx.extensions.iter() {
        for phone in one.phones.iter().flatten() {
            let behind = match (&phone.sbc, &phone.behind) {
                (Some(sbc), _) => format!("SBC {}", sbc.value),
                (_, Some(router)) => format!("→ {}", router.0),
                _ => String::new(),
            };
            let owner = format!("{number} {}", person(one));
            let mac = phone.mac.0.to_string();
            rows.push(vec![owner, phone.model.name().to_owned(), String::new(), mac, String::new(), behind]);
        }
    }
    rows
}

fn directory(pbx: &Pbx) -> Table {
    let mut table = Table::new(&["Number", "Name", "Department", "Mobile", "E-mail"]);
    let shown = pbx
        .extensions
        .iter()
        .filter(|(_, one)| one.hide_in_phonebook != Some(true) && one.enabled != Some(false));
    for (number, one) in shown {
        table.row([
            number.clone(),
            person(one),
            department(pbx, one.department.as_ref().map(|at| at.as_str())),
            one.mobile.as_ref().map_or(String::new(), |mobile| mobile.0.to_string()),
            one.email.as_ref().map_or(String::new(), |email| email.value.clone()),
        ]);
    }
    table
}

fn groups(pbx: &Pbx) -> Table {
    let mut table = Table::new(&["Number", "What it is", "Name", "Members"]);
    let all = |numbers: &[crate::inventory::At<crate::inventory::NumberText>]| {
        numbers.iter().map(|number| who(pbx, &number.0.0)).collect::<Vec<_>>().join(", ")
    };
    for (number, one) in pbx.ring_groups.iter() {
        table.row([number.clone(), "Ring group".into(), one.title.clone(), all(&one.members)]);
    }
    for (number, one) in pbx.queues.iter() {
        table.row([number.clone(), "Queue".into(), one.title.clone(), all(&one.agents)]);
    }
    for (number, one) in pbx.ivrs.iter() {
        let key = |(key, to): (&String, &crate::inventory::At<Destination>)| {
            format!("{key}: {}", destination(pbx, to))
        };
        let keys: Vec<String> = one.keys.iter().map(key).collect();
        table.row([number.clone(), "Menu".into(), one.title.clone(), keys.join("; ")]);
    }
    table
}

fn hours(pbx: &Pbx) -> Table {
    let mut table = Table::new(&["Department", "Opening hours", "Breaks"]);
    let words = |week: Option<&Week>| week.map_or(String::new(), week_words);
    for one in pbx.departments.values() {
        let (hours, breaks) = (one.hours.as_ref(), one.breaks.as_ref());
        let hours = words(hours.map(|at| &at.value));
        table.row([one.title.value.clone(), hours, words(breaks.map(|at| &at.value))]);
    }
    table
}

/// A week, days with the same hours together: `mon-thu 09:00-12:00 14:00-18:00; fri 09:00-12:00`.
fn week_words(week: &Week) -> String {
    let spans = |day: &Weekday| {
        let spans = week.0.get(day).into_iter().flatten();
        spans.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let days: Vec<(Weekday, String)> = Weekday::ALL.iter().map(|day| (*day, spans(day))).collect();
    let runs = days.chunk_by(|a, b| a.1 == b.1).filter(|run| !run[0].1.is_empty());
    let words = |run: &[(Weekday, String)]| {
        let (first, last) = (run[0].0.word(), run[run.len() - 1].0.word());
        let days = if first == last { first.to_owned() } else { format!("{first}-{last}") };
        format!("{days} {}", run[0].1)
    };
    runs.map(words).collect::<Vec<_>>().join("; ")
}

fn numbers(pbx: &Pbx) -> Table {
    let mut table = Table::new(&["Called", "Rule", "Rings", "When closed", "On holidays"]);
    for rule in pbx.inbound_rules.values() {
        let trunk = pbx.trunks.get(rule.trunk.as_str());
        let called = match (&rule.did, trunk) {
            (Some(did), _) => did.0.to_string(),
            (None, Some(trunk)) => trunk.title.value.clone(),
            (None, None) => rule.trunk.value.clone(),
        };
        let to = |to: Option<&crate::inventory::At<Destination>>| {
            to.map_or(String::new(), |to| destination(pbx, to))
        };
        let (closed, holiday) = (to(rule.when_closed.as_ref()), to(rule.on_holiday.as_ref()));
        table.row([called, rule.title.value.clone(), destination(pbx, &rule.to), closed, holiday]);
    }
    table
}

fn destination(pbx: &Pbx, to: &Destination) -> String {
    let titled = |number: &str, title: Option<&str>| {
        format!("{number} {}", title.unwrap_or_default()).trim_end().to_owned()
    };
    match to {
        Destination::Extension(number) => who(pbx, number),
        Destination::RingGroup(number) => {
            titled(number, pbx.ring_groups.get(number).map(|one| one.title.as_str()))
        }
        Destination::Queue(number) => titled(number, pbx.queues.get(number).map(|one| one.title.as_str())),
        Destination::Ivr(number) => titled(number, pbx.ivrs.get(number).map(|one| one.title.as_str())),
        Destination::Voicemail(number) => format!("✉ {}", who(pbx, number)),
        Destination::External(number) => number.clone(),
        Destination::End => "✕".to_owned(),
        Destination::Repeat => "↺".to_owned(),
        Destination::CallByName => "A-Z".to_owned(),
    }
}

/// The keys of somebody's phones; the first key is the phone's own line.
fn sheet(pbx: &Pbx, number: &str, one: &Extension) -> Option<Sheet> {
    let keys = one.blf.as_ref().filter(|keys| !keys.is_empty())?;
    let mut position = 1;
    let mut rows = vec![(1, who(pbx, number), "Line".to_owned())];
    for key in keys {
        let BlfKey { key, does } = &key.value;
        position = key.unwrap_or(position + 1);
        let (words, does) = action(pbx, does);
        rows.push((position, words, does.to_owned()));
    }
    let phones: Vec<&str> = one.phones.iter().flatten().map(|phone| phone.model.name()).collect();
    Some(Sheet { number: number.to_owned(), name: person(one), phones: phones.join(", "), keys: rows })
}

/// What a key is about, and what it does.
fn action(pbx: &Pbx, does: &KeyAction) -> (String, &'static str) {
    match does {
        KeyAction::Watch(number) => (who(pbx, number), "Watch and call"),
        KeyAction::SpeedDial(number) => (who(pbx, number), "Call"),
        KeyAction::Custom { number, first_name, last_name } => {
            (format!("{first_name} {last_name} {number}").trim().replace("  ", " "), "Call")
        }
        KeyAction::Parking(place) => (place.clone(), "Park and pick up"),
        KeyAction::QueueLogin(true) => (String::new(), "Log in to queues"),
        KeyAction::QueueLogin(false) => (String::new(), "Log out of queues"),
        KeyAction::Profile(profile) => {
            let word = match profile {
                Profile::Available => "Available",
                Profile::Away => "Away",
                Profile::OutOfOffice => "Out of office",
                Profile::Custom1 => "Custom 1",
                Profile::Custom2 => "Custom 2",
            };
            (word.to_owned(), "Profile")
        }
        KeyAction::Line => (String::new(), "Line"),
    }
}
