//! Mosquitto 2.0 and 2.1 want the same configuration in other words. 2.1 has its password and ACL files read
//! by plugins, and wants those files to be its own; the options of 2.0 still work there, are deprecated, and go
//! with 3.0. The templates have the words of 2.0; a host that has 2.1, or will get it, is wished those of 2.1.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{ACL, CONF, MAIN_CONF, PASSWD, SERVICE};
use crate::host::{Answer, Ask};
use crate::model::{Key, Observed, Value, Wish};

/// The fact of an observation that says where the plugins of 2.1 are; not there on a host of 2.0.
const PLUGINS: &str = "mosquitto_plugins";

/// The triplets Debian has folders for, by what the kernel calls the machine.
const TRIPLETS: [(&str, &str); 6] = [
    ("x86_64", "x86_64-linux-gnu"),
    ("aarch64", "aarch64-linux-gnu"),
    ("armv7l", "arm-linux-gnueabihf"),
    ("armv6l", "arm-linux-gnueabihf"),
    ("i686", "i386-linux-gnu"),
    ("riscv64", "riscv64-linux-gnu"),
];

/// The first Debian release that has 2.1.
const FIRST_DEBIAN: u32 = 14;

/// Options of 2.0, the plugin that 2.1 has in their place, and its option.
const MOVED: [(&str, &str, &str); 2] = [
    ("password_file", "mosquitto_password_file.so", "plugin_opt_password_file"),
    ("acl_file", "mosquitto_acl_file.so", "plugin_opt_acl_file"),
];

/// Whether a version has the words of 2.1 and `--test-config`.
pub(super) fn is_newer(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (2, 1)
}

fn plugin_of(folder: &str) -> String {
    format!("{folder}/{}", MOVED[0].1)
}

fn folders() -> impl Iterator<Item = String> {
    let folders = TRIPLETS.iter().map(|(_, triplet)| format!("/usr/lib/{triplet}/mosquitto"));
    let mut known = std::collections::BTreeSet::new();
    folders.filter(move |folder| known.insert(folder.clone()))
}

/// The questions that find the plugins of a broker that is there. A 64-bit kernel may carry a 32-bit system,
/// so its word for the machine does not say where they are.
pub(super) fn asks() -> impl Iterator<Item = Ask> {
    folders().map(|folder| Ask::File { path: plugin_of(&folder) })
}

/// Whether a path is one of those asked for.
pub(super) fn is_asked(path: &str) -> bool {
    folders().any(|folder| plugin_of(&folder) == path)
}

/// Notes where the plugins are: where they stand beside a broker that wants them, else where the package
/// will put them on a system new enough to bring them.
pub(super) fn note(observed: &mut Observed, version: Option<&str>, asks: &[Ask], answers: &[Answer]) {
    let standing = || {
        asks.iter().zip(answers).find_map(|(ask, answer)| match (ask, answer) {
            (Ask::File { path }, Answer::File(Some(_))) if is_asked(path) => {
                path.rsplit_once('/').map(|(folder, _)| folder.to_owned())
            }
            _ => None,
        })
    };
    let facts = answers.iter().find_map(|answer| match answer {
        Answer::Facts(facts) => Some(facts),
        _ => None,
    });
    let folder = match version {
        Some(version) => is_newer(version).then(standing).flatten(),
        None => facts.and_then(coming),
    };
    observed.facts.extend(folder.map(|folder| (PLUGINS.to_owned(), folder)));
}

/// Where the package of a system that has none yet will put its plugins, when it will be 2.1. A Debian that
/// is not released has no number.
fn coming(facts: &BTreeMap<String, String>) -> Option<String> {
    let release = facts.get("version").map_or("", String::as_str).split('.').next().unwrap_or("");
    let is_new = release.is_empty() || release.parse::<u32>().is_ok_and(|number| number >= FIRST_DEBIAN);
    let machine = facts.get("arch")?;
    let (_, triplet) = TRIPLETS.iter().find(|(known, _)| known == machine)?;
    (facts.get("os")? == "debian" && is_new).then(|| format!("/usr/lib/{triplet}/mosquitto"))
}

/// Whether the broker that is there can test a configuration.
pub(super) fn tests_configurations(observed: &Observed) -> bool {
    let package = observed.resources.get(&Key::new("package", SERVICE));
    let version = package.and_then(|fields| fields.get("version")).and_then(Value::as_text);
    version.is_some_and(|version| is_newer(super::observe::upstream(version)))
}

/// The wish in the words of 2.1, for a host that wants them.
pub(super) fn suited(wish: &Wish, observed: &Observed) -> Option<Wish> {
    let plugins = observed.facts.get(PLUGINS)?;
    let mut suited = wish.clone();
    for path in [MAIN_CONF, CONF] {
        let Some(resource) = suited.resources.get_mut(&Key::new("file", path)) else { continue };
        if let Some(Value::Text(text)) = resource.fields.get_mut("content") {
            *text = newer(text, plugins);
        }
    }
    // 2.1 warns of files of another owner and says that a later version will refuse them.
    for path in [PASSWD, ACL] {
        let file = suited.resources.get_mut(&Key::new("file", path));
        file.into_iter().for_each(|file| drop(file.fields.insert("owner".to_owned(), SERVICE.into())));
    }
    Some(suited)
}

/// A configuration in the words of 2.1.
fn newer(text: &str, plugins: &str) -> String {
    let mut newer = String::with_capacity(text.len());
    for line in text.lines() {
        let (option, value) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        // Writing to a String cannot fail.
        let _ = match MOVED.iter().find(|(old, ..)| *old == option) {
            Some((_, plugin, new)) => {
                writeln!(newer, "global_plugin {plugins}/{plugin}\n{new} {}", value.trim())
            }
            // Its default, deprecated.
            None if option == "per_listener_settings" && value.trim() == "false" => Ok(()),
            None => writeln!(newer, "{line}"),
        };
    }
    newer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_2_1_has_as_plugins_is_written_so_and_nothing_else_changes() {
        let old = "# acl_file of old\nallow_anonymous false\nper_listener_settings false\npassword_file /p q\n  \
                   acl_file /a\nlistener 8883\n";
        assert_eq!(
            newer(old, "/lib/m"),
            "# acl_file of old\nallow_anonymous false\nglobal_plugin /lib/m/mosquitto_password_file.so\n\
             plugin_opt_password_file /p q\nglobal_plugin /lib/m/mosquitto_acl_file.so\n\
             plugin_opt_acl_file /a\nlistener 8883\n"
        );
    }

    #[test]
    fn a_system_is_known_by_its_release_before_it_has_a_broker() {
        let coming = |os: &str, version: Option<&str>, arch: &str| {
            let mut facts: BTreeMap<String, String> =
                [("os", os), ("arch", arch)].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            facts.extend(version.map(|version| ("version".to_owned(), version.to_owned())));
            super::coming(&facts)
        };
        assert_eq!(coming("debian", Some("12"), "x86_64"), None);
        assert_eq!(coming("debian", Some("13"), "x86_64"), None);
        assert_eq!(coming("debian", None, "aarch64").unwrap(), "/usr/lib/aarch64-linux-gnu/mosquitto");
        assert_eq!(coming("debian", Some("14"), "x86_64").unwrap(), "/usr/lib/x86_64-linux-gnu/mosquitto");
        assert_eq!(coming("ubuntu", Some("26.04"), "x86_64"), None);
        assert!(is_newer("2.1.2") && is_newer("3.0") && !is_newer("2.0.22") && !is_newer("1.6"));
    }
}
