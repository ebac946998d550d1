//! Layouts by hand, of every file of the repository, and of YAML made at random.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Unlaid, laid};

#[track_caller]
fn is_laid(old: &str, new: &str) {
    let once = laid("a.yaml", old).unwrap_or_else(|why| panic!("{why:?}\n{old}"));
    assert_eq!(once, new, "\n--- from\n{old}\n--- to\n{once}");
    assert_eq!(laid("a.yaml", &once).unwrap(), once, "twice");
}

#[test]
fn levels_blanks_and_empty_lines() {
    is_laid(
        "\n\n# top\nsites:   \n      pool:\n              title:   Indoor pool\t\n\n\n\n              \
         vars :   {b : 1,c:  [ 1,2 ,3 ] , }\n      hall: {title: Hall}\nhosts: {}\n\n\n",
        "# top\nsites:\n  pool:\n    title: Indoor pool\n\n    vars: {b: 1, c: [1, 2, 3],}\n  \
         hall: {title: Hall}\nhosts: {}\n",
    );
    is_laid("", "");
    is_laid("\n\n", "");
    is_laid("# only this  \n", "# only this\n");
    is_laid("---\na: 1", "---\na: 1\n");
    is_laid("a:\t1\nb: {c:\t2,\td: 3}\t# x\n", "a: 1\nb: {c: 2, d: 3}  # x\n");
    is_laid("{a: 1,\nb: [1,\n2\n]}\n", "{a: 1,\n  b: [1,\n    2\n]}\n");
}

#[test]
fn lists_stand_below_their_key_and_maps_behind_their_dash() {
    is_laid(
        "a:\n- 1\n-   b: 2\n    c: 3\n-\n   d: 4\n- - 5\n  -   - 6\nz: 1\n",
        "a:\n  - 1\n  - b: 2\n    c: 3\n  -\n    d: 4\n  - - 5\n    - - 6\nz: 1\n",
    );
    is_laid(
        "a: &x\n      b: 1\nc: *x\nd:\n    - &y e: 1\n      f: 2\n    - &z\n      g: 3\n    - *z\n",
        "a: &x\n  b: 1\nc: *x\nd:\n  - &y e: 1\n    f: 2\n  - &z\n    g: 3\n  - *z\n",
    );
    is_laid(
        "a:\n    &x\n    b: 1\nc:\n    'two words'\nd:\n    [1,\n  2]\n",
        "a:\n  &x\n  b: 1\nc:\n  'two words'\nd:\n  [1,\n    2]\n",
    );
}

#[test]
fn comments_go_with_what_they_stand_over() {
    is_laid(
        "a:\n    # over b\n    b: 1\n    # below b\n# over c\nc:\n   # in c\nd:\n- 1\n# over 2\n- 2\n\
         # over e\ne: 1\n  # end\n",
        "a:\n  # over b\n  b: 1\n  # below b\n# over c\nc:\n  # in c\nd:\n  - 1\n  # over 2\n  - 2\n\
         # over e\ne: 1\n# end\n",
    );
    is_laid(
        "a: 1       # one\nbbb: 2     # two\nc: 3 # three\n\nd: 4       # four\n\
         e: [1,   # five\n 2]      # six\n",
        "a: 1    # one\nbbb: 2  # two\nc: 3  # three\n\nd: 4  # four\ne: [1,  # five\n  2]    # six\n",
    );
    is_laid("a: '#'    #b\nb: c#d\n", "a: '#'  #b\nb: c#d\n");
}

