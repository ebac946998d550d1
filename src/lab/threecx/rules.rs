//! What a PBX makes of a row: defaults, uniqueness, references, and how values read back.

use serde_json::{Map, Value, json};

use super::store::{Refusal, Set, Store, refused};

/// Names of the five profiles each user has.
const PROFILES: [&str; 5] = ["Available", "Away", "Out of office", "Custom 1", "Custom 2"];

/// What a new row has before its body.
pub fn defaults(set: &str) -> Value {
    let nowhere = || json!({"To": "None", "Number": "", "External": ""});
    let route = || json!({"IsPromptEnabled": false, "Prompt": "", "Route": nowhere()});
    match set {
        "Users" => json!({
            "FirstName": "", "LastName": "", "EmailAddress": "", "Mobile": "", "OutboundCallerID": "", "Enabled": true,
            "Internal": false, "HideInPhonebook": false, "Require2FA": false, "Enable2FA": false, "RecordCalls": false,
            "RecordExternalCallsOnly": false, "AllowOwnRecordings": false, "MyPhoneShowRecordings": false,
            "MyPhoneAllowDeleteRecordings": false, "VMEnabled": true, "VMPIN": "4711", "VMDisablePinAuth": false,
            "VMPlayCallerID": false, "VMEmailOptions": "None", "AuthID": "a1b2c3",
            "AuthPassword": "sip-secret-of-a-user",
            "DeskphonePassword": "desk-secret-of-a-user", "AccessPassword": "web-secret-of-a-user",
            "Language": "EN", "CurrentProfileName": "Available", "OfficeHoursProps": [], "IsRegistered": false,
            "Blfs": "<PhoneDevice><BLFS /></PhoneDevice>", "Phones": [], "Groups": [], "ForwardingProfiles": [],
            "TranscriptionMode": "Inherit",
        }),
        "Groups" => json!({
            "Name": "", "Language": "EN", "TimeZoneId": "51", "IsDefault": false, "HasMembers": false,
            "AllowCallService": true,
            "Hours": {"Type": "OfficeHours", "IgnoreHolidays": false, "Periods": []},
            "BreakTime": {"Type": "Never", "IgnoreHolidays": false, "Periods": []},
            "OfficeRoute": route(), "OutOfOfficeRoute": route(), "BreakRoute": route(), "HolidaysRoute": route(),
            "Members": [], "Rights": [], "Props": {"LiveChatMaxCount": 20, "PromptsMaxCount": 100},
        }),
        "RingGroups" => json!({
            "Name": "", "Groups": [], "RingStrategy": "RingAll", "RingTime": 20, "Members": [], "GreetingFile": "",
            "ForwardNoAnswer": nowhere(), "OutOfOfficeRoute": route(), "BreakRoute": route(),
            "HolidaysRoute": route(), "IsRegistered": true,
        }),
        "Queues" => json!({
            "Name": "", "Groups": [], "PollingStrategy": "RingAll", "Agents": [], "Managers": [], "RingTimeout": 30,
            "MasterTimeout": 1800, "WrapUpTime": 0, "MaxCallersInQueue": 20, "AnnounceQueuePosition": false,
            "EnableIntro": false,
            "IntroFile": "", "OnHoldFile": "onhold.wav", "Recording": "Disabled", "ForwardNoAnswer": nowhere(),
            "OutOfOfficeRoute": route(), "BreakRoute": route(), "HolidaysRoute": route(),
        }),
        "Receptionists" => json!({
            "Name": "", "Groups": [], "IVRType": "Default", "PromptFilename": "", "Timeout": 5,
            "TimeoutForwardType": "EndCall",
            "TimeoutForwardDN": "", "InvalidKeyForwardDN": "", "Forwards": [], "OutOfOfficeRoute": route(),
            "BreakRoute": route(), "HolidaysRoute": route(),
        }),
        "Trunks" => json!({
            "Groups": [], "DidNumbers": [], "AuthID": "", "SimultaneousCalls": 10, "Direction": "Both",
            "OutboundCallerID": "",
            "EnableInboundCalls": true, "EnableOutboundCalls": true, "ExternalNumber": "", "IsOnline": false,
        }),
        "Holidays" => json!({"IsRecurrent": false, "HolidayPrompt": ""}),
        "InboundRules" => json!({
            "RuleName": "", "CallType": "AllCalls", "Hours": {"Type": "OfficeHours", "IgnoreHolidays": false,
            "Periods": []},
            "AlterDestinationDuringOutOfOfficeHours": false, "AlterDestinationDuringHolidays": false,
        }),
        "OutboundRules" => json!({
            "Name": "", "Prefix": "", "NumberLengthRanges": "", "DNRanges": [], "GroupIds": [],
            "EmergencyRule": false, "Routes": [],
        }),
        "Sbcs" => {
            json!({"DisplayName": "", "HasConnection": false, "ProvisionLink": "https://pbx.invalid/sbc/key-of-an-sbc"})
        }
        "WebsiteLinks" => json!({
            "Name": "", "Website": [], "ChatEnabled": true, "CallsEnabled": true, "MeetingEnabled": false,
            "Hidden": false,
        }),
        "Contacts" => json!({"ContactType": "3CX"}),
        _ => json!({}),
    }
}

