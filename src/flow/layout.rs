//! Where the boxes of a drawing stand: in columns, what leads on to the left of where it leads to (after Sugiyama).
//! Every second column holds the labels, so that nothing lies on anything. No chance and no clock: the same
//! drawing always comes out the same.

use std::collections::BTreeMap;

use super::graph::Graph;

/// Rounds of sorting columns and of moving boxes.
const ROUNDS: usize = 12;
/// Between two columns, and between two things of a column.
const COLUMN_GAP: f64 = 22.0;
const ROW_GAP: f64 = 14.0;

/// Width and height.
pub(super) type Size = (f64, f64);

/// Something in a column: a box, or a line that passes, with its label where it has one there.
struct Item {
    size: Size,
    y: f64,
    /// The things it is joined to in the column before and behind.
    before: Vec<usize>,
    behind: Vec<usize>,
}

/// A box's middle, or a stretch of a line: its left end, its right end, its height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

/// A line from box to box: the stretches it takes, from its beginning on.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The edge's place in the drawing.
    pub(super) edge: usize,
    pub(super) stretches: Vec<Stretch>,
    /// The stretch that carries the label.
    pub(super) label: usize,
    /// Whether it runs from right to left.
    pub(super) back: bool,
}

/// Where everything stands.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Each box's left upper corner, in the order of their ids.
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) lines: Vec<Line>,
    pub(super) size: Size,
}

/// Lays a drawing out: sizes of its boxes in the order of their ids, and of its labels in that of its edges.
pub(super) fn layout(graph: &Graph, boxes: &[Size], labels: &[Size]) -> Layout {
    let number: BTreeMap<&str, usize> =
        graph.nodes.keys().enumerate().map(|(number, id)| (id.as_str(), number)).collect();
    let mut edges: Vec<Option<(usize, usize)>> = graph
        .edges
        .iter()
        .map(|edge| number.get(edge.from.as_str()).copied().zip(number.get(edge.to.as_str()).copied()))
        .map(|ends| ends.filter(|(from, to)| from != to))
        .collect();
    let (order, back) = without_circles(boxes.len(), &edges);
    for (edge, back) in edges.iter_mut().zip(&back) {
        if let (Some((from, to)), true) = (edge.as_mut(), back) {
            std::mem::swap(from, to);
        }
    }
    let layers = layers(&order, &edges);
    let mut columns = Columns::new(boxes, &order, &layers);
    let paths: Vec<Vec<usize>> = edges
        .iter()
        .enumerate()
        .map(|(at, edge)| {
            edge.map_or_else(Vec::new, |ends| columns.join(ends, &layers, labels[at], back[at]))
        })
        .collect();
    columns.sort();
    columns.settle();
    columns.finish(boxes.len(), &paths, &back)
}

/// The boxes in an order in which most edges lead forward, and which edges lead back.
fn without_circles(count: usize, edges: &[Option<(usize, usize)>]) -> (Vec<usize>, Vec<bool>) {
    let mut onward: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    let mut has_before = vec![false; count];
    for (at, ends) in edges.iter().enumerate() {
        if let Some((from, to)) = ends {
            onward[*from].push((at, *to));
            has_before[*to] = true;
        }
    }
    let (mut seen, mut open) = (vec![false; count], vec![false; count]);
    let mut back = vec![false; edges.len()];
    let mut order = Vec::new();
    let starts = (0..count).filter(|one| !has_before[*one]).chain(0..count);
    for start in starts.collect::<Vec<_>>() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        open[start] = true;
        let mut way = vec![(start, 0)];
        while let Some((one, next)) = way.last_mut() {
            let one = *one;
            let Some((at, to)) = onward[one].get(*next).copied() else {
                open[one] = false;
                order.push(one);
                way.pop();
                continue;
            };
            *next += 1;
            if open[to] {
                back[at] = true;
            } else if !seen[to] {
                seen[to] = true;
                open[to] = true;
                way.push((to, 0));
            }
        }
    }
    order.reverse();
    (order, back)
}

/// The layer of each box: behind all that lead to it, and as near as can be to what it leads to.
fn layers(order: &[usize], edges: &[Option<(usize, usize)>]) -> Vec<usize> {
    let mut onward: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    let mut has_before = vec![false; order.len()];
    for (from, to) in edges.iter().flatten() {
        onward[*from].push(*to);
        has_before[*to] = true;
    }
    let mut layers: Vec<usize> = vec![0; order.len()];
    for one in order {
        for to in &onward[*one] {
            layers[*to] = layers[*to].max(layers[*one] + 1);
        }
    }
    for one in order.iter().filter(|one| !has_before[**one]) {
        if let Some(nearest) = onward[*one].iter().map(|to| layers[*to]).min() {
            layers[*one] = nearest.saturating_sub(1);
        }
    }
    layers
}

