//! Changes one value of an inventory file where it stands; all else stays as it is, comments too.

use super::Place;

/// The text with the scalar at a place replaced. `old` is what must stand there, in whatever quotes.
///
/// # Errors
/// When something else stands there: the file was edited meanwhile, or the value is written over several lines.
pub fn scalar(text: &str, place: &Place, old: &str, new: &str) -> Result<String, String> {
    let fault = || format!("{place}: `{old}` does not stand there as one plain or quoted word");
    let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let (row, column) = index(place.line).zip(index(place.column)).ok_or_else(fault)?;
    let begin: usize = text.split_inclusive('\n').take(row).map(str::len).sum();
    let line = text.get(begin..).and_then(|rest| rest.lines().next()).ok_or_else(fault)?;
    let from = line.char_indices().nth(column).map(|(at, _)| at).ok_or_else(fault)?;
    let rest = &line[from..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map(|end| end + 2).ok_or_else(fault)?,
        _ => rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.trim_end().len()),
    };
    if rest[..length].trim_matches(['"', '\'']) != old {
        return Err(fault());
    }
    let (from, to) = (begin + from, begin + from + length);
    Ok(format!("{}\"{new}\"{}", &text[..from], &text[to..]))
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