/// Gives the row a number of its own, or refuses one that is taken.
pub fn number(store: &Store, set: &Set, row: &mut Value) -> Result<(), Refusal> {
    let Some((_, first)) = set.number else { return Ok(()) };
    let given = row["Number"].as_str().filter(|number| !number.is_empty());
    if let Some(number) = given {
        return match store.by_number(number) {
            Some(_) => Err(refused(400, "Number", "WARNINGS.XAPI.ALREADY_IN_USE")),
            None => Ok(()),
        };
    }
    let spelt = |number: u32| match set.name {
        "Groups" => format!("GRP{number:04}"),
        "Parkings" => format!("SP{number}"),
        _ => number.to_string(),
    };
    let free = (first..).map(spelt).find(|number| store.by_number(number).is_none());
    row["Number"] = free.unwrap_or_default().into();
    Ok(())
}

/// What is refused on a POST alone.
pub fn on_create(store: &Store, set: &Set, body: &Map<String, Value>) -> Result<(), Refusal> {
    let too_many = |limit: usize, message| {
        if store.count(set.name) >= limit { Err(refused(400, "", message)) } else { Ok(()) }
    };
    match set.name {
        "Users" => {
            let late = body.keys().find(|name| {
                name.starts_with("VM") || matches!(name.as_str(), "Groups" | "TranscriptionMode")
            });
            if let Some(name) = late {
                return Err(refused(400, name, "WARNINGS.INVALID"));
            }
            too_many(store.licence.users, "WARNINGS.LIMIT_REACHED")
        }
        "Trunks" => too_many(store.licence.trunks, "WARNINGS.XAPI.TOO_MANY_TRUNKS"),
        "Sbcs" => too_many(store.licence.sbcs, "WARNINGS.XAPI.TOO_MANY_SBC"),
        "CustomPrompts" => {
            let uploaded = store.rows(set.name).filter(|row| row["CanBeDeleted"] == true).count();
            let fits = uploaded < store.licence.prompts;
            if fits { Ok(()) } else { Err(refused(400, "", "WARNINGS.XAPI.TOO_MANY_PROMPTS")) }
        }
        "WebsiteLinks" => {
            let group = store.by_number(body.get("Group").and_then(Value::as_str).unwrap_or_default());
            let most = group.and_then(|(_, group)| group["Props"]["LiveChatMaxCount"].as_u64());
            let own = store.rows("WebsiteLinks").filter(|link| Some(&link["Group"]) == body.get("Group"));
            if most.is_some_and(|most| own.count() as u64 >= most) {
                return Err(refused(400, "", "WARNINGS.LIMIT_REACHED"));
            }
            too_many(store.licence.live_chats, "WARNINGS.LIMIT_REACHED")
        }
        "Holidays" => {
            let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
            if store.patch < 7 {
                return Err((405, json!({})));
            }
            if store.rows("Holidays").any(|row| row["Name"] == text("Name")) {
                return Err((500, Value::Null));
            }
            if text("TimeOfStartDate").is_empty() || text("TimeOfEndDate").is_empty() {
                return Err(refused(400, "TimeOfStartDate", "WARNINGS.XAPI.REQUIRED"));
            }
            if !text("HolidayPrompt").is_empty() {
                return Err(refused(400, "HolidayPrompt", "WARNINGS.XAPI.NOT_FOUND"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Holds a row against the rules and brings it into the form it reads back in.
pub fn settle(
    store: &mut Store,
    set: &Set,
    row: &mut Value,
    change: Option<(&Value, &Map<String, Value>)>,
) -> Result<(), Refusal> {
    // What is not sent is not looked at: a dead reference elsewhere in the row stands in nobody's way.
    let is_sent = |name: &str| change.is_none_or(|(_, body)| body.contains_key(name));
    if let Some(fields) = row.as_object() {
        let mut sent = fields.iter().filter(|(name, _)| is_sent(name));
        sent.try_for_each(|(_, value)| destinations(store, value))?;
    }
    match set.name {
        "Users" => user(store, row, change.map(|(_, body)| body))?,
        "Groups" => unique(store, set, row, "Name")?,
        "RingGroups" if is_sent("Members") => members(store, row, &["Members"])?,
        "Queues" => {
            for list in ["Agents", "Managers"].into_iter().filter(|list| is_sent(list)) {
                members(store, row, &[list])?;
            }
        }
        "Receptionists" => receptionist(store, row, is_sent("Forwards"))?,
        "Trunks" => trunk(store, row)?,
        "InboundRules" => inbound(store, row)?,
        "OutboundRules" => outbound(store, row, is_sent("Routes"))?,
        "Contacts" => contact(store, row)?,
        "Sbcs" if row["Name"].as_str().is_none_or(|name| name.is_empty() || name.len() > 12) => {
            return Err(refused(400, "Name", "WARNINGS.STRING_TOO_LONG"));
        }
        "Holidays" => {
            let group = row["Group"].as_str().unwrap_or_default();
            if store.by_number(group).is_none_or(|(set, _)| set != "Groups") {
                return Err(refused(400, "Group", "WARNINGS.XAPI.NOT_FOUND"));
            }
            let last = row["TimeOfEndDate"] == "PT23H59M59S";
            row["TimeOfEndDate"] = if last { json!("PT23H59M59S") } else { row["TimeOfEndDate"].clone() };
        }
        _ => {}
    }
    if set.name != "Users" && is_sent("Groups") {
        groups_of(store, row)?;
    }
    read_back(row);
    Ok(())
}

/// Times of day get a fraction.
fn read_back(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(read_back),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::String(text)
                        if matches!(name.as_str(), "Start" | "Stop") && !text.contains('.') =>
                    {
                        text.push_str(".0000000");
                    }
                    value => read_back(value),
                }
            }
        }
        _ => {}
    }
}

fn unique(store: &Store, set: &Set, row: &Value, property: &str) -> Result<(), Refusal> {
    if row[property].as_str().is_none_or(str::is_empty) {
        return Err(refused(400, property, "WARNINGS.XAPI.REQUIRED"));
    }
    let twin = |other: &Value| other[set.key] != row[set.key] && other[property] == row[property];
    if store.rows(set.name).any(twin) {
        Err(refused(400, property, "WARNINGS.XAPI.ALREADY_IN_USE"))
    } else {
        Ok(())
    }
}

/// Every destination must lead to somebody.
fn destinations(store: &Store, value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| destinations(store, item)),
        Value::Object(fields) => {
            let to = fields.get("To").and_then(Value::as_str).unwrap_or_default().to_owned();
            let number = fields.get("Number").and_then(Value::as_str).unwrap_or_default();
            let wanted = match to.as_str() {
                "Extension" | "VoiceMail" => Some("Users"),
                "RingGroup" => Some("RingGroups"),
                "Queue" => Some("Queues"),
                "IVR" => Some("Receptionists"),
                _ => None,
            };
            if let Some(wanted) = wanted {
                match store.by_number(number) {
                    Some((set, _)) if set == wanted => {}
                    _ => return Err(refused(400, "Number", "WARNINGS.XAPI.NOT_FOUND")),
                }
            }
            fields.values().try_for_each(|value| destinations(store, value))
        }
        _ => Ok(()),
    }
}

