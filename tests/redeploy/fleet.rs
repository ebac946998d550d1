//! Two new units at 192.168.2.1, each behind an interface of its own. Needs root, `ip` and Python; says so and
//! does nothing elsewhere.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Brings what arrives at the unit's address to where the lab listens.
const FORWARD: &str = r#"
import socket, sys, threading

def pour(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def serve(port, to):
    door = socket.create_server(("192.168.2.1", port))
    while True:
        guest, _ = door.accept()
        try:
            unit = socket.create_connection(("127.0.0.1", to))
        except OSError:
            guest.close()
            continue
        for pair in ((guest, unit), (unit, guest)):
            threading.Thread(target=pour, args=pair, daemon=True).start()

doors = [pair.split(":") for pair in sys.argv[1:]]
for port, to in doors[1:]:
    threading.Thread(target=serve, args=(int(port), int(to)), daemon=True).start()
serve(int(doors[0][0]), int(doors[0][1]))
"#;

/// An engineer's machine with two adapters, and a unit at the end of each.
struct Bench {
    folder: TempDir,
    spaces: Vec<String>,
    running: Vec<Child>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _gone = child.kill();
            let _ended = child.wait();
        }
        for space in &self.spaces {
            let _gone = Command::new("ip").args(["netns", "del", space]).status();
        }
    }
}

fn ip(words: &[&str]) {
    let done = Command::new("ip").args(words).output().unwrap();
    assert!(done.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn can_run() -> bool {
    let runs = |program: &str, words: &[&str]| {
        Command::new(program).args(words).output().is_ok_and(|done| done.status.success())
    };
    let probe = format!("rocade-probe-{}", std::process::id());
    let can =
        cfg!(target_os = "linux") && runs("python3", &["--version"]) && runs("ip", &["netns", "add", &probe]);
    if can {
        ip(&["netns", "del", &probe]);
    } else {
        eprintln!("skipped: needs root, ip and python3");
    }
    can
}

/// Asks again until there is an answer.
fn until<T>(what: &str, ask: impl Fn() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{what} did not come to be");
}

impl Bench {
    fn new(tag: &str) -> Self {
        let id = std::process::id();
        let spaces =
            ["desk", "unit1", "unit2", "more"].map(|name| format!("rocade-{tag}-{name}-{id}")).to_vec();
        let mut bench = Self { folder: TempDir::new().unwrap(), spaces, running: Vec::new() };
        for space in &bench.spaces {
            ip(&["netns", "add", space]);
            ip(&["-n", space, "link", "set", "lo", "up"]);
        }
        let desk = bench.spaces[0].clone();
        for number in 1..=2 {
            let (adapter, unit) = (format!("cable{number}"), bench.spaces[number].clone());
            ip(&[
                "-n", &desk, "link", "add", &adapter, "type", "veth", "peer", "name", "eth0", "netns", &unit,
            ]);
            ip(&["-n", &unit, "address", "add", "192.168.2.1/24", "dev", "eth0"]);
            ip(&["-n", &unit, "link", "set", "eth0", "up"]);
            ip(&["-n", &desk, "address", "add", &format!("192.168.2.20{number}/24"), "dev", &adapter]);
            ip(&["-n", &desk, "link", "set", &adapter, "up"]);
            bench.start_unit(number);
        }
        bench
    }

    fn within(space: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space]).arg(program.as_ref());
        command.stdin(Stdio::null());
        command
    }

    fn start_unit(&mut self, number: usize) {
        let space = self.spaces[number].clone();
        let root = self.root(number);
        let mut lab = Self::within(&space, env!("CARGO_BIN_EXE_rocade"));
        lab.args(["lab", "up", "--boxed"]).arg(&root).stdout(Stdio::null());
        self.running.push(lab.spawn().unwrap());
        let gateway = until("a lab", || {
            let text = std::fs::read_to_string(root.join("inventory/gateways.yaml")).ok()?;
            root.join("lab.json").is_file().then_some(text)
        });
        let number_after = |words: &str| -> String {
            let rest = gateway.split(words).nth(1).unwrap();
            rest.chars().take_while(char::is_ascii_digit).collect()
        };
        let (https, ssh) = (number_after("https_port: "), number_after("user: admin, port: "));
        let mut forward = Self::within(&space, "python3");
        forward.args(["-c", FORWARD, &format!("443:{https}"), &format!("22:{ssh}")]);
        self.running.push(forward.spawn().unwrap());
    }

    fn root(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("lab{number}"))
    }

    /// The repository with both gateways: the first lab's, as a person would write it for real units.
    fn repository(&self) -> PathBuf {
        let root = self.root(1);
        for file in ["inventory/head-office.yaml", "inventory/secrets/pbx.yaml"] {
            std::fs::remove_file(root.join(file)).unwrap();
        }
        let gateway = |name: &str, adapter: &str, more: &str| {
            format!(
                "  {name}:\n    site: pool\n    model: multitech-conduit\n    address: 192.168.2.1\n    bootstrap: \
                 {{interface: {adapter}}}\n    ssh: {{user: admin, password: {{secret: gateways/pool-gw/admin}}}}\n    \
                 lorawan: {{region: EU868, network_key: {{secret: gateways/{name}/network}}}}\n{more}"
            )
        };
        let relay = "    relay: {broker: main}\n";
        let both = gateway("pool-gw", "cable1", relay) + &gateway("roof-gw", "cable2", "");
        std::fs::write(root.join("inventory/gateways.yaml"), format!("gateways:\n{both}")).unwrap();
        let done = self.rocade(&root, &["secrets", "set", "gateways/roof-gw/network", "--generate", "hex16"]);
        assert_eq!(done.0, Some(0), "{}", done.1);
        root
    }

    /// Moves the second adapter into a namespace of its own.
    fn part_adapters(&self) {
        let (desk, more) = (&self.spaces[0], &self.spaces[3]);
        ip(&["-n", desk, "link", "set", "cable2", "netns", more]);
        ip(&["-n", more, "address", "add", "192.168.2.202/24", "dev", "cable2"]);
        ip(&["-n", more, "link", "set", "cable2", "up"]);
    }

    /// Runs the program at the engineer's machine.
    fn rocade(&self, root: &Path, words: &[&str]) -> (Option<i32>, String) {
        Self::rocade_in(&self.spaces[0], root, words)
    }

    fn rocade_in(space: &str, root: &Path, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Self::within(space, env!("CARGO_BIN_EXE_rocade"));
        let done = command.env("HOME", root).arg("-C").arg(root).args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout) + &text(done.stderr))
    }
}

