//! The target `pki authority`: from an empty `pki/` to a plan that is empty, and what moves it again.

#![allow(clippy::unwrap_used, reason = "a test whose ground cannot be laid has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::BoxFuture;
use jiff::{Timestamp, ToSpan};
use rocade::host::{Answer, Ask, Order, Ruling};
use rocade::inventory::{self, Inventory};
use rocade::model::{Action, Address, Key, Observed, Outcome, Plan, Report, Secret, Value, Wish};
use rocade::pki::{Authority, leaf_certificate, root_certificate};
use rocade::plan::{self, Pair};
use rocade::providers::mosquitto::minted;
use rocade::providers::pki::PkiProvider;
use rocade::providers::{Fault, Found, Job, Leaf, Lookup, Provider};
use rocade::secrets::{IdentitySource, Store, keygen};
use rocade::transport::{Hosting, Reading, Writing};

const INVENTORY: &str = r#"
sites: {pool: {title: Pool}}
pki: {authority: {name: Example IoT Root, leaf_lifetime: 300d, renew_at: 1/2}}
brokers:
  main:
    model: mosquitto
    address: broker.example.net
    names: [broker.example.net, 192.168.145.100]
    listeners: {mqtts: {port: 8883}}
gateways:
  pool-gw:
    site: pool
    model: multitech-conduit
    address: 192.168.2.1
    lorawan: {region: EU868, network_key: {secret: gateways/pool-gw/network}}
    relay: {broker: main}
  own-gw:
    site: pool
    model: multitech-conduit
    address: 192.168.2.2
    lorawan: {region: EU868, network_key: {secret: gateways/own-gw/network}}
    relay: {broker: main, password: {secret: gateways/own-gw/mine}}
"#;

/// The repository is no host: whoever asks this one has taken a wrong way.
struct NoHost;

impl Hosting for NoHost {
    fn ask<'a>(&'a self, _asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        unreachable!("files of the repository are read without a host")
    }

    fn order<'a>(
        &'a self,
        _orders: &'a [Order],
        _each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        unreachable!("files of the repository are written without a host")
    }
}

/// The root certificate as it stands; this target looks up nothing else.
struct RootOnly<'a>(&'a Path);

impl Lookup for RootOnly<'_> {
    fn authority(&self) -> Result<Found<String>, Fault> {
        match root_certificate(self.0) {
            Ok(Some(root)) => Ok(Found::Ready(root.pem)),
            Ok(None) => Ok(Found::Pending("the root certificate".into())),
            Err(error) => Err(Fault::new(format!("{error:#}"))),
        }
    }

    fn secret(&self, _path: &str) -> Result<Found<Secret>, Fault> {
        unreachable!("a plan of this target opens no secret")
    }

    fn minted(&self, _path: &str) -> Result<Found<Secret>, Fault> {
        unreachable!("a plan of this target opens no secret")
    }

    fn leaf(&self, _name: &str) -> Result<Found<Leaf>, Fault> {
        unreachable!("a plan of this target opens no key")
    }

    fn source(&self, _path: &str) -> Result<Vec<u8>, Fault> {
        unreachable!("this target has no templates")
    }

    fn sources(&self, _folder: &str) -> Vec<String> {
        unreachable!("this target has no templates")
    }

    fn render(&self, _path: &str, _context: &serde_json::Value) -> Result<String, Fault> {
        unreachable!("this target has no templates")
    }
}

#[derive(Default)]
struct Ends(Vec<(String, Outcome)>);

impl Report for Ends {
    fn step(&mut self, address: &Address, outcome: Outcome) {
        self.0.push((address.key.to_string(), outcome));
    }
}

