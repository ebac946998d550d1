//! From the box, and back after each kind of reset.

use rocade::lab::DevicePlan;

use crate::place::{Place, boxed};

#[tokio::test(flavor = "multi_thread")]
async fn one_command_from_the_box_to_production() {
    let place = Place::new().await;
    let plan = place.rocade(&["plan", "pool-gw"]).ended(1);
    let plan = plan.says("it is in its factory state (commissioning is open at 127.0.0.1:");
    assert!(plan.out.contains("): rocade redeploy pool-gw"), "{}", plan.out);
    assert_eq!(place.writes(), [""; 0], "planning wrote");
    assert_eq!(place.asked("POST /api/login"), 0, "planning logged in");

    let ended = std::sync::atomic::AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !place.sensors_send() && !ended.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        let words = ["redeploy", "pool-gw", "--yes", "--wait", "60s", "--patience", "20s"];
        let ran = place.rocade(&words);
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        ran
    });
    let ran = ran.ended(0).says("in its factory state").says("2 of 2 sensors heard").says("is pinned");
    let password = &place.gateway().plan.password;
    assert!(!ran.out.contains(password) && !ran.err.contains(password), "a secret is in the words");
    assert!(place.text("inventory/known_hosts").contains(&place.gateway().host_key_now()));
    assert!(place.text("inventory/known_certificates").starts_with("pool-gw SHA256:"));
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_nothing_to_do() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    let boots = place.gateway().boots();
    place.forget_requests();
    place.redeploy(&[]).ended(0).says("ours, SSH is on").says("no changes");
    assert_eq!(place.writes(), [""; 0]);
    assert_eq!(place.gateway().boots(), boots, "it was restarted for nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_sensors_are_named_and_the_exit_code_says_so() {
    let place = Place::new().await;
    let ran = place.rocade(&["redeploy", "pool-gw", "--yes", "--wait", "1s", "--patience", "20s"]).ended(1);
    assert!(ran.out.contains("0 of 2 sensors heard"), "{}", ran.out);
    let silent = |name: &str| format!("  {name:<24} not heard since it was set up\n");
    assert!(ran.out.contains(&(silent("pool-changing") + &silent("pool-hall"))), "{}", ran.out);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_long_press_makes_a_new_unit_of_it_with_new_keys() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    let pins = ["inventory/known_hosts", "inventory/known_certificates"].map(|file| place.text(file));
    place.press(35).await;
    place.redeploy(&[]).ended(0).says("in its factory state");
    let pins_now = ["inventory/known_hosts", "inventory/known_certificates"].map(|file| place.text(file));
    assert!(pins[0] != pins_now[0] && pins[1] != pins_now[1], "a reset unit has new keys");
    assert_eq!(pins_now[1].lines().count(), 1, "{}", pins_now[1]);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_press_without_defaults_of_our_own_is_a_factory_reset() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    place.press(8).await;
    place.redeploy(&[]).ended(0).says("in its factory state");
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_press_comes_back_configured_when_the_inventory_asks() {
    let place = Place::new().await;
    place.edit("gateways.yaml", "    https_port:", "    save_as_default: true\n    https_port:");
    place.redeploy(&[]).ended(0).says("user-defined defaults now");
    assert_eq!(place.asked("POST http://127.0.0.1/api/command/save_oem"), 1);
    place.press(8).await;
    let ran = place.redeploy(&[]).ended(0).says("ours, but what was put on it is gone");
    assert!(!ran.err.contains("factory"), "{}", ran.err);
    assert!(!ran.out.contains("sensor "), "the settings came back by themselves:\n{}", ran.out);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_without_a_reset_needs_nothing() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    place.press(3).await;
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn commissioned_by_hand_with_our_password_and_ssh_off() {
    let place = Place::new().await;
    let (user, password) = (place.gateway().plan.user.clone(), place.gateway().plan.password.clone());
    let secret = rocade::model::Secret::new(password, "test");
    commission_by_hand(&place, &user, &secret).await;
    let plan = place.rocade(&["plan", "pool-gw"]).ended(1);
    plan.says("it is commissioned").says("SSH is off: rocade redeploy pool-gw");
    place.redeploy(&[]).ended(0).says("ours, SSH is off");
    place.nothing_left();
}

/// As somebody does in the web page.
pub async fn commission_by_hand(place: &Place, user: &str, password: &rocade::model::Secret) {
    use rocade::providers::conduit::bootstrap::{self, Commissioning};
    use rocade::transport::web::{WebSession, WebWay};
    let port = place.gateway().plan.https_port;
    let way = WebWay { address: "127.0.0.1".into(), port, interface: None };
    let session = WebSession::new(&way, None, &std::sync::Arc::default()).unwrap();
    let Commissioning::Open(dialogue) = bootstrap::look(session.reading()).await.unwrap() else {
        panic!("it is not new");
    };
    bootstrap::commission(session.writing(), dialogue, user, password).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_firmware_is_commissioned_its_own_way() {
    for (firmware, posts) in [("5.3.0", 3), ("6.0.1", 3), ("6.3.1", 3), ("7.1.0", 1)] {
        let place = Place::with(DevicePlan { firmware: firmware.to_owned(), ..boxed() }).await;
        place.edit("gateways.yaml", ">=6.0.1, <7", ">=5.3, <8");
        place.redeploy(&[]).ended(0).says("made its first user, admin");
        assert_eq!(place.asked("POST /api/commissioning"), posts, "{firmware}");
        place.nothing_left();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_awkward_characters_goes_through_every_door() {
    let place = Place::new().await;
    let password = "aB1&x #+/?=%é\"'\\";
    let mut set = place.program();
    let mut child = set
        .args(["secrets", "set", "gateways/pool-gw/admin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    place.redeploy(&[]).ended(0);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_another_address_is_ended_once() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    place.gateway().knobs().set(|knobs| knobs.other_session = true);
    place.forget_requests();
    place.redeploy(&[]).ended(0);
    assert_eq!(place.asked("POST /api/login"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsaved_changes_of_somebody_are_said_and_kept() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    place.unit().with_api(|api| api.handle("PUT", "/api/sntp", br#"{"maxpoll":9}"#));
    place.rocade(&["plan", "pool-gw"]).ended(0).says("with unsaved changes");
    place.redeploy(&[]).ended(0).says("ours, with changes that were not saved");
    place.nothing_left();
    place.press(3).await;
    let reply = place.unit().with_api(|api| api.handle("GET", "/api/sntp/maxpoll", b""));
    assert!(reply.body.contains("\"result\":9"), "{}", reply.body);
}
