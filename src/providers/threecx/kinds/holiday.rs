//! Holidays. Their names are unique on a PBX, so one that several departments keep gets the department's name
//! behind it; one that moves with Easter becomes one a year.

use serde_json::{Map, Value as Json, json};

use super::super::directory::{Directory, slug};
use super::super::forms;
use super::super::kind::{Form, Identity, Kind, Patch, Unmade, Wishing, title};
use crate::inventory::{At, Holiday};
use crate::model::{Feast, Fields, Value, easter};

pub struct Holidays;

/// A day of the year, with the year when it is only that one.
fn day_of(feast: Feast, year: Option<u16>) -> Feast {
    match (feast, year) {
        (Feast::Easter(offset), Some(year)) => {
            let (month, day) = easter(year);
            let sunday = jiff::civil::Date::new(
                i16::try_from(year).unwrap_or(2000),
                i8::try_from(month).unwrap_or(4),
                i8::try_from(day).unwrap_or(1),
            );
            let moved =
                sunday.ok().and_then(|sunday| sunday.checked_add(jiff::Span::new().days(offset)).ok());
            moved.map_or(feast, |date| Feast::Once {
                year,
                month: u8::try_from(date.month()).unwrap_or(1),
                day: u8::try_from(date.day()).unwrap_or(1),
            })
        }
        _ => feast,
    }
}

/// When a holiday begins on its first day and ends on its last.
const TIMES: [&str; 2] = ["TimeOfStartDate", "TimeOfEndDate"];

/// The times of a holiday that does not take its days whole, as the PBX writes them.
fn part_of_a_day(entity: &Json) -> Option<String> {
    let seconds = |name: &str| {
        let written: jiff::SignedDuration =
            entity[name].as_str()?.replacen("P1D", "PT24H", 1).parse().ok()?;
        Some(written.as_secs())
    };
    let [start, end] = TIMES.map(|name| entity[name].as_str().unwrap_or_default());
    let begins_late = seconds(TIMES[0]).is_some_and(|start| start >= 60);
    // The last second of a day, its last minute, or none at all is its end.
    let ends_early = seconds(TIMES[1]).is_some_and(|end| (1..86_340).contains(&end));
    (begins_late || ends_early).then(|| format!("{start} to {end}"))
}

/// The departments that rest.
fn departments(one: &Holiday) -> Vec<&str> {
    let named: Vec<&str> = one.departments.iter().map(|department| department.as_str()).collect();
    if named.is_empty() { vec!["default"] } else { named }
}

fn add(wishing: &mut Wishing<'_>, name: &str, one: &At<Holiday>, department: &str, year: Option<u16>) {
    let several = one.departments.len() > 1;
    let pbx = wishing.pbx;
    let of = pbx.departments.get(department).map_or(department, |department| department.title.as_str());
    let mut title = one.title.value.clone();
    let mut own = name.to_owned();
    if let Some(year) = year {
        title = format!("{title} {year}");
        own = format!("{own}-{year}");
    }
    if several {
        title = format!("{title} ({of})");
        own = format!("{own}.{department}");
    }
    let mut form = Form::new(&one.place);
    form.at("title", &one.title.place, title.as_str());
    form.set("department", department);
    let first = day_of(one.date.value.0, year);
    let last = one.until.as_ref().map_or(first, |until| day_of(until.value.0, year));
    form.at("date", &one.date.place, first.to_string());
    form.set("until", last.to_string());
    form.option_at("prompt", one.prompt.as_ref(), forms::prompt);
    let days = if first == last { first.to_string() } else { format!("{first} to {last}") };
    wishing.add("holiday", &own, form, days);
}

/// The wished name of a holiday that several departments keep, when nobody wishes its title: the department or
/// the holiday has another title now.
fn renamed(title: &str, entity: &Json, directory: &Directory) -> Option<String> {
    if directory.wished_name("holiday", title).is_some() {
        return None;
    }
    let (base, _) = title.strip_suffix(')')?.rsplit_once(" (")?;
    let department = directory.name_of_number("department", entity["Group"].as_str()?)?;
    let name = format!("{}.{department}", slug(base));
    directory.is_wished("holiday", &name).then_some(name)
}

