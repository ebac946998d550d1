//! Any other Linux host: a package from the host's own archive, files from templates, a service restarted once.

use super::bed::{DISPLAY, bed};
use super::site::{self, Site};

const HOSTS: &str = "\
hosts:
  display:
    site: pool
    address: 192.168.145.101
    ssh: {user: debian, password: {secret: hosts/display/admin}}
    vars: {room: hall, topics: [sites/pool/hall], refresh_seconds: 30}
    packages: [jq]
    files:
      - {path: /etc/signage/room.json, template: signage/room.json.j2, mode: \"0640\", group: debian, restart: cron}
      - {path: /etc/signage/motto, content: \"swim\", restart: cron}
";

/// The display's host in its factory state, and an inventory that has it.
pub fn with_display(site: &mut Site) {
    bed().reset(DISPLAY);
    site.add("inventory/hosts.yaml", HOSTS);
    site.set("hosts/display/admin", &bed().host(DISPLAY, "password"));
    site.trust("display", DISPLAY);
}

fn cron() -> String {
    bed().on(DISPLAY, "systemctl show --property MainPID,NRestarts cron")
}

/// The files rocade wrote, with their dates and numbers.
fn files(folder: &str) -> String {
    bed().on(DISPLAY, &format!("find {folder} -type f -printf '%p %i %m %u:%g %s %T@ %C@\\n' | sort"))
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_plain_host_gets_its_package_and_files_and_then_nothing_is_written() {
    let mut site = site::ready();
    with_display(&mut site);
    let before = cron();
    let planned = site.applied();
    assert!(planned.contains(&"create package jq".to_owned()), "{planned:?}");
    assert_eq!(bed().on(DISPLAY, "jq -r .room /etc/signage/room.json"), "hall\n");
    assert_eq!(bed().on(DISPLAY, "stat -c '%a %U:%G' /etc/signage/room.json"), "640 root:debian\n");
    assert_ne!(cron(), before, "the service that reads the files was not restarted");

    let (written, running) = (files("/etc/signage"), cron());
    site.rocade(&["apply", "--yes"]).ends_with(0);
    assert_eq!((files("/etc/signage"), cron()), (written, running));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn two_changed_files_restart_their_service_once() {
    let mut site = site::ready();
    with_display(&mut site);
    site.applied();
    site.edit("hosts.yaml", "room: hall", "room: lobby");
    site.edit("hosts.yaml", "swim", "dive");
    let logged = || bed().on(DISPLAY, "journalctl -u cron -o cat | grep -c '^Started' || true");
    let before: u32 = logged().trim().parse().unwrap();
    let expected =
        ["update file /etc/signage/motto", "update file /etc/signage/room.json", "wake service cron"];
    assert_eq!(site.applied(), expected);
    assert_eq!(logged().trim().parse(), Ok(before + 1));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn under_a_prefix_files_are_written_and_nothing_runs() {
    let mut site = site::ready();
    with_display(&mut site);
    bed().on(DISPLAY, "mkdir -p /srv/image");
    site.edit("hosts.yaml", "    packages: [jq]\n", "    root: /srv/image\n");
    let before = cron();
    let planned = site.applied();
    assert_eq!(planned, ["create file /etc/signage/motto", "create file /etc/signage/room.json"]);
    assert_eq!(cron(), before);
    assert_eq!(bed().on(DISPLAY, "cat /srv/image/etc/signage/motto"), "swim");
    assert!(!bed().holds(DISPLAY, "test -e /etc/signage"));
}
