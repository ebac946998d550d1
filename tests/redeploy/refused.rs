//! What is not done: another unit, somebody else's, a changed certificate, an answer that is none.

use rocade::lab::{ApiFault, DevicePlan, RequestFault};
use rocade::model::Secret;

use crate::place::{Place, boxed};
use crate::story::commission_by_hand;

fn other() -> DevicePlan {
    DevicePlan { serial: 20_499_999, ..boxed() }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_unit_is_refused_and_taken_only_when_told() {
    let mut place = Place::new().await;
    place.edit("gateways.yaml", "serial: \"20412345\"", "serial: \"20412345\"   # on its label");
    place.redeploy(&[]).ended(0);
    place.swap(other()).await;
    let ran = place.redeploy(&[]).ended(6);
    let ran = ran.says("another unit: its serial number is 20499999, the inventory says 20412345");
    ran.says("rocade redeploy pool-gw --replacement");
    let writes = place.writes();
    assert!(writes.iter().all(|write| write == "POST /api/commissioning"), "{writes:?}");
    place.forget_requests();
    place.redeploy(&[]).ended(6);
    assert_eq!(place.writes(), [""; 0], "it is told apart before anything is written");

    place.redeploy(&["--replacement"]).ended(0).says("says \"20499999\" now, it said 20412345");
    let text = place.text("inventory/gateways.yaml");
    assert!(text.contains("serial: \"20499999\"   # on its label"), "{text}");
    place.nothing_left();
    place.redeploy(&[]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mac_address_tells_another_unit_too_and_is_replaced_with_the_serial() {
    let place = Place::with(other()).await;
    place.edit("gateways.yaml", "    https_port:", "    mac: 00-08-00-37-79-39\n    https_port:");
    place.edit("gateways.yaml", "serial: \"20412345\"", "serial: \"20499999\"");
    place.redeploy(&[]).ended(6).says("its MAC address is");
    place.redeploy(&["--replacement"]).ended(0);
    assert!(!place.text("inventory/gateways.yaml").contains("00-08-00-37-79-39"));
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_nothing_proves_gets_our_user_only_when_somebody_agrees() {
    let place = Place::new().await;
    let ran = place.rocade(&["redeploy", "pool-gw", "--no-wait", "--patience", "4s"]).ended(6);
    ran.says("it says who it is only once it has our user: the inventory has no `mac`")
        .says("nobody agreed, nothing was sent to it");
    assert_eq!(place.writes(), [""; 0]);
    assert_eq!(place.text("inventory/known_certificates"), "", "nothing is pinned for it either");
    place.redeploy(&[]).ended(0).says("it says who it is only once it has our user");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_one_document_whatever_a_redeploy_came_to() {
    let place = Place::new().await;
    let document = |ran: &crate::place::Ran| -> serde_json::Value {
        serde_json::from_str(&ran.out).unwrap_or_else(|fault| panic!("{fault}: {}", ran.out))
    };
    let words = ["redeploy", "pool-gw", "--no-wait", "--patience", "4s", "--json"];
    let refused = document(&place.rocade(&words).ended(6));
    assert_eq!(refused["complete"], false);
    assert_eq!(refused["stopped"][0]["target"]["name"], "pool-gw", "{refused}");
    assert_eq!(refused["stopped"][0]["refused"], true, "{refused}");
    assert!(refused["apply"].is_null() && refused["sensors"].is_null(), "{refused}");
    let done = document(&place.redeploy(&["--json"]).ended(0));
    assert_eq!((&done["complete"], &done["apply"]["complete"]), (&true.into(), &true.into()), "{done}");
    assert_eq!(done["sensors"][0]["expected"], 2, "{done}");
    assert_eq!(done["stopped"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_unit_sees_one_attempt() {
    let place = Place::new().await;
    commission_by_hand(&place, "admin", &Secret::new("Somebody-Else-1", "test")).await;
    place.forget_requests();
    let ran = place.redeploy(&[]).ended(1).says("commissioned by somebody else");
    let ran = ran.says("2 attempts remaining").says("gateways/pool-gw/admin");
    ran.says("300 s");
    assert_eq!(place.asked("POST /api/login"), 1);
    assert_eq!(place.asked("GET /api/login"), 0);
    assert_eq!(place.writes(), [""; 0]);
    // The third one is told that it is locked, and still is one attempt.
    place.redeploy(&[]).ended(1);
    place.redeploy(&[]).ended(1).says("it takes no login for 300 s now");
    assert_eq!(place.asked("POST /api/login"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_changed_on_a_unit_that_is_not_new_gets_no_password() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    std::fs::write(place.file("inventory/known_certificates"), "pool-gw SHA256:another\n").unwrap();
    place.forget_requests();
    let ran = place.redeploy(&[]).ended(6).says("has changed and it is not new");
    ran.says("no password was sent").says("inventory/known_certificates");
    assert_eq!(place.asked("POST /api/login"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_changed_on_a_unit_that_is_not_new_is_refused() {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    let known = place.text("inventory/known_hosts");
    let other =
        rocade::lab::Lab::start(rocade::lab::LabPlan { devices: vec![boxed()], logs: None }).await.unwrap();
    let line = |key: &str| format!("[127.0.0.1]:{} {key}\n", place.gateway().plan.ssh_port);
    let changed = known.replace(&line(&place.gateway().host_key_now()), &line(&other.devices()[0].host_key));
    assert_ne!(known, changed);
    std::fs::write(place.file("inventory/known_hosts"), changed).unwrap();
    place.redeploy(&[]).ended(6).says("has changed").says("rocade trust pool-gw --fingerprint");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_contact_with_a_unit_that_is_not_new_asks_before_a_password_is_sent() {
    let place = Place::with(DevicePlan { boxed: false, ..boxed() }).await;
    let ran = place.rocade(&["redeploy", "pool-gw", "--no-wait", "--patience", "4s"]).ended(6);
    ran.says("is not known").says("no password was sent");
    assert_eq!(place.asked("POST /api/login"), 0);
    place.redeploy(&[]).ended(0);
    place.nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_is_refused_in_the_units_words() {
    let place = Place::new().await;
    let mut set = place.program();
    let mut child = set
        .args(["secrets", "set", "gateways/pool-gw/admin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"short").unwrap();
    assert!(child.wait().unwrap().success());
    place.redeploy(&[]).ended(1).says("it refuses the password: Password is too short");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_stop_it_with_words_and_the_next_run_goes_on() {
    for fault in [ApiFault::Garbage, ApiFault::Half, ApiFault::Status(503)] {
        let place = Place::new().await;
        place.gateway().knobs().set(|knobs| knobs.api = Some(fault));
        place.redeploy(&[]).ended(1).says("it does not say whether it is new");
        assert_eq!(place.writes(), [""; 0]);
        place.gateway().knobs().set(|knobs| knobs.api = None);
        place.redeploy(&[]).ended(0);
        place.nothing_left();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_is_not_there_is_waited_for_and_then_said() {
    let place = Place::new().await;
    place.gateway().knobs().set(|knobs| knobs.refuse = true);
    let ran = place.rocade(&["redeploy", "pool-gw", "--yes", "--no-wait", "--patience", "1s"]).ended(1);
    ran.says("it does not answer: 127.0.0.1:").says("refuses the connection").says("check cable and power");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_unit_is_only_slow() {
    let place = Place::new().await;
    place.gateway().knobs().set(|knobs| knobs.slow = std::time::Duration::from_millis(300));
    place.redeploy(&[]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_gateway_is_a_usage_error_and_a_first_connection_may_break() {
    let place = Place::new().await;
    place.rocade(&["redeploy", "pool-gv"]).ended(64).says("pool-gv");
    place.gateway().knobs().set(|knobs| knobs.at_request = Some((1, RequestFault::CutBefore)));
    place.redeploy(&[]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_one_address_need_an_interface_each() {
    let place = Place::new().await;
    let text = place.text("inventory/gateways.yaml");
    let at = text.find("  pool-gw:").unwrap();
    let second = text[at..].replace("pool-gw:", "roof-gw:").replace("20412345", "20412346");
    let second = second.replace("gateways/pool-gw/network", "gateways/roof-gw/network");
    let port = format!("port: {},", place.gateway().plan.ssh_port);
    let second = second.replace(&port, "port: 1022,");
    std::fs::write(place.file("inventory/gateways.yaml"), text.clone() + &second).unwrap();
    let ran = place.rocade(&["redeploy", "pool-gw", "roof-gw", "--yes", "--no-wait", "--patience", "4s"]);
    let ran = ran.ended(6).says("roof-gw is at 127.0.0.1:").says("pool-gw is at 127.0.0.1:");
    ran.says("bootstrap: {interface: eth1}");
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_answered_while_it_waits() {
    let place = Place::new().await;
    place.gateway().knobs().set(|knobs| knobs.hang = true);
    let words = ["redeploy", "pool-gw", "--yes", "--no-wait", "--patience", "10m"];
    let mut child = place.program().args(words).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let lock = place.file(".rocade/lock");
    while !lock.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The lock is taken right before it begins to wait.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("nothing has to be undone, run it again"), "{said}");
}
