//! A revoked client is refused by the running broker; the good one goes on.

use std::time::Instant;

use jiff::Timestamp;
use rocade::model::Period;
use rocade::pki::{IssuingOrder, KeyedLeaf, Share, crls, make_crls, revoke};

use crate::bench::{Bench, DAY, openssl};
use crate::broker::{AMPLE, Mosquitto};

fn lists(bench: &Bench) -> String {
    make_crls(bench.root(), Period(180 * DAY), Share::default(), Timestamp::now(), &bench.store()).unwrap();
    crls(bench.root()).unwrap().into_iter().map(|crl| crl.pem).collect()
}

async fn is_let_in(broker: &Mosquitto, root_pem: &str, leaf: &KeyedLeaf, client_id: &str) -> bool {
    let shown = Some((leaf.chain_pem.as_str(), &leaf.key_pem));
    let Ok(mut client) = broker.login(root_pem, shown, client_id).await else { return false };
    let good = client.publish("rocade/relays/x/verify", b"here").await.is_ok();
    client.close().await;
    good
}

#[tokio::test]
async fn a_revoked_client_is_refused_and_the_good_one_goes_on() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&["example.net"], now);
    for (name, names) in [
        ("main", &["broker.example.net"][..]),
        ("relay-good", &[]),
        ("relay-bad", &[]),
        ("spare", &["spare.example.net"]),
    ] {
        bench.issue(&authority, name, names, now);
    }
    let leaf = |name: &str| authority.leaf(name, &bench.store()).unwrap().unwrap();
    let folder = tempfile::Builder::new().prefix("rocade-broker").tempdir().unwrap();
    let Some(mut broker) = Mosquitto::of(folder.path()) else { return };
    broker.put("ca.pem", authority.root_pem().as_bytes());
    broker.put("server.pem", leaf("main").chain_pem.as_bytes());
    broker.put("server.key", leaf("main").key_pem.reveal());
    broker.put("revoked.pem", lists(&bench).as_bytes());
    broker.start(true);

    let root = authority.root_pem();
    let (good, bad) = (leaf("relay-good"), leaf("relay-bad"));
    assert!(is_let_in(&broker, root, &good, "good").await);
    assert!(is_let_in(&broker, root, &bad, "bad").await);
    // A server's certificate is no client's, one of another authority is nobody's, and none is none.
    assert!(!is_let_in(&broker, root, &leaf("spare"), "spare").await);
    let other = Bench::new();
    let theirs = other.authority(&[], now);
    other.issue(&theirs, "relay-good", &[], now);
    let forged = theirs.leaf("relay-good", &other.store()).unwrap().unwrap();
    assert!(!is_let_in(&broker, root, &forged, "forged").await);
    let bare = rocade::transport::tls::Server { port: broker.certificates, ..broker.server(root, None) };
    let password = rocade::model::Secret::new("open sesame", "nobody's");
    let account =
        rocade::transport::mqtt::Account { user: "relay-good", password: &password, client_id: "bare" };
    assert!(rocade::transport::mqtt::Client::connect(bare, &account, AMPLE).await.is_err());

    let shown = |leaf: &KeyedLeaf| (leaf.chain_pem.clone(), leaf.key_pem.clone());
    let (good_chain, good_key) = shown(&good);
    let mut steady = broker.login(root, Some((&good_chain, &good_key)), "steady").await.unwrap();
    let (bad_chain, bad_key) = shown(&bad);
    let mut lingering = broker.login(root, Some((&bad_chain, &bad_key)), "lingering").await.unwrap();
    revoke(bench.root(), "relay-bad", "key-compromise", "ada", Timestamp::now()).unwrap();
    broker.put("revoked.pem", lists(&bench).as_bytes());
    broker.reload();
    let begin = Instant::now();
    while is_let_in(&broker, root, &bad, "bad").await {
        assert!(begin.elapsed() < AMPLE, "the reload did not read the list");
    }
    assert!(is_let_in(&broker, root, &good, "good").await);
    steady.publish("rocade/relays/x/verify", b"still here").await.unwrap();
    // A reload leaves who is connected: that is why an apply restarts the broker for a list.
    lingering.publish("rocade/relays/x/verify", b"still here").await.unwrap();
    broker.stop();
    broker.start(true);
    assert!(lingering.publish("rocade/relays/x/verify", b"here").await.is_err());
    assert!(!is_let_in(&broker, root, &bad, "bad").await);
    assert!(is_let_in(&broker, root, &good, "good").await);
}

