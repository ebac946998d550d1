//! The broker's provider against the real Mosquitto: the host program in a real shell, `mosquitto_pub` and
//! `mosquitto_sub` as clients. It all happens in namespaces of its own, whose files are in memory; what the
//! machine itself has is not touched.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use rocade::host::{Become, Ended, Exec, HostLimits, LinuxHost};
use rocade::model::{Key, Outcome, Value};
use rocade::providers::Provider;
use rocade::providers::mosquitto::MosquittoProvider;
use rocade::transport::Reading;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::flow::{apply, inventory, settle, wish};
use super::mosquitto::INVENTORY;
use super::shelf::Shelf;

/// Files in memory over the machine's own, no network but loopback, and nobody else's processes.
///
/// The package's sysvinit script makes the pid file as root, which Mosquitto 2 cannot write as its own user:
/// it ends at once. On Debian 12 systemd starts it; here a script does what the package's unit says.
const BOOT: &str = r#"
set -e
mount -t tmpfs tmpfs "$1"
for part in etc var usr; do
    mkdir "$1/$part" "$1/$part.work"
    mount -t overlay overlay -o "lowerdir=/$part,upperdir=$1/$part,workdir=$1/$part.work" "/$part"
done
mount -t tmpfs tmpfs /run
mkdir -m 740 /run/mosquitto
chown mosquitto /run/mosquitto
cat >/etc/init.d/mosquitto <<'SCRIPT'
#!/bin/sh
running() { kill -0 "$(cat /run/mosquitto/mosquitto.pid 2>/dev/null)" 2>/dev/null; }
start() {
    setsid /usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf </dev/null >/dev/null 2>&1 &
    for _ in 1 2 3 4 5 6 7 8 9 10; do running && return 0; sleep 0.1; done
    return 1
}
stop() {
    running || return 0
    kill "$(cat /run/mosquitto/mosquitto.pid)"
    while running; do sleep 0.1; done
}
case $1 in
    start) running || start ;;
    stop) stop ;;
    restart) stop; start ;;
    reload) kill -HUP "$(cat /run/mosquitto/mosquitto.pid)" ;;
    status) running ;;
esac
SCRIPT
ip link set lo up
# Another version in a root of its own, which shares with the machine all that a broker reads and writes.
if [ -n "$2" ]; then
    for part in etc var run dev tmp; do mount --rbind "/$part" "$2/$part"; done
    rm /usr/sbin/mosquitto
    printf '#!/bin/sh\nexec chroot %s /usr/sbin/mosquitto "$@"\n' "$2" >/usr/sbin/mosquitto
    chmod 755 /usr/sbin/mosquitto
    for plugins in "$2"/usr/lib/*/mosquitto; do cp -r "$plugins" "${plugins#"$2"}"; done
    sed -i "/^Package: mosquitto$/,/^$/s/^Version: .*/Version: $(cat "$2/version")/" /var/lib/dpkg/status
fi
echo ready
while :; do sleep 1 & wait $!; done
"#;

/// A machine within this one; it ends with its first process.
pub struct Machine {
    first: Child,
    inside: String,
    _folder: tempfile::TempDir,
}

impl Machine {
    /// With the machine's own Mosquitto. `None` where there is none or no right to make namespaces.
    pub fn boot() -> Option<Self> {
        Self::boot_with("")
    }