struct Columns {
    items: Vec<Item>,
    /// The things of each column, from above; labels stand in the odd ones.
    columns: Vec<Vec<usize>>,
}

impl Columns {
    fn new(boxes: &[Size], order: &[usize], layers: &[usize]) -> Self {
        let item = |size: &Size| Item { size: *size, y: 0.0, before: Vec::new(), behind: Vec::new() };
        let count = layers.iter().max().map_or(0, |last| 2 * last + 1);
        let mut columns = vec![Vec::new(); count];
        for one in order {
            columns[2 * layers[*one]].push(*one);
        }
        Self { items: boxes.iter().map(item).collect(), columns }
    }

    /// Joins two boxes by a thing in each column between; those are given, the boxes left out.
    fn join(&mut self, (from, to): (usize, usize), layers: &[usize], label: Size, back: bool) -> Vec<usize> {
        let (first, last) = (2 * layers[from] + 1, 2 * layers[to]);
        let labelled = if back { last - 1 } else { first };
        let mut path = vec![from];
        for column in first..last {
            let size = if column == labelled { label } else { (0.0, 0.0) };
            let number = self.items.len();
            self.items.push(Item { size, y: 0.0, before: Vec::new(), behind: Vec::new() });
            self.columns[column].push(number);
            path.push(number);
        }
        path.push(to);
        for pair in path.windows(2) {
            self.items[pair[0]].behind.push(pair[1]);
            self.items[pair[1]].before.push(pair[0]);
        }
        path
    }

    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.items.len()];
        for column in &self.columns {
            column.iter().enumerate().for_each(|(place, one)| places[*one] = place);
        }
        places
    }

    /// Sorts each column by where its neighbours stand, forth and back, and keeps the order with fewest crossings.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for round in 0..ROUNDS {
            let forward = round % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                let column = if forward { step } else { count - 1 - step };
                let places = self.places();
                let items = &self.items;
                let middle = |one: &usize| {
                    let near = if forward { &items[*one].before } else { &items[*one].behind };
                    match near.len() {
                        0 => as_f64(places[*one]),
                        count => near.iter().map(|other| as_f64(places[*other])).sum::<f64>() / as_f64(count),
                    }
                };
                self.columns[column].sort_by(|a, b| middle(a).total_cmp(&middle(b)));
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn crossings(&self) -> usize {
        let places = self.places();
        let between = |column: &Vec<usize>| {
            let mut ends: Vec<usize> = Vec::new();
            for one in column {
                let mut own: Vec<usize> = self.items[*one].behind.iter().map(|to| places[*to]).collect();
                own.sort_unstable();
                ends.extend(own);
            }
            inversions(&mut ends)
        };
        self.columns.iter().map(between).sum()
    }

    /// Moves everything to the height of its neighbours, as far as there is room.
    fn settle(&mut self) {
        for round in 0..=ROUNDS {
            let forward = round % 2 == 0;
            for step in 0..self.columns.len() {
                let column = if forward { step } else { self.columns.len() - 1 - step };
                let wanted: Vec<f64> =
                    self.columns[column].iter().map(|one| self.wanted(*one, forward)).collect();
                let heights: Vec<f64> =
                    self.columns[column].iter().map(|one| self.items[*one].size.1).collect();
                let places = apart(&wanted, &heights);
                for (one, y) in self.columns[column].clone().into_iter().zip(places) {
                    self.items[one].y = y;
                }
            }
        }
    }

    fn wanted(&self, one: usize, forward: bool) -> f64 {
        let item = &self.items[one];
        let near = if forward { &item.before } else { &item.behind };
        match near.len() {
            0 => item.y,
            count => near.iter().map(|other| self.items[*other].y).sum::<f64>() / as_f64(count),
        }
    }

    fn finish(&self, boxes: usize, paths: &[Vec<usize>], back: &[bool]) -> Layout {
        let mut left = vec![(0.0, 0.0); self.items.len()];
        let mut x = COLUMN_GAP;
        for column in &self.columns {
            let width = column.iter().map(|one| self.items[*one].size.0).fold(0.0, f64::max);
            for one in column {
                let own = self.items[*one].size.0;
                // A box stands in the middle of its column, a line passes all of it.
                let (from, to) =
                    if *one < boxes { ((width - own) / 2.0, (width + own) / 2.0) } else { (0.0, width) };
                left[*one] = (x + from, x + to);
            }
            x += width + COLUMN_GAP;
        }
        let half = |item: &Item| item.size.1 / 2.0;
        let top = self.items.iter().map(|item| item.y - half(item)).fold(f64::INFINITY, f64::min);
        let bottom = self.items.iter().map(|item| item.y + half(item)).fold(f64::NEG_INFINITY, f64::max);
        let (top, bottom) = if self.items.is_empty() { (0.0, 0.0) } else { (top, bottom) };
        let shift = 2.0 * ROW_GAP - top;
        let stretch =
            |one: usize| Stretch { left: left[one].0, right: left[one].1, y: self.items[one].y + shift };
        let mut lines = Vec::new();
        for (edge, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            let mut stretches: Vec<Stretch> = path.iter().map(|one| stretch(*one)).collect();
            let back = back[edge];
            if back {
                stretches.reverse();
            }
            lines.push(Line { edge, stretches, label: 1, back });
        }
        let corner = |one: usize| (left[one].0, self.items[one].y + shift - half(&self.items[one]));
        Layout { boxes: (0..boxes).map(corner).collect(), lines, size: (x, bottom - top + 4.0 * ROW_GAP) }
    }
}

