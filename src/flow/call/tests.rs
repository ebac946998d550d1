//! Calls to the sample's head office, and to small ones made for a case.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Call, Direction, Odd, Way, follow};
use crate::inventory::{self, Pbx};

fn head_office() -> Pbx {
    let text = include_str!("../../../inventory/head-office.yaml");
    // Its form alone: what it refers to lies in other files.
    let (mut seen, faults) = inventory::seen("inventory/head-office.yaml", text);
    assert!(faults.is_empty(), "{faults:?}");
    seen.pbx.remove("head-office").unwrap().value
}

/// A telephone system of these parts, written as in an entry of the inventory.
fn office(parts: &str) -> Pbx {
    let head = "pbx:\n  x:\n    model: 3cx\n    url: https://x.example.net\n    client_id: x\n    \
                client_secret: {secret: pbx/x/client}\n";
    let (mut seen, faults) = inventory::seen("x.yaml", &format!("{head}{parts}"));
    assert!(faults.is_empty(), "{faults:?}\n{parts}");
    seen.pbx.remove("x").unwrap().value
}

/// A call whose words differ from an ordinary one in little.
fn call<'a>(pbx: &'a Pbx, odd: &'a Odd, number: &'a str, at: &str) -> Call<'a> {
    let at: DateTime = at.parse().unwrap();
    let at = at.to_zoned(TimeZone::get("Europe/Paris").unwrap()).unwrap();
    Call { pbx, odd, number, from: None, dialler: None, at }
}

fn way(pbx: &Pbx, number: &str, at: &str) -> Way {
    follow(&call(pbx, &Odd::new(), number, at))
}

/// A way in short: branch, time and object or words of each step.
fn short(way: &Way) -> Vec<String> {
    let one = |step: &super::Step| {
        let branch = step.branch.as_ref().map_or(String::new(), |branch| format!("[{branch}] "));
        let object = step.object.as_ref().map(|object| format!("{} {}", object.kind, object.name));
        let same = step.same_as.map_or(String::new(), |step| format!(" = {step}"));
        let what = object.unwrap_or_else(|| step.does.clone());
        format!("{branch}{}s {what}{same}", step.after_s)
    };
    way.steps.iter().map(one).collect()
}

/// What happens at an object, with what was assumed.
fn at(way: &Way, kind: &str, name: &str) -> (String, Vec<String>) {
    let own = |step: &&super::Step| {
        step.object.as_ref().is_some_and(|object| (object.kind, object.name.as_str()) == (kind, name))
    };
    let step = way.steps.iter().find(own).unwrap_or_else(|| panic!("no {kind} {name} in\n{}", way.text()));
    (step.does.clone(), step.assumed.clone())
}

#[test]
fn by_day_a_call_goes_through_menu_group_overflow_queue_and_mailbox() {
    let way = way(&head_office(), "+33123456700", "2026-11-24T10:00");
    assert_eq!(way.direction, Direction::Inbound);
    let expected = [
        "0s trunk operator",
        "0s inbound_rule main-number",
        "0s ivr 900",
        "[key 1] 0s ring_group 800",
        "20s ring_group 801",
        // Two members, one after the other, 15 s each.
        "50s queue 850",
        "350s mailbox 190",
        "[key 2] 0s queue 850 = 6",
        "[key 3] 0s ivr 901",
        "[key 1] 0s mailbox 190",
        "[key 2] 0s ivr 900 = 3",
        "[no key] 5s mailbox 190",
        "[key 9] 0s the prompt is played again, from here on as in step 3 = 3",
        "[no key] 5s ring_group 800 = 4",
    ];
    assert_eq!(short(&way), expected);
    let text = way.text();
    assert!(
        text.contains("  7     after 5 min 50 s: mailbox 190 Shared Mailbox: takes a message\n"),
        "{text}"
    );
    assert!(text.contains("IVR 900 Welcome: once more, in a circle, from here on as in step 3\n"), "{text}");
}

#[test]
fn by_night_the_rule_leads_elsewhere_and_the_menu_does_too() {
    let way = way(&head_office(), "+33123456700", "2026-11-24T22:00");
    assert!(at(&way, "inbound_rule", "main-number").0.ends_with("outside its hours"));
    let (does, _) = at(&way, "ivr", "900");
    assert_eq!(does, "department sales is closed; plays closed.wav and sends the call on");
    let expected = [
        "0s trunk operator",
        "0s inbound_rule main-number",
        "0s ivr 901",
        "[key 1] 0s mailbox 190",
        "[key 2] 0s ivr 900",
        "0s ivr 901 = 3",
        "[no key] 5s mailbox 190",
    ];
    assert_eq!(short(&way), expected);
}

