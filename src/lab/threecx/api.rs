//! The API: sets, keys, functions and actions.

use serde_json::{Map, Value, json};

use super::query::{self, Options, decoded, project};
use super::rules;
use super::store::{Refusal, Set, Store, refused, set_of};

/// The most rows of one answer.
const MAX_TOP: usize = 100;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub media: &'static str,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self { status, body: Vec::new(), media: "application/json" }
    }

    pub fn of(status: u16, body: Value) -> Self {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Self { status, body, media: "application/json" }
    }
}

impl From<Refusal> for Answer {
    fn from((status, body): Refusal) -> Self {
        Self::of(status, body)
    }
}

/// Whether a request is meant to change something.
pub fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.ends_with("Pbx.ValidateLink")
}

/// Answers a request.
pub fn handle(store: &mut Store, method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
    let Some(inside) = path.strip_prefix("/xapi/v1/") else {
        return match path.strip_prefix("/audio/").map(decoded).and_then(|name| store.audio.get(&name)) {
            Some(bytes) => Answer { media: "audio/wav", body: bytes.clone(), status: 200 },
            None => Answer::status(404),
        };
    };
    let json: Value =
        if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap_or(Value::Null) };
    let inside = decoded(inside);
    if let Some(answer) = super::calls::report(store, method, &inside, query) {
        return answer;
    }
    if let Some(answer) = function(store, method, &inside, &json, body) {
        return answer;
    }
    let (name, key) = match inside.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (inside.as_str(), None),
    };
    let Some(set) = set_of(name) else { return Answer::status(404) };
    let options = match Options::parse(query) {
        Ok(options) => options,
        Err(fault) => return refused(400, "", &fault).into(),
    };
    let empty = Map::new();
    let fields = json.as_object();
    // Settings are one object and have no key.
    let key = if set.name == "PhoneBookSettings" { Some("0") } else { key };
    match (method, key) {
        ("GET", None) => list(store, set, &options),
        ("GET", Some(key)) => one(store, set, key, &options),
        ("POST", None) if set.writable && set.name != "CustomPrompts" => {
            let Some(fields) = fields else {
                return refused(400, "delta", "The delta field is required.").into();
            };
            match store.create(set, fields) {
                // An emergency rule is made and answered with nothing.
                Ok(row) if set.name == "OutboundRules" && row["EmergencyRule"] == true => Answer::status(201),
                Ok(row) => shown(store, set, &row, &Options::default(), 201),
                Err(refusal) => refusal.into(),
            }
        }
        ("PATCH", Some(key)) if set.writable => {
            match store.change(set, &unquoted(key), fields.unwrap_or(&empty)) {
                Ok(()) => Answer::status(204),
                Err(refusal) => refusal.into(),
            }
        }
        ("DELETE", Some(key)) if set.writable => match store.delete(set, &unquoted(key)) {
            Ok(()) => Answer::status(204),
            Err(refusal) => refusal.into(),
        },
        _ => Answer::status(405),
    }
}

fn unquoted(key: &str) -> String {
    key.trim_matches('\'').replace("''", "'")
}

fn shown(store: &Store, set: &Set, row: &Value, options: &Options, status: u16) -> Answer {
    match project(set.entity, row, options, store.patch) {
        Ok(row) => Answer::of(status, row),
        Err(fault) => refused(400, "", &fault).into(),
    }
}

fn one(store: &Store, set: &Set, key: &str, options: &Options) -> Answer {
    let row = match key.strip_prefix("Number=") {
        Some(number) if store.patch >= 8 => store.by_number(&unquoted(number)).map(|(_, row)| row),
        Some(_) => None,
        None => store.row(set.name, &unquoted(key)),
    };
    match row {
        Some(row) => shown(store, set, row, options, 200),
        None => Answer::status(404),
    }
}

fn list(store: &Store, set: &Set, options: &Options) -> Answer {
    if options.top.is_some_and(|top| top > MAX_TOP) {
        return refused(400, "", "The limit of '100' for Top query has been exceeded.").into();
    }
    // Emergency rules are shown by their function only.
    let plain = |row: &&Value| row["EmergencyRule"] != true;
    if set.name == "Peers" {
        return page(store, set, store.peers().iter(), options);
    }
    page(store, set, store.rows(set.name).filter(plain), options)
}

