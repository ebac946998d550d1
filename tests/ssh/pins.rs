//! `known_hosts` as OpenSSH itself reads and writes it, and `~/.ssh/config` as `ssh -G` understands it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rocade::transport::known_hosts::{KnownHosts, Standing, fingerprint};
use rocade::transport::ssh::{AgentUse, Login, Route};
use rocade::transport::ssh_config::{Person, SshConfig};
use russh::keys::PublicKey;
use tempfile::TempDir;

use crate::server::run;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn key(folder: &Path, name: &str) -> PublicKey {
    let path = folder.join(name);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &path.display().to_string()]);
    PublicKey::from_openssh(fs::read_to_string(path.with_extension("pub")).unwrap().trim()).unwrap()
}

fn pins(folder: &Path, text: &str) -> KnownHosts {
    let path = folder.join("known_hosts");
    fs::write(&path, text).unwrap();
    KnownHosts::read(&path).unwrap()
}

#[test]
fn names_ports_lists_wildcards_negation_and_comments() {
    let folder = folder();
    let (one, two) = (key(folder.path(), "one"), key(folder.path(), "two"));
    let line = one.to_openssh().unwrap();
    let hosts = "pool-gw,192.168.2.1,[broker.example.net]:2222,*.lan,!bad.lan";
    let known = pins(folder.path(), &format!("# comment\n\n  {hosts} {line} and a comment\n"));
    let changed = Standing::Changed { pinned: vec![format!("ssh-ed25519 {}", fingerprint(&one))] };
    for (host, port, expected) in [
        ("pool-gw", 22, true),
        ("POOL-GW", 22, true),
        ("192.168.2.1", 22, true),
        ("192.168.2.1", 2222, false),
        ("broker.example.net", 2222, true),
        ("broker.example.net", 22, false),
        ("a.lan", 22, true),
        ("bad.lan", 22, false),
        ("lan", 22, false),
    ] {
        let standing = if expected { Standing::Known } else { Standing::Unknown };
        assert_eq!(known.check(host, port, &one), standing, "{host}:{port}");
        let standing = if expected { changed.clone() } else { Standing::Unknown };
        assert_eq!(known.check(host, port, &two), standing, "{host}:{port}");
    }
    assert!(known.notes().is_empty());
}

#[test]
fn an_absent_file_pins_nothing_and_odd_lines_are_noted() {
    let folder = folder();
    let one = key(folder.path(), "one");
    let absent = KnownHosts::read(&folder.path().join("nowhere")).unwrap();
    assert_eq!(absent.check("pool-gw", 22, &one), Standing::Unknown);
    let line = one.to_openssh().unwrap();
    let odd =
        pins(folder.path(), &format!("@cert-authority * {line}\npool-gw\n|1|x|y {line}\n@other a {line}\n"));
    assert_eq!(odd.check("pool-gw", 22, &one), Standing::Unknown);
    let notes = odd.notes();
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert!(notes[0].starts_with("line 1: @cert-authority"), "{notes:?}");
}

#[test]
fn ssh_keygen_finds_what_was_pinned_and_repinned() {
    let folder = folder();
    let (one, two) = (key(folder.path(), "one"), key(folder.path(), "two"));
    let text = format!("# kept\nother {}\n", one.to_openssh().unwrap());
    let mut known = pins(folder.path(), &text);
    known.add("192.168.2.1", 22, &one).unwrap();
    known.add("Broker.example.net", 2222, &one).unwrap();
    let path = folder.path().join("known_hosts").display().to_string();
    let listed = |name: &str| run("ssh-keygen", &["-l", "-F", name, "-f", &path]);
    assert!(listed("192.168.2.1").contains(&fingerprint(&one)));
    assert!(listed("[broker.example.net]:2222").contains(&fingerprint(&one)));
    run("ssh-keygen", &["-q", "-H", "-f", &path]);
    known.repin("192.168.2.1", 22, &two).unwrap();
    assert_eq!(known.check("192.168.2.1", 22, &two), Standing::Known);
    assert!(matches!(known.check("192.168.2.1", 22, &one), Standing::Changed { .. }));
    assert!(listed("192.168.2.1").contains(&fingerprint(&two)));
    assert_eq!(known.check("other", 22, &one), Standing::Known);
    assert_eq!(known.check("broker.example.net", 2222, &one), Standing::Known);
}

#[test]
fn a_pin_shared_with_other_hosts_is_not_replaced() {
    let folder = folder();
    let (one, two) = (key(folder.path(), "one"), key(folder.path(), "two"));
    let text = format!("a,b {}\n", one.to_openssh().unwrap());
    let mut known = pins(folder.path(), &text);
    let error = known.repin("a", 22, &two).unwrap_err().to_string();
    assert!(error.contains("known_hosts:1 pins a key for a and for other hosts"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("known_hosts")).unwrap(), text);
}

const CONFIG: &str = r#"
# first value wins
Host pool-gw gw-*
    HostName %h.lan
    User "admin"
    Port=2222
    IdentityFile ~/.ssh/id_%r_%h
    ProxyJump ada@bastion:2200,inner
