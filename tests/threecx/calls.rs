//! What happens to a call is the same from YAML and from the PBX that YAML was applied to; and what is live is
//! said as it is live.

use rocade::lab::Knobs;
use serde_json::{Value, json};

use crate::place::Place;
use crate::{FILE, office, pbx, writes};

/// A call followed from the inventory and from the PBX.
fn both(place: &Place, words: &[&str]) -> [Value; 2] {
    let follow = |more: &[&str]| {
        let words: Vec<&str> = ["call", "--json"].iter().chain(words).chain(more).copied().collect();
        place.rocade(&words).ended(0).json()
    };
    [follow(&[]), follow(&["--live"])]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_the_same_steps_from_yaml_and_from_the_pbx() {
    let place = Place::whole().await;
    // All that matters to these calls is written; what is not written only the PBX knows.
    place.edit(
        FILE,
        "        announce_position: true\n",
        "        announce_position: true\n        max_callers: 20\n",
    );
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    place.forget_requests();
    for words in [
        &["+33123456700", "--at", "2026-11-24 10:00"][..],
        &["+33123456700", "--at", "2026-11-24 22:00"],
        &["+33123456700", "--at", "2026-12-25 23:00", "--from", "+33698765432"],
        &["+33123456700", "--at", "2027-03-29 10:00"],
        &["+33123456702", "--at", "2026-11-24 10:00"],
        &["+33123456702", "--at", "2026-11-24 20:00"],
        &["0612345678", "--as", "102"],
        &["118712", "--as", "103"],
        &["112"],
    ] {
        let [written, live] = both(&place, words);
        assert_eq!((&written["read"], &live["read"]), (&"inventory".into(), &"live".into()));
        assert_eq!(written["format_version"], "1.0");
        assert_eq!(format!("{:#}", written["steps"]), format!("{:#}", live["steps"]), "{words:?}");
        assert!(written["steps"].as_array().unwrap().len() >= 2, "{written:#}");
    }
    assert_eq!(writes(&place), [""; 0], "following a call writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pbx_is_followed_as_it_is_and_not_as_it_is_written() {
    let place = office().await;
    // Somebody in the console sends calls that nobody answers to a fax, for which there is no word here.
    let fax = json!({"ForwardNoAnswer": {"To": "Fax", "Number": "", "External": ""}});
    pbx(&place).alter("RingGroups", "Number", "801", &fax).unwrap();
    let [written, live] = both(&place, &["800", "--from", "102", "--at", "2026-11-24 10:00"]);
    let last =
        |way: &Value| way["steps"].as_array().unwrap().last().unwrap()["does"].as_str().unwrap().to_owned();
    assert_eq!(last(&written), "takes a message");
    assert_eq!(last(&live), "goes to `Fax`, which has no word here: the way is not known from here");
    // What the inventory does not have is on the PBX all the same.
    place.edit(FILE, "      other: {title: All other calls, trunk: operator, to: {ivr: \"900\"}}\n", "");
    place.edit(
        FILE,
        "      ada: {title: Ada, trunk: operator, did: +33123456701, to: {extension: \"101\"}}\n",
        "",
    );
    place.edit(
        FILE,
        "dids: [+33123456700, +33123456701, +33123456702]",
        "dids: [+33123456700, +33123456702]",
    );
    let [written, live] = both(&place, &["+33123456701", "--at", "2026-11-24 10:00", "--from", "+33699"]);
    assert_eq!(written["direction"], "outbound", "{written:#}");
    assert_eq!(live["steps"][2]["object"]["name"], "101", "{live:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said() {
    let place = office().await;
    let words = ["call", "+33123456700", "--at", "2026-11-24 10:00", "--live"];
    let knobs: Knobs = "api=503".parse().unwrap();
    place.device("head-office").knobs().set(|board| *board = knobs);
    let said = place.rocade(&words).ended(1);
    assert!(said.err.contains("pbx head-office could not be read") && said.out.is_empty(), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_refused_with_what_would_be_right() {
    let place = Place::whole().await;
    for (words, code, said) in [
        (&["call", "abc"][..], 64, "a phone number such as +33123456789"),
        (&["call", "112", "--at", "christmas"], 64, "write it as `2026-12-25 23:00`"),
        (&["call", "112", "--pbx", "nobody"], 1, "there is no `nobody` under `pbx`"),
        (&["call", "112", "--as", "999"], 1, "head-office has no extension 999"),
    ] {
        let ran = place.rocade(words).ended(code);
        assert!(ran.err.contains(said) && ran.out.is_empty(), "{words:?}: {}", ran.err);
    }
    let ran = place.rocade(&["call", "+33123456700", "--at", "2026-03-29 02:30"]).ended(0);
    assert!(ran.err.contains("that time is skipped there that day: 03:30 is taken"), "{}", ran.err);
    assert!(ran.out.starts_with("+33123456700 on Sunday 2026-03-29 03:30 (Europe/Paris)"), "{}", ran.out);
}
