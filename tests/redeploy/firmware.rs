//! The firmware policy: never without being told, and never an image that is not the one meant.

use rocade::lab::{Firmware, Knobs, RequestFault, firmware_image};
use sha2::{Digest, Sha256};

use crate::place::Place;

/// Puts an image into the repository and the policy that wants it.
fn want(place: &Place, require: &str, version: &str, with_config: bool) {
    let image = firmware_image("MTCDT", Firmware::of(version).unwrap(), with_config).unwrap();
    want_image(place, require, &image);
}

/// The same with an image at hand.
pub fn want_image(place: &Place, require: &str, image: &[u8]) {
    std::fs::create_dir_all(place.file("images")).unwrap();
    std::fs::write(place.file("images/mpower.bin"), image).unwrap();
    let sha256 = hex::encode(Sha256::digest(image));
    let policy = format!("{{require: \"{require}\", image: images/mpower.bin, sha256: {sha256}}}");
    place.edit("gateways.yaml", "{require: \">=6.0.1, <7\"}", &policy);
}

pub const UPGRADE: &str = "POST /api/command/firmware_upgrade";

#[tokio::test(flavor = "multi_thread")]
async fn a_firmware_that_is_not_accepted_is_replaced_only_when_told() {
    let place = Place::new().await;
    want(&place, ">=6.3, <7", "6.3.1", false);
    let ran =
        place.redeploy(&[]).ended(6).says("firmware 6.0.1 is not accepted, the inventory says >=6.3, <7");
    ran.says("rocade redeploy pool-gw --upgrade");
    assert_eq!(place.asked(UPGRADE), 0);
    place.redeploy(&["--upgrade"]).ended(0).says("sending images/mpower.bin");
    assert_eq!(place.asked(UPGRADE), 1);
    place.nothing_left();
    place.redeploy(&["--upgrade"]).ended(0);
    assert_eq!(place.asked(UPGRADE), 0, "an accepted version is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_is_upgraded_and_what_the_upgrade_lost_is_put_back() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    want(&place, ">=6.3, <7", "6.3.1", false);
    let plan = place.rocade(&["plan", "pool-gw"]).ended(1);
    plan.says("firmware 6.0.1 is not accepted").says("rocade redeploy pool-gw --upgrade");
    let ran = place.redeploy(&["--upgrade"]).ended(0);
    assert!(ran.out.contains("/etc/init.d/rocade-relay"), "the root file system is new:\n{}", ran.out);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_replaces_the_configuration_is_asked_about_and_everything_made_anew() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    want(&place, ">=6.3, <7", "6.3.1", true);
    let words = ["redeploy", "pool-gw", "--upgrade", "--no-wait", "--patience", "4s"];
    let ran = place.rocade(&words).ended(6).says("replaces the configuration partition, and nobody agreed");
    assert_eq!(place.asked(UPGRADE), 0, "{}", ran.err);
    place.redeploy(&["--upgrade"]).ended(0).says("in its factory state").says("made its first user");
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_the_one_meant_is_not_sent() {
    let place = Place::new().await;
    want(&place, ">=6.3, <7", "6.3.1", false);
    let good = std::fs::read(place.file("images/mpower.bin")).unwrap();
    std::fs::write(place.file("images/mpower.bin"), [&good[..], b"x"].concat()).unwrap();
    place.redeploy(&["--upgrade"]).ended(6).says("is not the image the inventory names: its SHA-256 is");
    std::fs::remove_file(place.file("images/mpower.bin")).unwrap();
    place.redeploy(&["--upgrade"]).ended(1).says("there is no file `images/mpower.bin`");
    let other = firmware_image("MTCAP", Firmware::of("6.3.1").unwrap(), false).unwrap();
    std::fs::write(place.file("images/mpower.bin"), &other).unwrap();
    let sha = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    place.edit("gateways.yaml", &sha(&good), &sha(&other));
    place.redeploy(&["--upgrade"]).ended(6).says("images/mpower.bin is for MTCAP, the unit is MTCDT");
    assert_eq!(place.asked(UPGRADE), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_a_version_that_is_not_accepted_either_stops_after_one_try() {
    let place = Place::new().await;
    want(&place, ">=6.3, <7", "6.1.0", false);
    place.redeploy(&["--upgrade"]).ended(1).says("the image was taken, and it is as before");
    assert_eq!(place.asked(UPGRADE), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_is_made_again_only_when_it_was_not_done() {
    let faults = [
        (RequestFault::CutBefore, 2),
        (RequestFault::CutAfter, 1),
        (RequestFault::Garbage, 1),
        (RequestFault::Half, 1),
        (RequestFault::Stall, 2),
    ];
    for (fault, uploads) in faults {
        let place = Place::new().await;
        place.redeploy(&[]).ended(0);
        want(&place, ">=6.3, <7", "6.3.1", true);
        place.forget_requests();
        // Commissioning, login, who it is: the fourth request is the upload.
        place.gateway().knobs().set(|knobs| knobs.at_request = Some((4, fault)));
        let first = place.redeploy(&["--upgrade"]);
        assert_eq!(place.gateway().log().entries()[3].what, UPGRADE, "{fault:?}");
        place.gateway().knobs().set(|knobs| *knobs = Knobs::default());
        place.redeploy(&["--upgrade"]).ended(0);
        assert_eq!(place.asked(UPGRADE), uploads, "{fault:?}:\n{}\n{}", first.out, first.err);
        place.nothing_left();
    }
}
