//! How the types of a telephone system are read from a file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::super::decode::{Decode, Decoder, Keys, shape, words};
use super::super::pbx::*;
use super::super::scalar::{NumberText, PhoneNumberText, SpanText};
use super::super::spec::Section;
use super::super::tree::{Body, Entry, Node, Scalar};
use crate::model::weekdays;

shape!(Pbx {
    model,
    url,
    site,
    client_id,
    client_secret,
    ca,
    unmanaged,
    accept_unverified,
    emergency_numbers,
    departments,
    holidays,
    extensions,
    ring_groups,
    queues,
    ivrs,
    trunks,
    inbound_rules,
    outbound_rules,
    sbcs,
    live_chat,
    contacts,
    directories,
    phonebook
});
shape!(Route { to, prompt });
shape!(Department { title, language, timezone, hours, breaks, when_open, when_closed, on_break, on_holiday });
shape!(Holiday { title, departments, date, until, years, prompt });
shape!(Extension {
    first_name,
    last_name,
    email,
    mobile,
    department,
    role,
    also_in,
    caller_id,
    enabled,
    two_factor,
    hide_in_phonebook,
    voicemail,
    recording,
    forwarding,
    follow_hours,
    phones,
    blf
});
shape!(Voicemail { enabled, pin, email, play_caller_id });
shape!(Recording { calls, may_control, may_see, may_delete, forbid });
shape!(Forwarding { available, away, out_of_office, custom_1, custom_2 });
shape!(Answering { ring, no_answer, busy, not_registered });
shape!(Absence { internal, external });
shape!(Phone { model, mac, sbc, behind, router });
shape!(SharedMailbox { members, also });
shape!(RingGroup {
    title, department, members needed, strategy, timeout, no_answer, when_closed, on_break, on_holiday, mailbox
});
shape!(Queue {
    title, department, agents needed, managers, strategy, ring, timeout, wrap_up, max_callers,
    announce_position, intro, music, recording, no_answer, when_closed, on_break, on_holiday, mailbox
});
shape!(Ivr {
    title, department, prompt, keys needed, timeout, no_key, wrong_key, when_closed, on_break, on_holiday
});
shape!(Trunk { title, template, host, port, register, user, password, number, dids, calls, caller_id });
shape!(InboundRule { title, trunk, did, caller, hours, to, when_closed, on_holiday });
shape!(OutboundRule { title, prefixes, lengths, from, departments, priority, emergency, routes needed });
shape!(OutboundRoute { trunk, strip, prepend, caller_id });
shape!(Sbc { title, password, security, host, provisioning_link });
shape!(LiveChat { title, department, to, websites needed, chat, calls, ask });
shape!(Contact {
    first_name,
    last_name,
    company,
    title,
    department,
    email,
    mobile,
    mobile_2,
    business,
    business_2,
    home,
    other,
    fax,
    group
});

shape!(Directory { model, url, api_key, entity, ca });

words!(DirectoryModel { "dolibarr" => Dolibarr });
words!(PbxModel { "3cx" => ThreeCx });
words!(Unmanaged { "keep" => Keep, "report" => Report, "delete" => Delete } or default);
words!(Unverified {
    "phones" => Phones,
    "router_phones" => RouterPhones,
    "shared_voicemail" => SharedVoicemail,
    "contact_department" => ContactDepartment,
    "sbc_hosts" => SbcHosts,
});
words!(Role {
    "users" => Users,
    "receptionists" => Receptionists,
    "supervisors" => Supervisors,
    "group_admins" => GroupAdmins,
    "managers" => Managers,
    "group_owners" => GroupOwners,
    "system_admins" => SystemAdmins,
    "system_owners" => SystemOwners,
});
words!(VoicemailEmail {
    "none" => None,
    "notification" => Notification,
    "attachment" => Attachment,
    "attachment_and_delete" => AttachmentAndDelete,
});
words!(RecordedCalls { "none" => None, "external" => External, "all" => All });
words!(PhoneModel {
    "yealink-t41s" => YealinkT41s,
    "yealink-t46s" => YealinkT46s,
    "yealink-t54w" => YealinkT54w,
    "yealink-t57w" => YealinkT57w,
});
words!(Profile {
    "available" => Available,
    "away" => Away,
    "out_of_office" => OutOfOffice,
    "custom_1" => Custom1,
    "custom_2" => Custom2,
});
words!(RingStrategy { "hunt" => Hunt, "ring_all" => RingAll, "paging" => Paging });
words!(QueueStrategy {
    "hunt" => Hunt,
    "ring_all" => RingAll,
    "hunt_random_start" => HuntRandomStart,
    "next_agent" => NextAgent,
    "longest_waiting" => LongestWaiting,
    "least_talk_time" => LeastTalkTime,
    "fewest_answered" => FewestAnswered,
    "hunt_by3s" => HuntBy3s,
    "first3_available" => First3Available,
});
words!(QueueRecording {
    "disabled" => Disabled,
    "allow_to_opt_out" => AllowToOptOut,
    "ask_to_opt_in" => AskToOptIn,
});
words!(Registration {
    "nothing" => Nothing,
    "incoming_calls" => IncomingCalls,
    "outgoing_calls" => OutgoingCalls,
    "in_out_calls" => InOutCalls,
});
words!(SbcSecurity { "tcp" => Tcp, "tls" => Tls });
words!(Visitor { "both" => Both, "name" => Name, "email" => Email, "none" => None });

