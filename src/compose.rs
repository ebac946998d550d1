//! Inventory, templates, certificates and secrets make the wishes. Plain and synchronous; nothing is written.

mod named;
mod shelf;
mod uses;

pub use named::named_secrets;
pub use shelf::Shelf;
pub use uses::{Role, Use, uses};

use std::sync::Arc;

use crate::inventory::Inventory;
use crate::model::Wish;
use crate::providers::{Fault, Provider, Reach, Site};

/// One target: how it is reached and what is wished of it.
#[derive(Clone, Debug)]
pub struct Composed {
    /// How it is reached.
    pub site: Site,
    /// What is wished; shared, since large fleets are read by many tasks.
    pub wish: Arc<Wish>,
}

impl Composed {
    /// Whether the target is the repository itself, which makes what others wait for.
    pub fn is_own(&self) -> bool {
        matches!(self.site.reach, Reach::Repository)
    }
}

/// The targets of the inventory with the provider of each.
pub fn sites<'a>(inventory: &Inventory, providers: &'a [Box<dyn Provider>]) -> Vec<(Site, &'a dyn Provider)> {
    providers
        .iter()
        .flat_map(|provider| provider.sites(inventory).into_iter().map(move |site| (site, &**provider)))
        .collect()
}

/// The wishes of the sites given.
///
/// # Errors
/// Every fault of every site, in order.
pub fn compose(
    inventory: &Inventory,
    sites: &[(Site, &dyn Provider)],
    shelf: &Shelf,
) -> Result<Vec<Composed>, Vec<Fault>> {
    let mut composed = Vec::new();
    let mut faults = Vec::new();
    for (site, provider) in sites {
        match provider.desire(inventory, &site.target, shelf) {
            Ok(wish) => composed.push(Composed { site: site.clone(), wish: Arc::new(wish) }),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(composed) } else { Err(faults) }
}
