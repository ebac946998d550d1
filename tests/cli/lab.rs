//! `rocade lab` on a lab that runs.

use crate::place::Place;

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_that_runs_is_handled_with_words() {
    let place = Place::new().await;
    let gateway = place.device("pool-gw");
    let ran = place.rocade(&["lab", "press", "pool-gw", "--for", "35s"]).ended(0);
    assert_eq!(ran.out, "pool-gw goes back to its factory defaults\n");
    gateway.until_boots(2).await;
    place.rocade(&["plan"]).ended(1);
    place.rocade(&["lab", "turn", "main", "slow=1,cut-at-exec=9"]).ended(0);
    assert_eq!(place.device("main").knobs().now().cut_at_exec, Some(9));
    place.rocade(&["lab", "cut-power", "pool-gw"]).ended(0);
    gateway.until_boots(3).await;
    let ran = place.rocade(&["lab", "turn", "main", "fly"]).ended(64);
    assert!(ran.err.contains("`fly` is not a knob"), "{}", ran.err);
    let ran = place.rocade(&["lab", "press", "main", "--for", "2s"]).ended(1);
    assert!(ran.err.contains("`main` is not a Conduit"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_of_the_lab_is_heard() {
    let place = Place::applied().await;
    let words = ["lab", "uplink", "pool-gw", "0018B21000004A2F", "10220000", "--fcnt", "5"];
    place.rocade(&words).ended(0);
    let ran = place.rocade(&words).ended(1);
    assert!(ran.err.contains("counter 5 is below 6"), "{}", ran.err);
    let page = place.device("pool-gw").conduit().unwrap();
    let page = page.with_api(|api| api.handle("GET", "/api/lora/packets/recent", b""));
    assert!(page.body.contains("\"fcnt\":5") && page.body.contains("ECIAAA=="), "{}", page.body);
}
