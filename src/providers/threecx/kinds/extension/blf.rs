//! Keys of phones: one XML text a user. Without the right id of whom it watches, a key is taken and dead; so the
//! ids are looked up when it is written, and a dead key is seen as different from what is wished.
//!
//! The form was read off a real PBX: attribute order, `<BLF />`, and keys that are the default not written.

use std::fmt::Write;

use super::super::super::directory::{Directory, SYSTEM};
use super::super::super::kind::Unmade;
use crate::inventory::{At, BlfKey, KeyAction, Profile};
use crate::model::{Fields, Value};

/// Profiles by the number a key has for them.
const PROFILES: [(Profile, &str); 5] = [
    (Profile::Available, "available"),
    (Profile::Away, "away"),
    (Profile::OutOfOffice, "out_of_office"),
    (Profile::Custom1, "custom_1"),
    (Profile::Custom2, "custom_2"),
];
/// The first key of a phone is its line.
const FIRST: u8 = 2;

/// The wished keys, each with its position.
pub fn wish(wished: &[At<BlfKey>]) -> Value {
    let mut next = FIRST;
    let mut keys: Vec<(u8, Value)> = Vec::new();
    for one in wished {
        let position = one.key.unwrap_or(next);
        next = position.saturating_add(1);
        let mut fields = Fields::from([("key".to_owned(), Value::Int(position.into()))]);
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        match &one.does {
            KeyAction::Watch(number) => set("watch", number.as_str().into()),
            KeyAction::SpeedDial(number) => set("speed_dial", number.as_str().into()),
            KeyAction::Custom { number, first_name, last_name } => {
                set("first_name", first_name.as_str().into());
                set("last_name", last_name.as_str().into());
                set("custom", number.as_str().into())
            }
            KeyAction::Parking(place) => set("parking", place.as_str().into()),
            KeyAction::QueueLogin(in_or_out) => set("queue_login", (*in_or_out).into()),
            KeyAction::Profile(profile) => set("profile", super::super::word_of(&PROFILES, *profile)),
            KeyAction::Line => set("line", true.into()),
        };
        keys.push((position, Value::Map(fields)));
    }
    keys.sort_by_key(|(position, _)| *position);
    Value::List(keys.into_iter().map(|(_, key)| key).collect())
}

/// The keys as they are seen.
pub fn see(xml: &str, directory: &Directory) -> Value {
    let mut keys: Vec<(i64, Value)> =
        xml.split("<BLF ").skip(1).filter_map(|part| see_one(part, directory)).collect();
    keys.sort_by_key(|(position, _)| *position);
    Value::List(keys.into_iter().map(|(_, key)| key).collect())
}

fn see_one(part: &str, directory: &Directory) -> Option<(i64, Value)> {
    let attribute = |name: &str| {
        let from = part.find(&format!("{name}=\""))? + name.len() + 2;
        part.get(from..)?.split('"').next().map(unescaped)
    };
    let position: i64 = attribute("BLFNo")?.parse().ok()?;
    let text = part.split_once('>').map(|(_, rest)| rest.split("</BLF").next().unwrap_or_default());
    let text = text.map(unescaped).unwrap_or_default();
    let id = attribute("ID").unwrap_or_default();
    let mut fields = Fields::from([("key".to_owned(), Value::Int(position))]);
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let alive = |collection: &str, name: &str| directory.key(collection, name) == Some(id.as_str());
    match attribute("BLFType")?.as_str() {
        kind @ ("BLF" | "SpeedDial") => {
            let word = if kind == "BLF" { "watch" } else { "speed_dial" };
            set(&spelt(word, alive("extension", &text)), text.as_str().into());
        }
        "CustomSpeedDial" => {
            let mut lines = text.split('\n');
            for name in ["custom", "first_name", "last_name"] {
                set(name, lines.next().unwrap_or_default().into());
            }
        }
        "SharedParking" => {
            set(&spelt("parking", alive(SYSTEM, &format!("parking/{text}"))), text.as_str().into());
        }
        "QueueLogin" => set("queue_login", (id == "LOGGEDINQUEUE").into()),
        "ProfileStatus" => {
            let profile = text.parse::<usize>().ok().and_then(|number| PROFILES.get(number));
            set("profile", profile.map_or("other", |(_, word)| word).into());
        }
        "Line" => set("line", true.into()),
        other => set("other", other.into()),
    }
    Some((position, Value::Map(fields)))
}

/// The word of a key; a dead one has another, so it is never the same as a wished one.
fn spelt(word: &str, alive: bool) -> String {
    if alive { word.to_owned() } else { format!("dead_{word}") }
}

/// The keys as the PBX keeps them.
///
/// # Errors
/// When a key is for somebody who is not there.
pub fn write(keys: &Value, directory: &Directory) -> Result<String, Unmade> {
    let Value::List(keys) = keys else { return Ok(String::new()) };
    if keys.is_empty() {
        return Ok("<PhoneDevice><BLFS /></PhoneDevice>".to_owned());
    }
    let mut xml = "<PhoneDevice><BLFS>".to_owned();
    for key in keys {
        let Value::Map(fields) = key else { continue };
        write_one(fields, directory, &mut xml)?;
    }
    xml.push_str("</BLFS></PhoneDevice>");
    Ok(xml)
}

