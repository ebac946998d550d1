//! A real `sshd` on loopback: own configuration, host keys and log in a temporary directory, own accounts in
//! a private mount namespace, so that the machine's own users stay as they are.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rocade::model::Secret;
use rocade::transport::known_hosts::KnownHosts;
use rocade::transport::ssh::{AgentUse, Limits, Route, Session};
use russh::keys::PublicKey;
use tempfile::TempDir;

/// The account of the test server, and its password in clear and as `/etc/shadow` has it.
pub const USER: &str = "admin";
pub const PASSWORD: &str = "correct horse";
const PASSWORD_HASH: &str =
    "$6$rocadetest$qwHJl6Zgi0/waLwjFGYdU.DaeAPmscIyV4OW9lGqM3haEbmaGd/xDBevXoaHhaW6xCEthEDtIATNUIfGtY536/";

pub struct Server {
    pub port: u16,
    pub folder: TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Why the tests of this file cannot run here.
fn missing() -> Option<&'static str> {
    if !Path::new("/usr/sbin/sshd").exists() {
        return Some("no /usr/sbin/sshd");
    }
    let mut namespace = Command::new("unshare");
    namespace.args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null());
    let made = namespace.status().is_ok_and(|status| status.success());
    (!made).then_some("no right to make a mount namespace")
}

impl Server {
    /// Starts a server with ed25519, ECDSA and RSA host keys and these lines of configuration, or says that
    /// the test is skipped.
    pub fn start(configuration: &str) -> Option<Self> {
        Self::start_with_keys(&["ed25519", "ecdsa", "rsa"], configuration)
    }

    pub fn start_with_keys(key_types: &[&str], configuration: &str) -> Option<Self> {
        if let Some(reason) = missing() {
            eprintln!("skipped: {reason}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("rocade-sshd").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let port = free_port();
        // The first value of a keyword wins, so the test's own lines come first.
        let mut text = configuration.to_owned();
        text += &format!("ListenAddress 127.0.0.1:{port}\nUsePAM no\nPermitRootLogin yes\nStrictModes no\n");
        text += &format!("PidFile none\nLogLevel DEBUG2\nAuthorizedKeysFile {}\n", at("authorized_keys"));
        for key_type in key_types {
            let path = at(&format!("host_{key_type}"));
            run("ssh-keygen", &["-q", "-t", key_type, "-N", "", "-f", &path]);
            text += &format!("HostKey {path}\n");
        }
        let path = at("user_ed25519");
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path]);
        std::fs::copy(format!("{path}.pub"), at("authorized_keys")).unwrap();
        std::fs::write(at("sshd_config"), text).unwrap();
        let accounts =
            format!("root:x:0:0::/:/bin/sh\nsshd:x:104:65534::/:/bin/false\n{USER}:x:0:0::/:/bin/sh\n");
        std::fs::write(at("passwd"), accounts).unwrap();
        std::fs::write(at("shadow"), format!("root:*:1::::::\n{USER}:{PASSWORD_HASH}:19000::::::\n"))
            .unwrap();
        let script = "mount --bind $0/passwd /etc/passwd && mount --bind $0/shadow /etc/shadow && \
                      mount -t tmpfs none /run && mkdir -m 755 /run/sshd && \
                      exec /usr/sbin/sshd -D -f $0/sshd_config -E $0/log";
        let child = Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { port, folder, child };
        server.wait_until_it_listens();
        Some(server)
    }

    fn wait_until_it_listens(&self) {
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(30), "sshd did not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the log says something: the server writes it when it likes.
    pub fn logs(&self, words: &str) {
        let begin = Instant::now();
        while !self.log().contains(words) {
            assert!(begin.elapsed() < Duration::from_secs(30), "no `{words}` in {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A place in the server's folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its public host key of a type.
    pub fn host_key(&self, key_type: &str) -> PublicKey {
        let text = std::fs::read_to_string(self.at(&format!("host_{key_type}.pub"))).unwrap();
        PublicKey::from_openssh(text.trim()).unwrap()
    }

    /// Pins with this server's ed25519 key in them.
    pub fn pins(&self) -> KnownHosts {
        let mut pins = KnownHosts::read(&self.at("known_hosts")).unwrap();
        pins.add("127.0.0.1", self.port, &self.host_key("ed25519")).unwrap();
        pins
    }

    /// The way to it, without anything to log in with.
    pub fn bare_route(&self) -> Route {
        Route {
            name: "pool-gw".into(),
            address: "127.0.0.1".into(),
            port: self.port,
            user: USER.into(),
            password: None,
            identity_files: Vec::new(),
            agent: AgentUse::None,
            jumps: Vec::new(),
            pinned_as: None,
            interface: None,
        }
    }

    pub fn route_with_key(&self) -> Route {
        Route { identity_files: vec![self.at("user_ed25519")], ..self.bare_route() }
    }

    pub fn route_with_password(&self, password: &str) -> Route {
        Route { password: Some(Secret::new(password, "gateways/pool-gw/admin")), ..self.bare_route() }
    }

    pub async fn session(&self) -> Session {
        Session::open(&self.route_with_key(), &self.pins(), Limits::default()).await.unwrap()
    }
}

/// A shell script's words for the server's process of its session: the parent of the login shell.
pub const SERVER_PROCESS: &str = "$(cut -d' ' -f4 /proc/$PPID/stat)";

/// Runs a shell script in a session: status and output. The time allowed is no part of any test.
pub async fn shell(session: &Session, script: &str, stdin: &[u8]) -> (Option<u32>, Vec<u8>, Vec<u8>) {
    let mut output = Vec::new();
    let command = ["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let mut hear = |bytes: &[u8]| output.extend_from_slice(bytes);
    let exec = session.exec(&command, stdin, &mut hear, Duration::from_secs(120)).await.unwrap();
    (exec.status, output, exec.stderr)
}
