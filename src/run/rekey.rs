//! Who can open the secrets changes, and what those who leave know is listed.

use std::collections::BTreeMap;

use crate::secrets::{Leaver, Past, Rekeying, Standing, Store, Turnover};

/// A rekey that was worked out, and carried out when that was wanted.
pub struct Rekeyed {
    /// What it writes.
    pub rekeying: Rekeying,
    /// Those who leave, with what they could open.
    pub seen: Vec<(Leaver, BTreeMap<String, Standing>)>,
}

impl Rekeyed {
    /// What somebody who leaves knows and must not know any longer.
    pub fn to_change(seen: &BTreeMap<String, Standing>) -> Vec<&str> {
        seen.iter().filter(|(_, standing)| standing.is_known()).map(|(name, _)| name.as_str()).collect()
    }
}

/// Encrypts everything for those there will be, and lists what those who leave know; `past` is asked for only when
/// somebody leaves. Dry, nothing is written.
///
/// # Errors
/// Why it was not done; nothing is half done then.
pub fn rekey(
    store: &Store,
    turnover: Turnover<'_>,
    date: &str,
    past: &dyn Fn() -> anyhow::Result<Vec<Past>>,
    dry: bool,
) -> anyhow::Result<Rekeyed> {
    let mut rekeying = store.rekeying(turnover)?;
    let leavers = rekeying.leavers.clone();
    let past = if leavers.is_empty() { Vec::new() } else { past()? };
    let mut seen = Vec::new();
    for leaver in leavers {
        let names = store.seen_by(&leaver.key, &past)?;
        seen.push((leaver, names));
    }
    let known: Vec<(&Leaver, Vec<&str>)> =
        seen.iter().map(|(leaver, names)| (leaver, Rekeyed::to_change(names))).collect();
    rekeying.note(store, &known, date)?;
    if !dry {
        store.carry_out(&rekeying)?;
    }
    Ok(Rekeyed { rekeying, seen })
}
