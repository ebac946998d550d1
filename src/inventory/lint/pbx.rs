//! A telephone system: numbers, addresses and names are there once, references lead to somebody, and what the
//! PBX would refuse is refused here. What a part that is not written would hold is not asked for.

use std::collections::BTreeMap;

use super::repeated;
use crate::inventory::{At, Diagnostic, Holiday, Inventory, Pbx, Place, Section};
use crate::model::{Dn, Feast, easter};

mod contacts;
mod flow;
mod reach;
mod refer;
mod sbc;

/// The parts whose names are internal numbers.
type Numbered<'a> = (&'static str, Vec<(&'a str, &'a Place)>);

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    for pbx in inventory.pbx.values() {
        address(pbx, found);
        numbers(pbx, found);
        people(pbx, found);
        titles(pbx, found);
        trunks(pbx, found);
        hours(pbx, found);
        holidays(pbx, found);
        ivrs(pbx, found);
        contacts::check(pbx, found);
        refer::check(pbx, found);
        flow::check(pbx, found);
        reach::check(pbx, found);
    }
    sbc::check(inventory, found);
    let phones = inventory.pbx.values().flat_map(|pbx| pbx.extensions.values());
    let phones = phones.flat_map(|extension| extension.phones.iter().flatten());
    let macs = phones.clone().map(|phone| (phone.mac.0.to_string(), &phone.mac.place));
    repeated(
        macs,
        |mac| Diagnostic::error("duplicate-mac", format!("two phones have the MAC address {mac}")),
        found,
    );
}

/// Where the PBX and its directories answer.
fn address(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    url(&pbx.url, "a PBX", "https://example.my3cx.fr", found);
    pbx.directories.values().for_each(|one| url(&one.url, "a directory", "https://erp.example.fr", found));
}

fn url(url: &At<String>, what: &str, example: &str, found: &mut Vec<Diagnostic>) {
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let clear = url.starts_with("http://");
    if !clear && !url.starts_with("https://") || host.is_empty() {
        let fault = Diagnostic::error("bad-url", format!("this is not where {what} answers"));
        found.push(fault.at(&url.place, "").help(format!("write it with its scheme: `{example}`")));
    } else if clear && !matches!(host, "127.0.0.1" | "localhost") {
        let fault = Diagnostic::error("clear-text", "the key would cross the network in clear");
        found.push(fault.at(&url.place, "").help("write `https://`; plain HTTP is for loopback only"));
    }
}

fn names<T>(part: &Section<T>) -> Vec<(&str, &Place)> {
    part.iter().map(|(name, entry)| (name.as_str(), &entry.place)).collect()
}

fn numbered(pbx: &Pbx) -> [Numbered<'_>; 4] {
    [
        ("extension", names(&pbx.extensions)),
        ("ring group", names(&pbx.ring_groups)),
        ("queue", names(&pbx.queues)),
        ("IVR", names(&pbx.ivrs)),
    ]
}

/// Numbers are internal numbers, each there once over all kinds.
fn numbers(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, (&str, &Place)> = BTreeMap::new();
    for (kind, entries) in numbered(pbx) {
        for (number, place) in entries {
            if let Err(fault) = number.parse::<Dn>() {
                found.push(Diagnostic::error("bad-number", fault.to_string()).at(place, ""));
            }
            match first.get(number) {
                Some((earlier, at)) => {
                    let message = format!("{number} is there twice, for the kinds {earlier} and {kind}");
                    let fault = Diagnostic::error("duplicate-number", message);
                    found.push(fault.at(place, "again here").at(at, "first here"));
                }
                None => {
                    first.insert(number, (kind, place));
                }
            }
        }
    }
}

/// E-mail addresses are unique, router phones can carry others, keys have a place each.
fn people(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let emails = pbx.extensions.values().filter_map(|one| one.email.as_ref());
    repeated(
        emails.map(|email| (email.to_lowercase(), &email.place)),
        |email| Diagnostic::error("duplicate-email", format!("two extensions have the address {email}")),
        found,
    );
    for one in pbx.extensions.values() {
        for phone in one.phones.iter().flatten() {
            let router = phone.router.as_ref().filter(|router| router.value);
            if let Some(router) = router.filter(|_| !phone.model.can_route()) {
                let message = format!("a {} cannot be a router phone", phone.model.name());
                let fault = Diagnostic::error("no-router-phone", message).at(&router.place, "");
                found.push(fault.help("among the phones known here the T54W and T57W can"));
            }
            let ways = [router.is_some(), phone.sbc.is_some(), phone.behind.is_some()];
            if ways.iter().filter(|way| **way).count() > 1 {
                let message =
                    "a phone stands behind an SBC, behind a router phone, or is one: not two of these";
                found.push(Diagnostic::error("two-ways", message).at(&phone.mac.place, ""));
            }
        }
        let mut next = 2;
        let positions = one.blf.iter().flatten().map(|key| {
            let position = key.key.unwrap_or(next);
            next = position.saturating_add(1);
            (position, &key.place)
        });
        repeated(
            positions,
            |position| Diagnostic::error("duplicate-key", format!("two things are on key {position}")),
            found,
        );
    }
}

