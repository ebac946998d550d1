//! A drawing as SVG that any browser shows: no script, no reference to anything outside, every text escaped.

use std::fmt::Write;

use super::graph::{Graph, Look, Node};
use super::layout::{Layout, Line, Size, Stretch, layout};

/// Sizes in pixels. A letter's width is that of a wide sans-serif, so that text never leaves its box.
const LETTER: f64 = 7.3;
const WIDE_LETTER: f64 = 13.0;
const ROW: f64 = 17.0;
const SMALL_LETTER: f64 = 6.4;
const PADDING: f64 = 11.0;
/// Lines of text longer than this are cut; the whole text shows when the mouse rests there.
const MOST_LETTERS: usize = 44;

const STYLE: &str = "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#1c2733}\
.first{font-weight:bold}.label{font-size:10.5px;fill:#44505c}\
.line{fill:none;stroke:#7a8794;stroke-width:1.2}.box{stroke-width:1.2}\
.source{fill:#e3f2e6;stroke:#3f8f55}.taker{fill:#e4eefb;stroke:#3d6fb0}.passage{fill:#fff5dc;stroke:#b98a1e}\
.end{fill:#f1f1f4;stroke:#7d8290}.ground{fill:#f6e8f3;stroke:#9a5b8c}";

/// A text for SVG: what has a meaning there is written so that it has none; what XML forbids is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn width(text: &str, letter: f64) -> f64 {
    text.chars().map(|one| if one >= '\u{1100}' { WIDE_LETTER } else { letter }).sum()
}

fn box_size(node: &Node) -> Size {
    // The first line is bold.
    let of = |(at, line): (usize, &String)| width(&cut(line), LETTER + if at == 0 { 0.6 } else { 0.0 });
    let widest = node.words.iter().enumerate().map(of).fold(30.0, f64::max);
    let rows = node.words.iter().map(|_| ROW).sum::<f64>();
    (widest + 2.0 * PADDING, rows + PADDING)
}

fn label_size(label: &str) -> Size {
    if label.is_empty() { (0.0, 2.0) } else { (width(&cut(label), SMALL_LETTER) + 8.0, 15.0) }
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Source => "source",
        Look::Taker => "taker",
        Look::Passage => "passage",
        Look::End => "end",
        Look::Ground => "ground",
    }
}

/// Draws.
pub fn svg(graph: &Graph, title: &str) -> String {
    let boxes: Vec<Size> = graph.nodes.values().map(box_size).collect();
    let labels: Vec<Size> = graph.edges.iter().map(|edge| label_size(&edge.label)).collect();
    let placed = layout(graph, &boxes, &labels);
    let (w, h) = placed.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" \
         viewBox=\"0 0 {w:.0} {h:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#7a8794\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escaped(title)
    );
    let lines = with_ports(&placed, &boxes, graph);
    // Writing to a text cannot fail.
    for line in &lines {
        let _ = writeln!(text, "<path class=\"line\" d=\"{}\" marker-end=\"url(#arrow)\"/>", path(line));
    }
    for (node, (corner, size)) in graph.nodes.values().zip(placed.boxes.iter().zip(&boxes)) {
        draw_box(&mut text, node, *corner, *size);
    }
    for (number, id) in graph.nodes.keys().enumerate() {
        if let Some(own) = graph.edges.iter().find(|edge| edge.from == *id && edge.to == *id) {
            draw_round(&mut text, placed.boxes[number], boxes[number], &own.label);
        }
    }
    for line in &lines {
        let label = &graph.edges[line.edge].label;
        if let Some(at) = line.stretches.get(line.label).filter(|_| !label.is_empty()) {
            draw_label(&mut text, label, (at.left + at.right) / 2.0, at.y);
        }
    }
    text.push_str("</svg>\n");
    text
}

