//! A redeploy that is killed (`kill -9`) after each record of its journal, and while a firmware image is being
//! sent: the next run is told of it and goes on, and the sensors' keys are those of before.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rocade::lab::{Firmware, Knobs, firmware_image};

use crate::firmware::{UPGRADE, want_image};
use crate::kill::kill_when;
use crate::place::Place;

impl Place {
    /// Starts a redeploy and kills it as soon as `died` says so; false when it came to its end before.
    fn kill_redeploy(&self, more: &[&str], died: &dyn Fn() -> bool) -> bool {
        let words = ["redeploy", "pool-gw", "--yes", "--no-wait", "--patience", "20s"];
        let mut program = self.program();
        kill_when(program.args(words).args(more), died)
    }

    /// The events of the journal's whole records.
    fn records(&self) -> Vec<String> {
        let text = self.text(".rocade/journal.jsonl");
        let records = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        records.map(|record| record["event"].as_str().unwrap().to_owned()).collect()
    }

    /// The sensors and their keys as the unit has them.
    fn keys(&self) -> String {
        let reply = self.unit().with_api(|api| api.handle("GET", "/api/loraNetwork/whitelist", b""));
        assert!(reply.body.contains("deveui"), "{}", reply.body);
        reply.body
    }
}

/// Tries every n-th record; n is 1 for all of them.
async fn kill_at_records(each: usize) {
    let place = Place::new().await;
    place.redeploy(&[]).ended(0);
    let (first, keys) = (place.records().len(), place.keys());
    place.press(35).await;
    place.redeploy(&[]).ended(0);
    // The certificates are there by now: from here on each run from the box is alike.
    let count = place.records().len() - first;
    let (mut tried, mut told) = (0, 0);
    for n in (1..=count).step_by(each) {
        place.press(35).await;
        let before = place.records().len();
        place.gateway().knobs().set(|knobs| knobs.slow = Duration::from_millis(4));
        let killed = place.kill_redeploy(&[], &|| place.records().len() >= before + n);
        place.gateway().knobs().set(|knobs| *knobs = Knobs::default());
        tried += usize::from(killed);
        let cut = killed && place.records().last().is_some_and(|event| event != "end");
        let again = place.redeploy(&[]).ended(0);
        if cut {
            told += 1;
            assert!(again.err.contains("did not come to its end"), "record {n}: {}", again.err);
        }
        place.nothing_left();
        assert_eq!(place.keys(), keys, "record {n}");
    }
    assert!(told > count / each / 2, "{told} of {count} records by {each}");
    eprintln!(
        "killed after {tried} of {count} records, {told} of them before its end; each run after it converged"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redeploy_killed_after_a_record_of_its_journal_is_gone_on_from() {
    kill_at_records(9).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --test redeploy -- --ignored --nocapture"]
async fn a_redeploy_killed_after_each_record_of_its_journal_is_gone_on_from() {
    kill_at_records(1).await;
}

/// Stands between the program and the unit and passes on no more than so many bytes of a connection.
struct Narrows {
    port: u16,
    limit: Arc<AtomicUsize>,
    reached: Arc<AtomicBool>,
}

impl Narrows {
    fn before(unit: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (limit, reached) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicBool::new(false)));
        let narrows = Self { port, limit: Arc::clone(&limit), reached: Arc::clone(&reached) };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Nothing listens while the unit restarts: the client sees its connection end.
                let Ok(unit) = TcpStream::connect(("127.0.0.1", unit)) else { continue };
                let (limit, reached) = (Arc::clone(&limit), Arc::clone(&reached));
                let (back, from) = (unit.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || pass(client, unit, &limit, &reached));
                std::thread::spawn(move || {
                    pass(back, from, &AtomicUsize::new(usize::MAX), &AtomicBool::new(false))
                });
            }
        });
        narrows
    }
}

/// Passes on what comes, up to the limit; then reads on until the other end is gone.
fn pass(mut from: TcpStream, mut to: TcpStream, limit: &AtomicUsize, reached: &AtomicBool) {
    let (mut piece, mut passed) = ([0; 4096], 0);
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let left = limit.load(Ordering::SeqCst).saturating_sub(passed);
        let now = length.min(left);
        if to.write_all(&piece[..now]).is_err() {
            break;
        }
        passed += now;
        if now < length {
            reached.store(true, Ordering::SeqCst);
        }
    }
    let _gone_already = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}

/// An image of the lab with a part that nobody looks at, so that it is a megabyte.
fn large_image() -> Vec<u8> {
    let small = firmware_image("MTCDT", Firmware::of("6.3.1").unwrap(), false).unwrap();
    let mut image = tar::Builder::new(Vec::new());
    for member in tar::Archive::new(&small[..]).entries().unwrap() {
        let mut member = member.unwrap();
        let mut header = member.header().clone();
        let path = member.path().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        image.append_data(&mut header, path, &bytes[..]).unwrap();
    }
    let filling = vec![0x5a; 1 << 20];
    let mut header = tar::Header::new_gnu();
    header.set_size(filling.len() as u64);
    header.set_mode(0o644);
    image.append_data(&mut header, "filling", &filling[..]).unwrap();
    image.into_inner().unwrap()
}

/// Kills while this share of the image, in sixteenths, has gone out.
async fn kill_while_sending(shares: impl Iterator<Item = usize>) {
    let image = large_image();
    let mut tried = 0;
    for share in shares {
        let place = Place::new().await;
        let port = place.gateway().plan.https_port;
        let narrows = Narrows::before(port);
        place.edit("gateways.yaml", &format!("https_port: {port}"), &format!("https_port: {}", narrows.port));
        place.redeploy(&[]).ended(0);
        let keys = place.keys();
        want_image(&place, ">=6.3, <7", &image);
        place.forget_requests();
        narrows.limit.store(32 * 1024 + share * image.len() / 16, Ordering::SeqCst);
        let killed = place.kill_redeploy(&["--upgrade"], &|| narrows.reached.load(Ordering::SeqCst));
        assert!(killed, "the image was never on its way ({share} sixteenths)");
        narrows.limit.store(usize::MAX, Ordering::SeqCst);
        let firmware = place.unit().with_api(|api| api.handle("GET", "/api/system/firmware", b"")).body;
        assert!(firmware.contains("6.0.1"), "half an image was taken: {firmware}");
        place.redeploy(&["--upgrade"]).ended(0).says("sending images/mpower.bin");
        assert!(place.asked(UPGRADE) >= 1);
        place.nothing_left();
        assert_eq!(place.keys(), keys, "{share} sixteenths");
        tried += 1;
    }
    eprintln!("killed at {tried} points of an image under way; each run after it sent it whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redeploy_killed_while_an_image_is_sent_sends_it_again() {
    kill_while_sending([0, 8].into_iter()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: cargo test --test redeploy -- --ignored --nocapture"]
async fn a_redeploy_killed_anywhere_while_an_image_is_sent_sends_it_again() {
    kill_while_sending(0..16).await;
}