fn titles(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let departments = pbx.departments.values().map(|one| &one.title);
    let trunks = pbx.trunks.values().map(|one| &one.title);
    let rules = pbx.outbound_rules.values().map(|one| &one.title);
    let kinds: [(&str, Vec<&At<String>>); 3] = [
        ("departments", departments.collect()),
        ("trunks", trunks.collect()),
        ("outbound rules", rules.collect()),
    ];
    for (kind, titles) in kinds {
        let titles = titles.into_iter().map(|title| (title.value.as_str(), &title.place));
        let twice = |title: &&str| {
            let message =
                format!("two {kind} are called `{title}` on the PBX, which knows them by that name");
            Diagnostic::error("duplicate-title", message)
        };
        repeated(titles, twice, found);
    }
}

/// A number comes in once, each rule is for something else, each number has a rule.
fn trunks(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let dids = pbx.trunks.values().flat_map(|trunk| trunk.dids.iter().flatten());
    repeated(
        dids.map(|did| (did.0.to_string(), &did.place)),
        |did| Diagnostic::error("duplicate-did", format!("{did} comes in twice")),
        found,
    );
    // Rules for callers are looked at with the contacts they may be for.
    let rules = pbx.inbound_rules.values().filter(|rule| rule.did.is_some() || rule.caller.is_none());
    let rules = rules.map(|rule| {
        let number = |number: &Option<At<crate::inventory::PhoneNumberText>>| {
            number.as_ref().map(|number| number.0.to_string())
        };
        ((rule.trunk.value.clone(), number(&rule.did)), &rule.title.place)
    });
    repeated(
        rules,
        |(trunk, ..)| {
            Diagnostic::error("duplicate-rule", format!("two rules of {trunk} are for the same calls"))
        },
        found,
    );
    for rule in pbx.inbound_rules.values() {
        let Some(did) = &rule.did else { continue };
        let dids = pbx.trunks.get(rule.trunk.as_str()).and_then(|trunk| trunk.dids.as_ref());
        if dids.is_some_and(|dids| dids.iter().all(|own| own.0 != did.0)) {
            let message = format!("{} does not come in on the trunk {}", did.0, rule.trunk.value);
            let fault = Diagnostic::error("did-without-trunk", message).at(&did.place, "");
            found.push(fault.help("add it to the `dids` of the trunk, or correct it"));
        }
    }
    for rule in pbx.outbound_rules.values().filter(|rule| rule.routes.len() > 5) {
        let message = format!("{} routes are more than the five a rule has", rule.routes.len());
        found.push(Diagnostic::error("too-many-routes", message).at(&rule.title.place, ""));
    }
}

/// Spans of a day do not overlap.
fn hours(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let weeks = pbx.departments.values().flat_map(|one| one.hours.iter().chain(&one.breaks));
    let weeks = weeks.chain(pbx.inbound_rules.values().filter_map(|rule| rule.hours.as_ref()));
    for week in weeks {
        for (day, spans) in &week.0 {
            if let Some(pair) = spans.windows(2).find(|pair| pair[1].start < pair[0].stop) {
                let message = format!("on {} {} and {} overlap", day.english(), pair[0], pair[1]);
                found.push(Diagnostic::error("overlapping-hours", message).at(&week.place, ""));
            }
        }
    }
}

/// A day: year (0 for every one), month, day.
type Day = (u16, u8, u8);
/// Departments that rest, from, to, and where it was written.
type Rest<'a> = (Vec<&'a str>, Day, Day, &'a Place);

