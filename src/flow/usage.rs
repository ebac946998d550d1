//! What a telephone system was used for, from the calls of its history. Pure: times are on the clock of its site.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// From outside.
    In,
    /// To outside.
    Out,
    /// Between extensions.
    Internal,
}

/// A call that ended.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it began to ring.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Which way it went.
    pub way: Way,
    /// The number at the other end, when it is outside.
    pub outside: Option<String>,
    /// When a person answered; none when nobody did.
    pub answered: Option<Timestamp>,
    /// The internal numbers it came to: extensions, ring groups, queues; the one who answered among them.
    pub parties: BTreeSet<String>,
    /// The extension that answered, or that called.
    pub taker: Option<String>,
}

impl Call {
    fn waited(&self) -> i64 {
        self.answered.unwrap_or(self.end).duration_since(self.start).as_secs().max(0)
    }

    fn talked(&self) -> i64 {
        self.answered.map_or(0, |answered| self.end.duration_since(answered).as_secs().max(0))
    }
}

/// Calls of some kind, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All.
    pub calls: u32,
    /// Those that a person answered.
    pub answered: u32,
    /// Those from outside that nobody answered.
    pub missed: u32,
    /// Seconds talked.
    pub talked: i64,
}

impl Count {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.answered += u32::from(call.answered.is_some());
        self.missed += u32::from(call.answered.is_none() && call.way == Way::In);
        self.talked += call.talked();
    }
}

/// A missed call from outside that was not followed by one with the same number that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreturned {
    /// The number.
    pub number: String,
    /// How often it called in vain.
    pub calls: u32,
    /// When it did last, on the site's clock.
    pub last: String,
}

/// An hour and its traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hour {
    /// Its beginning on the site's clock: `2026-03-02 10:00`.
    pub begins: String,
    /// Calls that began in it.
    pub calls: u32,
    /// Its traffic in Erlangs: minutes of calls, ringing included, a minute.
    pub erlangs: f64,
}

/// What a telephone system was used for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Usage {
    /// All calls.
    pub all: Count,
    /// By the way they went.
    pub ways: BTreeMap<Way, Count>,
    /// By hour of the day, 0 to 23.
    pub hours: BTreeMap<i8, Count>,
    /// By day.
    pub days: BTreeMap<String, Count>,
    /// By internal number. A call that came to a ring group and was taken by a member counts for both.
    pub numbers: BTreeMap<String, Count>,
    /// Seconds that answered calls from outside waited: on average.
    pub waited: i64,
    /// The longest that one waited.
    pub waited_most: i64,
    /// Seconds of the longest call.
    pub longest: i64,
    /// The hour with the most traffic.
    pub busiest: Option<Hour>,
    /// The most calls at the same time.
    pub most_at_once: u32,
    /// The most of them that were with the outside: what trunks must carry.
    pub most_outside_at_once: u32,
    /// Missed and not called back, the latest first.
    pub unreturned: Vec<Unreturned>,
}

impl Usage {
    /// Counts calls on the clock of a time zone.
    pub fn of(calls: &[Call], zone: &TimeZone) -> Self {
        let mut usage = Self::default();
        let (mut waits, mut traffic) = (Vec::new(), BTreeMap::new());
        for call in calls {
            let local = zone.to_datetime(call.start);
            usage.all.add(call);
            usage.ways.entry(call.way).or_default().add(call);
            usage.hours.entry(local.hour()).or_default().add(call);
            usage.days.entry(local.date().to_string()).or_default().add(call);
            for number in &call.parties {
                let mut own = call.clone();
                // Who answered talked; the others of a ring group missed nothing.
                let is_taken_by_another =
                    call.taker.as_ref().is_some_and(|taker| taker != number) && call.answered.is_some();
                if is_taken_by_another {
                    own.end = own.answered.unwrap_or(own.end);
                }
                usage.numbers.entry(number.clone()).or_default().add(&own);
            }
            if call.way == Way::In && call.answered.is_some() {
                waits.push(call.waited());
            }
            usage.longest = usage.longest.max(call.talked());
            spread(call, zone, &mut traffic);
        }
        usage.waited_most = waits.iter().copied().max().unwrap_or(0);
        let count = i64::try_from(waits.len()).unwrap_or(i64::MAX).max(1);
        usage.waited = waits.iter().sum::<i64>() / count;
        usage.busiest = busiest(&traffic);
        usage.most_at_once = at_once(calls.iter());
        usage.most_outside_at_once = at_once(calls.iter().filter(|call| call.way != Way::Internal));
        usage.unreturned = unreturned(calls, zone);
        usage
    }
}

/// Adds a call to the hours it lasts in: calls begun and seconds.
fn spread(call: &Call, zone: &TimeZone, traffic: &mut BTreeMap<(Date, i8), (u32, i64)>) {
    let key = |at: Timestamp| {
        let local = zone.to_datetime(at);
        (local.date(), local.hour())
    };
    traffic.entry(key(call.start)).or_default().0 += 1;
    let mut at = call.start;
    while at < call.end {
        let past = at.as_second().rem_euclid(3600);
        // Zones differ from UTC by whole quarters of an hour; the clock's own hour ends then.
        let into = zone.to_offset(at).seconds();
        let into_hour = (past + i64::from(into)).rem_euclid(3600);
        let next = at + SignedDuration::from_secs(3600 - into_hour);
        let until = next.min(call.end);
        traffic.entry(key(at)).or_default().1 += until.duration_since(at).as_secs();
        at = until;
    }
}

