//! A simulated Debian 12 host that can become a broker: systemd, apt, and Mosquitto when it is installed.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::broker::{Broker, Settings};
use super::files::Files;
use super::held;
use super::machine::{Account, Service, State, VirtualHost, Works};
use super::sbc;
use crate::host::{Page, ServiceAct};

/// The packages it can install and their versions in Debian 12.
const PACKAGES: [(&str, &str); 8] = [
    ("mosquitto", "2.0.11-1.2+deb12u1"),
    ("mosquitto-clients", "2.0.11-1.2+deb12u1"),
    ("fail2ban", "1.0.2-2"),
    ("nftables", "1.0.6-2+deb12u2"),
    ("python3", "3.11.2-1+b1"),
    ("python3-systemd", "235-1+b2"),
    ("unclutter", "8-25"),
    // As if the host had 3CX's own source of packages.
    (sbc::PROGRAM, "20.0.100"),
];

/// The configuration Debian's package brings.
const MOSQUITTO_CONF: &str = "\
# Place your local configuration in /etc/mosquitto/conf.d/
#
# A full description of the configuration file is at
# /usr/share/doc/mosquitto/examples/mosquitto.conf.example

pid_file /run/mosquitto/mosquitto.pid

persistence true
persistence_location /var/lib/mosquitto/

log_dest file /var/log/mosquitto/mosquitto.log

include_dir /etc/mosquitto/conf.d
";

const CONFIG: &str = "/etc/mosquitto/mosquitto.conf";

/// What is particular to this kind of device.
#[derive(Default)]
pub struct Debian {
    user: String,
    broker: Broker,
}

impl Debian {
    /// A host with one login user.
    pub fn new(user: &str) -> Self {
        Self { user: user.to_owned(), broker: Broker::default() }
    }
}

impl Works for Debian {
    fn factory(&self) -> State {
        let mut state = State { facts: facts(), ..State::default() };
        let home = format!("/home/{}", self.user);
        for path in [
            "/etc/init.d",
            "/etc/systemd/system",
            "/lib/systemd/system",
            "/var/lib",
            "/var/log",
            "/run",
            "/root",
            &home,
        ] {
            directory(&mut state.files, path);
        }
        file(&mut state.files, "/etc/debian_version", "12.12\n");
        file(&mut state.files, "/etc/hostname", "broker\n");
        state.accounts.insert("root".to_owned(), Account::login(0, "root", "/root"));
        let mut account = Account::login(1000, &self.user, &home);
        account.groups.push("sudo".to_owned());
        state.accounts.insert(self.user.clone(), account);
        state
    }

    fn stop(&self) {
        self.broker.stop();
    }

    fn page(&self, _: &str, url: &str, _: &[u8]) -> Result<Page, String> {
        Err(format!("{url}: connection refused"))
    }

    fn install(&self, state: &mut State, package: &str) -> Result<(), String> {
        let Some((_, version)) = PACKAGES.iter().find(|(name, _)| *name == package) else {
            return Err(format!("E: Unable to locate package {package}"));
        };
        let known = state.packages.insert(package.to_owned(), (*version).to_owned());
        if package == "mosquitto" && known.is_none() {
            unpack_mosquitto(state);
        }
        if package == "fail2ban" && known.is_none() {
            unpack_fail2ban(state);
        }
        if package == sbc::PROGRAM && known.is_none() {
            sbc::unpack(state);
        }
        Ok(())
    }

