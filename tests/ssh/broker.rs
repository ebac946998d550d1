//! TLS and MQTT against a real Mosquitto, with certificates made here.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rocade::model::Secret;
use rocade::transport::mqtt::{Account, Client, Message, MqttFault};
use rocade::transport::tls::{Server, TlsFault, handshake, tcp_open};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{free_port, run};

const AMPLE: Duration = Duration::from_secs(30);

struct Broker {
    port: u16,
    root_pem: String,
    leaf_der: Vec<u8>,
    child: Child,
    _folder: TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl Broker {
    fn start() -> Option<Self> {
        if !Path::new("/usr/sbin/mosquitto").exists() {
            eprintln!("skipped: no /usr/sbin/mosquitto");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("rocade-broker").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (root, port) = (root("Example IoT Root"), free_port());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["broker.example.net".to_owned(), "127.0.0.1".to_owned()]);
        let leaf = params.unwrap().signed_by(&key, &root).unwrap();
        std::fs::write(at("server.pem"), leaf.pem()).unwrap();
        std::fs::write(at("server.key"), key.serialize_pem()).unwrap();
        std::fs::write(at("passwd"), "").unwrap();
        run("mosquitto_passwd", &["-b", &at("passwd"), "display", "open sesame"]);
        let acl = "user display\ntopic readwrite allowed/#\n";
        std::fs::write(at("acl"), acl).unwrap();
        let text = format!(
            "user root\nallow_anonymous false\npassword_file {}\nacl_file {}\nlistener {port} 127.0.0.1\n\
             certfile {}\nkeyfile {}\n",
            at("passwd"),
            at("acl"),
            at("server.pem"),
            at("server.key")
        );
        std::fs::write(at("conf"), text).unwrap();
        let child = Command::new("/usr/sbin/mosquitto")
            .args(["-c", &at("conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < AMPLE, "mosquitto did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { port, root_pem: root.pem(), leaf_der: leaf.der().to_vec(), child, _folder: folder })
    }

    fn server(&self) -> Server<'_> {
        Server {
            address: "127.0.0.1",
            port: self.port,
            name: "broker.example.net",
            root_pem: &self.root_pem,
            shown: None,
        }
    }

    async fn client(&self, client_id: &str) -> Client {
        let password = Secret::new("open sesame", "brokers/main/display");
        let account = Account { user: "display", password: &password, client_id };
        Client::connect(self.server(), &account, AMPLE).await.unwrap()
    }
}

#[tokio::test]
async fn a_certificate_of_our_root_for_the_name_is_taken() {
    let Some(broker) = Broker::start() else { return };
    let peer = handshake(broker.server(), AMPLE).await.unwrap();
    assert_eq!(peer.chain[0], hex::encode(Sha256::digest(&broker.leaf_der)));
    assert_eq!(peer.protocol, "TLSv1_3");
    let (_, leaf) = x509_parser::parse_x509_certificate(&broker.leaf_der).unwrap();
    assert_eq!(peer.not_after, leaf.validity().not_after.timestamp());
    assert!(handshake(Server { name: "127.0.0.1", ..broker.server() }, AMPLE).await.is_ok());
}

#[tokio::test]
async fn another_root_and_another_name_are_told_apart() {
    let Some(broker) = Broker::start() else { return };
    let other = root("Other Root").pem();
    let fault = handshake(Server { root_pem: &other, ..broker.server() }, AMPLE).await.unwrap_err();
    let expected = format!("certificate of 127.0.0.1:{} is not trusted: it is not of our root", broker.port);
    assert_eq!(fault.to_string(), expected);
    let fault = handshake(Server { name: "other.example.net", ..broker.server() }, AMPLE).await.unwrap_err();
    assert!(matches!(fault, TlsFault::NameMismatch { .. }), "{fault:?}");
    assert!(fault.to_string().contains("is not for other.example.net: it is for"), "{fault}");
    assert!(fault.to_string().contains("broker.example.net"), "{fault}");
}

#[tokio::test]
async fn refused_silent_and_not_tls_are_told_apart() {
    let root_pem = root("Example IoT Root").pem();
    let server =
        |port| Server { address: "127.0.0.1", port, name: "127.0.0.1", root_pem: &root_pem, shown: None };
    let refused = handshake(server(free_port()), AMPLE).await.unwrap_err();
    assert!(matches!(refused, TlsFault::Refused { .. }), "{refused:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = handshake(server(port), Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(silent, TlsFault::TimedOut { .. }), "{silent:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    let clear = handshake(server(port), AMPLE).await.unwrap_err();
    assert!(matches!(clear, TlsFault::Protocol { .. }), "{clear:?}");
    let _ = serving.join().unwrap();
    let unresolved = Server { address: "no-such-host.invalid", ..server(1) };
    let unresolved = handshake(unresolved, AMPLE).await.unwrap_err();
    assert!(matches!(unresolved, TlsFault::Unreachable { .. }), "{unresolved:?}");
}

#[tokio::test]
async fn open_and_closed_ports() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(tcp_open("127.0.0.1", listener.local_addr().unwrap().port(), AMPLE).await);
    assert!(!tcp_open("127.0.0.1", free_port(), AMPLE).await);
}

#[tokio::test]
async fn a_message_goes_round_and_the_acl_holds() {
    let Some(broker) = Broker::start() else { return };
    let mut reader = broker.client("reader").await;
    assert!(reader.subscribe("allowed/#").await.unwrap());
    // Mosquitto's ACL file grants every subscription and is applied to each message.
    assert!(reader.subscribe("forbidden/#").await.unwrap());
    let mut writer = broker.client("writer").await;
    let large = vec![b'z'; 300_000];
    for payload in [&b"{\"co2\": 612}"[..], b"", &large] {
        writer.publish("allowed/pool", payload).await.unwrap();
        let message = reader.next(AMPLE).await.unwrap();
        let (topic, payload) = ("allowed/pool".to_owned(), payload.to_vec());
        assert!(message == Some(Message { topic, payload, retain: false }));
    }
    writer.publish("forbidden/pool", b"x").await.unwrap();
    assert_eq!(reader.next(Duration::from_millis(300)).await.unwrap(), None);
    // A message that comes while an answer is awaited is kept, not lost.
    reader.publish("allowed/echo", b"own").await.unwrap();
    assert_eq!(reader.next(AMPLE).await.unwrap().unwrap().payload, b"own");
    writer.close().await;
    reader.close().await;
}

#[tokio::test]
async fn a_retained_message_says_so() {
    let Some(broker) = Broker::start() else { return };
    let mut reader = broker.client("reader").await;
    let ca = broker._folder.path().join("root.pem");
    std::fs::write(&ca, &broker.root_pem).unwrap();
    let (ca, port) = (ca.display().to_string(), broker.port.to_string());
    let login = ["-h", "127.0.0.1", "-p", &port, "--cafile", &ca, "-u", "display", "-P", "open sesame"];
    if Command::new("mosquitto_pub").arg("--help").output().is_err() {
        eprintln!("skipped: no mosquitto_pub");
        return;
    }
    run("mosquitto_pub", &[&login[..], &["-t", "allowed/status", "-m", "online", "-r", "-q", "1"]].concat());
    assert!(reader.subscribe("allowed/status").await.unwrap());
    let message = reader.next(AMPLE).await.unwrap().unwrap();
    assert_eq!((message.payload.as_slice(), message.retain), (&b"online"[..], true));
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_its_code_and_never_shown() {
    let Some(broker) = Broker::start() else { return };
    let password = Secret::new("battery staple", "brokers/main/display");
    let account = Account { user: "display", password: &password, client_id: "x" };
    let Err(fault) = Client::connect(broker.server(), &account, AMPLE).await else { panic!("let in") };
    assert!(matches!(fault, MqttFault::Refused { code: 4 | 5, .. }), "{fault:?}");
    assert!(!format!("{fault} {fault:?} {account:?}").contains("battery staple"));
    let other = root("Other Root").pem();
    let untrusted = Server { root_pem: &other, ..broker.server() };
    let Err(fault) = Client::connect(untrusted, &account, AMPLE).await else { panic!("let in") };
    assert!(matches!(fault, MqttFault::Tls(TlsFault::NotTrusted { .. })), "{fault:?}");
}

#[tokio::test]
async fn a_broker_that_leaves_is_said() {
    let Some(mut broker) = Broker::start() else { return };
    let mut client = broker.client("reader").await;
    broker.child.kill().unwrap();
    let fault = client.next(AMPLE).await.unwrap_err();
    assert_eq!(fault.to_string(), format!("broker 127.0.0.1:{} ended the connection", broker.port));
}
