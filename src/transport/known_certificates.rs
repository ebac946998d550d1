//! Which certificates of gateways' web sides are trusted. They are self-signed and name nobody: one is
//! trusted because a line of the file says so.
//!
//! A line is the gateway's name in the inventory and `SHA256:` with the digest of its certificate in base64,
//! as OpenSSH writes fingerprints. Not by address: all gateways share one while they are new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The pinned certificates of an inventory.
#[derive(Clone, Debug, Default)]
pub struct KnownCertificates {
    path: PathBuf,
    pins: BTreeMap<String, String>,
}

impl KnownCertificates {
    /// Reads the pins. A file that is not there pins nothing; a line that is none is left alone.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = crate::repository::read(path)?.unwrap_or_default();
        let pins = text.lines().filter_map(pin).map(|(name, print)| (name.to_owned(), print.to_owned()));
        Ok(Self { path: path.to_owned(), pins: pins.collect() })
    }

    /// The fingerprint pinned for a gateway.
    pub fn pinned(&self, name: &str) -> Option<&str> {
        self.pins.get(name).map(String::as_str)
    }

    /// Pins a certificate for a gateway in place of the one it had. The file is replaced as a whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn pin(&mut self, name: &str, fingerprint: &str) -> anyhow::Result<()> {
        let text = crate::repository::read(&self.path)?.unwrap_or_default();
        let others = text.lines().filter(|line| pin(line).is_none_or(|(pinned, _)| pinned != name));
        let mut lines: Vec<String> = others.map(str::to_owned).collect();
        lines.push(format!("{name} {fingerprint}"));
        crate::repository::replace(&self.path, (lines.join("\n") + "\n").as_bytes())?;
        *self = Self::read(&self.path)?;
        Ok(())
    }
}

fn pin(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some(print), None) if !name.starts_with('#') && print.starts_with("SHA256:") => {
            Some((name, print))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pin_takes_the_place_of_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_certificates");
        assert_eq!(KnownCertificates::read(&path).unwrap().pinned("pool-gw"), None);
        std::fs::write(&path, "# by hand\npool-gw SHA256:old\nother SHA256:x\nodd line of text\n").unwrap();
        let mut known = KnownCertificates::read(&path).unwrap();
        assert_eq!(known.pinned("pool-gw"), Some("SHA256:old"));
        known.pin("pool-gw", "SHA256:new").unwrap();
        assert_eq!((known.pinned("pool-gw"), known.pinned("other")), (Some("SHA256:new"), Some("SHA256:x")));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# by hand\nother SHA256:x\nodd line of text\npool-gw SHA256:new\n");
    }
}
