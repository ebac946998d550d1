//! The authority as targets see it: a rotation stage by stage, each proved before the next, and a clock that is wrong.

use rocade::lab::State;

use crate::place::Place;

const CA: [(&str, &str); 2] =
    [("main", "/etc/mosquitto/rocade/ca.pem"), ("pool-gw", "/var/config/rocade/relay/ca.pem")];

/// What each device trusts.
fn trusted(place: &Place) -> Vec<String> {
    let of = |(device, path): (&str, &str)| {
        let text = place
            .device(device)
            .with_state(|state: &mut State| state.files.get(path).unwrap().bytes.to_vec());
        String::from_utf8(text).unwrap()
    };
    CA.map(of).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_rotated_and_each_stage_proved() {
    let place = Place::applied().await;
    let [old, _] = &trusted(&place)[..] else { panic!() };
    place.rocade(&["pki", "rotate", "start"]).ended(0);
    let refused = place.rocade(&["pki", "rotate", "issue"]).ended(6);
    assert!(
        refused.out.contains("not applied: broker main: file /etc/mosquitto/rocade/ca.pem"),
        "{}",
        refused.out
    );
    let expected = [
        "update broker main: file /etc/mosquitto/rocade/ca.pem",
        "wake broker main: service mosquitto",
        "update gateway pool-gw: file /var/config/rocade/relay/ca.pem",
        "wake gateway pool-gw: service rocade-relay",
    ];
    assert_eq!(place.planned(), expected);
    place.rocade(&["apply", "--yes"]).ended(0);
    assert!(trusted(&place).iter().all(|text| text.contains(old.as_str()) && text.len() > old.len()));

    place.rocade(&["pki", "rotate", "issue"]).ended(0);
    place.rocade(&["pki", "rotate", "finish"]).ended(6);
    let expected = [
        "update pki authority: certificate main",
        "update broker main: file /etc/mosquitto/rocade/server.key",
        "update broker main: file /etc/mosquitto/rocade/server.pem",
        "wake broker main: service mosquitto",
    ];
    assert_eq!(place.planned(), expected);
    place.rocade(&["apply", "--yes"]).ended(0);

    place.rocade(&["pki", "rotate", "finish"]).ended(0);
    place.rocade(&["apply", "--yes"]).ended(0);
    let new = std::fs::read_to_string(place.file("pki/root.pem")).unwrap();
    assert_ne!(new, *old);
    assert_eq!(trusted(&place), [new.clone(), new]);
    assert_eq!(place.planned(), [""; 0]);
    place.rocade(&["verify"]).ended(0);
    assert!(place.rocade(&["pki", "rotate", "status"]).ended(0).out.contains("no rotation is under way"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_clock_is_wrong_is_given_no_certificate() {
    let place = Place::new().await;
    let set = |clock: Option<&str>| {
        place.device("main").with_state(|state: &mut State| match clock {
            Some(clock) => drop(state.facts.insert("clock".to_owned(), clock.to_owned())),
            None => drop(state.facts.remove("clock")),
        });
    };
    set(Some("946684800"));
    // The certificate is made in this very apply: nobody could object to it before.
    let ran = place.rocade(&["apply", "--yes"]);
    assert!(ran.out.contains("its clock says 2000-01-01T00:00:00Z"), "{}", ran.out);
    let ca = |state: &mut State| state.files.get(CA[0].1).is_some();
    assert!(!place.device("main").with_state(ca), "nothing of it was written");
    let refused = place.rocade(&["apply", "--yes"]).ended(6);
    assert!(refused.out.contains("its clock says 2000-01-01T00:00:00Z"), "{}", refused.out);
    // Long after everything is over.
    set(Some("4102444800"));
    let refused = place.rocade(&["apply", "--yes"]).ended(6);
    assert!(refused.out.contains("was valid until"), "{}", refused.out);
    set(None);
    place.rocade(&["apply", "--yes"]).ended(0);
    assert!(place.device("main").with_state(ca));
}
