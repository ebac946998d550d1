//! Telephone systems in the drawing of the whole: lines in, SBCs with the machine they run on, phones behind them.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Look, plain};
use crate::inventory::{Inventory, Pbx, SbcSecurity};

/// Draws the telephone systems of a site, or all.
pub(super) fn systems(graph: &mut Graph, inventory: &Inventory, site: Option<&str>, hosts: &BTreeSet<&str>) {
    let is_at = |pbx: &Pbx| match (site, &pbx.site) {
        (None, _) => true,
        (Some(site), Some(own)) => own.as_str() == site,
        (Some(_), None) => false,
    };
    for (name, pbx) in inventory.pbx.iter().filter(|(_, pbx)| is_at(pbx)) {
        system(graph, inventory, name, pbx, hosts);
    }
}

fn system(graph: &mut Graph, inventory: &Inventory, name: &str, pbx: &Pbx, hosts: &BTreeSet<&str>) {
    let id = format!("pbx_{}", plain(name));
    let site = pbx.site.as_ref().and_then(|site| inventory.sites.get(site.as_str()));
    let site = site.map_or("", |site| site.title.as_str());
    let people = match pbx.extensions.len() {
        0 => String::new(),
        1 => "1 extension".to_owned(),
        many => format!("{many} extensions"),
    };
    graph.node(&id, Look::Passage, &[name, &format!("3CX, {}", pbx.url.value), &people, site]);
    for (trunk, one) in pbx.trunks.iter() {
        let from = format!("trunk_{}_{}", plain(name), plain(trunk));
        graph.node(&from, Look::Source, &[one.title.as_str(), "trunk", &one.number.0.to_string()]);
        graph.edge(&from, "calls", &id);
    }
    for (sbc, one) in pbx.sbcs.iter() {
        let to = format!("sbc_{}_{}", plain(name), plain(sbc));
        let title = one.title.as_deref().unwrap_or_default();
        graph.node(&to, Look::Passage, &[sbc, "SBC", title]);
        let label = match one.security {
            Some(SbcSecurity::Tcp) => "SIP, in clear",
            Some(SbcSecurity::Tls) => "SIP over TLS",
            None => "SIP",
        };
        graph.edge(&id, label, &to);
        if let Some(host) = one.host.as_ref().filter(|host| hosts.contains(host.as_str())) {
            graph.edge(&format!("host_{}", plain(host)), "runs", &to);
        }
    }
    // Phones by what they stand behind: a box each would hide the rest.
    let mut phones: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for phone in pbx.extensions.values().flat_map(|one| one.phones.iter().flatten()) {
        let behind = phone.sbc.as_ref().map(|sbc| sbc.as_str()).filter(|sbc| pbx.sbcs.contains_key(*sbc));
        *phones.entry(behind).or_default() += 1;
    }
    for (behind, count) in phones {
        let from = behind.map_or_else(|| id.clone(), |sbc| format!("sbc_{}_{}", plain(name), plain(sbc)));
        let to = format!("phones_{from}");
        let ending = if count == 1 { "" } else { "s" };
        graph.node(&to, Look::Taker, &[&format!("{count} phone{ending}")]);
        graph.edge(&from, "", &to);
    }
}
