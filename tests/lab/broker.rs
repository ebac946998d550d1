//! Mosquitto's own clients against the simulated broker, configured the way a person or rocade would.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rocade::host::{Answer, Ask, Order, Ruling, ServiceAct};
use rocade::lab::DevicePlan;
use rocade::model::Secret;
use serde_json::json;
use tokio::process::Command;

use crate::clients::{Bench, err, installed, out, run};

const ACL: &str = "user relay-pool-gw\ntopic write sites/pool/hall\ntopic write rocade/relays/pool-gw/#\n\
                   user signage\ntopic read sites/pool/#\ntopic read rocade/relays/#\n";

struct Site {
    bench: Bench,
    port: u16,
    ca_pem: String,
    ca: PathBuf,
}

fn put(path: &str, content: &str) -> Order {
    Order::Put {
        path: path.to_owned(),
        content: Secret::new(content, "test"),
        mode: "0644".to_owned(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
    }
}

fn directory(path: &str) -> Order {
    let root = || "root".to_owned();
    Order::Directory { path: path.to_owned(), mode: "0755".to_owned(), owner: root(), group: root() }
}

fn restart(name: &str) -> Order {
    Order::Service { name: name.to_owned(), act: ServiceAct::Restart, watch: Vec::new() }
}

fn account(user: &str, password: &str) -> String {
    let mut hash = [0; 64];
    pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password.as_bytes(), b"0123456789ab", 101, &mut hash);
    format!("{user}:$7$101${}${}\n", STANDARD.encode(b"0123456789ab"), STANDARD.encode(hash))
}

/// Root, chain and key, all PEM.
fn certificates() -> (String, String, String) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.distinguished_name.push(DnType::CommonName, "Test Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    (issuer.pem(), leaf.pem(), key.serialize_pem())
}

