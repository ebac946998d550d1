//! Mosquitto's password file: one `name:$7$iterations$salt$hash` a line (`mosquitto_passwd(1)`). A line
//! whose password has not changed is written back byte for byte.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::Sha512;

use crate::model::{Fields, Secret, Value, Verifier};

/// `mosquitto_passwd` 2.0's own numbers.
const ITERATIONS: u32 = 101;
const SALT_BYTES: usize = 12;
const HASH_BYTES: usize = 64;

/// The accounts of a password file by name. A line that names no account, or one a second time, stands
/// as `line N`: it is nobody's and goes.
pub(super) fn read(text: &str) -> Vec<(String, Fields)> {
    let mut accounts: Vec<(String, Fields)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (name, hash) = match line.split_once(':') {
            Some((name, hash)) if !accounts.iter().any(|(known, _)| known == name) => (name.to_owned(), hash),
            _ => (format!("line {}", index + 1), ""),
        };
        let fields = [
            ("password".to_owned(), Value::Verifier(Verifier::MosquittoPasswd(hash.to_owned()))),
            (LINE.to_owned(), Value::Verifier(Verifier::Plain(Secret::new(line, "password file")))),
        ];
        accounts.push((name, fields.into()));
    }
    accounts
}

/// The field an account's whole line is kept in, so that it can be written back as it is.
const LINE: &str = "line";

/// The line of an account as it was seen.
pub(super) fn seen_line(fields: &Fields) -> Option<&[u8]> {
    match fields.get(LINE) {
        Some(Value::Verifier(Verifier::Plain(line))) => Some(line.reveal()),
        _ => None,
    }
}

/// A new line for an account, with a fresh salt.
pub(super) fn new_line(name: &str, password: &Secret) -> String {
    let salt: [u8; SALT_BYTES] = rand::random();
    let mut hash = [0u8; HASH_BYTES];
    pbkdf2::pbkdf2_hmac::<Sha512>(password.reveal(), &salt, ITERATIONS, &mut hash);
    format!("{name}:$7${ITERATIONS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `mosquitto_passwd` 2.0.11 for the password `secret`.
    const BY_MOSQUITTO: &str = concat!(
        "ada:$7$101$v6SaW1h2/fZHj/++",
        "$CMlaTiK9YObCP7CGCSkm/tsiMZOYZK17F+Igcq8xDHBOqRUruHQDZpstNPUXZKa55ohAD",
        "+f3Jltefg1+0kg3Ew==",
    );

    fn fits(fields: &Fields, password: &str) -> bool {
        let Some(Value::Verifier(verifier)) = fields.get("password") else { panic!("no verifier") };
        Secret::new(password, "test").fits(verifier)
    }

    #[test]
    fn mosquittos_own_lines_are_understood_and_kept() {
        let accounts = read(BY_MOSQUITTO);
        assert_eq!(accounts[0].0, "ada");
        assert!(fits(&accounts[0].1, "secret"));
        assert!(!fits(&accounts[0].1, "Secret"));
        assert_eq!(seen_line(&accounts[0].1), Some(BY_MOSQUITTO.as_bytes()));
    }

    #[test]
    fn our_lines_read_back_with_another_salt_each_time() {
        let password = Secret::new("correct horse", "test");
        let lines = [new_line("bob", &password), new_line("bob", &password)];
        assert_ne!(lines[0], lines[1]);
        assert!(lines.iter().all(|line| fits(&read(line)[0].1, "correct horse")));
    }

    #[test]
    fn damaged_lines_fit_nothing_and_have_no_name() {
        let text = format!("{BY_MOSQUITTO}\nno colon here\nada:plain\nbob:plain");
        let names: Vec<String> = read(&text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ada", "line 2", "line 3", "bob"]);
        assert!(!fits(&read(&text)[3].1, "plain"));
    }
}
