//! What the inventory wishes of a PBX.

use std::collections::BTreeMap;
use std::path::Path;

use super::directory::SYSTEM;
use super::kind::{Form, Wishing};
use super::{KIND, RANK, kinds};
use crate::inventory::{Inventory, Pbx, Unmanaged};
use crate::model::{Owns, Target, Wish};
use crate::providers::{Fault, Lookup};

/// All wishes of one PBX, or all faults.
pub fn wish(
    inventory: &Inventory,
    target: &Target,
    lookup: &dyn Lookup,
    root: &Path,
) -> Result<Wish, Vec<Fault>> {
    let Some(pbx) = inventory.pbx.get(&target.name) else {
        return Err(vec![Fault::new(format!("{target} is not in the inventory"))]);
    };
    let (resources, faults, unknown) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let mut wishing = Wishing { pbx, lookup, root, resources, faults, target, unknown };
    kinds().iter().for_each(|kind| kind.wish(&mut wishing));
    let mut accepted = Form::default();
    for word in &pbx.accept_unverified {
        accepted.set(word.value.word(), true);
    }
    wishing.add(SYSTEM, "accepted", accepted, "");
    let Wishing { resources, faults, unknown, .. } = wishing;
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut wish = Wish::new(target.clone(), KIND, RANK, resources);
    wish.owns = owned(pbx);
    wish.unknown = unknown;
    Ok(wish)
}

/// The share of each collection that is ours. A part that is not written is not owned.
fn owned(pbx: &Pbx) -> BTreeMap<&'static str, Owns> {
    let parts = [
        ("department", pbx.departments.written),
        ("holiday", pbx.holidays.written),
        ("extension", pbx.extensions.written),
        ("ring_group", pbx.ring_groups.written),
        ("queue", pbx.queues.written),
        ("ivr", pbx.ivrs.written),
        ("trunk", pbx.trunks.written),
        ("inbound_rule", pbx.inbound_rules.written),
        ("outbound_rule", pbx.outbound_rules.written),
        ("sbc", pbx.sbcs.written),
        ("live_chat", pbx.live_chat.written),
    ];
    let share = |written: bool| match pbx.unmanaged {
        Unmanaged::Keep => Owns::Kept,
        Unmanaged::Report => Owns::Listed,
        Unmanaged::Delete if written => Owns::Whole,
        Unmanaged::Delete => Owns::Kept,
    };
    let mut owned: BTreeMap<_, _> =
        parts.into_iter().map(|(collection, written)| (collection, share(written))).collect();
    // Contacts that are seen at all bear rocade's tag: whatever becomes of others, these come and go with the YAML.
    let tagged = |written: bool| if written { Owns::Whole } else { Owns::Kept };
    owned.insert("contact", tagged(pbx.contacts.written));
    owned.insert("directory_contact", tagged(pbx.directories.written));
    owned
}
