//! The display: a real browser on the broker's own loopback reads live JSON over WebSocket.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::MutexGuard;

use serde_json::{Value, json};

use super::bed::{BROKER, bed, succeed};
use super::clients::Client;
use super::site::{self, Site};

const BROWSER: &str = "chromium-headless-shell";

/// A browser that shows the page; its console comes on standard error.
struct Browser {
    child: Child,
    console: BufReader<ChildStderr>,
}

impl Browser {
    /// The page as it lies on the broker's host, in the browser of a profile that stays.
    fn open(site: &Site) -> Self {
        let folder = site.beside("browser");
        fs::create_dir_all(&folder).unwrap();
        for name in ["display.html", "settings.js"] {
            fs::write(folder.join(name), bed().on(BROKER, &format!("cat /srv/signage/{name}"))).unwrap();
        }
        let mut command = bed().beside(BROKER, BROWSER);
        command.args(["--no-sandbox", "--enable-logging=stderr", "--remote-debugging-port=0"]);
        command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        command.arg(format!("file://{}", folder.join("display.html").display()));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let console = BufReader::new(child.stderr.take().unwrap());
        Self { child, console }
    }

    /// What the page drew of a topic as soon as it fits; fails when the browser ends first.
    fn draws(&mut self, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.says("drawn");
            let drawn = &line[line.find("drawn ").unwrap() + 6..line.rfind("\", source:").unwrap()];
            let drawn: Value = serde_json::from_str(drawn).unwrap();
            if drawn["topic"] == topic && fits(&drawn) {
                return drawn;
            }
        }
    }

    /// The next line of the page's console that begins with a word; fails when the browser ends first.
    fn says(&mut self, word: &str) -> String {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.console.read_line(&mut line).unwrap(), 0, "the browser ended:\n{said}");
            if line.contains("CONSOLE") && line.contains(&format!("\"{word} ")) {
                return line;
            }
            said.push_str(&line);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers are processes of the same group. All may have ended by themselves.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

fn is_installed() -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {BROWSER}")]).output().unwrap();
    if !found.status.success() {
        eprintln!("skipped: {BROWSER} is not installed");
    }
    found.status.success()
}

const WALL: &str = "\
hosts:
  wall:
    site: pool
    address: 192.168.145.100
    ssh: {user: debian, password: {secret: brokers/main/admin}}
    vars:
      user: signage
      title: Indoor pool
      topics: [{topic: sites/pool/hall, title: Hall}, 'sites/pool/+']
      stale_seconds: 6
      redraw_seconds: 1
    files:
      - {path: /srv/signage/display.html, source: signage/display.html}
      - path: /srv/signage/settings.js
        template: signage/settings.js.j2
        secrets: {password: {secret: brokers/main/signage}}
        group: debian
";

/// A site whose broker's host has the display, and the account that readings are published with.
fn with_wall() -> (MutexGuard<'static, Site>, Client) {
    let mut site = site::ready();
    site.add("inventory/wall.yaml", WALL);
    site.trust("wall", BROKER);
    site.applied();
    let profile = site.beside("browser");
    if profile.exists() {
        fs::remove_dir_all(profile).unwrap();
    }
    let password = site.secret("gateways/pool-gw/relay");
    let relay = Client { user: "relay-pool-gw".to_owned(), password, ..Client::signage(&mut site) };
    (site, relay)
}

/// A reading, kept as the relay's are, taken some seconds ago.
fn reading(site: &Site, relay: &Client, counter: u64, temperature: f64, ago: u64) {
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(ago);
    let time = jiff::Timestamp::try_from(then).unwrap().to_string();
    let measures =
        json!({"temperature": {"value": temperature, "unit": "°C"}, "co2": {"value": 640, "unit": "ppm"}});
    let text = json!({"time": time, "f_cnt": counter, "measures": measures}).to_string();
    let topic = ["-q", "1", "-r", "-t", "sites/pool/hall"];
    succeed(relay.command(site, "mosquitto_pub").args(topic).args(["-m", &text]));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_display_shows_readings_and_their_trend_and_says_when_they_are_old() {
    if !is_installed() {
        return;
    }
    let (site, relay) = with_wall();
    let owned = "stat -c '%a %U:%G' /srv/signage/display.html /srv/signage/settings.js";
    assert_eq!(bed().on(BROKER, owned), "644 root:root\n640 root:debian\n");
    let mut browser = Browser::open(&site);
    for (counter, ago) in [(7901, 7200), (7902, 3600), (7903, 0)] {
        reading(&site, &relay, counter, 21.5, ago);
        let drawn = browser.draws("sites/pool/hall", |drawn| drawn["counter"] == counter);
        assert_eq!(drawn["main"], json!({"value": 21.5, "unit": "°C"}), "{drawn}");
        assert_eq!(drawn["stale"], counter != 7903, "{drawn}");
    }
    let old = browser.draws("sites/pool/hall", |drawn| drawn["stale"] == true);
    assert_eq!(old["counter"], 7903);

    // Another start, before anything new is read: the last readings were kept.
    drop(browser);
    let mut browser = Browser::open(&site);
    let kept = browser.draws("sites/pool/hall", |_| true);
    assert_eq!((&kept["counter"], &kept["points"], &kept["stale"]), (&json!(7903), &json!(3), &json!(true)));
    succeed(relay.command(&site, "mosquitto_pub").args(["-r", "-n", "-t", "sites/pool/hall"]));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_display_that_is_not_let_in_says_so() {
    if !is_installed() {
        return;
    }
    let (site, _) = with_wall();
    bed().on(BROKER, "sed -i 's/  password: .*/  password: \"wrong\",/' /srv/signage/settings.js");
    let mut browser = Browser::open(&site);
    let state = browser.says("state");
    assert!(state.contains("login refused"), "{state}");
}