fn page<'a>(store: &Store, set: &Set, rows: impl Iterator<Item = &'a Value>, options: &Options) -> Answer {
    let mut fault = None;
    let mut fits = |row: &&Value| {
        let filtered = options.filter.as_ref().is_none_or(|filter| match query::passes(filter, row) {
            Ok(passes) => passes,
            Err(words) => {
                fault = Some(words);
                false
            }
        });
        let searched = options.search.as_ref().is_none_or(|word| {
            ["Number", "FirstName", "LastName", "EmailAddress"]
                .iter()
                .any(|name| row[*name].as_str().is_some_and(|text| text.to_lowercase().contains(word)))
        });
        filtered && searched
    };
    let mut value = Vec::new();
    let mut count = 0;
    let wanted = options.skip..options.skip + options.top.unwrap_or(MAX_TOP);
    for row in rows.filter(|row| fits(row)) {
        if wanted.contains(&count) {
            match project(set.entity, row, options, store.patch) {
                Ok(row) => value.push(row),
                Err(words) => return refused(400, "", &words).into(),
            }
        }
        count += 1;
        if !options.count && count >= wanted.end {
            break;
        }
    }
    if let Some(words) = fault {
        return refused(400, "", &words).into();
    }
    let mut body = json!({"@odata.context": format!("#{}", set.name), "value": value});
    if options.count {
        body["@odata.count"] = count.into();
    }
    Answer::of(200, body)
}

/// Functions, actions and singletons; `None` for anything else.
fn function(store: &mut Store, method: &str, path: &str, body: &Value, raw: &[u8]) -> Option<Answer> {
    match (method, path) {
        ("GET", path) => told(store, path),
        ("POST", path) => act(store, path, body, raw),
        _ => None,
    }
}

/// What is told of the system.
fn told(store: &Store, path: &str) -> Option<Answer> {
    let licence = &store.licence;
    let version = format!("20.0.{}.1100", store.patch);
    let body = match path {
        "Defs" => json!({"Id": 1}),
        "Defs/TimeZones" => {
            let zones = super::seed::TIME_ZONES.map(|(id, iana)| json!({"Id": id, "IanaName": iana}));
            json!({ "value": zones })
        }
        "Defs/Pbx.GetSystemParameters()" => json!({
            "Version": version, "ENL": 3, "MaxDIDPerTrunk": 1000, "IsMulticompanyMode": false,
            "License": {"IsEnterprise": licence.enterprise, "IsProfessional": true, "MaxSimCalls": licence.calls},
        }),
        "LicenseStatus" => json!({
            "ProductCode": if licence.enterprise { "3CXPSPROFENTSPLA" } else { "3CXPSPROF" },
            "MaxSimCalls": licence.calls, "ExpirationDate": licence.expires, "LicenseActive": true,
            "LicenseKey": "SECRET-LICENCE-KEY",
        }),
        "SystemStatus" => {
            json!({"Id": 1, "Version": version, "FQDN": "pbx.invalid", "LicenseKey": "SECRET-LICENCE-KEY"})
        }
        "OutboundRules/Pbx.GetEmergencyOutboundRules()" => {
            let set = set_of("OutboundRules")?;
            let emergency = store.rows(set.name).filter(|row| row["EmergencyRule"] == true);
            let plain = Options::default();
            let rows = emergency.filter_map(|row| project(set.entity, row, &plain, store.patch).ok());
            json!({"value": rows.collect::<Vec<_>>()})
        }
        "GeneralSettingsForPbx" => json!({"OperatorExtension": super::OPERATOR}),
        "Backups/Pbx.GetCanCreateBackup()" => json!({"value": true}),
        path if path.ends_with("/Pbx.GetRestrictions()") => {
            let row =
                |allowed: usize, used: usize| json!({"Allowed": allowed, "Used": used, "Unlimited": false});
            json!({
                "Users": row(licence.users, store.count("Users")),
                "Trunks": row(licence.trunks, store.count("Trunks")),
                "Sbcs": row(licence.sbcs, store.count("Sbcs")),
                "LiveChats": row(licence.live_chats, store.count("WebsiteLinks")), "MaxPrompts": licence.prompts,
            })
        }
        path => return init_trunk(store, path),
    };
    Some(Answer::of(200, body))
}

