//! Keys that protect nothing, because anybody would try them first.

/// The test key of FIPS 197, which LoRaWAN stacks and tutorials carry as their default.
const FIPS_197: [u8; 16] =
    [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];

/// Why a key (32 hex digits; dashes, colons and blanks between them are fine) must not be used, or `None`.
/// Covers the key the MultiTech Conduit leaves the factory with: `0102030405060708`, twice.
pub fn weak_key(hex: &str) -> Option<&'static str> {
    let digits: String = hex.trim().chars().filter(|c| !matches!(c, '-' | ':' | ' ')).collect();
    let Ok(bytes) = hex::decode(&digits) else { return Some("it is not written in hex digits") };
    let Ok(key) = <[u8; 16]>::try_from(bytes) else { return Some("it does not have 32 hex digits") };
    let step = key[1].wrapping_sub(key[0]);
    if key == FIPS_197 {
        Some("it is the published test key of AES")
    } else if key.windows(2).all(|pair| pair[0] == pair[1]) {
        Some("all its bytes are equal")
    } else if key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        Some("its bytes count up or down")
    } else if key[..8] == *b"\x01\x02\x03\x04\x05\x06\x07\x08" {
        Some("it is the pattern a Conduit leaves the factory with")
    } else if [2, 4, 8].iter().any(|length| key.chunks(*length).all(|chunk| *chunk == key[..*length])) {
        Some("it repeats a pattern")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::weak_key;

    #[test]
    fn keys_that_anybody_would_try_are_named() {
        let weak = [
            ("01020304050607080102030405060708", "factory"),
            ("0102030405060708090A0B0C0D0E0F10", "count"),
            ("00112233445566778899aabbccddeeff", "count"),
            ("ffeeddccbbaa99887766554433221100", "count"),
            ("00000000000000000000000000000000", "equal"),
            ("2B7E151628AED2A6ABF7158809CF4F3C", "AES"),
            ("0123456789abcdef0123456789abcdef", "repeats"),
            ("a1b2c3d4e5f6", "32"),
            ("not a key", "hex"),
        ];
        for (key, word) in weak {
            assert!(weak_key(key).is_some_and(|reason| reason.contains(word)), "{key}: {:?}", weak_key(key));
        }
    }

    #[test]
    fn a_random_key_is_not_weak_however_it_is_grouped() {
        assert_eq!(weak_key("8f3a5c0e91d7426bb0c2e4f6187a9d35"), None);
        assert_eq!(weak_key(" 8F-3A-5C-0E-91-D7-42-6B-B0-C2-E4-F6-18-7A-9D-35\n"), None);
    }
}