fn busiest(traffic: &BTreeMap<(Date, i8), (u32, i64)>) -> Option<Hour> {
    let ((date, hour), (calls, seconds)) = traffic.iter().rev().max_by_key(|(_, (_, seconds))| *seconds)?;
    let seconds = f64::from(u32::try_from(*seconds).unwrap_or(u32::MAX));
    Some(Hour { begins: format!("{date} {hour:02}:00"), calls: *calls, erlangs: seconds / 3600.0 })
}

/// The most calls at the same time. One that ends when another begins makes room for it.
fn at_once<'a>(calls: impl Iterator<Item = &'a Call>) -> u32 {
    let mut turns: Vec<(Timestamp, i32)> = calls
        .filter(|call| call.end > call.start)
        .flat_map(|call| [(call.start, 1), (call.end, -1)])
        .collect();
    turns.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, turn) in turns {
        now += turn;
        most = most.max(now);
    }
    u32::try_from(most).unwrap_or(0)
}

fn unreturned(calls: &[Call], zone: &TimeZone) -> Vec<Unreturned> {
    let mut sorted: Vec<&Call> = calls.iter().collect();
    sorted.sort_by_key(|call| call.start);
    let mut open: BTreeMap<&str, (u32, Timestamp)> = BTreeMap::new();
    for call in sorted {
        let Some(number) = call.outside.as_deref() else { continue };
        match (call.way, call.answered) {
            (_, Some(_)) => {
                open.remove(number);
            }
            (Way::In, None) => {
                let entry = open.entry(number).or_insert((0, call.start));
                *entry = (entry.0 + 1, call.start);
            }
            _ => {}
        }
    }
    let mut open: Vec<_> = open.into_iter().collect();
    open.sort_by_key(|(_, (_, last))| std::cmp::Reverse(*last));
    let line = |(number, (calls, last)): (&str, (u32, Timestamp))| Unreturned {
        number: number.to_owned(),
        calls,
        last: zone.to_datetime(last).strftime("%Y-%m-%d %H:%M").to_string(),
    };
    open.into_iter().map(line).collect()
}

/// A number with its middle hidden: enough to recognise one's own, too little to call.
pub fn masked(number: &str) -> String {
    let count = number.chars().count();
    if count < 7 {
        return "*".repeat(count);
    }
    let shown = |at: usize| at < 4 || at + 2 >= count;
    number.chars().enumerate().map(|(at, c)| if shown(at) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(way: Way, outside: &str, start: &str, rings: i64, talks: i64) -> Call {
        let start: Timestamp = start.parse().unwrap();
        let answered = (talks > 0).then(|| start + SignedDuration::from_secs(rings));
        Call {
            start,
            end: start + SignedDuration::from_secs(rings + talks),
            way,
            outside: Some(outside.to_owned()).filter(|number| !number.is_empty()),
            answered,
            parties: BTreeSet::from(["800".to_owned(), "101".to_owned()]),
            taker: answered.map(|_| "101".to_owned()),
        }
    }

    #[test]
    fn calls_are_counted_on_the_sites_clock() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let calls = [
            // 10:50 in Paris, 20 minutes: half of it is in the next hour.
            call(Way::In, "+33611223344", "2026-03-02T09:50:00Z", 10, 1190),
            call(Way::In, "+33611223345", "2026-03-02T10:05:00Z", 20, 0),
            call(Way::In, "+33611223346", "2026-03-02T10:06:00Z", 20, 0),
            call(Way::Out, "+33611223345", "2026-03-02T10:09:00Z", 5, 60),
            call(Way::Internal, "", "2026-03-02T10:09:30Z", 5, 600),
            // After midnight in Paris, the day before in UTC.
            call(Way::In, "+33611223346", "2026-03-02T23:30:00Z", 30, 0),
        ];
        let usage = Usage::of(&calls, &zone);
        assert_eq!((usage.all.calls, usage.all.answered, usage.all.missed), (6, 3, 3));
        assert_eq!(usage.ways[&Way::In].calls, 4);
        assert_eq!(usage.hours.keys().copied().collect::<Vec<_>>(), [0, 10, 11]);
        assert_eq!(usage.days["2026-03-03"].missed, 1);
        assert_eq!((usage.waited, usage.waited_most, usage.longest), (10, 10, 1190));
        assert_eq!((usage.most_at_once, usage.most_outside_at_once), (3, 2));
        assert_eq!(usage.numbers["101"].talked, 1190 + 60 + 600);
        assert_eq!((usage.numbers["800"].calls, usage.numbers["800"].talked), (6, 0), "its members talked");
        let last = "2026-03-03 00:30".to_owned();
        let number = "+33611223346".to_owned();
        assert_eq!(usage.unreturned, [Unreturned { number, calls: 2, last }], "the other was called back");
        let busiest = usage.busiest.unwrap();
        assert_eq!((busiest.begins.as_str(), busiest.calls), ("2026-03-02 11:00", 4));
        let erlangs = f64::from(600 + 20 + 20 + 65 + 605) / 3600.0;
        assert!((busiest.erlangs - erlangs).abs() < 1e-9, "{}", busiest.erlangs);
    }

    #[test]
    fn a_masked_number_cannot_be_called() {
        assert_eq!(masked("+33611223344"), "+336******44");
        assert_eq!(masked("anonym"), "******");
        assert_eq!(masked("0611223"), "0611*23");
    }
}
