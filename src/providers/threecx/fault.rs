//! What a PBX refuses, in sentences that name the object, the field and where it was written.

use serde_json::Value as Json;

use super::kind::Kind;
use crate::model::Origin;
use crate::transport::http::HttpFault;

/// A fault of reading, with what to do when that is known.
pub fn read(fault: &HttpFault) -> String {
    let words = match fault {
        HttpFault::Status { status: 403, .. } => {
            "HTTP status 403: the client's role does not allow it; give it System Owner in the DEFAULT department"
                .to_owned()
        }
        HttpFault::Status { body, .. } if !details(body).is_empty() => {
            let said: Vec<String> = details(body).iter().map(|(_, message)| sentence(message)).collect();
            format!("{fault}: {}", said.join("; "))
        }
        _ => fault.to_string(),
    };
    match fault.hint() {
        Some(hint) => format!("{words}; {hint}"),
        None => words,
    }
}

/// A fault of writing an object; the object is named by the line this stands in.
pub fn written(kind: &dyn Kind, origin: &Origin, fault: &HttpFault) -> String {
    let HttpFault::Status { status, body } = fault else { return read(fault) };
    let details = details(body);
    if details.is_empty() {
        let guess = match (*status, kind.collection()) {
            (500, "holiday") => {
                ", with nothing said; a holiday of this name may exist already, in another department"
            }
            (500, _) => ", with nothing said",
            _ => "",
        };
        return format!("HTTP status {status}{guess}{}", place(&origin.whole));
    }
    let said: Vec<String> = details
        .iter()
        .map(|(target, message)| match kind.field_of(target) {
            Some(field) => format!("`{field}` {}{}", sentence(message), place(origin.of(field))),
            None if target.is_empty() => format!("{}{}", sentence(message), place(&origin.whole)),
            None => format!("`{target}` {}{}", sentence(message), place(&origin.whole)),
        })
        .collect();
    said.join("; ")
}

fn place(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// Targets and messages of an error's body.
fn details(body: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let error = &body["error"];
    let listed = error["details"].as_array().into_iter().flatten();
    let mut found: Vec<(String, String)> =
        listed.map(|detail| (text(&detail["target"]), text(&detail["message"]))).collect();
    if found.is_empty() && error["message"].as_str().is_some_and(|message| !message.is_empty()) {
        found.push((String::new(), text(&error["message"])));
    }
    found
}

/// The vendor's codes in words. One that is not known is shown as it is.
fn sentence(message: &str) -> String {
    let words = match message.trim() {
        "WARNINGS.XAPI.ALREADY_IN_USE" | "WARNINGS.XAPI.DUPLICATE" => "is already in use",
        "WARNINGS.XAPI.REQUIRED" | "WARNINGS.XAPI.CAN_NOT_BE_EMPTY_STRING" => "is required",
        "WARNINGS.XAPI.NOT_FOUND" => "leads to something the PBX does not have",
        "WARNINGS.XAPI.NON_EXISTENT_EXT_NUMBER" => "names an extension the PBX does not have",
        "WARNINGS.XAPI.INVALID" | "WARNINGS.INVALID" => "is not accepted",
        "WARNINGS.XAPI.OUT_OF_THE_RANGE" => "is out of the range the PBX allows",
        "WARNINGS.XAPI.FORBIDDEN_CHANGE" => "cannot be changed once it is made: delete it and make it anew",
        "WARNINGS.XAPI.MAC_USED_BY" | "WARNINGS.MAC_ADDRESS_ALREADY_IN_USE" => {
            "holds the MAC address of a phone that belongs to another extension"
        }
        "WARNINGS.XAPI.TOO_MANY_PHONES" => "has more phones than the licence allows",
        "WARNINGS.XAPI.TOO_MANY_TRUNKS" => "is one trunk more than the licence allows",
        "WARNINGS.XAPI.TOO_MANY_SBC" => "is one SBC more than the licence allows",
        "WARNINGS.XAPI.TOO_MANY_PROMPTS" => "is one prompt more than the licence allows",
        "WARNINGS.XAPI.OUTBOUND_RULES_LIMIT_REACHED" => "is one outbound rule more than the licence allows",
        "WARNINGS.LIMIT_REACHED" => "is one more than the licence allows",
        "WARNINGS.XAPI.INVALID_LICENSE_TYPE" => "needs another licence",
        "WARNINGS.XAPI.USER_ROLE_DOWNGRADE" => "would take a role away that this client may not take away",
        "WARNINGS.XAPI.INVALID_TIMEZONE" => "is a time zone the PBX does not know",
        "WARNINGS.GROUP_WITH_MEMBERS_CANNOT_BE_DELETED" => "still has members and cannot be deleted",
        "WARNINGS.CANNOT_BE_DELETED" => "cannot be deleted: something on the PBX may still refer to it",
        "WARNINGS.OPERATOR_CANNOT_BE_DELETED" => "is the operator and cannot be deleted",
        "WARNINGS.CANNOT_DELETE_TRUNKS_BINDED_ERMERGENCY_NUMBER" => {
            "carries a rule for emergency numbers and cannot be deleted before it"
        }
        "WARNINGS.SUPPORTED_MEDIA_FORMAT_WAV" => "is not WAV, PCM, 8 kHz, 16 bit, mono",
        "WARNINGS.STRING_TOO_LONG" => "is too long",
        "WARNINGS.CONTACTS_SPECIFY_NAME_SURNAME_COMPANY" => "needs a name, a surname or a company beside it",
        "WARNINGS.CONTACTS_SPECIFY_PHONE_NUMBER" => "needs a number",
        "The delta field is required." => {
            "was refused: this 3CX does not know one of the fields sent, or its form"
        }
        other => return other.lines().last().unwrap_or(other).chars().take(300).collect(),
    };
    words.to_owned()
}
