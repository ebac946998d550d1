//! `pbx csv`: the list of users as the vendor's console imports it.

use std::collections::BTreeMap;

use crate::place::Place;
use crate::{FILE, office, row, writes};

/// The vendor's columns, in the order its page on importing extensions in bulk gives them.
const COLUMNS: &str = "Number,FirstName,LastName,EmailAddress,MobileNumber,OutboundCallerID,DID,Role,Department,\
    ClickToCallAuth,WMApprove,WebMeetingFriendlyName,MAC,Template,Model,Router,Language,Ringtone,QRingtone,VMEnable,\
    VMLanguage,VMPlayMsgDateTime,VMPIN,VMEmailOptions,VMNoPin,VMPlayCallerID,RecordCalls,RecordExternal,RecordCanSee,\
    RecordCanDelete,RecordStartStop,RecordNotify,Disabled,HideFWrules,DisableExternalCalls,HideInPhonebook,\
    CallScreening,PinProtected,PinTimeout,Transcription,AllowLanOnly,SIPID,DeliverAudio,HotDesk,SRTPMode,\
    EmailMissedCalls,MS365SignInDisabled,MS365CalendarDisabled,MS365ContactsDisabled,MS365TeamsDisabled,\
    GoogleSignInDisabled,GoogleContactsDisabled,GoogleCalendarDisabled,BLF";

type Row = BTreeMap<String, String>;

/// The rows of a list by number, read by a CSV parser.
fn rows(csv: &str) -> BTreeMap<String, Row> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join(","), COLUMNS);
    assert_eq!(reader.headers().unwrap().len(), 54);
    let rows: Vec<Row> = reader.deserialize().map(|row| row.unwrap()).collect();
    rows.into_iter().map(|row| (row["Number"].clone(), row)).collect()
}

/// What a row holds, without the columns that are empty.
fn filled(row: &Row) -> Vec<(&str, &str)> {
    COLUMNS.split(',').map(|name| (name, row[name].as_str())).filter(|(_, text)| !text.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_extension_is_a_row_in_the_vendors_columns() {
    let place = Place::whole().await;
    let ran = place.rocade(&["pbx", "csv", "head-office"]).ended(0);
    let rows = rows(&ran.out);
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["101", "102", "103", "104", "190"]);
    let keys = "<PhoneDevice><BLFS><BLF ID=\"LOGGEDINQUEUE\" BLFNo=\"7\" BLFType=\"QueueLogin\" BLFTypeID=\"4\">\
        DEFINED BY ID</BLF><BLF ID=\"-1\" BLFNo=\"8\" BLFType=\"CustomSpeedDial\" BLFTypeID=\"2\">+33123456789\nPool\n\
        </BLF></BLFS></PhoneDevice>";
    assert_eq!(
        filled(&rows["101"]),
        [
            ("Number", "101"),
            ("FirstName", "Ada"),
            ("LastName", "Example"),
            ("EmailAddress", "ada@example.net"),
            ("MobileNumber", "+33612345678"),
            ("DID", "+33123456701"),
            ("Role", "<role name=\"managers\" />"),
            ("Department", "Sales"),
            ("MAC", "805EC0000001"),
            ("Template", "yealinkT5x.ph.xml"),
            ("Model", "Yealink T54W"),
            ("VMEnable", "1"),
            ("VMEmailOptions", "2"),
            ("RecordCalls", "1"),
            ("RecordExternal", "1"),
            ("RecordStartStop", "1"),
            ("BLF", keys),
        ]
    );
    assert_eq!(
        filled(&rows["190"]),
        [
            ("Number", "190"),
            ("FirstName", "Shared"),
            ("LastName", "Mailbox"),
            ("EmailAddress", "office@example.net"),
            ("Role", "<role name=\"users\" />"),
            ("Department", "DEFAULT"),
            ("VMEnable", "1"),
            ("VMEmailOptions", "3"),
        ]
    );
    assert!(ran.err.contains("extension 101: 3 of 5 keys need ids of the PBX"), "{}", ran.err);
    assert!(ran.err.contains("voicemail PINs are left out"), "{}", ran.err);
    // Nobody was asked.
    assert!(place.device("head-office").log().entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_says_where_it_stands_in_the_column_router() {
    let place = Place::whole().await;
    let behind = "model: yealink-t41s, mac: 80:5e:c0:00:00:04, behind: 80:5e:c0:00:00:03}";
    place.edit(FILE, "model: yealink-t41s, mac: 80:5e:c0:00:00:04}", behind);
    let rows = rows(&place.rocade(&["pbx", "csv", "head-office"]).ended(0).out);
    let router = |number: &str| rows[number]["Router"].as_str();
    assert_eq!(router("101"), "", "in the PBX's own network");
    assert_eq!(router("102"), "paris01", "behind an SBC");
    assert_eq!(router("103"), "805EC0000003", "a router phone is its own");
    assert_eq!(router("104"), "805EC0000003", "behind a router phone");
    assert_eq!(rows["102"]["Template"], "yealinkT4x.ph.xml");
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_are_written_when_that_is_said_into_a_file_of_the_owners() {
    let place = Place::whole().await;
    let file = place.file("users.csv");
    let out = file.to_str().unwrap();
    let ran = place.rocade(&["pbx", "csv", "head-office", "--out", out, "--with-secrets"]).ended(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(rows(&text)["101"]["VMPIN"], "2468013579");
    assert_eq!(text.matches("2468013579").count(), 1);
    assert!(ran.out.is_empty() && !ran.err.contains("2468013579"), "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("5 extensions are in"), "{}", ran.err);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    place.rocade(&["pbx", "csv", "nobody"]).ended(1);
}

/// What stands on the PBX as it is wished, whoever made it, is no write and needs no accepting.
#[tokio::test(flavor = "multi_thread")]
async fn phones_that_are_there_are_not_objected_to() {
    let place = office().await;
    place.edit(FILE, "    accept_unverified: [phones, router_phones, shared_voicemail, sbc_hosts]\n", "");
    assert_eq!(crate::planned(&place), [""; 0]);
    place.edit(FILE, "last_name: Example", "last_name: Sample");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_pbx_gives_the_ids_of_keys() {
    let place = office().await;
    let ran = place.rocade(&["pbx", "csv", "head-office", "--live"]).ended(0);
    let rows = rows(&ran.out);
    for number in ["101", "102"] {
        let live = row(&place, "Users", "Number", number)["Blfs"].clone();
        assert_eq!(rows[number]["BLF"], live.as_str().unwrap(), "{number}");
    }
    assert!(!ran.err.contains("left out:") && !ran.err.contains("need ids"), "{}", ran.err);
    assert_eq!(writes(&place), [""; 0]);
    // A key for somebody the PBX does not have is left out and said.
    place.edit(FILE, "blf: [101]", "blf: [101, {parking: SP9}]");
    let ran = place.rocade(&["pbx", "csv", "head-office", "--live"]).ended(0);
    assert!(
        ran.err.contains("extension 102: left out: key 3: the PBX has no parking place SP9"),
        "{}",
        ran.err
    );
}
