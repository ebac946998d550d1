//! The pages of the codes. One file holds them, in the words of `codes.md`: a heading with the code, what it means,
//! then lines with `-` (wrong), `+` (right) and `>` (what to do).

use std::sync::OnceLock;

use serde_json::json;

use crate::cli::say;
use crate::model::PLAN_FORMAT;

const TEXT: &str = include_str!("codes.md");

/// What a code means.
pub struct Page {
    code: &'static str,
    means: String,
    wrong: Vec<&'static str>,
    right: Vec<&'static str>,
    hint: Option<&'static str>,
}

fn pages() -> &'static [Page] {
    static PAGES: OnceLock<Vec<Page>> = OnceLock::new();
    PAGES.get_or_init(|| TEXT.split("\n## ").skip(1).map(read).collect())
}

fn read(text: &'static str) -> Page {
    let (code, body) = text.split_once('\n').unwrap_or((text, ""));
    let marked = |mark: &str| -> Vec<&'static str> {
        body.lines()
            .filter_map(|line| line.strip_prefix(mark))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect()
    };
    let plain = |line: &&str| !line.is_empty() && !line.starts_with(['-', '+', '>']);
    let means: Vec<&str> = body.lines().filter(plain).collect();
    let hint = marked(">").first().copied();
    Page { code: code.trim(), means: means.join(" "), wrong: marked("-"), right: marked("+"), hint }
}

/// The page of a code.
pub fn page(code: &str) -> Option<&'static Page> {
    pages().iter().find(|page| page.code == code)
}

/// The code that was perhaps meant.
pub fn near(word: &str) -> Option<&'static str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    let measured = pages().iter().map(|page| (strsim::damerau_levenshtein(word, page.code), page.code));
    measured.filter(|(distance, _)| *distance <= limit).min().map(|(_, code)| code)
}

/// All codes, each with its first sentence.
pub fn list(as_json: bool) -> String {
    if as_json {
        let all: Vec<_> = pages().iter().map(Page::json).collect();
        return format!("{:#}", json!({"format_version": PLAN_FORMAT, "codes": all}));
    }
    let width = pages().iter().map(|page| page.code.len()).max().unwrap_or(0);
    let line = |page: &Page| {
        let first = page.means.split_once(". ").map_or(page.means.as_str(), |(first, _)| first);
        format!("{}{:width$}{:#}  {}\n", say::HEAD, page.code, say::HEAD, first.trim_end_matches('.'))
    };
    pages().iter().map(line).collect()
}

impl Page {
    fn json(&self) -> serde_json::Value {
        json!({"code": self.code, "means": self.means, "wrong": self.wrong.join("\n"),
               "right": self.right.join("\n"), "hint": self.hint})
    }

    /// For people, or for programs.
    pub fn drawn(&self, as_json: bool) -> String {
        if as_json {
            return format!("{:#}", self.json());
        }
        let mut text = format!("{}{}{:#}\n{}\n", say::HEAD, self.code, say::HEAD, self.means);
        for (title, lines) in [("wrong", &self.wrong), ("right", &self.right)] {
            if !lines.is_empty() {
                text.push_str(&format!("\n{title}:\n"));
                lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
            }
        }
        if let Some(hint) = self.hint {
            text.push_str(&format!("\n{}hint:{:#} {hint}\n", say::DIM, say::DIM));
        }
        text
    }
}
