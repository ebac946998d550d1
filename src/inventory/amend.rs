//! Changes one value of an inventory file where it stands; all else stays as it is, comments too.

use std::ops::Range;

use super::Place;

/// The text with the scalar at a place replaced. `old` is what must stand there, in whatever quotes.
///
/// # Errors
/// When something else stands there: the file was edited meanwhile, or the value is written over several lines.
pub fn scalar(text: &str, place: &Place, old: &str, new: &str) -> Result<String, String> {
    let span = span(text, place).filter(|span| unquoted(&text[span.clone()]) == old);
    let span =
        span.ok_or_else(|| format!("{place}: `{old}` does not stand there as one plain or quoted word"))?;
    Ok(format!("{}\"{new}\"{}", &text[..span.start], &text[span.end..]))
}

/// The scalar at a place, without quotes.
///
/// # Errors
/// When there is none.
pub fn word_at<'t>(text: &'t str, place: &Place) -> Result<&'t str, String> {
    let span = span(text, place).ok_or_else(|| format!("{place}: no plain or quoted word stands there"))?;
    Ok(unquoted(&text[span]))
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// Where the scalar at a place is, its quotes included.
fn span(text: &str, place: &Place) -> Option<Range<usize>> {
    let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let (row, column) = (index(place.line)?, index(place.column)?);
    let begin: usize = text.split_inclusive('\n').take(row).map(str::len).sum();
    let line = text.get(begin..)?.lines().next()?;
    let from = line.char_indices().nth(column).map(|(at, _)| at)?;
    let rest = &line[from..];
    let length = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].find(quote)? + 2,
        _ => rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.trim_end().len()),
    };
    Some(begin + from..begin + from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(line: &str, column: u32) -> Result<String, String> {
        let text = format!("gateways:\n{line}\n  # the end\n");
        let place = Place { file: "inventory/a.yaml".into(), line: 2, column };
        let changed = scalar(&text, &place, "20412345", "20499999")?;
        Ok(changed.lines().nth(1).unwrap().to_owned())
    }

    #[test]
    fn only_the_value_changes_in_whatever_form_it_stands() {
        assert_eq!(
            changed("    serial: \"20412345\"   # label", 13).unwrap(),
            "    serial: \"20499999\"   # label"
        );
        assert_eq!(changed("    serial: '20412345'", 13).unwrap(), "    serial: \"20499999\"");
        assert_eq!(
            changed("  gw: {serial: 20412345, site: x}", 16).unwrap(),
            "  gw: {serial: \"20499999\", site: x}"
        );
        assert_eq!(changed("  é: {serial: 20412345}", 15).unwrap(), "  é: {serial: \"20499999\"}");
        let crlf = scalar("a: 1\r\n", &Place { file: "a".into(), line: 1, column: 4 }, "1", "2");
        assert_eq!(crlf.unwrap(), "a: \"2\"\r\n");
    }

    #[test]
    fn another_value_there_is_left_alone() {
        assert!(changed("    serial: \"20412346\"", 13).is_err());
        assert!(changed("    serial: \"20412345", 13).is_err());
        assert!(changed("    serial: 20412345", 99).is_err());
    }
}
