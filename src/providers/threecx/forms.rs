//! Forms that many objects share, both ways: destinations, routes, weeks, durations, prompts.
//!
//! On the left the inventory's form as a [`Value`], on the right XAPI's JSON. What reads back otherwise than
//! it was written (times with a fraction, nulls left out) is brought into one form here.

use serde_json::{Map, Value as Json, json};

use super::directory::Directory;
use super::kind::Unmade;
use crate::inventory::{Destination, Prompt, Route, Week};
use crate::model::{DaySpan, Fields, Value, Weekday};

/// A duration in its canonical spelling: the largest unit that divides it.
pub fn duration(seconds: u64) -> Value {
    let (number, unit) = match seconds {
        seconds if seconds > 0 && seconds.is_multiple_of(3600) => (seconds / 3600, "h"),
        seconds if seconds > 0 && seconds.is_multiple_of(60) => (seconds / 60, "m"),
        seconds => (seconds, "s"),
    };
    Value::Text(format!("{number}{unit}"))
}

/// Seconds of a property as a duration.
pub fn seen_duration(json: &Json) -> Value {
    duration(json.as_u64().unwrap_or_default())
}

/// A duration as seconds.
pub fn seconds(value: &Value) -> Json {
    let period = value.as_text().and_then(|text| text.parse::<crate::model::Period>().ok());
    json!(period.map_or(0, crate::model::Period::as_secs))
}

/// A value without references as JSON. Secrets are revealed: the result goes to the PBX only.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::List(values) => values.iter().map(json).collect(),
        Value::Map(fields) => fields.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        Value::Secret(secret) => json!(String::from_utf8_lossy(secret.reveal())),
        Value::Null | Value::Verifier(_) | Value::Pending(_) => Json::Null,
    }
}

/// The object inside another one, to write into; what else stands there makes room for it.
pub fn inside<'a>(whole: &'a mut Json, name: &str) -> &'a mut Json {
    let part = &mut whole[name];
    if !part.is_object() {
        *part = json!({});
    }
    part
}

/// A map with one key.
pub fn single(key: &str, value: impl Into<Value>) -> Value {
    Value::Map(Fields::from([(key.to_owned(), value.into())]))
}

/// A wished destination.
pub fn destination(wished: &Destination) -> Value {
    match wished {
        Destination::Extension(number) => single("extension", number.as_str()),
        Destination::RingGroup(number) => single("ring_group", number.as_str()),
        Destination::Queue(number) => single("queue", number.as_str()),
        Destination::Ivr(number) => single("ivr", number.as_str()),
        Destination::Voicemail(number) => single("voicemail", number.as_str()),
        Destination::External(number) => single("external", number.as_str()),
        Destination::End => "end".into(),
        Destination::Repeat => "repeat".into(),
        Destination::CallByName => "call_by_name".into(),
    }
}

/// The inventory's word, `DestinationType` and `IVRForwardType` of each target.
const TARGETS: [(&str, &str); 5] = [
    ("extension", "Extension"),
    ("ring_group", "RingGroup"),
    ("queue", "Queue"),
    ("ivr", "IVR"),
    ("voicemail", "VoiceMail"),
];

/// The word and number of a destination that leads to somebody.
fn target(value: &Value) -> Option<(&str, &str)> {
    let Value::Map(fields) = value else { return None };
    let (word, number) = fields.iter().next()?;
    Some((word.as_str(), number.as_text()?))
}

/// A destination as `Pbx.Destination`.
pub fn to_destination(value: &Value) -> Json {
    match target(value) {
        Some(("external", number)) => json!({"To": "External", "Number": "", "External": number}),
        Some((word, number)) => {
            let to = TARGETS.iter().find(|(own, _)| *own == word).map_or("None", |(_, to)| to);
            json!({"To": to, "Number": number, "External": ""})
        }
        None => json!({"To": "None", "Number": "", "External": ""}),
    }
}

/// `Pbx.Destination` in the inventory's form. What the inventory has no word for is shown as `other`.
pub fn seen_destination(json: &Json) -> Value {
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    match text("To") {
        "" | "None" => "end".into(),
        "External" => single("external", text("External")),
        to => match TARGETS.iter().find(|(_, own)| *own == to) {
            Some((word, _)) => single(word, text("Number")),
            None => single("other", to),
        },
    }
}

/// A destination as `IVRForwardType` and number.
///
/// # Errors
/// When an IVR's key has no such destination.
pub fn to_forward(value: &Value) -> Result<(&'static str, String), Unmade> {
    match (target(value), value.as_text()) {
        (Some(("external", number)), _) => Err(format!(
            "a key cannot lead to {number} itself: let it lead to an extension that forwards there"
        )),
        (Some((word, number)), _) => {
            let to = TARGETS.iter().find(|(own, _)| *own == word).map_or("EndCall", |(_, to)| to);
            Ok((to, number.to_owned()))
        }
        (None, Some("repeat")) => Ok(("RepeatPrompt", String::new())),
        (None, Some("call_by_name")) => Ok(("CallByName", String::new())),
        _ => Ok(("EndCall", String::new())),
    }
}

