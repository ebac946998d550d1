//! The certificate authority, judged by OpenSSL and by Python's TLS: two verifiers that are not ours.

#![allow(clippy::unwrap_used, reason = "a test whose ground cannot be laid has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::{Timestamp, ToSpan};
use rocade::model::Period;
use rocade::pki::{Authority, Certificate, LeafOrder, RootOrder, Share, State, leaf_certificate, status};
use rocade::secrets::{IdentitySource, Store, enrol, keygen};

const DAY: u64 = 86_400;
const NAMES: [&str; 3] = ["192.168.145.100", "Broker.example.net", "127.0.0.1"];

/// A repository with an identity, and no certificates yet.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        keygen(&folder.path().join(".rocade/identity.txt"), Some(folder.path()), None).unwrap();
        Self { folder }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join("pki").join(name)
    }

    fn store(&self) -> Store {
        Store::open(self.root(), IdentitySource::Default { config_dir: None }).unwrap()
    }

    fn authority(&self, now: Timestamp) -> Authority {
        let order = RootOrder { name: "Example IoT Root", lifetime: Period(3650 * DAY), now, by: "ada" };
        Authority::create(self.root(), &order, &self.store()).unwrap()
    }

    fn issue(&self, authority: &Authority, names: &[&str], now: Timestamp) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        authority.issue(&order(&names, now), &self.store()).unwrap()
    }
}

fn order(names: &[String], now: Timestamp) -> LeafOrder<'_> {
    LeafOrder {
        name: "main",
        names,
        client: false,
        lifetime: Period(365 * DAY),
        now,
        why: "first",
        by: "ada",
    }
}

#[expect(clippy::disallowed_methods, reason = "the verifiers are programs of this machine")]
fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn openssl(arguments: &[&str], folder: &Path) -> String {
    let output = run("openssl", arguments, folder);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {text}");
    text
}

#[test]
fn openssl_accepts_the_chain_strictly_for_its_names_only() {
    let repository = Repository::new();
    let now = Timestamp::now();
    repository.issue(&repository.authority(now), &NAMES, now);
    let folder = repository.file("");
    let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "root.pem"];
    let check = |extra: &[&str]| {
        run("openssl", &[&verify[..], extra, &["leaves/main.pem"]].concat(), &folder).status.success()
    };
    assert!(check(&[]));
    assert!(check(&["-verify_hostname", "broker.example.net"]));
    assert!(check(&["-verify_ip", "192.168.145.100"]));
    assert!(!check(&["-verify_hostname", "other.example.net"]));
    assert!(!check(&["-verify_ip", "192.168.145.101"]));
    assert!(!check(&["-purpose", "sslclient"]));
    openssl(&["verify", "-x509_strict", "-CAfile", "root.pem", "root.pem"], &folder);

    let other = Repository::new();
    other.authority(now);
    let theirs = other.file("root.pem");
    let arguments = ["verify", "-CAfile", theirs.to_str().unwrap(), "leaves/main.pem"];
    assert!(!run("openssl", &arguments, &folder).status.success());
}

#[test]
fn extensions_are_those_of_the_profile() {
    let repository = Repository::new();
    let now = Timestamp::now();
    let authority = repository.authority(now);
    let names = vec!["a.example".to_owned()];
    let leaf =
        authority.issue(&LeafOrder { client: true, ..order(&names, now) }, &repository.store()).unwrap();
    let folder = repository.file("");
    let text = |file: &str| openssl(&["x509", "-in", file, "-noout", "-text"], &folder);
    let has = |text: &str, parts: &[&str]| {
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(squeezed.contains(part), "no `{part}` in {text}");
        }
    };
    has(
        &text("root.pem"),
        &[
            "X509v3 Basic Constraints: critical CA:TRUE, pathlen:1",
            "X509v3 Key Usage: critical Certificate Sign, CRL Sign",
            "X509v3 Subject Key Identifier:",
            "Subject: CN = Example IoT Root",
            "ASN1 OID: prime256v1",
        ],
    );
    has(
        &text("leaves/main.pem"),
        &[
            "X509v3 Basic Constraints: critical CA:FALSE",
            "X509v3 Key Usage: critical Digital Signature",
            "TLS Web Server Authentication, TLS Web Client Authentication",
            "DNS:a.example",
            "X509v3 Authority Key Identifier:",
            "X509v3 Subject Key Identifier:",
        ],
    );
    let serial = openssl(&["x509", "-in", "leaves/main.pem", "-noout", "-serial"], &folder);
    assert_eq!(serial.trim().to_lowercase(), format!("serial={}", leaf.serial));
    assert_eq!(leaf.serial.len(), 32, "{}", leaf.serial);
    assert_eq!(leaf.not_before, at_second(now - 1.hour()));
    assert_eq!(leaf.not_after, at_second(now + (365 * 24).hours()));
}

