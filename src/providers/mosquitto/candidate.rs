//! A trial of a configuration before it is activated. A second broker runs for a moment with the new files, its
//! listeners on loopback ports nobody uses; the running broker and its files are not touched. Mosquitto 2.0
//! cannot test a configuration without running it. 2.1 can (`--test-config`) and is asked first, but looks at
//! the options only: 2.1.2 finds a damaged ACL file, a missing certificate or a symbolic link in order, and
//! ends when it is started, or reloaded, with them.

use std::collections::BTreeMap;

use super::{ACL, AUTHORITY, CERTIFICATE, CONF, CRL, KEY, MAIN_CONF, PASSWD, version};
use crate::host::{Order, files};
use crate::model::{Fields, Key, Secret, Value};
use crate::providers::Job;

/// How long the second broker must live.
const TRIAL_SECONDS: u32 = 1;

/// The first port tried for a trial's listeners: above the ports that clients are given.
const FIRST_PORT: u16 = 61_883;

/// Where the files of a trial lie while it lasts. A trial that failed leaves them; the next one clears them.
pub(super) const STAGE: &str = "/etc/mosquitto/rocade/candidate";

/// The orders of a trial of the files that are to change; `contents` by path.
pub(super) fn trial(job: &Job<'_>, contents: &BTreeMap<&str, Secret>) -> Vec<Order> {
    let staged: BTreeMap<&str, String> = contents.keys().map(|path| (*path, staged_path(path))).collect();
    let conf = staged_path(MAIN_CONF);
    let text = configuration(&wished_text(job), &staged, &in_use(job));
    let own = [(conf.clone(), Secret::new(text, "candidate"))];
    let others = contents
        .iter()
        .filter(|(path, _)| **path != MAIN_CONF && **path != CONF)
        .map(|(path, content)| (staged[path].clone(), content.clone()));
    let files: Vec<(String, Secret)> = own.into_iter().chain(others).collect();
    let mut orders = vec![files::folder(STAGE)];
    orders.extend(files.iter().map(|(path, content)| Order::Put {
        path: path.clone(),
        content: content.clone(),
        mode: "0640".to_owned(),
        owner: "root".to_owned(),
        group: "mosquitto".to_owned(),
    }));
    let trial = |flags: &[&str]| Order::Trial {
        argv: [&["/usr/sbin/mosquitto"][..], flags, &["-c", &conf]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        seconds: TRIAL_SECONDS,
    };
    if version::tests_configurations(job.observed) {
        orders.push(trial(&["--test-config"]));
    }
    orders.push(trial(&[]));
    let all = [MAIN_CONF, ACL, PASSWD, AUTHORITY, CERTIFICATE, KEY, CRL];
    orders.extend(all.map(|path| Order::Remove { path: staged_path(path) }));
    orders
}

fn staged_path(path: &str) -> String {
    format!("{STAGE}/{}", path.rsplit('/').next().unwrap_or(path))
}

/// Both configuration files as one text, as Mosquitto reads them.
fn wished_text(job: &Job<'_>) -> String {
    let text = |path: &str| {
        let resource = job.wish.resources.get(&Key::new("file", path));
        resource.and_then(|resource| files::bytes(&resource.fields))
    };
    let texts = [MAIN_CONF, CONF].map(|path| text(path).unwrap_or_else(|| Secret::new("", "")));
    texts.map(|text| text.reveal_text().unwrap_or_default().to_owned()).join("\n")
}

/// The ports that were seen in use on the host.
fn in_use(job: &Job<'_>) -> Vec<u16> {
    let ports = |fields: &Fields| match fields.get(super::observe::IN_USE) {
        Some(Value::List(ports)) => ports.clone(),
        _ => Vec::new(),
    };
    let listeners = job.observed.resources.iter().filter(|(key, _)| key.collection == "listener");
    let ports = listeners.flat_map(|(_, fields)| ports(fields));
    ports
        .filter_map(|port| if let Value::Int(port) = port { u16::try_from(port).ok() } else { None })
        .collect()
}

/// The configuration with its files replaced by the staged ones and its listeners on free loopback ports.
/// What would touch the running broker (its log, its database, its other configuration) is left out.
fn configuration(text: &str, staged: &BTreeMap<&str, String>, in_use: &[u16]) -> String {
    let mut ports = (FIRST_PORT..=u16::MAX).filter(|port| !in_use.contains(port));
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let line = match (words.next(), words.next()) {
            (Some("pid_file" | "include_dir" | "bind_address" | "bind_interface"), _) => continue,
            (Some(word), _) if word.starts_with("log_dest") || word.starts_with("persist") => continue,
            (Some("socket_domain"), _) => "socket_domain ipv4".to_owned(),
            (Some("listener" | "port"), _) => format!("listener {} 127.0.0.1", ports.next().unwrap_or(0)),
            (Some(option), Some(path)) if staged.contains_key(path) => format!("{option} {}", staged[path]),
            _ => line.to_owned(),
        };
        lines.push(line);
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_leaves_ports_log_database_and_unchanged_files_alone() {
        let text = "pid_file /run/mosquitto/mosquitto.pid\n\npersistence true\n\
                    persistence_location /var/lib/mosquitto/\nlog_dest file /var/log/mosquitto/mosquitto.log\n\
                    include_dir /etc/mosquitto/conf.d\nallow_anonymous false\nacl_file /etc/mosquitto/rocade/acl\n\
                    password_file /etc/mosquitto/rocade/passwd\nlistener 8883\n# listener of old\n\
                    listener 9001 ::1\nprotocol websockets\nsocket_domain ipv6\n";
        let staged = [(super::super::ACL, "/c/acl".to_owned())].into();
        assert_eq!(
            configuration(text, &staged, &[FIRST_PORT, FIRST_PORT + 2]),
            format!(
                "\nallow_anonymous false\nacl_file /c/acl\npassword_file /etc/mosquitto/rocade/passwd\n\
                 listener {} 127.0.0.1\n# listener of old\nlistener {} 127.0.0.1\nprotocol websockets\n\
                 socket_domain ipv4\n",
                FIRST_PORT + 1,
                FIRST_PORT + 3,
            )
        );
    }
}
