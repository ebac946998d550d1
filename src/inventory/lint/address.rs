//! Names and addresses of machines: what can be connected to, and what can stand in a certificate.

use std::net::IpAddr;

use crate::inventory::{At, Diagnostic};

/// Adds a fault when a text is neither an IP address nor a host name (RFC 1123).
pub(super) fn check(address: &At<String>, found: &mut Vec<Diagnostic>) {
    if address.parse::<IpAddr>().is_ok() || is_host_name(address) {
        return;
    }
    let message = format!("`{}` is neither an IP address nor a host name", **address);
    let help = "write the bare name or address, without a scheme or a port";
    found.push(Diagnostic::error("bad-address", message).at(&address.place, "").help(help));
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    // A last label of digits only would be an IP address that is not one.
    let last = name.rsplit('.').next().unwrap_or("");
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether two texts name the same machine to a certificate check.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_ports_and_wildcards_are_no_part_of_an_address() {
        for good in ["192.168.2.1", "fd00::1", "broker.example.net", "pool-gw", "3com.example"] {
            let mut found = Vec::new();
            check(&At::nowhere(good.to_owned()), &mut found);
            assert!(found.is_empty(), "{good}");
        }
        for bad in
            ["", "https://x", "x:22", "192.168.2", "256.1.1.1", "*.example.net", "a..b", "-a", "a b", "a\n"]
        {
            let mut found = Vec::new();
            check(&At::nowhere(bad.to_owned()), &mut found);
            assert_eq!(found.len(), 1, "{bad:?}");
        }
    }
}
