//! A list with everything that is odd in lists.

use serde_json::json;

use super::*;
use crate::inventory;

const OFFICE: &str = "pbx:\n  office:\n    model: 3cx\n    url: https://x.example\n    client_id: r\n    \
    client_secret: {secret: pbx/office/client}\n    trunks:\n      line: {title: Line, template: a.pv.xml, \
    number: +33123456700}\n";

const MAPPING: &str = "\
columns:
  kind: Type
  number: Poste
  name: Nom
  company: Société
  site: Site
  did: SDA
  groups: Groupes
  members: Membres
  no_answer: Non réponse
  ring: Sonnerie
  hours: Horaires
  closed: Fermeture
  model: Terminal
  mac: MAC
  calls: Appels
  last_call: Dernier appel
words:
  kind: {Utilisateur: person, Groupe: group, Standard: switchboard, Terminal: device}
  closed: {Messagerie: voicemail}
  no_answer: {Messagerie: voicemail}
settings: {group_numbers_from: 800, unused_before: 01/01/2025}
";

const LIST: &str = "\
Type;Poste;Nom;Société;Site;SDA;Groupes;Membres;Non réponse;Sonnerie;Horaires;Fermeture;Terminal;MAC;\
Appels;Dernier appel
Utilisateur;101;EXEMPLE Ada;Éole;Lyon;04 72 00 11 01;Vente;;Messagerie;20 s;lun-ven 9h-12h;\
Messagerie;T54W;805EC0000001;12,5;01/11/2025
Utilisateur;102;Grace Exemple;Éole;Lyon;0033 4 72 00 11 02;Vente;;103;;;;Cisco 7940;805EC0000002;0;
Utilisateur;103;Alan Exemple;Éole;Paris;472001103;Compta;;102;;;;T46S;805EC0000001;3;31/12/2024
Utilisateur;102;Double Exemple;Éole;Lyon;;;;;;;;;;;
Utilisateur;104;;Éole;Lyon;;;;199;;;;;;;
Standard;;Standard;Éole;Lyon;04 72 00 11 00;;Ada Exemple,102,188;;30;lun-ven 8h-18h;06 11 22 33 44;;;;
Groupe;;Vente;Éole;Lyon;04 72 00 11 01;;;101;;;;;;;
Groupe;;Vide;Éole;Lyon;;;;;;;;;;;
Terminal;;;;;;;;;;;;T41S;805EC0000009;;
Terminal;104;;;;;;;;;;;T41S;805EC0000004;;
";

fn read_list(list: &str, office: &str) -> Result<(Parts, Report), Vec<Diagnostic>> {
    let loaded = inventory::parse([("i.yaml", office)]).unwrap();
    let mapping = Mapping::read("m.yaml", MAPPING, &FIELDS, &SETTINGS).unwrap();
    let sheet = Sheet::read("l.csv", list.as_bytes(), &mapping).map_err(|(faults, _)| faults)?;
    read(&sheet, &mapping, None, &loaded.inventory.pbx["office"])
}

#[test]
fn lines_become_a_telephone_system_and_what_is_odd_is_said() {
    let (parts, report) = read_list(LIST, OFFICE).unwrap();
    assert_eq!(
        json!(parts.departments),
        json!({
            "eole-lyon": {"title": "Éole, Lyon", "hours": {"mon-fri": ["08:00-18:00"]}},
            "eole-paris": {"title": "Éole, Paris"},
        })
    );
    assert_eq!(
        parts.extensions["101"],
        json!({
            "first_name": "Ada", "last_name": "EXEMPLE", "department": "eole-lyon", "follow_hours": true,
            "forwarding": {
                "available": {"ring": "20s", "no_answer": {"voicemail": "101"}},
                "out_of_office": {"internal": {"voicemail": "101"}, "external": {"voicemail": "101"}},
            },
            "phones": [{"model": "yealink-t54w", "mac": "80:5e:c0:00:00:01"}],
        })
    );
    assert_eq!(parts.extensions["104"]["phones"][0]["mac"], "80:5e:c0:00:00:04");
    assert_eq!(
        json!(parts.ring_groups),
        json!({
            "800": {
                "title": "Standard", "department": "eole-lyon", "members": ["101", "102"], "timeout": "30s",
                "when_closed": {"to": {"external": "+33611223344"}},
            },
            "801": {
                "title": "Vente", "department": "eole-lyon", "members": ["101", "102"],
                "no_answer": {"extension": "101"},
            },
        })
    );
    assert_eq!(
        parts.inbound_rules["did-33472001101"]["to"],
        json!({"ring_group": "801"}),
        "groups come before people"
    );
    let said: Vec<String> =
        report.findings.iter().map(|one| format!("{} {} {}", one.code, one.place, one.what)).collect();
    assert_eq!(
        said,
        [
            "duplicate-number l.csv:5:1 102 of Double Exemple is that of Grace Exemple",
            "number-without-person l.csv:6:1 104",
            "duplicate-did l.csv:2:1 +33472001101 of Ada EXEMPLE is that of Vente",
            "duplicate-mac l.csv:4:1 80:5e:c0:00:00:01 of Alan Exemple is that of Ada EXEMPLE",
            "device-without-line l.csv:10:1 80:5e:c0:00:00:09 T41S (no line)",
            "unknown-model l.csv:3:1 80:5e:c0:00:00:02 of Grace Exemple: Cisco 7940",
            "unknown-member l.csv:7:1 `188` of Standard",
            "unknown-group l.csv:4:1 `Compta` of Alan Exemple",
            "empty-group l.csv:9:1 802, Vide",
            "dead-forward l.csv:6:1 104 sends calls to `199`",
            "forward-loop l.csv:3:1 102 to 103 to 102",
            "never-called l.csv:3:1 102, Grace Exemple",
            "never-called l.csv:4:1 103, Alan Exemple, last on 2024-12-31",
            "own-hours l.csv:2:1 101, Ada EXEMPLE: {\"mon-fri\":[\"09:00-12:00\"]}; its numbers from \
             outside hold its own",
            "zero-lost l.csv:4:1 +33472001103 of Alan Exemple",
        ],
        "{}",
        said.join("\n")
    );
    let markdown = report.markdown();
    assert!(markdown.contains("## Lines that are never used: 2"), "{markdown}");
}

#[test]
fn cells_that_cannot_be_read_are_refused_all_at_once() {
    let list = "Type;Poste;Nom;Société;Site;SDA;Groupes;Membres;Non réponse;Sonnerie;Horaires;Fermeture;Terminal;MAC;\
        Appels;Dernier appel\nFax;1;A;;;3,3E+10;;;;bientôt;lun 25h-26h;;;80;beaucoup;31/31/2025\n";
    let faults = read_list(list, OFFICE).unwrap_err();
    let mut said: Vec<String> =
        faults.iter().map(|fault| format!("{} {}", fault.place().unwrap(), fault.code)).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "l.csv:2:1 bad-kind",
            "l.csv:2:11 bad-phone-number",
            "l.csv:2:22 bad-duration",
            "l.csv:2:30 bad-hours",
            "l.csv:2:44 bad-mac",
            "l.csv:2:47 bad-amount",
            "l.csv:2:5 bad-number",
            "l.csv:2:56 bad-date",
        ]
    );
}