    /// With Mosquitto 2.1 in place of the machine's own.
    pub fn boot_newer() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/newer");
        let made = Command::new(script).stdin(Stdio::null()).output().unwrap();
        if made.status.code() == Some(2) {
            eprintln!("skipped: {}", String::from_utf8_lossy(&made.stderr).trim());
            return None;
        }
        assert!(made.status.success(), "{made:?}");
        Self::boot_with(String::from_utf8(made.stdout).unwrap().trim())
    }

    /// With the Mosquitto in a root of its own, when one is named.
    fn boot_with(root: &str) -> Option<Self> {
        if !std::path::Path::new("/etc/init.d/mosquitto").exists() {
            eprintln!("skipped: Mosquitto is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let flags = ["-m", "-n", "-p", "--fork", "--mount-proc", "--kill-child"];
        let mut first = Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", BOOT, "boot", folder.path().to_str().unwrap(), root])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            eprintln!("skipped: no namespaces can be made here");
            first.wait().unwrap();
            return None;
        }
        let children = format!("/proc/{0}/task/{0}/children", first.id());
        let inside = std::fs::read_to_string(children).unwrap().trim().to_owned();
        Some(Self { first, inside, _folder: folder })
    }

    fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.inside, "-m", "-n", "-p", "--"]).args(argv);
        command
    }

    pub fn run(&self, argv: &[&str]) -> Output {
        self.command(argv).stdin(Stdio::null()).output().unwrap()
    }

    pub fn shell(&self, script: &str) -> String {
        let output = self.run(&["sh", "-c", script]);
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A client over verified TLS.
    pub fn client(&self, program: &str, user: &str, password: &str, rest: &[&str]) -> Output {
        let mut argv = vec![program, "-h", "localhost", "-p", "8883"];
        argv.extend(["--cafile", "/etc/mosquitto/rocade/ca.pem", "-u", user, "-P", password]);
        argv.extend(rest);
        self.run(&argv)
    }

    /// Publishes a message that stays, to be read by whoever may.
    fn publish(&self, user: &str, password: &str, topic: &str) -> Output {
        self.client("mosquitto_pub", user, password, &["-q", "1", "-r", "-t", topic, "-m", topic])
    }

    /// What stays on a topic, as far as an account may read it.
    fn read(&self, user: &str, password: &str, filter: &str) -> String {
        let output = self.client("mosquitto_sub", user, password, &["-q", "1", "-W", "1", "-t", filter]);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its end takes everything inside along.
        let _gone = self.first.kill();
        let _ended = self.first.wait();
    }
}

impl Exec for &Machine {
    fn exec<'a>(
        &'a self,
        argv: &'a [String],
        stdin: &'a [u8],
        on_stdout: &'a mut (dyn FnMut(&[u8]) + Send),
        limit: Duration,
    ) -> BoxFuture<'a, anyhow::Result<Ended>> {
        let run = async move {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            let mut command = tokio::process::Command::from(self.command(&argv));
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn()?;
            let mut input = child.stdin.take().unwrap();
            let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
            let feed = async move {
                input.write_all(stdin).await?;
                input.shutdown().await
            };
            let (mut heard, mut stderr) = (Vec::new(), String::new());
            let (fed, read, failed) =
                tokio::join!(feed, output.read_to_end(&mut heard), errors.read_to_string(&mut stderr));
            fed?;
            read?;
            failed?;
            on_stdout(&heard);
            let status = child.wait().await?.code().map(|code| code.unsigned_abs());
            Ok(Ended { status, stderr })
        };
        async move { tokio::time::timeout(limit, run).await? }.boxed()
    }
}

pub fn host(machine: &Machine) -> LinuxHost<&Machine> {
    LinuxHost::new(machine, Become::default(), None, HostLimits::default())
}

fn broker() -> rocade::inventory::Inventory {
    inventory(&INVENTORY.replace("MQTTS", "8883").replace("WS", "9001"))
}

