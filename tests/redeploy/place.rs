//! A repository and the unit it describes, in its box.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rocade::lab::{self, Channel, Conduit, Deed, Device, DevicePlan, Lab, LabPlan, Uplink};
use tempfile::TempDir;

/// The sensors of the inventory.
const SENSORS: [&str; 2] = ["0018b21000004a2f", "0018b21000004a30"];

/// A repository and its devices.
pub struct Place {
    folder: TempDir,
    _lab: Lab,
    unit: Lab,
}

/// How a run of the program ended.
pub struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on standard output.
    pub out: String,
    /// What it wrote on standard error.
    pub err: String,
}

impl Ran {
    /// The run, which must have ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n-- output\n{}\n-- words\n{}", self.out, self.err);
        self
    }

    /// The run, which must have said this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.out.contains(words) || self.err.contains(words),
            "{words:?} in\n{}\n{}",
            self.out,
            self.err
        );
        self
    }
}

/// A unit with a quick restart.
pub fn boxed() -> DevicePlan {
    DevicePlan { boxed: true, restart: Duration::from_millis(150), ..DevicePlan::conduit("pool-gw") }
}

impl Place {
    /// A unit in its box.
    pub async fn new() -> Self {
        Self::with(boxed()).await
    }

    /// Another unit.
    pub async fn with(plan: DevicePlan) -> Self {
        let folder = TempDir::new().unwrap();
        let lab = lab::up_boxed(folder.path()).await.unwrap();
        for file in ["inventory/head-office.yaml", "inventory/secrets/pbx.yaml"] {
            std::fs::remove_file(folder.path().join(file)).unwrap();
        }
        let devices = vec![DevicePlan { password: lab.devices()[0].plan.password.clone(), ..plan }];
        let unit = Lab::start(LabPlan { devices, logs: None }).await.unwrap();
        let place = Self { folder, unit, _lab: lab };
        place.point(place._lab.devices().first().unwrap(), place.gateway());
        place
    }

    /// Puts another unit in the place of the one that is there: new ports in the inventory, nothing else.
    pub async fn swap(&mut self, plan: DevicePlan) {
        let password = self.gateway().plan.password.clone();
        let devices = vec![DevicePlan { password, ..plan }];
        let unit = Lab::start(LabPlan { devices, logs: None }).await.unwrap();
        self.point(self.gateway(), &unit.devices()[0]);
        self.unit = unit;
    }

    fn point(&self, from: &Device, to: &Device) {
        let path = self.file("inventory/gateways.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (from, to) = (&from.plan, &to.plan);
        let text = text
            .replace(&format!("https_port: {}", from.https_port), &format!("https_port: {}", to.https_port));
        let text = text.replace(&format!("port: {},", from.ssh_port), &format!("port: {},", to.ssh_port));
        std::fs::write(&path, text).unwrap();
    }

    /// The unit as a device.
    pub fn gateway(&self) -> &Device {
        &self.unit.devices()[0]
    }

    /// The unit's own side.
    pub fn unit(&self) -> &Conduit {
        self.gateway().conduit().unwrap()
    }

    /// The repository's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the repository.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The text of a file of the repository; nothing when there is none.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Replaces a text that stands once in a file of the inventory.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.file(&format!("inventory/{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// The program in the repository, with nothing of this person's own settings.
    pub fn program(&self) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.root()).env("TMPDIR", self.file(".rocade")).arg("-C").arg(self.root());
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn rocade(&self, words: &[&str]) -> Ran {
        let output = self.program().args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Redeploys without asking and without waiting for sensors, with little patience.
    pub fn redeploy(&self, words: &[&str]) -> Ran {
        let fixed = ["redeploy", "pool-gw", "--yes", "--no-wait", "--patience", "4s"];
        self.rocade(&[&fixed, words].concat())
    }

    /// What the unit was asked to change since [`Place::forget_requests`].
    pub fn writes(&self) -> Vec<String> {
        let entries = self.gateway().log().entries().into_iter();
        let writes = entries.filter(|entry| entry.kind == Deed::Write && entry.channel != Channel::Mqtt);
        writes.map(|entry| entry.what).collect()
    }

    /// How often the unit was asked for something.
    pub fn asked(&self, what: &str) -> usize {
        self.gateway().log().entries().iter().filter(|entry| entry.what == what).count()
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        self.gateway().log().clear();
    }

    /// The next plan is empty, and making it writes nothing.
    #[track_caller]
    pub fn nothing_left(&self) {
        self.forget_requests();
        let plan = self.rocade(&["plan", "--detailed-exitcode", "pool-gw"]).ended(0);
        assert!(plan.out.contains("no changes"), "{}", plan.out);
        assert_eq!(self.writes(), [""; 0]);
    }

    /// Lets the sensors join and send as soon as the unit knows them; whether all could.
    pub fn sensors_send(&self) -> bool {
        let one = |eui: &&str| {
            let eui = eui.parse().unwrap();
            let joined = self.unit().has_joined(eui) || self.unit().join(eui).is_ok();
            joined && self.unit().hear(&Uplink::new(eui, &[0x6d])).is_ok()
        };
        SENSORS.iter().all(one)
    }

    /// Presses the reset button and waits until the unit runs again.
    pub async fn press(&self, seconds: u64) {
        let boots = self.gateway().boots();
        self.unit().press(Duration::from_secs(seconds)).unwrap();
        self.gateway().until_boots(boots + 1).await;
    }
}
