//! Contacts and the rules made of them: rocade's own are told from others by their tag, a number more is a rule more.

use rocade::lab::{DevicePlan, Lab, LabPlan};
use serde_json::{Value, json};

use crate::place::Place;
use crate::{FILE, office, pbx, planned, row, writes};

/// Plans, applies, and finds nothing left; gives the plan and the writes.
fn turn(place: &Place) -> (Vec<String>, Vec<String>) {
    place.forget_requests();
    let plan = planned(place);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let written = writes(place);
    assert_eq!(planned(place), [""; 0]);
    let plain = |write: &String| write.split('(').next().unwrap().to_owned();
    (plan, written.iter().map(plain).collect())
}

/// What people and other programs put into the phonebook.
fn foreign(place: &Place) -> Vec<Value> {
    vec![
        row(place, "Contacts", "FirstName", "Typed"),
        row(place, "Contacts", "Tag", "dolibarr:12"),
        row(place, "Contacts", "Tag", "VIP"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_others_are_neither_changed_nor_deleted_nor_named() {
    let place = office().await;
    // A twin of ours that a person typed in, with a tag of the person's own.
    let twin =
        json!({"FirstName": "Jean", "LastName": "Martin", "PhoneNumber": "+33611223344", "Tag": "VIP"});
    pbx(&place).add("Contacts", &twin).unwrap();
    let before = foreign(&place);
    for word in ["report", "delete", "keep"] {
        let path = place.file("inventory/head-office.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let now =
            ["keep", "report", "delete"].iter().find(|now| text.contains(&format!("unmanaged: {now} ")));
        place.edit(FILE, &format!("unmanaged: {} ", now.unwrap()), &format!("unmanaged: {word} "));
        let said = place.rocade(&["plan", "head-office", "-v"]).ended(0);
        assert!(!said.out.contains("contact"), "{word}: {}", said.out);
    }
    // Ours go with the inventory, whatever `unmanaged` says; theirs stay.
    place.edit(
        FILE,
        "      plumber: {first_name: Rosa, title: Plumber, mobile: \"+33 6 99 88 77 66\"}\n",
        "",
    );
    place.edit(FILE, "first_name: Jean\n", "first_name: Jeanne\n");
    let (plan, written) = turn(&place);
    assert_eq!(
        plan,
        ["update pbx head-office: contact piscine-lyon", "delete pbx head-office: contact plumber"]
    );
    assert_eq!(written, ["PATCH Contacts", "DELETE Contacts"]);
    assert_eq!(foreign(&place), before);
    assert_eq!(pbx(&place).count("Contacts"), 5, "three of others and two of ours");
}

/// Nothing is read into the inventory's own contacts when their part is not written, and nothing is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn contacts_stay_when_their_part_is_taken_out() {
    let place = office().await;
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (kept, _) = text.split_once("    # Marked on the PBX").unwrap();
    let (begin, end) = kept.split_once("      best-customers:\n").unwrap();
    let (_, end) = end.split_once("      other:").unwrap();
    std::fs::write(&path, format!("{begin}      other:{end}")).unwrap();
    assert_eq!(planned(&place), [""; 0]);
    assert_eq!(pbx(&place).count("Contacts"), 5);
    // What no inventory names is not read either.
    let asked = place.device("head-office").log().entries();
    assert!(!asked.iter().any(|entry| entry.what.contains("PhoneBookSettings")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_bears_its_name_as_tag_and_its_empty_fields_are_emptied() {
    let place = office().await;
    let contact = row(&place, "Contacts", "Tag", "rocade:piscine-lyon");
    assert_eq!(contact["PhoneNumber"], "+33611223344");
    assert_eq!(contact["CompanyName"], "Piscine de Lyon");
    assert_eq!(row(&place, "Contacts", "Tag", "rocade:plumber")["PhoneNumber"], "+33699887766");
    let typed = json!({"Home": "+33478000000"});
    pbx(&place).alter("Contacts", "Tag", "rocade:piscine-lyon", &typed).unwrap();
    assert_eq!(turn(&place).0, ["update pbx head-office: contact piscine-lyon"]);
    assert_eq!(row(&place, "Contacts", "Tag", "rocade:piscine-lyon")["Home"], "");
}

fn rules(place: &Place) -> Vec<String> {
    let rules = pbx(place).find("InboundRules", "Condition", "BasedOnCallerID");
    let mut names: Vec<String> =
        rules.iter().map(|rule| rule["RuleName"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_a_group_is_a_rule_for_each_number_that_calls() {
    let place = office().await;
    assert_eq!(
        rules(&place),
        [
            "Best customer",
            "Best customers +33450112233",
            "Best customers +33472001122",
            "Best customers +33611223344"
        ],
        "no rule for the fax"
    );
    let rule = row(&place, "InboundRules", "Data", "+33450112233");
    assert_eq!(rule["OfficeHoursDestination"]["Number"], "101");
    assert_eq!(rule["OutOfOfficeHoursDestination"]["To"], "VoiceMail");
    // A number more is a rule more.
    place.edit(FILE, "business: +33450112233,", "business: +33450112233, mobile: +33612000001,");
    let (plan, written) = turn(&place);
    assert_eq!(
        plan,
        [
            "create pbx head-office: caller_rule best-customers/+33612000001",
            "update pbx head-office: contact spa-annecy"
        ]
    );
    assert_eq!(written, ["POST InboundRules", "PATCH Contacts"]);
    // A contact less is its rules less, though `unmanaged` deletes nothing.
    place.edit(FILE, "unmanaged: report ", "unmanaged: keep ");
    place.edit(FILE, "fax: +33450112234, group: best-customers", "fax: +33450112234");
    let (plan, written) = turn(&place);
    assert_eq!(
        plan,
        [
            "delete pbx head-office: caller_rule best-customers/+33450112233",
            "delete pbx head-office: caller_rule best-customers/+33612000001"
        ]
    );
    assert_eq!(written, ["DELETE InboundRules", "DELETE InboundRules"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_title_changes_the_rules_and_makes_none() {
    let place = office().await;
    place.edit(FILE, "title: Best customers\n", "title: First come\n");
    let (plan, written) = turn(&place);
    assert_eq!((plan.len(), written), (3, vec!["PATCH InboundRules".to_owned(); 3]), "{plan:?}");
    assert!(rules(&place).contains(&"First come +33611223344".to_owned()));
    // One contact in place of the group.
    place.edit(FILE, "{group: best-customers}  #", "{contact: piscine-lyon} #");
    assert_eq!(turn(&place).0, ["delete pbx head-office: caller_rule best-customers/+33450112233"]);
}

/// A rule a person made for the number of a contact becomes the inventory's; one for another number stays.
#[tokio::test(flavor = "multi_thread")]
async fn rules_of_others_for_callers_stay() {
    let place = office().await;
    let trunk = row(&place, "InboundRules", "Data", "+33450112233")["TrunkDN"].clone();
    let rule = |title: &str, number: &str| {
        json!({"RuleName": title, "Condition": "BasedOnCallerID", "Data": number,
            "TrunkDN": {"Id": trunk["Id"], "Number": trunk["Number"]}, "OfficeHoursDestination": {"To": "None"}})
    };
    pbx(&place).add("InboundRules", &rule("Neighbour", "+33400000001")).unwrap();
    pbx(&place).add("InboundRules", &rule("Best customers of all +33400000002", "+33400000002")).unwrap();
    pbx(&place).add("InboundRules", &rule("Rosa", "+33699887766")).unwrap();
    pbx(&place).add("InboundRules", &rule("Again", "+33611223344")).unwrap();
    assert_eq!(planned(&place), [""; 0]);
    place.edit(FILE, "mobile: \"+33 6 99 88 77 66\"", "mobile: \"+33 6 99 88 77 66\", group: best-customers");
    assert_eq!(turn(&place).0, ["update pbx head-office: caller_rule best-customers/+33699887766"]);
    for kept in ["Neighbour", "Best customers of all +33400000002", "Again"] {
        assert!(rules(&place).contains(&kept.to_owned()), "{kept}");
    }
}

/// A PBX that does not keep tags would get every contact again with each apply.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_its_tag_is_taken_back() {
    let place = Place::whole().await;
    let mut plan = DevicePlan::threecx("other");
    plan.threecx.keeps_tags = false;
    let lab = Lab::start(LabPlan { devices: vec![plan], logs: None }).await.unwrap();
    let device = &lab.devices()[0];
    place.edit(FILE, &place.device("head-office").url(), &device.url());
    place.set_secret("pbx/head-office/client", &device.plan.threecx.client_secret);
    let ran = place.rocade(&["apply", "head-office", "--yes"]).ended(3);
    assert!(
        ran.out.contains("without its tag, by which rocade knows its own; it was deleted again"),
        "{}",
        ran.out
    );
    assert_eq!(device.threecx().unwrap().count("Contacts"), 2, "those of others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contacts_department_is_refused_unless_accepted() {
    let place = office().await;
    place.edit(FILE, "title: Plumber,", "title: Plumber, department: sales,");
    let said = place.rocade(&["plan", "head-office"]).ended(6);
    assert!(said.out.contains("accept_unverified: [contact_department]"), "{}", said.out);
    place.edit(FILE, "accept_unverified: [", "accept_unverified: [contact_department, ");
    turn(&place);
    assert_eq!(row(&place, "Contacts", "Tag", "rocade:plumber")["Department"], "Sales");
}
