//! Hardware addresses of those on the same wire, from the system's own table. Linux only; elsewhere, and behind
//! a router, nothing is known.

use crate::model::Mac;

/// The table of the network stack this program is in.
const TABLE: &str = "/proc/net/arp";
/// The flag of an entry that was answered.
const COMPLETE: u32 = 0x2;

/// The hardware address that answers for an address, on an interface when one is named.
pub fn hardware_address(address: &str, interface: Option<&str>) -> Option<Mac> {
    found(&std::fs::read_to_string(TABLE).ok()?, address, interface)
}

/// Lines of address, type, flags, hardware address, mask, interface, below a heading.
fn found(table: &str, address: &str, interface: Option<&str>) -> Option<Mac> {
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [seen, _, flags, mac, _, behind] = words[..] else { return None };
        let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
        let fits = seen == address && interface.is_none_or(|interface| interface == behind);
        (fits && flags & COMPLETE != 0).then(|| mac.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
192.168.2.1      0x1         0x2         00:08:00:4a:2f:01     *        eth1
192.168.2.1      0x1         0x2         00:08:00:4a:2f:02     *        eth2
192.168.2.7      0x1         0x0         00:00:00:00:00:00     *        eth1
";

    #[test]
    fn an_entry_counts_when_it_was_answered_on_the_interface_meant() {
        let digits = |address, interface| found(SEEN, address, interface).map(|mac| mac.digits().to_owned());
        assert_eq!(digits("192.168.2.1", Some("eth2")).as_deref(), Some("0008004A2F02"));
        assert_eq!(digits("192.168.2.1", None).as_deref(), Some("0008004A2F01"));
        assert_eq!(digits("192.168.2.1", Some("eth3")), None);
        assert_eq!(digits("192.168.2.7", None), None);
        assert_eq!(found("", "192.168.2.1", None), None);
    }
}