fn draw_box(text: &mut String, node: &Node, (x, y): (f64, f64), (w, h): Size) {
    let whole = escaped(&node.words.join(", "));
    let _ = writeln!(
        text,
        "<g><title>{whole}</title><rect class=\"box {}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" \
         height=\"{h:.1}\" rx=\"5\"/>",
        class(node.look)
    );
    let mut row = y + PADDING / 2.0 + 12.0;
    for (at, line) in node.words.iter().enumerate() {
        let first = if at == 0 { " class=\"first\"" } else { "" };
        let _ = writeln!(
            text,
            "<text{first} x=\"{:.1}\" y=\"{row:.1}\" text-anchor=\"middle\">{}</text>",
            x + w / 2.0,
            escaped(&cut(line))
        );
        row += ROW;
    }
    text.push_str("</g>\n");
}

fn draw_label(text: &mut String, label: &str, x: f64, y: f64) {
    let (w, h) = label_size(label);
    let _ = writeln!(
        text,
        "<g><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"#ffffff\"/>\
         <text class=\"label\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text></g>",
        escaped(label),
        x - w / 2.0,
        y - h / 2.0,
        y + 3.5,
        escaped(&cut(label))
    );
}

/// A line from a box to itself: a small arc on its upper edge.
fn draw_round(text: &mut String, (x, y): (f64, f64), (w, _): Size, label: &str) {
    let (a, b, top) = (x + w / 2.0 - 14.0, x + w / 2.0 + 14.0, y - 18.0);
    let _ = writeln!(
        text,
        "<path class=\"line\" d=\"M{a:.1} {y:.1}C{a:.1} {top:.1} {b:.1} {top:.1} {b:.1} {y:.1}\" \
         marker-end=\"url(#arrow)\"/>"
    );
    draw_label(text, label, b + 4.0 + label_size(label).0 / 2.0, y - 9.0);
}

/// The lines with their ends spread along the sides of the boxes, in the order in which they leave.
fn with_ports(placed: &Layout, boxes: &[Size], graph: &Graph) -> Vec<Line> {
    let mut lines = placed.lines.clone();
    let ids: Vec<&String> = graph.nodes.keys().collect();
    let number = |id: &String| ids.binary_search(&id).unwrap_or(0);
    // By box and side: the lines that end there, with the height they come from.
    let mut ports: Vec<[Vec<(f64, usize, bool)>; 2]> = vec![[Vec::new(), Vec::new()]; boxes.len()];
    for (at, line) in lines.iter().enumerate() {
        let edge = &graph.edges[line.edge];
        let [.., before_last, _] = line.stretches.as_slice() else { continue };
        let out = usize::from(!line.back);
        ports[number(&edge.from)][out].push((line.stretches[1].y, at, true));
        ports[number(&edge.to)][1 - out].push((before_last.y, at, false));
    }
    for (sides, size) in ports.iter_mut().zip(boxes) {
        for side in sides {
            side.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let step = (size.1 - 8.0) / side.iter().map(|_| 1.0).sum::<f64>().max(1.0);
            let mut offset = -(size.1 - 8.0) / 2.0 + step / 2.0;
            for (_, line, begins) in side.iter() {
                let stretches = &mut lines[*line].stretches;
                let end = if *begins { 0 } else { stretches.len() - 1 };
                stretches[end].y += offset;
                offset += step;
            }
        }
    }
    lines
}

/// The path of a line: straight through its stretches, curved between them.
fn path(line: &Line) -> String {
    let ends = |stretch: &Stretch| match line.back {
        true => (stretch.right, stretch.left),
        false => (stretch.left, stretch.right),
    };
    let mut path = String::new();
    for pair in line.stretches.windows(2) {
        let (from, to) = (&pair[0], &pair[1]);
        let ((_, x), (end, _)) = (ends(from), ends(to));
        let middle = (x + end) / 2.0;
        if path.is_empty() {
            let _ = write!(path, "M{x:.1} {:.1}", from.y);
        } else {
            let _ = write!(path, "L{x:.1} {:.1}", from.y);
        }
        let _ = write!(path, "C{middle:.1} {:.1} {middle:.1} {:.1} {end:.1} {:.1}", from.y, to.y, to.y);
    }
    path
}
