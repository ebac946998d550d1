//! `recipients.txt`: who can open the secrets. One age recipient a line, as `age -R` reads it; a comment
//! `# name: WHO` above a line says whose it is, `# at least: N` anywhere how few there may be.
//!
//! A line is never echoed: a private key pasted here by mistake must not travel further.

use std::path::Path;

use anyhow::{Context, bail};

use super::{FOLDER, Fault, foreign};
use crate::repository;

/// The file's name in the folder of secrets.
pub(super) const FILE: &str = "recipients.txt";
const HEADER: &str = "# Who can open the secrets: one age recipient a line, its name above it.\n";

/// One who can open the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    key: age::x25519::Recipient,
    /// Whose it is: `# name: WHO` above its line, or the words behind `#` on it.
    pub name: Option<String>,
}

impl Recipient {
    /// The public key, `age1...`.
    pub fn key(&self) -> String {
        self.key.to_string()
    }

    /// The name with the beginning of the key, or the whole key: for people, safe to print.
    pub fn shown(&self) -> String {
        let key = self.key();
        match &self.name {
            Some(name) => format!("{name} ({})", &key[..12]),
            None => key,
        }
    }

    pub(super) fn as_age(&self) -> &dyn age::Recipient {
        &self.key
    }

    fn is_called(&self, who: &str) -> bool {
        self.name.as_deref() == Some(who) || self.key() == who
    }
}

/// The file, read.
pub(super) struct Recipients {
    text: String,
    pub list: Vec<Recipient>,
    /// How few recipients there may be, and the line that says so.
    pub at_least: Option<(usize, usize)>,
    /// The line of each recipient, in the order of `list`.
    lines: Vec<usize>,
}

