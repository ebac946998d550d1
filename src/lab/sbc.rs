//! A simulated 3CX SBC on a Debian host: with a link in its file it starts, fetches its configuration and puts it
//! in place of the file.
//!
//! Assumed, never recorded: that a file of the link alone is enough, that the fetched file keeps owner and mode,
//! and that the package starts nothing by itself.

use super::debian::{directory, file};
use super::machine::{Account, State};

/// Its package and its service.
pub const PROGRAM: &str = "3cxsbc";

const ACCOUNT: &str = "tcxsbc";
const FILE: &str = "/etc/3cxsbc.conf";

/// What the package brings.
pub fn unpack(state: &mut State) {
    let account = Account::system(120, ACCOUNT, "/var/lib/3cxsbc");
    state.accounts.entry(ACCOUNT.to_owned()).or_insert(account);
    directory(&mut state.files, "/var/lib/3cxsbc");
    file(&mut state.files, "/lib/systemd/system/3cxsbc.service", "[Service]\nUser=tcxsbc\n");
}

/// Starts it: what its link answers is its file from then on.
///
/// # Errors
/// When its file holds no link, or it may not read it.
pub fn start(state: &mut State) -> Result<(), String> {
    let failed = |why: &str| Err(format!("Job for 3cxsbc.service failed: {why}"));
    let Some(entry) = state.files.get(FILE) else { return failed("no configuration") };
    if !entry.readable_by(ACCOUNT) {
        return failed("permission denied");
    }
    let (owner, group) = (entry.facts().owner, entry.facts().group);
    let text = String::from_utf8_lossy(&entry.bytes).into_owned();
    let Some(link) = text.lines().find_map(|line| line.strip_prefix("ProvLink=")) else {
        return failed("no link");
    };
    let fetched = format!("[Bridge/1]\nTunnelPort=5090\nPassword=tunnel-password\nProvLink={link}\n");
    state.files.put(FILE, fetched.into_bytes(), 0o600, &owner, &group)
}
