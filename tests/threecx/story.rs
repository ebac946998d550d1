//! Wish, apply, nothing left; one thing turned is one write; what is taken out is handled as the inventory says.

use serde_json::json;

use crate::{FILE, office, pbx, place::Place, planned, row, writes};

#[tokio::test(flavor = "multi_thread")]
async fn planning_an_empty_pbx_shows_all_and_writes_nothing() {
    let place = Place::whole().await;
    let changes = planned(&place);
    let mut collections: Vec<&str> =
        changes.iter().map(|change| change.split(": ").nth(1).unwrap().split(' ').next().unwrap()).collect();
    collections.dedup();
    assert_eq!(
        collections,
        [
            "prompt",
            "department",
            "extension",
            "sbc",
            "ivr",
            "queue",
            "ring_group",
            "holiday",
            "trunk",
            "caller_rule",
            "inbound_rule",
            "outbound_rule",
            "live_chat",
            "contact",
            "phonebook"
        ]
    );
    // The settings of the phonebook are there on every PBX.
    let (settings, rest) = changes.split_last().unwrap();
    assert_eq!(settings, "update pbx head-office: phonebook settings");
    assert!(rest.iter().all(|change| change.starts_with("create ")), "{changes:#?}");
    assert_eq!(writes(&place), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_made_and_nothing_is_left_to_write() {
    let place = office().await;
    assert_eq!(planned(&place), [""; 0]);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(place.writes(), [""; 0]);
    // Cycles: ring group to ring group to queue, IVR to IVR and back.
    assert_eq!(row(&place, "RingGroups", "Number", "800")["ForwardNoAnswer"]["Number"], "801");
    assert_eq!(row(&place, "Receptionists", "Number", "901")["Forwards"][1]["ForwardDN"], "900");
    // The key watches the extension the PBX knows by this id.
    let blf = row(&place, "Users", "Number", "101")["Blfs"].as_str().unwrap().to_owned();
    let watched = row(&place, "Users", "Number", "102")["Id"].clone();
    assert!(blf.contains(&format!("<BLF ID=\"{watched}\" BLFNo=\"2\"")), "{blf}");
    // Each phone was told once.
    let mut told = pbx(&place).reprovisioned();
    told.sort();
    assert_eq!(told, ["805EC0000001", "805EC0000002", "805EC0000003", "805EC0000004"]);
}

/// One thing turned, what the plan then holds, and what is written.
struct Turn {
    what: &'static str,
    from: &'static str,
    to: &'static str,
    plan: &'static str,
    set: &'static str,
}

const TURNS: &[Turn] = &[
    Turn {
        what: "a department's hours",
        from: "fri: [\"09:00-12:00\"]",
        to: "fri: [\"09:00-11:00\"]",
        plan: "department sales",
        set: "Groups",
    },
    Turn {
        what: "a holiday's day",
        from: "date: 12-25",
        to: "date: 12-26",
        plan: "holiday christmas",
        set: "Holidays",
    },
    Turn {
        what: "a name",
        from: "last_name: Example",
        to: "last_name: Sample",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "a role",
        from: "role: managers",
        to: "role: receptionists",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "another department",
        from: "also_in: {support: users}",
        to: "also_in: {}",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "a second factor",
        from: "two_factor: true",
        to: "two_factor: false",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "a mailbox",
        from: "email: attachment}",
        to: "email: notification}",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "recording",
        from: "calls: external",
        to: "calls: all",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "forwarding",
        from: "no_answer: {ring_group: \"800\"}, busy",
        to: "no_answer: {voicemail: \"101\"}, busy",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "following the hours",
        from: "follow_hours: true",
        to: "follow_hours: false",
        plan: "extension 101",
        set: "Users",
    },
    Turn {
        what: "a ring group's members",
        from: "members: [101, 102]",
        to: "members: [102, 101]",
        plan: "ring_group 800",
        set: "RingGroups",
    },
    Turn {
        what: "an overflow",
        from: "no_answer: {ring_group: \"801\"}",
        to: "no_answer: {queue: \"850\"}",
        plan: "ring_group 800",
        set: "RingGroups",
    },
    Turn {
        what: "a shared mailbox",
        from: "mailbox: {members: true,",
        to: "mailbox: {members: false,",
        plan: "ring_group 801",
        set: "RingGroups",
    },
    Turn {
        what: "a queue's strategy",
        from: "strategy: longest_waiting",
        to: "strategy: ring_all",
        plan: "queue 850",
        set: "Queues",
    },
    Turn {
        what: "a key of an IVR",
        from: "9: repeat",
        to: "9: {extension: \"101\"}",
        plan: "ivr 900",
        set: "Receptionists",
    },
    Turn { what: "a trunk's calls", from: "calls: 8", to: "calls: 6", plan: "trunk operator", set: "Trunks" },
    Turn {
        what: "a trunk's host",
        from: "host: sip.example.net",
        to: "host: sip2.example.net",
        plan: "trunk operator",
        set: "Trunks",
    },
    Turn {
        what: "an inbound rule",
        from: "when_closed: {ivr: \"901\"}\n        on_holiday",
        to: "when_closed: {voicemail: \"101\"}\n        on_holiday",
        plan: "inbound_rule main-number",
        set: "InboundRules",
    },
    Turn {
        what: "an outbound rule",
        from: "lengths: [\"10\"]",
        to: "lengths: [\"9-10\"]",
        plan: "outbound_rule france",
        set: "OutboundRules",
    },
    Turn { what: "an SBC", from: "security: tls", to: "security: tcp", plan: "sbc paris01", set: "Sbcs" },
    Turn {
        what: "a contact's number",
        from: "mobile: \"+33 6 99 88 77 66\"",
        to: "mobile: \"+33 6 99 88 77 67\"",
        plan: "contact plumber",
        set: "Contacts",
    },
    Turn {
        what: "a contact's name",
        from: "last_name: Martin",
        to: "last_name: Martinez",
        plan: "contact piscine-lyon",
        set: "Contacts",
    },
    Turn {
        what: "where a group of callers goes",
        from: "to: {extension: \"101\"}\n        when_closed: {voicemail",
        to: "to: {queue: \"850\"}\n        when_closed: {voicemail",
        plan: "caller_rule best-customers/",
        set: "InboundRules",
    },
    Turn {
        what: "how callers are found",
        from: "{match: {last: 8}}",
        to: "{match: {last: 9}}",
        plan: "phonebook settings",
        set: "PhoneBookSettings",
    },
    Turn {
        what: "a Live Chat link",
        from: "ask: name",
        to: "ask: both",
        plan: "live_chat shop",
        set: "WebsiteLinks",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_turned_is_one_write() {
    let place = office().await;
    for Turn { what, from, to, plan, set } in TURNS {
        place.edit(FILE, from, to);
        place.forget_requests();
        let planned = planned(&place);
        assert!(
            planned.iter().all(|change| change.contains(plan)) && !planned.is_empty(),
            "{what}: {planned:?}"
        );
        place.rocade(&["apply", "head-office", "--yes"]).ended(0);
        let written = writes(&place);
        assert_eq!(written.len(), planned.len(), "{what}: {written:?}");
        assert!(
            written.iter().all(|write| write.split('(').next() == Some(&format!("PATCH {set}"))),
            "{what}: {written:?}"
        );
        place.forget_requests();
        assert_eq!(crate::planned(&place), [""; 0], "{what}");
        assert_eq!(writes(&place), [""; 0], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_or_phone_is_one_write_and_one_phone_told() {
    let place = office().await;
    let before = pbx(&place).reprovisioned().len();
    place.edit(FILE, "blf: [101]", "blf: [101, 103]");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let patches: Vec<String> =
        writes(&place).into_iter().filter(|write| write.starts_with("PATCH")).collect();
    assert_eq!(patches.len(), 1, "{patches:?}");
    assert_eq!(pbx(&place).reprovisioned()[before..], ["805EC0000002"]);
}

/// A prompt's content is its name on the PBX: a changed file is uploaded, what plays it is changed, the old
/// content goes last.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_prompt_is_another_one() {
    let place = office().await;
    let path = place.file("inventory/prompts/welcome.wav");
    let mut audio = std::fs::read(&path).unwrap();
    *audio.last_mut().unwrap() ^= 1;
    std::fs::write(&path, audio).unwrap();
    let planned = planned(&place);
    assert_eq!(
        planned.iter().map(|change| change.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["create", "update", "delete"],
        "{planned:?}"
    );
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(crate::planned(&place), [""; 0]);
    assert_eq!(pbx(&place).count("CustomPrompts"), 4, "three of ours and the system's");
}

const HALL: &str = "      \"104\":
        first_name: Hall
        department: support
        phones: [{model: yealink-t41s, mac: 80:5e:c0:00:00:04}]
";

/// What is on the PBX and not in the inventory is kept, named or deleted, as it says; system objects stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_is_handled_as_the_inventory_says() {
    let place = office().await;
    place.edit(FILE, HALL, "");
    place.edit(FILE, "members: [103, 104]", "members: [103]");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let unmanaged = |place: &Place| {
        let plan = place.rocade(&["plan", "head-office", "--json"]).ended(0).json();
        plan["unmanaged"].as_array().unwrap().iter().map(|one| one["key"]["name"].clone()).collect::<Vec<_>>()
    };
    // Reported: the extension taken out, and the operator, which is nobody's to own here.
    assert_eq!(unmanaged(&place), [json!("10"), json!("104")]);
    assert_eq!(planned(&place), [""; 0]);
    place.edit(FILE, "unmanaged: report ", "unmanaged: keep ");
    assert_eq!((unmanaged(&place).len(), planned(&place).len()), (0, 0));
    place.edit(FILE, "unmanaged: keep ", "unmanaged: delete ");
    assert_eq!(
        planned(&place),
        ["delete pbx head-office: extension 10", "delete pbx head-office: extension 104"]
    );
}

/// A part that the inventory does not have is not owned, whatever `unmanaged` says.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_of_a_part_that_is_not_written() {
    let place = office().await;
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (kept, _) = text.split_once("    departments:\n").unwrap();
    std::fs::write(&path, kept.replace("unmanaged: report ", "unmanaged: delete ")).unwrap();
    assert_eq!(planned(&place), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_is_said_or_noted() {
    let place = Place::whole().await;
    let applied = place.rocade(&["apply", "head-office", "--yes", "-v"]).ended(0);
    let json = place.rocade(&["plan", "head-office", "--json"]).ended(0);
    let log = std::fs::read_to_string(place.file(".rocade/lab/head-office.jsonl")).unwrap();
    let said = format!("{}{}{}{log}", applied.out, applied.err, json.out);
    let client = pbx(&place).plan().client_secret.clone();
    for secret in [client.as_str(), "2468013579", "secret-of-a", "SECRET-LICENCE-KEY"] {
        assert!(!said.contains(secret), "{secret}");
    }
    // The search finds what is there.
    assert!(said.contains("extension") && said.contains("Ada"));
}