/// Members are kept with number and name.
fn members(store: &Store, row: &mut Value, lists: &[&str]) -> Result<(), Refusal> {
    for list in lists {
        let Some(items) = row[*list].as_array_mut() else { continue };
        for item in items {
            let number = item["Number"].as_str().unwrap_or_default().to_owned();
            let Some(("Users", user)) = store.by_number(&number) else {
                return Err(refused(400, list, "WARNINGS.XAPI.NON_EXISTENT_EXT_NUMBER"));
            };
            item["Id"] = user["Id"].clone();
            item["Name"] = user["FirstName"].clone();
        }
    }
    Ok(())
}

/// Memberships lead to departments; stale ids are refused.
fn groups_of(store: &Store, row: &mut Value) -> Result<(), Refusal> {
    let Some(groups) = row["Groups"].as_array_mut() else { return Ok(()) };
    for group in groups {
        let id = group["GroupId"].as_i64().unwrap_or_default().to_string();
        let Some(found) = store.row("Groups", &id) else {
            return Err(refused(400, "Groups", "WARNINGS.XAPI.NOT_FOUND"));
        };
        group["Number"] = found["Number"].clone();
        group["Name"] = found["Name"].clone();
    }
    Ok(())
}

fn user(store: &mut Store, row: &mut Value, change: Option<&Map<String, Value>>) -> Result<(), Refusal> {
    let id = row["Id"].clone();
    let is_sent = |name: &str| change.is_none_or(|body| body.contains_key(name));
    if let Some(mail) = row["EmailAddress"].as_str().map(str::to_lowercase).filter(|mail| !mail.is_empty()) {
        let own = |other: &&Value| other["Id"] != id;
        let taken =
            |other: &Value| other["EmailAddress"].as_str().is_some_and(|one| one.to_lowercase() == mail);
        if store.rows("Users").filter(own).any(taken) {
            return Err(refused(400, "EmailAddress", "WARNINGS.XAPI.ALREADY_IN_USE"));
        }
    }
    if change.is_none() {
        let group = store.rows("Groups").find(|group| group["IsDefault"] == true);
        let group = group.map(|group| group["Id"].clone()).unwrap_or_default();
        row["Groups"] = json!([{"GroupId": group, "Rights": {"RoleName": "users"}}]);
        row["PrimaryGroupId"] = group;
        row["ForwardingProfiles"] =
            PROFILES.iter().map(|name| profile(store.next_id(), name, &row["Number"])).collect();
    }
    if is_sent("Groups") {
        groups_of(store, row)?;
    }
    let primary = row["PrimaryGroupId"].clone();
    let member =
        row["Groups"].as_array().is_some_and(|groups| groups.iter().any(|group| group["GroupId"] == primary));
    if !member {
        return Err(refused(400, "PrimaryGroupId", "WARNINGS.XAPI.NOT_FOUND"));
    }
    if is_sent("Phones") { phones(store, row) } else { Ok(()) }
}

