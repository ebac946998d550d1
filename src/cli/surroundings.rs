//! What a run takes from outside: time, environment, home; and how faults are explained.

use std::path::PathBuf;

use super::say;
use super::{Arguments, Exit};
use crate::inventory;
use crate::run::{Options, Refused, Workspace};
use crate::secrets::IdentitySource;
use crate::transport::ssh::SshFault;
use crate::transport::ssh_config::{Person, SshConfig};

/// Where the age identity is: the flag, then `ROCADE_IDENTITY`, then the default places.
pub fn identity(arguments: &Arguments) -> IdentitySource {
    let named = std::env::var_os("ROCADE_IDENTITY").filter(|path| !path.is_empty()).map(PathBuf::from);
    match arguments.identity.clone().or(named) {
        Some(file) => IdentitySource::File(file),
        None => {
            IdentitySource::Default { config_dir: crate::secrets::config_dir(|name| std::env::var_os(name)) }
        }
    }
}

/// Who runs this and where, as the environment tells: `ada@laptop`.
fn person() -> String {
    let named = |names: [&str; 2]| names.into_iter().find_map(|name| std::env::var(name).ok());
    let user = named(["USER", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let host = named(["HOSTNAME", "COMPUTERNAME"])
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()))
        .unwrap_or_else(|| "somewhere".to_owned());
    let plain = |text: String| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    format!("{}@{}", plain(user), plain(host))
}

/// Opens the repository of the command line.
///
/// # Errors
/// Why it is refused.
pub fn workspace(arguments: &Arguments) -> anyhow::Result<Workspace> {
    let workspace = workspace_again(arguments)?;
    for warning in &workspace.loaded().warnings {
        say::word(&inventory::report::human(
            std::slice::from_ref(warning),
            &workspace.loaded().sources,
            say::in_colour(),
        ));
    }
    Ok(workspace)
}

/// The same after files of it were changed by this run; its warnings were said.
///
/// # Errors
/// Why it is refused.
pub fn workspace_again(arguments: &Arguments) -> anyhow::Result<Workspace> {
    workspace_at(arguments, arguments.directory.clone())
}

/// Opens another copy of the repository, as a commit has it. It is opened with the identity of the repository
/// itself, which no commit has.
///
/// # Errors
/// Why it is refused.
pub fn workspace_at(arguments: &Arguments, root: PathBuf) -> anyhow::Result<Workspace> {
    let own = arguments.directory.join(".rocade").join("identity.txt");
    let identity = match identity(arguments) {
        IdentitySource::Default { .. } if own.exists() => IdentitySource::File(own),
        other => other,
    };
    let options = Options {
        identity,
        ssh_config: SshConfig::of(Person::of_environment(|name| std::env::var_os(name)))?,
        now: jiff::Timestamp::now(),
        person: person(),
        commit: super::git::commit(&root),
        root,
    };
    Ok(Workspace::open(options)?)
}

/// Explains a fault on standard error and says which exit code it is.
pub fn explain(fault: &anyhow::Error) -> Exit {
    match fault.downcast_ref::<Refused>() {
        Some(Refused::Inventory(report)) => {
            say::word(&inventory::report::human(&report.diagnostics, &report.sources, say::in_colour()));
            return Exit::Usage;
        }
        Some(Refused::Scope(faults)) => {
            for fault in faults {
                say::word(&format!("{}error:{:#} {fault}", say::BAD, say::BAD));
            }
            return Exit::Usage;
        }
        _ => {}
    }
    say::error(fault);
    if let Some(hint) = hint(fault) {
        say::hint(&hint);
    }
    Exit::Failed
}

/// What to do about a fault, when one of its causes knows.
fn hint(fault: &anyhow::Error) -> Option<String> {
    fault.chain().find_map(|cause| {
        let ssh = cause.downcast_ref::<SshFault>().and_then(SshFault::hint);
        ssh.or_else(|| cause.downcast_ref::<crate::secrets::Fault>().and_then(crate::secrets::Fault::hint))
    })
}
