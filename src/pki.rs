//! The certificate authority of a repository. Keys are on disk as age and nothing else; no clock is read here.
//!
//! `pki/root.pem`, `pki/issuing.pem` and `pki/leaves/NAME.pem` (with what chains it) are certificates, the
//! `.key.age` beside them their private keys (PKCS #8 PEM behind an envelope's head, encrypted to the secrets'
//! recipients), `pki/crl/` the lists of revoked ones, `pki/ledger.jsonl` a line for each one made or revoked.
//! These files are the authority's only memory.

mod authority;
mod certificate;
mod easyrsa;
mod folder;
mod gauges;
mod issuing;
mod ledger;
mod names;
mod profile;
mod revoked;
pub mod rotation;
mod share;
mod status;

pub use authority::{Authority, KeyedLeaf, LeafOrder, RootOrder};
pub use certificate::Certificate;
pub use easyrsa::{Adopted, EasyRsa};
pub use folder::{
    issuing_certificate, leaf_certificate, leaf_has_key, leaf_names, root_certificate, root_has_key, trusted,
};
pub use gauges::Gauges;
pub use issuing::{IssuingOrder, Signing, request_is_out, sign};
pub use ledger::{Deed, Entry, ledger};
pub use names::{NameFault, normal_name, normal_names};
pub use profile::BACKDATED_SECONDS;
pub use revoked::{
    Crl, REASONS, crls, is_revoked, is_told, make_crls, own_crls, revocations, revoke, wished_crls,
};
pub use share::Share;
pub use status::{Row, State, status};