/// A trunk as its template begins it.
fn init_trunk(store: &Store, path: &str) -> Option<Answer> {
    let template = path.strip_prefix("Trunks/Pbx.InitTrunk(template='")?.trim_end_matches("')");
    if store.row("TrunkTemplates", template).is_none() {
        return Some(refused(400, "template", "WARNINGS.XAPI.NOT_FOUND").into());
    }
    let gateway = json!({
        "Name": template.trim_end_matches(".pv.xml"), "Host": "sip.provider.invalid", "Port": 5060,
        "Type": "Provider", "RequireRegistrationFor": "InOutCalls", "TemplateFilename": template,
    });
    let trunk = json!({
        "Id": 0, "SimultaneousCalls": 10, "Direction": "Both", "DidNumbers": [], "Gateway": gateway,
    });
    Some(Answer::of(200, trunk))
}

/// What is done at a word.
fn act(store: &mut Store, path: &str, body: &Value, raw: &[u8]) -> Option<Answer> {
    let answer = match path {
        "Backups/Pbx.Backup" => {
            let name = body["description"]["Name"].as_str().unwrap_or_default().to_owned();
            let file = format!("{name}.zip");
            if name.is_empty() || store.row("Backups", &file).is_some() {
                return Some(refused(400, "Name", "WARNINGS.XAPI.DUPLICATE").into());
            }
            let row = json!({"FileName": file, "Size": 1_048_576, "CreationTime": "2026-03-01T12:00:00Z"});
            store.put(set_of("Backups")?, row);
            Answer::status(204)
        }
        "Users/Pbx.ReprovisionPhone" => {
            store.reprovisioned.push(body["mac"].as_str()?.to_owned());
            Answer::status(204)
        }
        "customPrompts" | "CustomPrompts" => upload(store, raw),
        "WebsiteLinks/Pbx.ValidateLink" => Answer::status(204),
        path if path.ends_with("/Pbx.Restore") => Answer::status(204),
        _ => return None,
    };
    Some(answer)
}

/// An uploaded prompt: the part `file` of a form, PCM of 8 kHz, 16 bit, mono.
fn upload(store: &mut Store, raw: &[u8]) -> Answer {
    let find = |what: &[u8], from: usize| {
        raw.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| at + from)
    };
    let head = find(b"\r\n\r\n", 0).map(|end| String::from_utf8_lossy(&raw[..end]).into_owned());
    let named = head.as_deref().and_then(|head| head.split("filename=\"").nth(1)?.split('"').next());
    let boundary = raw.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (Some(name), Some(start)) = (named, find(b"\r\n\r\n", 0)) else {
        return refused(400, "file", "WARNINGS.XAPI.REQUIRED").into();
    };
    let end = find(boundary, start).map_or(raw.len(), |end| end.saturating_sub(2));
    let audio = raw.get(start + 4..end).unwrap_or_default().to_vec();
    let word = |at: usize| audio.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let fits = audio.starts_with(b"RIFF")
        && (word(20), word(22), word(24), word(34)) == (Some(1), Some(1), Some(8000), Some(16));
    if !fits {
        return refused(400, "file", "WARNINGS.SUPPORTED_MEDIA_FORMAT_WAV").into();
    }
    let Some(set) = set_of("CustomPrompts") else { return Answer::status(404) };
    if store.row(set.name, name).is_none()
        && let Err(refusal) = rules::on_create(store, set, &Map::new())
    {
        return refusal.into();
    }
    let row = json!({"Filename": name, "DisplayName": name, "FileLink": format!("/audio/{name}"), "CanBeDeleted": true,
        "PromptType": "File"});
    store.audio.insert(name.to_owned(), audio);
    store.put(set, row);
    Answer::of(200, json!({"value": format!("Custom/GRP0000/{name}")}))
}
