//! The relay shows a certificate instead of a password: its readings come through, what it was revoked for does not.

use std::fs;
use std::process::Stdio;

use crate::bed::{BROKER, GATEWAY, bed, output};
use crate::clients::{Client, Listener, Uplink, send};
use crate::site;

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_relay_with_a_certificate_brings_readings_and_a_revoked_one_is_shut_out() {
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    site.edit("brokers.yaml", "mqtts: {port: 8883}", "mqtts: {port: 8883}\n      certificates: {port: 8884}");
    site.edit("gateways.yaml", "relay: {broker: main,", "relay: {broker: main, certificate: true,");
    let planned = site.applied();
    for line in ["create certificate relay-pool-gw", "create crl revoked", "delete account relay-pool-gw"] {
        assert!(planned.contains(&line.to_owned()), "no `{line}` in {planned:?}");
    }
    let folder = "/var/config/rocade/relay";
    let modes = bed().on(GATEWAY, &format!("cd {folder} && stat -c '%a %n' client.key client.pem && ls"));
    assert!(modes.starts_with("600 client.key\n644 client.pem\n"), "{modes}");
    assert!(!modes.contains("password"), "{modes}");
    let listener = Listener::open(&site, &signage, "sites/#");
    send(&[Uplink::new("0018b21000004a2f", 8801, 1, &hex::decode("6a2000d72d0190").unwrap())]);
    listener.reading("sites/pool/hall", 8801);
    drop(listener);
    let said = site.rocade(&["verify"]).ends_with(0);
    assert!(said.out.contains("port 8884 refuses a client without a certificate"), "{}", said.out);

    // Who took the key before it was revoked comes in no more; the relay has another one by then.
    let stolen = site.beside("stolen");
    fs::create_dir_all(&stolen).unwrap();
    for name in ["client.pem", "client.key"] {
        fs::write(stolen.join(name), bed().on(GATEWAY, &format!("cat {folder}/{name}"))).unwrap();
    }
    let comes_in = || {
        let mut command = bed().operator("mosquitto_pub");
        command.args([
            "-h",
            "192.168.145.100",
            "-p",
            "8884",
            "-q",
            "1",
            "-t",
            "rocade/relays/pool-gw/x",
            "-m",
            "x",
        ]);
        command.arg("--cafile").arg(site.path("pki/root.pem"));
        command.arg("--cert").arg(stolen.join("client.pem")).arg("--key").arg(stolen.join("client.key"));
        output(command.stdin(Stdio::null())).status.success()
    };
    assert!(comes_in());
    site.rocade(&["pki", "revoke", "relay-pool-gw", "--reason", "key-compromise"]).ends_with(0);
    site.applied();
    assert!(!comes_in(), "the revoked certificate still opens the door");
    site.rocade(&["verify"]).ends_with(0);
    assert!(bed().on(BROKER, "cat /etc/mosquitto/rocade/revoked.pem").contains("BEGIN X509 CRL"));
}
