//! A real Mosquitto that serves what it is given, as rocade configures it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rocade::model::Secret;
use rocade::transport::mqtt::{Account, Client, MqttFault};
use rocade::transport::tls::Server;

use crate::bench::run;

pub const AMPLE: Duration = Duration::from_secs(60);
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

pub struct Mosquitto {
    pub port: u16,
    /// Where clients show a certificate.
    pub certificates: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Mosquitto {
    /// One that is not started yet; its files are those of `folder`. `None`, and a word, without the program.
    pub fn of(folder: &Path) -> Option<Self> {
        if !Path::new(MOSQUITTO).exists() {
            eprintln!("skipped: no {MOSQUITTO}");
            return None;
        }
        let (port, certificates) = (free_port(), free_port());
        Some(Self { port, certificates, folder: folder.to_owned(), child: None })
    }

    /// Puts a file it reads in place, whole, as an apply does.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        rocade::repository::replace(&self.folder.join(name), bytes).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "the broker is a program of this machine")]
    pub fn start(&mut self, lists: bool) {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let (ca, chain, key) = (at("ca.pem"), at("server.pem"), at("server.key"));
        let tls = format!("cafile {ca}\ncertfile {chain}\nkeyfile {key}\n");
        let list = if lists { format!("crlfile {}\n", at("revoked.pem")) } else { String::new() };
        let text = format!(
            "user root\nper_listener_settings true\nlistener {} 127.0.0.1\n{tls}allow_anonymous true\n\
             listener {} 127.0.0.1\n{tls}require_certificate true\nuse_identity_as_username true\n{list}",
            self.port, self.certificates,
        );
        fs::write(at("conf"), text).unwrap();
        let mut command = Command::new(MOSQUITTO);
        let child = command.args(["-c", &at("conf")]).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(child.spawn().unwrap());
        let begin = Instant::now();
        while [self.port, self.certificates]
            .iter()
            .any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err())
        {
            assert!(begin.elapsed() < AMPLE, "mosquitto did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn reload(&self) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(run("kill", &["-HUP", &pid], &self.folder).status.success());
    }

    pub fn server<'a>(&self, root_pem: &'a str, shown: Option<(&'a str, &'a Secret)>) -> Server<'a> {
        let port = if shown.is_some() { self.certificates } else { self.port };
        Server { address: "127.0.0.1", port, name: "broker.example.net", root_pem, shown }
    }

    /// Logs in, with a certificate when one is shown.
    pub async fn login(
        &self,
        root_pem: &str,
        shown: Option<(&str, &Secret)>,
        client_id: &str,
    ) -> Result<Client, MqttFault> {
        let password = Secret::new("not read", "nobody's");
        let account = Account { user: "anybody", password: &password, client_id };
        Client::connect(self.server(root_pem, shown), &account, AMPLE).await
    }
}
