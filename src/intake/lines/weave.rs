//! Lines become parts of a telephone system; on the way everything that does not fit together is found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::Parts;
use super::report::{Finding, Report};
use super::row::{Hours, Line, Settings, Subject};
use crate::intake::french::{self, Number};
use crate::intake::slug;
use crate::inventory::{Pbx, PhoneModel};

/// Weaves lines into parts.
pub(super) fn parts(lines: Vec<Line>, settings: &Settings, pbx: &Pbx) -> (Parts, Report) {
    let mut weaver = Weaver {
        settings,
        pbx,
        people: Vec::new(),
        groups: Vec::new(),
        devices: Vec::new(),
        parts: Parts::default(),
        report: Report { rows: lines.len(), ..Report::default() },
        hours: BTreeMap::new(),
    };
    weaver.sort(lines);
    weaver.join_groups();
    weaver.departments();
    weaver.phones();
    weaver.extensions();
    weaver.ring_groups();
    weaver.loops();
    weaver.inbound_rules();
    weaver.report.new = weaver.parts.by_name().map(|(name, part)| (name, part.len())).to_vec();
    weaver.report.sort();
    (weaver.parts, weaver.report)
}

struct Weaver<'a> {
    settings: &'a Settings,
    pbx: &'a Pbx,
    people: Vec<Line>,
    groups: Vec<Line>,
    devices: Vec<Line>,
    parts: Parts,
    report: Report,
    /// The hours of each department.
    hours: BTreeMap<String, Hours>,
}

