//! A secret's bytes. No `Debug`, `Display` or `Serialize` shows them; memory is wiped when dropped.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes that must never be shown, with where they came from.
#[derive(Clone)]
pub struct Secret {
    bytes: Zeroizing<Vec<u8>>,
    source: String,
}

impl Secret {
    /// A secret and its printable source: the name under which it is stored and, after `@`, a digest of
    /// its *ciphertext*, so that a plan can tell one version from another without knowing either.
    pub fn new(bytes: impl Into<Vec<u8>>, source: impl Into<String>) -> Self {
        Self { bytes: Zeroizing::new(bytes.into()), source: source.into() }
    }

    /// The bytes themselves. Call it only where they leave for their destination.
    pub fn reveal(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as text, or `None` when they are not UTF-8.
    pub fn reveal_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Where it came from; safe to print.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether what a device showed of its own copy fits these bytes.
    pub fn fits(&self, verifier: &Verifier) -> bool {
        match verifier {
            Verifier::Sha256(hex) => hex::encode(Sha256::digest(&*self.bytes)).eq_ignore_ascii_case(hex),
            Verifier::MosquittoPasswd(line) => mosquitto_passwd_fits(line, &self.bytes),
            Verifier::Plain(theirs) => theirs.reveal() == self.reveal(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.source)
    }
}

/// What a device lets us know of a secret it holds: enough to check ours against it.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// SHA-256 of the bytes, lower-case hex.
    Sha256(String),
    /// The hash part of a Mosquitto password line, `$7$<iterations>$<salt>$<hash>` (PBKDF2-HMAC-SHA512,
    /// salt and hash in base64; `mosquitto_passwd(1)`).
    MosquittoPasswd(String),
    /// The device shows the secret itself (the Conduit's API does); it is held as carefully as ours.
    Plain(Secret),
}

fn mosquitto_passwd_fits(line: &str, password: &[u8]) -> bool {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let parts: Vec<&str> = line.split('$').collect();
    let ["", "7", iterations, salt, hash] = parts.as_slice() else { return false };
    let (Ok(iterations), Ok(salt), Ok(hash)) =
        (iterations.parse::<u32>(), STANDARD.decode(salt), STANDARD.decode(hash))
    else {
        return false;
    };
    if !(1..=10_000_000).contains(&iterations) || hash.is_empty() || hash.len() > 64 {
        return false;
    }
    let mut ours = Zeroizing::new(vec![0u8; hash.len()]);
    pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, &salt, iterations, &mut ours);
    *ours == hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_source_only() {
        let secret = Secret::new("hunter2", "gateways/pool-gw/admin@ab12");
        assert_eq!(format!("{secret:?}"), "Secret(gateways/pool-gw/admin@ab12)");
    }

    #[test]
    fn a_digest_fits_its_own_bytes_only() {
        let verifier =
            Verifier::Sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into());
        assert!(Secret::new("abc", "x").fits(&verifier));
        assert!(!Secret::new("abd", "x").fits(&verifier));
    }

    #[test]
    fn damaged_password_lines_fit_nothing() {
        for line in ["", "$7$", "$7$0$AA==$AA==", "$6$a$b", "$7$101$!!$!!", "$7$101$AA==$"] {
            assert!(!Secret::new("abc", "x").fits(&Verifier::MosquittoPasswd(line.into())), "{line}");
        }
    }
}
