//! Deletes, whatever a PBX does with references to what is deleted: in the reverse order of making, after all
//! that leads there was turned away. What would be cut and is not in the plan is said instead.

use rocade::lab::{References, ThreeCxPlan};
use serde_json::json;

use crate::place::Place;
use crate::small::applied;
use crate::{FILE, pbx, writes};

/// Sets whose objects are ours, but for prompts.
pub const SETS: [&str; 11] = [
    "Groups",
    "Users",
    "Sbcs",
    "RingGroups",
    "Queues",
    "Receptionists",
    "Holidays",
    "Trunks",
    "InboundRules",
    "OutboundRules",
    "WebsiteLinks",
];

fn plan(references: References) -> ThreeCxPlan {
    ThreeCxPlan { references, ..ThreeCxPlan::default() }
}

/// Everything the PBX holds, as text.
fn all(place: &Place) -> String {
    let rows = SETS.iter().flat_map(|set| pbx(place).rows(set));
    rows.map(|row| row.to_string()).collect::<Vec<_>>().join("\n")
}

/// Takes a line out of the inventory, with what belongs to it.
fn take_out(place: &Place, from: &str, until: &str) {
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let start = text.find(from).unwrap();
    let end = start + text[start..].find(until).unwrap();
    std::fs::write(&path, format!("{}{}", &text[..start], &text[end..])).unwrap();
}

/// Objects that lead to each other, in cycles: extension to ring group and back, IVR to IVR and back.
#[tokio::test(flavor = "multi_thread")]
async fn what_leads_to_each_other_is_deleted_whatever_the_pbx_does_with_references() {
    for references in [References::Cut, References::Refuse, References::Stay] {
        let place = applied(plan(references)).await;
        // A person added a phone of a model that the inventory has no word for.
        let settings = json!({"ProvisionType": "SBC", "SbcName": "paris01", "IsSBC": false});
        let template = "yealinkT5x.ph.xml";
        let phone = json!({"MacAddress": "805EC0000077", "Name": "Yealink T53", "TemplateName": template,
            "Settings": settings});
        pbx(&place).alter("Users", "Number", "102", &json!({"Phones": [phone]})).unwrap();
        take_out(&place, "      \"102\":\n", "\n    sbcs:");
        take_out(&place, "      paris01: {", "\n    ring_groups:");
        take_out(&place, "      \"801\": {title: Overflow", "\n    queues:");
        take_out(&place, "      \"901\": {", "\n    trunks:");
        take_out(&place, "      france: {", "\n    live_chat:");
        place.edit(FILE, "    sbcs:\n", "    sbcs: {}\n");
        place.edit(FILE, "        blf: [102]\n", "        blf: []\n");
        place.edit(FILE, ", no_answer: {ring_group: \"801\"}", ", no_answer: {queue: \"850\"}");
        place.edit(FILE, ", 2: {ivr: \"901\"}", "");
        place.edit(FILE, "to: {ivr: \"901\"}, prompt", "to: {ivr: \"900\"}, prompt");
        place.rocade(&["apply", "--yes"]).ended(0);
        let written = writes(&place);
        let deleted =
            |set: &str| written.iter().position(|write| write.starts_with(&format!("DELETE {set}(")));
        let order = ["OutboundRules", "Receptionists", "RingGroups", "Sbcs", "Users"]
            .map(|set| deleted(set).unwrap());
        assert!(order.is_sorted(), "{references:?}: {written:#?}");
        let last = written.iter().rposition(|write| write.starts_with("PATCH Groups(")).unwrap();
        assert!(last < order[0], "{references:?}: {written:#?}");
        let left = all(&place);
        for gone in ["\"102\"", "\"801\"", "\"901\"", ">102<", "paris01", "France"] {
            assert!(!left.contains(gone), "{references:?}: {gone} in {left}");
        }
        let plan = place.rocade(&["plan", "--json"]).ended(0).json();
        assert_eq!(crate::place::changes(&plan), [""; 0], "{references:?}");
    }
}