#[test]
fn holidays_are_yearly_of_several_days_or_move_with_easter() {
    let pbx = head_office();
    let rule = |at_time: &str| at(&way(&pbx, "+33123456700", at_time), "inbound_rule", "main-number").0;
    for (day, name) in [
        ("2026-12-25T10:00", "Christmas"),
        ("2031-12-25T23:59", "Christmas"),
        ("2027-08-09T10:00", "Summer closing"),
        ("2027-08-20T10:00", "Summer closing"),
        ("2027-03-29T10:00", "Easter Monday"),
        ("2028-04-17T10:00", "Easter Monday"),
    ] {
        assert!(rule(day).ends_with(&format!("keeps a holiday ({name})")), "{day}: {}", rule(day));
    }
    // The year is not among those written; the day before and after.
    for day in ["2029-04-02T10:00", "2027-08-06T10:00", "2027-08-23T10:00", "2026-12-24T10:00"] {
        assert!(rule(day).ends_with("in its hours"), "{day}: {}", rule(day));
    }
    let way = way(&pbx, "+33123456700", "2026-12-25T10:00");
    assert_eq!(short(&way)[2..], ["0s mailbox 190"]);
}

#[test]
fn a_yearly_holiday_may_lie_over_the_end_of_the_year() {
    let pbx = office(
        "    holidays:\n      year-end: {title: Year end, date: 12-24, until: 01-02}\n    ring_groups:\n      \
         \"800\": {title: Sales, members: [101], no_answer: end, on_holiday: {to: end}}\n",
    );
    let rests =
        |day: &str| at(&way(&pbx, "800", day), "ring_group", "800").0.contains("a holiday (Year end)");
    for day in ["2026-12-24T00:00", "2026-12-31T23:59", "2027-01-01T10:00", "2027-01-02T23:59"] {
        assert!(rests(day), "{day}");
    }
    for day in ["2026-12-23T23:59", "2027-01-03T00:00", "2027-07-01T10:00"] {
        assert!(!rests(day), "{day}");
    }
}

#[test]
fn a_break_is_neither_open_nor_closed() {
    let pbx = head_office();
    let way = way(&pbx, "+33123456700", "2026-11-24T12:30");
    let (does, assumed) = at(&way, "ring_group", "800");
    assert!(
        does.starts_with("department sales has its break, and it has no way for that; rings 101"),
        "{does}"
    );
    assert!(
        assumed[0]
            .starts_with("an object without `on_break` rings on as if its department was open; `--live`")
    );
    // The profile of a person who follows the hours.
    let way = super::tests::way(&pbx, "+33123456701", "2026-11-24T12:30");
    assert!(at(&way, "extension", "101").0.starts_with("does not ring; department sales has its break"));
}

#[test]
fn hours_follow_the_clock_of_the_department_through_the_change_to_summer_time() {
    let parts = r#"
    departments:
      tokyo: {title: T, timezone: Asia/Tokyo, hours: {mon-fri: ["09:00-18:00"]}}
      paris: {title: P, timezone: Europe/Paris, hours: {sun: ["03:00-04:00"]}}
    ring_groups:
      "800": {title: T, department: tokyo, members: [], no_answer: end, when_closed: {to: end}}
      "801": {title: P, department: paris, members: [], no_answer: end, when_closed: {to: end}}
"#;
    let pbx = office(parts);
    let closed = |number: &str, at_time: &str| {
        at(&way(&pbx, number, at_time), "ring_group", number).0.ends_with("sends the call on")
    };
    // In Tokyo it is eight hours later in winter, seven in summer, and Monday begins on Sunday evening.
    assert!(!closed("800", "2026-11-23T09:59") && closed("800", "2026-11-23T10:00"));
    assert!(!closed("800", "2026-07-06T10:59") && closed("800", "2026-07-06T11:00"));
    assert!(!closed("800", "2026-11-23T01:00") && closed("800", "2026-11-22T23:59"));
    // On 29 March 2026 there is no 02:30 in Paris; a clock that shows it stands at 03:30.
    assert!(!closed("801", "2026-03-29T02:30") && !closed("801", "2026-03-29T03:30"));
    assert!(closed("801", "2026-03-29T01:59") && closed("801", "2026-03-29T04:00"));
    assert!(closed("801", "2026-03-22T02:30"));
}