#[test]
fn the_list_is_one_to_openssl_too() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&[], now);
    bench.issue(&authority, "relay-good", &[], now);
    bench.issue(&authority, "relay-bad", &[], now);
    let serial = bench.issue(&authority, "relay-old", &[], now).serial;
    bench.issue(&authority, "relay-old", &[], now);
    bench.rocade(&["pki", "revoke", "relay-bad", "--reason", "key-compromise"], 0);
    let said = bench.rocade(&["pki", "revoke", &serial, "--reason", "superseded"], 0);
    assert!(said.contains(&format!("revoked relay-old ({serial})")), "{said}");
    bench.rocade(&["pki", "revoke", "relay-bad", "--reason", "superseded"], 1);
    let pki = bench.file("pki");
    let list = format!("crl/{}.pem", authority.issuer().key_id);
    let (_, text) = openssl(&["crl", "-in", &list, "-noout", "-text"], &pki);
    for part in ["Key Compromise", "Superseded", "X509v3 CRL Number", "X509v3 Authority Key Identifier"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let check = |name: &str| {
        let leaf = format!("leaves/{name}.pem");
        let words = ["verify", "-x509_strict", "-crl_check", "-CRLfile", &list, "-CAfile", "root.pem"];
        openssl(&[&words[..], &["-untrusted", "issuing.pem", &leaf]].concat(), &pki)
    };
    assert!(check("relay-good").0 && check("relay-old").0);
    let (good, said) = check("relay-bad");
    assert!(!good && said.contains("certificate revoked"), "{said}");

    // For Prometheus: whole, and what a scrape reads.
    let file = bench.file("rocade.prom").display().to_string();
    bench.rocade(&["pki", "status", "--prometheus", &file], 2);
    let gauges = std::fs::read_to_string(&file).unwrap();
    assert!(gauges.contains("\nrocade_pki_revoked 2\n"), "{gauges}");
    assert!(
        gauges.contains("rocade_pki_certificate_days_left{kind=\"leaf\",name=\"relay-good\""),
        "{gauges}"
    );
    let issuer = &authority.issuer().key_id;
    assert!(
        gauges.contains(&format!("rocade_pki_crl_next_update_seconds{{issuer=\"{issuer}\"}} ")),
        "{gauges}"
    );
    for line in gauges.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').unwrap().1.parse::<i64>().is_ok(), "{line}");
    }
}

/// Both authorities have the same names, made on one day: lists and leaves must still find each other.
#[test]
fn while_an_authority_is_rotated_each_leaf_is_held_against_its_own_list() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&[], now);
    for name in ["relay-good", "relay-bad"] {
        bench.issue(&authority, name, &[], now);
    }
    revoke(bench.root(), "relay-bad", "key-compromise", "ada", now).unwrap();
    bench.rocade(&["pki", "rotate", "start"], 0);
    let pki = bench.file("pki");
    let keep = |name: &str| {
        std::fs::copy(pki.join(format!("leaves/{name}.pem")), bench.file(&format!("{name}.old.pem")))
            .unwrap();
    };
    ["relay-good", "relay-bad"].iter().for_each(|name| keep(name));
    let verdicts = |leaves: &[&str]| -> Vec<bool> {
        std::fs::write(bench.file("lists.pem"), lists(&bench)).unwrap();
        std::fs::write(bench.file("trusted.pem"), rocade::pki::trusted(bench.root()).unwrap().unwrap())
            .unwrap();
        let check = |leaf: &&str| {
            let words = ["verify", "-purpose", "sslclient", "-crl_check", "-CRLfile", "lists.pem"];
            openssl(
                &[&words[..], &["-CAfile", "trusted.pem", "-untrusted", leaf, leaf]].concat(),
                bench.root(),
            )
            .0
        };
        leaves.iter().map(check).collect()
    };
    assert_eq!(verdicts(&["relay-good.old.pem", "relay-bad.old.pem"]), [true, false]);
    bench.rocade(&["pki", "rotate", "issue", "--unproven"], 0);
    let next = rocade::pki::Authority::load(bench.root()).unwrap().unwrap();
    assert_eq!(next.issuer().name, authority.issuer().name);
    for name in ["relay-good", "relay-bad"] {
        bench.issue(&next, name, &[], now);
    }
    let all =
        ["relay-good.old.pem", "relay-bad.old.pem", "pki/leaves/relay-good.pem", "pki/leaves/relay-bad.pem"];
    assert_eq!(verdicts(&all), [true, false, true, true]);
    bench.rocade(&["pki", "rotate", "finish", "--unproven"], 0);
    assert_eq!(verdicts(&all), [false, false, true, true]);
    let left: Vec<String> = crls(bench.root()).unwrap().into_iter().map(|crl| crl.issuer).collect();
    assert_eq!(left, [next.issuer().key_id.clone()]);
}