#[test]
fn two_new_units_at_one_address_are_prepared_at_once() {
    if !can_run() {
        return;
    }
    let bench = Bench::new("one");
    let root = bench.repository();
    // The wire tells who answers, before a unit in its box would.
    let yaml = root.join("inventory/gateways.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    let strange = text.replace(
        "    bootstrap: {interface: cable2}",
        "    mac: 00:08:00:00:00:07\n    bootstrap: {interface: cable2}",
    );
    std::fs::write(&yaml, strange).unwrap();
    let (code, said) =
        bench.rocade(&root, &["redeploy", "roof-gw", "--yes", "--no-wait", "--patience", "20s"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("its MAC address is") && said.contains("nothing was sent to it"), "{said}");
    std::fs::write(&yaml, text).unwrap();

    let words = ["redeploy", "pool-gw", "roof-gw", "--yes", "--no-wait", "--patience", "20s"];
    let (code, said) = bench.rocade(&root, &words);
    assert_eq!(code, Some(0), "{said}");
    for cable in ["cable1", "cable2"] {
        assert!(
            said.contains(&format!("in its factory state at 192.168.2.1:443 (through {cable})")),
            "{said}"
        );
    }
    let pins = std::fs::read_to_string(root.join("inventory/known_hosts")).unwrap();
    assert!(pins.contains("192.168.2.1%cable1 ") && pins.contains("192.168.2.1%cable2 "), "{pins}");
    assert_eq!(
        std::fs::read_to_string(root.join("inventory/known_certificates")).unwrap().lines().count(),
        2
    );
    let (code, said) = bench.rocade(&root, &["plan", "pool-gw", "roof-gw", "--detailed-exitcode"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn two_new_units_in_namespaces_of_their_own_are_prepared_at_once_from_two_copies() {
    if !can_run() {
        return;
    }
    let bench = Bench::new("two");
    bench.part_adapters();
    let root = bench.repository();
    let yaml = root.join("inventory/gateways.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    let placed = |number: usize| format!("    address: 192.168.145.2{number}\n");
    let new =
        |number: usize| format!("    address: 192.168.2.1\n    bootstrap: {{interface: cable{number}}}\n");
    std::fs::write(&yaml, text.replace(&new(1), &placed(1)).replace(&new(2), &placed(2))).unwrap();
    let copy = bench.folder.path().join("copy");
    assert!(Command::new("cp").arg("-r").arg(&root).arg(&copy).status().unwrap().success());
    let redeploy = |space: usize, root: &Path, name: &str| {
        let fixed = ["--at", "192.168.2.1", "--yes", "--no-wait", "--patience", "20s"];
        let (code, said) =
            Bench::rocade_in(&bench.spaces[space], root, &[&["redeploy", name], &fixed[..]].concat());
        assert_eq!(code, Some(0), "{name}: {said}");
        assert!(said.contains("in its factory state at 192.168.2.1:443"), "{name}: {said}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| redeploy(0, &root, "pool-gw"));
        scope.spawn(|| redeploy(3, &copy, "roof-gw"));
    });
}