#[test]
fn a_caller_who_waits_past_closing_time_meets_a_closed_department() {
    let parts = r#"
    departments:
      a: {title: A, timezone: Europe/Paris, hours: {mon-fri: ["09:00-18:00"]}}
    queues:
      "850": {title: Q, department: a, agents: [], timeout: 5m, no_answer: {ring_group: "800"}}
    ring_groups:
      "800":
        title: R
        department: a
        members: []
        no_answer: {queue: "850"}
        when_closed: {to: {voicemail: "101"}}
"#;
    let pbx = office(parts);
    let way = way(&pbx, "850", "2026-11-24T17:57");
    assert_eq!(short(&way)[1..], ["0s queue 850", "300s ring_group 800", "300s mailbox 101"]);
    let way = super::tests::way(&pbx, "850", "2026-11-24T17:40");
    assert_eq!(short(&way)[1..], ["0s queue 850", "300s ring_group 800", "300s queue 850 = 2"]);
}

#[test]
fn the_rule_for_the_caller_comes_first_and_the_one_for_the_rest_last() {
    let pbx = head_office();
    let none = Odd::new();
    let rule = |number: &str, from: Option<&str>| {
        let way = follow(&Call { from, ..call(&pbx, &none, number, "2026-11-24T10:00") });
        way.steps[1].object.clone().unwrap().name
    };
    assert_eq!(rule("+33123456700", Some("+33499001234")), "best-customer");
    assert_eq!(rule("+33123456700", Some("0033499001234")), "best-customer");
    assert_eq!(rule("+33123456700", Some("+33499101234")), "main-number");
    assert_eq!(rule("0123456701", None), "ada");
    let mut pbx = head_office();
    pbx.inbound_rules.entries.remove("ada");
    let left = way(&pbx, "+33123456701", "2026-11-24T10:00");
    assert_eq!(left.steps[1].object.clone().unwrap().name, "other");
    assert!(left.steps[1].does.contains("no other rule is for this call"));
    pbx.inbound_rules.entries.remove("other");
    let left = way(&pbx, "+33123456701", "2026-11-24T10:00");
    assert_eq!(left.steps[1].does, "no inbound rule is for it; nobody takes the call");
}

#[test]
fn a_person_rings_or_not_as_the_profile_says() {
    let pbx = head_office();
    let day = way(&pbx, "+33123456701", "2026-11-24T10:00");
    let expected = ["0s extension 101", "[busy] 0s mailbox 101", "[no answer] 25s ring_group 800"];
    assert_eq!(short(&day)[2..5], expected);
    let night = way(&pbx, "+33123456701", "2026-11-24T20:00");
    assert_eq!(short(&night)[2..], ["0s extension 101", "0s queue 850", "300s mailbox 190"]);
    // A colleague is sent elsewhere, and a person without forwarding or mailbox is not guessed about.
    let none = Odd::new();
    let colleague = follow(&Call { dialler: Some("102"), ..call(&pbx, &none, "101", "2026-11-24T20:00") });
    assert_eq!(colleague.direction, Direction::Internal);
    assert_eq!(short(&colleague), ["0s 102 Grace dials 101", "0s extension 101", "0s mailbox 101"]);
    let bare = way(&pbx, "102", "2026-11-24T10:00");
    let last = bare.steps.last().unwrap();
    assert_eq!(last.does, "where the call goes then is not known here");
    assert!(last.at_least, "how long it rings is not written");
}

#[test]
fn calls_to_outside_find_rule_trunk_and_digits() {
    let pbx = head_office();
    let none = Odd::new();
    let out = |number: &str, dialler: Option<&str>| {
        follow(&Call { dialler, ..call(&pbx, &none, number, "2026-11-24T10:00") })
    };
    let way = out("0612345678", Some("102"));
    assert_eq!(way.direction, Direction::Outbound);
    assert_eq!(short(&way)[1..], ["0s outbound_rule france", "0s trunk operator"]);
    assert_eq!(way.steps[2].does, "sends 0612345678 and shows +33123456700");
    assert_eq!(out("118712", Some("101")).steps[1].object.clone().unwrap().name, "directory");
    let refused = out("118712", Some("103")).steps[1].does.clone();
    assert!(
        refused.contains("directory (it is for 101)") && refused.ends_with("the call is refused"),
        "{refused}"
    );
    for emergency in ["112", "15"] {
        let does = out(emergency, None).steps[1].does.clone();
        assert_eq!(does, format!("takes {emergency}, an emergency number"));
    }
    // Somebody in no department may not, and nobody named may not either.
    assert!(out("0612345678", Some("190")).steps[1].does.contains("france (it is for sales, support)"));
    assert!(out("0612345678", None).steps[1].does.contains("france (it is for sales, support)"));
}