    fn service<'a>(
        &'a self,
        host: &'a VirtualHost,
        name: &'a str,
        act: ServiceAct,
    ) -> BoxFuture<'a, Result<(), String>> {
        async move {
            if name == sbc::PROGRAM && matches!(act, ServiceAct::Start | ServiceAct::Restart) {
                return sbc::start(&mut held(&host.state));
            }
            if name != "mosquitto" || matches!(act, ServiceAct::Enable | ServiceAct::Disable) {
                return Ok(());
            }
            if act == ServiceAct::Stop {
                self.broker.stop();
                return Ok(());
            }
            let (settings, runs) = {
                let state = held(&host.state);
                (Settings::read(&state.files, CONFIG), state.runs(name))
            };
            match (act, settings) {
                (ServiceAct::Start, _) if runs => Ok(()),
                (ServiceAct::Reload, Ok(settings)) => {
                    self.broker.reload(settings);
                    Ok(())
                }
                // Mosquitto logs the error and goes on with what it had.
                (ServiceAct::Reload, Err(_)) => Ok(()),
                (_, Ok(settings)) => self.broker.start(settings, &host.knobs, &host.log).await,
                (_, Err(error)) => {
                    self.broker.stop();
                    Err(format!("Job for mosquitto.service failed.\n{error}"))
                }
            }
        }
        .boxed()
    }

    fn run<'a>(
        &'a self,
        host: &'a VirtualHost,
        argv: &'a [String],
    ) -> BoxFuture<'a, Option<Result<String, String>>> {
        let tried = tried_config(argv).map(|path| {
            let state = held(&host.state);
            match state.packages.contains_key("mosquitto") {
                true => Settings::read(&state.files, path).map(|_| String::new()),
                false => Err("mosquitto: not found".to_owned()),
            }
        });
        let ends_jail = argv.last().is_some_and(|script| script.contains("fail2ban-client stop"));
        let tried = tried.or_else(|| ends_jail.then(|| Ok(String::new())));
        let ended = tried.or_else(|| super::firewall::command(&mut held(&host.state), argv));
        futures::future::ready(ended).boxed()
    }

    fn listening(&self, state: &State) -> Vec<String> {
        match self.broker.listening() {
            listening if !listening.is_empty() => listening,
            // As the package starts it: for this host only. Nothing is served there.
            _ if state.runs("mosquitto") => vec!["127.0.0.1:1883".to_owned()],
            none => none,
        }
    }
}

/// The configuration that `mosquitto -c PATH` would run with, whatever stands before it (`timeout 2`).
fn tried_config(argv: &[String]) -> Option<&str> {
    let program = argv.iter().position(|word| word == "mosquitto" || word.ends_with("/mosquitto"))?;
    let rest = &argv[program + 1..];
    let flag = rest.iter().position(|word| word == "-c")?;
    rest.get(flag + 1).map(String::as_str)
}

fn facts() -> BTreeMap<String, String> {
    [
        ("os", "debian"),
        ("version", "12"),
        ("kernel", "6.1.0-40-amd64"),
        ("arch", "x86_64"),
        ("hostname", "broker"),
        ("init", "systemd"),
        ("python", "3.11.2"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What `apt-get install mosquitto` leaves behind: files, an account, and a service that runs.
fn unpack_mosquitto(state: &mut State) {
    state.accounts.entry("mosquitto".to_owned()).or_insert(Account::system(
        101,
        "mosquitto",
        "/var/lib/mosquitto",
    ));
    for path in ["/etc/mosquitto/conf.d", "/etc/mosquitto/certs", "/etc/mosquitto/ca_certificates"] {
        directory(&mut state.files, path);
    }
    file(&mut state.files, CONFIG, MOSQUITTO_CONF);
    file(&mut state.files, "/lib/systemd/system/mosquitto.service", "[Service]\nType=notify\n");
    for (path, mode) in [("/var/lib/mosquitto", 0o755), ("/var/log/mosquitto", 0o740)] {
        let made = state.files.directory(path, mode, "mosquitto", "mosquitto");
        debug_assert!(made.is_ok(), "{path}");
    }
    state.services.insert("mosquitto".to_owned(), Service::up(&state.files));
}

/// What `apt-get install fail2ban` leaves behind.
fn unpack_fail2ban(state: &mut State) {
    for path in ["/etc/fail2ban/filter.d", "/etc/fail2ban/jail.d"] {
        directory(&mut state.files, path);
    }
    file(&mut state.files, "/lib/systemd/system/fail2ban.service", "[Service]\nType=simple\n");
    state.services.insert("fail2ban".to_owned(), Service::up(&state.files));
}

/// Makes a directory of a new device, where nothing can stand in the way.
pub(super) fn directory(files: &mut Files, path: &str) {
    let made = files.directory(path, 0o755, "root", "root");
    debug_assert!(made.is_ok(), "{path}: {made:?}");
}

/// Puts a file of a new device, whose directory is there.
pub(super) fn file(files: &mut Files, path: &str, text: &str) {
    let made = files.put(path, text.as_bytes().to_vec(), 0o644, "root", "root");
    debug_assert!(made.is_ok(), "{path}: {made:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tried_configuration_is_found_behind_other_words() {
        let argv = ["runuser", "-u", "mosquitto", "--", "/usr/sbin/mosquitto", "-c", "/tmp/x.conf"];
        assert_eq!(tried_config(&argv.map(str::to_owned)), Some("/tmp/x.conf"));
        assert_eq!(tried_config(&["nft".to_owned(), "-c".to_owned()]), None);
    }
}