fn pid(machine: &Machine) -> String {
    machine.shell("pidof mosquitto").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_may_do_what_the_inventory_says_and_nothing_else() {
    let Some(machine) = Machine::boot() else { return };
    let wish = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &wish, &host(&machine)).await;

    assert!(machine.publish("relay-pool-gw", "relay password", "sites/pool/hall").status.success());
    assert!(
        machine.publish("relay-pool-gw", "relay password", "rocade/relays/pool-gw/status").status.success()
    );
    machine.publish("relay-pool-gw", "relay password", "sites/pool/other");
    machine.publish("signage", "signage password", "sites/pool/hall/fake");
    let all = |user, password| machine.read(user, password, "#");
    assert_eq!(all("signage", "signage password"), "sites/pool/hall\n");
    assert_eq!(all("rocade-verify", "verify password"), "rocade/relays/pool-gw/status\n");
    assert_eq!(all("relay-pool-gw", "relay password"), "");

    let refused = machine.publish("signage", "another password", "x");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not authori"), "{refused:?}");
    let anonymous = machine.run(&[
        "mosquitto_pub",
        "-h",
        "localhost",
        "-p",
        "8883",
        "--cafile",
        "/etc/mosquitto/rocade/ca.pem",
        "-t",
        "x",
        "-m",
        "x",
    ]);
    assert!(!anonymous.status.success());
    let mut listening: Vec<String> = machine
        .shell("ss -Hltn")
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3).map(str::to_owned))
        .collect();
    listening.sort();
    assert_eq!(listening, ["127.0.0.1:8883", "127.0.0.1:9001"], "no clear text for the network");
    assert_eq!(machine.shell("stat -c '%a %U %G' /etc/mosquitto/rocade/server.key"), "640 root mosquitto\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_change_while_the_broker_runs() {
    let Some(machine) = Machine::boot() else { return };
    let first = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &first, &host(&machine)).await;

    // A line that Mosquitto's own program makes for the same password is as good as ours.
    machine.shell("mosquitto_passwd -b /etc/mosquitto/rocade/passwd signage 'signage password'");
    machine
        .shell("chown root:mosquitto /etc/mosquitto/rocade/passwd; chmod 640 /etc/mosquitto/rocade/passwd");
    let observed = MosquittoProvider.observe(&first, Reading::on(&host(&machine))).await;
    let fields = &observed.resources[&Key::new("account", "signage")];
    assert!(rocade::plan::same(
        &first.resources[&Key::new("account", "signage")].fields["password"],
        &fields["password"]
    ));
    machine.shell("/etc/init.d/mosquitto reload");
    settle(&MosquittoProvider, &first, &host(&machine)).await;
    let before = pid(&machine);

    let shelf = Shelf::filled().with("brokers/main/signage", "a new one");
    let second = wish(&MosquittoProvider, &broker(), "main", &shelf);
    let lines = settle(&MosquittoProvider, &second, &host(&machine)).await;
    assert_eq!(lines, ["~ account signage", "! service mosquitto"]);
    assert_eq!(pid(&machine), before, "it was not restarted");
    assert!(machine.publish("relay-pool-gw", "relay password", "sites/pool/hall").status.success());
    assert_eq!(machine.read("signage", "a new one", "#"), "sites/pool/hall\n");
    assert!(!machine.publish("signage", "signage password", "x").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_would_not_start_leaves_the_running_broker_alone() {
    let Some(machine) = Machine::boot() else { return };
    let good = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    settle(&MosquittoProvider, &good, &host(&machine)).await;
    let (before, files) = (pid(&machine), machine.shell("cat /etc/mosquitto/conf.d/*.conf"));

    let mut bad = good.clone();
    let conf = Key::new("file", "/etc/mosquitto/conf.d/rocade.conf");
    let wished = bad.resources.get_mut(&conf).unwrap();
    let Value::Text(text) = &wished.fields["content"] else { panic!() };
    let text = format!("{text}no_such_option true\n");
    wished.fields.insert("content".to_owned(), text.into());
    let ends = apply(&MosquittoProvider, &bad, &host(&machine)).await;
    let Outcome::Failed(reason) = &ends[0].1 else { panic!("{ends:?}") };
    assert!(reason.contains("no_such_option"), "{reason}");
    assert_eq!(machine.shell("cat /etc/mosquitto/conf.d/*.conf"), files);
    assert_eq!(pid(&machine), before);
    assert!(machine.publish("relay-pool-gw", "relay password", "sites/pool/hall").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pilots_clear_text_broker_is_closed() {
    let Some(machine) = Machine::boot() else { return };
    let pilot = "listener 1883\nallow_anonymous true\n";
    machine.shell(&format!("printf '{pilot}' >/etc/mosquitto/conf.d/pilot.conf"));
    machine.shell("/etc/init.d/mosquitto start");
    let wish = wish(&MosquittoProvider, &broker(), "main", &Shelf::filled());
    let lines = settle(&MosquittoProvider, &wish, &host(&machine)).await;
    assert!(lines.contains(&"- file /etc/mosquitto/conf.d/pilot.conf".to_owned()), "{lines:?}");
    assert!(lines.contains(&"~ listener 1883".to_owned()), "{lines:?}");
    assert!(!machine.shell("ss -Hltn").contains(":1883"));
}