/// A repository at a moment.
struct Bench {
    folder: tempfile::TempDir,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let bench =
            Self { folder: tempfile::tempdir().unwrap(), now: "2026-01-01T08:00:00Z".parse().unwrap() };
        keygen(&bench.root().join(".rocade/identity.txt"), Some(bench.root()), None).unwrap();
        fs::write(bench.root().join("inventory/all.yaml"), INVENTORY).unwrap();
        bench
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join("pki").join(name)
    }

    fn inventory(&self) -> Inventory {
        inventory::load(self.root()).unwrap_or_else(|report| panic!("{report}")).inventory
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.root().join("inventory/all.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn store(&self) -> Store {
        Store::open(self.root(), IdentitySource::Default { config_dir: None }).unwrap()
    }

    fn provider(&self) -> PkiProvider {
        PkiProvider::new(self.root().to_owned(), Arc::new(self.store()), self.now)
    }

    fn wish(&self, provider: &PkiProvider) -> Result<Wish, Vec<Fault>> {
        let inventory = self.inventory();
        let site = provider.sites(&inventory).remove(0);
        provider.desire(&inventory, &site.target, &RootOnly(self.root()))
    }

    fn survey(&self) -> (PkiProvider, Wish, Observed) {
        let provider = self.provider();
        let wish = self.wish(&provider).unwrap_or_else(|faults| panic!("{faults:?}"));
        let observed = block_on(provider.observe(&wish, Reading::on(&NoHost)));
        (provider, wish, observed)
    }

    fn plan(&self) -> Plan {
        let (provider, wish, observed) = self.survey();
        plan::make(&[Pair { wish: &wish, observed: &observed, table: provider.collections() }])
    }

    fn apply(&self, plan: &Plan) -> Vec<(String, Outcome)> {
        let (provider, wish, observed) = self.survey();
        let mut ends = Ends::default();
        let job = Job { wish: &wish, observed: &observed, changes: &plan.changes, apply: "test" };
        block_on(provider.apply(job, Writing::on(&NoHost), &mut ends));
        ends.0
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &rocade::model::Change| {
        let fields: Vec<&str> =
            change.after.iter().flat_map(|after| after.keys().map(String::as_str)).collect();
        match change.action {
            Action::Create => format!("+ {} {}", change.address.key, change.summary),
            _ => format!("~ {} {}", change.address.key, fields.join(" ")),
        }
    };
    plan.changes.iter().map(line).collect()
}

fn all_done(ends: &[(String, Outcome)]) {
    assert!(ends.iter().all(|(_, outcome)| *outcome == Outcome::Done), "{ends:?}");
}

#[test]
fn an_empty_folder_becomes_an_authority_and_the_next_plan_is_empty() {
    let bench = Bench::new();
    let plan = bench.plan();
    assert_eq!(
        lines(&plan),
        [
            "+ authority root make `Example IoT Root`, 3650 days",
            "+ issuing issuing make, 1825 days",
            "+ certificate main issue, 300 days, 2 names",
            "+ secret brokers/main/verify make, 32 random bytes",
            "+ secret gateways/pool-gw/relay make, 32 random bytes",
        ]
    );
    assert!(plan.changes[2].is_pending());
    assert_eq!(plan.targets[0].title, "no root certificate yet");
    all_done(&bench.apply(&plan));

    let again = bench.plan();
    assert_eq!(lines(&again), Vec::<String>::new());
    assert_eq!(again.targets[0].title, "Example IoT Root, until 2035-12-30");
    let password = bench.store().get("gateways/pool-gw/relay").unwrap();
    assert_eq!(password.reveal().len(), 43);
    assert_ne!(password.reveal(), bench.store().get("brokers/main/verify").unwrap().reveal());
    assert_eq!(minted(&bench.inventory()), ["gateways/pool-gw/relay", "brokers/main/verify"]);
    let authority = Authority::load(bench.root()).unwrap().unwrap();
    assert!(authority.leaf("main", &bench.store()).unwrap().is_some());
}

#[test]
fn other_names_a_lost_key_and_age_each_issue_the_certificate_again() {
    let mut bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    let serial = |bench: &Bench| leaf_certificate(bench.root(), "main").unwrap().unwrap().serial;
    let mut last = serial(&bench);
    let mut reissued = |bench: &Bench, line: &str| {
        let plan = bench.plan();
        assert_eq!(lines(&plan), [line]);
        all_done(&bench.apply(&plan));
        assert_eq!(lines(&bench.plan()), Vec::<String>::new());
        assert_ne!(std::mem::replace(&mut last, serial(bench)), serial(bench));
    };
    bench.edit("192.168.145.100", "192.168.145.101, mqtt.example.net");
    reissued(&bench, "~ certificate main names");
    fs::remove_file(bench.file("leaves/main.key.age")).unwrap();
    reissued(&bench, "~ certificate main key");
    bench.now += (150 * 24).hours();
    reissued(&bench, "~ certificate main due");
    let ledger = fs::read_to_string(bench.file("ledger.jsonl")).unwrap();
    let why: Vec<String> = ledger
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["why"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(why, ["root", "issuing", "first", "other names", "its key was missing", "renewal"]);

    // The order of names and their case are no difference; nor is a life that counts from the next time on.
    bench.edit("broker.example.net, 192.168.145.101", "192.168.145.101, Broker.Example.net");
    bench.edit("300d", "200d");
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
}

#[test]
fn a_new_root_issues_all_certificates_again() {
    let bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    fs::remove_file(bench.file("root.pem")).unwrap();
    let plan = bench.plan();
    let expected = [
        "+ authority root make `Example IoT Root`, 3650 days",
        "+ issuing issuing make, 1825 days",
        "~ certificate main issuer",
    ]
    .map(String::from);
    assert_eq!(lines(&plan), expected);
    // A key whose certificate is lost may be the only one there is: it is not written over.
    let key = fs::read(bench.file("root.key.age")).unwrap();
    let ends = bench.apply(&plan);
    assert!(matches!(&ends[0].1, Outcome::Failed(why) if why.contains("root.key.age")), "{ends:?}");
    assert_eq!(fs::read(bench.file("root.key.age")).unwrap(), key);
    fs::remove_file(bench.file("root.key.age")).unwrap();
    all_done(&bench.apply(&bench.plan()));
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
}

#[test]
fn what_is_damaged_is_unread_and_left_alone() {
    let bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    let leaf = bench.file("leaves/main.pem");
    let half = fs::read(&leaf).unwrap()[..200].to_vec();
    fs::write(&leaf, &half).unwrap();
    let plan = bench.plan();
    assert_eq!(lines(&plan), Vec::<String>::new());
    assert_eq!(plan.unread.len(), 1);
    assert_eq!(plan.unread[0].name.as_deref(), Some("main"));
    assert!(plan.unread[0].reason.contains("main.pem"), "{}", plan.unread[0].reason);
    assert_eq!(fs::read(&leaf).unwrap(), half);
}

#[test]
fn a_root_that_cannot_be_made_starts_no_certificate() {
    let bench = Bench::new();
    let plan = bench.plan();
    fs::create_dir_all(bench.file("root.key.age.new")).unwrap();
    let ends = bench.apply(&plan);
    assert!(matches!(&ends[0].1, Outcome::Failed(why) if why.contains("root.key.age.new")), "{ends:?}");
    assert!(matches!(&ends[1].1, Outcome::NotStarted(_)), "{ends:?}");
    assert!(matches!(&ends[2].1, Outcome::NotStarted(_)), "{ends:?}");
    all_done(&ends[3..]);
    assert_eq!(lines(&bench.plan()).len(), 3);
}

#[test]
fn a_root_is_never_replaced_by_an_apply() {
    let mut bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    let fault = |bench: &Bench| bench.wish(&bench.provider()).unwrap_err().remove(0);
    bench.edit("Example IoT Root", "Another Root");
    let renamed = fault(&bench);
    assert_eq!(
        renamed.message,
        "the root certificate is named `Example IoT Root`, the inventory says `Another Root`"
    );
    assert!(renamed.hint.unwrap().contains("remove pki/root.pem"));
    assert_eq!(renamed.place.unwrap().file.as_ref(), "inventory/all.yaml");
    bench.edit("Another Root", "Example IoT Root");
    bench.now += (3650 * 24).hours();
    assert_eq!(fault(&bench).message, "the root certificate ended on 2035-12-30");
}

#[test]
fn without_a_recipient_the_wish_is_refused_with_the_way_out() {
    let bench = Bench::new();
    fs::remove_file(bench.root().join("inventory/secrets/recipients.txt")).unwrap();
    let faults = bench.wish(&bench.provider()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].hint.as_ref().unwrap().contains("rocade secrets keygen"));
}

/// A plan opens nothing: it is the same for one who has no identity at all.
#[test]
fn a_plan_needs_no_identity() {
    let bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    fs::remove_file(bench.root().join(".rocade/identity.txt")).unwrap();
    let (_, wish, _) = bench.survey();
    assert!(matches!(
        wish.resources[&Key::new("certificate", "main")].fields["issuer"],
        Value::Text(ref id) if id.len() == 40
    ));
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
}

fn root_key(bench: &Bench) -> PathBuf {
    bench.file("root.key.age")
}

/// An authority of before there were intermediates goes on as it is until one is asked for.
#[test]
fn an_authority_without_intermediate_keeps_issuing_until_one_is_asked_for() {
    let bench = Bench::new();
    let order = rocade::pki::RootOrder {
        name: "Example IoT Root",
        lifetime: rocade::model::Period(3650 * 86_400),
        now: bench.now,
        by: "ada",
    };
    let root = Authority::create(bench.root(), &order, &bench.store()).unwrap().root().clone();
    let plan = bench.plan();
    assert!(lines(&plan).iter().all(|line| !line.contains("issuing")), "{:?}", lines(&plan));
    all_done(&bench.apply(&plan));
    let leaf = || leaf_certificate(bench.root(), "main").unwrap().unwrap();
    assert_eq!(leaf().issuer_key_id, root.key_id);
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());

    bench.edit("renew_at: 1/2", "renew_at: 1/2, issuing: {only: [example.net, 192.168.145.0/24]}");
    let plan = bench.plan();
    let expected = [
        "+ issuing issuing make, 1825 days, only 192.168.145.0/24, example.net",
        "~ certificate main issuer",
    ];
    assert_eq!(lines(&plan), expected);
    all_done(&bench.apply(&plan));
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
    assert_eq!(root_certificate(bench.root()).unwrap().unwrap(), root);
    assert_ne!(leaf().issuer_key_id, root.key_id);
}