#[test]
fn long_texts_keep_what_they_say() {
    is_laid(
        "a:\n    b: |   # of b\n        first  \n          deeper\n   \n\n\n        last # none\n\n\n\
         \n    c: one\n           two\n\n           three\n",
        "a:\n  b: |  # of b\n    first  \n      deeper\n\n\n\n    last # none\n\n  c: one\n    two\n\
         \n    three\n",
    );
    is_laid(
        "a:\n    b: >-\n      x\n\n      y\n    c: \"one \\\n          two\n\n       \\ three\"  # c\n",
        "a:\n  b: >-\n    x\n\n    y\n  c: \"one \\\n    two\n\n    \\ three\"  # c\n",
    );
    is_laid(
        "a:\n    - |2\n         x\n        y\n    - |+\n      z\n\n\n    - w\n",
        "a:\n  - |2\n       x\n      y\n  - |+\n    z\n\n\n  - w\n",
    );
    is_laid("a: |+\n    x\n\n\n", "a: |+\n  x\n\n\n");
    is_laid("a: |\n    x\n      \n\n", "a: |\n  x\n    \n");
    is_laid("- k: |\n    x\n  l: >\n    y\n", "- k: |\n    x\n  l: >\n    y\n");
    is_laid("a: ''\nb: |\n", "a: ''\nb: |\n");
    is_laid("a:\n    b: |+\n\n\nc: >-   # none\nd: |", "a:\n  b: |+\n\n\nc: >-  # none\nd: |\n");
}

#[test]
fn ends_of_lines_and_the_mark_of_the_order_stay() {
    is_laid(
        "\u{feff}a:\r\n    b: |\r\n        x\r\n        y\r\n",
        "\u{feff}a:\r\n  b: |\r\n    x\r\n    y\r\n",
    );
    is_laid("a: 1\nb: 2\r\n", "a: 1\nb: 2\n");
}

#[test]
fn what_is_no_yaml_or_odd_is_left_with_a_word() {
    let fault = laid("a.yaml", "a: 1\nb: [\n").unwrap_err();
    assert!(matches!(&fault, Unlaid::Faulty(report) if !report.diagnostics.is_empty()), "{fault:?}");
    for text in ["? a\n: b\n", "a: 1\rb: 2\n"] {
        let fault = laid("a.yaml", text).unwrap_err();
        assert!(matches!(&fault, Unlaid::Odd(why) if !why.contains("same")), "{fault:?}");
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "target" && name != ".git" {
            files(&entry, found);
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            found.push(entry);
        }
    }
}

/// What is no YAML for an inventory is refused as such; nothing else is.
#[test]
fn every_file_of_the_repository_can_be_laid_out() {
    let mut found = Vec::new();
    files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    assert!(found.len() > 50, "{found:?}");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        if let Err(Unlaid::Odd(why)) = laid("a.yaml", &text) {
            panic!("{}: {why}", path.display());
        }
    }
}

/// A value to be written in one of the ways YAML has.
#[derive(Clone, Debug)]
enum Value {
    Word(String),
    Quoted(String),
    Lines(Vec<String>, u8),
    Map(Vec<Value>, bool),
    List(Vec<Value>, bool),
}

fn values() -> impl Strategy<Value = Value> {
    let word = "[a-z0-9é]{1,5}(:[a-z]|#[a-z]| [a-z]{1,3})?";
    let leaf = prop_oneof![
        word.prop_map(Value::Word),
        "[a-z #:,{}\\[\\]é-]{0,12}".prop_map(Value::Quoted),
        (prop::collection::vec("( {0,3}[a-z#:-]{1,5} {0,2})?", 1..5), any::<u8>())
            .prop_map(|(lines, form)| Value::Lines(lines, form)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let held = prop::collection::vec(inner, 1..4);
        prop_oneof![
            (held.clone(), any::<bool>()).prop_map(|(held, flow)| Value::Map(held, flow)),
            (held, any::<bool>()).prop_map(|(held, flow)| Value::List(held, flow)),
        ]
    })
}

/// Numbers that say how untidy a text is.
struct Whims(u64);

impl Whims {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn blanks(&mut self, least: usize) -> String {
        let more = self.below(3);
        " ".repeat(least + more)
    }

    fn end(&mut self, out: &mut String) {
        if self.below(4) == 0 {
            out.push_str(&format!("{}# c{}", self.blanks(1), self.below(9)));
        }
        out.push_str(&" ".repeat(self.below(2)));
        out.push('\n');
        while self.below(4) == 0 {
            out.push_str(&" ".repeat(self.below(3)));
            out.push('\n');
        }
    }

