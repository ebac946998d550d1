//! The certificate authority: lifetimes that fit into each other.

use std::net::IpAddr;

use super::address;
use crate::inventory::{At, Authority, Diagnostic, Inventory};
use crate::model::Network;

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
    check_only(inventory, authority, found);
    if let Some(share) = authority.renew_at.as_ref().filter(|share| !is_fraction(share)) {
        let message = format!("`{}` is no fraction between 0 and 1", **share);
        let fault = Diagnostic::error("bad-fraction", message).at(&share.place, "");
        found.push(fault.help("write it as `2/3`"));
    }
}

/// What the intermediate is bound to must be writable in a certificate and hold every name it is to sign.
fn check_only(inventory: &Inventory, authority: &Authority, found: &mut Vec<Diagnostic>) {
    let only: Vec<&At<String>> = authority.issuing.iter().flat_map(|issuing| &issuing.only).collect();
    let before = found.len();
    for bound in &only {
        if is_network(bound) == Some(false) {
            let message = format!("`{}` is no network such as 192.168.145.0/24", ***bound);
            found.push(Diagnostic::error("bad-network", message).at(&bound.place, ""));
        } else if is_network(bound).is_none() {
            address::check(bound, found);
        }
    }
    if found.len() > before || only.is_empty() {
        return;
    }
    for name in inventory.brokers.values().flat_map(|broker| &broker.names) {
        let of_kind = only.iter().filter(|bound| is_address(name) == is_network(bound).is_some());
        let mut of_kind = of_kind.peekable();
        // A kind of name that is not spoken of is not bound (RFC 5280, section 4.2.1.10).
        if of_kind.peek().is_some() && !of_kind.any(|bound| holds(bound, name)) {
            let message = format!("`{}` is outside what `issuing.only` lets the authority sign for", **name);
            let fault = Diagnostic::error("outside-constraints", message).at(&name.place, "a broker's name");
            let fault = fault.at(&only[0].place, "what may be signed for");
            found.push(fault.help("add its domain or network to `only`"));
        }
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Whether it is a network, when it is meant to be one.
fn is_network(text: &str) -> Option<bool> {
    (is_address(text) || text.contains('/')).then(|| text.parse::<Network>().is_ok())
}

fn holds(bound: &str, name: &str) -> bool {
    match (bound.parse::<Network>(), name.parse::<IpAddr>()) {
        (Ok(network), Ok(address)) => network.holds(address),
        _ => {
            let (bound, name) = (bound.to_ascii_lowercase(), name.to_ascii_lowercase());
            name == bound || name.ends_with(&format!(".{bound}"))
        }
    }
}

fn check_lifetimes(authority: &Authority, found: &mut Vec<Diagnostic>) {
    let leaf = authority.leaf_lifetime.as_ref().map_or(YEAR_SECONDS, |period| period.as_secs());
    let root = authority.root_lifetime.as_ref().map_or(10 * YEAR_SECONDS, |period| period.as_secs());
    if let Some(short) = authority.crl_lifetime.as_ref().filter(|period| period.as_secs() < DAY_SECONDS) {
        let message = "a list of revoked certificates that is over within a day shuts every client out soon";
        found.push(Diagnostic::error("bad-lifetime", message).at(&short.place, ""));
    }
    let issuing = authority.issuing.as_ref().and_then(|issuing| issuing.lifetime.as_ref());
    if let Some(issuing) = issuing.filter(|issuing| issuing.as_secs() < leaf || issuing.as_secs() > root) {
        let message = "the intermediate lives at least as long as a leaf and at most as long as the root";
        found.push(Diagnostic::error("bad-lifetime", message).at(&issuing.place, ""));
    }
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
