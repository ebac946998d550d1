//! The inventory repository of the tests, and rocade as a person runs it there.
//!
//! Whatever rocade prints is searched for every secret the repository holds, whichever test made it print.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rocade::secrets::Known;
use serde_json::Value;

use super::bed::{BROKER, GATEWAY, bed, output};

/// The inventory that every test begins with, by file.
const INVENTORY: [(&str, &str); 4] = [
    ("site.yaml", include_str!("inventory/site.yaml")),
    ("gateways.yaml", include_str!("inventory/gateways.yaml")),
    ("brokers.yaml", include_str!("inventory/brokers.yaml")),
    ("sensors.yaml", include_str!("inventory/sensors.yaml")),
];

/// What rocade said and how it ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The same, when the exit code is the one expected.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// An inventory repository; none yet while its folder is empty.
#[derive(Default)]
pub struct Site {
    folder: PathBuf,
    secrets: BTreeMap<String, String>,
}

/// The repository that the tests share, its inventory the one they begin with, everything applied.
pub fn ready() -> MutexGuard<'static, Site> {
    let mut site = shared();
    if site.folder.as_os_str().is_empty() {
        *site = Site::anew();
    }
    site.write_inventory();
    site.set_first_secrets();
    site.rocade(&["apply", "--yes"]).ends_with(0);
    site.is_settled();
    site
}

/// A new repository with an empty `pki/`, and both hosts as they left the factory.
pub fn untouched() -> MutexGuard<'static, Site> {
    let mut site = shared();
    *site = Site::anew();
    site
}