/// The root's key is needed for the intermediate alone; what it would have to sign is said, not tried.
#[test]
fn without_the_roots_key_everything_else_goes_on() {
    let mut bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    fs::remove_file(root_key(&bench)).unwrap();
    fs::remove_file(bench.file("leaves/main.key.age")).unwrap();
    let plan = bench.plan();
    assert_eq!(lines(&plan), ["~ certificate main key"]);
    all_done(&bench.apply(&plan));
    bench.now += (365 * 4 * 24).hours();
    all_done(&bench.apply(&bench.plan()));
    let title = bench.plan().targets[0].title.clone();
    assert!(title.contains("its key is off line, the issuing certificate has 365 days left"), "{title}");
    bench.now += (365 * 24).hours();
    let fault = bench.wish(&bench.provider()).unwrap_err().remove(0);
    assert!(fault.message.starts_with("the issuing certificate ended on"), "{}", fault.message);
    assert!(fault.hint.unwrap().contains("rocade pki csr"));
}

/// Renewed, the intermediate keeps its key: its leaves stay good and are not issued again.
#[test]
fn the_intermediate_is_renewed_in_time_and_an_expired_leaf_is_issued_again() {
    let bench = Bench::new();
    all_done(&bench.apply(&bench.plan()));
    let before = rocade::pki::issuing_certificate(bench.root()).unwrap().unwrap();
    let late = bench.now + (365 * 3 * 24).hours();
    let bench = Bench { now: late, ..bench };
    let plan = bench.plan();
    assert_eq!(lines(&plan), ["~ issuing issuing due", "~ certificate main due"]);
    let due = |at: usize| plan.changes[at].before.as_ref().unwrap()["due"].as_text().unwrap().to_owned();
    assert_eq!((due(0), due(1)), ("730 days left".to_owned(), "it is over".to_owned()));
    all_done(&bench.apply(&plan));
    let after = rocade::pki::issuing_certificate(bench.root()).unwrap().unwrap();
    assert_eq!((&after.key_id, &after.name), (&before.key_id, &before.name));
    assert!(after.not_after > before.not_after && after.serial != before.serial);
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
}