fn at_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap()
}

const HANDSHAKES: &str = r#"
import socket, ssl, sys, threading
chain, key, root, *names = sys.argv[1:]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(chain, key)
listener = socket.create_server(("127.0.0.1", 0))

def serve():
    for _ in names:
        connection, _ = listener.accept()
        try:
            server.wrap_socket(connection, server_side=True).sendall(b"hello")
        except (ssl.SSLError, OSError):
            connection.close()

threading.Thread(target=serve, daemon=True).start()
for name in names:
    client = ssl.create_default_context(cafile=root)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(listener.getsockname()) as connection:
        try:
            with client.wrap_socket(connection, server_hostname=name) as tls:
                print(name, tls.recv(5).decode())
        except ssl.SSLCertVerificationError as refusal:
            print(name, refusal.verify_message)
"#;

#[test]
fn a_real_client_accepts_each_name_and_no_other() {
    let repository = Repository::new();
    let now = Timestamp::now();
    let authority = repository.authority(now);
    repository.issue(&authority, &NAMES, now);
    let leaf = authority.leaf("main", &repository.store()).unwrap().unwrap();
    let served = tempfile::tempdir().unwrap();
    fs::write(served.path().join("chain.pem"), &leaf.chain_pem).unwrap();
    fs::write(served.path().join("key.pem"), leaf.key_pem.reveal()).unwrap();
    fs::write(served.path().join("root.pem"), authority.root_pem()).unwrap();
    let files = ["-c", HANDSHAKES, "chain.pem", "key.pem", "root.pem"];
    let names = ["broker.example.net", "192.168.145.100", "127.0.0.1", "other.example.net", "127.0.0.2"];
    let output = run("python3", &[&files[..], &names[..]].concat(), served.path());
    let seen = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.len(), 5, "{seen}{}", String::from_utf8_lossy(&output.stderr));
    for (line, name) in lines.iter().zip(&names[..3]) {
        assert_eq!(*line, format!("{name} hello"));
    }
    assert!(lines[3].starts_with("other.example.net Hostname mismatch"), "{seen}");
    assert!(lines[4].starts_with("127.0.0.2 IP address mismatch"), "{seen}");
}

