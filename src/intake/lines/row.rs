//! One row of a list of lines, its cells read.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::intake::french::{self, Number};
use crate::intake::{Cell, Fields, Mapping, Row, Sheet};
use crate::inventory::{Diagnostic, Place};
use crate::model::{DaySpan, Mac, Weekday};

/// What parts several values of one cell.
const SEPARATORS: [char; 5] = [',', ';', '|', '\n', '+'];

/// The settings of a mapping.
pub(super) struct Settings {
    pub extension_digits: Option<usize>,
    pub group_numbers_from: Option<u32>,
    pub unused_before: Option<Date>,
    pub trunk: Option<String>,
}

impl Settings {
    pub fn of(sheet: &Sheet, mapping: &Mapping, trunk: Option<&str>) -> Result<Self, Diagnostic> {
        let refused = |name: &str, why: &str| {
            Diagnostic::error("bad-setting", format!("the setting `{name}` for {} is not {why}", sheet.file))
        };
        let digits = mapping.setting("extension_digits").map(|text| {
            let digits = text.parse().ok().filter(|digits| (2..=8).contains(digits));
            digits.ok_or_else(|| refused("extension_digits", "from 2 to 8"))
        });
        let from = mapping
            .setting("group_numbers_from")
            .map(|text| text.parse().map_err(|_| refused("group_numbers_from", "a number such as 800")));
        let before = mapping.setting("unused_before").map(|text| {
            french::date(text).map_err(|_| refused("unused_before", "a date such as 31/12/2025"))
        });
        let trunk = trunk.or(mapping.setting("trunk")).map(str::to_owned);
        Ok(Self {
            extension_digits: digits.transpose()?,
            group_numbers_from: from.transpose()?,
            unused_before: before.transpose()?,
            trunk,
        })
    }
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Person,
    Group,
    Device,
}

/// A week's hours.
pub(super) type Hours = BTreeMap<Weekday, Vec<DaySpan>>;

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub subject: Subject,
    pub place: Place,
    pub number: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub mobile: Option<String>,
    pub company: Option<String>,
    pub site: Option<String>,
    pub department: Option<String>,
    pub dids: Vec<String>,
    pub caller_id: Option<String>,
    pub groups: Vec<String>,
    pub members: Vec<String>,
    pub strategy: Option<String>,
    pub ring: Option<u32>,
    pub no_answer: Option<String>,
    pub busy: Option<String>,
    pub closed: Option<String>,
    pub hours: Option<Hours>,
    pub model: Option<String>,
    pub mac: Option<Mac>,
    pub sbc: Option<String>,
    pub calls: Option<f64>,
    pub last_call: Option<Date>,
    pub enabled: Option<bool>,
    /// Numbers that had lost their zero.
    pub zero_lost: Vec<String>,
}

impl Line {
    /// Its name for people.
    pub fn title(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    pub fn read(
        row: &Row,
        fields: &Fields<'_>,
        settings: &Settings,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let before = faults.len();
        let mut cells = Cells { row, fields, faults, zero_lost: Vec::new() };
        let dids = cells.numbers("did");
        let mut number = cells.internal();
        if let (None, Some(count), Some(did)) = (&number, settings.extension_digits, dids.first()) {
            number = did.get(did.len().saturating_sub(count)..).map(str::to_owned);
        }
        let (first_name, last_name) = cells.names();
        let line = Self {
            subject: cells.subject(),
            place: row.place.clone(),
            number,
            first_name,
            last_name,
            email: cells.text("email"),
            mobile: cells.numbers("mobile").into_iter().next(),
            company: cells.text("company"),
            site: cells.text("site"),
            department: cells.text("department"),
            dids,
            caller_id: cells.numbers("caller_id").into_iter().next(),
            groups: cells.several("groups"),
            members: cells.several("members"),
            strategy: cells.strategy(),
            ring: cells.seconds("ring"),
            no_answer: cells.text("no_answer"),
            busy: cells.text("busy"),
            closed: cells.text("closed"),
            hours: cells.read("hours", "bad-hours", french::hours),
            model: cells.text("model"),
            mac: cells.read("mac", "bad-mac", |text| text.parse::<Mac>().map_err(|fault| fault.to_string())),
            sbc: cells.text("sbc"),
            calls: cells.read("calls", "bad-amount", french::amount),
            last_call: cells.read("last_call", "bad-date", french::date),
            enabled: cells.read("enabled", "bad-answer", french::truth),
            zero_lost: std::mem::take(&mut cells.zero_lost),
        };
        (faults.len() == before).then_some(line)
    }
}

/// The cells of a row while they are read.
struct Cells<'r, 'f> {
    row: &'r Row,
    fields: &'r Fields<'r>,
    faults: &'f mut Vec<Diagnostic>,
    zero_lost: Vec<String>,
}

impl Cells<'_, '_> {
    fn get(&self, field: &str) -> Option<Cell> {
        self.fields.get(self.row, field)
    }

