//! No secret is seen where it does not belong: not by those who list processes while rocade works, not in a plan,
//! not in a file that stays behind. Each search is shown to find what is planted for it.
//!
//! What rocade prints is searched in every test, by [`Site::rocade`].

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::bed::{BROKER, GATEWAY, bed, succeed};
use super::site::{self, Site};

/// Where programs leave files.
const PLACES: &str = "/etc /var /tmp /run /root /home /srv /opt /dev/shm /usr/local";

/// Collects the arguments and environments of all processes, on the operator's machine and on the hosts.
struct Onlooker {
    over: Arc<AtomicBool>,
    watching: JoinHandle<HashSet<Vec<u8>>>,
}

impl Onlooker {
    fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let watching = std::thread::spawn(move || {
            let mut seen = HashSet::new();
            while !end.load(Ordering::Relaxed) {
                // A host's processes are processes of this machine as well.
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let of_process = ["cmdline", "environ"].map(|name| fs::read(entry.path().join(name)));
                    seen.extend(of_process.into_iter().flatten());
                }
            }
            seen
        });
        Self { over, watching }
    }

    fn end(self) -> HashSet<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}

/// The secrets that were seen, and how.
fn leaks(site: &Site, seen: &HashSet<Vec<u8>>) -> Vec<String> {
    let leak = |text: &Vec<u8>| match site.found_in(text).as_slice() {
        [] => None,
        found => Some(format!("{found:?} in {}", String::from_utf8_lossy(text).replace('\0', " "))),
    };
    seen.iter().filter_map(leak).collect()
}

/// The files on a host that hold a secret. The secrets are handed over on standard input.
fn files_with_secrets(site: &Site, host: &str) -> Vec<String> {
    let script = format!("/bin/grep -rlaF -f /dev/stdin {PLACES} 2>/dev/null");
    let mut command = bed().shell(host, &script);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let spelled = |value: &String| [value.clone(), STANDARD_NO_PAD.encode(value), hex::encode(value)];
    let values: Vec<String> = site.secrets().values().flat_map(spelled).collect();
    child.stdin.take().unwrap().write_all(values.join("\n").as_bytes()).unwrap();
    let mut files: Vec<String> = String::from_utf8(child.wait_with_output().unwrap().stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    files.sort();
    files
}

/// The files at the operator's that hold a secret, without the identity and what the tests' own clients need.
fn own_files_with_secrets(site: &Site) -> Vec<String> {
    let listing = succeed(Command::new("find").arg(site.beside("")).args(["-type", "f"]));
    let own = |path: &&str| !path.contains("/chain/clients/");
    let holds = |path: &&str| !site.found_in(&fs::read(path).unwrap()).is_empty();
    listing.lines().filter(own).filter(holds).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn no_secret_is_seen_while_rocade_works_or_left_behind() {
    let mut site = site::untouched();
    let plan = site.beside("plan.json");
    let onlooker = Onlooker::begin();
    site.rocade(&["plan", "-v", "--out", plan.to_str().unwrap()]).ends_with(0);
    site.rocade(&["apply", "-v", plan.to_str().unwrap()]).ends_with(0);
    site.rocade(&["plan", "--json"]).ends_with(0);
    site.rocade(&["verify"]).ends_with(0);
    site.rocade(&["secrets", "check"]).ends_with(0);
    site.rocade(&["secrets", "rotate", "brokers/main/signage", "--dry-run"]).ends_with(0);
    site.rocade(&["secrets", "rekey", "--dry-run"]).ends_with(0);
    let seen = onlooker.end();
    for minted in ["gateways/pool-gw/relay", "brokers/main/verify"] {
        site.secret(minted);
    }
    let key = bed().on(BROKER, "cat /etc/mosquitto/rocade/server.key");
    site.know("the key of the broker's certificate", key.lines().nth(1).unwrap());

    assert!(seen.len() > 100, "{} texts are not all processes", seen.len());
    assert_eq!(leaks(&site, &seen), [""; 0]);
    assert_eq!(own_files_with_secrets(&site), [""; 0]);
    assert_eq!(files_with_secrets(&site, BROKER), ["/etc/mosquitto/rocade/server.key"]);
    assert_eq!(files_with_secrets(&site, GATEWAY), ["/var/config/rocade/relay/password"]);
    let modes = |host, path| bed().on(host, &format!("stat -c '%a %U:%G' {path}"));
    assert_eq!(modes(BROKER, "/etc/mosquitto/rocade/server.key"), "640 root:mosquitto\n");
    assert_eq!(modes(GATEWAY, "/var/config/rocade/relay/password"), "600 root:root\n");
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn the_searches_find_what_is_planted() {
    let mut site = site::ready();
    let value = site.secret("brokers/main/signage");
    for host in [GATEWAY, BROKER] {
        let onlooker = Onlooker::begin();
        bed().on(host, &format!("sh -c 'sleep 1' {value}"));
        bed().on(host, &format!("LEAK={value} sleep 1"));
        bed().on(host, &format!("HEX={} sleep 1", hex::encode(&value)));
        bed().on(host, &format!("sh -c 'sleep 1; :' {}", STANDARD_NO_PAD.encode(format!("u:{value}"))));
        let leaks = leaks(&site, &onlooker.end());
        assert!(leaks.iter().any(|leak| leak.contains("sleep 1")), "{leaks:?}");
        for planted in ["LEAK=", "HEX=", "sleep 1; :"] {
            assert!(leaks.iter().any(|leak| leak.contains(planted)), "{planted}: {leaks:?}");
        }
        bed().on(host, &format!("mkdir -p /tmp/left && echo 'x={value};' >/tmp/left/behind"));
        assert!(files_with_secrets(&site, host).contains(&"/tmp/left/behind".to_owned()));
        bed().on(host, &format!("echo 'x={};' >/tmp/left/behind", hex::encode(&value)));
        assert!(files_with_secrets(&site, host).contains(&"/tmp/left/behind".to_owned()));
        bed().on(host, "rm -r /tmp/left");
    }
    fs::write(site.beside("tmp/left"), &value).unwrap();
    assert_eq!(own_files_with_secrets(&site).len(), 1);
    fs::remove_file(site.beside("tmp/left")).unwrap();
}
