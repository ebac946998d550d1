//! Forwarding by profile. Five profiles are built in; the list is written whole, so what is not wished goes
//! back as it was read.

use serde_json::{Value as Json, json};

use super::super::super::forms;
use super::super::super::kind::{Form, Unmade};
use crate::inventory::{Absence, Answering, At, Forwarding};
use crate::model::{Fields, Value};

/// The inventory's word and the name on the PBX.
const PROFILES: [(&str, &str); 5] = [
    ("available", "Available"),
    ("away", "Away"),
    ("out_of_office", "Out of office"),
    ("custom_1", "Custom 1"),
    ("custom_2", "Custom 2"),
];
/// What happens while there: the inventory's word and the beginning of the properties.
const THERE: [(&str, &str); 3] =
    [("no_answer", "NoAnswer"), ("busy", "Busy"), ("not_registered", "NotRegistered")];
const ABSENT: [(&str, &str); 2] = [("internal", "Internal"), ("external", "External")];

/// The wished profiles.
pub fn wish(wished: &Forwarding) -> Value {
    let mut form = Form::default();
    form.option("available", wished.available.as_ref(), answering);
    form.option("away", wished.away.as_ref(), absence);
    form.option("out_of_office", wished.out_of_office.as_ref(), absence);
    form.option("custom_1", wished.custom_1.as_ref(), answering);
    form.option("custom_2", wished.custom_2.as_ref(), answering);
    Value::Map(form.fields)
}

fn answering(wished: &At<Answering>) -> Value {
    let mut form = Form::default();
    form.option("ring", wished.ring.as_ref(), |ring| forms::duration(ring.as_secs()));
    for (field, to) in
        [("no_answer", &wished.no_answer), ("busy", &wished.busy), ("not_registered", &wished.not_registered)]
    {
        form.option(field, to.as_ref(), |to| forms::destination(to));
    }
    Value::Map(form.fields)
}

fn absence(wished: &At<Absence>) -> Value {
    let mut form = Form::default();
    form.option("internal", wished.internal.as_ref(), |to| forms::destination(to));
    form.option("external", wished.external.as_ref(), |to| forms::destination(to));
    Value::Map(form.fields)
}

/// The profiles as they are seen.
pub fn see(profiles: &Json) -> Value {
    let mut all = Fields::new();
    for profile in profiles.as_array().into_iter().flatten() {
        let known = PROFILES.iter().find(|(_, name)| profile["Name"] == *name);
        let Some((word, _)) = known else { continue };
        all.insert((*word).to_owned(), Value::Map(see_one(profile)));
    }
    Value::Map(all)
}

fn see_one(profile: &Json) -> Fields {
    let mut fields = Fields::new();
    if profile["AwayRoute"].is_object() {
        for (field, property) in ABSENT {
            fields.insert(field.to_owned(), forms::seen_destination(&profile["AwayRoute"][property]));
        }
        return fields;
    }
    fields.insert("ring".to_owned(), forms::seen_duration(&profile["NoAnswerTimeout"]));
    for (field, begin) in THERE {
        let route = &profile["AvailableRoute"];
        // Calls from colleagues go the same way unless told apart; then the way of calls from outside is shown.
        fields.insert(field.to_owned(), forms::seen_destination(&route[format!("{begin}External")]));
    }
    fields
}

/// The whole list with the wished values in it.
///
/// # Errors
/// When the PBX does not have the profile.
pub fn write(wished: &Value, seen: &Json) -> Result<Json, Unmade> {
    let mut profiles = seen.as_array().cloned().unwrap_or_default();
    let Value::Map(wished) = wished else { return Ok(profiles.into()) };
    for (word, fields) in wished {
        let Value::Map(fields) = fields else { continue };
        let name = PROFILES.iter().find(|(own, _)| own == word).map_or("", |(_, name)| name);
        let profile = profiles.iter_mut().find(|profile| profile["Name"] == name);
        let profile = profile.ok_or_else(|| format!("the PBX has no profile `{name}`"))?;
        write_one(fields, profile);
    }
    Ok(profiles.into())
}

fn write_one(fields: &Fields, profile: &mut Json) {
    for (field, property) in ABSENT {
        if let Some(to) = fields.get(field) {
            let route = forms::inside(profile, "AwayRoute");
            route[property] = forms::to_destination(to);
            route[format!("AllHours{property}")] = json!(true);
        }
    }
    if let Some(ring) = fields.get("ring") {
        profile["NoAnswerTimeout"] = forms::seconds(ring);
    }
    for (field, begin) in THERE {
        if let Some(to) = fields.get(field) {
            let route = forms::inside(profile, "AvailableRoute");
            route[format!("{begin}External")] = forms::to_destination(to);
            route[format!("{begin}Internal")] = forms::to_destination(to);
            route[format!("{begin}AllCalls")] = json!(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_whose_routes_are_none_is_written_all_the_same() {
        let to = forms::single("extension", "101");
        let fields = |field: &str| Value::Map(Fields::from([(field.to_owned(), to.clone())]));
        let wished = Fields::from([
            ("available".to_owned(), fields("no_answer")),
            ("away".to_owned(), fields("internal")),
        ]);
        for odd in [json!("x"), json!(7), json!([]), json!(true), json!(null)] {
            let seen = json!([
                {"Name": "Available", "AvailableRoute": odd}, {"Name": "Away", "AwayRoute": odd}, "no profile",
            ]);
            let written = write(&Value::Map(wished.clone()), &seen).unwrap();
            assert_eq!(written[0]["AvailableRoute"]["NoAnswerExternal"]["Number"], "101", "{odd}");
            assert_eq!(written[1]["AwayRoute"]["Internal"]["Number"], "101", "{odd}");
        }
    }
}
