//! Chains under the intermediate, judged by OpenSSL: strictly, and for what they are for only.

use jiff::Timestamp;

use crate::bench::{Bench, openssl};

const STRICT: [&str; 6] = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem"];

#[test]
fn a_leaf_under_the_intermediate_is_good_to_who_trusts_the_root() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&[], now);
    bench.issue(&authority, "main", &["broker.example.net", "192.168.145.100"], now);
    bench.issue(&authority, "relay-pool-gw", &[], now);
    let pki = bench.file("pki");
    let check = |words: &[&str]| openssl(&[&STRICT[..], words].concat(), &pki);
    let (good, said) = check(&["-purpose", "sslserver", "-verify_ip", "192.168.145.100", "leaves/main.pem"]);
    assert!(good, "{said}");
    assert!(!check(&["-purpose", "sslclient", "leaves/main.pem"]).0);
    let (good, said) = check(&["-purpose", "sslclient", "leaves/relay-pool-gw.pem"]);
    assert!(good, "{said}");
    assert!(!check(&["-purpose", "sslserver", "leaves/relay-pool-gw.pem"]).0);
    // The file a server is given is the whole chain: nothing else is needed.
    let served = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "leaves/main.pem"];
    let (good, said) = openssl(&[&served[..], &["leaves/main.pem"]].concat(), &pki);
    assert!(good, "{said}");
    assert!(
        !openssl(&["verify", "-CAfile", "root.pem", "leaves/main.pem"], &pki).0,
        "it is of the root itself"
    );

    let (_, text) = openssl(&["x509", "-in", "issuing.pem", "-noout", "-text"], &pki);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Basic Constraints: critical CA:TRUE, pathlen:0",
        "Key Usage: critical Certificate Sign, CRL Sign",
        "X509v3 Subject Key Identifier:",
        "X509v3 Authority Key Identifier:",
        "Issuer: CN = Example IoT Root",
        "Subject: CN = Example IoT Root issuing ",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains("Name Constraints"));
}

#[test]
fn an_intermediate_signs_for_its_domains_and_networks_only() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&["example.net", "192.168.145.0/24"], now);
    let pki = bench.file("pki");
    let verdict = |name: &str, names: &[&str]| {
        bench.issue(&authority, name, names, now);
        openssl(&[&STRICT[..], &[&format!("leaves/{name}.pem")]].concat(), &pki)
    };
    for (name, names) in [
        ("inside", &["broker.example.net", "192.168.145.100"][..]),
        ("relay-pool-gw", &[]),
        ("bare", &["example.net"]),
    ] {
        let (good, said) = verdict(name, names);
        assert!(good, "{said}");
    }
    for (name, names) in [("domain", &["broker.example.org"][..]), ("network", &["192.168.146.1"])] {
        let (good, said) = verdict(name, names);
        assert!(!good && said.contains("permitted subtree violation"), "{said}");
    }
}

/// Everybody who has the words of a leaf can name who made it, when and why.
#[test]
fn the_ledger_says_who_when_and_why() {
    let bench = Bench::new();
    let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    let authority = bench.authority(&[], now);
    let leaf = bench.issue(&authority, "main", &["a.example"], now);
    rocade::pki::revoke(bench.root(), "main", "superseded", "grace@desk", now).unwrap();
    let entries = rocade::pki::ledger(bench.root()).unwrap();
    let short: Vec<[&str; 4]> =
        entries.iter().map(|entry| [&*entry.what, &*entry.why, &*entry.by, &*entry.at]).collect();
    let at = "2026-01-01T08:00:00Z";
    assert_eq!(
        short,
        [
            ["root", "root", "ada", at],
            ["issuing", "issuing", "ada", at],
            ["issue", "first", "ada", at],
            ["revoke", "superseded", "grace@desk", at],
        ]
    );
    assert_eq!(entries[3].serial, leaf.serial);
    assert_eq!(entries[2].issuer, authority.issuer().key_id);
    let gone = bench.rocade(&["pki", "revoke", "nobody", "--reason", "ceased"], 1);
    assert!(gone.contains("`nobody` is neither a leaf"), "{gone}");
}
