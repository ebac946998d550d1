//! The bed as the tests use it: commands of the operator, commands on a host, power cuts and factory resets.
//!
//! Whatever fails here fails with what the command said; nothing is tried twice but by [`wait_for`].

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rocade::host::wire::encode_orders;
use rocade::host::{Order, program};
use serde_json::Value;

/// How long anything may take that a slow machine can delay; nothing is proven by time running out.
const PATIENCE: Duration = Duration::from_secs(120);

/// The gateway of the bed.
pub const GATEWAY: &str = "gateway";
/// The broker's host.
pub const BROKER: &str = "broker";
/// The machine behind a display.
pub const DISPLAY: &str = "signage";

/// A running bed.
pub struct Bed {
    description: PathBuf,
}

/// The bed that `ROCADE_BED` describes.
pub fn bed() -> Bed {
    let description = std::env::var_os("ROCADE_BED")
        .expect("these tests need a bed of hosts: run tests/run, or tests/bed/up and set ROCADE_BED");
    Bed { description: description.into() }
}

impl Bed {
    /// Read anew each time: a reset may give a host other keys.
    fn word(&self, pointer: &str) -> String {
        let text = std::fs::read_to_string(&self.description).expect("ROCADE_BED describes a bed that is up");
        let description: Value = serde_json::from_str(&text).unwrap();
        let word = description.pointer(pointer).and_then(Value::as_str);
        word.unwrap_or_else(|| panic!("the bed has no {pointer}")).to_owned()
    }

    /// What the bed says of a host: `address`, `user`, `password`, `host_key_fingerprint`.
    pub fn host(&self, host: &str, word: &str) -> String {
        self.word(&format!("/hosts/{host}/{word}"))
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(PathBuf::from(self.word("/commands")).join(name));
        command.env("BED_NAME", self.word("/name"));
        command
    }

    /// A program with the machine's own files in the operator's network.
    pub fn operator(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tool("op");
        command.arg(program);
        command
    }

    /// A program with the machine's own files in the network of a host: its loopback is the host's.
    pub fn beside(&self, host: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.host(host, "namespace")]).arg(program);
        command
    }

    /// A shell script as root on a host.
    pub fn shell(&self, host: &str, script: &str) -> Command {
        let mut command = self.tool("exec");
        command.args([host, "sh", "-c", script]);
        command
    }

    /// What a script on a host prints; it must succeed.
    pub fn on(&self, host: &str, script: &str) -> String {
        succeed(&mut self.shell(host, script))
    }

    /// Gives orders to a host's own shell, as root on it.
    pub fn order(&self, host: &str, orders: &[Order]) {
        let mut command = self.tool("exec");
        command.args([host, "sh", "-c", program(), "rocade-host", "order", "/"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&encode_orders(orders).unwrap()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Whether a script on a host succeeds.
    pub fn holds(&self, host: &str, script: &str) -> bool {
        self.shell(host, script).output().unwrap().status.success()
    }

    /// The host as it left the factory; its SSH host keys stay.
    pub fn reset(&self, host: &str) {
        succeed(self.tool("reset").arg(host));
    }

    /// The host as it left the factory, or its successor: it shows other SSH host keys.
    pub fn replace(&self, host: &str) {
        succeed(self.tool("reset").args([host, "--new-host-keys"]));
    }

    /// A power cut; returns when the host is up again.
    pub fn reboot(&self, host: &str) {
        succeed(self.tool("reboot").arg(host));
    }

    /// A file of the simulated API, which keeps its state and its log on this machine.
    pub fn api_file(&self, name: &str) -> PathBuf {
        PathBuf::from("/run/rocade-bed").join(self.word("/name")).join(name)
    }

    /// The requests to the gateway's API that changed something, so far.
    pub fn api_writes(&self) -> usize {
        let log = std::fs::read_to_string(self.api_file("conduit-api.log")).unwrap();
        let writes = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        writes.filter(|line| line["kind"] == "write").count()
    }
}

/// Runs to the end; gives what was said.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that must succeed; gives its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = output(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until there is a value; fails with `what` when patience ends.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