impl Weaver<'_> {
    fn say(&mut self, code: &'static str, line: &Line, what: impl Into<String>) {
        self.report.findings.push(Finding { code, place: line.place.to_string(), what: what.into() });
    }

    /// Parts people, groups and devices; a number and an address is the first one's.
    fn sort(&mut self, lines: Vec<Line>) {
        let mut numbers: BTreeMap<String, String> = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut mails = BTreeSet::new();
        for mut line in lines {
            for number in std::mem::take(&mut line.zero_lost) {
                self.say("zero-lost", &line, format!("{} of {}", number, named(&line)));
            }
            if line.subject == Subject::Device {
                self.devices.push(line);
                continue;
            }
            if line.number.is_none() && line.subject == Subject::Person {
                let code = if line.mac.is_some() { "device-without-line" } else { "nothing-said" };
                self.say(code, &line, format!("{} has no number", named(&line)));
                continue;
            }
            if let Some(number) = line.number.clone() {
                if let Some(first) = numbers.get(&number) {
                    let what = format!("{number} of {} is that of {first}", named(&line));
                    self.say("duplicate-number", &line, what);
                    continue;
                }
                numbers.insert(number.clone(), named(&line));
                self.look_at(&line, &number, &mut names);
            }
            if let Some(email) = line.email.clone().map(|email| email.to_lowercase())
                && !mails.insert(email.clone())
            {
                self.say("duplicate-email", &line, format!("{email} of {}", named(&line)));
                line.email = None;
            }
            match line.subject {
                Subject::Group => self.groups.push(line),
                _ => self.people.push(line),
            }
        }
    }

    fn look_at(&mut self, line: &Line, number: &str, names: &mut BTreeMap<String, String>) {
        let unused = line.calls.is_some_and(|calls| calls <= 0.0);
        let old = matches!((line.last_call, self.settings.unused_before), (Some(last), Some(before)) if last < before);
        if unused || old {
            let last = line.last_call.map(|last| format!(", last on {last}")).unwrap_or_default();
            self.say("never-called", line, format!("{number}, {}{last}", named(line)));
        }
        if line.enabled == Some(false) {
            self.say("switched-off", line, format!("{number}, {}", named(line)));
        }
        if line.subject != Subject::Person {
            return;
        }
        let title = line.title();
        if title.is_empty() {
            self.say("number-without-person", line, number.to_owned());
        } else if let Some(first) = names.get(&title.to_lowercase()) {
            self.say("person-with-several-numbers", line, format!("{title}: {first} and {number}"));
        } else {
            names.insert(title.to_lowercase(), number.to_owned());
        }
    }

    /// Gives groups their numbers, and people the groups that they name themselves.
    fn join_groups(&mut self) {
        let taken: BTreeSet<String> =
            self.people.iter().chain(&self.groups).filter_map(|line| line.number.clone()).collect();
        let mut next = self.settings.group_numbers_from;
        let mut groups = std::mem::take(&mut self.groups);
        for group in &mut groups {
            // A group has its number from the inventory when it was numbered here before.
            let known = self.pbx.ring_groups.iter().find(|(_, own)| own.title == group.title());
            group.number = group.number.take().or_else(|| known.map(|(number, _)| number.clone()));
            while let (None, Some(number)) = (&group.number, next) {
                let text = number.to_string();
                let free = !taken.contains(&text) && !self.is_there(&text);
                group.number = free.then_some(text);
                next = Some(number + 1);
            }
            if group.number.is_none() {
                self.say("group-without-number", group, named(group));
            }
        }
        groups.retain(|group| group.number.is_some());
        self.groups = groups;
        for person in self.people.clone() {
            let Some(number) = person.number.clone() else { continue };
            for named_group in &person.groups {
                match self.groups.iter_mut().find(|group| is_named(group, named_group)) {
                    Some(group) => group.members.push(number.clone()),
                    None if self.pbx.ring_groups.values().any(|own| own.title == *named_group) => {}
                    None => {
                        self.say("unknown-group", &person, format!("`{named_group}` of {}", named(&person)))
                    }
                }
            }
        }
    }

    /// One department for each company and site, with the hours of its groups, else those of its people.
    fn departments(&mut self) {
        let lines: Vec<Line> = self.groups.iter().chain(&self.people).cloned().collect();
        for line in &lines {
            let Some((name, title)) = department(line) else { continue };
            if let Some(hours) = &line.hours {
                self.hours.entry(name.clone()).or_insert_with(|| hours.clone());
            }
            let there = self.pbx.departments.contains_key(&name);
            if !there && !self.parts.departments.contains_key(&name) {
                self.parts.rows.insert(("departments", name.clone()), line.place.clone());
                self.parts.departments.insert(name, json!({ "title": title }));
            }
        }
        for (name, hours) in &self.hours {
            if let Some(department) = self.parts.departments.get_mut(name) {
                department["hours"] = french::written(hours);
            }
        }
    }

    /// Gives devices to their lines.
    fn phones(&mut self) {
        for device in std::mem::take(&mut self.devices) {
            let mac = device.mac.as_ref().map(ToString::to_string).unwrap_or_default();
            let person = self.people.iter_mut().find(|person| person.number == device.number);
            match person.filter(|person| device.number.is_some() && person.mac.is_none()) {
                Some(person) => {
                    (person.mac, person.model, person.sbc) = (device.mac, device.model, device.sbc);
                }
                None => {
                    let line = device.number.clone().unwrap_or_else(|| "no line".to_owned());
                    let what = format!("{mac} {} ({line})", device.model.clone().unwrap_or_default());
                    self.say("device-without-line", &device, what);
                }
            }
        }
        let mut macs = BTreeMap::new();
        for person in &mut self.people {
            let Some(mac) = person.mac.clone() else { continue };
            let finding = |code, what| Finding { code, place: person.place.to_string(), what };
            if let Some(first) = macs.get(&mac) {
                let what = format!("{mac} of {} is that of {first}", named(person));
                self.report.findings.push(finding("duplicate-mac", what));
                person.mac = None;
                continue;
            }
            macs.insert(mac.clone(), named(person));
            if person.model.as_deref().and_then(model).is_none() {
                let word = person.model.clone().unwrap_or_else(|| "no model".to_owned());
                self.report
                    .findings
                    .push(finding("unknown-model", format!("{mac} of {}: {word}", named(person))));
                person.mac = None;
            }
        }
    }

    fn extensions(&mut self) {
        for person in self.people.clone() {
            let Some(number) = person.number.clone() else { continue };
            if let Some(own) = self.pbx.extensions.get(&number) {
                self.report.kept += 1;
                let theirs = format!("{} {}", own.first_name, own.last_name.clone().unwrap_or_default());
                if theirs.trim() != person.title() && !person.title().is_empty() {
                    let what =
                        format!("extension {number} is {} there and {} here", theirs.trim(), person.title());
                    self.say("in-the-way", &person, what);
                }
                continue;
            }
            let entry = self.extension(&person, &number);
            self.parts.rows.insert(("extensions", number.clone()), person.place.clone());
            self.parts.extensions.insert(number, entry);
        }
    }

    fn extension(&mut self, person: &Line, number: &str) -> Json {
        let mut entry = Map::new();
        let mut put = |name: &str, value: Option<Json>| {
            entry.extend(value.map(|value| (name.to_owned(), value)));
        };
        let (first, last) = match (person.first_name.as_str(), person.last_name.as_str()) {
            ("", "") => (number, ""),
            ("", last) => (last, ""),
            both => both,
        };
        put("first_name", Some(json!(first)));
        put("last_name", (!last.is_empty()).then(|| json!(last)));
        put("email", person.email.as_ref().map(|email| json!(email)));
        put("mobile", person.mobile.as_ref().map(|mobile| json!(mobile)));
        put("department", department(person).map(|(name, _)| json!(name)));
        put("caller_id", person.caller_id.as_ref().map(|number| json!(number)));
        put("enabled", person.enabled.filter(|enabled| !enabled).map(|_| json!(false)));
        let mut forwarding = Map::new();
        let mut available = Map::new();
        let no_answer = self.destination(person, person.no_answer.as_deref(), Some(number));
        let busy = self.destination(person, person.busy.as_deref(), Some(number));
        if let Some(to) = no_answer {
            available.extend(person.ring.map(|ring| ("ring".to_owned(), json!(format!("{ring}s")))));
            available.insert("no_answer".to_owned(), to);
        }
        available.extend(busy.map(|to| ("busy".to_owned(), to)));
        if !available.is_empty() {
            forwarding.insert("available".to_owned(), Json::Object(available));
        }
        if let Some(to) = self.destination(person, person.closed.as_deref(), Some(number)) {
            self.own_hours(person, number);
            put("follow_hours", Some(json!(true)));
            forwarding.insert("out_of_office".to_owned(), json!({ "internal": to.clone(), "external": to }));
        }
        put("forwarding", (!forwarding.is_empty()).then_some(Json::Object(forwarding)));
        if let (Some(mac), Some(model)) = (&person.mac, person.model.as_deref().and_then(model)) {
            let mut phone = json!({ "model": model.word(), "mac": mac.to_string() });
            let sbc = person.sbc.as_deref().filter(|sbc| self.pbx.sbcs.contains_key(*sbc));
            if let Some(sbc) = sbc {
                phone["sbc"] = json!(sbc);
            }
            put("phones", Some(json!([phone])));
        }
        Json::Object(entry)
    }

    /// A 3CX has hours for a department and for a number from outside, none for a person.
    fn own_hours(&mut self, person: &Line, number: &str) {
        let department = department(person).and_then(|(name, _)| self.hours.get(&name));
        if let Some(hours) = person.hours.as_ref().filter(|hours| Some(*hours) != department) {
            let place = match person.dids.is_empty() {
                true => "its own are lost: it has no number from outside to hold them",
                false => "its numbers from outside hold its own",
            };
            let what = format!("{number}, {}: {}; {place}", named(person), french::written(hours));
            self.say("own-hours", person, what);
        }
    }

    fn ring_groups(&mut self) {
        for group in self.groups.clone() {
            let Some(number) = group.number.clone() else { continue };
            if let Some(own) = self.pbx.ring_groups.get(&number) {
                self.report.kept += 1;
                if own.title != group.title() {
                    let what =
                        format!("ring group {number} is {} there and {} here", own.title, group.title());
                    self.say("in-the-way", &group, what);
                }
                continue;
            }
            let members = self.members(&group);
            match members.len() {
                0 => {
                    self.say("empty-group", &group, format!("{number}, {}", named(&group)));
                    continue;
                }
                1 => self.say("group-of-one", &group, format!("{number}, {}", named(&group))),
                _ => {}
            }
            let title = if group.title().is_empty() { number.clone() } else { group.title() };
            let mut entry = Map::from_iter([("title".to_owned(), json!(title))]);
            let mut put = |name: &str, value: Option<Json>| {
                entry.extend(value.map(|value| (name.to_owned(), value)));
            };
            put("department", department(&group).map(|(name, _)| json!(name)));
            put("members", Some(json!(members)));
            put("strategy", group.strategy.as_ref().map(|word| json!(word)));
            put("timeout", group.ring.map(|ring| json!(format!("{ring}s"))));
            put("no_answer", self.destination(&group, group.no_answer.as_deref(), None));
            let closed = self.destination(&group, group.closed.as_deref(), None);
            put("when_closed", closed.map(|to| json!({ "to": to })));
            self.parts.rows.insert(("ring_groups", number.clone()), group.place.clone());
            self.parts.ring_groups.insert(number, Json::Object(entry));
        }
    }

    /// The numbers of a group's members, who are named by number or by name.
    fn members(&mut self, group: &Line) -> Vec<String> {
        let mut members: Vec<String> = Vec::new();
        for member in &group.members {
            let person = self.people.iter().find(|person| is_named(person, member));
            let number = person.and_then(|person| person.number.clone());
            let number = number.or_else(|| self.pbx.extensions.contains_key(member).then(|| member.clone()));
            match number {
                Some(number) if members.contains(&number) => {}
                Some(number) => members.push(number),
                None => self.say("unknown-member", group, format!("`{member}` of {}", named(group))),
            }
        }
        members
    }

    fn is_there(&self, number: &str) -> bool {
        let pbx = self.pbx;
        pbx.extensions.contains_key(number)
            || pbx.ring_groups.contains_key(number)
            || pbx.queues.contains_key(number)
            || pbx.ivrs.contains_key(number)
    }

    /// Where a cell sends calls; nothing, with a finding, when that is nowhere.
    fn destination(&mut self, line: &Line, text: Option<&str>, own: Option<&str>) -> Option<Json> {
        let text = text?;
        match (text.to_lowercase().as_str(), own) {
            ("end", _) => return Some(json!("end")),
            ("voicemail", Some(own)) => return Some(json!({ "voicemail": own })),
            _ => {}
        }
        let found = match french::number(text) {
            Ok(Number::Outside(number, _)) => {
                self.inside(&number).or_else(|| Some(json!({ "external": number })))
            }
            Ok(Number::Short(number)) => self.internal(&number),
            Err(_) => self.internal_named(text),
        };
        if found.is_none() {
            self.say("dead-forward", line, format!("{} sends calls to `{text}`", named(line)));
        }
        found
    }

    fn internal(&self, number: &str) -> Option<Json> {
        let has = |lines: &[Line]| lines.iter().any(|line| line.number.as_deref() == Some(number));
        match () {
            () if has(&self.people) || self.pbx.extensions.contains_key(number) => {
                Some(json!({ "extension": number }))
            }
            () if has(&self.groups) || self.pbx.ring_groups.contains_key(number) => {
                Some(json!({ "ring_group": number }))
            }
            () if self.pbx.queues.contains_key(number) => Some(json!({ "queue": number })),
            () if self.pbx.ivrs.contains_key(number) => Some(json!({ "ivr": number })),
            () => None,
        }
    }

    fn internal_named(&self, title: &str) -> Option<Json> {
        let mut lines = self.groups.iter().chain(&self.people);
        let number = lines.find(|line| is_named(line, title))?.number.clone()?;
        self.internal(&number)
    }

    /// A number from outside that is one of these lines.
    fn inside(&self, number: &str) -> Option<Json> {
        let mut lines = self.groups.iter().chain(&self.people);
        let line = lines.find(|line| line.dids.iter().any(|did| did == number))?;
        self.internal(line.number.as_deref()?)
    }

    /// Lines whose unanswered calls come back to them.
    fn loops(&mut self) {
        let next = |number: &str| {
            let own = &self.parts.extensions.get(number)?["forwarding"]["available"]["no_answer"];
            let own = if own.is_null() { &self.parts.ring_groups.get(number)?["no_answer"] } else { own };
            let to = own.get("extension").or_else(|| own.get("ring_group"))?;
            to.as_str().map(str::to_owned)
        };
        let mut found = Vec::new();
        for person in &self.people {
            let Some(start) = person.number.as_deref() else { continue };
            let mut way = vec![start.to_owned()];
            while let Some(to) = way.last().and_then(|last| next(last)) {
                if way.contains(&to) {
                    // Each circle is said once, at its smallest number.
                    if to == start && way.iter().min().is_some_and(|least| least == start) {
                        way.push(to);
                        let (code, place) = ("forward-loop", person.place.to_string());
                        found.push(Finding { code, place, what: way.join(" to ") });
                    }
                    break;
                }
                way.push(to);
            }
        }
        self.report.findings.extend(found);
    }

    /// One rule for each number from outside.
    fn inbound_rules(&mut self) {
        let only = self.pbx.trunks.keys().next().filter(|_| self.pbx.trunks.len() == 1).cloned();
        let trunk = self.settings.trunk.clone().or(only);
        // A trunk that lists its numbers must list these.
        let listed = trunk.as_ref().and_then(|trunk| self.pbx.trunks.get(trunk)?.dids.clone());
        let is_listed = |did: &String| {
            let number = |own: &str| french::number(own) == Ok(Number::Outside(did.clone(), false));
            listed.as_ref().is_none_or(|own| own.iter().any(|own| number(&own.0.0)))
        };
        self.parts.trunk.clone_from(&trunk);
        let mut dids: BTreeMap<String, String> = BTreeMap::new();
        let lines: Vec<Line> = self.groups.iter().chain(&self.people).cloned().collect();
        for line in &lines {
            let Some(to) = line.number.as_deref().and_then(|number| self.internal(number)) else { continue };
            let made = to.get("extension").is_some()
                || line.number.as_ref().is_some_and(|number| {
                    self.parts.ring_groups.contains_key(number) || self.pbx.ring_groups.contains_key(number)
                });
            for did in line.dids.iter().filter(|_| made) {
                if let Some(first) = dids.get(did) {
                    self.say("duplicate-did", line, format!("{did} of {} is that of {first}", named(line)));
                    continue;
                }
                dids.insert(did.clone(), named(line));
                let ruled = self.pbx.inbound_rules.values();
                let mut ruled = ruled.filter_map(|rule| rule.did.as_ref());
                if ruled.any(|own| french::number(&own.0.0) == Ok(Number::Outside(did.clone(), false))) {
                    self.report.kept += 1;
                    continue;
                }
                let Some(trunk) = &trunk else {
                    self.say("no-trunk", line, format!("{did} of {}", named(line)));
                    continue;
                };
                let title = format!("{} {did}", named(line));
                let mut rule = json!({ "title": title, "trunk": trunk, "did": did, "to": to });
                let closed = self.destination_again(line);
                if let (Subject::Person, Some(hours), Some(closed)) = (line.subject, &line.hours, closed) {
                    rule["hours"] = french::written(hours);
                    rule["when_closed"] = closed;
                }
                let name = format!("did-{}", did.trim_start_matches('+'));
                self.parts.trunk_dids.extend((!is_listed(did)).then(|| did.clone()));
                self.parts.rows.insert(("inbound_rules", name.clone()), line.place.clone());
                self.parts.inbound_rules.insert(name, rule);
            }
        }
    }

    /// Where a line's calls go when it is closed; what is wrong with that was said.
    fn destination_again(&mut self, line: &Line) -> Option<Json> {
        let said = self.report.findings.len();
        let to = self.destination(line, line.closed.as_deref(), line.number.as_deref());
        self.report.findings.truncate(said);
        to
    }
}

