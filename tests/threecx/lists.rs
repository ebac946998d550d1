//! Lists of users and of lines that become parts of a telephone system.

use crate::place::Place;
use crate::{FILE, office, planned, writes};

fn file(place: &Place) -> String {
    std::fs::read_to_string(place.file("inventory/head-office.yaml")).unwrap()
}

/// The inventory without a part; what refers to its entries stays.
fn without(text: &str, part: &str) -> String {
    let (before, rest) = text.split_once(&format!("\n    {part}:\n")).unwrap();
    let after = rest.find("\n    ").and_then(|_| {
        let mut at = 0;
        rest.split_inclusive('\n').find_map(|line| {
            let here = at;
            at += line.len();
            (line.starts_with("    ") && !line.starts_with("     ")).then_some(here)
        })
    });
    format!("{before}\n{}", &rest[after.unwrap()..])
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_went_out_come_back_and_change_nothing() {
    let place = office().await;
    let out = place.file("users.csv").display().to_string();
    place.rocade(&["pbx", "csv", "head-office", "--live", "--with-secrets", "--out", &out]).ended(0);
    let whole = file(&place);
    // Nothing new: it is as it was, byte for byte.
    let import = ["import", "users", &out, "--pbx", "head-office"];
    let ran = place.rocade(&import).ended(0);
    assert_eq!(file(&place), whole, "{}", ran.err);
    assert!(ran.err.contains("0 extensions new, 0 changed"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_an_empty_part_are_what_the_pbx_has() {
    let place = office().await;
    let out = place.file("users.csv").display().to_string();
    place.rocade(&["pbx", "csv", "head-office", "--live", "--with-secrets", "--out", &out]).ended(0);
    // An inventory that has departments, SBCs and trunks, and nothing that refers to an extension yet.
    let whole = file(&place);
    let mut text =
        ["extensions", "ring_groups", "queues", "ivrs", "inbound_rules", "outbound_rules", "live_chat"]
            .iter()
            .fold(whole, |text, part| without(&text, part));
    for line in ["when_open:", "when_closed:", "on_holiday:"] {
        text = text
            .lines()
            .filter(|own| !own.trim_start().starts_with(line))
            .map(|own| format!("{own}\n"))
            .collect();
    }
    let text = text.replace("unmanaged: report", "unmanaged: keep");
    std::fs::write(place.file("inventory/head-office.yaml"), &text).unwrap();
    place.rocade(&["import", "users", &out, "--pbx", "head-office"]).ended(0);
    let imported = file(&place);
    assert!(imported.contains("      \"101\":\n        first_name: Ada\n"), "{imported}");
    assert!(!imported.contains("2468013579"), "{imported}");
    assert_eq!(place.rocade(&["secrets", "get", "pbx/head-office/101/pin"]).ended(0).out, "2468013579");
    assert_eq!(planned(&place), [""; 0], "{imported}");
    assert_eq!(writes(&place), [""; 0]);
    place.rocade(&["import", "users", &out, "--pbx", "head-office"]).ended(0);
    assert_eq!(file(&place), imported, "a second run changes nothing");
    // It owns what it wrote.
    place.edit(FILE, "first_name: Grace", "first_name: Grace B.");
    assert_eq!(planned(&place), ["update pbx head-office: extension 102"]);
    // A row changes what it says, where it stands.
    let list = std::fs::read_to_string(place.file("users.csv")).unwrap().replace("102,Grace,", "102,Gracia,");
    std::fs::write(place.file("users.csv"), list).unwrap();
    place.rocade(&["import", "users", &out, "--pbx", "head-office"]).ended(0);
    assert_eq!(file(&place), imported.replace("first_name: Grace\n", "first_name: Gracia\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_list_of_users_changes_nothing() {
    let place = Place::whole().await;
    let before = file(&place);
    let list = place.file("users.csv");
    std::fs::write(
        &list,
        "Number,FirstName,Department,MAC,Model,Router,Role,VMPIN,VMEnable\n10a,A,Nowhere,80,,,boss,4711,2\n\
         201,B,Sales,805EC0000011,Cisco,nobody,users,,1\n201,C,DEFAULT,,,,,,\n",
    )
    .unwrap();
    let list = list.display().to_string();
    let ran = place.rocade(&["import", "users", &list, "--pbx", "head-office"]).ended(64);
    for part in ["users.csv:2:1", "users.csv:4:1", "stands twice"] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    assert!(!ran.err.contains("4711"), "{}", ran.err);
    assert_eq!(file(&place), before);
}

const MAPPING: &str = "\
delimiter: \";\"
encoding: windows-1252
columns: {kind: Type, number: Poste, name: Nom, company: Société, site: Site, did: SDA, members: Membres,
  closed: Fermeture, no_answer: Renvoi, hours: Horaires, calls: Appels}
words: {kind: {Poste: person, Groupe: group, Standard: switchboard}, closed: {Messagerie: voicemail}}
settings: {trunk: operator}
";

#[tokio::test(flavor = "multi_thread")]
async fn an_old_operators_lines_join_the_telephone_system() {
    let place = office().await;
    std::fs::write(place.file("map.yaml"), MAPPING).unwrap();
    let list = "Type;Poste;Nom;Société;Site;SDA;Membres;Fermeture;Renvoi;Horaires;Appels\r\n\
        Poste;201;LOVELACE Ada;Piscine;Genève;04 72 00 12 01;;Messagerie;299;;12,5\r\n\
        Poste;202;Zoë HOPPER;Piscine;Genève;;;;850;;0\r\n\
        Standard;890;Standard piscine;Piscine;Genève;04\u{a0}72\u{a0}00 12 00;201,202;\
        06 11 22 33 44;;lun-ven 9h-18h;\r\n\
        Poste;101;Someone Else;Piscine;Genève;;;;;;3\r\n";
    let list: Vec<u8> = list.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(place.file("lines.csv"), list).unwrap();
    let (list, map) =
        (place.file("lines.csv").display().to_string(), place.file("map.yaml").display().to_string());
    let import = ["import", "lines", &list, "--map", &map, "--pbx", "head-office"];
    let before = file(&place);
    let dry = place.rocade(&[&import[..], &["--dry-run"]].concat()).ended(0);
    assert_eq!(file(&place), before);
    for part in ["sends calls to `299`", "202, Zoë HOPPER", "extension 101 is Ada Example there"] {
        assert!(dry.out.contains(part), "{part} in {}", dry.out);
    }
    let report = place.file("report.json").display().to_string();
    place.rocade(&[&import[..], &["--report", &report]].concat()).ended(0);
    let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!((&told["rows"], &told["kept"]), (&4.into(), &1.into()));
    let text = file(&place);
    for part in [
        "      piscine-geneve: {title: \"Piscine, Genève\", hours: {mon-fri: [\"09:00-18:00\"]}}\n",
        "      \"890\":\n        title: Standard piscine\n",
        "title: Standard piscine +33472001200",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.contains("# made in the console: Integrations, API"), "comments stay");
    place.rocade(&["fmt", "--check"]).ended(0);
    place.rocade(&import).ended(0);
    assert_eq!(file(&place), text, "a second run changes nothing");
    place.rocade(&["validate"]).ended(0);
    assert!(planned(&place).len() >= 5);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(planned(&place), [""; 0]);
}
