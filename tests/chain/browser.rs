//! The display: a real browser on the broker's own loopback reads live JSON over WebSocket.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::json;

use super::bed::{BROKER, bed};
use super::clients::{Client, Listener, Uplink, send};
use super::site::{self, Site};

const BROWSER: &str = "chromium-headless-shell";

/// A browser that shows the page; its console comes on standard error.
struct Browser {
    child: Child,
    console: BufReader<ChildStderr>,
}

impl Browser {
    fn open(site: &Site, password: &str) -> Self {
        let folder = site.beside("browser");
        fs::create_dir_all(&folder).unwrap();
        let settings = json!({"user": "signage", "password": password, "topic": "sites/pool/hall"});
        let page = include_str!("display.html").replace("SETTINGS", &settings.to_string());
        fs::write(folder.join("display.html"), page).unwrap();
        let mut command = bed().beside(BROKER, BROWSER);
        command.args(["--no-sandbox", "--enable-logging=stderr", "--remote-debugging-port=0"]);
        command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        command.arg(format!("file://{}", folder.join("display.html").display()));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let console = BufReader::new(child.stderr.take().unwrap());
        Self { child, console }
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

fn uplink(counter: u64) -> Uplink {
    Uplink::new("0018b21000004a2f", counter, 1, &hex::decode("6a2000d72d0190").unwrap())
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_browser_shows_the_kept_reading_and_then_each_new_one() {
    if !is_installed() {
        return;
    }
    let mut site = site::ready();
    let password = site.secret("brokers/main/signage");
    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, "sites/pool/hall");
    send(&[uplink(7901)]);
    listener.reading("sites/pool/hall", 7901);
    let mut browser = Browser::open(&site, &password);
    assert!(browser.says("reading").contains("reading 7901 "));
    send(&[uplink(7902)]);
    let live = browser.says("reading");
    assert!(live.contains("reading 7902 ") && live.contains("21.5") && live.contains("°C"), "{live}");
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_browser_with_a_wrong_password_is_refused() {
    if !is_installed() {
        return;
    }
    let site = site::ready();
    let mut browser = Browser::open(&site, "wrong");
    browser.says("refused");
}
