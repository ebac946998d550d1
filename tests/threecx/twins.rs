//! Two objects of one name on the PBX: neither is the wished one, nothing is written of them, the rest stands.

use rocade::lab::ThreeCxPlan;
use serde_json::json;

use crate::small::applied;
use crate::{FILE, pbx, writes};

/// What could not be read, as `department sales: why`.
fn unread(plan: &serde_json::Value) -> Vec<String> {
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |one: &serde_json::Value| {
        format!("{} {}: {}", word(&one["collection"]), word(&one["name"]), word(&one["reason"]))
    };
    plan["unread"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_departments_of_one_title_are_left_alone_and_said() {
    let place = applied(ThreeCxPlan::default()).await;
    let first = pbx(&place).find("Groups", "Name", "Sales")[0]["Id"].clone();
    pbx(&place).double("Groups", "Name", "Sales");
    let second = pbx(&place).find("Groups", "Name", "Sales")[1]["Id"].clone();
    let plan = place.rocade(&["plan", "--json"]).ended(1).json();
    let said = format!(
        "department sales: two departments are called Sales on the PBX (ids {first} and {second}): rename one"
    );
    assert_eq!(unread(&plan), [said]);
    // Those that are in it are seen to be: nothing changes.
    assert_eq!(crate::place::changes(&plan), [""; 0]);

    // The rest of the plan stands; what needs the department is not begun.
    place.edit(FILE, "first_name: Grace", "first_name: Grace B.");
    place.edit(FILE, "title: Sales, timezone", "title: Sales, language: FR, timezone");
    let new = "      \"103\": {first_name: Alan, department: sales}\n    sbcs:\n";
    place.edit(FILE, "    sbcs:\n", &format!("{}\n", new.trim_end()));
    let ran = place.rocade(&["apply", "--yes"]).ended(3);
    assert!(ran.out.contains("department sales could not be read: two departments"), "{}", ran.out);
    assert_eq!(writes(&place).len(), 1, "{:?}", writes(&place));
    assert_eq!(pbx(&place).find("Users", "FirstName", "Grace B.").len(), 1);
    assert_eq!(pbx(&place).find("Users", "Number", "103").len(), 0);

    // A person renames one.
    pbx(&place).alter("Groups", "Name", "Sales", &json!({"Name": "Sales of old"})).unwrap();
    place.edit(FILE, "unmanaged: delete", "unmanaged: keep");
    place.rocade(&["plan", "--json"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_of_other_kinds_are_said_and_those_nobody_wished_are_not() {
    let place = applied(ThreeCxPlan::default()).await;
    pbx(&place).double("OutboundRules", "Name", "France");
    pbx(&place).double("InboundRules", "RuleName", "Main number");
    let said = unread(&place.rocade(&["plan", "--json"]).ended(1).json());
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with(
            "inbound_rule main-number: two inbound rules on the PBX are for the same calls (ids "
        )
    );
    assert!(
        said[1].starts_with("outbound_rule france: two outbound rules are called France on the PBX (ids ")
    );
    // Nothing of these parts is deleted meanwhile.
    pbx(&place).add("OutboundRules", &json!({"Name": "By hand", "Prefix": "7"})).unwrap();
    let plan = place.rocade(&["plan", "--json"]).ended(1).json();
    assert_eq!(crate::place::changes(&plan), [""; 0]);

    let place = applied(ThreeCxPlan::default()).await;
    place.edit(FILE, "unmanaged: delete", "unmanaged: report");
    pbx(&place).add("OutboundRules", &json!({"Name": "By hand", "Prefix": "7"})).unwrap();
    pbx(&place).double("OutboundRules", "Name", "By hand");
    let plan = place.rocade(&["plan", "--json"]).ended(0).json();
    let names: Vec<&str> = plan["unmanaged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["key"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("by-hand")).count(), 2, "{names:?}");
}
