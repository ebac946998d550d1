//! Clients that show a certificate, against the real Mosquitto of both versions: let in as who the certificate
//! says, until it is revoked.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rocade::model::{Secret, Value};
use rocade::providers::Leaf;
use rocade::providers::conduit::ConduitProvider;
use rocade::providers::mosquitto::MosquittoProvider;

use super::flow::{inventory, settle, wish};
use super::mosquitto::INVENTORY;
use super::own_broker::{Machine, host};
use super::shelf::Shelf;

/// The inventory with a relay that shows a certificate.
fn with_certificates() -> String {
    INVENTORY
        .replace("mqtts: {port: MQTTS, bind: 127.0.0.1}", "mqtts: {port: 8883}, certificates: {port: 8884}")
        .replace("WS", "9001")
        .replace("relay: {broker: main}", "relay: {broker: main, certificate: true}")
}

/// An authority that can revoke.
struct Authority {
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "Test Root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let pem = root.self_signed(&key).unwrap().pem();
        Self { root: pem, issuer: Issuer::new(root, key) }
    }

    fn leaf(&self, name: &str, purpose: ExtendedKeyUsagePurpose, serial: u64) -> Leaf {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
        leaf.distinguished_name.push(DnType::CommonName, name);
        leaf.extended_key_usages = vec![purpose];
        leaf.serial_number = Some(serial.into());
        let leaf = leaf.signed_by(&key, &self.issuer).unwrap();
        Leaf { chain_pem: leaf.pem(), key_pem: Secret::new(key.serialize_pem(), "key@1") }
    }

    fn crl(&self, revoked: Option<u64>) -> String {
        let revoked_certs = revoked.into_iter().map(|serial| RevokedCertParams {
            serial_number: serial.into(),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

impl Machine {
    /// Puts a client's certificate and key where [`Self::shows`] finds them.
    fn hold(&self, client: &str, leaf: &Leaf) {
        let (chain, key) = (&leaf.chain_pem, leaf.key_pem.reveal_text().unwrap());
        self.shell(&format!(
            "printf '%s' '{chain}' >/run/{client}.pem; printf '%s' '{key}' >/run/{client}.key"
        ));
    }

    /// Whether a publish with a certificate is let in and through (MQTT 5, whose answer tells).
    fn shows(&self, client: &str, topic: &str, more: &[&str]) -> bool {
        let (pem, key) = (format!("/run/{client}.pem"), format!("/run/{client}.key"));
        let mut argv = vec!["timeout", "5", "mosquitto_pub", "-h", "localhost", "-p", "8884", "-V", "5"];
        argv.extend(["--cafile", "/etc/mosquitto/rocade/ca.pem", "--cert", &pem, "--key", &key]);
        argv.extend(["-q", "1", "-t", topic, "-m", "x"]);
        argv.extend(more);
        let said = self.run(&argv);
        said.status.success() && !String::from_utf8_lossy(&said.stderr).contains("ot authori")
    }
}

async fn a_certificate_opens_until_it_is_revoked(machine: Machine) {
    let authority = Authority::new();
    let server = authority.leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, 1);
    let client = |serial| authority.leaf("relay-pool-gw", ExtendedKeyUsagePurpose::ClientAuth, serial);
    machine.hold("stolen", &client(7));
    machine.hold("next", &client(8));
    machine.hold("server", &server);
    machine.hold("foreign", &Authority::new().leaf("relay-pool-gw", ExtendedKeyUsagePurpose::ClientAuth, 7));
    let wished = |revoked| {
        let mut shelf = Shelf::filled();
        shelf.certificates = Some((authority.root.clone(), server.clone()));
        shelf.crls = Some(authority.crl(revoked));
        wish(&MosquittoProvider, &inventory(&with_certificates()), "main", &shelf)
    };
    settle(&MosquittoProvider, &wished(None), &host(&machine)).await;

    assert!(machine.shows("stolen", "sites/pool/hall", &[]), "{}", machine.shell("cat /var/log/mosquitto/*"));
    assert!(machine.shows("next", "sites/pool/hall", &[]));
    assert!(!machine.shows("next", "sites/pool/other", &[]), "its rights are those of its name");
    let claim = ["-u", "rocade-verify", "-P", "verify password"];
    assert!(!machine.shows("next", "rocade/verify/x", &claim), "it is who its certificate says");
    assert!(machine.shows("next", "sites/pool/hall", &claim), "it is who its certificate says");
    assert!(!machine.shows("foreign", "sites/pool/hall", &[]), "another authority's");
    assert!(!machine.shows("server", "sites/pool/hall", &[]), "a server's certificate is no client's");
    let without = ["-p", "8884", "-q", "1", "-t", "rocade/verify/x", "-m", "x"];
    let with_password = |rest: &[&str]| {
        machine.client("mosquitto_pub", "rocade-verify", "verify password", rest).status.success()
    };
    assert!(!with_password(&without), "a password is no certificate");
    assert!(with_password(&without[2..]), "the other listener takes passwords");
    let log = machine.shell("cat /var/log/mosquitto/mosquitto.log");
    assert!(!log.contains("deprecated") && !log.contains("will refuse"), "{log}");

    let lines = settle(&MosquittoProvider, &wished(Some(7)), &host(&machine)).await;
    assert_eq!(lines[0], "~ file /etc/mosquitto/rocade/revoked.pem", "{lines:?}");
    assert!(!machine.shows("stolen", "sites/pool/hall", &[]), "it is revoked");
    assert!(machine.shows("next", "sites/pool/hall", &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_mosquitto_2_0_until_it_is_revoked() {
    let Some(machine) = Machine::boot() else { return };
    a_certificate_opens_until_it_is_revoked(machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_mosquitto_2_1_until_it_is_revoked() {
    let Some(machine) = Machine::boot_newer() else { return };
    a_certificate_opens_until_it_is_revoked(machine).await;
}

/// The relay's own port, the forwarded one, the one bound: the first that is said.
#[test]
fn a_relay_with_a_certificate_finds_the_port_that_is_forwarded_to_it() {
    let remote = |reached: &str, relay: &str| {
        let text = with_certificates()
            .replace("    clients:", &format!("    {reached}\n    clients:"))
            .replace("certificate: true", &format!("certificate: true{relay}"));
        let wish = wish(&ConduitProvider, &inventory(&text), "pool-gw", &Shelf::filled());
        let config = wish.resources.iter().find(|(key, _)| key.name.ends_with("/relay/config.json"));
        let Value::Text(text) = &config.unwrap().1.fields["content"] else { panic!() };
        let config: serde_json::Value = serde_json::from_str(text).unwrap();
        format!("{}:{}", config["remote"]["host"].as_str().unwrap(), config["remote"]["port"])
    };
    let forwarded = "reached_at: {address: localhost, port: 18883, certificates: 18884}";
    assert_eq!(remote(forwarded, ""), "localhost:18884");
    assert_eq!(remote(forwarded, ", via: 127.0.0.1"), "127.0.0.1:8884");
    assert_eq!(remote(forwarded, ", port: 28884"), "localhost:28884");
    assert_eq!(remote("reached_at: {port: 18883}", ""), "127.0.0.1:8884");
}
