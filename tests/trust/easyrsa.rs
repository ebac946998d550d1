//! A folder that the real EasyRSA made becomes the authority.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use jiff::Timestamp;
use rocade::model::Period;
use rocade::pki::{Authority, Share, crls, make_crls};

use crate::bench::{Bench, DAY, openssl, printed};

const EASYRSA: &str = "/usr/share/easy-rsa/easyrsa";

#[expect(clippy::disallowed_methods, reason = "the maker of the folder is a program of this machine")]
fn easyrsa(folder: &Path, words: &[&str]) {
    let output = std::process::Command::new(EASYRSA)
        .args(words)
        .current_dir(folder)
        .env("EASYRSA_BATCH", "1")
        .env("EASYRSA_PKI", folder.join("pki"))
        .env("EASYRSA_PASSIN", "pass:open sesame")
        .env("EASYRSA_PASSOUT", "pass:open sesame")
        .envs((words[0] == "build-ca").then_some(("EASYRSA_REQ_CN", "Old VPN CA")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn import(bench: &Bench, folder: &str, passphrase: &str, code: i32) -> String {
    let words = ["pki", "import-easyrsa", folder];
    let mut child = bench
        .command(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(passphrase.as_bytes()).unwrap();
    printed(&child.wait_with_output().unwrap(), &words, code)
}

#[test]
fn a_real_folder_is_adopted_with_leaves_and_revocations() {
    if !Path::new(EASYRSA).exists() {
        eprintln!("skipped: no {EASYRSA}");
        return;
    }
    let old = tempfile::tempdir().unwrap();
    easyrsa(old.path(), &["init-pki"]);
    easyrsa(old.path(), &["build-ca"]);
    easyrsa(old.path(), &["build-server-full", "vpn.example.net", "nopass"]);
    easyrsa(old.path(), &["build-client-full", "sealed"]);
    easyrsa(old.path(), &["build-client-full", "leaver", "nopass"]);
    easyrsa(old.path(), &["revoke", "leaver", "keyCompromise"]);
    let pki = old.path().join("pki");
    // A certificate of the first days, with what nobody takes any more.
    let weak = ["req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-subj", "/CN=ancient", "-addext"];
    let files =
        ["extendedKeyUsage=serverAuth", "-keyout", "private/ancient.key", "-out", "issued/ancient.crt"];
    assert!(openssl(&[&weak[..], &files[..]].concat(), &pki).0);

    let bench = Bench::new();
    let folder = pki.display().to_string();
    let said = import(&bench, &folder, "wrong", 1);
    assert!(said.contains("the passphrase does not open it"), "{said}");
    assert!(!bench.file("pki/root.pem").exists());
    let said = import(&bench, &folder, "open sesame\n", 0);
    for part in [
        "adopted `Old VPN CA` with 2 certificates and 1 revoked",
        "ancient: RSA with 1024 bits",
        "ancient: signed with MD5 or SHA-1",
        "ancient: a server's with a common name only",
        "ancient: only in the ledger",
        "write `pki: {authority: {name: Old VPN CA}}`",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    assert!(import(&bench, &folder, "open sesame", 1).contains("is there already"));

    let authority = Authority::load(bench.root()).unwrap().unwrap();
    assert!(authority.leaf("sealed", &bench.store()).unwrap().is_some());
    let now = Timestamp::now();
    bench.issue(&authority, "main", &["broker.example.net"], now);
    fs::copy(pki.join("ca.crt"), bench.file("ca.crt")).unwrap();
    let (good, said) = openssl(&["verify", "-CAfile", "ca.crt", "pki/leaves/main.pem"], bench.root());
    assert!(good, "{said}");
    make_crls(bench.root(), Period(30 * DAY), Share::default(), now, &bench.store()).unwrap();
    let list = &crls(bench.root()).unwrap()[0];
    fs::write(bench.file("list.pem"), &list.pem).unwrap();
    fs::copy(
        pki.join("revoked/certs_by_serial").read_dir().unwrap().next().unwrap().unwrap().path(),
        bench.file("leaver.crt"),
    )
    .unwrap();
    let words = ["verify", "-crl_check", "-CRLfile", "list.pem", "-CAfile", "ca.crt"];
    let (good, said) = openssl(&[&words[..], &["leaver.crt"]].concat(), bench.root());
    assert!(!good && said.contains("certificate revoked"), "{said}");
    assert!(openssl(&[&words[..], &["pki/leaves/main.pem"]].concat(), bench.root()).0);
    let keys = crate::bench::run("grep", &["-rl", "PRIVATE KEY", "pki"], bench.root());
    assert_eq!(String::from_utf8_lossy(&keys.stdout), "", "no key in clear");
}
