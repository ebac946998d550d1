//! Mosquitto's ACL file: who may read and write which topics. What is not granted is denied.

use std::collections::BTreeMap;

use rumqttc::mqttbytes::{matches, valid_filter};

/// What a grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Both,
    Deny,
}

/// A filter and what it is granted for.
#[derive(Clone, Debug)]
struct Grant {
    access: Access,
    filter: String,
}

/// The grants of an ACL file.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    /// By user; those before the first `user` line are for clients without a name.
    users: BTreeMap<Option<String>, Vec<Grant>>,
    /// For everybody, `%u` standing for the user and `%c` for the client id.
    patterns: Vec<Grant>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The user; `None` without a name.
    pub user: Option<&'a str>,
    /// The client id.
    pub id: &'a str,
}

impl Acl {
    /// Reads an ACL file.
    ///
    /// # Errors
    /// The words Mosquitto has for it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut acl = Self::default();
        let mut user = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            match word {
                "user" => user = Some(rest.trim().to_owned()),
                "topic" => acl.users.entry(user.clone()).or_default().push(grant(rest.trim())?),
                "pattern" => acl.patterns.push(grant(rest.trim())?),
                _ => return Err(format!("Error: Invalid line in acl_file \"{line}\".")),
            }
        }
        Ok(acl)
    }

    /// Whether a client may read a topic.
    pub fn may_read(&self, client: Client<'_>, topic: &str) -> bool {
        self.may(client, topic, Access::Read)
    }

    /// Whether a client may publish to a topic.
    pub fn may_write(&self, client: Client<'_>, topic: &str) -> bool {
        self.may(client, topic, Access::Write)
    }

    fn may(&self, client: Client<'_>, topic: &str, wanted: Access) -> bool {
        let user = client.user.map(str::to_owned);
        let own = self.users.get(&user).map_or(&[][..], Vec::as_slice);
        let fits = |grant: &&Grant| matches(topic, &grant.filter);
        if own.iter().filter(fits).any(|grant| grant.access == Access::Deny) {
            return false;
        }
        let opens = |grant: &Grant| grant.access == wanted || grant.access == Access::Both;
        let filled = |grant: &Grant| {
            let filter = grant.filter.replace("%u", client.user.unwrap_or("")).replace("%c", client.id);
            matches(topic, &filter)
        };
        own.iter().filter(fits).any(opens) || self.patterns.iter().any(|grant| opens(grant) && filled(grant))
    }
}

fn grant(rest: &str) -> Result<Grant, String> {
    let (access, filter) = match rest.split_once(char::is_whitespace) {
        Some(("read", filter)) => (Access::Read, filter),
        Some(("write", filter)) => (Access::Write, filter),
        Some(("readwrite", filter)) => (Access::Both, filter),
        Some(("deny", filter)) => (Access::Deny, filter),
        _ => (Access::Both, rest),
    };
    let filter = filter.trim().to_owned();
    match valid_filter(&filter) {
        true => Ok(Grant { access, filter }),
        false => Err(format!("Error: Invalid ACL topic \"{filter}\".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACL: &str = "# rocade\nuser relay\ntopic write sites/pool/hall\ntopic readwrite rocade/relays/pool-gw/#\n\
                       user signage\ntopic read sites/pool/#\ntopic deny sites/pool/private\n";

    #[test]
    fn only_what_is_granted_is_allowed() {
        let acl = Acl::read(ACL).unwrap();
        let client = |user| Client { user, id: "x" };
        for (user, topic, read, write) in [
            (Some("relay"), "sites/pool/hall", false, true),
            (Some("relay"), "sites/pool/other", false, false),
            (Some("relay"), "rocade/relays/pool-gw/status", true, true),
            (Some("signage"), "sites/pool/hall", true, false),
            (Some("signage"), "sites/pool/private", false, false),
            (Some("nobody"), "sites/pool/hall", false, false),
            (None, "sites/pool/hall", false, false),
        ] {
            let allowed = (acl.may_read(client(user), topic), acl.may_write(client(user), topic));
            assert_eq!(allowed, (read, write), "{user:?} {topic}");
        }
    }

    #[test]
    fn patterns_hold_for_everybody_by_name() {
        let acl = Acl::read("pattern write clients/%u/%c/up").unwrap();
        let client = Client { user: Some("ada"), id: "7" };
        assert!(acl.may_write(client, "clients/ada/7/up"));
        assert!(!acl.may_write(client, "clients/bob/7/up"));
        assert!(Acl::read("topic write a/#/b").is_err());
        assert!(Acl::read("tpoic write a").is_err());
    }
}