/// One test at a time: there is one bed. A test that failed leaves nothing that the next one counts on.
fn shared() -> MutexGuard<'static, Site> {
    static SITE: LazyLock<Mutex<Site>> = LazyLock::new(Mutex::default);
    SITE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Site {
    fn anew() -> Self {
        bed().reset(GATEWAY);
        bed().reset(BROKER);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chain");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for inner in ["repository/inventory", "repository/pki", "home", "tmp"] {
            fs::create_dir_all(folder.join(inner)).unwrap();
        }
        let mut site = Self { folder, secrets: BTreeMap::new() };
        site.write_inventory();
        let identity = site.folder.join("identity");
        site.rocade(&["secrets", "keygen", "--output", identity.to_str().unwrap()]).ends_with(0);
        site.set_first_secrets();
        for (name, host) in [("pool-gw", GATEWAY), ("main", BROKER)] {
            site.trust(name, host);
        }
        site
    }

    /// Pins the key that a host of the bed shows.
    pub fn trust(&self, name: &str, host: &str) {
        let shown = bed().host(host, "host_key_fingerprint");
        self.rocade(&["trust", name, "--fingerprint", &shown]).ends_with(0);
    }

    /// The repository's folder, or a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join("repository").join(name)
    }

    /// A file beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The inventory that every test begins with, without what another test added.
    fn write_inventory(&self) {
        for entry in fs::read_dir(self.path("inventory")).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.extension().is_some_and(|extension| extension == "yaml") {
                fs::remove_file(entry).unwrap();
            }
        }
        if self.path("templates").exists() {
            fs::remove_dir_all(self.path("templates")).unwrap();
        }
        for (name, text) in INVENTORY {
            fs::write(self.path("inventory").join(name), text).unwrap();
        }
        fs::write(self.path("inventory/recorded.yaml"), super::readings::recorded_sensors()).unwrap();
    }

    /// Takes a file out again.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// The logins of the hosts, and a key or password of its own for whatever else the inventory names.
    fn set_first_secrets(&mut self) {
        self.set("gateways/pool-gw/admin", &bed().host(GATEWAY, "password"));
        self.set("brokers/main/admin", &bed().host(BROKER, "password"));
        self.set_new("gateways/pool-gw/network");
        self.set_new("brokers/main/signage");
        let sensors = fs::read_to_string(self.path("inventory/sensors.yaml")).unwrap()
            + &fs::read_to_string(self.path("inventory/recorded.yaml")).unwrap();
        for path in sensors.split("{secret: ").skip(1) {
            self.set_new(path.split('}').next().unwrap());
        }
    }

    fn set_new(&mut self, path: &str) {
        if !self.secrets.contains_key(path) {
            self.set(path, &hex::encode(rand::random::<[u8; 16]>()));
        }
    }

    /// Sets a secret as a person does; it is never on a command line.
    pub fn set(&mut self, path: &str, value: &str) {
        if self.secrets.get(path).is_some_and(|known| known == value) {
            return;
        }
        self.secrets.insert(path.to_owned(), value.to_owned());
        self.rocade_told(&["secrets", "set", path], value).ends_with(0);
    }

    /// The value of a secret, also of one that an apply made.
    pub fn secret(&mut self, path: &str) -> String {
        if !self.secrets.contains_key(path) {
            let value = output(&mut self.command(&["secrets", "get", path]));
            assert!(value.status.success(), "{}", String::from_utf8_lossy(&value.stderr));
            self.secrets.insert(path.to_owned(), String::from_utf8(value.stdout).unwrap());
        }
        self.secrets[path].clone()
    }

    /// Every secret that is known here, by its path.
    pub fn secrets(&self) -> &BTreeMap<String, String> {
        &self.secrets
    }

    /// Replaces a text of an inventory file; it must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path("inventory").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from:?}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Adds a file to the inventory, or to `templates/`.
    pub fn add(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `rocade ARGUMENTS` at the operator's machine, with a home and a folder for temporary files of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bed().operator(env!("CARGO_BIN_EXE_rocade"));
        command.arg("-C").arg(self.path("")).args(arguments);
        command.env_remove("SSH_AUTH_SOCK").env("NO_COLOR", "1");
        command.env("ROCADE_IDENTITY", self.folder.join("identity"));
        command.env("HOME", self.folder.join("home")).env("TMPDIR", self.folder.join("tmp"));
        command
    }

    /// Runs rocade to its end.
    pub fn rocade(&self, arguments: &[&str]) -> Ran {
        self.rocade_told(arguments, "")
    }

    fn rocade_told(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Ran { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) };
        self.says_no_secret(&ran.out);
        self.says_no_secret(&ran.err);
        ran
    }

    /// Lets a secret that stands nowhere in the repository be searched for as well.
    pub fn know(&mut self, what: &str, value: &str) {
        self.secrets.insert(what.to_owned(), value.to_owned());
    }

    /// The paths of the secrets that stand in a text: in clear, in base64, in hex, percent-encoded, as JSON.
    pub fn found_in(&self, text: &[u8]) -> Vec<&str> {
        let mut known = Known::default();
        for (path, value) in &self.secrets {
            assert!(value.len() >= 8, "{path} is too short to be told from other words");
            known.add(path, value.as_bytes());
        }
        let found = known.find(text);
        let paths = self.secrets.keys().map(String::as_str);
        paths.filter(|path| found.iter().any(|(_, name, _)| name == path)).collect()
    }

    #[track_caller]
    fn says_no_secret(&self, text: &str) {
        let found = self.found_in(text.as_bytes());
        assert!(found.is_empty(), "rocade printed the values of {found:?}");
    }

    /// The changes of a new plan.
    pub fn plan(&self) -> Vec<Value> {
        let plan = self.rocade(&["plan", "--json"]).ends_with(0).json();
        assert_eq!(plan["unread"].as_array().unwrap().len(), 0, "{}", plan["unread"]);
        plan["changes"].as_array().unwrap().clone()
    }

    /// The changes of a new plan in words: `update sensor hall`.
    pub fn planned(&self) -> Vec<String> {
        self.plan().iter().map(words).collect()
    }

    /// There is nothing to do.
    #[track_caller]
    pub fn is_settled(&self) {
        let plan = self.rocade(&["plan", "--detailed-exitcode"]).ends_with(0);
        assert!(plan.out.contains("no changes"), "{}", plan.out);
    }

    /// Applies all and is settled; gives what was planned.
    #[track_caller]
    pub fn applied(&self) -> Vec<String> {
        let planned = self.planned();
        self.rocade(&["apply", "--yes"]).ends_with(0);
        self.is_settled();
        planned
    }
}

/// A change of a plan in words.
pub fn words(change: &Value) -> String {
    let word = |name: &str| change["address"]["key"][name].as_str().unwrap().to_owned();
    format!("{} {} {}", change["action"].as_str().unwrap(), word("collection"), word("name"))
}
