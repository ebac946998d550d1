//! The few commands a simulated device knows. It has no shell: no pipes, no variables, no lists.

use crate::host::{FileKind, Page};

use super::files::FileEntry;
use super::held;
use super::log::{Channel, Deed};
use super::machine::{State, VirtualHost, without_query};

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status.
    pub status: u32,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: String,
}

impl Ended {
    /// Good, with output.
    pub fn good(stdout: impl Into<Vec<u8>>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }

    /// Bad, with a reason.
    pub fn bad(status: u32, reason: impl Into<String>) -> Self {
        Self { status, stderr: format!("{}\n", reason.into()), ..Self::default() }
    }
}

/// Splits a command line into words as a POSIX shell does, without expanding anything.
///
/// # Errors
/// When a quotation does not end.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => literal(&mut chars, word.get_or_insert_default())?,
            '"' => quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().extend(chars.next()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes the rest of a quotation in single quotes.
fn literal(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match chars.next().ok_or("unterminated quotation")? {
            '\'' => return Ok(()),
            char => word.push(char),
        }
    }
}

/// Takes the rest of a quotation in double quotes.
fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match chars.next().ok_or("unterminated quotation")? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or("unterminated quotation")? {
                char @ ('"' | '\\' | '$' | '`') => word.push(char),
                char => word.extend(['\\', char]),
            },
            char => word.push(char),
        }
    }
}

/// Runs one of the shell's commands as a user.
pub fn command(host: &VirtualHost, argv: &[String], user: &str) -> Ended {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let Some((name, rest)) = words.split_first() else { return Ended::default() };
    if *name == "curl" {
        return curl(host, rest);
    }
    host.log.note(Channel::Ssh, Deed::Read, argv.join(" "));
    let state = held(&host.state);
    match (*name, rest) {
        ("true", _) => Ended::default(),
        ("false", _) => Ended { status: 1, ..Ended::default() },
        ("echo", _) => Ended::good(format!("{}\n", rest.join(" "))),
        ("hostname", []) => Ended::good(format!("{}\n", fact(&state, "hostname"))),
        ("uname", _) => uname(&state, rest),
        ("id", _) => id(&state, rest, user),
        ("test", [flag, path]) => test(&state, flag, path),
        ("cat", paths) => each(&state, "cat", paths, user, |_, entry| entry.bytes.clone()),
        ("sha256sum", paths) => each(&state, "sha256sum", paths, user, |path, entry| {
            format!("{}  {path}\n", entry.facts().sha256.unwrap_or_default()).into_bytes()
        }),
        ("stat", ["-c", format, paths @ ..]) => stat(&state, format, paths),
        ("ls", _) => ls(&state, rest),
        (name, _) => Ended::bad(127, format!("{name}: not found (simulated device)")),
    }
}

fn fact<'a>(state: &'a State, name: &str) -> &'a str {
    state.facts.get(name).map_or("", String::as_str)
}

fn uname(state: &State, flags: &[&str]) -> Ended {
    let (release, machine, name) = (fact(state, "kernel"), fact(state, "arch"), fact(state, "hostname"));
    Ended::good(match flags {
        [] | ["-s"] => "Linux\n".to_owned(),
        ["-r"] => format!("{release}\n"),
        ["-m"] => format!("{machine}\n"),
        ["-n"] => format!("{name}\n"),
        _ => format!("Linux {name} {release} {machine} GNU/Linux\n"),
    })
}

fn id(state: &State, rest: &[&str], user: &str) -> Ended {
    let (flag, name) = match rest {
        [flag, name] => (*flag, *name),
        [flag] if flag.starts_with('-') => (*flag, user),
        [name] => ("", *name),
        _ => ("", user),
    };
    let Some(account) = state.accounts.get(name) else {
        return Ended::bad(1, format!("id: '{name}': no such user"));
    };
    Ended::good(match flag {
        "-u" => format!("{}\n", account.uid),
        "-un" => format!("{name}\n"),
        "-Gn" | "-nG" => format!("{}\n", account.groups.join(" ")),
        _ => format!("uid={}({name}) groups={}\n", account.uid, account.groups.join(",")),
    })
}

fn test(state: &State, flag: &str, path: &str) -> Ended {
    let kind = state.files.get(path).map(|entry| entry.kind);
    let good = match flag {
        "-e" => kind.is_some(),
        "-f" => kind == Some(FileKind::Regular),
        "-d" => kind == Some(FileKind::Directory),
        _ => return Ended::bad(2, format!("test: {flag}: not known (simulated device)")),
    };
    Ended { status: u32::from(!good), ..Ended::default() }
}

/// Shows every file a user may read; complains of the others.
fn each(
    state: &State,
    name: &str,
    paths: &[&str],
    user: &str,
    show: impl Fn(&str, &FileEntry) -> Vec<u8>,
) -> Ended {
    let mut ended = Ended::default();
    for path in paths {
        let complaint = match state.files.get(path) {
            None => "No such file or directory",
            Some(entry) if entry.kind != FileKind::Regular => "Is a directory",
            Some(entry) if user != "root" && !entry.readable_by(user) => "Permission denied",
            Some(entry) => {
                ended.stdout.extend(show(path, entry));
                continue;
            }
        };
        ended.status = 1;
        ended.stderr.push_str(&format!("{name}: {path}: {complaint}\n"));
    }
    ended
}

fn stat(state: &State, format: &str, paths: &[&str]) -> Ended {
    let mut ended = Ended::default();
    for path in paths {
        let Some(facts) = state.files.get(path).map(FileEntry::facts) else {
            ended.status = 1;
            ended.stderr.push_str(&format!("stat: can't stat '{path}': No such file or directory\n"));
            continue;
        };
        let kind = if facts.kind == FileKind::Regular { "regular file" } else { "directory" };
        let line = format
            .replace("%a", &facts.mode)
            .replace("%U", &facts.owner)
            .replace("%G", &facts.group)
            .replace("%s", &facts.size.to_string())
            .replace("%F", kind)
            .replace("%n", path);
        ended.stdout.extend(format!("{line}\n").into_bytes());
    }
    ended
}

fn ls(state: &State, rest: &[&str]) -> Ended {
    let path = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("/");
    match state.files.get(path).map(|entry| entry.kind) {
        None => Ended::bad(1, format!("ls: {path}: No such file or directory")),
        Some(FileKind::Directory) => {
            Ended::good(state.files.names(path).iter().map(|name| format!("{name}\n")).collect::<String>())
        }
        Some(_) => Ended::good(format!("{path}\n")),
    }
}

fn curl(host: &VirtualHost, rest: &[&str]) -> Ended {
    let Some(url) = rest.iter().find(|word| !word.starts_with('-')) else {
        return Ended::bad(2, "curl: no URL specified");
    };
    host.log.note(Channel::Ssh, Deed::Read, format!("GET {}", without_query(url)));
    match host.works.page("GET", url, &[]) {
        Ok(Page { body, .. }) => Ended::good(body.reveal()),
        Err(reason) => Ended::bad(7, format!("curl: (7) {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let line = "sudo -S -p '' sh -c 'echo \"it'\\''s\"\nx' \"a \\\"b\\\" \\n\" c\\ d";
        let expected = ["sudo", "-S", "-p", "", "sh", "-c", "echo \"it's\"\nx", "a \"b\" \\n", "c d"];
        assert_eq!(words(line).unwrap(), expected);
        assert!(words("echo 'x").is_err());
        assert!(words("").unwrap().is_empty());
    }
}
