//! SBCs: names the PBX takes, and the machines they run on.

use crate::inventory::lint::repeated;
use crate::inventory::{At, Diagnostic, Inventory, SBC_FILE, Sbc};

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let sbcs = || inventory.pbx.values().flat_map(|pbx| pbx.sbcs.iter());
    for (name, sbc) in sbcs() {
        if name.len() > 12 {
            let message = format!("`{name}` is longer than the 12 characters an SBC's name may have");
            found.push(Diagnostic::error("long-sbc-name", message).at(&sbc.place, ""));
        }
        machine(inventory, name, sbc, found);
    }
    let hosts = sbcs().filter_map(|(_, sbc)| sbc.host.as_ref()).map(|host| (host.as_str(), &host.place));
    repeated(
        hosts,
        |host| Diagnostic::error("two-sbcs", format!("two SBCs run on {host}, which has room for one")),
        found,
    );
    let links = sbcs().filter_map(|(_, sbc)| sbc.provisioning_link.as_ref());
    repeated(
        links.map(|link| (link.secret.as_str(), &link.place)),
        |link| Diagnostic::error("shared-link", format!("two SBCs have the link {link}: they would be one")),
        found,
    );
}

/// An SBC's machine is one of `hosts`, has the link, and no other wish for the SBC's file.
fn machine(inventory: &Inventory, name: &str, sbc: &At<Sbc>, found: &mut Vec<Diagnostic>) {
    match (&sbc.host, &sbc.provisioning_link) {
        (Some(host), None) => {
            let message = format!("the SBC {name} is to run on {}, which cannot know its link", host.value);
            let fault = Diagnostic::error("no-link", message).at(&host.place, "");
            found.push(fault.help(
                "keep the link the PBX shows with `rocade secrets set`, write `provisioning_link: {secret: ...}`",
            ));
        }
        (None, Some(link)) => {
            let fault =
                Diagnostic::error("link-without-host", "nothing is told this link").at(&link.place, "");
            found.push(fault.help("write `host: NAME`, the machine of `hosts` the SBC runs on"));
        }
        _ => {}
    }
    let Some(named) = &sbc.host else { return };
    let Some(host) = inventory.hosts.get(named.as_str()) else {
        let message = format!("there is no host `{}`", named.value);
        found.push(Diagnostic::error("dangling-reference", message).at(&named.place, "not found"));
        return;
    };
    for file in host.files.iter().filter(|file| file.path.as_str() == SBC_FILE) {
        let message = format!("{SBC_FILE} belongs to the SBC {name}, which runs on this host");
        let fault = Diagnostic::error("duplicate-path", message).at(&file.path.place, "written here");
        found.push(fault.at(&named.place, "runs here"));
    }
}