/// `IVRForwardType` and number in the inventory's form. What the inventory has no word for is shown as `other`.
pub fn seen_forward(kind: &Json, number: &Json) -> Value {
    match kind.as_str().unwrap_or_default() {
        "RepeatPrompt" => "repeat".into(),
        "CallByName" => "call_by_name".into(),
        "" | "EndCall" => "end".into(),
        kind => match TARGETS.iter().find(|(_, own)| *own == kind) {
            Some((word, _)) => single(word, number.as_str().unwrap_or_default()),
            None => single("other", kind),
        },
    }
}

/// A wished prompt.
pub fn prompt(wished: &Prompt) -> Value {
    match wished {
        Prompt::File(file) => file.as_str().into(),
        Prompt::OnPbx(name) => single("on_pbx", name.as_str()),
    }
}

/// The name of a prompt on the PBX.
///
/// # Errors
/// When the file was not uploaded.
pub fn to_prompt(value: &Value, directory: &Directory) -> Result<String, Unmade> {
    match (value.as_text(), target(value)) {
        (Some(file), _) => {
            let found = directory.prompt_on_pbx(file).map(str::to_owned);
            found.ok_or_else(|| format!("the prompt {file} is not on the PBX"))
        }
        (None, Some((_, name))) => Ok(name.to_owned()),
        _ => Ok(String::new()),
    }
}

/// A prompt's name in the inventory's form; `Null` for none.
pub fn seen_prompt(json: &Json, directory: &Directory) -> Value {
    match json.as_str().unwrap_or_default() {
        "" => Value::Null,
        name => directory.prompt_file(name).map_or_else(|| single("on_pbx", name), Value::from),
    }
}

/// A wished route.
pub fn route(wished: &Route) -> Value {
    let mut fields = Fields::from([("to".to_owned(), destination(&wished.to))]);
    let prompt = wished.prompt.as_ref().map_or(Value::Null, |wished| prompt(wished));
    fields.insert("prompt".to_owned(), prompt);
    Value::Map(fields)
}

/// A route as `Pbx.Route`.
///
/// # Errors
/// When its prompt is not on the PBX.
pub fn to_route(value: &Value, directory: &Directory) -> Result<Json, Unmade> {
    let empty = Fields::new();
    let fields = if let Value::Map(fields) = value { fields } else { &empty };
    let prompt = match fields.get("prompt") {
        Some(Value::Null) | None => String::new(),
        Some(prompt) => to_prompt(prompt, directory)?,
    };
    let to = fields.get("to").map_or(json!({"To": "None"}), to_destination);
    Ok(json!({"IsPromptEnabled": !prompt.is_empty(), "Prompt": prompt, "Route": to}))
}

/// `Pbx.Route` in the inventory's form.
pub fn seen_route(json: &Json, directory: &Directory) -> Value {
    let mut fields = Fields::from([("to".to_owned(), seen_destination(&json["Route"]))]);
    if json["IsPromptEnabled"] == true {
        fields.insert("prompt".to_owned(), seen_prompt(&json["Prompt"], directory));
    }
    Value::Map(fields)
}

/// The routes many objects have: `(field, property)`.
pub const ROUTES: [(&str, &str); 3] =
    [("when_closed", "OutOfOfficeRoute"), ("on_break", "BreakRoute"), ("on_holiday", "HolidaysRoute")];

/// Reads routes.
pub fn see_routes(table: &[(&str, &str)], entity: &Json, directory: &Directory, fields: &mut Fields) {
    for (field, property) in table {
        fields.insert((*field).to_owned(), seen_route(&entity[*property], directory));
    }
}

/// Writes routes into a body.
///
/// # Errors
/// When a prompt is not on the PBX.
pub fn put_routes(
    table: &[(&str, &str)],
    fields: &Fields,
    directory: &Directory,
    body: &mut Map<String, Json>,
) -> Result<(), Unmade> {
    for (field, property) in table {
        if let Some(value) = fields.get(*field) {
            body.insert((*property).to_owned(), to_route(value, directory)?);
        }
    }
    Ok(())
}

/// A wished week: every day, closed ones with nothing.
pub fn week(wished: &Week) -> Value {
    let of = |day: Weekday| {
        let spans = wished.0.get(&day).into_iter().flatten();
        (day.word().to_owned(), Value::List(spans.map(|span| span.to_string().into()).collect()))
    };
    Value::Map(Weekday::ALL.into_iter().map(of).collect())
}

/// A week as `Pbx.Schedule` of this type. A day's end at midnight is written 23:59:59, the last second the
/// vendor's pattern for times allows.
pub fn to_schedule(value: &Value, kind: &str) -> Json {
    let mut periods = Vec::new();
    let time = |minutes: u16| match minutes {
        1440 => "23:59:59".to_owned(),
        minutes => format!("{:02}:{:02}:00", minutes / 60, minutes % 60),
    };
    if let Value::Map(days) = value {
        for day in Weekday::ALL {
            let Some(Value::List(spans)) = days.get(day.word()) else { continue };
            for span in spans.iter().filter_map(|span| span.as_text()?.parse::<DaySpan>().ok()) {
                periods.push(
                    json!({"DayOfWeek": day.english(), "Start": time(span.start), "Stop": time(span.stop)}),
                );
            }
        }
    }
    json!({"Type": kind, "IgnoreHolidays": false, "Periods": periods})
}