    fn flow(&mut self, value: &Value, indent: usize, out: &mut String) {
        let (held, open, close) = match value {
            Value::Map(held, _) => (held, '{', '}'),
            Value::List(held, _) => (held, '[', ']'),
            Value::Word(word) => return out.push_str(word),
            Value::Quoted(text) => return out.push_str(&format!("\"{text}\"")),
            Value::Lines(lines, _) => return out.push_str(&format!("'{}'", lines.concat())),
        };
        out.push(open);
        for (at, one) in held.iter().enumerate() {
            if at > 0 {
                out.push_str(&format!("{},", self.blanks(0)));
            }
            if self.below(5) == 0 {
                self.end(out);
                out.push_str(&" ".repeat(indent + 1));
            }
            out.push_str(&self.blanks(usize::from(at > 0)));
            if open == '{' {
                out.push_str(&format!("k{at}{}:{}", self.blanks(0), self.blanks(1)));
            }
            self.flow(one, indent, out);
        }
        out.push_str(&self.blanks(0));
        out.push(close);
    }

    /// A value behind its key or dash, up to the end of its last line.
    fn block(&mut self, value: &Value, indent: usize, out: &mut String) {
        match value {
            Value::Map(held, false) | Value::List(held, false) => {
                self.end(out);
                let list = matches!(value, Value::List(..));
                let more = 1 + self.below(5);
                self.held(held, list, indent + more, out);
            }
            Value::Lines(lines, form) => {
                let signs = ["|", ">", "|-", ">-", "|+", ">+"][usize::from(*form) % 6];
                let more = 1 + self.below(5);
                // The indent of the first line is the text's.
                out.push_str(&format!("{}{signs}\n{}x\n", self.blanks(1), " ".repeat(indent + more)));
                for line in lines {
                    let line = if line.is_empty() {
                        String::new()
                    } else {
                        format!("{}{line}", " ".repeat(indent + more))
                    };
                    out.push_str(&format!("{line}\n"));
                }
            }
            Value::Word(word) if word.contains(' ') && self.below(2) == 0 => {
                let gap = format!("\n{}", " ".repeat(indent + 1 + self.below(4)));
                out.push_str(&format!("{}{}", self.blanks(1), word.replacen(' ', &gap, 1)));
                self.end(out);
            }
            flow => {
                out.push_str(&self.blanks(1));
                self.flow(flow, indent, out);
                self.end(out);
            }
        }
    }

    fn held(&mut self, held: &[Value], list: bool, indent: usize, out: &mut String) {
        for (at, one) in held.iter().enumerate() {
            if self.below(6) == 0 {
                out.push_str(&format!("{}# over{}\n", " ".repeat(self.below(indent + 1)), self.below(9)));
            }
            out.push_str(&" ".repeat(indent));
            out.push_str(&if list { "-".to_owned() } else { format!("k{at}{}:", self.blanks(0)) });
            self.block(one, indent, out);
        }
    }
}

proptest! {
    /// Nothing that can be read is refused, and another reader finds the same in it.
    #[test]
    fn any_text_is_laid_out_and_says_the_same(held in prop::collection::vec(values(), 1..4), whims in any::<u64>()) {
        let mut text = String::new();
        Whims(whims).held(&held, false, 0, &mut text);
        let read = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text);
        let new = laid("a.yaml", &text);
        let new = new.map_err(|why| TestCaseError::fail(format!("{why:?}\n{text}")))?;
        prop_assert_eq!(read(&text).unwrap(), read(&new).unwrap(), "\n{}\n--- to\n{}", text, new);
        let ends = new.lines().filter(|line| line.trim_start().starts_with('k')).all(|line| !line.ends_with(' '));
        prop_assert!(ends || text.contains('|') || text.contains('>'), "\n{}", new);
    }
}