#[test]
fn a_relay_with_a_certificate_gets_one_and_a_revoked_one_is_listed_and_replaced() {
    let bench = Bench::new();
    bench.edit(
        "listeners: {mqtts: {port: 8883}}",
        "listeners: {mqtts: {port: 8883}, certificates: {port: 8884}}",
    );
    bench.edit("relay: {broker: main}", "relay: {broker: main, certificate: true}");
    let plan = bench.plan();
    assert_eq!(
        lines(&plan)[2..],
        [
            "+ certificate main issue, 300 days, 2 names",
            "+ certificate relay-pool-gw issue, 300 days, for a client",
            "+ crl revoked make, 180 days, 0 revoked",
            "+ secret brokers/main/verify make, 32 random bytes",
        ]
    );
    all_done(&bench.apply(&plan));
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());

    let by = "ada@laptop";
    let gone = rocade::pki::revoke(bench.root(), "relay-pool-gw", "key-compromise", by, bench.now).unwrap();
    assert!(rocade::pki::revoke(bench.root(), "relay-pool-gw", "superseded", by, bench.now).is_err());
    let plan = bench.plan();
    assert_eq!(lines(&plan), ["~ certificate relay-pool-gw revoked", "~ crl revoked revoked"]);
    all_done(&bench.apply(&plan));
    assert_eq!(lines(&bench.plan()), Vec::<String>::new());
    let crls = rocade::pki::crls(bench.root()).unwrap();
    assert_eq!(crls.iter().flat_map(|crl| &crl.serials).collect::<Vec<_>>(), [&gone.serial]);
    assert_ne!(leaf_certificate(bench.root(), "relay-pool-gw").unwrap().unwrap().serial, gone.serial);

    let later = Bench { now: bench.now + (120 * 24).hours(), ..bench };
    assert_eq!(lines(&later.plan()), ["~ crl revoked due"]);
}
