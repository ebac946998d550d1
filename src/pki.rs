//! The certificate authority of a repository. Keys are on disk as age and nothing else; no clock is read here.
//!
//! `pki/root.pem`, `pki/leaves/NAME.pem` are certificates, the `.key.age` beside them their private keys
//! (PKCS #8 PEM behind an envelope's head, encrypted to the secrets' recipients), `pki/ledger.jsonl` a line
//! for each certificate issued. These files are the authority's only memory.

mod authority;
mod certificate;
mod folder;
mod ledger;
mod names;
mod profile;
mod share;
mod status;

pub use authority::{Authority, KeyedLeaf, LeafOrder, RootOrder};
pub use certificate::Certificate;
pub use folder::{leaf_certificate, leaf_has_key, leaf_names, root_certificate};
pub use names::{NameFault, normal_name, normal_names};
pub use profile::BACKDATED_SECONDS;
pub use share::Share;
pub use status::{Row, State, status};
