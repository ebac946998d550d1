//! Telephone numbers as people write them, and as E.164 has them.

use crate::model::E164;

/// Codes of France overseas by the digits a number dialled in France begins with (ARCEP's numbering plan).
const OVERSEAS: &[(&str, &str)] = &[
    ("0590", "590"),
    ("0690", "590"),
    ("0691", "590"),
    ("0594", "594"),
    ("0694", "594"),
    ("0596", "596"),
    ("0696", "596"),
    ("0697", "596"),
    ("0262", "262"),
    ("0263", "262"),
    ("0269", "262"),
    ("0639", "262"),
    ("0692", "262"),
    ("0693", "262"),
];

/// Countries whose numbers are dialled as in France.
const FRENCH: &[&str] = &["FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF"];

/// A number in E.164; `None` for what is none. One without its country is taken for French when the entry's country
/// is France, or is not known.
pub fn international(written: &str, country: Option<&str>) -> Option<String> {
    let pieces = || written.split(['/', ';', ',', '\n']).flat_map(|piece| piece.split(" ou "));
    one(written, country).or_else(|| pieces().find_map(|piece| one(piece, country)))
}

fn one(written: &str, country: Option<&str>) -> Option<String> {
    // `+33 (0)1`: the zero of the trunk is not dialled from abroad.
    let trimmed = written.replace("(0)", "");
    // A word in front, such as `Tél :`.
    let trimmed = trimmed.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+' && c != '(');
    let dropped = |c: char| c.is_whitespace() || ".-/()_\u{2010}\u{2011}\u{2013}\u{b7}".contains(c);
    let plain: String = trimmed.chars().filter(|c| !dropped(*c)).collect();
    let (abroad, digits) = match (plain.strip_prefix('+'), plain.strip_prefix("00")) {
        (Some(rest), _) | (None, Some(rest)) => (true, rest),
        (None, None) => (false, plain.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let french = country.is_none_or(|code| FRENCH.contains(&code.to_ascii_uppercase().as_str()));
    let number = match (abroad, digits.len()) {
        // `+330611223344`: a slip.
        (true, 12) if digits.starts_with("330") => format!("+33{}", &digits[3..]),
        (true, _) => format!("+{digits}"),
        (false, 10) if french && digits.starts_with('0') => national(digits),
        // A spreadsheet took its zero.
        (false, 9) if french && !digits.starts_with('0') => national(&format!("0{digits}")),
        (false, 11) if french && digits.starts_with("33") => format!("+{digits}"),
        _ => return None,
    };
    number.parse::<E164>().ok().map(|number| number.0)
}

/// Ten digits as dialled in France.
fn national(digits: &str) -> String {
    let overseas = OVERSEAS.iter().find(|(begin, _)| digits.starts_with(begin));
    format!("+{}{}", overseas.map_or("33", |(_, code)| code), &digits[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_french_number_is_the_same_in_every_spelling() {
        for written in [
            "01 23 45 67 89",
            "0123456789",
            "01.23.45.67.89",
            "01-23-45-67-89",
            "01/23/45/67/89",
            "01\u{a0}23\u{202f}45 67 89",
            "+33 1 23 45 67 89",
            "+33 (0)1 23 45 67 89",
            "(+33) 1 23 45 67 89",
            "+33(0)123456789",
            "+330123456789",
            "0033 1 23 45 67 89",
            "00 33 (0) 1 23 45 67 89",
            "33123456789",
            "123456789",
            "T\u{e9}l : 01 23 45 67 89",
            "01 23 45 67 89 / 06 11 22 33 44",
            "01 23 45 67 89 ou 06 11 22 33 44",
        ] {
            assert_eq!(international(written, Some("FR")).as_deref(), Some("+33123456789"), "{written}");
            assert_eq!(international(written, None).as_deref(), Some("+33123456789"), "{written}");
        }
    }

    #[test]
    fn other_countries_and_overseas_keep_their_codes() {
        assert_eq!(international("0590 12 34 56", Some("GP")).as_deref(), Some("+590590123456"));
        assert_eq!(international("06 92 12 34 56", Some("fr")).as_deref(), Some("+262692123456"));
        assert_eq!(international("+44 1632 960001", Some("GB")).as_deref(), Some("+441632960001"));
        assert_eq!(international("0041 22 345 67 89", None).as_deref(), Some("+41223456789"));
        assert_eq!(international("0800 123 456", None).as_deref(), Some("+33800123456"));
        for none in
            ["", "3949", "02 511 00 00", "ask Paul", "01 23 45 67", "+33 1 23", "012345678901234567890"]
        {
            assert_eq!(international(none, None), None, "{none}");
        }
        assert_eq!(international("01 23 45 67 89", Some("DE")), None, "a German number without its country");
    }
}
