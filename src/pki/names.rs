//! The names in a leaf: host names in lower case and IP addresses in their one spelling, so that two lists
//! of the same names are equal.

use std::net::IpAddr;

/// Why a text is no name a client could check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a host name nor an IP address")]
pub struct NameFault(pub String);

/// One name in its one spelling. A host name has labels of letters, digits and inner hyphens (RFC 1123,
/// section 2.1); wildcards are refused, since the inventory names every name.
///
/// # Errors
/// When it is neither.
pub fn normal_name(text: &str) -> Result<String, NameFault> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits is a mistyped address (WHATWG URL, "ends in a number").
    let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
    let numeric = text.rsplit('.').next().is_some_and(is_number);
    if text.len() > 253 || numeric || !text.split('.').all(is_label) {
        return Err(NameFault(text.to_owned()));
    }
    Ok(text.to_ascii_lowercase())
}

/// A list of names: each in its one spelling, sorted, none twice.
///
/// # Errors
/// At the first that is no name.
pub fn normal_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, NameFault> {
    let mut normal = names.into_iter().map(normal_name).collect::<Result<Vec<_>, _>>()?;
    normal.sort();
    normal.dedup();
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        let names = ["Broker.Example.net", "2001:DB8:0::1", "192.168.145.100", "broker.example.net"];
        let normal = ["192.168.145.100", "2001:db8::1", "broker.example.net"];
        assert_eq!(normal_names(names).unwrap(), normal);
        for bad in ["", "*.example.net", "a..b", "-a.b", "a b", "a.", "300.1.1.1", "é.fr", &"a".repeat(64)] {
            assert_eq!(normal_name(bad), Err(NameFault(bad.to_owned())));
        }
    }
}
