//! Mosquitto's password file: a name and a PBKDF2 hash a line.

use std::collections::BTreeMap;

use crate::model::{Secret, Verifier};

/// Hashes by name.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, String>);

impl Accounts {
    /// Reads a password file.
    ///
    /// # Errors
    /// When a line has no hash of the kind `mosquitto_passwd` 2 writes.
    pub fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(account).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is the user's password.
    pub fn fits(&self, user: &str, password: &[u8]) -> bool {
        let verifier = self.0.get(user).map(|hash| Verifier::MosquittoPasswd(hash.clone()));
        verifier
            .is_some_and(|verifier| Secret::new(password, "a client of the simulated broker").fits(&verifier))
    }
}

fn account(line: &str) -> Result<(String, String), String> {
    match line.split_once(':') {
        Some((name, hash)) if hash.starts_with("$7$") => Ok((name.to_owned(), hash.to_owned())),
        Some((name, _)) => Err(format!("Error: Invalid line in password file for user {name}.")),
        None => Err("Error: Invalid line in password file.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_own_password_only() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let mut hash = [0; 64];
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(b"correct-horse", b"0123456789ab", 101, &mut hash);
        let line = format!("ada:$7$101${}${}\n", STANDARD.encode(b"0123456789ab"), STANDARD.encode(hash));
        let accounts = Accounts::read(&line).unwrap();
        assert!(accounts.fits("ada", b"correct-horse"));
        assert!(!accounts.fits("ada", b"wrong"));
        assert!(!accounts.fits("bob", b"correct-horse"));
        assert!(Accounts::read("ada:plain").is_err());
    }
}
