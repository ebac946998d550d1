//! Numbers, dates and hours as French lists write them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::{DaySpan, E164, Weekday};

/// A telephone number of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Of the public network: `+33123456789`; and whether the zero in front had been lost.
    Outside(String, bool),
    /// An internal or a short one.
    Short(String),
}

/// Reads a number: `01 23 45 67 89`, `0033 1 23...`, `+33 (0)1.23...`, with any blanks, or a short one.
///
/// # Errors
/// Why it is none.
pub fn number(text: &str) -> Result<Number, String> {
    let plain = text.replace("(0)", "");
    let ignored = |c: char| {
        c.is_whitespace()
            || matches!(c, '.' | '-' | '/' | '(' | ')' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2013}')
    };
    let plain: String = plain.chars().filter(|c| !ignored(*c)).collect();
    if plain.contains([',', 'E', 'e']) && plain.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a spreadsheet has rounded this number: format the column as text".to_owned());
    }
    let outside = |number: String, lost: bool| match number.parse::<E164>() {
        Ok(number) => Ok(Number::Outside(number.0, lost)),
        Err(fault) => Err(fault.to_string()),
    };
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("this is no telephone number".to_owned());
    }
    match digits {
        _ if plain.starts_with('+') => outside(plain, false),
        own if own.starts_with("00") => outside(format!("+{}", &own[2..]), false),
        own if own.len() == 10 && own.starts_with('0') => outside(format!("+33{}", &own[1..]), false),
        own if own.len() == 9 && !own.starts_with('0') => outside(format!("+33{own}"), true),
        own if own.len() == 11 && own.starts_with("33") => outside(format!("+{own}"), false),
        own if (2..=8).contains(&own.len()) => Ok(Number::Short(own.to_owned())),
        own => Err(format!("{} digits are no French number", own.len())),
    }
}

/// An amount with a decimal comma, and blanks between thousands.
///
/// # Errors
/// When it is none.
pub fn amount(text: &str) -> Result<f64, String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    plain.replace(',', ".").parse().map_err(|_| "this is no amount".to_owned())
}

/// A date: `31/12/2025`, `31/12/25`, or `2025-12-31`; a time behind it is dropped.
///
/// # Errors
/// When it is none.
pub fn date(text: &str) -> Result<Date, String> {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let forms = if day.len() == 8 { ["%d/%m/%y", "%d-%m-%y"] } else { ["%d/%m/%Y", "%Y-%m-%d"] };
    let read = forms.iter().find_map(|form| Date::strptime(form, day).ok());
    read.ok_or_else(|| "this is no date such as 31/12/2025".to_owned())
}

/// Whether a word says yes.
///
/// # Errors
/// When it says neither.
pub fn truth(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "oui" | "o" | "yes" | "y" | "1" | "x" | "vrai" | "true" | "actif" | "active" => Ok(true),
        "non" | "n" | "no" | "0" | "faux" | "false" | "inactif" | "inactive" | "résilié" => Ok(false),
        _ => Err("this says neither yes nor no".to_owned()),
    }
}

/// The hours of a week: `lun-ven 9h-12h 14h-18h30; sam 09:00-12:00`. Days are French or English, whole or short.
///
/// # Errors
/// What is wrong with them.
pub fn hours(text: &str) -> Result<BTreeMap<Weekday, Vec<DaySpan>>, String> {
    let mut week: BTreeMap<Weekday, Vec<DaySpan>> = BTreeMap::new();
    for part in text.split([';', '|', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let lower = part.to_lowercase().replace([',', '/'], " ").replace(" à ", "-").replace(" au ", "-");
        let lower = lower.replace(" - ", "-").replace(['\u{2013}', '\u{a0}'], "-");
        let (mut days, mut spans) = (Vec::new(), Vec::new());
        for word in lower.split_whitespace().map(|word| word.trim_end_matches(':')) {
            match word {
                "et" | "and" | "de" | "du" | "le" => {}
                word if word.starts_with(|c: char| c.is_ascii_digit()) => spans.push(span(word)?),
                "fermé" | "ferme" | "closed" => {}
                word => days.extend(days_of(word)?),
            }
        }
        if days.is_empty() {
            return Err(format!("`{part}` names no day"));
        }
        for day in days {
            week.entry(day).or_default().extend(spans.iter().copied());
        }
    }
    for spans in week.values_mut() {
        spans.sort_unstable();
        if spans.windows(2).any(|pair| pair[0].stop > pair[1].start) {
            return Err("these hours overlap".to_owned());
        }
    }
    week.retain(|_, spans| !spans.is_empty());
    Ok(week)
}

fn days_of(word: &str) -> Result<Vec<Weekday>, String> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last as usize + 7 - first as usize) % 7 + 1;
    Ok(Weekday::ALL.into_iter().cycle().skip(first as usize).take(count).collect())
}