/// A list that nobody is held against any more goes; one whose key is elsewhere stays and is no change.
#[test]
fn lists_come_to_rest() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let then = now - jiff::SignedDuration::from_hours(24 * 300);
    let mut authority = bench.rooted(then);
    bench.issue(&authority, "old-one", &[], then);
    let root = authority.root().key_id.clone();
    revoke(bench.root(), "old-one", "ceased", "ada", then).unwrap();
    let order = IssuingOrder { only: &[], lifetime: Period(1825 * DAY), now: then, by: "ada" };
    authority.make_issuing(&order, &bench.store()).unwrap();
    bench.issue(&authority, "main", &["127.0.0.1", "broker.example.net"], now);
    bench.rocade(&["pki", "crl"], 0);
    let names = || crls(bench.root()).unwrap().into_iter().map(|crl| crl.issuer).collect::<Vec<_>>();
    assert!(names().len() == 2 && names().contains(&root));

    std::fs::rename(bench.file("pki/root.key.age"), bench.file("elsewhere")).unwrap();
    assert!(bench.rocade(&["pki", "crl"], 0).contains("as wished"), "the root's list is made elsewhere");
    std::fs::rename(bench.file("elsewhere"), bench.file("pki/root.key.age")).unwrap();

    // The leaf from before the intermediate is over.
    let ledger = std::fs::read_to_string(bench.file("pki/ledger.jsonl")).unwrap();
    let old = |line: &str| line.contains("\"name\":\"old-one\"");
    let year = (now + jiff::SignedDuration::from_hours(24 * 65)).strftime("%Y").to_string();
    let over: Vec<String> = ledger
        .lines()
        .map(|line| match old(line) {
            true => line.replace(&format!("\"not_after\":\"{year}"), "\"not_after\":\"2020"),
            false => line.to_owned(),
        })
        .collect();
    std::fs::write(bench.file("pki/ledger.jsonl"), over.join("\n") + "\n").unwrap();
    bench.rocade(&["pki", "crl"], 0);
    assert!(names().len() == 1 && !names().contains(&root));
    assert!(bench.rocade(&["pki", "crl"], 0).contains("as wished"));
}

/// What would leave somebody in, or keep everybody out, is said and not done.
#[test]
fn a_revocation_that_nobody_would_hear_of_is_no_success() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let mut authority = bench.rooted(now);
    bench.issue(&authority, "main", &["broker.example.net", "127.0.0.1"], now);
    let order = IssuingOrder { only: &[], lifetime: Period(1825 * DAY), now, by: "ada" };
    authority.make_issuing(&order, &bench.store()).unwrap();
    for serial in [&authority.root().serial, &authority.issuer().serial] {
        let said = bench.rocade(&["pki", "revoke", serial, "--reason", "ceased"], 1);
        assert!(said.contains("is an authority"), "{said}");
    }
    std::fs::rename(bench.file("pki/root.key.age"), bench.file("elsewhere")).unwrap();
    let said = bench.rocade(&["pki", "revoke", "main", "--reason", "ceased"], 1);
    assert!(said.contains("no list says so"), "{said}");
    std::fs::rename(bench.file("elsewhere"), bench.file("pki/root.key.age")).unwrap();
    bench.rocade(&["pki", "crl"], 0);

    // The list of one key under the name of another.
    let lists = bench.file("pki/crl");
    let of = |key: &str| lists.join(format!("{key}.pem"));
    let (root, issuing) = (of(&authority.root().key_id), of(&authority.issuer().key_id));
    std::fs::copy(&issuing, &root).unwrap();
    let said = bench.rocade(&["pki", "crl"], 1);
    assert!(said.contains("it is the list of another key") && said.contains("remove it"), "{said}");
    std::fs::remove_file(&root).unwrap();
    bench.rocade(&["pki", "crl"], 0);

    // A ledger that cannot be read as a whole.
    let ledger = std::fs::read_to_string(bench.file("pki/ledger.jsonl")).unwrap();
    std::fs::write(bench.file("pki/ledger.jsonl"), format!("\u{feff}{ledger}")).unwrap();
    assert!(bench.rocade(&["pki", "crl"], 0).contains("as wished"));
    std::fs::write(bench.file("pki/ledger.jsonl"), ledger.replace("\"revoke\"", "revoke")).unwrap();
    let said = bench.rocade(&["pki", "status"], 1);
    assert!(said.contains("nobody can tell what was revoked"), "{said}");
}
