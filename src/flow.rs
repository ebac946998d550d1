//! The way calls take through a telephone system, as a graph to be drawn. From the inventory alone: no device is
//! asked.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::inventory::{At, Destination, Pbx, Route};

/// A graph of calls.
#[derive(Clone, Debug, Default)]
pub struct CallFlow {
    /// What can take a call: its words, by an id that is plain letters, digits and `_`.
    nodes: BTreeMap<String, String>,
    /// From, what leads on, to.
    edges: Vec<(String, String, String)>,
}

impl CallFlow {
    /// The graph of a telephone system.
    pub fn of(pbx: &Pbx) -> Self {
        let mut flow = Self::default();
        for (number, one) in &pbx.extensions.entries {
            let last = one.last_name.as_deref().unwrap_or_default();
            flow.node(&format!("n{number}"), format!("{number} {} {last}", one.first_name).trim_end());
        }
        for (name, rule) in &pbx.inbound_rules.entries {
            let from = flow.node(&format!("in_{}", plain(name)), &rule_words(rule));
            flow.edge(&from, "", &rule.to);
            flow.option(&from, "closed", rule.when_closed.as_ref());
            flow.option(&from, "holiday", rule.on_holiday.as_ref());
        }
        for (number, one) in &pbx.ring_groups.entries {
            let from = flow.node(&format!("n{number}"), &format!("{number} {}", one.title));
            for member in &one.members {
                flow.edges.push((from.clone(), "rings".to_owned(), format!("n{}", member.0)));
            }
            flow.option(&from, "no answer", one.no_answer.as_ref());
            flow.routes(&from, [&one.when_closed, &one.on_break, &one.on_holiday]);
        }
        for (number, one) in &pbx.queues.entries {
            let from = flow.node(&format!("n{number}"), &format!("{number} {}", one.title));
            for agent in &one.agents {
                flow.edges.push((from.clone(), "rings".to_owned(), format!("n{}", agent.0)));
            }
            flow.option(&from, "time over", one.no_answer.as_ref());
            flow.routes(&from, [&one.when_closed, &one.on_break, &one.on_holiday]);
        }
        for (number, one) in &pbx.ivrs.entries {
            let from = flow.node(&format!("n{number}"), &format!("{number} {}", one.title));
            for (key, to) in &one.keys {
                flow.edge(&from, &format!("key {key}"), to);
            }
            flow.option(&from, "no key", one.no_key.as_ref());
            flow.routes(&from, [&one.when_closed, &one.on_break, &one.on_holiday]);
        }
        flow
    }

    fn node(&mut self, id: &str, words: &str) -> String {
        self.nodes.insert(id.to_owned(), words.to_owned());
        id.to_owned()
    }

    fn option(&mut self, from: &str, label: &str, to: Option<&At<Destination>>) {
        if let Some(to) = to {
            self.edge(from, label, to);
        }
    }

    fn routes(&mut self, from: &str, routes: [&Option<At<Route>>; 3]) {
        for (label, route) in ["closed", "break", "holiday"].into_iter().zip(routes) {
            self.option(from, label, route.as_ref().map(|route| &route.to));
        }
    }

    fn edge(&mut self, from: &str, label: &str, to: &Destination) {
        let (id, words) = match to {
            Destination::Extension(number)
            | Destination::RingGroup(number)
            | Destination::Queue(number)
            | Destination::Ivr(number) => (format!("n{number}"), number.clone()),
            Destination::Voicemail(number) => (format!("mail{number}"), format!("mailbox of {number}")),
            Destination::External(number) => (format!("out_{}", plain(number)), number.clone()),
            Destination::End => ("end_of_call".to_owned(), "the call ends".to_owned()),
            Destination::Repeat => (from.to_owned(), String::new()),
            Destination::CallByName => ("by_name".to_owned(), "call by name".to_owned()),
        };
        self.nodes.entry(id.clone()).or_insert(words);
        self.edges.push((from.to_owned(), label.to_owned(), id));
    }

    /// In the language of Graphviz.
    pub fn dot(&self, name: &str) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut text = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(name));
        // Writing to a text cannot fail.
        for (id, words) in &self.nodes {
            let _ = writeln!(text, "  {id} [label={}];", quoted(words));
        }
        for (from, label, to) in &self.edges {
            let _ = writeln!(text, "  {from} -> {to} [label={}];", quoted(label));
        }
        text.push_str("}\n");
        text
    }

    /// In the language of Mermaid, which GitLab and GitHub draw in a Markdown page.
    pub fn mermaid(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "#quot;"));
        let mut text = "flowchart LR\n".to_owned();
        for (id, words) in &self.nodes {
            let _ = writeln!(text, "  {id}[{}]", quoted(words));
        }
        for (from, label, to) in &self.edges {
            let label = if label.is_empty() { String::new() } else { format!("|{}|", quoted(label)) };
            let _ = writeln!(text, "  {from} -->{label} {to}");
        }
        text
    }
}

fn rule_words(rule: &crate::inventory::InboundRule) -> String {
    match (&rule.did, &rule.caller) {
        (Some(did), _) => format!("{} calls to {}", rule.title.value, did.0),
        (None, Some(caller)) => format!("{} calls from {}", rule.title.value, caller.value),
        _ => rule.title.value.clone(),
    }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::parse;

    #[test]
    fn a_graph_names_who_rings_and_where_calls_go_on() {
        let text = "pbx:\n  x:\n    model: 3cx\n    url: https://x.example.net\n    client_id: x\n    \
                    client_secret: {secret: pbx/x/client}\n    \
                    extensions:\n      \"101\": {first_name: Ada \"A\"}\n    \
                    ring_groups:\n      \"800\": {title: Sales, members: [101], no_answer: {voicemail: \"101\"}}\n";
        let loaded = parse([("inventory/x.yaml", text)]).unwrap();
        let flow = CallFlow::of(&loaded.inventory.pbx["x"]);
        assert_eq!(
            flow.mermaid(),
            "flowchart LR\n  mail101[\"mailbox of 101\"]\n  n101[\"101 Ada #quot;A#quot;\"]\n  n800[\"800 Sales\"]\n  \
             n800 -->|\"rings\"| n101\n  n800 -->|\"no answer\"| mail101\n"
        );
        assert!(flow.dot("x").contains("n101 [label=\"101 Ada \\\"A\\\"\"];"), "{}", flow.dot("x"));
    }
}