/// The keys that can be written now, and why the others cannot. Nothing when there is none.
pub fn write_known(keys: &Value, directory: &Directory) -> (String, Vec<Unmade>) {
    let Value::List(keys) = keys else { return Default::default() };
    let (mut known, mut left) = (Vec::new(), Vec::new());
    for key in keys {
        let Value::Map(fields) = key else { continue };
        match write_one(fields, directory, &mut String::new()) {
            Ok(()) => known.push(key.clone()),
            Err(reason) => left.push(reason),
        }
    }
    let none = known.is_empty();
    let xml = if none { String::new() } else { write(&Value::List(known), directory).unwrap_or_default() };
    (xml, left)
}

fn write_one(fields: &Fields, directory: &Directory, xml: &mut String) -> Result<(), Unmade> {
    let position = match fields.get("key") {
        Some(Value::Int(position)) => *position,
        _ => i64::from(FIRST),
    };
    let text = |field: &str| fields.get(field).and_then(Value::as_text);
    let person = |number: &str| {
        let id = directory.id("extension", number);
        id.map_err(|_| format!("key {position}: there is no extension {number} to watch"))
    };
    let (id, kind, number, content) = if let Some(number) = text("watch") {
        (person(number)?.to_string(), "BLF", 0, number.to_owned())
    } else if let Some(number) = text("speed_dial") {
        (person(number)?.to_string(), "SpeedDial", 1, number.to_owned())
    } else if let Some(number) = text("custom") {
        let names = [text("first_name"), text("last_name")].map(Option::unwrap_or_default);
        ("-1".to_owned(), "CustomSpeedDial", 2, format!("{number}\n{}\n{}", names[0], names[1]))
    } else if let Some(place) = text("parking") {
        let id = directory.key(SYSTEM, &format!("parking/{place}"));
        let id = id.ok_or_else(|| format!("key {position}: the PBX has no parking place {place}"))?;
        (id.to_owned(), "SharedParking", 3, place.to_owned())
    } else if let Some(Value::Bool(in_or_out)) = fields.get("queue_login") {
        let id = if *in_or_out { "LOGGEDINQUEUE" } else { "LOGGEDOUTQUEUE" };
        (id.to_owned(), "QueueLogin", 4, "DEFINED BY ID".to_owned())
    } else if let Some(word) = text("profile") {
        let number = PROFILES.iter().position(|(_, own)| *own == word).unwrap_or_default();
        ("-1".to_owned(), "ProfileStatus", 5, number.to_string())
    } else {
        ("-1".to_owned(), "Line", 6, String::new())
    };
    let head = format!("<BLF ID=\"{id}\" BLFNo=\"{position}\" BLFType=\"{kind}\" BLFTypeID=\"{number}\"");
    // Writing to a text cannot fail.
    let _ = match content.as_str() {
        "" => write!(xml, "{head} />"),
        content => write!(xml, "{head}>{}</BLF>", escaped(content)),
    };
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::super::super::super::kind::Identity;
    use super::*;
    use crate::plan::same;

    fn directory() -> Directory {
        let mut directory = Directory::default();
        let name = "101".to_owned();
        directory.learn("extension", &Identity { name, key: "32".into(), number: None, system: false });
        directory
    }

    #[test]
    fn keys_come_back_as_they_were_written() {
        let custom =
            KeyAction::Custom { number: "+331".into(), first_name: "A & B".into(), last_name: "<x>".into() };
        let keys = [KeyAction::Watch("101".into()), custom, KeyAction::QueueLogin(true), KeyAction::Line]
            .map(|does| At::nowhere(BlfKey { key: None, does }));
        let wished = wish(&keys);
        let xml = write(&wished, &directory()).unwrap();
        assert!(
            xml.contains("<BLF ID=\"32\" BLFNo=\"2\" BLFType=\"BLF\" BLFTypeID=\"0\">101</BLF>"),
            "{xml}"
        );
        let seen = see(&xml, &directory());
        assert!(same(&wished, &seen) && same(&seen, &wished), "{xml}\n{seen:?}");
    }

    #[test]
    fn a_key_with_the_wrong_id_is_dead_and_one_for_nobody_is_refused() {
        let key = "<BLF ID=\"7\" BLFNo=\"3\" BLFType=\"BLF\" BLFTypeID=\"0\">101</BLF>";
        let xml = format!("<PhoneDevice><BLFS>{key}</BLFS></PhoneDevice>");
        let seen = format!("{:?}", see(&xml, &directory()));
        assert!(seen.contains("dead"), "{seen}");
        let wished = wish(&[At::nowhere(BlfKey { key: None, does: KeyAction::Watch("199".into()) })]);
        assert_eq!(write(&wished, &directory()).unwrap_err(), "key 2: there is no extension 199 to watch");
    }
}
