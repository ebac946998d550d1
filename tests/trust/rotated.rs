//! The authority is rotated under fifty clients of a real broker. The program is killed in every stage, and what
//! an apply does is stopped half-way: no client ever meets a broker it cannot trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rand::Rng;
use rocade::pki::rotation::{self, Stage};
use rocade::pki::{Authority, trusted};
use rocade::transport::tls::{TlsFault, handshake};

use crate::bench::{Bench, openssl};
use crate::broker::{AMPLE, Mosquitto};

const CLIENTS: usize = 50;

/// The clients, each with a file of its own that says whom it trusts.
struct Crowd {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    rounds: Arc<Vec<AtomicUsize>>,
    tasks: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Crowd {
    fn trust_file(folder: &Path, client: usize) -> PathBuf {
        folder.join(format!("client-{client}.pem"))
    }

    fn spread(&self, client: usize, trusted: &str) {
        rocade::repository::replace(&Self::trust_file(&self.folder, client), trusted.as_bytes()).unwrap();
    }

    fn connect(folder: &Path, broker: &Mosquitto) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds: Arc<Vec<AtomicUsize>> = Arc::new((0..CLIENTS).map(|_| AtomicUsize::new(0)).collect());
        let tasks = (0..CLIENTS).map(|client| {
            let (stop, rounds, file) =
                (Arc::clone(&stop), Arc::clone(&rounds), Self::trust_file(folder, client));
            let port = broker.port;
            tokio::spawn(async move {
                let mut lost = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let trusted = fs::read_to_string(&file).unwrap();
                    let server = rocade::transport::tls::Server {
                        address: "127.0.0.1",
                        port,
                        name: "broker.example.net",
                        root_pem: &trusted,
                        shown: None,
                    };
                    match handshake(server, AMPLE).await {
                        Ok(_) => drop(rounds[client].fetch_add(1, Ordering::Relaxed)),
                        Err(
                            fault @ (TlsFault::NotTrusted { .. }
                            | TlsFault::NameMismatch { .. }
                            | TlsFault::Own(_)),
                        ) => {
                            lost.push(format!("client {client}: {fault}"));
                        }
                        // The broker restarts.
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
                lost
            })
        });
        let tasks = tasks.collect();
        Self { folder: folder.to_owned(), stop, rounds, tasks }
    }

    /// Waits until every client shook hands again.
    async fn all_come_through(&self) {
        let seen = || self.rounds.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>();
        let before = seen();
        // Two more: the first may have begun before.
        while seen().iter().zip(&before).any(|(now, before)| *now < before + 2) {
            assert!(self.tasks.iter().all(|task| !task.is_finished()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut lost = Vec::new();
        for task in self.tasks {
            lost.extend(task.await.unwrap());
        }
        lost
    }
}

/// Runs the program, killed a few times at random moments, until it ends by itself.
fn killed_then_done(bench: &Bench, words: &[&str]) {
    for _ in 0..4 {
        let mut child = bench.command(words).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(5..150)));
        let _ = child.kill();
        child.wait().unwrap();
        // Whatever it left can be read, and what is served is trusted.
        let trusted = trusted(bench.root()).unwrap().unwrap();
        fs::write(bench.file("trusted.pem"), trusted).unwrap();
        let chain = ["-untrusted", "pki/leaves/main.pem", "pki/leaves/main.pem"];
        let (good, said) =
            openssl(&[&["verify", "-CAfile", "trusted.pem"], &chain[..]].concat(), bench.root());
        assert!(good, "{words:?}: {said}");
    }
    // Where the kill came too late the last stage is over, and there is none to finish.
    let over = words.contains(&"finish") && !bench.file("pki/rotation.json").exists();
    bench.rocade(words, i32::from(over));
}

/// What an apply does, in the order that hurts most and stopped half-way once: some clients, the broker, the rest.
async fn spread(bench: &Bench, broker: &mut Mosquitto, crowd: &Crowd) {
    let trusted = trusted(bench.root()).unwrap().unwrap();
    (0..CLIENTS / 2).for_each(|client| crowd.spread(client, &trusted));
    serve(bench, broker, &trusted);
    crowd.all_come_through().await;
    (CLIENTS / 2..CLIENTS).for_each(|client| crowd.spread(client, &trusted));
    crowd.all_come_through().await;
}

fn serve(bench: &Bench, broker: &mut Mosquitto, trusted: &str) {
    let authority = Authority::load(bench.root()).unwrap().unwrap();
    let leaf = authority.leaf("main", &bench.store()).unwrap().unwrap();
    broker.stop();
    broker.put("ca.pem", trusted.as_bytes());
    broker.put("server.pem", leaf.chain_pem.as_bytes());
    broker.put("server.key", leaf.key_pem.reveal());
    broker.start(false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_live_through_a_rotation_killed_in_every_stage() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&[], now);
    bench.issue(&authority, "main", &["broker.example.net", "127.0.0.1"], now);
    let old_root = authority.root_pem().to_owned();
    let folder = tempfile::Builder::new().prefix("rocade-crowd").tempdir().unwrap();
    let Some(mut broker) = Mosquitto::of(folder.path()) else { return };
    for client in 0..CLIENTS {
        fs::write(Crowd::trust_file(folder.path(), client), &old_root).unwrap();
    }
    serve(&bench, &mut broker, &old_root);
    let crowd = Crowd::connect(folder.path(), &broker);
    crowd.all_come_through().await;

    killed_then_done(&bench, &["pki", "rotate", "start"]);
    assert_eq!(rotation::stage(bench.root()).unwrap(), Some(Stage::Start));
    assert_eq!(trusted(bench.root()).unwrap().unwrap().matches("BEGIN CERT").count(), 2);
    // Nothing was proved: the host cannot even be read.
    let refused = bench.rocade(&["pki", "rotate", "issue"], 6);
    assert!(refused.contains("not read: broker main"), "{refused}");
    assert_eq!(rotation::stage(bench.root()).unwrap(), Some(Stage::Start));
    spread(&bench, &mut broker, &crowd).await;

    let trusted_before = trusted(bench.root()).unwrap();
    killed_then_done(&bench, &["pki", "rotate", "issue", "--unproven"]);
    assert_eq!(trusted(bench.root()).unwrap(), trusted_before, "clients are given nothing new");
    let early = bench.rocade(&["pki", "rotate", "finish", "--unproven"], 1);
    assert!(early.contains("still of the old authority: main"), "{early}");
    killed_then_done(&bench, &["pki", "issue", "main"]);
    spread(&bench, &mut broker, &crowd).await;

    killed_then_done(&bench, &["pki", "rotate", "finish", "--unproven"]);
    spread(&bench, &mut broker, &crowd).await;
    let lost = crowd.end().await;
    assert!(lost.is_empty(), "{lost:?}");

    assert_eq!(rotation::stage(bench.root()).unwrap(), None);
    // Killed right at its end it may leave the folder, and nothing in it.
    assert!(fs::read_dir(bench.file("pki/next")).map_or(true, |mut left| left.next().is_none()));
    let fault = handshake(broker.server(&old_root, None), AMPLE).await.unwrap_err();
    assert!(matches!(fault, TlsFault::NotTrusted { .. }), "the old authority is trusted no more: {fault}");
    assert!(bench.rocade(&["pki", "issue", "main"], 0).contains("as wished"));
    assert!(bench.rocade(&["pki", "rotate", "issue", "--unproven"], 1).contains("no rotation is under way"));
}

/// The move of the new authority's files to their place, stopped before each of its steps.
#[test]
fn the_last_stage_can_be_stopped_before_each_of_its_steps() {
    for kept in 0..=4 {
        let bench = Bench::new();
        let now = Timestamp::now();
        let authority = bench.authority(&[], now);
        bench.issue(&authority, "main", &["broker.example.net", "127.0.0.1"], now);
        bench.rocade(&["pki", "rotate", "start"], 0);
        bench.rocade(&["pki", "rotate", "issue", "--unproven"], 0);
        bench.rocade(&["pki", "issue", "main"], 0);
        let leaf = fs::read(bench.file("pki/leaves/main.pem")).unwrap();
        let state = fs::read_to_string(bench.file("pki/rotation.json")).unwrap();
        fs::write(bench.file("pki/rotation.json"), state.replace("\"issue\"", "\"finish\"")).unwrap();
        for file in ["issuing.key.age", "issuing.pem", "root.key.age", "root.pem"].iter().take(kept) {
            fs::rename(bench.file(&format!("pki/next/{file}")), bench.file(&format!("pki/{file}"))).unwrap();
        }
        assert!(bench.rocade(&["pki", "issue", "main"], 0).contains("as wished"), "after {kept} steps");
        let once = Authority::load(bench.root()).unwrap().unwrap();
        bench.issue(&once, "other", &["other.example.net"], now);
        bench.rocade(&["pki", "rotate", "finish"], 0);
        let after = Authority::load(bench.root()).unwrap().unwrap();
        assert_eq!((after.root(), after.issuing()), (once.root(), once.issuing()));
        assert_ne!(after.root(), authority.root());
        assert_eq!(trusted(bench.root()).unwrap().unwrap(), after.root().pem);
        assert_eq!(fs::read(bench.file("pki/leaves/main.pem")).unwrap(), leaf);
        bench.issue(&after, "third", &["third.example.net"], now);
    }
}

/// Somebody comes and goes while there are two keys of each name.
#[test]
fn recipients_change_in_the_middle_of_a_rotation() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let authority = bench.authority(&[], now);
    bench.issue(&authority, "main", &["broker.example.net", "127.0.0.1"], now);
    let ben = bench.file("ben.txt").display().to_string();
    let said = bench.rocade(&["secrets", "keygen", "-o", &ben], 0);
    let key = said.lines().find(|line| line.starts_with("age1")).unwrap().to_owned();
    bench.rocade(&["pki", "rotate", "start"], 0);
    let said = bench.rocade(&["secrets", "rekey", "--add", &key, "--name", "ben"], 0);
    assert!(said.contains("5 encrypted anew"), "{said}");
    bench.rocade(&["pki", "rotate", "issue", "--unproven"], 0);
    bench.rocade(&["pki", "issue", "main"], 0);
    bench.rocade(&["secrets", "rekey", "--remove", "ben"], 0);
    bench.rocade(&["-i", &ben, "secrets", "rekey"], 1);
    bench.rocade(&["pki", "rotate", "finish", "--unproven"], 0);
    assert!(bench.rocade(&["secrets", "rekey"], 0).contains("0 encrypted anew"));
    let once = Authority::load(bench.root()).unwrap().unwrap();
    assert!(once.leaf("main", &bench.store()).unwrap().is_some());
    bench.issue(&once, "other", &["other.example.net"], now);
    let listed = bench.rocade(&["secrets", "rotate"], 0);
    assert!(listed.contains("pki/root.key") && listed.contains("pki/leaves/main.key"), "{listed}");
}
