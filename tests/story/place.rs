//! An inventory repository, its simulated devices and the real program, each test its own.

use std::path::{Path, PathBuf};

use rocade::lab::{self, Channel, Deed, Device, DevicePlan, Lab, LabPlan};
use serde_json::Value;
use tempfile::TempDir;

/// A repository and the devices it describes.
pub struct Place {
    /// The repository's folder; it goes with this.
    pub folder: TempDir,
    /// The devices: `pool-gw` and `main`.
    pub lab: Lab,
    /// One more, `signage-1`, where a plain host is asked for.
    pub host: Option<Lab>,
}

/// How a run of the program ended.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it wrote on standard output.
    pub out: String,
    /// What it wrote on standard error.
    pub err: String,
}

impl Ran {
    /// The run, which must have ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n-- standard output\n{}\n-- standard error\n{}", self.out, self.err);
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault}:\n{}\n{}", self.out, self.err))
    }
}

/// The changes of a plan in JSON, as `create gateway pool-gw: sensor pool-hall`.
pub fn changes(plan: &Value) -> Vec<String> {
    let line = |change: &Value| {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let (target, key) = (&change["address"]["target"], &change["address"]["key"]);
        let [action, kind, name] = [&change["action"], &target["kind"], &target["name"]].map(word);
        let [collection, resource] = [&key["collection"], &key["name"]].map(word);
        format!("{action} {kind} {name}: {collection} {resource}")
    };
    plan["changes"].as_array().unwrap().iter().map(line).collect()
}

/// A command that starts the real program in a repository, with nothing of this person's own settings.
pub fn program(root: &Path) -> assert_cmd::Command {
    assert_cmd::Command::from_std(plain_program(root))
}

/// The same, to be started and killed.
pub fn plain_program(root: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rocade"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", root).arg("-C").arg(root);
    command
}

impl Place {
    /// New devices and the repository that describes them; nothing applied yet. The telephone system is left
    /// out of the inventory: it has tests of its own.
    pub async fn new() -> Self {
        let place = Self::whole().await;
        for file in ["inventory/head-office.yaml", "inventory/secrets/pbx.yaml"] {
            std::fs::remove_file(place.file(file)).unwrap();
        }
        place
    }

    /// The same with the telephone system.
    pub async fn whole() -> Self {
        let folder = TempDir::new().unwrap();
        let lab = lab::up(folder.path()).await.unwrap();
        Self { folder, lab, host: None }
    }

    /// The same with everything applied.
    pub async fn applied() -> Self {
        let place = Self::new().await;
        place.rocade(&["apply", "--yes"]).ended(0);
        place.forget_requests();
        place
    }

    /// Adds a plain Debian host, `signage-1`, with these packages and files in the inventory.
    pub async fn add_host(&mut self, wishes: &str) {
        let devices = vec![DevicePlan::debian("signage-1")];
        let lab = Lab::start(LabPlan { devices, logs: None }).await.unwrap();
        let device = &lab.devices()[0];
        let DevicePlan { ssh_port, password, .. } = &device.plan;
        self.set_secret("hosts/signage-1/admin", password);
        let login =
            format!("{{user: debian, port: {ssh_port}, password: {{secret: hosts/signage-1/admin}}}}");
        let head =
            format!("hosts:\n  signage-1:\n    site: pool\n    address: 127.0.0.1\n    ssh: {login}\n");
        std::fs::write(self.file("inventory/hosts.yaml"), head + wishes).unwrap();
        let mut known = std::fs::read_to_string(self.file("inventory/known_hosts")).unwrap();
        known.push_str(&format!("[127.0.0.1]:{ssh_port} {}\n", device.host_key));
        std::fs::write(self.file("inventory/known_hosts"), known).unwrap();
        self.host = Some(lab);
    }

    fn devices(&self) -> impl Iterator<Item = &Device> {
        self.lab.devices().iter().chain(self.host.iter().flat_map(|lab| lab.devices()))
    }

    /// The repository's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the repository.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Runs the program to its end.
    pub fn rocade(&self, words: &[&str]) -> Ran {
        self.rocade_reading(words, "")
    }

    /// Runs the program with something on its standard input.
    pub fn rocade_reading(&self, words: &[&str], input: &str) -> Ran {
        let output = program(self.root())
            .env("TMPDIR", self.file(".rocade"))
            .args(words)
            .write_stdin(input)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("no signal ended it");
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The changes that a plan finds now.
    pub fn planned(&self) -> Vec<String> {
        changes(&self.rocade(&["plan", "--json"]).ended(0).json())
    }

    /// A device.
    pub fn device(&self, name: &str) -> &Device {
        self.devices().find(|device| device.plan.name == name).unwrap()
    }

    /// What all devices were asked to change since [`Place::forget_requests`], as `main: put /path`.
    pub fn writes(&self) -> Vec<String> {
        let of = |device: &Device| {
            let entries = device.log().entries().into_iter();
            let writes = entries.filter(|entry| entry.kind == Deed::Write && entry.channel != Channel::Mqtt);
            writes.map(|entry| format!("{}: {}", entry.device, entry.what)).collect::<Vec<_>>()
        };
        self.devices().flat_map(of).collect()
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        self.devices().for_each(|device| device.log().clear());
    }

    /// Replaces a text that stands once in a file of the inventory.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.file(&format!("inventory/{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// Sets a secret as a person does.
    #[track_caller]
    pub fn set_secret(&self, path: &str, value: &str) {
        self.rocade_reading(&["secrets", "set", path], value).ended(0);
    }

    /// Puts a file on a device, as somebody logged in there would.
    pub fn put(&self, device: &str, path: &str, text: &str) {
        let put = |state: &mut lab::State| state.files.put(path, text.into(), 0o644, "root", "root");
        self.device(device).with_state(put).unwrap();
    }
}
