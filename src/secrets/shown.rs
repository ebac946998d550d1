//! A file of secrets as git shows it to one who can open them: names, whose they are, and each value as a few
//! digits that tell one from another. The digits are keyed with the identity: nobody else can test guesses on
//! them.

use age::secrecy::ExposeSecret;
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::envelope::{self, Opened};
use super::{Store, file};
use crate::model::Secret;

/// How age's text form begins.
pub(super) const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

impl Store {
    /// The text of a file of secrets or of a key, values masked or in clear. What is neither stays as it is.
    ///
    /// # Errors
    /// When `clear` is asked for and there is no identity.
    pub fn shown(&self, text: &str, clear: bool) -> anyhow::Result<String> {
        if clear {
            self.identities()?;
        }
        if text.trim_start().starts_with(ARMOR) {
            let (name, value) = self.value_shown("key", text.as_bytes(), clear);
            return Ok(format!("{name}: {value}\n"));
        }
        let Ok(entries) = file::parse(text) else { return Ok(text.to_owned()) };
        let mut entries = entries.into_iter().peekable();
        let mut out = String::new();
        for (index, line) in text.lines().enumerate() {
            match entries.next_if(|entry| entry.line == index + 1) {
                Some(entry) => {
                    let sealed = STANDARD.decode(&entry.sealed).unwrap_or_default();
                    let (_, value) = self.value_shown(&entry.path, &sealed, clear);
                    out.push_str(&format!("{}: {value}\n", entry.path));
                }
                None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        Ok(out)
    }

    fn value_shown(&self, name: &str, sealed: &[u8], clear: bool) -> (String, String) {
        let Ok((sealed_as, opened)) = self.open_any(name, sealed) else {
            let digest = hex::encode(Sha256::digest(sealed));
            let number = envelope::locks(sealed).own;
            return (
                name.to_owned(),
                format!("not for you, ciphertext {}  # {number} recipients", &digest[..8]),
            );
        };
        let value = if clear {
            in_clear(&opened.secret)
        } else {
            self.mask(&sealed_as, &opened.secret)
                .map_or_else(|_| "value".to_owned(), |digits| format!("value {digits}"))
        };
        (sealed_as, format!("{value}  # {}", self.readers(&opened)))
    }

    /// Eight digits that tell this value from others, keyed with the first identity.
    fn mask(&self, name: &str, value: &Secret) -> anyhow::Result<String> {
        let key = self.identities()?.keys.first().context("no identity")?.to_string();
        let key = Sha256::digest([b"rocade shown 1\0", key.expose_secret().as_bytes()].concat());
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).context("a digest is a key")?;
        mac.update(name.as_bytes());
        mac.update(b"\0");
        mac.update(value.reveal());
        Ok(hex::encode(&mac.finalize().into_bytes()[..4]))
    }

    /// Whom a value is encrypted to, by name where `recipients.txt` has one.
    fn readers(&self, opened: &Opened) -> String {
        let known = self.recipients().unwrap_or_default();
        let named = |key: &String| {
            let name = known.iter().find(|one| one.key() == *key).and_then(|one| one.name.clone());
            name.unwrap_or_else(|| key.chars().take(12).collect())
        };
        let readers: Vec<String> = opened.recipients.iter().map(named).collect();
        format!("for {}", readers.join(", "))
    }
}

/// One line: text in quotes, other bytes in hex.
fn in_clear(value: &Secret) -> String {
    match value.reveal_text() {
        Some(text) => serde_json::Value::from(text).to_string(),
        None => format!("hex {}", hex::encode(value.reveal())),
    }
}
