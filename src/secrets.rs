//! Secrets: names in clear, values encrypted one by one with age. Only this room opens them.
//!
//! `inventory/secrets/recipients.txt` says who can open them, `inventory/secrets/**/*.yaml` holds them, one
//! line a value. No error of this room ever holds a value, nor a line that could be one.

mod check;
mod envelope;
mod fault;
mod file;
mod foreign;
mod identity;
mod keys;
mod ledger;
mod listed;
mod merge;
mod path;
mod recipients;
mod rekey;
mod scan;
mod shown;
mod spellings;
mod store;
mod tree;

pub use check::Finding;
pub use fault::Fault;
pub use foreign::Kind as Foreign;
pub use identity::{IdentitySource, config_dir, keygen};
pub use ledger::{Item, Ledger};
pub use listed::{Listed, put_listed, tick_listed};
pub use merge::Merged;
pub use path::is_path;
pub use recipients::{Recipient, enrol, recipients};
pub use rekey::{Leaver, Past, Rekeying, Standing, Turnover};
pub use scan::{ALLOW, Hit, scan};
pub use spellings::Known;
pub use store::{Place, Store};

/// The folder of secrets files, relative to the repository.
pub const FOLDER: &str = "inventory/secrets";