/// A new profile: messages to the own mailbox.
fn profile(id: i64, name: &str, number: &Value) -> Value {
    let mailbox = || json!({"To": "VoiceMail", "Number": "", "External": ""});
    let mut profile = json!({"Id": id, "Name": name, "CustomName": "", "NoAnswerTimeout": 20,
    "AcceptMultipleCalls": true,
        "RingMyMobile": false, "DisableRingGroupCalls": false, "BlockPushCalls": false, "CustomMessage": ""});
    let _ = number;
    let own = |mut to: Value| {
        to["To"] = json!("None");
        to
    };
    if matches!(name, "Away" | "Out of office") {
        profile["AwayRoute"] = json!({"AllHoursExternal": true, "AllHoursInternal": true, "External": own(mailbox()),
            "Internal": own(mailbox())});
    } else {
        profile["AvailableRoute"] = json!({"BusyAllCalls": false, "BusyExternal": own(mailbox()),
        "BusyInternal": own(mailbox()),
            "NoAnswerAllCalls": false, "NoAnswerExternal": own(mailbox()), "NoAnswerInternal": own(mailbox()),
            "NotRegisteredAllCalls": false, "NotRegisteredExternal": own(mailbox()),
            "NotRegisteredInternal": own(mailbox())});
    }
    profile
}

