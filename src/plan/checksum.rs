//! A plan's identity: the same changes have the same checksum on every machine.

use sha2::{Digest, Sha256};

use crate::model::{Change, Unread};

/// SHA-256 over the canonical JSON (RFC 8785) of changes and of what could not be read, lower-case hex.
/// Secrets take part by the digest of their ciphertext only.
pub fn checksum(changes: &[Change], unread: &[Unread]) -> String {
    // Reasons hold words of the moment (addresses, time limits) and would make equal plans differ.
    let left_alone: Vec<_> =
        unread.iter().map(|entry| (&entry.target, &entry.collection, &entry.name)).collect();
    let canonical = serde_json_canonicalizer::to_vec(&(changes, left_alone))
        .expect("changes are maps with text keys, whole numbers and text: always JSON");
    hex::encode(Sha256::digest(canonical))
}