impl<T: Decode> Decode for Part<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        Section::decode(node, decoder).map(|entries| Self { entries, written: true })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Decode for Week {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Body::Map(entries) = &node.body else {
            decoder.wrong_type(node, "a map of days such as `mon-fri: [\"09:00-12:00\"]`");
            return None;
        };
        let mut week = Self::default();
        let mut whole = true;
        for Entry { key, value } in entries {
            let spans: Option<Vec<SpanText>> = decoder.value(key.span, value);
            match (weekdays(&key.text), spans) {
                (Ok(days), Some(spans)) => {
                    for day in days {
                        week.0.entry(day).or_default().extend(spans.iter().map(|span| span.0));
                    }
                }
                (Err(fault), _) => {
                    decoder.refuse_key("bad-day-of-week", key, fault.to_string(), "write `mon` or `mon-fri`");
                    whole = false;
                }
                (_, None) => whole = false,
            }
        }
        week.0.values_mut().for_each(|spans| spans.sort());
        whole.then_some(week)
    }
}

/// The words a map with one key can begin with.
const DESTINATIONS: [&str; 6] = ["extension", "ring_group", "queue", "ivr", "voicemail", "external"];

impl Decode for Destination {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        if let Body::Scalar(Scalar { text, .. }) = &node.body
            && !node.is_empty()
        {
            return match text.as_str() {
                "end" => Some(Self::End),
                "repeat" => Some(Self::Repeat),
                "call_by_name" => Some(Self::CallByName),
                _ => {
                    let help = "write `{ring_group: \"800\"}` (or extension, queue, ivr, voicemail, external), \
                                `end`, or on an IVR's key `repeat`, `call_by_name`";
                    decoder.refuse("bad-destination", node, "this is no destination", help);
                    None
                }
            };
        }
        let keys = Keys::open(node, &[&DESTINATIONS], decoder)?;
        let Some(entry) = keys.only() else {
            decoder.refuse("bad-destination", node, "a destination has exactly one key", "write one of them");
            return None;
        };
        let word = entry.key.text.as_str();
        if word == "external" {
            return keys.take::<PhoneNumberText>(word, decoder).map(|number| Self::External(number.0.0));
        }
        let number = DESTINATIONS.contains(&word).then(|| keys.take::<NumberText>(word, decoder))??.0.0;
        Some(match word {
            "extension" => Self::Extension(number),
            "ring_group" => Self::RingGroup(number),
            "queue" => Self::Queue(number),
            "ivr" => Self::Ivr(number),
            _ => Self::Voicemail(number),
        })
    }
}

impl Decode for Prompt {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let (name, on_pbx): (String, bool) = if let Body::Map(_) = &node.body {
            (Keys::open(node, &[&["on_pbx"]], decoder)?.need("on_pbx", decoder)?, true)
        } else {
            (String::decode(node, decoder)?, false)
        };
        let fits = !name.is_empty()
            && name.len() <= 100
            && name.to_ascii_lowercase().ends_with(".wav")
            && (on_pbx || !name.starts_with('.'))
            && !name.chars().any(|c| c.is_control() || "<>:\"\\|?*&".contains(c) || c == '/' && !on_pbx);
        if !fits {
            let help =
                "write the name of a `.wav` file under `inventory/prompts/`, without < > : \" / \\ | ? * &";
            decoder.refuse("bad-prompt", node, "this is not the name of a prompt", help);
            return None;
        }
        Some(if on_pbx { Self::OnPbx(name) } else { Self::File(name) })
    }
}

const KEY_ACTIONS: [&str; 10] = [
    "key",
    "watch",
    "speed_dial",
    "custom",
    "first_name",
    "last_name",
    "parking",
    "queue_login",
    "profile",
    "line",
];