/// Phones have a MAC of their own and a template; a phone that carries others must be able to.
fn phones(store: &mut Store, row: &mut Value) -> Result<(), Refusal> {
    let id = row["Id"].clone();
    let mut list = row["Phones"].as_array().cloned().unwrap_or_default();
    for phone in &mut list {
        let mac = phone["MacAddress"].as_str().unwrap_or_default().to_uppercase();
        if mac.len() != 12 || !mac.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused(400, "MacAddress", "WARNINGS.INVALID"));
        }
        let taken = store.rows("Users").filter(|user| user["Id"] != id).any(|user| {
            user["Phones"]
                .as_array()
                .is_some_and(|phones| phones.iter().any(|other| other["MacAddress"] == mac))
        });
        if taken {
            return Err(refused(400, "MacAddress", "WARNINGS.MAC_ADDRESS_ALREADY_IN_USE"));
        }
        let template = store.row("PhoneTemplates", phone["TemplateName"].as_str().unwrap_or_default());
        let models = template.and_then(|template| template["Models"].as_array().cloned()).unwrap_or_default();
        let Some(model) =
            models.iter().find(|model| model["Name"] == phone["Name"] && model["AddAllowed"] == true)
        else {
            return Err(refused(400, "TemplateName", "WARNINGS.XAPI.NOT_FOUND"));
        };
        let settings = &phone["Settings"];
        if settings["IsSBC"] == true && model["CanBeSBC"] != true {
            return Err(refused(400, "IsSBC", "WARNINGS.INVALID"));
        }
        let behind = settings["SbcName"].as_str().unwrap_or_default().to_owned();
        if settings["ProvisionType"] == "SBC"
            && settings["IsSBC"] != true
            && store.row("Sbcs", &behind).is_none()
        {
            return Err(refused(400, "SbcName", "WARNINGS.XAPI.NOT_FOUND"));
        }
        phone["MacAddress"] = mac.into();
        if phone["Id"].is_null() {
            phone["Id"] = store.next_id().into();
        }
        phone["ProvisioningLinkExt"] = json!("https://pbx.invalid/provisioning/secret-of-a-phone");
    }
    row["Phones"] = list.into();
    Ok(())
}