/// Numbers of things are far below what a float holds exactly.
fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Pairs that stand in the wrong order, counted while they are merged.
fn inversions(numbers: &mut [usize]) -> usize {
    if numbers.len() < 2 {
        return 0;
    }
    let (left, right) = numbers.split_at_mut(numbers.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let (mut a, mut b) = (0, 0);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while a < left.len() && b < right.len() {
        if left[a] <= right[b] {
            merged.push(left[a]);
            a += 1;
        } else {
            count += left.len() - a;
            merged.push(right[b]);
            b += 1;
        }
    }
    merged.extend_from_slice(&left[a..]);
    merged.extend_from_slice(&right[b..]);
    numbers.copy_from_slice(&merged);
    count
}

/// The heights nearest to those wanted at which nothing touches: neighbours that would are moved together.
fn apart(wanted: &[f64], heights: &[f64]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(wanted.len());
    let mut offset = 0.0;
    for (at, height) in heights.iter().enumerate() {
        if at > 0 {
            offset += (heights[at - 1] + height) / 2.0 + ROW_GAP;
        }
        offsets.push(offset);
    }
    // Blocks of neighbours: the sum of what they want, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (wanted, offset) in wanted.iter().zip(&offsets) {
        let mut block = (wanted - offset, 1);
        while let Some((sum, count)) = blocks.last().copied() {
            if sum / as_f64(count) <= block.0 / as_f64(block.1) {
                break;
            }
            block = (block.0 + sum, block.1 + count);
            blocks.pop();
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / as_f64(*count), *count));
    starts.zip(offsets).map(|(start, offset)| start + offset).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::graph::Look;

    #[test]
    fn things_of_a_column_do_not_touch_and_stay_near_where_they_want() {
        assert_eq!(apart(&[0.0, 100.0], &[10.0, 10.0]), [0.0, 100.0]);
        let placed = apart(&[50.0, 50.0, 50.0], &[10.0, 20.0, 10.0]);
        assert_eq!(placed, [50.0 - 29.0, 50.0, 50.0 + 29.0]);
    }

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(&mut [0, 1, 2]), 0);
        assert_eq!(inversions(&mut [2, 1, 0, 1]), 4);
    }

    #[test]
    fn circles_lead_back_and_everything_else_forward() {
        let edges = [Some((0, 1)), Some((1, 2)), Some((2, 0)), Some((3, 2))];
        let (order, back) = without_circles(4, &edges);
        assert_eq!(back.iter().filter(|back| **back).count(), 1);
        let place = |one| order.iter().position(|other| *other == one).unwrap();
        for ((from, to), back) in edges.into_iter().flatten().zip(back) {
            assert_eq!(place(from) > place(to), back);
        }
    }

    proptest! {
        /// However boxes lead to each other, none covers another and all lie in the picture.
        #[test]
        fn boxes_lie_apart(edges in proptest::collection::vec((0..9_u8, 0..9_u8), 0..30)) {
            let mut graph = Graph::default();
            for one in 0..9 {
                graph.node(&format!("n{one}"), Look::Taker, &["x"]);
            }
            for (from, to) in &edges {
                graph.edge(&format!("n{from}"), "x", &format!("n{to}"));
            }
            let sizes: Vec<Size> = (0..9).map(|one| (40.0 + f64::from(one), 20.0 + 3.0 * f64::from(one))).collect();
            let placed = layout(&graph, &sizes, &vec![(20.0, 12.0); graph.edges.len()]);
            let corners = |one: usize| {
                let ((x, y), (w, h)) = (placed.boxes[one], sizes[one]);
                (x, y, x + w, y + h)
            };
            for one in 0..9 {
                let (left, top, right, bottom) = corners(one);
                prop_assert!(left >= 0.0 && top >= 0.0 && right <= placed.size.0 && bottom <= placed.size.1);
                for other in 0..one {
                    let (l, t, r, b) = corners(other);
                    prop_assert!(right <= l || r <= left || bottom <= t || b <= top, "{one} {other}");
                }
            }
            let own = edges.iter().filter(|(from, to)| from != to);
            let pairs: std::collections::BTreeSet<_> = own.collect();
            prop_assert_eq!(placed.lines.len(), pairs.len());
        }
    }
}
