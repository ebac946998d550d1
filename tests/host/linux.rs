//! The provider of plain hosts, from the inventory's text to files on disk and back to an empty plan.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rocade::compose::Shelf;
use rocade::host::LinuxHost;
use rocade::inventory::{self, Inventory};
use rocade::model::{Action, Address, Outcome, Plan, Report, Target, Value, Wish};
use rocade::plan::{self, Pair};
use rocade::providers::linux::LinuxProvider;
use rocade::providers::{Fault, Job, Provider};
use rocade::secrets::{IdentitySource, Store};
use rocade::transport::{Reading, Writing};

use super::live::{enclosed, needs_no_systemd};
use super::{Here, hosts, on, own_names};

fn inventory(text: &str) -> Inventory {
    match inventory::parse([("inventory/hosts.yaml", text)]) {
        Ok(loaded) => loaded.inventory,
        Err(report) => panic!("{report:?}"),
    }
}

fn desire(repository: &Path, text: &str) -> Result<Wish, Vec<Fault>> {
    let store = Store::open(repository, IdentitySource::Default { config_dir: None }).unwrap();
    let shelf = Shelf::open(repository, Arc::new(store));
    LinuxProvider.desire(&inventory(text), &Target::new("host", "signage-1"), &shelf)
}

fn repository(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("inventory/secrets")).unwrap();
    for (path, content) in files {
        let path = root.path().join("templates").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

#[derive(Default)]
struct Ends(Vec<Outcome>);

impl Report for Ends {
    fn step(&mut self, _address: &Address, outcome: Outcome) {
        self.0.push(outcome);
    }
}

/// One look at the host, and its plan.
async fn plan_of(wish: &Wish, host: &LinuxHost<Here>) -> Plan {
    let observed = LinuxProvider.observe(wish, Reading::on(host)).await;
    plan::make(&[Pair { wish, observed: &observed, table: LinuxProvider.collections() }])
}

async fn apply(wish: &Wish, host: &LinuxHost<Here>) -> (Vec<String>, Vec<Outcome>) {
    let observed = LinuxProvider.observe(wish, Reading::on(host)).await;
    let plan = plan::make(&[Pair { wish, observed: &observed, table: LinuxProvider.collections() }]);
    let mut ends = Ends::default();
    let job = Job { wish, observed: &observed, changes: &plan.changes, apply: "test" };
    LinuxProvider.apply(job, Writing::on(host), &mut ends).await;
    (lines(&plan), ends.0)
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &rocade::model::Change| {
        let fields =
            change.after.iter().flat_map(|after| after.keys()).cloned().collect::<Vec<_>>().join(" ");
        match change.action {
            Action::Create => format!("+ {}", change.address.key.name),
            Action::Update => format!("~ {} {fields}", change.address.key.name),
            Action::Delete => format!("- {}", change.address.key.name),
            Action::Wake => format!("! {}", change.address.key.name),
        }
    };
    plan.changes.iter().map(line).collect()
}

const FILES: &str = r#"
sites: {pool: {title: Indoor pool, timezone: Europe/Paris}}
hosts:
  signage-1:
    site: pool
    address: 127.0.0.1
    root: /prefix
    vars: {room: hall, topics: [a, b]}
    files:
      - path: /etc/signage/room.json
        template: room.json.j2
        mode: "0640"
        owner: OWNER
        group: GROUP
        restart: signage
      - {path: /opt/logo.png, source: logo.png, owner: OWNER, group: GROUP}
      - {path: /etc/motd, content: "Hands off.\n", owner: OWNER, group: GROUP}
"#;

#[tokio::test]
async fn a_host_becomes_what_is_wished_and_stays_so() {
    let (owner, group) = own_names();
    let text = FILES.replace("OWNER", &owner).replace("GROUP", &group);
    let template =
        br#"{"room": "{{ room }}", "at": "{{ site.title }} {{ host.name }}", "topics": {{ topics | tojson }}}"#;
    let repository = repository(&[("room.json.j2", template), ("logo.png", b"\x89PNG\r\n\x1a\n\xff")]);
    let wish = desire(repository.path(), &text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let done = |ends: &[Outcome]| ends.iter().all(|end| *end == Outcome::Done);
        let (changes, ends) = apply(&wish, &host).await;
        assert_eq!(changes, ["+ /etc/motd", "+ /etc/signage/room.json", "+ /opt/logo.png"], "{shell}");
        assert!(done(&ends), "{shell}: {ends:?}");
        let room = fs::read_to_string(root.join("etc/signage/room.json")).unwrap();
        assert_eq!(
            room, r#"{"room": "hall", "at": "Indoor pool signage-1", "topics": ["a","b"]}"#,
            "{shell}"
        );
        assert_eq!(fs::read(root.join("opt/logo.png")).unwrap(), b"\x89PNG\r\n\x1a\n\xff", "{shell}");
        assert_eq!(lines(&plan_of(&wish, &host).await), Vec::<String>::new(), "{shell}");

        fs::write(root.join("etc/motd"), "Changed by hand.\n").unwrap();
        fs::remove_file(root.join("opt/logo.png")).unwrap();
        std::os::unix::fs::symlink("elsewhere", root.join("opt/logo.png")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        fs::set_permissions(root.join("etc/signage/room.json"), mode).unwrap();
        let plan = plan_of(&wish, &host).await;
        let wanted = ["~ /etc/motd content", "~ /etc/signage/room.json mode", "~ /opt/logo.png content mode"];
        assert_eq!(lines(&plan), wanted, "{shell}");
        let link = plan.changes[2].before.as_ref().unwrap()["content"].as_text().unwrap().to_owned();
        assert_eq!(link, "(a symbolic link)", "{shell}");
        let keys: Vec<_> = plan.changes.iter().map(|change| change.address.key.clone()).collect();
        let contents = LinuxProvider.contents(&keys[..1], Reading::on(&host)).await.unwrap();
        assert!(matches!(&contents[&keys[0]]["content"], Value::Text(text) if text == "Changed by hand.\n"));
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o640);
        fs::set_permissions(root.join("etc/motd"), private).unwrap();
        let contents = LinuxProvider.contents(&keys[..1], Reading::on(&host)).await.unwrap();
        assert!(contents.is_empty(), "{shell}: what not everybody may read is shown to nobody");
        assert!(done(&apply(&wish, &host).await.1), "{shell}");
        assert_eq!(lines(&plan_of(&wish, &host).await), Vec::<String>::new(), "{shell}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_left_alone_and_a_directory_is_not_replaced() {
    let (owner, group) = own_names();
    let text = FILES.replace("OWNER", &owner).replace("GROUP", &group);
    let repository = repository(&[("room.json.j2", b"{}"), ("logo.png", b"x")]);
    let wish = desire(repository.path(), &text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        std::os::unix::fs::symlink("opt", root.join("opt")).unwrap();
        fs::create_dir_all(root.join("etc/motd")).unwrap();
        let plan = plan_of(&wish, &host).await;
        assert_eq!(lines(&plan), ["~ /etc/motd content mode", "+ /etc/signage/room.json"], "{shell}");
        assert_eq!(plan.unread.len(), 1, "{shell}: {:?}", plan.unread);
        assert_eq!(plan.unread[0].name.as_deref(), Some("/opt/logo.png"), "{shell}");
        let (_, ends) = apply(&wish, &host).await;
        assert!(
            matches!(&ends[0], Outcome::Failed(why) if why.contains("a directory stands")),
            "{shell}: {ends:?}"
        );
        assert!(matches!(ends[1], Outcome::NotStarted(_)), "{shell}: {ends:?}");
    }
}

#[test]
fn all_faults_are_told_at_once_with_their_places() {
    let text = r#"
hosts:
  signage-1:
    address: 127.0.0.1
    vars: {host: x}
    files:
      - {path: /a, template: undefined.j2}
      - {path: /b, template: none.j2}
      - {path: /c, source: none.png}
"#;
    let repository = repository(&[("undefined.j2", b"fine\n{{ site.title }}\n")]);
    let faults = desire(repository.path(), text).unwrap_err();
    let place = |fault: &Fault| fault.place.as_ref().map_or(0, |place| place.line);
    let told: Vec<(u32, &str)> = faults.iter().map(|fault| (place(fault), fault.message.as_str())).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].1.contains("cannot be called `host`"), "{told:?}");
    assert!(told[1].1.starts_with("templates/undefined.j2:2: undefined value"), "{told:?}");
    assert_eq!(told[1..].iter().map(|(line, _)| *line).collect::<Vec<_>>(), [7, 8, 9], "{told:?}");
}

#[tokio::test]
async fn a_changed_file_restarts_its_service_once() {
    if !needs_no_systemd() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(here) = enclosed(folder.path(), &["dash"]) else { return };
    let host = on(here, None);
    let (owner, group) = own_names();
    let place = folder.path().join("etc").display().to_string();
    let text = |content: &str| {
        let file = |name: &str| {
            format!(
                "      - {{path: {place}/{name}, content: {content}, owner: {owner}, group: {group}, \
                 restart: rocade-test}}\n"
            )
        };
        format!("hosts:\n  signage-1:\n    address: 127.0.0.1\n    files:\n{}{}", file("a"), file("b"))
    };
    let repository = repository(&[]);
    let wish = desire(repository.path(), &text("one")).unwrap();
    let (changes, ends) = apply(&wish, &host).await;
    let paths = [format!("+ {place}/a"), format!("+ {place}/b"), "~ rocade-test current running".to_owned()];
    assert_eq!(changes, paths);
    assert_eq!(ends, [Outcome::Done, Outcome::Done, Outcome::Done]);
    assert_eq!(lines(&plan_of(&wish, &host).await), Vec::<String>::new());
    let process = || fs::read_to_string(folder.path().join("run/rocade-test.pid")).unwrap();
    let before = process();
    let wish = desire(repository.path(), &text("two")).unwrap();
    let (changes, ends) = apply(&wish, &host).await;
    assert_eq!(
        changes,
        [format!("~ {place}/a content"), format!("~ {place}/b content"), "! rocade-test".to_owned()]
    );
    assert_eq!(ends, [Outcome::Done, Outcome::Done, Outcome::Done]);
    assert_ne!(before, process());
    assert_eq!(lines(&plan_of(&wish, &host).await), Vec::<String>::new());
    fs::write(folder.path().join("etc/a"), "two").unwrap();
    let stop = format!("kill {}", process().trim());
    assert!(std::process::Command::new("sh").args(["-c", &stop]).status().unwrap().success());
    assert_eq!(lines(&plan_of(&wish, &host).await), ["~ rocade-test current running"], "a crash is noticed");
}