fn day(word: &str) -> Result<Weekday, String> {
    let word = word.trim_end_matches('.');
    let begins = |names: [&str; 2]| word.len() >= 2 && names.iter().any(|name| name.starts_with(word));
    let names = [
        ["lundi", "monday"],
        ["mardi", "tuesday"],
        ["mercredi", "wednesday"],
        ["jeudi", "thursday"],
        ["vendredi", "friday"],
        ["samedi", "saturday"],
        ["dimanche", "sunday"],
    ];
    let mut found = Weekday::ALL.into_iter().zip(names).filter(|(_, names)| begins(*names));
    match (found.next(), found.next()) {
        (Some((day, _)), None) => Ok(day),
        _ => Err(format!("`{word}` is no day")),
    }
}

fn span(word: &str) -> Result<DaySpan, String> {
    let time = |text: &str| {
        let (hour, minute) = text.split_once([':', 'h']).unwrap_or((text, ""));
        let minute = if minute.is_empty() { "00" } else { minute };
        format!("{hour:0>2}:{minute:0>2}")
    };
    let (start, stop) = word.split_once('-').ok_or_else(|| format!("`{word}` is no span of hours"))?;
    format!("{}-{}", time(start), time(stop)).parse().map_err(|_| format!("`{word}` is no span of hours"))
}

/// Hours in the inventory's words, days with the same ones together.
pub fn written(week: &BTreeMap<Weekday, Vec<DaySpan>>) -> serde_json::Value {
    let mut map = serde_json::Map::new();
    let mut run: Option<(Weekday, Weekday, &Vec<DaySpan>)> = None;
    let mut close = |run: Option<(Weekday, Weekday, &Vec<DaySpan>)>| {
        let Some((first, last, spans)) = run else { return };
        let key =
            if first == last { first.word().to_owned() } else { format!("{}-{}", first.word(), last.word()) };
        let spans: Vec<String> = spans.iter().map(ToString::to_string).collect();
        map.insert(key, spans.into());
    };
    for (day, spans) in week {
        run = match run {
            Some((first, last, own)) if own == spans && last as usize + 1 == *day as usize => {
                Some((first, *day, own))
            }
            other => {
                close(other);
                Some((*day, *day, spans))
            }
        };
    }
    close(run);
    map.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_french_form_are_one() {
        let same = [
            "01 23 45 67 89",
            "01.23.45.67.89",
            "0033 1 23 45 67 89",
            "+33 (0)1 23 45 67 89",
            "33123456789",
            "01\u{a0}23\u{202f}45-67-89",
        ];
        for text in same {
            assert_eq!(number(text), Ok(Number::Outside("+33123456789".to_owned(), false)), "{text}");
        }
        assert_eq!(number("123456789"), Ok(Number::Outside("+33123456789".to_owned(), true)));
        assert_eq!(number("0101"), Ok(Number::Short("0101".to_owned())));
        assert_eq!(number("+44 1632 960001"), Ok(Number::Outside("+441632960001".to_owned(), false)));
        for bad in ["3,31E+10", "x12", "", "012345678901", "+330123456789", "1"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_amounts_and_answers() {
        assert_eq!(date("31/12/2025 10:00").unwrap(), jiff::civil::date(2025, 12, 31));
        assert_eq!(date("01/02/25").unwrap(), jiff::civil::date(2025, 2, 1));
        assert!(date("12/31/2025").is_err() && date("31.12").is_err());
        assert_eq!(amount("1\u{202f}234,5"), Ok(1234.5));
        assert_eq!((truth("Oui"), truth("NON"), truth("peut-être").is_err()), (Ok(true), Ok(false), true));
    }

    #[test]
    fn weekly_hours_in_the_words_of_lists() {
        let week = hours("Lun-Ven 9h-12h 14h-18h30; samedi: 09:00-12:00").unwrap();
        assert_eq!(
            written(&week),
            serde_json::json!({"mon-fri": ["09:00-12:00", "14:00-18:30"], "sat": ["09:00-12:00"]})
        );
        assert_eq!(hours("du lundi au jeudi 8h à 17h").unwrap().len(), 4);
        assert_eq!(hours("dim fermé").unwrap().len(), 0);
        for bad in ["9h-12h", "lun 12h-9h", "lun 9h-12h 11h-13h", "lun 9h", "m 9h-12h", "lun 9h-25h"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
    }
}
