//! The vendor's own OpenAPI document judges what rocade asks a 3CX and what the simulated one answers: a proxy
//! stands between them and refuses what the document does not allow.
//!
//! The document is found by `ROCADE_XAPI_SPEC` or beside the repository; without it these tests say that they
//! were skipped. Two things do not pass the proxy as they are and go without it: an upload, whose bytes it does
//! not carry, and the emergency rule, which a real system answers with an empty body.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../story/place.rs"]
#[allow(dead_code, reason = "the story uses the rest of it")]
mod place;
#[path = "../threecx/turns.rs"]
#[allow(dead_code, reason = "the telephone system's story uses the rest of it")]
mod turns;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use place::Place;
use turns::{TURNS, Turn};

const FILE: &str = "head-office.yaml";

/// The vendor's document.
fn document() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("ROCADE_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let named = std::env::var_os("ROCADE_XAPI_SPEC").map(PathBuf::from);
    let found = named.unwrap_or_else(|| shared.join("reference/3cx/xapi-swagger.yaml"));
    let found = found.exists().then_some(found);
    if found.is_none() {
        eprintln!("skipped: no vendor's document (ROCADE_XAPI_SPEC, or ../shared)");
    }
    found
}

/// The proxy in front of a PBX; it ends with this.
struct Judge {
    url: String,
    log: PathBuf,
    process: Child,
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Judge {
    /// Starts the proxy and proves that it bites.
    async fn before(upstream: &str, document: &std::path::Path, token: &str) -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let made = Command::new(root.join("tests/judge/install")).arg(document).status().unwrap();
        assert!(made.success(), "the judge could not be made");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = root.join("target/judge");
        let log = folder.join(format!("{port}.log"));
        let output = std::fs::File::create(&log).unwrap();
        let process = Command::new(folder.join("node_modules/.bin/prism"))
            .args(["proxy", "judged.json", upstream, "-h", "127.0.0.1", "-p", &port.to_string(), "--errors"])
            .current_dir(&folder)
            .stdout(Stdio::from(output.try_clone().unwrap()))
            .stderr(Stdio::from(output))
            .spawn()
            .unwrap();
        let judge = Self { url: format!("http://127.0.0.1:{port}"), log, process };
        for _ in 0..600 {
            if std::fs::read_to_string(&judge.log).unwrap().contains("listening") {
                judge.bites(token).await;
                return judge;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the proxy did not start: {}", std::fs::read_to_string(&judge.log).unwrap());
    }

    /// A body of the wrong type and one with an unknown property are refused; a good one passes.
    async fn bites(&self, token: &str) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/xapi/v1/Parkings", self.url);
        for (body, status) in [
            (serde_json::json!({"Number": 5}), 422),
            (serde_json::json!({"Nummber": "SP9"}), 422),
            (serde_json::json!({"Number": "SP9"}), 201),
        ] {
            let answer = client.post(&url).bearer_auth(token).json(&body).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{body}");
        }
        let answer =
            client.get(format!("{}/xapi/v1/Nobody", self.url)).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404);
        // It answers before it writes its log: the last refusal of the proof must stand there before we count.
        while !self.violations().last().is_some_and(|line| line.contains("NO_PATH_MATCHED")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it refused since it was proven to bite.
    fn violations(&self) -> Vec<String> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        let words = |line: &&str| line.contains("iolation") || line.contains("terminated with error");
        log.lines().filter(words).map(str::to_owned).collect()
    }
}

/// A token, as any client of the API fetches one.
async fn token(place: &Place) -> String {
    let device = place.device("head-office");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let plan = device.threecx().unwrap().plan();
    let form = [
        ("client_id", plan.client_id.as_str()),
        ("client_secret", plan.client_secret.as_str()),
        ("grant_type", "client_credentials"),
    ];
    let answer = client.post(format!("{}/connect/token", device.url())).form(&form).send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// Everything is made, changed, read and taken away in the vendor's terms.
#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_document_takes_what_is_asked_and_what_is_answered() {
    let Some(document) = document() else { return };
    let place = Place::whole().await;
    place.edit(FILE, "        emergency: true\n", "");
    let path = place.file("inventory/head-office.yaml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for prompt in ["welcome.wav", "closed.wav", "holiday.wav"] {
        text = text.replace(prompt, "{on_pbx: onhold.wav}");
    }
    std::fs::write(&path, text).unwrap();
    let device = place.device("head-office").url();
    let judge = Judge::before(&device, &document, &token(&place).await).await;
    let proven = judge.violations().len();
    place.edit(FILE, &device, &judge.url);
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(judge.violations()[proven..], [""; 0], "a first apply");
    for Turn { what, from, to, .. } in TURNS {
        place.edit(FILE, from, to);
        place.rocade(&["apply", "head-office", "--yes"]).ended(0);
        assert_eq!(judge.violations()[proven..], [""; 0], "{what}");
    }
    for (from, to) in [
        ("unmanaged: report ", "unmanaged: delete "),
        ("      best-customer: {", "      good-customer: {"),
        ("\"+3349900*\"", "\"+3349901*\""),
        ("business: +33450112233, fax", "mobile: +33612000001, fax"),
        (
            "      plumber: {first_name: Rosa, title: Plumber,",
            "      florist: {first_name: Rosa, title: Florist,",
        ),
        ("{match: {last: 9}}", "{match: exact}"),
    ] {
        place.edit(FILE, from, to);
    }
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(judge.violations()[proven..], [""; 0], "a delete");
    // Every part is there and empty: all that was made goes.
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, parts) = text.split_once("    departments:\n").unwrap();
    let parts = parts.lines().filter(|line| line.starts_with("    ") && line.ends_with(':'));
    let parts = parts.filter(|line| !line.starts_with("     "));
    let empty: String = parts.map(|part| format!("{part} {{}}\n")).collect();
    std::fs::write(&path, format!("{head}    departments: {{}}\n{empty}")).unwrap();
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(judge.violations()[proven..], [""; 0], "all deleted");
    assert_eq!(place.device("head-office").threecx().unwrap().count("Trunks"), 0);
    // The report of calls.
    let call = serde_json::json!({"MainCallHistoryId": "a", "StartTime": "2026-03-02T09:00:00Z", "DestinationDn": "101",
        "SourceCallerId": "+33611223344", "RingingDuration": "PT5S", "Direction": "Inbound"});
    place.device("head-office").threecx().unwrap().note_call(&call);
    let days = ["--from", "2026-03-01", "--to", "2026-03-31"];
    let said = place.rocade(&[&["pbx", "stats", "head-office"][..], &days].concat()).ended(0);
    assert!(said.out.contains("from outside"), "{}", said.out);
    assert_eq!(judge.violations()[proven..], [""; 0], "the report of calls");
    // What this is to have seen was asked.
    let entries = place.device("head-office").log().entries();
    for asked in ["POST /xapi/v1/Contacts", "DELETE /xapi/v1/Contacts(", "PATCH /xapi/v1/PhoneBookSettings"] {
        assert!(entries.iter().any(|entry| entry.what.starts_with(asked)), "{asked}");
    }
    let plan = place.rocade(&["plan", "head-office", "--json"]).ended(0).json();
    assert_eq!(place::changes(&plan).iter().filter(|change| change.contains("pbx head")).count(), 0);
}
