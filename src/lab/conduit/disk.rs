//! The unit's flash: what its firmware brings, and what each kind of restart leaves of the rest.
//!
//! Known: an upgrade replaces the root file system, `/var/config` survives it, `/var/volatile` is in memory, and
//! what stands in `/var/persistent` survives also a reset. Assumed: a reset leaves the root file system alone.

use std::collections::BTreeMap;

use super::firmware::Firmware;
use crate::lab::debian::{directory, file};
use crate::lab::machine::{Account, Service, State};

/// The services mPower starts at boot.
const SERVICES: [&str; 4] = ["sshd", "mosquitto", "lora-network-server", "customapp"];

/// What stands in memory.
const VOLATILE: [&str; 3] = ["/var/run", "/var/volatile", "/tmp"];

/// What a reset empties.
const CONFIG: [&str; 2] = ["/var/config", "/home"];

/// What an upgrade leaves.
const KEPT: [&str; 2] = ["/var/config", "/var/persistent"];

/// The first id of a person.
const PERSON: u32 = 1000;

/// A unit with a firmware and nothing else.
pub fn fresh(firmware: &Firmware) -> State {
    let mut state = State { facts: facts(firmware), ..State::default() };
    for path in ["/etc/init.d", "/var/config/lora", "/var/persistent", "/var/log", "/home/root"] {
        directory(&mut state.files, path);
    }
    VOLATILE.iter().for_each(|path| directory(&mut state.files, path));
    for service in SERVICES {
        file(&mut state.files, &format!("/etc/init.d/{service}"), "#!/bin/sh\n");
        state.services.insert(service.to_owned(), Service::up(&state.files));
    }
    let version = firmware.text();
    file(&mut state.files, "/etc/issue.net", &format!("mPower {version}\n"));
    file(&mut state.files, "/etc/mlinux-version", &format!("mLinux {version}\nBuilt from branch: lab\n"));
    state.accounts.insert("root".to_owned(), Account::login(0, "root", "/home/root"));
    state
}

/// Makes the unit's accounts those of its users.
pub fn keep_users(state: &mut State, names: &[String]) {
    state.accounts.retain(|name, account| account.uid < PERSON || names.contains(name));
    for name in names.iter().filter(|name| *name != "root") {
        if state.accounts.contains_key(name) {
            continue;
        }
        let uid = state.accounts.values().map(|account| account.uid + 1).max().unwrap_or(0).max(PERSON);
        let home = format!("/home/{name}");
        directory(&mut state.files, &home);
        let mut account = Account::login(uid, name, &home);
        account.groups.push("sudo".to_owned());
        state.accounts.insert(name.clone(), account);
    }
}

/// The power goes.
pub fn lose_memory(state: &mut State) {
    state.files.retain(|path| VOLATILE.iter().all(|folder| !is_below(path, folder)));
}

/// The configuration goes.
pub fn lose_config(state: &mut State, firmware: &Firmware) {
    state.files.retain(|path| CONFIG.iter().all(|folder| !is_below(path, folder)));
    state.accounts.retain(|_, account| account.uid < PERSON);
    let mut fresh = fresh(firmware);
    fresh.files.retain(|path| CONFIG.iter().any(|folder| is_below(path, folder)));
    state.files.extend(&fresh.files);
}

/// Another firmware comes.
pub fn replace_root(state: &mut State, firmware: &Firmware) {
    let mut fresh = fresh(firmware);
    state.files.retain(|path| KEPT.iter().any(|folder| path == *folder || is_below(path, folder)));
    fresh.files.retain(|path| KEPT.iter().all(|folder| !is_below(path, folder)));
    state.files.extend(&fresh.files);
    *state = State { files: std::mem::take(&mut state.files), ..fresh };
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn facts(firmware: &Firmware) -> BTreeMap<String, String> {
    let version = firmware.text();
    let mut facts = vec![
        ("os", "mlinux"),
        ("version", version.as_str()),
        ("kernel", "5.4.199"),
        ("arch", "armv5tejl"),
        ("hostname", "mtcdt"),
        ("init", "sysvinit"),
    ];
    facts.extend(firmware.python3().map(|python| ("python", python)));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