/// A day of the year it names, or of the one given.
fn day(feast: Feast, year: u16) -> Day {
    match feast {
        Feast::Yearly { month, day } => (0, month, day),
        Feast::Once { year, month, day } => (year, month, day),
        Feast::Easter(offset) => {
            let (month, of_month) = easter(year);
            let part = |number: u8| i8::try_from(number).unwrap_or(1);
            let sunday =
                jiff::civil::Date::new(i16::try_from(year).unwrap_or(2000), part(month), part(of_month));
            let moved =
                sunday.ok().and_then(|sunday| sunday.checked_add(jiff::Span::new().days(offset)).ok());
            let part = |number: i8| u8::try_from(number).unwrap_or(1);
            moved.map_or((year, month, of_month), |date| (year, part(date.month()), part(date.day())))
        }
    }
}

/// Spans of days without a break: a yearly one over the end of the year is two.
fn spans(first: Day, last: Day) -> Vec<(Day, Day)> {
    match first.0 == 0 && last < first {
        true => vec![(first, (0, 12, 31)), ((0, 1, 1), last)],
        false => vec![(first, last)],
    }
}

fn holidays(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    let mut seen: Vec<Rest<'_>> = Vec::new();
    for one in pbx.holidays.values() {
        let moves = matches!(one.date.value.0, Feast::Easter(_));
        if moves == one.years.is_empty() {
            let message = match moves {
                true => "a day that moves with Easter needs the years it is meant for",
                false => "`years` is for days that move with Easter",
            };
            let fault = Diagnostic::error("holiday-years", message).at(&one.date.place, "");
            found.push(fault.help("write `years: [2027, 2028]` beside `date: easter+1`"));
            continue;
        }
        let last = one.until.as_ref().map_or(one.date.value.0, |until| until.value.0);
        let once = [0];
        let years = one.years.iter().map(|year| year.value).chain(once.into_iter().filter(|_| !moves));
        for (first, last) in years.map(|year| (day(one.date.value.0, year), day(last, year))) {
            if (first.0 == 0) != (last.0 == 0) || first.0 != 0 && last < first {
                let message = "a holiday's last day comes after its first, and is written the same way";
                found.push(Diagnostic::error("holiday-order", message).at(&one.date.place, ""));
                break;
            }
            let own = spans(first, last);
            rest(one, &own, &mut seen, found);
        }
    }
}

/// Notes the days a holiday takes; one that another holiday of a department takes is a fault.
fn rest<'a>(one: &'a Holiday, own: &[(Day, Day)], seen: &mut Vec<Rest<'a>>, found: &mut Vec<Diagnostic>) {
    let departments: Vec<&str> = match one.departments.as_slice() {
        [] => vec!["default"],
        named => named.iter().map(|department| department.as_str()).collect(),
    };
    let meets = |(others, from, to, _): &&Rest<'_>| {
        let shared = others.iter().any(|department| departments.contains(department));
        shared && own.iter().any(|(first, last)| overlap((*from, *to), (*first, *last)))
    };
    if let Some((.., place)) = seen.iter().find(meets) {
        let fault = Diagnostic::error("overlapping-holidays", "two holidays of a department overlap");
        found.push(fault.at(&one.date.place, "this one").at(place, "and this one"));
    }
    seen.extend(own.iter().map(|(first, last)| (departments.clone(), *first, *last, &one.date.place)));
}

/// Whether two spans of days share one. A yearly one is held against the years of the other.
fn overlap(one: (Day, Day), other: (Day, Day)) -> bool {
    let meets = |a: (Day, Day), b: (Day, Day)| a.0 <= b.1 && b.0 <= a.1;
    let yearly = |(from, to): (Day, Day), years: (Day, Day)| {
        let in_year = |year: u16, day: Day| (year, day.1, day.2);
        (years.0.0..=years.1.0).any(|year| meets((in_year(year, from), in_year(year, to)), years))
    };
    match (one.0.0, other.0.0) {
        (0, year) if year > 0 => yearly(one, other),
        (year, 0) if year > 0 => yearly(other, one),
        _ => meets(one, other),
    }
}

fn ivrs(pbx: &Pbx, found: &mut Vec<Diagnostic>) {
    use crate::inventory::Destination;
    for ivr in pbx.ivrs.values() {
        for (key, to) in &ivr.keys {
            if key.len() != 1 || !key.bytes().all(|byte| byte.is_ascii_digit()) {
                let fault = Diagnostic::error("bad-ivr-key", format!("`{key}` is no key of a telephone"));
                found.push(fault.at(&to.place, "").help("keys are 0 to 9"));
            }
            if matches!(to.value, Destination::External(_)) {
                let fault = Diagnostic::error("external-key", "a key of a 3CX cannot lead outside by itself");
                let help = "let it lead to an extension whose forwarding goes there";
                found.push(fault.at(&to.place, "").help(help));
            }
        }
    }
}