impl Recipients {
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        Self::parse(repository::read(&root.join(FOLDER).join(FILE))?.unwrap_or_default())
    }

    fn parse(text: String) -> anyhow::Result<Self> {
        let (mut list, mut lines, mut at_least, mut named) =
            (Vec::<Recipient>::new(), Vec::new(), None, None);
        for (index, line) in text.lines().enumerate() {
            let place = format!("{FOLDER}/{FILE}:{}", index + 1);
            let (key, comment) = match line.split_once('#') {
                Some((key, comment)) => (key.trim(), Some(comment.trim())),
                None => (line.trim(), None),
            };
            if key.is_empty() {
                if let Some(words) = comment.and_then(|words| words.strip_prefix("at least:")) {
                    let number = words.trim().parse().ok().filter(|number| *number > 0);
                    let number = number
                        .with_context(|| format!("{place}: `at least:` wants a number of recipients"))?;
                    at_least = Some((number, index + 1));
                } else {
                    let name = comment.and_then(|words| words.strip_prefix("name:")).map(str::trim);
                    named = name.filter(|name| !name.is_empty());
                }
                continue;
            }
            let key: age::x25519::Recipient =
                key.parse().map_err(|_| anyhow::anyhow!("{place}: {}", foreign::recipient(key)))?;
            if list.iter().any(|other| other.key == key) {
                bail!("{place}: {key} stands in this file twice");
            }
            let name = comment.filter(|name| !name.is_empty()).or(named.take()).map(str::to_owned);
            list.push(Recipient { key, name });
            lines.push(index + 1);
        }
        Ok(Self { text, list, at_least, lines })
    }

    /// The file with one more at its end.
    pub fn with(&self, recipient: &str, name: Option<&str>) -> anyhow::Result<Self> {
        let key: age::x25519::Recipient =
            recipient.parse().map_err(|_| anyhow::anyhow!("{}", foreign::recipient(recipient)))?;
        if self.list.iter().any(|other| other.key == key) {
            bail!("{key} is a recipient already");
        }
        if let Some(name) = name {
            if name.trim().is_empty() || name.contains(char::is_control) {
                bail!("a recipient's name stands on one line");
            }
            if let Some(other) = self.list.iter().find(|other| other.name.as_deref() == Some(name.trim())) {
                bail!("{} has that name already", other.key());
            }
        }
        let mut text = if self.text.is_empty() { HEADER.to_owned() } else { self.text.clone() };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(name) = name {
            text.push_str(&format!("# name: {}\n", name.trim()));
        }
        text.push_str(&format!("{key}\n"));
        Self::parse(text)
    }

    /// The file without one, and who that was; its name's comment goes too. `None` when nobody is called so.
    pub fn without(&self, who: &str) -> anyhow::Result<Option<(Self, Recipient)>> {
        let called: Vec<usize> = (0..self.list.len()).filter(|at| self.list[*at].is_called(who)).collect();
        let at = match called.as_slice() {
            [] => return Ok(None),
            [at] => *at,
            _ => bail!("{who} is the name of {} recipients; say which with its `age1...`", called.len()),
        };
        let line = self.lines[at];
        let is_name = |number: usize, text: &str| {
            number + 1 == line && text.trim().trim_start_matches('#').trim_start().starts_with("name:")
        };
        let kept = self.text.split_inclusive('\n').enumerate();
        let kept = kept.filter(|(index, text)| index + 1 != line && !is_name(index + 1, text));
        let text: String = kept.map(|(_, text)| text).collect();
        Ok(Some((Self::parse(text)?, self.list[at].clone())))
    }

    /// Refuses fewer than the file's own policy asks for.
    pub fn hold_policy(&self) -> anyhow::Result<()> {
        if self.list.is_empty() {
            return Err(Fault::NoRecipients.into());
        }
        match self.at_least {
            Some((least, line)) if self.list.len() < least => {
                bail!(
                    "{FOLDER}/{FILE}:{line}: at least {least} recipients are asked for, {} would be left",
                    self.list.len()
                )
            }
            _ => Ok(()),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Those who can open the secrets of a repository, in the order of the file; none when there is no file.
///
/// # Errors
/// When a line is no age recipient or names one twice: with its place.
pub fn recipients(root: &Path) -> anyhow::Result<Vec<Recipient>> {
    Ok(Recipients::read(root)?.list)
}

/// Adds a recipient at the end of the file. What is encrypted already is not opened by it before a rekey.
///
/// # Errors
/// When it is no age recipient, when it is there already, or when the file cannot be written.
pub fn enrol(root: &Path, recipient: &str, name: Option<&str>) -> anyhow::Result<()> {
    let file = Recipients::read(root)?.with(recipient, name)?;
    repository::replace(&root.join(FOLDER).join(FILE), file.text().as_bytes()).context("adding a recipient")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Foreign;

    const ADA: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    fn key() -> String {
        age::x25519::Identity::generate().to_public().to_string()
    }

    #[test]
    fn names_stand_above_or_behind_and_other_comments_name_nobody() {
        let [one, two] = [key(), key()];
        let text = format!("# Ours.\n{ADA}\n# name: ben\n{one}\n{two}  # cem\n# at least: 2\n");
        let read = Recipients::parse(text).unwrap();
        let names: Vec<_> = read.list.iter().map(|one| one.name.as_deref()).collect();
        assert_eq!(names, [None, Some("ben"), Some("cem")]);
        assert_eq!(read.at_least, Some((2, 6)));
    }

    #[test]
    fn who_is_added_and_removed_leaves_the_file_as_it_was() {
        let before = Recipients::parse(format!("# at least: 1\n# name: ada\n{ADA}\n")).unwrap();
        let with = before.with(&key(), Some("ben")).unwrap();
        let (without, gone) = with.without("ben").unwrap().unwrap();
        assert_eq!((without.text(), gone.name.as_deref()), (before.text(), Some("ben")));
        assert!(with.without("eve").unwrap().is_none());
        assert!(with.with(&key(), Some("ben")).is_err(), "one name, one person");
        let (nobody, _) = before.without(ADA).unwrap().unwrap();
        assert_eq!(nobody.text(), "# at least: 1\n");
        assert!(nobody.hold_policy().is_err());
    }

    #[test]
    fn what_is_no_recipient_of_ours_is_called_what_it_is() {
        for (line, word) in [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ben", "SSH"),
            ("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "plugin"),
            ("AGE-SECRET-KEY-1QQQ", "private"),
            ("ben", "age1"),
        ] {
            let text = Recipients::parse(format!("{line}\n")).err().unwrap().to_string();
            assert!(text.contains(word) && text.contains("recipients.txt:1"), "{text}");
            assert!(!text.contains("QQQ"), "{text}");
        }
        assert_eq!(foreign::identity("AGE-PLUGIN-YUBIKEY-1QQQ"), Some(Foreign::Plugin));
    }
}
