//! What age knows and rocade does not take: SSH keys, plugins, passphrases. Called by its name, never shown.

/// What stands where an age identity is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `age -p`: the identity file itself is encrypted.
    Passphrase,
    /// A key of SSH.
    Ssh,
    /// An identity of a plugin, such as a YubiKey's.
    Plugin,
    /// A key that only newer programs understand.
    Newer,
}

impl Kind {
    /// What it is and what to do instead.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Passphrase => {
                "this identity is protected by a passphrase (`age -p`), which rocade does not ask for; put it \
                 decrypted where only memory holds it, such as `age -d -o /dev/shm/identity.txt FILE` under \
                 `umask 077`, and name it with --identity"
            }
            Kind::Ssh => {
                "this is an SSH key, and rocade takes age's own identities only; make one with \
                 `rocade secrets keygen` or `age-keygen`"
            }
            Kind::Plugin => {
                "this identity belongs to a plugin of age, and rocade starts none; make one with \
                 `rocade secrets keygen` or `age-keygen`"
            }
            Kind::Newer => "this kind of identity (post-quantum) is not known to this version of rocade",
        }
    }
}

/// What kind of foreign identity a text begins with.
pub(super) fn identity(text: &str) -> Option<Kind> {
    let text = text.trim_start();
    let begins = |with: &str| text.starts_with(with);
    if begins("-----BEGIN AGE ENCRYPTED FILE-----") || begins("age-encryption.org/") {
        Some(Kind::Passphrase)
    } else if begins("-----BEGIN ") {
        Some(Kind::Ssh)
    } else if begins("AGE-PLUGIN-") {
        Some(Kind::Plugin)
    } else if begins("AGE-SECRET-KEY-") && !begins("AGE-SECRET-KEY-1") {
        Some(Kind::Newer)
    } else {
        None
    }
}

/// Why a word is no recipient of ours.
pub(super) fn recipient(word: &str) -> &'static str {
    if word.to_ascii_uppercase().starts_with("AGE-") {
        "this is a private key, and whoever has read it here can open what is encrypted to it: take it out, \
         and let its owner make another"
    } else if word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-") {
        "this is an SSH key, and rocade encrypts to age's own recipients only (`age1...`)"
    } else if is_plugins(word) {
        "this recipient belongs to a plugin of age, and rocade starts none; it encrypts to `age1...` of \
         `rocade secrets keygen` or `age-keygen`"
    } else {
        "this is not an age recipient (`age1...`)"
    }
}

/// `age1NAME1...`: a second `1` ends the plugin's name (the last one, as bech32 has it).
fn is_plugins(word: &str) -> bool {
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.strip_prefix("age1")
        .and_then(|rest| rest.rsplit_once('1'))
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_lower))
}
