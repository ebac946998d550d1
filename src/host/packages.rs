//! Packages as fields of a resource: `installed`, and the `version` seen, which nobody wishes.

use super::Order;
use crate::model::{Change, Fields, Value};

/// The fields of a wished package.
pub fn wish() -> Fields {
    Fields::from([("installed".to_owned(), Value::Bool(true))])
}

/// The fields of an installed package.
pub fn seen(version: &str) -> Fields {
    let mut fields = wish();
    fields.insert("version".to_owned(), Value::text(version));
    fields
}

/// The order that installs the package a change names.
pub fn order(change: &Change) -> Order {
    Order::Install { package: change.address.key.name.clone() }
}
