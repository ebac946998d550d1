//! A live PBX becomes inventory: the plan right after is empty for every kind, comments stay, no secret comes.

use crate::{FILE, office, planned, writes};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_pbx_becomes_inventory_and_the_plan_is_empty() {
    let place = office().await;
    let path = place.file("inventory/head-office.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (stub, _) = text.split_once("    departments:\n").unwrap();
    let stub = format!("# kept\n{stub}# behind it\n");
    std::fs::write(&path, &stub).unwrap();
    place.rocade(&["import", "pbx", "head-office"]).ended(0);
    let imported = std::fs::read_to_string(&path).unwrap();
    assert!(imported.starts_with("# kept\n") && imported.ends_with("# behind it\n"), "{imported}");
    place.rocade(&["fmt", "--check"]).ended(0);
    for part in [
        "departments",
        "holidays",
        "extensions",
        "ring_groups",
        "queues",
        "ivrs",
        "trunks",
        "inbound_rules",
        "outbound_rules",
        "sbcs",
        "live_chat",
        "contacts",
    ] {
        assert!(imported.contains(&format!("\n    {part}:\n")), "{part}: {imported}");
    }
    place.rocade(&["validate"]).ended(0);
    assert_eq!(planned(&place), [""; 0], "{imported}");
    assert_eq!(writes(&place), [""; 0]);
    assert!(!imported.contains("2468013579") && !imported.contains("secret-of"), "{imported}");
    // Rules for a group come back as what they are there: one a number.
    assert!(
        imported.contains("caller: \"+33611223344\"") && !imported.contains("\n        group:"),
        "{imported}"
    );
    assert!(!imported.contains("Typed") && !imported.contains("dolibarr"), "{imported}");
    // The import owns what it wrote: a change of it is planned.
    place.edit(FILE, "first_name: \"Grace\"", "first_name: \"Grace B.\"");
    assert_eq!(planned(&place), ["update pbx head-office: extension 102"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_with_parts_is_not_overwritten() {
    let place = office().await;
    let before = std::fs::read(place.file("inventory/head-office.yaml")).unwrap();
    place.rocade(&["import", "pbx", "head-office"]).ended(6);
    assert_eq!(std::fs::read(place.file("inventory/head-office.yaml")).unwrap(), before);
    let printed = place.rocade(&["import", "pbx", "head-office", "--stdout"]).ended(0);
    assert!(printed.out.contains("    ring_groups:\n"), "{}", printed.out);
}

/// What a person made of a contact of ours and the inventory has no form for is left out and said.
#[tokio::test(flavor = "multi_thread")]
async fn a_contacts_number_without_its_country_is_left_out_and_said() {
    let place = office().await;
    let typed = serde_json::json!({"Business": "04 72 00 11 22", "Department": "Sales"});
    crate::pbx(&place).alter("Contacts", "Tag", "rocade:piscine-lyon", &typed).unwrap();
    let printed = place.rocade(&["import", "pbx", "head-office", "--stdout"]).ended(0);
    assert!(
        printed.out.contains("mobile: \"+33611223344\"") && !printed.out.contains("04 72"),
        "{}",
        printed.out
    );
    for said in
        ["contact piscine-lyon: business: `04 72 00 11 22` is no number", "contact piscine-lyon: department:"]
    {
        assert!(printed.err.contains(said), "{}", printed.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_listed_and_put_back_by_the_command_that_apply_prints() {
    let place = crate::place::Place::whole().await;
    let said = place.rocade(&["apply", "head-office", "--yes"]).ended(0).err;
    let command = said.lines().find_map(|line| line.split_once("rocade pbx restore ")).unwrap().1;
    let words: Vec<&str> = command.split(' ').collect();
    let listed = place.rocade(&["pbx", "backups", "head-office"]).ended(0).out;
    assert!(listed.contains(words[1]), "{listed}");
    place.rocade(&["pbx", "restore", words[0], words[1]]).ended(6);
    place.rocade(&["pbx", "restore", words[0], words[1], "--yes"]).ended(0);
    assert!(writes(&place).iter().any(|write| write.ends_with("/Pbx.Restore")));
    place.rocade(&["pbx", "restore", words[0], "not-there", "--yes"]).ended(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_calls_is_drawn_in_both_languages() {
    let place = crate::place::Place::whole().await;
    let mermaid = place.rocade(&["graph", "head-office"]).ended(0).out;
    assert!(mermaid.contains("  n800 -->|\"no answer\"| n801\n"), "{mermaid}");
    let dot = place.rocade(&["graph", "head-office", "--format", "dot"]).ended(0).out;
    assert!(dot.contains("n801 -> n850 [label=\"no answer\"];"), "{dot}");
    place.rocade(&["graph", "nobody"]).ended(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snippet_of_a_link_names_the_pbx_and_the_link() {
    let place = crate::place::Place::whole().await;
    let said = place.rocade(&["pbx", "snippet", "head-office", "shop"]).ended(0).out;
    assert!(said.contains("party=\"shop\"") && said.contains(&place.device("head-office").url()), "{said}");
    place.rocade(&["pbx", "snippet", "head-office", "nothing"]).ended(1);
}
