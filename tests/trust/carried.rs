//! The root off line: a request goes out, a certificate comes back, nothing else is carried.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::bench::{Bench, openssl, printed};

/// A repository whose root's key was moved to a machine without network, with the identity that opens it.
fn parted() -> (Bench, tempfile::TempDir) {
    let bench = Bench::new();
    bench.rooted(Timestamp::now());
    let vault = tempfile::tempdir().unwrap();
    for (from, to) in [("pki/root.pem", "root.pem"), (".rocade/identity.txt", "identity.txt")] {
        fs::copy(bench.file(from), vault.path().join(to)).unwrap();
    }
    fs::rename(bench.file("pki/root.key.age"), vault.path().join("root.key.age")).unwrap();
    (bench, vault)
}

fn sign(bench: &Bench, vault: &Path, code: i32) -> String {
    let words = ["-i", "identity.txt", "pki", "sign", "asked.pem", "-o", "signed.pem"];
    printed(&bench.command_at(vault, &words).output().unwrap(), &words, code)
}

#[test]
fn the_intermediate_is_asked_for_signed_elsewhere_and_brought_back() {
    let (bench, vault) = parted();
    let yaml = fs::read_to_string(bench.file("inventory/all.yaml")).unwrap();
    let bound = "name: Example IoT Root, issuing: {lifetime: 2y, only: [example.net, 127.0.0.0/8]}";
    fs::write(bench.file("inventory/all.yaml"), yaml.replace("name: Example IoT Root", bound)).unwrap();
    let asked = vault.path().join("asked.pem").display().to_string();
    let refused = bench.rocade(&["pki", "issue", "main"], 1);
    assert!(refused.contains("the root's key is not in pki/"), "{refused}");
    bench.rocade(&["pki", "csr", "-o", &asked], 0);
    let again = fs::read_to_string(&asked).unwrap();
    bench.rocade(&["pki", "csr", "-o", &asked], 0);
    let (_, key) = openssl(&["req", "-in", &asked, "-noout", "-pubkey", "-verify"], vault.path());
    fs::write(vault.path().join("again.pem"), again).unwrap();
    let (_, key_again) = openssl(&["req", "-in", "again.pem", "-noout", "-pubkey", "-verify"], vault.path());
    assert_eq!(key, key_again, "asked twice, it is the same key that waits");

    let said = sign(&bench, vault.path(), 0);
    assert!(said.contains("only 127.0.0.0/8, example.net"), "{said}");
    let signed = vault.path().join("signed.pem").display().to_string();
    bench.rocade(&["pki", "import", &signed], 0);
    assert!(!bench.file("pki/issuing.key.age.new").exists());
    bench.rocade(&["pki", "issue", "main"], 0);
    let words =
        ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "leaves/main.pem", "leaves/main.pem"];
    let (good, said) = openssl(&words, &bench.file("pki"));
    assert!(good, "{said}");
    let status = bench.rocade(&["pki", "status"], 0);
    assert!(status.contains("its key is off line"), "{status}");

    // Renewed it keeps its key.
    let before = fs::read(bench.file("pki/issuing.pem")).unwrap();
    bench.rocade(&["pki", "csr", "-o", &asked], 0);
    sign(&bench, vault.path(), 0);
    bench.rocade(&["pki", "import", &signed], 0);
    assert_ne!(fs::read(bench.file("pki/issuing.pem")).unwrap(), before);
    assert!(bench.rocade(&["pki", "issue", "main"], 0).contains("as wished"));
}

#[test]
fn what_is_not_what_was_asked_for_is_not_taken() {
    let (bench, vault) = parted();
    let asked = vault.path().join("asked.pem").display().to_string();
    let signed = vault.path().join("signed.pem").display().to_string();
    let import = |wanted: &str| {
        let said = bench.rocade(&["pki", "import", &signed], 1);
        assert!(said.contains(wanted), "{said}");
        assert!(!bench.file("pki/issuing.pem").exists());
    };
    bench.rocade(&["pki", "csr", "-o", &asked], 0);

    // Another repository's request, signed by the right root.
    let other = Bench::new();
    fs::create_dir_all(other.file("pki")).unwrap();
    fs::copy(bench.file("pki/root.pem"), other.file("pki/root.pem")).unwrap();
    let mine = fs::read(&asked).unwrap();
    other.rocade(&["pki", "csr", "-o", &asked], 0);
    sign(&bench, vault.path(), 0);
    import("its key is none that waits here");

    // Names that the inventory does not speak of.
    let widened = [b"only: example.org\n".to_vec(), mine.clone()].concat();
    fs::write(&asked, widened).unwrap();
    sign(&bench, vault.path(), 0);
    import("it is for example.org, the inventory says anything");

    // The right request, signed by a root that only has the same name.
    let stranger = Bench::new();
    stranger.rooted(Timestamp::now());
    let theirs = tempfile::tempdir().unwrap();
    fs::write(theirs.path().join("asked.pem"), &mine).unwrap();
    for (from, to) in [
        ("pki/root.pem", "root.pem"),
        ("pki/root.key.age", "root.key.age"),
        (".rocade/identity.txt", "identity.txt"),
    ] {
        fs::copy(stranger.file(from), theirs.path().join(to)).unwrap();
    }
    sign(&stranger, theirs.path(), 0);
    fs::copy(theirs.path().join("signed.pem"), &signed).unwrap();
    import("it was not signed with the key of");

    // A server's request.
    let words =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=web"];
    let leaf = [&words[..], &["-keyout", "web.key", "-out", "asked.pem", "-addext"]].concat();
    for asks in
        ["subjectAltName=DNS:web.example.net", "basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth"]
    {
        let (good, said) = openssl(&[&leaf[..], &[asks]].concat(), vault.path());
        assert!(good, "{said}");
        let said = sign(&bench, vault.path(), 1);
        assert!(said.contains("this is a leaf's request"), "{asks}: {said}");
    }

    // A request that was changed on its way, and a leaf in its place.
    let mut broken = mine;
    let middle = broken.len() / 2;
    broken[middle] = if broken[middle] == b'A' { b'B' } else { b'A' };
    fs::write(&asked, broken).unwrap();
    let said = sign(&bench, vault.path(), 1);
    assert!(said.contains("this is not a request"), "{said}");
    fs::copy(vault.path().join("root.pem"), &signed).unwrap();
    import("it may have authorities below it");
}