/// What to call a line.
fn named(line: &Line) -> String {
    match (line.title(), &line.number) {
        (title, _) if !title.is_empty() => title,
        (_, Some(number)) => number.clone(),
        _ => "a row without name and number".to_owned(),
    }
}

fn is_named(line: &Line, text: &str) -> bool {
    let reversed = format!("{} {}", line.last_name, line.first_name);
    line.number.as_deref() == Some(text)
        || line.title().to_lowercase() == text.to_lowercase()
        || reversed.trim().to_lowercase() == text.to_lowercase()
}

/// Name and title of a line's department.
fn department(line: &Line) -> Option<(String, String)> {
    let title = match (&line.department, &line.company, &line.site) {
        (Some(own), ..) => own.clone(),
        (None, Some(company), Some(site)) => format!("{company}, {site}"),
        (None, Some(one), None) | (None, None, Some(one)) => one.clone(),
        (None, None, None) => return None,
    };
    Some((slug(&title), title)).filter(|(name, _)| !name.is_empty())
}

/// The phone meant by a list's word: `Yealink SIP-T54W`, `T54W`.
fn model(word: &str) -> Option<PhoneModel> {
    let word: String =
        word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let own = word.trim_start_matches("yealink").trim_start_matches("sip");
    PhoneModel::ALL.into_iter().find(|model| model.word().trim_start_matches("yealink-") == own)
}
