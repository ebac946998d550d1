//! Extensions (XAPI: users). A POST takes the basics only; departments, mailbox, forwarding, phones and keys
//! follow in one PATCH.

use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain,
};
use super::{Words, word_in, word_of};
use crate::inventory::{At, Extension, RecordedCalls, Role, VoicemailEmail};
use crate::model::{Fields, Value};

mod blf;
mod forwarding;
mod phones;
pub mod user_list;

pub struct Extensions;

const PLAIN: &Plain = &[
    ("first_name", "FirstName"),
    ("last_name", "LastName"),
    ("email", "EmailAddress"),
    ("mobile", "Mobile"),
    ("caller_id", "OutboundCallerID"),
    ("enabled", "Enabled"),
    ("two_factor", "Require2FA"),
    ("hide_in_phonebook", "HideInPhonebook"),
];
/// Those of [`PLAIN`] that a POST takes.
const BASICS: usize = 3;
const VOICEMAIL: &Plain = &[("enabled", "VMEnabled"), ("play_caller_id", "VMPlayCallerID")];
const RECORDING: &Plain = &[
    ("may_control", "AllowOwnRecordings"),
    ("may_see", "MyPhoneShowRecordings"),
    ("may_delete", "MyPhoneAllowDeleteRecordings"),
];
/// Known from 20.0.10 on.
const FORBID: &Plain = &[("forbid", "ForbidRecording")];
const EMAIL: &Words<VoicemailEmail> = &[
    (VoicemailEmail::None, "none", "None"),
    (VoicemailEmail::Notification, "notification", "Notification"),
    (VoicemailEmail::Attachment, "attachment", "Attachment"),
    (VoicemailEmail::AttachmentAndDelete, "attachment_and_delete", "AttachmentAndDelete"),
];
const CALLS: &[(RecordedCalls, &str)] =
    &[(RecordedCalls::None, "none"), (RecordedCalls::External, "external"), (RecordedCalls::All, "all")];
const ROLES: &[(Role, &str)] = &[
    (Role::Users, "users"),
    (Role::Receptionists, "receptionists"),
    (Role::Supervisors, "supervisors"),
    (Role::GroupAdmins, "group_admins"),
    (Role::Managers, "managers"),
    (Role::GroupOwners, "group_owners"),
    (Role::SystemAdmins, "system_admins"),
    (Role::SystemOwners, "system_owners"),
];
/// The switch that makes the profile follow the hours.
const FOLLOW: &str = "AutoSwitchProfiles";