#[test]
fn a_number_that_is_none_of_ours_is_said_to_be_dialled_here() {
    let way = way(&head_office(), "+33123456799", "2026-11-24T10:00");
    assert_eq!(way.direction, Direction::Outbound);
    assert_eq!(way.steps[0].assumed[0], "+33123456799 is no number of ours, so somebody here dials it");
    assert!(way.steps[1].does.contains("the call is refused"), "{}", way.text());
}

#[test]
fn ways_of_a_department_are_not_taken_for_those_of_its_objects() {
    let way = way(&head_office(), "800", "2026-11-24T22:00");
    let (does, assumed) = at(&way, "ring_group", "800");
    assert!(does.starts_with("department sales is closed, and it has no way for that; rings 101"), "{does}");
    assert_eq!(assumed[1], "a department's own ways are for calls to it, not to its objects");
}

#[test]
fn digits_are_taken_off_and_put_in_front_and_the_next_trunk_is_named() {
    let parts = r#"
    extensions:
      "101": {first_name: Ada, caller_id: +33111}
    trunks:
      a: {title: A, template: x, number: +33100}
      b: {title: B, template: x, number: +33200}
    outbound_rules:
      second:
        title: S
        prefixes: ["00-03"]
        from: [100-199]
        priority: 2
        routes: [{trunk: a, strip: 1, prepend: "+33"}, {trunk: b, caller_id: +33999}]
      first: {title: F, prefixes: ["0"], lengths: [3-4], priority: 1, routes: []}
    emergency_numbers: [112]
"#;
    let pbx = office(parts);
    let none = Odd::new();
    let out = |number: &str| {
        let way = follow(&Call { dialler: Some("101"), ..call(&pbx, &none, number, "2026-11-24T10:00") });
        way.steps[2..].iter().map(|step| step.does.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        out("0212345678"),
        ["sends +33212345678 and shows +33111", "if that fails, sends 0212345678 and shows +33999"]
    );
    assert_eq!(out("0212"), ["it has no trunk: the call is refused"]);
    let way = way(&pbx, "112", "2026-11-24T10:00");
    let last = &way.steps.last().unwrap().does;
    assert!(last.ends_with("the call is refused: an emergency number without a way out"), "{last}");
}

#[test]
fn what_has_no_word_is_said_and_not_guessed() {
    let pbx = head_office();
    let odd = |place: &str, word: &str| {
        let odd = Odd::from([(place.to_owned(), word.to_owned())]);
        follow(&call(&pbx, &odd, "+33123456700", "2026-11-24T10:00"))
    };
    let fax = odd("inbound_rule main-number: to", "Fax");
    assert_eq!(fax.steps.len(), 3);
    assert!(fax.steps[2].does.starts_with("goes to `Fax`, which has no word here"));
    let key = odd("ivr 900: keys.1.to", "CustomInput");
    let key: Vec<_> = key.steps.iter().filter(|step| step.branch.as_deref() == Some("key 1")).collect();
    assert!(key[0].does.starts_with("goes to `CustomInput`"), "{key:?}");
    // The PBX's word for a route that changes nothing is known.
    let on = Odd::from([("ivr 900: when_closed.to".to_owned(), "ProceedWithNoExceptions".to_owned())]);
    let way = follow(&call(&pbx, &on, "900", "2026-11-24T23:00"));
    assert!(at(&way, "ivr", "900").0.contains("has no way for that; plays welcome.wav"));
    assert!(at(&way, "ivr", "900").1.is_empty());
}

#[test]
fn parts_that_are_not_written_are_not_taken_for_empty() {
    let group = "{title: R, members: [101], timeout: 20s, no_answer: {queue: \"850\"}}";
    let pbx = office(&format!("    ring_groups:\n      \"800\": {group}\n"));
    let left = way(&pbx, "800", "2026-11-24T10:00");
    assert_eq!(at(&left, "queue", "850").0, "is not known here, nor is the way from here on");
    assert_eq!(at(&left, "ring_group", "800").0, "rings 101 at once for 20 s");
    let out = way(&pbx, "0612345678", "2026-11-24T10:00");
    assert!(out.steps[1].does.starts_with("no outbound rules are known here"));
}

/// The words of a destination made of two numbers.
fn destination(kind: u8, target: u8) -> String {
    match kind % 7 {
        0 => format!("{{extension: \"1{:02}\"}}", target % 4),
        1 => format!("{{ring_group: \"2{:02}\"}}", target % 4),
        2 => format!("{{queue: \"3{:02}\"}}", target % 4),
        3 => format!("{{ivr: \"4{:02}\"}}", target % 4),
        4 => format!("{{voicemail: \"1{:02}\"}}", target % 4),
        5 => "{external: +33123}".to_owned(),
        _ => "end".to_owned(),
    }
}

/// An office of four objects a kind that lead to each other as the numbers say.
fn any_office(numbers: &[(u8, u8)]) -> String {
    let mut numbers = numbers.iter().cycle();
    let mut next = || numbers.next().map(|(kind, target)| destination(*kind, *target)).unwrap();
    let (mut people, mut groups, mut queues, mut ivrs) =
        (String::new(), String::new(), String::new(), String::new());
    for one in 0..4 {
        let follow = one % 2 == 0;
        let available = format!("{{ring: 20s, no_answer: {}, busy: {}}}", next(), next());
        let absent = format!("{{external: {}, internal: {}}}", next(), next());
        let forwarding = format!("{{available: {available}, out_of_office: {absent}}}");
        let person = format!("{{first_name: P, follow_hours: {follow}, forwarding: {forwarding}}}");
        let _ = writeln!(people, "      \"1{one:02}\": {person}");
        let ways = format!("timeout: 20m, no_answer: {}, when_closed: {{to: {}}}", next(), next());
        let _ = writeln!(groups, "      \"2{one:02}\": {{title: G, members: [101], {ways}}}");
        let ways = format!("timeout: 5h, no_answer: {}, on_holiday: {{to: {}}}", next(), next());
        let _ = writeln!(queues, "      \"3{one:02}\": {{title: Q, agents: [101], {ways}}}");
        let ways = format!("keys: {{1: {}, 2: {}, 3: repeat}}, no_key: {}", next(), next(), next());
        let _ = writeln!(ivrs, "      \"4{one:02}\": {{title: I, prompt: {{on_pbx: p.wav}}, {ways}}}");
    }
    let head = r#"
    departments:
      default: {title: D, hours: {mon-fri: ["09:00-18:00"]}}
    holidays:
      h: {title: H, date: 12-25}
"#;
    let numbered = format!("    ring_groups:\n{groups}    queues:\n{queues}    ivrs:\n{ivrs}");
    format!("{head}    extensions:\n{people}{numbered}")
}

proptest! {
    /// Every way ends: an object is looked into once for each way its department can stand, and named again at
    /// most once for each thing that leads to it then.
    #[test]
    fn every_way_ends_and_names_nothing_without_bound(
        numbers in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..64),
        start in 0..16_usize,
        hour in 0..24_i8,
        day in 20..28_i8,
    ) {
        let pbx = office(&any_office(&numbers));
        let number = format!("{}{:02}", start / 4 + 1, start % 4);
        let way = way(&pbx, &number, &format!("2026-12-{day:02}T{hour:02}:00"));
        let mut looked_into: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for step in &way.steps {
            if let Some(object) = &step.object && step.same_as.is_none() {
                *looked_into.entry((object.kind, &object.name)).or_default() += 1;
            }
            prop_assert!(step.same_as.is_none_or(|earlier| earlier < step.step), "{}", way.text());
        }
        let passages = ["extension", "ring_group", "queue", "ivr"];
        for ((kind, name), times) in looked_into {
            // Open, break, closed, holiday.
            prop_assert!(!passages.contains(&kind) || times <= 4, "{kind} {name}: {times}\n{}", way.text());
        }
        // 16 objects, four ways to stand, at most five things they lead to, and a line outside has two steps.
        prop_assert!(way.steps.len() <= 16 * 4 * 5 * 2, "{}", way.steps.len());
    }
}