impl Site {
    async fn start() -> Option<Self> {
        if !installed(&["ssh", "ssh-keygen", "mosquitto_pub", "mosquitto_sub"]) {
            return None;
        }
        let bench = Bench::start(vec![DevicePlan::conduit("pool-gw"), DevicePlan::debian("main")]).await;
        let (ca_pem, chain, key) = certificates();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let conf = format!(
            "allow_anonymous false\npassword_file /etc/mosquitto/rocade/passwd\nacl_file /etc/mosquitto/rocade/acl\n\
             listener {port}\ncafile /etc/mosquitto/rocade/ca.pem\ncertfile /etc/mosquitto/rocade/server.pem\n\
             keyfile /etc/mosquitto/rocade/server.key\n"
        );
        let passwd = account("relay-pool-gw", "relay-word") + &account("signage", "signage-word");
        let orders = [
            Order::Install { package: "mosquitto".to_owned() },
            directory("/etc/mosquitto/rocade"),
            put("/etc/mosquitto/rocade/ca.pem", &ca_pem),
            put("/etc/mosquitto/rocade/server.pem", &chain),
            put("/etc/mosquitto/rocade/server.key", &key),
            put("/etc/mosquitto/rocade/passwd", &passwd),
            put("/etc/mosquitto/rocade/acl", ACL),
            put("/etc/mosquitto/conf.d/rocade.conf", &conf),
            restart("mosquitto"),
        ];
        let rulings = bench.order(bench.device("main"), &orders).await;
        assert!(rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_))), "{rulings:?}");
        let ca = bench.folder.path().join("ca.pem");
        std::fs::write(&ca, &ca_pem).unwrap();
        Some(Self { bench, port, ca_pem, ca })
    }

    fn client(&self, program: &str, user: &str, password: &str, topic: &str) -> Command {
        let mut client = Command::new(program);
        client.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-u",
            user,
            "-P",
            password,
            "-t",
            topic,
        ]);
        client.arg("--cafile").arg(&self.ca);
        client
    }

    async fn publish(&self, user: &str, password: &str, topic: &str, payload: &str) -> (bool, String) {
        let mut client = self.client("mosquitto_pub", user, password, topic);
        client.args(["-q", "1", "-r", "-m", payload]);
        let output = run(client, b"").await;
        (output.status.success(), err(&output))
    }

    /// The first message on a topic; empty when none comes within the seconds.
    async fn first(&self, user: &str, topic: &str, seconds: &str) -> String {
        let mut client = self.client("mosquitto_sub", user, &format!("{user}-word"), topic);
        client.args(["-C", "1", "-W", seconds]);
        out(&run(client, b"").await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_message_arrives_and_is_retained() {
    let Some(site) = Site::start().await else { return };
    let (sent, error) = site.publish("relay-pool-gw", "relay-word", "sites/pool/hall", "27.5").await;
    assert!(sent, "{error}");
    assert_eq!(site.first("signage", "sites/#", "20").await, "27.5\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_acknowledged_and_dropped() {
    let Some(site) = Site::start().await else { return };
    let (sent, error) = site.publish("signage", "signage-word", "sites/pool/hall", "forged").await;
    assert!(sent, "{error}");
    let (sent, _) = site.publish("relay-pool-gw", "relay-word", "sites/pool/hall", "true").await;
    assert!(sent);
    assert_eq!(site.first("signage", "sites/pool/hall", "20").await, "true\n");
    let words: Vec<String> =
        site.bench.device("main").log().entries().into_iter().map(|one| one.what).collect();
    assert!(words.contains(&"publish sites/pool/hall by signage: denied".to_owned()), "{words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_other_roots_are_refused() {
    let Some(site) = Site::start().await else { return };
    let (sent, error) = site.publish("relay-pool-gw", "wrong", "sites/pool/hall", "x").await;
    assert!(!sent && error.contains("not authorised"), "{error}");
    std::fs::write(&site.ca, certificates().0).unwrap();
    let (sent, error) = site.publish("relay-pool-gw", "relay-word", "sites/pool/hall", "x").await;
    assert!(!sent && error.to_lowercase().contains("tls"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_found_by_a_trial_and_stops_a_restart() {
    let Some(site) = Site::start().await else { return };
    let host = site.bench.device("main");
    let bad = "/etc/mosquitto/candidate.conf";
    let trial = |path: &str| Order::Trial {
        argv: ["/usr/sbin/mosquitto", "-c", path].map(str::to_owned).into(),
        seconds: 2,
    };
    let rulings = site.bench.order(host, &[trial("/etc/mosquitto/mosquitto.conf")]).await;
    assert!(matches!(rulings[..], [Ruling::Done(_)]), "{rulings:?}");
    let rulings = site.bench.order(host, &[put(bad, "listner 1\n"), trial(bad)]).await;
    let [Ruling::Done(_), Ruling::Failed(why)] = &rulings[..] else { panic!("{rulings:?}") };
    assert!(why.contains("Unknown configuration variable"), "{why}");
    let listening = async || match site.bench.ask(host, &[Ask::Listening]).await.remove(0) {
        Answer::Names(names) => names.contains(&format!("0.0.0.0:{}", site.port)),
        other => panic!("{other:?}"),
    };
    assert!(listening().await);
    let orders = [put("/etc/mosquitto/conf.d/rocade.conf", "listner 1\n"), restart("mosquitto")];
    let rulings = site.bench.order(host, &orders).await;
    assert!(matches!(rulings[..], [Ruling::Done(_), Ruling::Failed(_)]), "{rulings:?}");
    assert!(!listening().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_says_it_is_online_and_answers_probes() {
    let Some(site) = Site::start().await else { return };
    let gateway = site.bench.device("pool-gw");
    let relay = "/var/config/rocade/relay";
    let config = json!({
        "format": 1, "gateway": "pool-gw", "site": "pool",
        "local": {"host": "127.0.0.1", "port": 1883, "topic": "lora/+/+/up", "probe_topic": "rocade/probe"},
        "remote": {"host": "127.0.0.1", "port": site.port, "ca_file": format!("{relay}/ca.pem"),
                   "username": "relay-pool-gw", "password_file": format!("{relay}/password"),
                   "client_id": "rocade-relay-pool-gw", "keepalive_s": 60},
        "spool": {"dir": "/var/config/rocade/spool", "max_bytes": 16_777_216},
        "status_topic": "rocade/relays/pool-gw/status", "probe_reply_topic": "rocade/relays/pool-gw/probe",
        "sensors": {},
    });
    let orders = [
        directory(relay),
        put(&format!("{relay}/main.py"), "# the relay\n"),
        put(&format!("{relay}/config.json"), &config.to_string()),
        put(&format!("{relay}/ca.pem"), &site.ca_pem),
        put(&format!("{relay}/password"), "relay-word\n"),
        put("/etc/init.d/rocade-relay", "#!/bin/sh\n"),
        restart("rocade-relay"),
    ];
    let rulings = site.bench.order(gateway, &orders).await;
    assert!(rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_))), "{rulings:?}");
    let status = site.first("signage", "rocade/relays/pool-gw/status", "20").await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&status).unwrap()["state"], "online");

    let (main, conf) = (format!("{relay}/main.py"), format!("{relay}/config.json"));
    let argv = ["python3", &main, "--config", &conf, "--probe", "n0nce"].map(str::to_owned).into();
    let probe = [Order::Run { argv, stdin: Secret::new("", "none") }];
    let reply = site.first("signage", "rocade/relays/pool-gw/probe", "20");
    let send = async {
        // The subscription must stand before the probe: the broker's log says when it does.
        let subscribed = "subscribe rocade/relays/pool-gw/probe";
        while !site.bench.device("main").log().entries().iter().any(|entry| entry.what == subscribed) {
            tokio::task::yield_now().await;
        }
        site.bench.order(gateway, &probe).await
    };
    let (reply, rulings) = tokio::join!(reply, send);
    assert!(matches!(rulings[..], [Ruling::Done(_)]), "{rulings:?}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&reply).unwrap()["nonce"], "n0nce");

    let stop = Order::Service { name: "rocade-relay".to_owned(), act: ServiceAct::Stop, watch: Vec::new() };
    site.bench.order(gateway, &[stop]).await;
    let offline = async {
        loop {
            let status = site.first("signage", "rocade/relays/pool-gw/status", "20").await;
            if status.contains("offline") {
                break status;
            }
        }
    };
    assert!(offline.await.contains("pool-gw"));
}