impl Kind for Extensions {
    fn collection(&self) -> &'static str {
        "extension"
    }

    fn set(&self) -> &'static str {
        "Users"
    }

    /// A phone's settings hold a secret of the phone too; it is dropped unread. Finer choices within them were
    /// never seen to work.
    fn query(&self, patch: Patch) -> String {
        let query = "$select=Id,Number,FirstName,LastName,EmailAddress,Mobile,OutboundCallerID,Enabled,Require2FA,\
         HideInPhonebook,VMEnabled,VMPlayCallerID,VMEmailOptions,RecordCalls,RecordExternalCallsOnly,\
         AllowOwnRecordings,MyPhoneShowRecordings,MyPhoneAllowDeleteRecordings,PrimaryGroupId,OfficeHoursProps,Blfs\
         &$expand=Groups($select=GroupId,Rights,GroupRights),ForwardingProfiles,\
         Phones($select=Id,MacAddress,Name,TemplateName,Interface,Settings)";
        if patch >= 10 { query.replacen("Blfs", "Blfs,ForbidRecording", 1) } else { query.to_owned() }
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (number, one) in &pbx.extensions.entries {
            let mut form = Form::new(&one.place);
            wish_person(&mut form, one);
            wish_groups(&mut form, one);
            if let Some(voicemail) = &one.voicemail {
                let mut part = Form::default();
                part.option("enabled", voicemail.enabled.as_ref(), |enabled| (*enabled).into());
                part.option("email", voicemail.email.as_ref(), |email| word_in(EMAIL, *email));
                part.option("play_caller_id", voicemail.play_caller_id.as_ref(), |play| (*play).into());
                form.at("voicemail", &voicemail.place, Value::Map(part.fields));
                if let Some(pin) = &voicemail.pin {
                    wishing.secret(&mut form, "voicemail_pin", pin);
                }
            }
            if let Some(recording) = &one.recording {
                let mut part = Form::default();
                part.set("calls", word_of(CALLS, recording.calls));
                part.option("may_control", recording.may_control.as_ref(), |may| (*may).into());
                part.option("may_see", recording.may_see.as_ref(), |may| (*may).into());
                part.option("may_delete", recording.may_delete.as_ref(), |may| (*may).into());
                part.option("forbid", recording.forbid.as_ref(), |forbid| (*forbid).into());
                form.at("recording", &recording.place, Value::Map(part.fields));
            }
            form.option_at("forwarding", one.forwarding.as_ref(), forwarding::wish);
            form.option("follow_hours", one.follow_hours.as_ref(), |follow| (*follow).into());
            form.option("phones", one.phones.as_ref(), |wished| phones::wish(wished));
            form.option("blf", one.blf.as_ref(), |keys| blf::wish(keys));
            let last = one.last_name.as_deref().unwrap_or_default();
            wishing.add("extension", number, form, format!("{} {last}", one.first_name).trim_end());
        }
    }

    /// Hot-desking places are users to XAPI and have numbers that begin with `HD`: they have phones, and are the
    /// system's.
    fn identify(&self, entity: &Json, _directory: &Directory) -> Option<Identity> {
        let number = entity["Number"].as_str()?;
        let system = !number.bytes().all(|byte| byte.is_ascii_digit());
        Identity::numbered(number.to_owned(), entity).map(|identity| Identity { system, ..identity })
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        see_groups(entity, directory, &mut fields);
        let mut voicemail = Fields::new();
        see_plain(VOICEMAIL, entity, &mut voicemail);
        super::see_word(EMAIL, entity, "VMEmailOptions", "email", &mut voicemail);
        fields.insert("voicemail".to_owned(), Value::Map(voicemail));
        let mut recording = Fields::new();
        see_plain(RECORDING, entity, &mut recording);
        let calls = match (entity["RecordCalls"] == true, entity["RecordExternalCallsOnly"] == true) {
            (false, _) => "none",
            (true, true) => "external",
            (true, false) => "all",
        };
        recording.insert("calls".to_owned(), calls.into());
        recording.insert("forbid".to_owned(), (entity["ForbidRecording"] == true).into());
        fields.insert("recording".to_owned(), Value::Map(recording));
        fields.insert("forwarding".to_owned(), forwarding::see(&entity["ForwardingProfiles"]));
        let switches = entity["OfficeHoursProps"].as_array();
        let follows = switches.is_some_and(|switches| switches.iter().any(|switch| switch == FOLLOW));
        fields.insert("follow_hours".to_owned(), follows.into());
        fields.insert("phones".to_owned(), phones::see(&entity["Phones"]));
        fields.insert("blf".to_owned(), blf::see(entity["Blfs"].as_str().unwrap_or_default(), directory));
        fields
    }

    fn create(&self, name: &str, wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        let mut body = Map::from_iter([("Number".to_owned(), name.into())]);
        put_plain(&PLAIN[..BASICS], wished, &mut body);
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["first_name", "last_name", "email"]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(PLAIN, fields, &mut body);
        if ["department", "role", "also_in"].iter().any(|field| fields.contains_key(*field)) {
            put_groups(fields, entity, directory, &mut body)?;
        }
        if let Some(Value::Map(voicemail)) = fields.get("voicemail") {
            put_plain(VOICEMAIL, voicemail, &mut body);
            super::put_word(EMAIL, voicemail, "email", "VMEmailOptions", &mut body);
        }
        if let Some(pin) = fields.get("voicemail_pin") {
            body.insert("VMPIN".to_owned(), forms::json(pin));
        }
        if let Some(Value::Map(recording)) = fields.get("recording") {
            put_plain(RECORDING, recording, &mut body);
            put_plain(FORBID, recording, &mut body);
            let calls = recording.get("calls").and_then(Value::as_text).unwrap_or("none");
            body.insert("RecordCalls".to_owned(), json!(calls != "none"));
            body.insert("RecordExternalCallsOnly".to_owned(), json!(calls == "external"));
        }
        if let Some(wished) = fields.get("forwarding") {
            let profiles = forwarding::write(wished, &entity["ForwardingProfiles"])?;
            body.insert("ForwardingProfiles".to_owned(), profiles);
        }
        if let Some(Value::Bool(follow)) = fields.get("follow_hours") {
            let mut switches = entity["OfficeHoursProps"].as_array().cloned().unwrap_or_default();
            switches.retain(|switch| switch != FOLLOW);
            if *follow {
                switches.push(json!(FOLLOW));
            }
            body.insert("OfficeHoursProps".to_owned(), switches.into());
        }
        if let Some(wished) = fields.get("phones") {
            body.insert("Phones".to_owned(), phones::write(wished, &entity["Phones"], directory)?);
        }
        if let Some(keys) = fields.get("blf") {
            body.insert("Blfs".to_owned(), json!(blf::write(keys, directory)?));
        }
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Groups" | "PrimaryGroupId" => Some("department"),
            "VMPIN" => Some("voicemail_pin"),
            "ForwardingProfiles" => Some("forwarding"),
            "Phones" | "MacAddress" | "TemplateName" | "SbcName" | "IsSBC" => Some("phones"),
            "Blfs" => Some("blf"),
            _ if field_in(VOICEMAIL, property).is_some() || property == "VMEmailOptions" => Some("voicemail"),
            _ if field_in(RECORDING, property).is_some() || property.starts_with("Record") => {
                Some("recording")
            }
            _ => field_in(PLAIN, property),
        }
    }
}

