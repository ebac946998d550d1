//! All ways calls can take through a telephone system, as a drawing.

use super::graph::{Graph, Look, plain};
use crate::inventory::{At, Destination, Extension, InboundRule, Pbx, Route};

/// The drawing of a telephone system. Extensions that nothing leads to or from are left out.
pub fn calls(pbx: &Pbx) -> Graph {
    let mut graph = Graph::default();
    for (name, rule) in &pbx.inbound_rules.entries {
        let from = graph.node(
            &format!("in_{}", plain(name)),
            Look::Source,
            &rule_words(rule).each_ref().map(String::as_str),
        );
        edge(&mut graph, &from, "", &rule.to);
        option(&mut graph, &from, "closed", rule.when_closed.as_ref());
        option(&mut graph, &from, "holiday", rule.on_holiday.as_ref());
    }
    for (number, one) in &pbx.extensions.entries {
        let last = one.last_name.as_deref().unwrap_or_default();
        let words = format!("{number} {} {last}", one.first_name);
        let from = graph.node(&format!("n{number}"), Look::Taker, &[words.trim_end()]);
        forwarding(&mut graph, &from, one);
    }
    for (number, one) in &pbx.ring_groups.entries {
        let from = passage(&mut graph, number, "ring group", &one.title);
        for member in &one.members {
            graph.edge(&from, "rings", &format!("n{}", member.0));
        }
        option(&mut graph, &from, "no answer", one.no_answer.as_ref());
        routes(&mut graph, &from, [&one.when_closed, &one.on_break, &one.on_holiday]);
    }
    for (number, one) in &pbx.queues.entries {
        let from = passage(&mut graph, number, "queue", &one.title);
        for agent in &one.agents {
            graph.edge(&from, "rings", &format!("n{}", agent.0));
        }
        option(&mut graph, &from, "time over", one.no_answer.as_ref());
        routes(&mut graph, &from, [&one.when_closed, &one.on_break, &one.on_holiday]);
    }
    for (number, one) in &pbx.ivrs.entries {
        let from = passage(&mut graph, number, "IVR", &one.title);
        for (key, to) in &one.keys {
            edge(&mut graph, &from, &format!("key {key}"), to);
        }
        option(&mut graph, &from, "no key", one.no_key.as_ref());
        if let Some(wrong) = &one.wrong_key {
            graph.edge(&from, "wrong key", &format!("n{}", wrong.0));
        }
        routes(&mut graph, &from, [&one.when_closed, &one.on_break, &one.on_holiday]);
    }
    // Members and agents of parts that are not written.
    let named: Vec<String> = graph.edges.iter().map(|edge| edge.to.clone()).collect();
    for id in named {
        graph.mention(&id, Look::Taker, id.trim_start_matches('n'));
    }
    graph.drop_lone(Look::Taker);
    graph
}

fn passage(graph: &mut Graph, number: &str, kind: &str, title: &str) -> String {
    graph.node(&format!("n{number}"), Look::Passage, &[&format!("{number} {title}"), kind])
}

fn forwarding(graph: &mut Graph, from: &str, one: &Extension) {
    let Some(all) = &one.forwarding else { return };
    for (profile, part) in
        [("", &all.available), ("custom 1: ", &all.custom_1), ("custom 2: ", &all.custom_2)]
    {
        let Some(part) = part else { continue };
        option(graph, from, &format!("{profile}no answer"), part.no_answer.as_ref());
        option(graph, from, &format!("{profile}busy"), part.busy.as_ref());
        option(graph, from, &format!("{profile}no phone"), part.not_registered.as_ref());
    }
    for (profile, part) in [("away", &all.away), ("out of office", &all.out_of_office)] {
        let Some(part) = part else { continue };
        option(graph, from, &format!("{profile}: colleague"), part.internal.as_ref());
        option(graph, from, &format!("{profile}: outside"), part.external.as_ref());
    }
}

fn option(graph: &mut Graph, from: &str, label: &str, to: Option<&At<Destination>>) {
    if let Some(to) = to {
        edge(graph, from, label, to);
    }
}

fn routes(graph: &mut Graph, from: &str, routes: [&Option<At<Route>>; 3]) {
    for (label, route) in ["closed", "break", "holiday"].into_iter().zip(routes) {
        option(graph, from, label, route.as_ref().map(|route| &route.to));
    }
}

fn edge(graph: &mut Graph, from: &str, label: &str, to: &Destination) {
    let id = match to {
        Destination::Extension(number)
        | Destination::RingGroup(number)
        | Destination::Queue(number)
        | Destination::Ivr(number) => format!("n{number}"),
        Destination::Voicemail(number) => {
            let id = format!("mail{number}");
            graph.mention(&id, Look::End, &format!("mailbox of {number}"));
            id
        }
        Destination::External(number) => {
            let id = format!("out_{}", plain(number));
            graph.mention(&id, Look::End, number);
            id
        }
        Destination::End => {
            graph.mention("end_of_call", Look::End, "the call ends");
            "end_of_call".to_owned()
        }
        Destination::Repeat => from.to_owned(),
        Destination::CallByName => {
            graph.mention("by_name", Look::End, "call by name");
            "by_name".to_owned()
        }
    };
    graph.edge(from, label, &id);
}

fn rule_words(rule: &InboundRule) -> [String; 2] {
    let whom = match (&rule.did, &rule.caller) {
        (Some(did), _) => did.0.0.clone(),
        (None, Some(caller)) => caller.value.to_string(),
        _ => String::new(),
    };
    [rule.title.value.clone(), whom]
}
