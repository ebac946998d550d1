//! A phonebook filled from another program's directory: what is in it comes, changes and goes with it, what is not
//! of it stays, and a directory that cannot be read whole deletes nothing.

use rocade::lab::{ApiFault, Device, DevicePlan, Dolibarr, Lab, LabPlan, RequestFault};
use serde_json::json;

use crate::place::Place;
use crate::{FILE, office, pbx, planned, row, writes};

/// An office whose phonebook is to be filled from a Dolibarr.
async fn with_directory() -> (Place, Lab) {
    let place = office().await;
    let lab = Lab::start(LabPlan { devices: vec![DevicePlan::dolibarr("erp")], logs: None }).await.unwrap();
    let erp = &lab.devices()[0];
    place.set_secret("erp/key", &erp.plan.password);
    let entry = format!(
        "    directories:\n      erp: {{model: dolibarr, url: {}, api_key: {{secret: erp/key}}}}\n    contacts:\n",
        erp.url()
    );
    place.edit(FILE, "    contacts:\n", &entry);
    (place, lab)
}

fn erp(lab: &Lab) -> (&Device, &Dolibarr) {
    let device = &lab.devices()[0];
    (device, device.dolibarr().unwrap())
}

fn entries(erp: &Dolibarr, count: u32) -> Vec<u64> {
    let one = |number: u32| {
        let mobile = format!("06 11 {:02} {:02} {:02}", number / 10_000, number / 100 % 100, number % 100);
        erp.add_contact(json!({"lastname": format!("Contact {number}"), "phone_mobile": mobile}))
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_come_change_and_go_with_the_directory() {
    let (place, lab) = with_directory().await;
    let (device, erp) = erp(&lab);
    let company = erp.add_company(
        json!({"name": "Piscine de Lyon", "phone": "+33 (0)4 72 00 11 22", "fax": "04.72.00.11.23"}),
    );
    let jean = erp
        .add_contact(json!({"lastname": "Petit", "firstname": "Jean", "socid": company.to_string(),
        "phone_mobile": "0033 6 11 22 33 00", "phone_perso": "on request", "email": "jean@example.fr"}));
    erp.add_contact(json!({"lastname": "Private", "phone_mobile": "0611223301", "priv": "1"}));
    let before = pbx(&place).count("Contacts");
    let create = |id: &str| format!("create pbx head-office: directory_contact erp/{id}");
    let (company, jean_id) = (format!("company-{company}"), format!("contact-{jean}"));
    assert_eq!(planned(&place), [create(&company), create(&jean_id)]);
    let said = place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert!(said.err.contains("what is in phone_perso is no telephone number"), "{}", said.err);
    assert!(!(said.err + &said.out).contains("on request"), "what stands there is not repeated");
    let made = row(&place, "Contacts", "Tag", &format!("rocade:erp/{jean_id}"));
    assert_eq!((&made["PhoneNumber"], &made["Home"]), (&json!("+33611223300"), &json!(null)));
    assert_eq!(made["CompanyName"], "Piscine de Lyon");
    let made = row(&place, "Contacts", "Tag", &format!("rocade:erp/{company}"));
    assert_eq!((&made["Business"], &made["BusinessFax"]), (&json!("+33472001122"), &json!("+33472001123")));
    // A second apply writes nothing.
    place.forget_requests();
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(writes(&place), [""; 0]);
    erp.alter_contact(jean, "poste", "Director");
    assert_eq!(planned(&place), [format!("update pbx head-office: directory_contact erp/{jean_id}")]);
    erp.remove_contact(jean);
    let gone = format!("delete pbx head-office: directory_contact erp/{jean_id}");
    assert_eq!(planned(&place), [gone.as_str()]);
    place.rocade(&["apply", "head-office", "--yes", "--max-delete", "0"]).ended(6);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(pbx(&place).count("Contacts"), before + 1);
    // It was only ever read, by its key.
    assert!(device.log().entries().iter().all(|entry| entry.what.starts_with("GET /api/index.php/")));
    // Out of the inventory they stay; with a list that is empty they go.
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().find(|line| line.contains("model: dolibarr")).unwrap().to_owned();
    let without = text.replace(&format!("    directories:\n{line}\n"), "");
    std::fs::write(&path, without).unwrap();
    assert_eq!(planned(&place), [""; 0]);
    std::fs::write(&path, text.replace(&format!("    directories:\n{line}\n"), "    directories: {}\n"))
        .unwrap();
    assert_eq!(planned(&place), [format!("delete pbx head-office: directory_contact erp/{company}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_not_read_whole_changes_nothing() {
    let (place, lab) = with_directory().await;
    let (device, erp) = erp(&lab);
    let ids = entries(erp, 201);
    erp.add_company(json!({"name": "Piscine", "phone": "0472001122"}));
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(pbx(&place).count("Contacts"), 202 + 5);
    erp.remove_contact(ids[3]);
    let unread = |what: &str, words: &str| {
        place.forget_requests();
        let plan = place.rocade(&["plan", "head-office", "--json"]).ended(1).json();
        assert_eq!(plan["changes"], json!([]), "{what}");
        let reason = plan["unread"][0]["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("the directory erp could not be read: ") && reason.contains(words),
            "{reason}"
        );
        let said = place.rocade(&["apply", "head-office", "--yes"]);
        assert_ne!(said.code, 0, "{what}: {}", said.err);
        assert_eq!(writes(&place), [""; 0], "{what}");
    };
    // Each of the requests, and each way to fail.
    let faults = [RequestFault::CutBefore, RequestFault::Half, RequestFault::Garbage];
    for (request, fault) in (1..=5).zip(faults.into_iter().cycle()) {
        device.knobs().set(|knobs| knobs.at_request = Some((request, fault)));
        let plan = place.rocade(&["plan", "head-office", "--json"]).ended(1).json();
        assert_eq!(plan["changes"], json!([]), "{request} {fault:?}");
    }
    device.knobs().set(|knobs| (knobs.at_request, knobs.api) = (None, Some(ApiFault::Status(404))));
    unread("another program answers", "is the module");
    device.knobs().set(|knobs| knobs.api = Some(ApiFault::Status(500)));
    unread("a fault of its own", "500");
    device.knobs().set(|knobs| knobs.api = None);
    place.set_secret("erp/key", "another");
    unread("a wrong key", "the key was refused");
    place.set_secret("erp/key", &device.plan.password);
    erp.list_empty(true);
    assert_eq!(
        planned(&place),
        [format!("delete pbx head-office: directory_contact erp/contact-{}", ids[3])]
    );
    erp.clear();
    unread("a user without rights", "may the key's user see them");
}
