//! A small telephone system of its own: one or two objects of every kind, quick to make and to apply.

use rocade::lab::{DevicePlan, Lab, LabPlan, ThreeCxPlan};
use rocade::secrets::{IdentitySource, Store, keygen};
use tempfile::TempDir;

use crate::place::Place;

/// Every kind, each with the fields that make it take part: cycles, references, secrets, both passes.
pub const INVENTORY: &str = r#"
sites:
  head-office: {title: Head office, timezone: Europe/Paris}

pbx:
  head-office:
    model: 3cx
    url: ADDRESS
    client_id: rocade
    client_secret: {secret: pbx/head-office/client}
    site: head-office
    unmanaged: delete
    accept_unverified: [phones, router_phones, shared_voicemail]
    emergency_numbers: [112]

    departments:
      sales: {title: Sales, timezone: Europe/Paris, when_closed: {to: {ivr: "901"}, prompt: closed.wav}}

    holidays:
      christmas: {title: Christmas, date: 12-25, departments: [sales], prompt: closed.wav}

    extensions:
      "101":
        first_name: Ada
        email: ada@example.net
        department: sales
        voicemail: {pin: {secret: pbx/head-office/pin}}
        recording: {calls: external}
        phones: [{model: yealink-t54w, mac: 80:5e:c0:00:00:01}]
        blf: [102]
      "102":
        first_name: Grace
        email: grace@example.net
        phones: [{model: yealink-t46s, mac: 80:5e:c0:00:00:02, sbc: paris01}]
        forwarding: {available: {no_answer: {ring_group: "801"}}}

    sbcs:
      paris01: {title: Paris, password: {secret: pbx/head-office/sbc}}

    ring_groups:
      "800": {title: Sales, members: [101], no_answer: {ring_group: "801"}}
      "801": {title: Overflow, members: [102], no_answer: {queue: "850"}}

    queues:
      "850": {title: Waiting room, agents: [101], recording: allow_to_opt_out, no_answer: {voicemail: "101"}}

    ivrs:
      "900": {title: Welcome, prompt: closed.wav, keys: {1: {ring_group: "800"}, 2: {ivr: "901"}}, no_key: end}
      "901": {title: Closed, prompt: closed.wav, keys: {1: {voicemail: "101"}, 2: {ivr: "900"}}, no_key: end}

    trunks:
      operator:
        title: Operator
        template: generic.pv.xml
        host: sip.example.net
        user: "0123456700"
        password: {secret: pbx/head-office/trunk}
        number: +33123456700
        dids: [+33123456700]

    inbound_rules:
      main-number: {title: Main number, trunk: operator, did: +33123456700, to: {ivr: "900"}}
      other: {title: All other calls, trunk: operator, to: {ivr: "900"}}

    outbound_rules:
      emergency: {title: Emergency, prefixes: ["112"], emergency: true, priority: 1, routes: [{trunk: operator}]}
      france: {title: France, prefixes: ["0"], departments: [sales], priority: 2, routes: [{trunk: operator}]}

    live_chat:
      shop: {title: Shop, department: sales, to: {queue: "850"}, websites: ["https://shop.example.net"]}
"#;

/// A place with this system and nothing else; nothing applied yet.
pub async fn small(threecx: ThreeCxPlan) -> Place {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    let devices = vec![DevicePlan { threecx, ..DevicePlan::threecx("head-office") }];
    let lab = Lab::start(LabPlan { devices, logs: None }).await.unwrap();
    let device = lab.device("head-office").unwrap();
    let identity = root.join(".rocade/identity.txt");
    keygen(&identity, Some(root), Some("test")).unwrap();
    std::fs::create_dir_all(root.join("inventory/prompts")).unwrap();
    let prompt = "inventory/prompts/closed.wav";
    let audio = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(prompt)).unwrap();
    std::fs::write(root.join(prompt), audio).unwrap();
    std::fs::write(root.join("inventory/head-office.yaml"), INVENTORY.replace("ADDRESS", &device.url()))
        .unwrap();
    let store = Store::open(root, IdentitySource::File(identity)).unwrap();
    for name in ["client", "trunk", "sbc", "pin"] {
        let client = device.plan.threecx.client_secret.as_str();
        let value = if name == "client" { client } else { "2468013579" };
        store.put(&format!("pbx/head-office/{name}"), value.as_bytes()).unwrap();
    }
    Place { folder, lab, host: None }
}

/// The same with everything applied.
pub async fn applied(threecx: ThreeCxPlan) -> Place {
    let place = small(threecx).await;
    place.rocade(&["apply", "--yes"]).ended(0);
    place.forget_requests();
    place
}