/// The root can be used off line: age and OpenSSL are enough to have its key.
#[test]
fn age_and_openssl_alone_open_the_root_key() {
    let repository = Repository::new();
    repository.authority(Timestamp::now());
    let identity = fs::read_to_string(repository.root().join(".rocade/identity.txt")).unwrap();
    let identity: age::x25519::Identity = identity.lines().last().unwrap().parse().unwrap();
    let plain = age::decrypt(&identity, &fs::read(repository.file("root.key.age")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("root.key"), plain).unwrap();
    let of_key = openssl(&["pkey", "-in", "root.key", "-pubout"], folder.path());
    let of_root = openssl(&["x509", "-in", "root.pem", "-noout", "-pubkey"], &repository.file(""));
    assert_eq!(of_key, of_root);
}

#[test]
fn keys_are_on_disk_as_age_and_nothing_else() {
    let repository = Repository::new();
    let now = Timestamp::now();
    repository.issue(&repository.authority(now), &NAMES, now);
    let keys = |folder: &Path| {
        let output = run("grep", &["-rlE", "PRIVATE KEY", "."], folder);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(keys(repository.root()), "");
    fs::write(repository.file("planted"), "-----BEGIN PRIVATE KEY-----").unwrap();
    assert_eq!(keys(repository.root()), "./pki/planted\n");
    for key in ["root.key.age", "leaves/main.key.age"] {
        let text = fs::read_to_string(repository.file(key)).unwrap();
        assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
    }
}

#[test]
fn a_leaf_never_outlives_its_root() {
    let repository = Repository::new();
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let authority = repository.authority(start);
    let end = authority.root().not_after;
    assert_eq!(end, start + (3650 * 24).hours());
    let late = end - (30 * 24).hours();
    let leaf = repository.issue(&authority, &["a.example"], late);
    assert_eq!(leaf.not_after, end);
    assert!(!Share::default().is_over(&leaf, late), "a leaf just issued is not due");
    assert!(Share::default().is_over(&leaf, late + (20 * 24).hours()));
    assert!(!Share::default().is_over(&leaf, late + (20 * 24 - 1).hours()));
    let last = end - 30.minutes();
    let leaf = repository.issue(&authority, &["a.example"], last);
    assert!(!Share::default().is_over(&leaf, last), "nor is one that lives for half an hour");
    let names = ["a.example".to_owned()];
    let error = authority.issue(&order(&names, end), &repository.store()).unwrap_err();
    assert!(error.to_string().contains("ended on 2035-12-30"), "{error}");
}

#[test]
fn what_is_issued_stands_in_the_ledger() {
    let repository = Repository::new();
    let now = Timestamp::now();
    let authority = repository.authority(now);
    let first = repository.issue(&authority, &["a.example"], now);
    // The last line of a run that was stopped stays by itself.
    let ledger = fs::read_to_string(repository.file("ledger.jsonl")).unwrap() + "{\"serial\":";
    fs::write(repository.file("ledger.jsonl"), ledger).unwrap();
    let second = repository.issue(&authority, &["b.example"], now);
    let ledger = fs::read_to_string(repository.file("ledger.jsonl")).unwrap();
    let lines: Vec<&str> = ledger.lines().collect();
    assert_eq!(lines.len(), 4);
    for (line, certificate) in [(0, authority.root()), (1, &first), (3, &second)] {
        let line: serde_json::Value = serde_json::from_str(lines[line]).unwrap();
        assert_eq!(line["serial"], certificate.serial.as_str());
        assert_eq!(line["names"], serde_json::json!(certificate.names));
        assert_eq!(line["not_after"], certificate.not_after.to_string());
    }
}

#[test]
fn a_renewal_stopped_anywhere_leaves_a_certificate_with_its_key() {
    let repository = Repository::new();
    let now = Timestamp::now();
    let authority = repository.authority(now);
    let store = repository.store();
    let [certificate, key, next] = ["leaves/main.pem", "leaves/main.key.age", "leaves/main.key.age.new"]
        .map(|name| repository.file(name));
    repository.issue(&authority, &["a.example"], now);
    let (old_certificate, old_key) = (fs::read(&certificate).unwrap(), fs::read(&key).unwrap());
    repository.issue(&authority, &["a.example"], now);
    let (new_certificate, new_key) = (fs::read(&certificate).unwrap(), fs::read(&key).unwrap());
    assert!(!next.exists());
    assert_ne!(old_key, new_key);
    let key_of_leaf = || authority.leaf("main", &store).unwrap().unwrap().key_pem;
    let key_of_renewed = key_of_leaf().reveal().to_vec();

    // Stopped after the new key was written: the old pair stands.
    fs::write(&certificate, &old_certificate).unwrap();
    fs::write(&key, &old_key).unwrap();
    fs::write(&next, &new_key).unwrap();
    assert_ne!(key_of_leaf().reveal(), key_of_renewed);

    // Stopped after the certificate was replaced: the new pair stands.
    fs::write(&certificate, &new_certificate).unwrap();
    assert_eq!(key_of_leaf().reveal(), key_of_renewed);

    // The next renewal first names that key rightly, so that it never writes over the key in use.
    let recipients = repository.root().join("inventory/secrets/recipients.txt");
    fs::write(&recipients, "").unwrap();
    let names = ["a.example".to_owned()];
    let error = authority.issue(&order(&names, now), &store).unwrap_err();
    assert!(error.to_string().contains("names nobody"), "{error}");
    assert!(!next.exists());
    assert_eq!(fs::read(&key).unwrap(), new_key);
    assert_eq!(key_of_leaf().reveal(), key_of_renewed);

    // A pair that does not belong together is refused.
    fs::write(&certificate, &old_certificate).unwrap();
    let error = authority.leaf("main", &store).unwrap_err();
    assert!(error.to_string().contains("is not the key of the certificate"), "{error}");
}

#[test]
fn a_waiting_root_key_is_replaced_and_a_root_and_its_key_never_are() {
    let repository = Repository::new();
    let now = Timestamp::now();
    repository.authority(now);
    fs::rename(repository.file("root.pem"), repository.file("kept.pem")).unwrap();
    assert!(Authority::load(repository.root()).unwrap().is_none());
    let key = fs::read(repository.file("root.key.age")).unwrap();
    let order = RootOrder { name: "Another", lifetime: Period(DAY), now, by: "ada" };
    let lost = Authority::create(repository.root(), &order, &repository.store());
    let said = lost.err().unwrap().to_string();
    assert!(said.contains("pki/root.key.age is there without its certificate"), "{said}");
    assert_eq!(fs::read(repository.file("root.key.age")).unwrap(), key);
    // Stopped before the certificate was there.
    fs::rename(repository.file("root.key.age"), repository.file("root.key.age.new")).unwrap();
    let authority = repository.authority(now);
    repository.issue(&authority, &["a.example"], now);
    let order = RootOrder { name: "Again", lifetime: Period(DAY), now, by: "ada" };
    let again = Authority::create(repository.root(), &order, &repository.store());
    assert!(again.err().unwrap().to_string().contains("is there already"));

    // Off line: without its key the root still verifies, and issues nothing.
    fs::remove_file(repository.file("root.key.age")).unwrap();
    let authority = Authority::load(repository.root()).unwrap().unwrap();
    let names = ["b.example".to_owned()];
    let error = authority.issue(&self::order(&names, now), &repository.store()).unwrap_err();
    assert!(error.to_string().contains("kept elsewhere"), "{error}");
    assert!(authority.leaf("main", &repository.store()).unwrap().is_some());
}

#[test]
fn status_tells_each_leaf_from_what_is_wished() {
    let repository = Repository::new();
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let authority = repository.authority(now);
    repository.issue(&authority, &["a.example"], now);
    fs::write(repository.file("leaves/broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    let wished = BTreeMap::from([
        ("main".to_owned(), vec!["a.example".to_owned(), "b.example".to_owned()]),
        ("absent".to_owned(), vec!["c.example".to_owned()]),
    ]);
    let later = now + (300 * 24).hours();
    let rows = status(repository.root(), &wished, Share::default(), later).unwrap();
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["absent", "broken", "main"]);
    assert!(matches!(rows[0].state, State::Missing));
    assert!(matches!(rows[1].state, State::Damaged(_)));
    let State::Held { days_left, due, foreign, wished_names, .. } = &rows[2].state else { panic!() };
    assert_eq!((*days_left, *due, *foreign), (65, true, false));
    assert_eq!(*wished_names, Some(wished["main"].clone()));
}

#[test]
fn rekey_gives_keys_to_a_new_recipient() {
    let repository = Repository::new();
    let now = Timestamp::now();
    let authority = repository.authority(now);
    repository.issue(&authority, &["a.example"], now);
    let second = keygen(&repository.root().join("second.txt"), None, None).unwrap();
    enrol(repository.root(), &second, None).unwrap();
    let theirs =
        Store::open(repository.root(), IdentitySource::File(repository.root().join("second.txt"))).unwrap();
    assert!(authority.leaf("main", &theirs).is_err());
    let store = repository.store();
    assert_eq!(store.rekey().unwrap(), ["pki/leaves/main.key", "pki/root.key"]);
    assert_eq!(store.rekey().unwrap(), Vec::<String>::new());
    assert!(authority.leaf("main", &theirs).unwrap().is_some());
    assert!(leaf_certificate(repository.root(), "../root").is_err());
}
