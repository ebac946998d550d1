//! Hosts and the files on them: what is written into a root shell's reach is kept to plain characters.

use super::{address, repeated};
use crate::inventory::{At, Diagnostic, Host, HostFile, Inventory, Ssh};

pub(super) fn check(inventory: &Inventory, found: &mut Vec<Diagnostic>) {
    let hosts = || inventory.hosts.values();
    let places =
        hosts().map(|host| (endpoint(&host.address, &host.ssh, host.root.as_ref()), &host.address.place));
    repeated(places, |(address, ..)| same_address("hosts", address), found);
    for host in hosts() {
        check_one(host, found);
    }
}

/// What tells one managed machine from another: address, port, and prefix.
pub(super) fn endpoint(
    address: &At<String>,
    ssh: &Ssh,
    root: Option<&At<String>>,
) -> (String, Option<u16>, Option<String>) {
    (address.to_ascii_lowercase(), ssh.port, root.map(|root| root.value.clone()))
}

/// Two entries of a section stand for one machine.
pub(super) fn same_address(section: &str, address: &str) -> Diagnostic {
    Diagnostic::error("duplicate-address", format!("two of the `{section}` are at {address}"))
}

/// Adds a fault when a path on a target is not absolute and plain.
pub(super) fn check_path(path: &At<String>, found: &mut Vec<Diagnostic>) {
    let fault = if !path.starts_with('/') {
        "a path on a host begins with `/`"
    } else if path.chars().any(char::is_control) {
        "a path has no control characters"
    } else if path.split('/').any(|part| part == ".." || part == ".") || path.contains("//") {
        "a path has no `.`, `..` or empty parts"
    } else {
        return;
    };
    found.push(Diagnostic::error("bad-path", fault).at(&path.place, ""));
}

fn check_one(host: &At<Host>, found: &mut Vec<Diagnostic>) {
    address::check(&host.address, found);
    host.root.iter().for_each(|root| check_path(root, found));
    for package in host.packages.iter().filter(|package| !is_package(package)) {
        let message = format!("`{}` is no package name", **package);
        found.push(Diagnostic::error("bad-package", message).at(&package.place, ""));
    }
    let paths = host.files.iter().map(|file| (file.path.as_str(), &file.path.place));
    repeated(
        paths,
        |path| Diagnostic::error("duplicate-path", format!("`{path}` is written twice on one host")),
        found,
    );
    for file in &host.files {
        check_file(file, found);
    }
}

fn check_file(file: &At<HostFile>, found: &mut Vec<Diagnostic>) {
    check_path(&file.path, found);
    if file.path.ends_with('/') {
        found
            .push(Diagnostic::error("bad-path", "a file's path ends with its name").at(&file.path.place, ""));
    }
    let origins = usize::from(file.template.is_some())
        + usize::from(file.source.is_some())
        + usize::from(file.content.is_some());
    if origins != 1 {
        let message =
            format!("a file comes from one of `template`, `source` and `content`, here from {origins}");
        found.push(Diagnostic::error("file-origin", message).at(&file.path.place, ""));
    }
    if let Some((_, secret)) = file.secrets.first_key_value() {
        if file.template.is_none() {
            let message = "only a `template` knows the `secrets` of a file";
            found.push(Diagnostic::error("file-origin", message).at(&secret.place, ""));
        }
        if let Some(mode) = file.mode.as_ref().filter(|mode| is_mode(mode) && !mode.ends_with('0')) {
            let fault = Diagnostic::error("secret-for-all", "anybody on the host could read these secrets");
            let fault = fault.at(&mode.place, "").at(&secret.place, "such as this one");
            found.push(
                fault.help("write a mode that ends with 0, such as \"0640\", and its reader's `group`"),
            );
        }
    }
    for path in [&file.template, &file.source].into_iter().flatten() {
        let parts = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !parts || path.chars().any(|c| c.is_control() || c == '\\') {
            let message = "this must be a path below `templates/`, without `.` or `..`";
            found.push(Diagnostic::error("bad-path", message).at(&path.place, ""));
        }
    }
    if let Some(mode) = file.mode.as_ref().filter(|mode| !is_mode(mode)) {
        let message = format!("`{}` are no permission bits", **mode);
        let fault = Diagnostic::error("bad-mode", message).at(&mode.place, "");
        found.push(fault.help("write three octal digits after a zero, in quotes: \"0644\""));
    }
    for name in file.owner.iter().chain(&file.group).filter(|name| !is_account(name)) {
        let message = format!("`{name}` is no name of a user or group");
        found.push(Diagnostic::error("bad-account", message).at(&file.place, "of this file"));
    }
    if let Some(service) = file.restart.as_ref().filter(|name| !is_service(name)) {
        let message = format!("`{}` is no name of a service", **service);
        found.push(Diagnostic::error("bad-service", message).at(&service.place, ""));
    }
}

/// Octal digits: three, or four with the special bits first.
fn is_mode(mode: &str) -> bool {
    matches!(mode.len(), 3 | 4) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
}

/// Debian policy 5.6.7.
fn is_package(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
}

fn is_account(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 32
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

fn is_service(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.@".contains(c))
}
