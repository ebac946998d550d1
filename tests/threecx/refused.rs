//! What cannot be is said before the first write: limits of the licence, an old version, a write nobody saw work.

use rocade::lab::{DevicePlan, Lab, LabPlan, Licence, ThreeCxPlan};

use crate::FILE;
use crate::place::Place;

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
        &["never seen on a real PBX", "accept_unverified: [phones]", "accept_unverified: [shared_voicemail]"],
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
