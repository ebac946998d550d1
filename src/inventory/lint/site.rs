//! Sites: their time zones must be known.

use crate::inventory::decode::closest;
use crate::inventory::{Diagnostic, Inventory};

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let zones = jiff::tz::db();
    // A machine without a time zone database cannot tell, and refusing every zone would be wrong.
    if zones.is_definitively_empty() {
        return;
    }
    for timezone in inventory.sites.values().filter_map(|site| site.timezone.as_ref()) {
        if zones.get(timezone).is_ok() {
            continue;
        }
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let help = match closest(timezone, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write an IANA name, such as `Europe/Paris`".to_owned(),
        };
        let message = format!("`{}` is no known time zone", **timezone);
        found.push(Diagnostic::error("unknown-timezone", message).at(&timezone.place, "").help(help));
    }
}