fn receptionist(store: &mut Store, row: &mut Value, is_sent: bool) -> Result<(), Refusal> {
    let prompt = row["PromptFilename"].as_str().unwrap_or_default();
    if !prompt.is_empty() && store.row("CustomPrompts", prompt).is_none() {
        return Err(refused(400, "PromptFilename", "WARNINGS.XAPI.NOT_FOUND"));
    }
    let mut forwards = row["Forwards"].as_array().cloned().unwrap_or_default();
    for forward in &mut forwards {
        let number = forward["ForwardDN"].as_str().unwrap_or_default();
        let free = matches!(forward["ForwardType"].as_str(), Some("EndCall" | "CallByName" | "RepeatPrompt"));
        if is_sent && !free && store.by_number(number).is_none() {
            return Err(refused(400, "ForwardDN", "WARNINGS.XAPI.NOT_FOUND"));
        }
        if forward["Id"].is_null() {
            forward["Id"] = store.next_id().into();
        }
    }
    row["Forwards"] = forwards.into();
    Ok(())
}

fn trunk(store: &Store, row: &mut Value) -> Result<(), Refusal> {
    if let Some(password) = row.get("AuthPassword").filter(|value| !value.is_null())
        && password["Value"].is_string()
    {
        row["AuthPassword"] = json!({"Concealed": true});
    }
    let id = row["Id"].clone();
    let taken = |did: &Value| {
        let has = |trunk: &Value| trunk["DidNumbers"].as_array().is_some_and(|dids| dids.contains(did));
        store.rows("Trunks").filter(|other| other["Id"] != id).any(has)
    };
    if row["DidNumbers"].as_array().is_some_and(|dids| dids.iter().any(taken)) {
        return Err(refused(400, "DidNumbers", "WARNINGS.XAPI.ALREADY_IN_USE"));
    }
    Ok(())
}

fn inbound(store: &Store, row: &mut Value) -> Result<(), Refusal> {
    let id = row["TrunkDN"]["Id"].as_i64().unwrap_or_default().to_string();
    let Some(trunk) = store.row("Trunks", &id) else {
        return Err(refused(400, "TrunkDN", "WARNINGS.XAPI.NOT_FOUND"));
    };
    row["TrunkDN"] = json!({"Id": trunk["Id"], "Number": trunk["Number"], "Name": trunk["Gateway"]["Name"],
    "Type": "ExternalLine"});
    Ok(())
}

/// A contact has a name and a number.
fn contact(store: &Store, row: &mut Value) -> Result<(), Refusal> {
    if !store.keeps_tags {
        row["Tag"] = Value::Null;
    }
    let any =
        |names: &[&str]| names.iter().any(|name| row[*name].as_str().is_some_and(|text| !text.is_empty()));
    if !any(&["FirstName", "LastName", "CompanyName"]) {
        return Err(refused(400, "FirstName", "WARNINGS.CONTACTS_SPECIFY_NAME_SURNAME_COMPANY"));
    }
    let numbers =
        ["PhoneNumber", "Mobile2", "Home", "Business", "Business2", "BusinessFax", "Other", "Pager"];
    if any(&numbers) {
        Ok(())
    } else {
        Err(refused(400, "PhoneNumber", "WARNINGS.CONTACTS_SPECIFY_PHONE_NUMBER"))
    }
}

/// Routes read back as five, prefixes as ranges, a single extension without its end.
fn outbound(store: &Store, row: &mut Value, is_sent: bool) -> Result<(), Refusal> {
    let empty = json!({"TrunkId": -1, "TrunkName": "", "StripDigits": 0, "Prepend": "", "Append": "", "CallerID": ""});
    let mut routes = row["Routes"].as_array().cloned().unwrap_or_default();
    if routes.len() > 5 {
        return Err(refused(400, "Routes", "WARNINGS.XAPI.OUT_OF_THE_RANGE"));
    }
    for route in &mut routes {
        let id = route["TrunkId"].as_i64().unwrap_or(-1);
        if id != -1 && is_sent {
            let trunk = store.row("Trunks", &id.to_string());
            let Some(trunk) = trunk else { return Err(refused(400, "TrunkId", "WARNINGS.XAPI.NOT_FOUND")) };
            route["TrunkName"] = trunk["Gateway"]["Name"].clone();
        }
    }
    routes.resize(5, empty);
    row["Routes"] = routes.into();
    row["Prefix"] = compacted(row["Prefix"].as_str().unwrap_or_default()).into();
    for range in row["DNRanges"].as_array_mut().into_iter().flatten() {
        if range["From"] == range["To"]
            && let Some(fields) = range.as_object_mut()
        {
            fields.remove("To");
        }
    }
    let known = |id: &Value| store.row("Groups", &id.to_string()).is_some();
    if row["GroupIds"].as_array().is_some_and(|ids| !ids.iter().all(known)) {
        return Err(refused(400, "GroupIds", "WARNINGS.XAPI.NOT_FOUND"));
    }
    if row["Priority"].is_null() {
        row["Priority"] = (store.count("OutboundRules") + 1).into();
    }
    Ok(())
}

