//! What is drawn, and what of it is hostile text.

use super::{Graph, Look, calls, chain, svg};
use crate::inventory::{Inventory, parse};

const HEAD: &str = "pbx:\n  x:\n    model: 3cx\n    url: https://x.example.net\n    client_id: x\n    \
                    client_secret: {secret: pbx/x/client}\n";

/// The repository's own inventory.
fn sample() -> Inventory {
    let files = [
        ("inventory/brokers.yaml", include_str!("../../inventory/brokers.yaml")),
        ("inventory/hosts.yaml", include_str!("../../inventory/hosts.yaml")),
        ("inventory/pool.yaml", include_str!("../../inventory/pool.yaml")),
        ("inventory/head-office.yaml", include_str!("../../inventory/head-office.yaml")),
    ];
    parse(files).unwrap().inventory
}

fn edges(graph: &Graph) -> Vec<String> {
    graph.edges.iter().map(|edge| format!("{} -{}- {}", edge.from, edge.label, edge.to)).collect()
}

#[test]
fn a_drawing_of_calls_names_who_rings_and_where_calls_go_on() {
    let text = format!(
        "{HEAD}    extensions:\n      \"101\": {{first_name: Ada \"A\"}}\n      \"102\": {{first_name: Alone}}\n    \
         ring_groups:\n      \"800\": {{title: Sales, members: [101], no_answer: {{voicemail: \"101\"}}}}\n"
    );
    let loaded = parse([("inventory/x.yaml", text.as_str())]).unwrap();
    let drawn = calls(&loaded.inventory.pbx["x"]);
    assert_eq!(
        drawn.mermaid(),
        "flowchart LR\n  mail101[\"mailbox of 101\"]\n  n101[\"101 Ada #quot;A#quot;\"]\n  \
         n800[\"800 Sales<br>ring group\"]\n  n800 -->|\"rings\"| n101\n  n800 -->|\"no answer\"| mail101\n"
    );
    assert!(drawn.dot("x").contains("n101 [label=\"101 Ada \\\"A\\\"\"];"), "{}", drawn.dot("x"));
}

#[test]
fn the_chain_goes_from_each_sensor_to_whoever_reads_its_topic() {
    let inventory = sample();
    let all = edges(&chain(&inventory, None).unwrap());
    for edge in [
        "sensor_pool_hall -LoRaWAN EU868- gateway_pool_gw",
        "gateway_pool_gw -relay, TLS broker.example.net:8883- broker_main",
        "authority -signs- certificate_main",
        "certificate_main -shown by- broker_main",
        "broker_main -reads sites/pool/#- client_main_signage",
        "broker_main -sites/pool/changing-room, sites/pool/hall- host_signage_1",
    ] {
        assert!(all.iter().any(|own| own == edge), "{edge}: {all:#?}");
    }
    let words = |name: &str| {
        let drawn = chain(&inventory, Some(name)).unwrap();
        drawn.nodes.keys().cloned().collect::<Vec<_>>()
    };
    let mut whole: Vec<String> = chain(&inventory, None).unwrap().nodes.keys().cloned().collect();
    // The machine of the telephone system stands at no site, the system at another.
    let telephony = ["pbx_", "trunk_", "sbc_", "phones_"];
    whole.retain(|id| id != "host_sbc_paris" && !telephony.iter().any(|kind| id.starts_with(kind)));
    assert_eq!(words("pool"), whole);
    assert!(words("pool-gw").contains(&"sensor_pool_hall".to_owned()));
    assert!(words("pool-gw").iter().all(|id| !id.starts_with("host_")));
    assert!(words("main").contains(&"gateway_pool_gw".to_owned()));
    assert!(words("signage-1").contains(&"broker_main".to_owned()));
    assert!(words("signage-1").iter().all(|id| !id.starts_with("gateway_")));
    // The telephone system, its lines, its SBC on its machine, the phones on each side of it.
    assert_eq!(
        words("head-office"),
        [
            "pbx_head_office",
            "phones_pbx_head_office",
            "phones_sbc_head_office_paris01",
            "sbc_head_office_paris01",
            "trunk_head_office_operator"
        ]
    );
    for edge in [
        "trunk_head_office_operator -calls- pbx_head_office",
        "host_sbc_paris -runs- sbc_head_office_paris01",
        "sbc_head_office_paris01 -- phones_sbc_head_office_paris01",
    ] {
        assert!(all.iter().any(|own| own == edge), "{edge}: {all:#?}");
    }
    // A name that is nobody's has none.
    assert!(chain(&inventory, Some("nobody")).is_none());
    let broker = &chain(&inventory, None).unwrap().nodes["broker_main"].words;
    assert_eq!(broker[2..], ["MQTT over TLS, port 8883", "WebSocket (clear), port 9001 on 127.0.0.1"]);
    let certificate = &chain(&inventory, None).unwrap().nodes["certificate_main"].words;
    assert_eq!(certificate[1..], ["broker.example.net", "192.168.145.100"]);
}

#[test]
fn a_picture_is_the_same_each_time_and_holds_every_box_and_label() {
    let inventory = sample();
    let drawn = calls(&inventory.pbx["head-office"]);
    let picture = svg(&drawn, "head-office");
    assert_eq!(picture, svg(&drawn.clone(), "head-office"));
    for words in
        ["900 Welcome", "no answer", "key 9", "mailbox of 190", "+33123456702", "out of office: outside"]
    {
        assert!(picture.contains(&format!(">{words}</text>")), "{words}");
    }
    assert!(picture.starts_with("<svg xmlns=") && picture.ends_with("</svg>\n"));
    // Nothing of nothing is a picture too.
    let nothing = svg(&Graph::default(), "");
    assert!(nothing.contains("viewBox=\"0 0 22 56\"") && nothing.ends_with("</svg>\n"), "{nothing}");
}

#[test]
fn hostile_text_stays_text_in_every_language() {
    let mut graph = Graph::default();
    let hostile = "</text><script>alert('1')</script>\u{1}\u{ffff}&\"`#";
    graph.node("a", Look::Source, &[hostile]);
    graph.node("b", Look::End, &[&"long ".repeat(40)]);
    graph.edge("a", hostile, "b");
    graph.edge("b", "", "b");
    let picture = svg(&graph, hostile);
    assert!(!picture.contains("<script") && !picture.contains('\u{1}') && !picture.contains('\u{ffff}'));
    assert!(picture.contains("&lt;/text&gt;&lt;script&gt;alert(&#39;1&#39;)"), "{picture}");
    assert!(
        picture.contains(&"long ".repeat(40)) && picture.contains("…</text>"),
        "cut in its box, whole in its title"
    );
    let mermaid = graph.mermaid();
    assert!(!mermaid.contains("<script") && mermaid.lines().count() == 5, "{mermaid}");
    assert_eq!(graph.dot("a\"b").lines().next(), Some("digraph \"a\\\"b\" {"));
}
