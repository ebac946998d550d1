//! LoRaWAN root keys: 32 hex digits, one a device, never the factory's. Keys are compared and written in
//! lower case without separators, as the gateway shows them.

use crate::inventory::lint::weak_key;
use crate::model::Secret;
use crate::providers::Fault;

/// A key in the gateway's own spelling, with the same source.
///
/// # Errors
/// When it is no key, or one that others can guess. The message never holds the key.
pub(super) fn checked(secret: &Secret) -> Result<Secret, Fault> {
    let refuse = |why: &str| Fault::new(format!("secret `{}` is refused as a key: {why}", named(secret)));
    let digits = secret.reveal_text().map(spelled).ok_or_else(|| refuse("it is not text"))?;
    match weak_key(&digits) {
        Some(why) => {
            Err(refuse(why).hint("give it a random key of its own, such as `openssl rand -hex 16` makes"))
        }
        None => Ok(Secret::new(digits.as_bytes(), secret.source())),
    }
}

/// The path of a secret, without the digest of its ciphertext.
fn named(secret: &Secret) -> &str {
    secret.source().split('@').next().unwrap_or_default()
}

/// A key's digits in one spelling.
pub(super) fn spelled(key: &str) -> zeroize::Zeroizing<String> {
    let digits = key.chars().filter(|c| !matches!(c, '-' | ':' | ' ' | '\n' | '\r'));
    zeroize::Zeroizing::new(digits.map(|c| c.to_ascii_lowercase()).collect())
}

/// Whether what a gateway shows in a key's place hides it.
pub(super) fn is_hidden(shown: &str) -> bool {
    shown.is_empty() || shown.chars().all(|c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_is_one_key_and_its_source_stays() {
        let key = checked(&Secret::new("A4-0B C3D4:E5F60718293A4B5C6D7E8F91\n", "sensors/x@12")).unwrap();
        assert_eq!(key.reveal(), b"a40bc3d4e5f60718293a4b5c6d7e8f91");
        assert_eq!(key.source(), "sensors/x@12");
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "a40bc3d4e5f60718293a4b5c6d7e8f9", "g40bc3d4e5f60718293a4b5c6d7e8f91"] {
            let fault = checked(&Secret::new(text, "sensors/x@12")).unwrap_err();
            assert!(fault.message.contains("`sensors/x`"));
            assert!(text.is_empty() || !fault.message.contains(text));
        }
    }
}