/// `Pbx.Schedule` as a week.
pub fn seen_schedule(json: &Json) -> Value {
    let minutes = |text: &Json| {
        let text = text.as_str()?;
        let mut parts = text.split(':').map(|part| part.split('.').next()?.parse::<u16>().ok());
        let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().flatten());
        let time =
            (hours <= 24 && minutes < 60).then(|| hours * 60 + minutes + u16::from(seconds == Some(59)));
        time.filter(|time| *time <= 1440)
    };
    let of = |day: Weekday| {
        let periods = json["Periods"].as_array().into_iter().flatten();
        let own = periods.filter(|period| period["DayOfWeek"] == day.english());
        let mut spans: Vec<DaySpan> = own
            .filter_map(|period| {
                Some(DaySpan { start: minutes(&period["Start"])?, stop: minutes(&period["Stop"])? })
            })
            .collect();
        spans.sort();
        (day.word().to_owned(), Value::List(spans.iter().map(|span| span.to_string().into()).collect()))
    };
    Value::Map(Weekday::ALL.into_iter().map(of).collect())
}

/// Numbers as `[{"Number": ..}]`, in order.
pub fn to_members(value: &Value) -> Json {
    let Value::List(numbers) = value else { return json!([]) };
    numbers.iter().filter_map(Value::as_text).map(|number| json!({"Number": number})).collect()
}

/// `[{"Number": ..}]` as numbers, in order.
pub fn seen_members(json: &Json) -> Value {
    let members = json.as_array().into_iter().flatten();
    Value::List(members.filter_map(|member| member["Number"].as_str()).map(Value::from).collect())
}

/// The department of an object that has one, from its `Groups`.
pub fn seen_department(entity: &Json, directory: &Directory) -> Option<Value> {
    let first = entity["Groups"].as_array()?.first()?;
    directory.name_of("department", &first["GroupId"]).map(Value::from)
}

/// `Groups` of an object that is in one department.
///
/// # Errors
/// When there is no such department.
pub fn to_groups(value: &Value, directory: &Directory) -> Result<Json, Unmade> {
    let id = directory.id("department", value.as_text().unwrap_or("default"))?;
    Ok(json!([{"GroupId": id}]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::same;

    #[test]
    fn a_week_comes_back_as_it_was_written() {
        let spans = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let written = Week([(Weekday::Mon, spans(&["09:00-12:00", "14:00-24:00"]))].into());
        let mut json = to_schedule(&week(&written), "SpecificHours");
        for period in json["Periods"].as_array_mut().unwrap() {
            for name in ["Start", "Stop"] {
                let text = format!("{}.0000000", period[name].as_str().unwrap());
                period[name] = text.into();
            }
        }
        let seen = seen_schedule(&json);
        assert!(same(&week(&written), &seen) && same(&seen, &week(&written)), "{seen:?}");
    }

    #[test]
    fn destinations_come_back_as_they_were_written() {
        for wished in [
            Destination::Extension("101".into()),
            Destination::Voicemail("101".into()),
            Destination::External("+33123456789".into()),
            Destination::Ivr("900".into()),
            Destination::End,
        ] {
            let value = destination(&wished);
            assert!(same(&value, &seen_destination(&to_destination(&value))), "{wished:?}");
        }
        let (kind, number) = to_forward(&destination(&Destination::Queue("850".into()))).unwrap();
        assert!(same(&single("queue", "850"), &seen_forward(&json!(kind), &json!(number))));
        assert!(to_forward(&destination(&Destination::External("+331".into()))).is_err());
    }

    #[test]
    fn a_key_without_a_word_is_no_end() {
        assert!(same(&single("other", "CustomInput"), &seen_forward(&json!("CustomInput"), &json!(""))));
        for none in [json!(null), json!(7), json!("EndCall")] {
            assert!(same(&"end".into(), &seen_forward(&none, &json!(""))), "{none}");
        }
    }

    #[test]
    fn times_that_are_none_are_left_out() {
        let odd =
            ["60000:00:00", "65535:59:59", "24:01:00", "12:60:00", "-1:00:00", "12", "", "\u{e9}:00:00"];
        let mut periods: Vec<Json> =
            odd.iter().map(|time| json!({"DayOfWeek": "Monday", "Start": time, "Stop": time})).collect();
        periods.extend([
            json!(null),
            json!({"DayOfWeek": "Monday"}),
            json!({"DayOfWeek": "Monday", "Start": 9}),
        ]);
        let seen = seen_schedule(&json!({"Periods": periods}));
        assert!(same(&week(&Week::default()), &seen), "{seen:?}");
    }

    #[test]
    fn durations_have_one_spelling() {
        let spelt = [20, 60, 90, 3600].map(|seconds| duration(seconds).as_text().unwrap().to_owned());
        assert_eq!(spelt, ["20s", "1m", "90s", "1h"]);
    }
}
