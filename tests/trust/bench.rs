//! A repository with an identity and an inventory, and the programs that are run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use rocade::model::Period;
use rocade::pki::{Authority, Certificate, IssuingOrder, LeafOrder, RootOrder};
use rocade::secrets::{IdentitySource, Store, keygen};

pub const DAY: u64 = 86_400;
pub const ROOT: &str = "Example IoT Root";

const INVENTORY: &str = r#"
pki: {authority: {name: Example IoT Root}}
brokers:
  main:
    model: mosquitto
    address: 127.0.0.1
    ssh: {port: 1}
    names: [broker.example.net, 127.0.0.1]
    listeners: {mqtts: {port: 8883}}
"#;

pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        // Readable by Mosquitto's own user, which it becomes when it is started as root.
        let folder = tempfile::Builder::new().prefix("rocade-trust").tempdir().unwrap();
        keygen(&folder.path().join(".rocade/identity.txt"), Some(folder.path()), None).unwrap();
        fs::write(folder.path().join("inventory/all.yaml"), INVENTORY).unwrap();
        Self { folder }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn store(&self) -> Store {
        Store::open(self.root(), IdentitySource::Default { config_dir: None }).unwrap()
    }

    /// An authority of a root alone.
    pub fn rooted(&self, now: Timestamp) -> Authority {
        let order = RootOrder { name: ROOT, lifetime: Period(3650 * DAY), now, by: "ada" };
        Authority::create(self.root(), &order, &self.store()).unwrap()
    }

    /// An authority with an intermediate bound to these domains and networks.
    pub fn authority(&self, only: &[&str], now: Timestamp) -> Authority {
        let mut authority = self.rooted(now);
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        let order = IssuingOrder { only: &only, lifetime: Period(1825 * DAY), now, by: "ada" };
        authority.make_issuing(&order, &self.store()).unwrap();
        authority
    }

    pub fn issue(&self, authority: &Authority, name: &str, names: &[&str], now: Timestamp) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (client, lifetime) = (names.is_empty(), Period(365 * DAY));
        let order = LeafOrder { name, names: &names, client, lifetime, now, why: "first", by: "ada" };
        authority.issue(&order, &self.store()).unwrap()
    }

    /// The program in this repository.
    pub fn command(&self, words: &[&str]) -> Command {
        self.command_at(self.root(), words)
    }

    /// The program at another place, where no repository need be.
    #[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
    pub fn command_at(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rocade"));
        command.current_dir(folder).arg("--no-input").args(words).stdin(Stdio::null());
        command.env_remove("ROCADE_IDENTITY").env("HOME", self.root()).env("USER", "ada");
        command
    }

    /// Runs it; what it printed, once it ended with this code.
    pub fn rocade(&self, words: &[&str], code: i32) -> String {
        printed(&self.command(words).output().unwrap(), words, code)
    }
}

pub fn printed(output: &Output, words: &[&str], code: i32) -> String {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    text
}

#[expect(clippy::disallowed_methods, reason = "the judges are programs of this machine")]
pub fn run(program: &str, words: &[&str], folder: &Path) -> Output {
    Command::new(program).args(words).current_dir(folder).output().unwrap()
}

/// OpenSSL's answer, and whether it was content.
pub fn openssl(words: &[&str], folder: &Path) -> (bool, String) {
    let output = run("openssl", words, folder);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}
