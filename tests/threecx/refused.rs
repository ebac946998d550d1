//! What cannot be is said before the first write: limits of the licence, an old version, a write nobody saw work.

use rocade::lab::{DevicePlan, Lab, LabPlan, Licence, ThreeCxPlan};
use serde_json::json;

use crate::place::Place;
use crate::small::{applied, small};
use crate::{FILE, pbx, row, writes};

/// A place whose telephone system is another one.
async fn with(threecx: impl FnOnce(&mut ThreeCxPlan)) -> (Place, Lab) {
    let place = Place::whole().await;
    let mut plan = DevicePlan::threecx("other");
    threecx(&mut plan.threecx);
    let lab = Lab::start(LabPlan { devices: vec![plan], logs: None }).await.unwrap();
    let device = &lab.devices()[0];
    let old = place.device("head-office").url();
    place.edit(FILE, &old, &device.url());
    place.set_secret("pbx/head-office/client", &device.plan.threecx.client_secret);
    (place, lab)
}

fn refused(place: &Place, lab: &Lab, words: &[&str]) {
    let plan = place.rocade(&["plan", "head-office"]).ended(6);
    for word in words {
        assert!(plan.out.contains(word), "{word}: {}", plan.out);
    }
    let applied = place.rocade(&["apply", "head-office", "--yes"]).ended(6);
    assert!(applied.err.contains("nothing was changed"), "{}", applied.err);
    assert_eq!(lab.devices()[0].log().writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_that_is_too_small_is_said_with_numbers() {
    let (place, lab) = with(|plan| plan.licence = Licence { users: 4, ..Licence::default() }).await;
    refused(&place, &lab, &["the plan needs 5 users, the licence has 2 left"]);
}

/// What is planned for a small system is refused with these words, and nothing is written.
#[track_caller]
fn refused_small(place: &Place, words: &[&str]) {
    place.forget_requests();
    let plan = place.rocade(&["plan"]).ended(6);
    for word in words {
        assert!(plan.out.contains(word), "{word}: {}", plan.out);
    }
    place.rocade(&["apply", "--yes"]).ended(6);
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_of_the_licence_is_held_against_the_plan() {
    let licence = Licence { users: 2, trunks: 0, sbcs: 0, live_chats: 0, prompts: 0, ..Licence::default() };
    let place = small(ThreeCxPlan { licence, ..ThreeCxPlan::default() }).await;
    refused_small(
        &place,
        &[
            "the plan needs 2 users, the licence has 0 left",
            "the plan needs 1 trunks, the licence has 0 left",
            "the plan needs 1 SBCs, the licence has 0 left",
            "the plan needs 1 Live Chat links, the licence has 0 left",
        ],
    );
    // A prompt that is not used takes no place; one that was uploaded by hand does.
    let licence = Licence { prompts: 1, ..Licence::default() };
    let place = small(ThreeCxPlan { licence, ..ThreeCxPlan::default() }).await;
    let by_hand = json!({"Filename": "hand.wav", "DisplayName": "hand.wav", "CanBeDeleted": true});
    pbx(&place).add("CustomPrompts", &by_hand).unwrap();
    refused_small(&place, &["the plan needs 1 prompts, the licence has 0 left"]);
    pbx(&place).remove("CustomPrompts", "Filename", "hand.wav").unwrap();
    place.rocade(&["apply", "--yes"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departments_limit_of_live_chat_links_is_held_against_the_plan() {
    let place = applied(ThreeCxPlan::default()).await;
    pbx(&place).alter("Groups", "Name", "Sales", &json!({"Props": {"LiveChatMaxCount": 2}})).unwrap();
    let link = |name: &str| {
        let sites = format!("[\"https://{name}.example.net\"]");
        format!("      {name}: {{department: sales, to: {{queue: \"850\"}}, websites: {sites}}}\n")
    };
    place.edit(FILE, "    live_chat:\n", &format!("    live_chat:\n{}", link("first")));
    place.rocade(&["apply", "--yes"]).ended(0);
    place.edit(FILE, "    live_chat:\n", &format!("    live_chat:\n{}", link("second")));
    refused_small(&place, &["the plan needs 1 Live Chat links in department sales, which has 0 left"]);
}

/// The simulated PBX holds its limits by itself too, or the tests above would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_pbx_holds_its_limits() {
    let licence = Licence { live_chats: 1, prompts: 1, ..Licence::default() };
    let place = applied(ThreeCxPlan { licence, ..ThreeCxPlan::default() }).await;
    for (set, body, words) in [
        ("WebsiteLinks", json!({"Link": "more"}), "WARNINGS.LIMIT_REACHED"),
        ("CustomPrompts", json!({"Filename": "more.wav"}), "WARNINGS.XAPI.TOO_MANY_PROMPTS"),
    ] {
        let said = pbx(&place).add(set, &body).unwrap_err();
        assert_eq!(said["error"]["details"][0]["message"], words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_licence_is_said() {
    let expires = "2020-01-01T00:00:00Z".to_owned();
    let (place, lab) = with(|plan| plan.licence = Licence { expires, ..Licence::default() }).await;
    refused(&place, &lab, &["the licence has expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_needs_the_right_licence() {
    let (place, lab) = with(|plan| plan.licence = Licence { enterprise: false, ..Licence::default() }).await;
    refused(
        &place,
        &lab,
        &["extension 101: recording needs the Enterprise licence", "inventory/head-office.yaml:"],
    );
}

/// Recording with the right of the caller to refuse needs the licence as well; not to record needs none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_needs_no_licence() {
    let licence = Licence { enterprise: false, ..Licence::default() };
    let place = small(ThreeCxPlan { licence, ..ThreeCxPlan::default() }).await;
    refused_small(
        &place,
        &[
            "extension 101: recording needs the Enterprise licence",
            "queue 850: recording needs the Enterprise licence",
        ],
    );
    place.edit(FILE, "recording: {calls: external}", "recording: {calls: none, forbid: true}");
    place.edit(FILE, "recording: allow_to_opt_out", "recording: disabled");
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(row(&place, "Users", "Number", "101")["ForbidRecording"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_by_default_with_the_right_to_refuse_is_one_write_each() {
    let place = applied(ThreeCxPlan::default()).await;
    for (from, to, set, number, property, value) in [
        ("{calls: external}", "{calls: all}", "Users", "101", "RecordExternalCallsOnly", json!(false)),
        ("{calls: all}", "{calls: none, forbid: true}", "Users", "101", "ForbidRecording", json!(true)),
        ("none, forbid: true}", "none, forbid: false}", "Users", "101", "ForbidRecording", json!(false)),
        ("allow_to_opt_out", "ask_to_opt_in", "Queues", "850", "Recording", json!("AskToOptIn")),
        ("ask_to_opt_in", "allow_to_opt_out", "Queues", "850", "Recording", json!("AllowToOptOut")),
    ] {
        place.edit(FILE, from, to);
        place.forget_requests();
        place.rocade(&["apply", "--yes"]).ended(0);
        assert_eq!(writes(&place).len(), 1, "{to}: {:?}", writes(&place));
        assert_eq!(row(&place, set, "Number", number)[property], value, "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_recording_needs_the_version_that_knows_it() {
    let place = small(ThreeCxPlan { patch: 9, ..ThreeCxPlan::default() }).await;
    place.edit(FILE, "recording: {calls: external}", "recording: {calls: none, forbid: true}");
    let said = "extension 101: this 3CX (20.0.9) does not know `recording.forbid`, which came with 20.0.10";
    refused_small(&place, &[said]);
    place.edit(FILE, ", forbid: true", "");
    place.rocade(&["apply", "--yes"]).ended(0);
}

/// A phone that was used elsewhere keeps its old settings until it is reset: said when it is added.
#[tokio::test(flavor = "multi_thread")]
async fn new_phones_are_named_that_may_need_a_reset() {
    let place = small(ThreeCxPlan::default()).await;
    let said = place.rocade(&["apply", "--yes"]).ended(0).err;
    for phone in ["80:5e:c0:00:00:01 (extension 101)", "80:5e:c0:00:00:02 (extension 102)"] {
        let words = format!("phone {phone}: reset it before its first provisioning if it was used elsewhere");
        assert_eq!(said.matches(&words).count(), 1, "{said}");
    }
    place.edit(FILE, "blf: [102]", "blf: [102, {key: 9, line: true}]");
    let said = place.rocade(&["apply", "--yes"]).ended(0).err;
    assert!(!said.contains("reset it"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_in_another_format_is_said_with_what_it_is() {
    let place = Place::whole().await;
    let path = place.file("inventory/prompts/welcome.wav");
    let mut audio = std::fs::read(&path).unwrap();
    audio[22] = 2;
    audio[24..28].copy_from_slice(&44_100_u32.to_le_bytes());
    std::fs::write(&path, audio).unwrap();
    let ran = place.rocade(&["apply", "head-office", "--yes"]).ended(64);
    assert!(ran.err.contains("PCM, 44100 Hz, 16 bit, 2 channels") && ran.err.contains("sox"), "{}", ran.err);
    std::fs::remove_file(&path).unwrap();
    let ran = place.rocade(&["plan", "head-office"]).ended(64);
    assert!(ran.err.contains("cannot read inventory/prompts/welcome.wav"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_pbx_is_told_what_it_does_not_know() {
    let (place, lab) = with(|plan| plan.patch = 8).await;
    refused(&place, &lab, &["this 3CX (20.0.8) does not know `mailbox`, which came with 20.0.9"]);
    let (place, lab) = with(|plan| plan.patch = 6).await;
    refused(&place, &lab, &["it is 20.0.6, this came with 20.0.7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_nobody_saw_work_is_refused_unless_accepted() {
    let (place, lab) = with(|_| ()).await;
    place.edit(FILE, "    accept_unverified: [phones, router_phones, shared_voicemail, sbc_hosts]\n", "");
    refused(
        &place,
        &lab,
        &[
            "never seen on a real PBX",
            "import what `rocade pbx csv head-office` writes",
            "accept_unverified: [phones]",
            "accept_unverified: [shared_voicemail]",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_taken_is_said_with_object_field_and_place() {
    let (place, lab) = with(|_| ()).await;
    place.edit(FILE, "email: grace@example.net", "email: ADA@example.net");
    let ran = place.rocade(&["apply", "head-office", "--yes"]);
    assert!([3, 64].contains(&ran.code), "{} {}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("email") && said.contains("inventory/head-office.yaml:"), "{said}");
    drop(lab);
}
