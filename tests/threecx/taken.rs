//! A number, an e-mail address, a phone or a DID that something on the PBX has, which the inventory does not:
//! said before the first write. What one object loses and another gets in the same plan is no clash.

use rocade::lab::ThreeCxPlan;
use serde_json::json;

use crate::place::Place;
use crate::small::{applied, small};
use crate::{FILE, pbx, row, writes};

/// Nothing is planned past this, and nothing is written.
#[track_caller]
fn refused(place: &Place, words: &[&str]) {
    place.forget_requests();
    let plan = place.rocade(&["plan"]).ended(6);
    for word in words {
        assert!(plan.out.contains(word), "{word}: {}", plan.out);
    }
    assert_eq!(plan.out.matches("\n  ! ").count(), words.len(), "{}", plan.out);
    place.rocade(&["apply", "--yes"]).ended(6);
    assert_eq!(place.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_another_kind_on_the_pbx_is_said() {
    let place = small(ThreeCxPlan::default()).await;
    place.edit(FILE, "unmanaged: delete", "unmanaged: keep");
    pbx(&place).add("Users", &json!({"Number": "850", "FirstName": "By hand"})).unwrap();
    pbx(&place).add("RingGroups", &json!({"Number": "901", "Name": "By hand"})).unwrap();
    place.edit(FILE, "      \"102\":\n", "      \"999\": {first_name: Menu}\n      \"102\":\n");
    refused(
        &place,
        &[
            "queue 850: 850 is the number of extension 850 on the PBX  inventory/head-office.yaml:",
            "ivr 901: 901 is the number of ring group 901 on the PBX",
            "extension 999: 999 is taken: SpecialMenu on the PBX",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_a_phone_and_a_did_of_others_on_the_pbx_are_said() {
    let place = small(ThreeCxPlan::default()).await;
    place.edit(FILE, "unmanaged: delete", "unmanaged: keep");
    let phone = |mac: &str| {
        let template = "yealinkT5x.ph.xml";
        json!({"Phones": [{"MacAddress": mac, "Name": "Yealink T54W", "TemplateName": template}]})
    };
    pbx(&place).add("Users", &json!({"Number": "300", "EmailAddress": "ADA@example.net"})).unwrap();
    pbx(&place).alter("Users", "Number", "300", &phone("805EC0000001")).unwrap();
    // A hot-desking place has phones too.
    pbx(&place).alter("Users", "Number", "HD1", &phone("805EC0000002")).unwrap();
    pbx(&place).add("Trunks", &json!({"Gateway": {"Name": "Old"}, "DidNumbers": ["+33123456700"]})).unwrap();
    refused(
        &place,
        &[
            "extension 101: `email` ada@example.net is extension 300's on the PBX",
            "extension 101: `phones` 80:5e:c0:00:00:01 is extension 300's on the PBX",
            "extension 102: `phones` 80:5e:c0:00:00:02 is extension HD1's on the PBX",
            "trunk operator: `dids` +33123456700 is trunk old's on the PBX",
        ],
    );
    // The address goes, and stands in nobody's way.
    pbx(&place).alter("Users", "Number", "300", &json!({"EmailAddress": "", "Phones": []})).unwrap();
    pbx(&place).alter("Users", "Number", "HD1", &json!({"Phones": []})).unwrap();
    pbx(&place).remove("Trunks", "Number", "10000").unwrap();
    place.rocade(&["apply", "--yes"]).ended(0);
}

/// Phones and addresses change hands between two extensions, both ways at once, in one apply.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_hands_is_given_up_first() {
    let place = applied(ThreeCxPlan::default()).await;
    for (from, to) in [
        ("email: ada@example.net", "email: other@example.net"),
        ("email: grace@example.net", "email: ada@example.net"),
        ("email: other@example.net", "email: grace@example.net"),
        ("model: yealink-t54w, mac: 80:5e:c0:00:00:01", "model: yealink-t54w, mac: 80:5e:c0:00:00:09"),
        ("mac: 80:5e:c0:00:00:02, sbc: paris01", "mac: 80:5e:c0:00:00:01, sbc: paris01"),
        ("model: yealink-t54w, mac: 80:5e:c0:00:00:09", "model: yealink-t46s, mac: 80:5e:c0:00:00:02"),
        (
            "model: yealink-t46s, mac: 80:5e:c0:00:00:01, sbc",
            "model: yealink-t54w, mac: 80:5e:c0:00:00:01, sbc",
        ),
    ] {
        place.edit(FILE, from, to);
    }
    let ran = place.rocade(&["apply", "--yes"]).ended(0);
    assert!(!ran.err.contains("reset it"), "both phones are known here: {}", ran.err);
    assert_eq!(row(&place, "Users", "Number", "101")["EmailAddress"], "grace@example.net");
    assert_eq!(row(&place, "Users", "Number", "102")["Phones"][0]["MacAddress"], "805EC0000001");
}

/// A person gets another number: the new extension has what the old one had, which goes in the same apply.
#[tokio::test(flavor = "multi_thread")]
async fn a_renumbered_extension_takes_its_address_and_phone_along() {
    let place = applied(ThreeCxPlan::default()).await;
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"102\":", "\"105\":");
    let text = text.replace("blf: [102]", "blf: [105]").replace("members: [102]", "members: [105]");
    std::fs::write(&path, text).unwrap();
    place.rocade(&["apply", "--yes"]).ended(0);
    assert_eq!(pbx(&place).find("Users", "Number", "102").len(), 0);
    let new = row(&place, "Users", "Number", "105");
    assert_eq!(
        (&new["EmailAddress"], &new["Phones"][0]["MacAddress"]),
        (&json!("grace@example.net"), &json!("805EC0000002"))
    );
    assert_eq!(writes(&place).iter().filter(|write| write.starts_with("DELETE")).count(), 1);
}
