//! The login: one token, renewed once; one wrong secret is one attempt; busy is waited out.

use crate::{office, pbx, planned};

fn asked(place: &crate::place::Place, what: &str) -> usize {
    let entries = place.device("head-office").log().entries();
    entries.iter().filter(|entry| entry.what.contains(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_fetches_one_token() {
    let place = office().await;
    assert_eq!(planned(&place), [""; 0]);
    assert_eq!(asked(&place, "/connect/token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_tried_once() {
    let place = office().await;
    place.set_secret("pbx/head-office/client", "not-this-one");
    let ran = place.rocade(&["plan", "head-office"]).ended(1);
    assert!(ran.out.contains("the login as `rocade` was refused"), "{}", ran.out);
    assert!(!ran.out.contains("not-this-one") && !ran.err.contains("not-this-one"));
    assert_eq!(asked(&place, "/connect/token"), 1);
    assert_eq!(asked(&place, "/xapi/"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_is_waited_out() {
    let place = office().await;
    place.device("head-office").knobs().set(|knobs| knobs.busy = 2);
    assert_eq!(planned(&place), [""; 0]);
}

/// Another program logs in with the same client in the middle: the token is renewed and the plan stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_is_renewed() {
    let place = office().await;
    place.device("head-office").knobs().set(|knobs| knobs.slow = std::time::Duration::from_millis(60));
    let (planned, ()) = std::thread::scope(|scope| {
        let planning = scope.spawn(|| planned(&place));
        while asked(&place, "/xapi/v1/Groups") == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        pbx(&place).drop_tokens();
        (planning.join().unwrap(), ())
    });
    assert_eq!(planned, [""; 0]);
    assert_eq!(asked(&place, "/connect/token"), 2);
}