/// The whole system goes, all parts still being ours: each part is written and empty.
#[tokio::test(flavor = "multi_thread")]
async fn everything_of_ours_goes_and_nothing_of_the_systems() {
    for references in [References::Cut, References::Refuse, References::Stay] {
        let place = applied(plan(references)).await;
        pbx(&place).add("Users", &json!({"Number": "300", "FirstName": "By hand"})).unwrap();
        let path = place.file("inventory/head-office.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, _) = text.split_once("    departments:\n").unwrap();
        let parts =
            ["departments", "holidays", "extensions", "sbcs", "ring_groups", "queues", "ivrs", "trunks"];
        let parts = parts.into_iter().chain(["inbound_rules", "outbound_rules", "live_chat"]);
        let empty: String = parts.map(|part| format!("    {part}: {{}}\n")).collect();
        std::fs::write(&path, format!("{head}{empty}")).unwrap();
        place.rocade(&["apply", "--yes"]).ended(0);
        let counts =
            SETS.map(|set| (set, pbx(&place).count(set))).into_iter().filter(|(_, count)| *count > 0);
        // The default department and a hidden one, the operator and a hot-desking place.
        assert_eq!(counts.collect::<Vec<_>>(), [("Groups", 2), ("Users", 2)], "{references:?}");
        assert_eq!(crate::place::changes(&place.rocade(&["plan", "--json"]).ended(0).json()), [""; 0]);
    }
}

/// What still leads to what is to go, and is not to change, is said before the first write.
#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_cut_and_is_not_in_the_plan_is_said() {
    let place = applied(plan(References::Cut)).await;
    // A part that is not written is not ours.
    take_out(&place, "    queues:\n", "    ivrs:\n");
    for (from, to) in [
        ("no_answer: {queue: \"850\"}", "no_answer: end"),
        ("to: {queue: \"850\"}, websites", "to: {extension: \"101\"}, websites"),
        ("members: [102]", "members: [101]"),
        ("        blf: [102]\n", ""),
    ] {
        place.edit(FILE, from, to);
    }
    take_out(&place, "      \"102\":\n", "\n    sbcs:");
    pbx(&place).alter("Queues", "Number", "850", &json!({"Agents": [{"Number": "102"}]})).unwrap();
    let route =
        json!({"IsPromptEnabled": false, "Prompt": "", "Route": {"To": "Extension", "Number": "102"}});
    pbx(&place).alter("Groups", "Name", "DEFAULT", &json!({"OfficeRoute": route})).unwrap();
    place.forget_requests();
    let said = place.rocade(&["plan"]).ended(6).out;
    for words in [
        "extension 102 is to be deleted, and queue 850, which the inventory does not have, still leads to it in",
        "and department default, which is the system's, still leads to it in `when_open`",
        "and extension 101 still leads to it in `blf`  inventory/head-office.yaml:",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    place.rocade(&["apply", "--yes"]).ended(6);
    assert_eq!(place.writes(), [""; 0]);
}

/// When the change that turns a call away fails, what it leads to stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_turned_away_keeps_what_it_leads_to() {
    for references in [References::Cut, References::Refuse, References::Stay] {
        let place = applied(plan(references)).await;
        take_out(&place, "      \"901\": {", "\n    trunks:");
        place.edit(FILE, ", 2: {ivr: \"901\"}", "");
        place.edit(FILE, "to: {ivr: \"901\"}, prompt", "to: {ivr: \"900\"}, prompt");
        // Backup, department, IVR.
        place.device("head-office").knobs().set(|knobs| knobs.fail_order = Some(3));
        let ran = place.rocade(&["apply", "--yes"]).ended(3);
        assert!(ran.out.contains("ivr 900 still leads to it and was not changed"), "{}", ran.out);
        assert_eq!(pbx(&place).count("Receptionists"), 2);
        assert_eq!(pbx(&place).find("Receptionists", "Number", "900")[0]["Forwards"][1]["ForwardDN"], "901");
        place.rocade(&["apply", "--yes"]).ended(0);
        assert_eq!(pbx(&place).count("Receptionists"), 1);
    }
}
