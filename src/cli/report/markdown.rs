//! A plan for the thread of a merge request: its summary, and the rest folded away.

use super::Matter;
use crate::cli::show;

/// A comment holds 65536 characters on GitHub.
const CHARS_MAX: usize = 60_000;

/// The plan as Markdown.
pub fn draw(matter: &Matter<'_>) -> String {
    let drawn = show::explained(&matter.survey.plan, matter.drift, matter.verbose);
    let plain = anstream::adapter::strip_str(&drawn).to_string();
    let summary = plain.lines().rev().find(|line| line.starts_with("Plan: ")).unwrap_or_default();
    let causes = plain.lines().rev().find(|line| line.starts_with("Since the last apply: "));
    let mut text = format!("### rocade {}\n\n**{}**\n", matter.verb, escaped(summary));
    if let Some(causes) = causes {
        text.push_str(&format!("\n{}\n", escaped(causes)));
    }
    let lines: Vec<&str> = plain.lines().filter(|line| !line.starts_with("Plan: ")).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.starts_with("Since the last ")).collect();
    if lines.iter().all(|line| line.is_empty()) {
        return text;
    }
    let mut body = String::new();
    for line in lines {
        // Signs stand first, where they are coloured.
        let line = line.strip_prefix("  ").unwrap_or(line);
        if body.chars().count() + line.chars().count() > CHARS_MAX {
            body.push_str("... cut here: it is too long for a comment\n");
            break;
        }
        body.push_str(line);
        body.push('\n');
    }
    let fence = fence(&body);
    let body = body.trim_matches('\n');
    let open = if body.lines().count() <= 20 { " open" } else { "" };
    let folded =
        format!("<details{open}><summary>Objects</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>");
    format!("{text}\n{folded}\n")
}

/// A fence that nothing in the text closes.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// Text in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '@' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_fence() {
        assert_eq!(fence("plain"), "```");
        assert_eq!(fence("a ```` b ``` c"), "`````");
        assert_eq!(escaped("<img> *x* @all"), "&lt;img> \\*x\\* \\@all");
    }
}
