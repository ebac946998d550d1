//! A drawing of boxes and what leads from one to another, in the languages of Graphviz and Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What a box is; it chooses the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Where something begins: a rule, a sensor.
    Source,
    /// Somebody or something that takes it.
    Taker,
    /// What passes it on.
    Passage,
    /// Where it ends.
    End,
    /// What the others rest on: hosts, certificates.
    Ground,
}

/// A box.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its lines.
    pub(super) words: Vec<String>,
    pub(super) look: Look,
}

/// What leads from one box to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) label: String,
}

/// A drawing: boxes by an id that is plain letters, digits and `_`. The same boxes and edges give the same text.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) edges: Vec<Edge>,
    /// Where the edge of a pair stands.
    pairs: BTreeMap<(String, String), usize>,
}

impl Graph {
    /// Adds a box or gives one other words.
    pub(super) fn node(&mut self, id: &str, look: Look, words: &[&str]) -> String {
        let words = words.iter().filter(|line| !line.is_empty()).map(|line| (*line).to_owned()).collect();
        self.nodes.insert(id.to_owned(), Node { words, look });
        id.to_owned()
    }

    /// Adds a box unless it is there.
    pub(super) fn mention(&mut self, id: &str, look: Look, words: &str) {
        if !self.nodes.contains_key(id) {
            self.node(id, look, &[words]);
        }
    }

    /// Adds what leads from one box to another. Two of the same pair become one with both labels.
    pub(super) fn edge(&mut self, from: &str, label: &str, to: &str) {
        let pair = (from.to_owned(), to.to_owned());
        let Some(known) = self.pairs.get(&pair) else {
            self.pairs.insert(pair, self.edges.len());
            let [from, to, label] = [from, to, label].map(str::to_owned);
            return self.edges.push(Edge { from, to, label });
        };
        let label_there = &mut self.edges[*known].label;
        if label_there.split(", ").all(|known| known != label) {
            *label_there = format!("{label_there}, {label}");
        }
    }

    /// Drops the boxes of this look that nothing leads to or from.
    pub(super) fn drop_lone(&mut self, look: Look) {
        let ends: BTreeSet<&str> =
            self.edges.iter().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]).collect();
        self.nodes.retain(|id, node| node.look != look || ends.contains(id.as_str()));
    }

    /// In the language of Graphviz.
    pub fn dot(&self, name: &str) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut text = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(name));
        // Writing to a text cannot fail.
        for (id, node) in &self.nodes {
            let lines: Vec<String> =
                node.words.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
            let _ = writeln!(text, "  {id} [label=\"{}\"];", lines.join("\\n"));
        }
        for Edge { from, to, label } in &self.edges {
            let _ = writeln!(text, "  {from} -> {to} [label={}];", quoted(label));
        }
        text.push_str("}\n");
        text
    }

    /// In the language of Mermaid, which GitLab and GitHub draw in a Markdown page.
    pub fn mermaid(&self) -> String {
        // A backtick at the beginning would make Markdown of a label, an angle bracket a tag.
        let escaped = |text: &str| {
            let text = text.replace(char::is_control, " ").replace('#', "#35;");
            text.replace('"', "#quot;").replace('<', "#lt;").replace('`', "#96;")
        };
        let mut text = "flowchart LR\n".to_owned();
        for (id, node) in &self.nodes {
            let lines: Vec<String> = node.words.iter().map(|line| escaped(line)).collect();
            let _ = writeln!(text, "  {id}[\"{}\"]", lines.join("<br>"));
        }
        for Edge { from, to, label } in &self.edges {
            let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(label)) };
            let _ = writeln!(text, "  {from} -->{label} {to}");
        }
        text
    }
}

/// A text as an id.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