fn wish_person(form: &mut Form, one: &Extension) {
    form.set("first_name", one.first_name.as_str());
    form.option("last_name", one.last_name.as_ref(), |name| name.as_str().into());
    form.option_at("email", one.email.as_ref(), |email| email.as_str().into());
    form.option_at("mobile", one.mobile.as_ref(), |number| number.0.to_string().into());
    form.option_at("caller_id", one.caller_id.as_ref(), |number| number.0.to_string().into());
    for (field, wished) in [
        ("enabled", one.enabled),
        ("two_factor", one.two_factor),
        ("hide_in_phonebook", one.hide_in_phonebook),
    ] {
        form.option(field, wished.as_ref(), |wished| (*wished).into());
    }
}

/// Departments: the first, the role in it, and the others as `name: role` in order.
fn wish_groups(form: &mut Form, one: &Extension) {
    form.option_at("department", one.department.as_ref(), |name| name.as_str().into());
    form.option("role", one.role.as_ref(), |role| word_of(ROLES, *role));
    form.option("also_in", one.also_in.as_ref(), |others| {
        let other = |(name, role): (&String, &At<Role>)| {
            let role = word_of(ROLES, role.value);
            Value::Text(format!("{name}: {}", role.as_text().unwrap_or_default()))
        };
        Value::List(others.iter().map(other).collect())
    });
}

/// Name of the department and role of a membership; the role is in one of two places.
fn membership<'a>(group: &'a Json, directory: &'a Directory) -> Option<(&'a str, &'a str)> {
    let name = directory.name_of("department", &group["GroupId"])?;
    let role = ["Rights", "GroupRights"].iter().find_map(|place| group[*place]["RoleName"].as_str());
    Some((name, role.unwrap_or("users")))
}

fn see_groups(entity: &Json, directory: &Directory, fields: &mut Fields) {
    let groups = entity["Groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = groups.iter().find(|group| group["GroupId"] == entity["PrimaryGroupId"]).or(groups.first());
    let mut others = Vec::new();
    for group in groups {
        let Some((name, role)) = membership(group, directory) else { continue };
        if primary.is_some_and(|primary| primary["GroupId"] == group["GroupId"]) {
            fields.insert("department".to_owned(), name.into());
            fields.insert("role".to_owned(), role.into());
        } else {
            others.push(format!("{name}: {role}"));
        }
    }
    others.sort();
    fields.insert("also_in".to_owned(), others.into());
}

/// The whole list of memberships: what is wished, and of the rest what was there.
fn put_groups(
    fields: &Fields,
    entity: &Json,
    directory: &Directory,
    body: &mut Map<String, Json>,
) -> Result<(), Unmade> {
    let mut all = Fields::new();
    see_groups(entity, directory, &mut all);
    all.extend(fields.clone());
    let text = |field: &str| all.get(field).and_then(Value::as_text).map(str::to_owned);
    let department = text("department").unwrap_or_else(|| "default".to_owned());
    let id = directory.id("department", &department)?;
    let role = text("role").unwrap_or_else(|| "users".to_owned());
    let mut groups = vec![json!({"GroupId": id, "Rights": {"RoleName": role}})];
    if let Some(Value::List(others)) = all.get("also_in") {
        for (name, role) in others.iter().filter_map(|other| other.as_text()?.split_once(": ")) {
            if name != department {
                let id = directory.id("department", name)?;
                groups.push(json!({"GroupId": id, "Rights": {"RoleName": role}}));
            }
        }
    }
    // The list is replaced whole: groups that are not looked at, such as those of favourites, stay in it.
    for group in entity["Groups"].as_array().into_iter().flatten() {
        if directory.name_of("department", &group["GroupId"]).is_none() && group["GroupId"].is_i64() {
            let role = ["Rights", "GroupRights"].iter().find_map(|place| group[*place]["RoleName"].as_str());
            let role = role.unwrap_or("users");
            groups.push(json!({"GroupId": group["GroupId"], "Rights": {"RoleName": role}}));
        }
    }
    body.insert("Groups".to_owned(), groups.into());
    body.insert("PrimaryGroupId".to_owned(), json!(id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_not_looked_at_stay_when_the_department_changes() {
        let mut directory = Directory::default();
        for (name, key) in [("sales", "7"), ("support", "8")] {
            let (name, key) = (name.to_owned(), key.to_owned());
            directory.learn("department", &Identity { name, key, number: None, system: false });
        }
        let member = |id: i64, role: &str| json!({"GroupId": id, "Rights": {"RoleName": role}});
        let entity = json!({"Groups": [member(7, "users"), member(99, "observers")], "PrimaryGroupId": 7});
        let fields = Fields::from([("department".to_owned(), "support".into())]);
        let body = Extensions.change("101", &fields, &entity, &directory).unwrap();
        assert_eq!(body["Groups"], json!([member(8, "users"), member(99, "observers")]));
    }
}