    fn text(&self, field: &str) -> Option<String> {
        self.get(field).map(|cell| cell.text)
    }

    fn several(&self, field: &str) -> Vec<String> {
        let text = self.text(field).unwrap_or_default();
        text.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn read<T>(
        &mut self,
        field: &str,
        code: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let cell = self.get(field)?;
        read(&cell.text).map_err(|why| self.faults.push(cell.fault(code, why))).ok()
    }

    fn subject(&mut self) -> Subject {
        let Some(cell) = self.get("kind") else { return Subject::Person };
        match cell.text.to_lowercase().as_str() {
            "person" => Subject::Person,
            "group" | "switchboard" => Subject::Group,
            "device" => Subject::Device,
            _ => {
                let fault = cell.fault("bad-kind", format!("`{}` is no kind of line", cell.text));
                let help = "`person`, `group`, `switchboard` or `device`; `words: {kind: {Poste: person}}` says which";
                self.faults.push(fault.help(help));
                Subject::Person
            }
        }
    }

    fn internal(&mut self) -> Option<String> {
        let cell = self.get("number")?;
        match french::number(&cell.text) {
            Ok(Number::Short(number)) => Some(number),
            Ok(Number::Outside(..)) => {
                let fault = cell.fault("bad-number", "an internal number has 2 to 8 digits");
                self.faults
                    .push(fault.help("map this column to `did`, and give `settings: {extension_digits: 3}`"));
                None
            }
            Err(why) => {
                self.faults.push(cell.fault("bad-number", why));
                None
            }
        }
    }

    /// Numbers of the public network.
    fn numbers(&mut self, field: &str) -> Vec<String> {
        let Some(cell) = self.get(field) else { return Vec::new() };
        let mut numbers = Vec::new();
        // A rounded number has a comma of its own.
        let rounded = cell.text.to_ascii_uppercase().contains("E+");
        let comma = |c: char| !rounded && matches!(c, ',' | ';' | '|' | '\n');
        for part in cell.text.split(comma).map(str::trim).filter(|part| !part.is_empty()) {
            match french::number(part) {
                Ok(Number::Outside(number, lost)) => {
                    self.zero_lost.extend(lost.then(|| number.clone()));
                    numbers.push(number);
                }
                Ok(Number::Short(_)) => {
                    self.faults
                        .push(cell.fault("bad-phone-number", "this is no number of the public network"));
                }
                Err(why) => self.faults.push(cell.fault("bad-phone-number", why)),
            }
        }
        numbers
    }

    /// First and last name: as they are given, or out of one cell, where words in capitals are the last name.
    fn names(&self) -> (String, String) {
        let given = (self.text("first_name"), self.text("last_name"));
        if given.0.is_some() || given.1.is_some() {
            return (given.0.unwrap_or_default(), given.1.unwrap_or_default());
        }
        let name = self.text("name").unwrap_or_default();
        let capital = |word: &&str| word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
        let words: Vec<&str> = name.split_whitespace().collect();
        let (last, first): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| capital(word));
        if last.is_empty() || first.is_empty() {
            let (first, last) = name.split_once(char::is_whitespace).unwrap_or((&name, ""));
            return (first.to_owned(), last.trim().to_owned());
        }
        (first.join(" "), last.join(" "))
    }

    fn strategy(&mut self) -> Option<String> {
        let words = ["ring_all", "hunt", "paging"];
        self.read("strategy", "bad-strategy", |text| match words.contains(&text) {
            true => Ok(text.to_owned()),
            false => {
                Err(format!("`{text}` is none of {}; `words:` in the mapping says which", words.join(", ")))
            }
        })
    }

    fn seconds(&mut self, field: &str) -> Option<u32> {
        self.read(field, "bad-duration", |text| {
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            digits.parse().map_err(|_| "this is no number of seconds".to_owned())
        })
    }
}