impl Decode for BlfKey {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        if let Body::Scalar(_) = &node.body {
            let number = NumberText::decode(node, decoder)?;
            return Some(Self { key: None, does: KeyAction::Watch(number.0.0) });
        }
        let keys = Keys::open(node, &[&KEY_ACTIONS], decoder)?;
        let key: Option<u8> = keys.take("key", decoder)?;
        let watch: Option<NumberText> = keys.take("watch", decoder)?;
        let speed_dial: Option<NumberText> = keys.take("speed_dial", decoder)?;
        let custom: Option<String> = keys.take_raw("custom", decoder)?;
        let (first, last) = (keys.take("first_name", decoder)?, keys.take("last_name", decoder)?);
        let (first, last): (Option<String>, Option<String>) = (first, last);
        let parking: Option<String> = keys.take("parking", decoder)?;
        let queue_login: Option<bool> = keys.take("queue_login", decoder)?;
        let profile: Option<Profile> = keys.take("profile", decoder)?;
        let line: Option<bool> = keys.take("line", decoder)?;
        let named = |number| KeyAction::Custom {
            number,
            first_name: first.clone().unwrap_or_default(),
            last_name: last.clone().unwrap_or_default(),
        };
        let does: Vec<KeyAction> = [
            watch.map(|number| KeyAction::Watch(number.0.0)),
            speed_dial.map(|number| KeyAction::SpeedDial(number.0.0)),
            custom.map(named),
            parking.map(KeyAction::Parking),
            queue_login.map(KeyAction::QueueLogin),
            profile.map(KeyAction::Profile),
            line.filter(|line| *line).map(|_| KeyAction::Line),
        ]
        .into_iter()
        .flatten()
        .collect();
        match <[KeyAction; 1]>::try_from(does) {
            Ok([does]) => Some(Self { key, does }),
            Err(_) => {
                let help =
                    "write one of watch, speed_dial, custom, parking, queue_login, profile, `line: true`";
                decoder.refuse("bad-blf-key", node, "a key does exactly one thing", help);
                None
            }
        }
    }
}

macro_rules! schema_of {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema_of!(Week, {
    "type": "object",
    "description": "Opening hours of a week. Days that are not written are closed.",
    "propertyNames": { "pattern": "^(mon|tue|wed|thu|fri|sat|sun)(\\s*-\\s*(mon|tue|wed|thu|fri|sat|sun))?$" },
    "additionalProperties": {
        "type": "array",
        "items": { "type": "string", "pattern": "^\\s*[0-9]{2}:[0-9]{2}\\s*-\\s*[0-9]{2}:[0-9]{2}\\s*$" }
    }
});

const NUMBER: &str = "^[0-9]{2,8}$";

impl JsonSchema for Destination {
    fn schema_name() -> Cow<'static, str> {
        "Destination".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = serde_json::json!({
            "type": ["string", "integer", "number"], "pattern": NUMBER, "examples": ["101"]
        });
        let phone = serde_json::json!({
            "type": ["string", "integer", "number"], "pattern": "^\\s*\\+?([0-9][ .-]*){2,15}$",
            "examples": ["+33611223344"]
        });
        json_schema!({
            "description": "Where a call goes: one of the keys, `end`, or on an IVR's key `repeat`, `call_by_name`.",
            "oneOf": [
                { "type": "string", "enum": ["end", "repeat", "call_by_name"] },
                {
                    "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                    "properties": {
                        "extension": number.clone(), "ring_group": number.clone(), "queue": number.clone(),
                        "ivr": number.clone(), "voicemail": number, "external": phone
                    }
                }
            ]
        })
    }
}

schema_of!(Prompt, {
    "description": "A WAV file under `inventory/prompts/` (PCM, 8 kHz, 16 bit, mono), or one that is on the PBX.",
    "oneOf": [
        { "type": "string", "pattern": "\\.[wW][aA][vV]$" },
        {
            "type": "object", "additionalProperties": false, "required": ["on_pbx"],
            "properties": { "on_pbx": { "type": "string", "pattern": "\\.[wW][aA][vV]$" } }
        }
    ]
});

schema_of!(BlfKey, {
    "description": "A key of a phone: an extension's number to watch, or a map with one action.",
    "oneOf": [
        { "type": ["string", "integer", "number"], "pattern": "^[0-9]{2,8}$", "examples": ["101"] },
        {
            "type": "object", "additionalProperties": false,
            "properties": {
                "key": { "type": "integer", "minimum": 1, "maximum": 255 },
                "watch": { "type": ["string", "integer", "number"], "pattern": "^[0-9]{2,8}$", "examples": ["101"] },
                "speed_dial": {
                    "type": ["string", "integer", "number"], "pattern": "^[0-9]{2,8}$", "examples": ["101"]
                },
                "custom": { "type": ["string", "integer", "number"] },
                "first_name": { "type": "string" },
                "last_name": { "type": "string" },
                "parking": { "type": "string" },
                "queue_login": { "type": "boolean" },
                "profile": { "enum": ["available", "away", "out_of_office", "custom_1", "custom_2"] },
                "line": { "type": "boolean" }
            }
        }
    ]
});