impl Kind for Holidays {
    fn collection(&self) -> &'static str {
        "holiday"
    }

    fn set(&self) -> &'static str {
        "Holidays"
    }

    fn since(&self) -> Patch {
        7
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Id,Name,Day,DayEnd,Month,MonthEnd,Year,YearEnd,TimeOfStartDate,TimeOfEndDate,IsRecurrent,\
         HolidayPrompt,Group"
            .to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.holidays.entries {
            for department in departments(one) {
                if one.years.is_empty() {
                    add(wishing, name, one, department, None);
                }
                for year in &one.years {
                    add(wishing, name, one, department, Some(year.value));
                }
            }
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        title(wished)
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let title = entity["Name"].as_str()?;
        let name = renamed(title, entity, directory).unwrap_or_else(|| directory.name_for("holiday", title));
        Identity::numbered(name, entity)
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let number = |name: &str| u8::try_from(entity[name].as_u64().unwrap_or(1)).unwrap_or(1);
        let date = |day: &str, month: &str, year: &str| {
            let (day, month) = (number(day), number(month));
            match u16::try_from(entity[year].as_u64().unwrap_or(0)).unwrap_or(0) {
                0 => Feast::Yearly { month, day },
                year => Feast::Once { year, month, day },
            }
        };
        let department = directory.name_of_number("department", entity["Group"].as_str().unwrap_or_default());
        let mut fields = Fields::from([
            ("title".to_owned(), entity["Name"].as_str().unwrap_or_default().into()),
            ("department".to_owned(), department.unwrap_or("default").into()),
            ("date".to_owned(), date("Day", "Month", "Year").to_string().into()),
            ("until".to_owned(), date("DayEnd", "MonthEnd", "YearEnd").to_string().into()),
            ("prompt".to_owned(), forms::seen_prompt(&entity["HolidayPrompt"], directory)),
        ]);
        if let Some(times) = part_of_a_day(entity) {
            fields.insert("times".to_owned(), forms::single("other", times));
        }
        fields
    }

    fn create(&self, _name: &str, wished: &Fields, directory: &Directory) -> Result<Json, Unmade> {
        let department = wished.get("department").and_then(Value::as_text).unwrap_or("default");
        let mut body = dates(wished);
        body.insert("Name".to_owned(), wished.get("title").map_or(Json::Null, forms::json));
        body.insert("Group".to_owned(), json!(directory.number("department", department)?));
        Ok(Json::Object(body))
    }

    /// A prompt is refused when it is made.
    fn created_with(&self) -> &'static [&'static str] {
        &["title", "department", "date", "until"]
    }

    fn change(
        &self,
        name: &str,
        fields: &Fields,
        entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        if fields.contains_key("date") || fields.contains_key("until") {
            let mut both = self.see(entity, directory);
            both.extend(fields.clone());
            body = dates(&both);
            // The inventory has no words for parts of days: they stay.
            if part_of_a_day(entity).is_some() {
                TIMES.iter().for_each(|time| drop(body.insert((*time).to_owned(), entity[*time].clone())));
            }
        }
        if let Some(title) = fields.get("title") {
            body.insert("Name".to_owned(), forms::json(title));
        }
        if let Some(department) = fields.get("department").and_then(Value::as_text) {
            body.insert("Group".to_owned(), json!(directory.number("department", department)?));
        }
        if let Some(prompt) = fields.get("prompt") {
            body.insert("HolidayPrompt".to_owned(), json!(forms::to_prompt(prompt, directory)?));
        }
        let _ = name;
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Name" => Some("title"),
            "Group" => Some("department"),
            "HolidayPrompt" => Some("prompt"),
            _ => Some("date"),
        }
    }
}

/// The properties of first and last day: whole days, as the console writes them.
fn dates(fields: &Fields) -> Map<String, Json> {
    let feast = |field: &str| fields.get(field).and_then(|value| value.as_text()?.parse::<Feast>().ok());
    let first = feast("date").unwrap_or(Feast::Yearly { month: 1, day: 1 });
    let last = feast("until").unwrap_or(first);
    let parts = |feast: Feast| match feast {
        Feast::Yearly { month, day } => (0, month, day),
        Feast::Once { year, month, day } => (year, month, day),
        Feast::Easter(_) => (0, 1, 1),
    };
    let ((year, month, day), (year_end, month_end, day_end)) = (parts(first), parts(last));
    let body = json!({
        "Day": day, "Month": month, "Year": year, "DayEnd": day_end, "MonthEnd": month_end, "YearEnd": year_end,
        "IsRecurrent": year == 0, "TimeOfStartDate": "PT0S", "TimeOfEndDate": "PT23H59M59S",
    });
    match body {
        Json::Object(body) => body,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_half_a_day_stay_when_its_days_change() {
        let half = |start: &str, end: &str| json!({"TimeOfStartDate": start, "TimeOfEndDate": end});
        for (start, end) in
            [("PT0S", "PT23H59M59S"), ("P0D", "P1D"), ("PT0S", "PT23H59M"), ("", ""), ("x", "\u{e9}")]
        {
            assert_eq!(part_of_a_day(&half(start, end)), None, "{start} {end}");
        }
        assert_eq!(part_of_a_day(&half("PT13H", "PT18H")).unwrap(), "PT13H to PT18H");
        assert_eq!(part_of_a_day(&half("PT13H30M", "P1D")).unwrap(), "PT13H30M to P1D");
        let fields = Fields::from([("date".to_owned(), "2027-12-24".into())]);
        let body = Holidays.change("x", &fields, &half("PT13H", "PT18H"), &Directory::default()).unwrap();
        assert_eq!(
            (&body["Year"], &body["TimeOfStartDate"], &body["TimeOfEndDate"]),
            (&json!(2027), &json!("PT13H"), &json!("PT18H"))
        );
        let body = Holidays.change("x", &fields, &half("P0D", "P1D"), &Directory::default()).unwrap();
        assert_eq!(body["TimeOfStartDate"], "PT0S");
    }
}
