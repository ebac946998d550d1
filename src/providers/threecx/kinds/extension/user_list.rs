//! Extensions as the vendor's console imports users from: CSV, its columns in a fixed order, after the vendor's
//! page on importing extensions in bulk. It makes extensions that are not there and changes none; a row holds one
//! phone.
//!
//! A column the inventory has no word for stays empty, so the PBX takes its own. Whether each may be empty is assumed.

mod read;

pub use read::{User, read};

use super::super::super::directory::{Directory, SYSTEM};
use super::{ROLES, blf};
use crate::inventory::{Destination, Extension, Pbx, Phone, PhoneModel, RecordedCalls, Role, VoicemailEmail};
use crate::model::{Key, Observed, Value, Wish};

/// The columns, in order.
const COLUMNS: [&str; 54] = [
    "Number",
    "FirstName",
    "LastName",
    "EmailAddress",
    "MobileNumber",
    "OutboundCallerID",
    "DID",
    "Role",
    "Department",
    "ClickToCallAuth",
    "WMApprove",
    "WebMeetingFriendlyName",
    "MAC",
    "Template",
    "Model",
    "Router",
    "Language",
    "Ringtone",
    "QRingtone",
    "VMEnable",
    "VMLanguage",
    "VMPlayMsgDateTime",
    "VMPIN",
    "VMEmailOptions",
    "VMNoPin",
    "VMPlayCallerID",
    "RecordCalls",
    "RecordExternal",
    "RecordCanSee",
    "RecordCanDelete",
    "RecordStartStop",
    "RecordNotify",
    "Disabled",
    "HideFWrules",
    "DisableExternalCalls",
    "HideInPhonebook",
    "CallScreening",
    "PinProtected",
    "PinTimeout",
    "Transcription",
    "AllowLanOnly",
    "SIPID",
    "DeliverAudio",
    "HotDesk",
    "SRTPMode",
    "EmailMissedCalls",
    "MS365SignInDisabled",
    "MS365CalendarDisabled",
    "MS365ContactsDisabled",
    "MS365TeamsDisabled",
    "GoogleSignInDisabled",
    "GoogleContactsDisabled",
    "GoogleCalendarDisabled",
    "BLF",
];

/// The list.
pub struct UserList {
    /// The CSV.
    pub csv: Vec<u8>,
    /// What is not in it, and what to know of it.
    pub notes: Vec<String>,
}

/// Writes the extensions of the inventory. PINs are written when `secrets` holds them; with the live PBX, ids of keys,
/// templates and the spelling of SBCs are taken from it.
///
/// # Errors
/// When a row cannot be written.
pub fn write(
    pbx: &Pbx,
    secrets: Option<&Wish>,
    live: Option<(&Wish, &Observed)>,
) -> Result<UserList, csv::Error> {
    let directory = live.map(|(wish, observed)| Directory::of(wish, observed));
    let mut making = Making { pbx, secrets, live: directory.is_some(), directory, notes: Vec::new() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for (number, one) in &pbx.extensions.entries {
        let filled = making.row(number, one);
        let cell = |column: &&str| {
            let own = filled.iter().find(|(name, _)| name == column);
            own.map_or("", |(_, text)| text.as_str())
        };
        writer.write_record(COLUMNS.iter().map(cell))?;
    }
    making.general();
    let csv = writer.into_inner().map_err(|failed| csv::Error::from(failed.into_error()))?;
    Ok(UserList { csv, notes: making.notes })
}

struct Making<'a> {
    pbx: &'a Pbx,
    secrets: Option<&'a Wish>,
    live: bool,
    directory: Option<Directory>,
    notes: Vec<String>,
}