Include conf.d/*.conf
Host *.example.net !secret.example.net
    User ada   # a comment
    IdentityFile %d/keys/%p
Match host pool-gw
    Port 9
Match all
    IdentityFile /etc/key
Host *
    User last
"#;

fn config(folder: &Path) -> SshConfig {
    let ssh = folder.join(".ssh");
    fs::create_dir_all(ssh.join("conf.d")).unwrap();
    fs::write(ssh.join("config"), CONFIG).unwrap();
    fs::write(ssh.join("conf.d/a.conf"), "Host included\n  HostName 10.0.0.7\n  ProxyJump none\n").unwrap();
    let person = Person { home: folder.to_owned(), user: "me".into(), agent: Some("/run/agent".into()) };
    SshConfig::of(person).unwrap()
}

/// What OpenSSH itself makes of the configuration for a host: the values of one keyword.
fn according_to_ssh(folder: &Path, host: &str, keyword: &str) -> Vec<String> {
    let path = folder.join("openssh_config");
    let home = folder.display().to_string();
    // `ssh` takes the home directory from the account, so it is written out; `Match host` is left out as by
    // us.
    let text =
        CONFIG.replace('~', &home).replace("%d", &home).replace("conf.d/", &format!("{home}/.ssh/conf.d/"));
    fs::write(&path, text.replace("Match host pool-gw\n    Port 9\n", "")).unwrap();
    let output = Command::new("ssh").arg("-G").arg("-F").arg(&path).arg(host).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let values = output.lines().filter_map(|line| line.strip_prefix(&format!("{keyword} ")));
    values.map(str::to_owned).collect()
}

#[test]
fn ssh_understands_the_configuration_as_we_do() {
    let folder = folder();
    let config = config(folder.path());
    for host in ["pool-gw", "gw-7", "included", "www.example.net", "secret.example.net", "other"] {
        let ours = config.host(host).unwrap();
        let theirs = |keyword| according_to_ssh(folder.path(), host, keyword);
        assert_eq!(theirs("hostname"), [ours.host_name.as_str()], "{host}");
        assert_eq!(theirs("user"), [ours.user.as_str()], "{host}");
        assert_eq!(theirs("port"), [ours.port.to_string()], "{host}");
        // `ssh -G` prints key files with their tokens; the tokens are checked below.
        assert_eq!(theirs("identityfile").len(), ours.identity_files.len(), "{host}");
        let jumps = ours.jumps.iter().map(|jump| {
            let user = jump.user.as_ref().map_or(String::new(), |user| format!("{user}@"));
            let port = jump.port.map_or(String::new(), |port| format!(":{port}"));
            format!("{user}{}{port}", jump.host)
        });
        assert_eq!(theirs("proxyjump").join(","), jumps.collect::<Vec<_>>().join(","), "{host}");
    }
    let files = config.host("pool-gw").unwrap().identity_files;
    assert_eq!(files, [folder.path().join(".ssh/id_admin_pool-gw.lan"), PathBuf::from("/etc/key")]);
    let files = config.host("www.example.net").unwrap().identity_files;
    assert_eq!(files[0], folder.path().join("keys/22"));
    assert_eq!(config.notes().len(), 1);
    assert!(config.notes()[0].contains(".ssh/config:13: only `Match all`"), "{:?}", config.notes());
}

#[test]
fn the_inventory_wins_over_the_configuration() {
    let folder = folder();
    let config = config(folder.path());
    let login = Login { user: Some("root".into()), port: Some(22), ..Login::default() };
    let route = Route::resolve("gw", "pool-gw", &login, &config).unwrap();
    assert_eq!((route.user.as_str(), route.port, route.address.as_str()), ("root", 22, "pool-gw.lan"));
    assert_eq!(route.agent, AgentUse::All("/run/agent".into()));
    let jumps: Vec<_> = route.jumps.iter().map(|j| (j.address.as_str(), j.user.as_str(), j.port)).collect();
    assert_eq!(jumps, [("bastion", "ada", 2200), ("inner", "last", 22)]);
    let named = Login { identity_file: Some("~/gw.key".into()), ..Login::default() };
    let route = Route::resolve("gw", "pool-gw", &named, &config).unwrap();
    assert_eq!(route.identity_files, [folder.path().join("gw.key")]);
    assert_eq!(route.agent, AgentUse::FilesOnly("/run/agent".into()));
    let password = Some(rocade::model::Secret::new("x", "gateways/gw/admin"));
    let route = Route::resolve("gw", "pool-gw", &Login { password, ..Login::default() }, &config).unwrap();
    assert!(route.identity_files.is_empty() && route.agent == AgentUse::None);
}

#[test]
fn what_cannot_be_understood_is_said_with_its_place() {
    let folder = folder();
    let read = |text: &str| {
        let path = folder.path().join("config");
        fs::write(&path, text).unwrap();
        let person = Person { home: folder.path().to_owned(), user: "me".into(), agent: None };
        SshConfig::read(&path, person)
    };
    let error = read("Host a\n  User \"x\n").unwrap_err();
    assert!(format!("{error:#}").contains("config:2: a quote that does not end"), "{error:#}");
    assert!(format!("{:#}", read("Port\n").unwrap_err()).contains("config:1: `port` without a value"));
    assert!(
        format!("{:#}", read("Port 99999\n").unwrap().host("a").unwrap_err())
            .contains("`99999` is not a port")
    );
    assert!(format!("{:#}", read("HostName %n\n").unwrap().host("a").unwrap_err()).contains("%n"));
    let circle = read("Host a\n ProxyJump b\nHost b\n ProxyJump a\n").unwrap();
    let error = Route::resolve("a", "a", &Login::default(), &circle).unwrap_err().to_string();
    assert!(error.contains("more than 8 hosts"), "{error}");
    let itself = folder.path().join("config").display().to_string();
    assert!(format!("{:#}", read(&format!("Include {itself}\n")).unwrap_err()).contains("included too deep"));
}
