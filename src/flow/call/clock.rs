//! Whether a department is open when a call reaches one of its objects: its hours, breaks and holidays, in its own
//! time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};
use serde::Serialize;

use super::{Odd, Wait};
use crate::inventory::{At, Department, Holiday, Pbx, Week};
use crate::model::{Feast, Weekday, easter};

/// How a department stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// At work.
    Open,
    /// Pausing.
    Break,
    /// Outside its hours.
    Closed,
    /// On holiday.
    Holiday,
}

/// How a department stands, in words, and what was taken for granted to say so.
pub(super) struct Standing {
    pub(super) phase: Phase,
    pub(super) words: String,
    pub(super) assumed: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) struct Clock<'a> {
    pub(super) pbx: &'a Pbx,
    pub(super) odd: &'a Odd,
    pub(super) start: &'a Zoned,
}

/// The name of a department that need not be written.
pub(super) fn name_of(department: Option<&At<String>>) -> &str {
    department.map_or("default", |name| name.as_str())
}

impl Clock<'_> {
    fn department(&self, name: &str) -> Option<&Department> {
        self.pbx.departments.get(name).map(|one| &one.value)
    }

    /// The time on a department's clock after a caller waited.
    fn local(&self, department: &str, wait: Wait) -> (Zoned, Option<String>) {
        let waited = SignedDuration::from_secs(i64::try_from(wait.seconds).unwrap_or(i64::MAX));
        // Only a wait of thousands of years goes beyond the calendar.
        let now = self.start.checked_add(waited).unwrap_or_else(|_| self.start.clone());
        let Some(written) = self.department(department).and_then(|one| one.timezone.as_ref()) else {
            return (now, None);
        };
        match TimeZone::get(written) {
            Ok(zone) => (now.with_time_zone(zone), None),
            Err(_) => {
                let words = format!("this machine does not know the time zone {}", written.value);
                (now, Some(format!("{words}; the hours of {department} are taken in the site's")))
            }
        }
    }

    /// How a department stands after a caller waited.
    pub(super) fn standing(&self, department: Option<&At<String>>, wait: Wait) -> Standing {
        let name = name_of(department);
        let (now, mut assumed) = self.local(name, wait);
        let one = self.department(name);
        let hours = one.and_then(|one| one.hours.as_ref()).filter(|week| has_spans(week));
        let breaks = one.and_then(|one| one.breaks.as_ref());
        let (phase, words) = if let Some((holiday, part)) = self.holiday(name, now.date()) {
            assumed = part.or(assumed);
            (Phase::Holiday, format!("department {name} keeps a holiday ({holiday})"))
        } else if breaks.is_some_and(|week| is_in(week, &now)) {
            (Phase::Break, format!("department {name} has its break"))
        } else if hours.is_some_and(|week| !is_in(week, &now)) {
            (Phase::Closed, format!("department {name} is closed"))
        } else {
            if hours.is_none() {
                assumed = Some(format!("department {name} has no hours of its own here: taken as open"));
            }
            (Phase::Open, format!("department {name} is open"))
        };
        Standing { phase, words, assumed }
    }

    /// How hours of a rule's own stand, with the holidays of a department.
    pub(super) fn in_hours(&self, week: &Week, department: Option<&At<String>>, wait: Wait) -> Standing {
        let name = name_of(department);
        let (now, mut assumed) = self.local(name, wait);
        let (phase, words) = if let Some((holiday, part)) = self.holiday(name, now.date()) {
            assumed = part.or(assumed);
            (Phase::Holiday, format!("department {name} keeps a holiday ({holiday})"))
        } else if is_in(week, &now) {
            (Phase::Open, "in its hours".to_owned())
        } else {
            (Phase::Closed, "outside its hours".to_owned())
        };
        Standing { phase, words, assumed }
    }

    /// Whether a department has a way of its own for how it stands.
    pub(super) fn has_way(&self, department: Option<&At<String>>, phase: Phase) -> bool {
        self.department(name_of(department)).is_some_and(|one| match phase {
            Phase::Open => one.when_open.is_some(),
            Phase::Break => one.on_break.is_some(),
            Phase::Closed => one.when_closed.is_some(),
            Phase::Holiday => one.on_holiday.is_some(),
        })
    }

    /// The holiday a department keeps on a day, and what is assumed when it takes only a part of its days.
    fn holiday(&self, department: &str, day: Date) -> Option<(String, Option<String>)> {
        let keeps = |one: &Holiday| match one.departments.as_slice() {
            [] => department == "default",
            named => named.iter().any(|name| name.as_str() == department),
        };
        let (key, found) = self.pbx.holidays.iter().find(|(_, one)| keeps(one) && falls_on(one, day))?;
        // On the PBX a holiday of several departments has the department's name behind it, and the year.
        let title = found.title.as_str();
        let of = self.department(department).map_or(department, |one| one.title.as_str());
        let title = title.strip_suffix(&format!(" ({of})")).unwrap_or(title);
        let title = title.strip_suffix(&format!(" {}", day.year())).unwrap_or(title);
        let times = self.odd.get(&format!("holiday {key}: times"));
        let part =
            times.map(|times| format!("the holiday {title} ({times}) is taken to last its whole days"));
        Some((title.to_owned(), part))
    }
}

fn has_spans(week: &Week) -> bool {
    week.0.values().any(|spans| !spans.is_empty())
}

fn is_in(week: &Week, now: &Zoned) -> bool {
    let day = Weekday::ALL[usize::from(now.weekday().to_monday_zero_offset().unsigned_abs())];
    let minutes = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
    let mut spans = week.0.get(&day).into_iter().flatten();
    spans.any(|span| (span.start..span.stop).contains(&minutes))
}

fn falls_on(one: &Holiday, day: Date) -> bool {
    let first = one.date.value.0;
    let last = one.until.as_ref().map_or(first, |until| until.value.0);
    if one.years.is_empty() {
        return spans(first, last, day, None);
    }
    one.years.iter().any(|year| spans(first, last, day, Some(year.value)))
}

/// Whether a day lies in a span of days; those that move with Easter are meant for a year.
fn spans(first: Feast, last: Feast, day: Date, year: Option<u16>) -> bool {
    let ends = date_in(first, day, year).zip(date_in(last, day, year));
    ends.is_some_and(|(first, last)| match first <= last {
        true => (first..=last).contains(&day),
        // Over the end of each year.
        false => day >= first || day <= last,
    })
}

/// The day of a feast: of the year it names, of the year given, or of the year of a day.
fn date_in(feast: Feast, day: Date, given: Option<u16>) -> Option<Date> {
    let small = |number: u8| i8::try_from(number).ok();
    match feast {
        Feast::Once { year, month, day } => {
            Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()
        }
        Feast::Yearly { month, day: of_month } => Date::new(day.year(), small(month)?, small(of_month)?).ok(),
        Feast::Easter(offset) => {
            let year = given?;
            let (month, of_month) = easter(year);
            let sunday = Date::new(i16::try_from(year).ok()?, small(month)?, small(of_month)?).ok()?;
            sunday.checked_add(jiff::Span::new().days(offset)).ok()
        }
    }
}