/// Columns that hold something.
type Filled = Vec<(&'static str, String)>;

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

impl Making<'_> {
    fn row(&mut self, number: &str, one: &Extension) -> Filled {
        let mut row: Filled = vec![
            ("Number", number.to_owned()),
            ("FirstName", one.first_name.clone()),
            ("LastName", one.last_name.clone().unwrap_or_default()),
            ("EmailAddress", one.email.as_ref().map(|email| email.value.clone()).unwrap_or_default()),
            ("MobileNumber", one.mobile.as_ref().map(|mobile| mobile.0.to_string()).unwrap_or_default()),
            ("OutboundCallerID", one.caller_id.as_ref().map(|id| id.0.to_string()).unwrap_or_default()),
            ("DID", self.dids(number)),
            ("Role", role(one.role.unwrap_or_default())),
            ("Department", self.department(number, one)),
        ];
        self.phone(number, one, &mut row);
        self.voicemail(number, one, &mut row);
        recording(one, &mut row);
        row.extend(one.enabled.map(|enabled| ("Disabled", flag(!enabled))));
        row.extend(one.hide_in_phonebook.map(|hide| ("HideInPhonebook", flag(hide))));
        row.push(("BLF", self.keys(number, one)));
        row
    }

    /// The numbers from outside that ring here at all times or in the hours, one behind the other.
    fn dids(&self, number: &str) -> String {
        let own = |to: &Destination| matches!(to, Destination::Extension(own) if own == number);
        let rules = self.pbx.inbound_rules.values().filter(|rule| own(&rule.to));
        let dids: Vec<String> =
            rules.filter_map(|rule| rule.did.as_ref()).map(|did| did.0.to_string()).collect();
        dids.join(":")
    }

    fn department(&mut self, number: &str, one: &Extension) -> String {
        let Some(name) = &one.department else { return "DEFAULT".to_owned() };
        match self.pbx.departments.get(name.as_str()) {
            Some(department) => department.title.value.clone(),
            None if name.as_str() == "default" => "DEFAULT".to_owned(),
            None => {
                self.notes.push(format!(
                    "extension {number}: the department `{}` is not in the inventory, its title is not known",
                    name.value
                ));
                String::new()
            }
        }
    }

    fn phone(&mut self, number: &str, one: &Extension, row: &mut Filled) {
        let Some((phone, more)) = one.phones.as_deref().and_then(<[_]>::split_first) else { return };
        for other in more {
            self.notes.push(format!(
                "extension {number}: a row holds one phone, {} is left out: add it in the console",
                other.mac.0
            ));
        }
        row.push(("MAC", phone.mac.0.digits().to_owned()));
        row.push(("Template", self.template(phone.model)));
        row.push(("Model", phone.model.name().to_owned()));
        row.push(("Router", self.router(phone)));
    }

    /// Nothing in the PBX's own network, the phone's own address when it carries others, else whom it stands behind.
    fn router(&self, phone: &Phone) -> String {
        if phone.router.as_ref().is_some_and(|router| router.value) {
            return phone.mac.0.digits().to_owned();
        }
        match (&phone.sbc, &phone.behind) {
            (Some(sbc), _) => {
                let key = self.directory.as_ref().and_then(|directory| directory.key("sbc", sbc));
                key.map_or(sbc.value.as_str(), |key| key.trim_matches('\'')).to_owned()
            }
            (None, Some(router)) => router.0.digits().to_owned(),
            (None, None) => String::new(),
        }
    }

    fn template(&mut self, model: PhoneModel) -> String {
        let key = format!("template/{}", model.name());
        match &self.directory {
            Some(directory) => match directory.key(SYSTEM, &key) {
                Some(template) => template.to_owned(),
                None => {
                    self.note(format!(
                        "the PBX has no template for a {}; its import drops the phone",
                        model.name()
                    ));
                    String::new()
                }
            },
            // The first stands in the vendor's page, the second is made after it.
            None => match model {
                PhoneModel::YealinkT41s | PhoneModel::YealinkT46s => "yealinkT4x.ph.xml",
                PhoneModel::YealinkT54w | PhoneModel::YealinkT57w => "yealinkT5x.ph.xml",
            }
            .to_owned(),
        }
    }

    fn voicemail(&mut self, number: &str, one: &Extension, row: &mut Filled) {
        let Some(voicemail) = &one.voicemail else { return };
        row.push(("VMEnable", flag(voicemail.enabled.unwrap_or(true))));
        row.extend(voicemail.email.map(|email| ("VMEmailOptions", email_option(email).to_owned())));
        row.extend(voicemail.play_caller_id.map(|play| ("VMPlayCallerID", flag(play))));
        if voicemail.pin.is_none() {
            return;
        }
        let wish = self.secrets.and_then(|wish| wish.resources.get(&Key::new("extension", number)));
        match wish.and_then(|wish| wish.fields.get("voicemail_pin")) {
            Some(Value::Secret(pin)) => {
                row.push(("VMPIN", String::from_utf8_lossy(pin.reveal()).into_owned()));
            }
            _ => self.note("voicemail PINs are left out; `--with-secrets` writes them, in clear".to_owned()),
        }
    }

    fn keys(&mut self, number: &str, one: &Extension) -> String {
        let Some(keys) = &one.blf else { return String::new() };
        let nobody = Directory::default();
        let directory = self.directory.as_ref().unwrap_or(&nobody);
        let (xml, left) = blf::write_known(&blf::wish(keys), directory);
        match (left.len(), self.live) {
            (0, _) => {}
            (_, true) => self.notes.push(format!("extension {number}: left out: {}", left.join("; "))),
            (count, false) => self.notes.push(format!(
                "extension {number}: {count} of {} keys need ids of the PBX and are left out; `--live` asks for them",
                keys.len()
            )),
        }
        xml
    }

    /// Adds a note once.
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What holds for every list.
    fn general(&mut self) {
        let phones =
            self.pbx.extensions.values().any(|one| one.phones.as_ref().is_some_and(|own| !own.is_empty()));
        if phones && !self.live {
            let note = "the names of the templates are assumed; `--live` takes those of the PBX";
            self.note(note.to_owned());
        }
        self.note(
            "the console makes the extensions that are not there yet and skips the rest; departments, SBCs and \
             trunks with their numbers come first"
                .to_owned(),
        );
        self.note(
            "forwarding, second departments and what was left out are for `rocade apply` after the import"
                .to_owned(),
        );
    }
}

fn role(role: Role) -> String {
    let word = ROLES.iter().find(|(own, _)| *own == role).map_or("users", |(_, word)| word);
    format!("<role name=\"{word}\" />")
}

fn email_option(email: VoicemailEmail) -> &'static str {
    match email {
        VoicemailEmail::None => "0",
        VoicemailEmail::Notification => "1",
        VoicemailEmail::Attachment => "2",
        VoicemailEmail::AttachmentAndDelete => "3",
    }
}

fn recording(one: &Extension, row: &mut Filled) {
    let Some(recording) = &one.recording else { return };
    row.push(("RecordCalls", flag(recording.calls != RecordedCalls::None)));
    row.push(("RecordExternal", flag(recording.calls == RecordedCalls::External)));
    row.extend(recording.may_see.map(|may| ("RecordCanSee", flag(may))));
    row.extend(recording.may_delete.map(|may| ("RecordCanDelete", flag(may))));
    row.extend(recording.may_control.map(|may| ("RecordStartStop", flag(may))));
}
