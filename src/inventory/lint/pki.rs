//! The certificate authority: lifetimes that fit into each other.

use crate::inventory::{Authority, Diagnostic, Inventory};

const DAY_SECONDS: u64 = 86_400;
const YEAR_SECONDS: u64 = 365 * DAY_SECONDS;

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let Some(pki) = &inventory.pki else { return };
    let authority = &pki.authority;
    if authority.name.trim().is_empty() || authority.name.chars().count() > 64 {
        let message = "the root's name has 1 to 64 characters (RFC 5280, ub-common-name)";
        found.push(Diagnostic::error("bad-common-name", message).at(&pki.place, ""));
    }
    check_lifetimes(authority, found);
    if let Some(share) = authority.renew_at.as_ref().filter(|share| !is_fraction(share)) {
        let message = format!("`{}` is no fraction between 0 and 1", **share);
        let fault = Diagnostic::error("bad-fraction", message).at(&share.place, "");
        found.push(fault.help("write it as `2/3`"));
    }
}

fn check_lifetimes(authority: &Authority, found: &mut Vec<Diagnostic>) {
    let leaf = authority.leaf_lifetime.as_ref().map_or(YEAR_SECONDS, |period| period.as_secs());
    let root = authority.root_lifetime.as_ref().map_or(10 * YEAR_SECONDS, |period| period.as_secs());
    let Some(written) = authority.leaf_lifetime.as_ref().or(authority.root_lifetime.as_ref()) else { return };
    if leaf < DAY_SECONDS {
        let message = "a leaf that lives less than a day cannot be renewed in time";
        found.push(Diagnostic::error("bad-lifetime", message).at(&written.place, ""));
    }
    if leaf > root {
        let message = "a leaf cannot outlive its root";
        found.push(Diagnostic::error("bad-lifetime", message).at(&written.place, ""));
    }
}

/// Two whole numbers, the first smaller and not zero.
fn is_fraction(text: &str) -> bool {
    let Some((part, whole)) = text.split_once('/') else { return false };
    let number = |text: &str| text.trim().parse::<u32>().ok();
    matches!((number(part), number(whole)), (Some(part), Some(whole)) if 0 < part && part < whole)
}

#[cfg(test)]
mod tests {
    use super::is_fraction;

    #[test]
    fn a_fraction_lies_between_nothing_and_all() {
        assert!(is_fraction("2/3"));
        for bad in ["0/3", "3/3", "4/3", "2", "0.66", "2/", "-1/3", "a/b"] {
            assert!(!is_fraction(bad), "{bad}");
        }
    }
}