/// `118,119` as `118-119`.
fn compacted(prefix: &str) -> String {
    let mut parts: Vec<(String, Option<String>)> = Vec::new();
    for part in prefix.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let follows = parts.last().is_some_and(|(first, last)| {
            let end = last.as_ref().unwrap_or(first);
            end.len() == part.len() && end.parse().ok().map(|end: u64| end + 1) == part.parse().ok()
        });
        match parts.last_mut() {
            Some((_, last)) if follows => *last = Some(part.to_owned()),
            _ => parts.push((part.to_owned(), None)),
        }
    }
    let spelt = |(first, last): (String, Option<String>)| match last {
        Some(last) => format!("{first}-{last}"),
        None => first,
    };
    parts.into_iter().map(spelt).collect::<Vec<_>>().join(",")
}

/// What comes along with a new row.
pub fn after_create(store: &mut Store, set: &Set, row: &Value) {
    if set.name != "Trunks" {
        return;
    }
    // Each trunk comes with a rule for all calls that no other takes.
    let id = store.next_id();
    let peer = json!({"Id": row["Id"], "Number": row["Number"], "Name": row["Gateway"]["Name"],
    "Type": "ExternalLine"});
    let rule = json!({"Id": id, "RuleName": "", "Condition": "ForwardAll", "Data": "", "CallType": "AllCalls",
    "TrunkDN": peer,
        "Hours": {"Type": "OfficeHours", "IgnoreHolidays": false, "Periods": []},
        "OfficeHoursDestination": {"To": "None"}, "AlterDestinationDuringOutOfOfficeHours": false,
        "AlterDestinationDuringHolidays": false});
    if let Some(rules) = super::store::set_of("InboundRules") {
        store.put(rules, rule);
    }
}

/// Whether a row may go.
pub fn may_delete(store: &Store, set: &Set, row: &Value) -> Result<(), Refusal> {
    match set.name {
        "Users" if row["Number"] == super::OPERATOR => {
            Err(refused(400, "", "WARNINGS.OPERATOR_CANNOT_BE_DELETED"))
        }
        "Groups" => {
            let in_it = |user: &Value| {
                user["Groups"]
                    .as_array()
                    .is_some_and(|groups| groups.iter().any(|group| group["GroupId"] == row["Id"]))
            };
            if row["IsDefault"] == true || store.rows("Users").any(in_it) {
                return Err(refused(400, "", "WARNINGS.GROUP_WITH_MEMBERS_CANNOT_BE_DELETED"));
            }
            Ok(())
        }
        "Trunks" => {
            let bound = |rule: &Value| {
                rule["EmergencyRule"] == true
                    && rule["Routes"]
                        .as_array()
                        .is_some_and(|routes| routes.iter().any(|route| route["TrunkId"] == row["Id"]))
            };
            if store.rows("OutboundRules").any(bound) {
                return Err(refused(400, "", "WARNINGS.CANNOT_DELETE_TRUNKS_BINDED_ERMERGENCY_NUMBER"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
