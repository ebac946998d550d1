//! What Mosquitto would do with its configuration: the options rocade writes, and no word it does not know.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;

use super::accounts::Accounts;
use super::acl::Acl;
use crate::lab::files::Files;
use crate::lab::tls;

/// The options of Mosquitto 2.0 that are taken and mean nothing here.
const QUIET: [&str; 22] = [
    "pid_file",
    "persistence",
    "persistence_location",
    "persistence_file",
    "log_dest",
    "log_type",
    "log_timestamp",
    "log_timestamp_format",
    "connection_messages",
    "user",
    "tls_version",
    "ciphers",
    "max_connections",
    "max_keepalive",
    "message_size_limit",
    "max_packet_size",
    "max_inflight_messages",
    "max_queued_messages",
    "per_listener_settings",
    "autosave_interval",
    "set_tcp_nodelay",
    "socket_domain",
];

/// One listener.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// TCP port; 0 for a Unix socket.
    pub port: u16,
    /// Address to bind; all when `None`.
    pub bind: Option<IpAddr>,
    /// It speaks MQTT over WebSocket.
    pub websockets: bool,
    certfile: Option<String>,
    keyfile: Option<String>,
    cafile: Option<String>,
    /// The certificate it shows, when it has one.
    pub tls: Option<Arc<ServerConfig>>,
}

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where it listens; empty: 127.0.0.1:1883, as Mosquitto 2 does when nothing is said.
    pub listeners: Vec<Listener>,
    /// Whether clients without a name are let in.
    pub allow_anonymous: bool,
    /// Who may log in; `None` without a password file.
    pub accounts: Option<Accounts>,
    /// Who may read and write what; `None` without an ACL file: everybody everything.
    pub acl: Option<Acl>,
}

impl Settings {
    /// Reads a configuration as Mosquitto does when it starts.
    ///
    /// # Errors
    /// The words Mosquitto has for it.
    pub fn read(files: &Files, path: &str) -> Result<Self, String> {
        let mut settings = Self::default();
        settings.file(files, path)?;
        for listener in &mut settings.listeners {
            listener.load_certificate(files)?;
        }
        Ok(settings)
    }

    fn file(&mut self, files: &Files, path: &str) -> Result<(), String> {
        let text = files.text(path).ok_or_else(|| format!("Error: Unable to open config file {path}."))?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            self.option(files, name, value.trim())
                .map_err(|error| format!("{error}\nError found at {path}:{}.", index + 1))?;
        }
        Ok(())
    }

    fn option(&mut self, files: &Files, name: &str, value: &str) -> Result<(), String> {
        match name {
            "include_dir" => {
                let names = files.names(value).into_iter().filter(|name| name.ends_with(".conf"));
                let paths = names.map(|name| format!("{}/{name}", value.trim_end_matches('/')));
                return paths.into_iter().try_for_each(|path| self.file(files, &path));
            }
            "listener" | "port" => self.listeners.push(listener(value)?),
            "allow_anonymous" => self.allow_anonymous = truth(name, value)?,
            "password_file" => {
                let text =
                    files.text(value).ok_or_else(|| format!("Error: Unable to open pwfile \"{value}\"."))?;
                self.accounts = Some(Accounts::read(&text)?);
            }
            "acl_file" => {
                let text = files
                    .text(value)
                    .ok_or_else(|| format!("Error: Unable to open acl_file \"{value}\"."))?;
                self.acl = Some(Acl::read(&text)?);
            }
            "protocol" => self.last(name)?.websockets = value == "websockets",
            "certfile" => self.last(name)?.certfile = Some(value.to_owned()),
            "keyfile" => self.last(name)?.keyfile = Some(value.to_owned()),
            "cafile" => self.last(name)?.cafile = Some(value.to_owned()),
            _ if QUIET.contains(&name) => {}
            _ => return Err(format!("Error: Unknown configuration variable \"{name}\".")),
        }
        Ok(())
    }

    /// The listener that an option after it belongs to.
    fn last(&mut self, option: &str) -> Result<&mut Listener, String> {
        self.listeners.last_mut().ok_or_else(|| format!("Error: {option} without a listener."))
    }
}

impl Listener {
    fn load_certificate(&mut self, files: &Files) -> Result<(), String> {
        let (chain, key) = match (&self.certfile, &self.keyfile) {
            (Some(chain), Some(key)) => (chain, key),
            (None, None) => return Ok(()),
            _ => return Err("Error: Both certfile and keyfile must be provided.".to_owned()),
        };
        let read = |path: &String, what: &str| {
            files.bytes(path).ok_or_else(|| format!("Error: Unable to load {what} file \"{path}\"."))
        };
        if let Some(path) = &self.cafile {
            tls::client(read(path, "CA certificates")?).map_err(|error| format!("Error: {path}: {error}"))?;
        }
        let chain = read(chain, "server certificate")?;
        self.tls =
            Some(tls::server(chain, read(key, "server key")?).map_err(|error| format!("Error: {error}"))?);
        Ok(())
    }
}

fn listener(value: &str) -> Result<Listener, String> {
    let mut words = value.split_whitespace();
    let port = words.next().and_then(|word| word.parse().ok());
    let port = port.ok_or_else(|| format!("Error: Invalid port value ({value})."))?;
    let bind = match words.next() {
        // Port 0 is a Unix socket and a path follows it.
        Some(word) if port != 0 => Some(word.replace("localhost", "127.0.0.1")),
        _ => None,
    };
    let bind = bind.map(|word| word.parse().map_err(|_| format!("Error: cannot bind to {word}.")));
    Ok(Listener { port, bind: bind.transpose()?, ..Listener::default() })
}

fn truth(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("Error: Invalid {name} value ({value}).")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(conf: &str) -> Result<Settings, String> {
        let mut files = Files::default();
        files.directory("/etc/mosquitto/conf.d", 0o755, "root", "root")?;
        let main = "# Debian\ninclude_dir /etc/mosquitto/conf.d\n";
        for (path, text) in
            [("/etc/mosquitto/mosquitto.conf", main), ("/etc/mosquitto/conf.d/rocade.conf", conf)]
        {
            files.put(path, text.as_bytes().to_vec(), 0o644, "root", "root")?;
        }
        Settings::read(&files, "/etc/mosquitto/mosquitto.conf")
    }

    #[test]
    fn options_belong_to_the_listener_before_them() {
        let settings = read("listener 8883\nlistener 9001 127.0.0.1\nprotocol websockets\n").unwrap();
        let shown: Vec<_> =
            settings.listeners.iter().map(|one| (one.port, one.bind, one.websockets)).collect();
        assert_eq!(shown, [(8883, None, false), (9001, Some([127, 0, 0, 1].into()), true)]);
        assert!(!settings.allow_anonymous);
    }

    #[test]
    fn what_mosquitto_refuses_is_refused_with_its_place() {
        for (conf, expected) in [
            ("listner 8883", "Unknown configuration variable \"listner\""),
            ("\nlistener x", "rocade.conf:2."),
            ("password_file /nowhere", "Unable to open pwfile"),
            ("listener 8883\ncertfile /x", "Both certfile and keyfile"),
            ("listener 8883\ncertfile /x\nkeyfile /y", "Unable to load server certificate"),
        ] {
            let error = read(conf).unwrap_err();
            assert!(error.contains(expected), "{conf}: {error}");
        }
    }
}
