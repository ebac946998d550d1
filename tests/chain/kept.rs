//! What hosts keep of themselves, on real ones: put back to the byte, and by the host alone when a change has
//! locked everybody out.

use std::collections::BTreeSet;

use rocade::host::{Order, Thing};
use rocade::model::Secret;

use super::bed::{DISPLAY, GATEWAY, bed, wait_for};
use super::hosts::with_display;
use super::site;

/// Everything below folders but what is kept and what programs leave there: modes, owners, digests.
fn picture(host: &str, folders: &str) -> BTreeSet<String> {
    let skip = "-path '*/rocade/kept' -prune -o -path '*/__pycache__' -prune -o -path /etc/ssl -prune -o";
    let text = bed().on(
        host,
        &format!(
            "/usr/bin/find {folders} {skip} ! -type d -printf '%p %M %u:%g %l\\n' | sort
            /usr/bin/find {folders} {skip} -type f -exec sha256sum {{}} + | sort"
        ),
    );
    text.lines().filter(|line| !is_passing(line)).map(str::to_owned).collect()
}

/// What Debian numbers anew whenever a service comes or goes, and what the relay made while it ran.
fn is_passing(line: &str) -> bool {
    let numbered = line.contains("/etc/rc") && !line.contains("rocade");
    let made = ["/etc/init.d/.depend.", "/var/config/rocade/spool/", "/var/config/rocade/relay-status.json"];
    numbered || made.iter().any(|path| line.contains(path)) || line.contains("/var/config/rocade/heard.json")
}

/// The lines of one picture that the other has not.
fn differing(one: &BTreeSet<String>, other: &BTreeSet<String>) -> Vec<String> {
    one.symmetric_difference(other).cloned().collect()
}

fn api() -> serde_json::Value {
    let text = bed().on(GATEWAY, "curl -s http://127.0.0.1/api/loraNetwork");
    serde_json::from_str(&text).unwrap()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_gateway_never_touched_before_is_put_back_to_the_byte() {
    let site = site::untouched();
    let folders = "/etc /var/config";
    let (before, settings) = (picture(GATEWAY, folders), api());
    site.rocade(&["apply", "--yes"]).ends_with(0);
    assert_ne!(picture(GATEWAY, folders), before);
    assert_ne!(api(), settings);
    let back = site.rocade(&["rollback", "pool-gw", "--yes"]).ends_with(0);
    assert!(back.out.contains("read again and found as it was"), "{}", back.out);
    assert_eq!(differing(&picture(GATEWAY, folders), &before), [""; 0]);
    assert_eq!(api(), settings);
    assert!(!bed().holds(GATEWAY, "pgrep -f '[r]elay/main.py'"), "the relay runs on");
    site.rocade(&["apply", "--yes"]).ends_with(0);
    site.is_settled();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_host_whose_ssh_a_change_closed_opens_it_again_by_itself() {
    let mut site = site::ready();
    with_display(&mut site);
    site.applied();
    let before = picture(DISPLAY, "/etc/ssh /etc/signage");
    let port =
        "      - {path: /etc/ssh/sshd_config.d/10-port.conf, content: \"Port 2222\\n\", restart: ssh}\n";
    let motto = "content: \"swim\", restart: cron}\n";
    site.edit("hosts.yaml", motto, &format!("{motto}{port}"));
    site.edit("hosts.yaml", "swim", "dive");
    let ran = site.rocade(&["apply", "display", "--yes", "--confirm-within", "8"]).ends_with(4);
    assert!(ran.out.contains("the target did it by itself"), "{}", ran.out);
    assert_eq!(differing(&picture(DISPLAY, "/etc/ssh /etc/signage"), &before), [""; 0]);
    wait_for("SSH at its port", || bed().holds(DISPLAY, "ss -ltn | grep -q ':22 '").then_some(()));
    assert!(!bed().holds(DISPLAY, "ss -ltn | grep -q ':2222 '"), "SSH listens elsewhere still");
    // What cuts nobody off is confirmed and stays.
    site.edit("hosts.yaml", "Port 2222", "MaxAuthTries 4");
    let ran = site.rocade(&["apply", "display", "--yes"]).ends_with(0);
    assert!(ran.err.contains("confirming over a new connection"), "{}", ran.err);
    site.is_settled();
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_power_cut_while_a_change_waits_does_not_end_the_timer() {
    let mut site = site::ready();
    with_display(&mut site);
    site.applied();
    let before = picture(DISPLAY, "/etc/ssh /etc/signage /etc/systemd/system");
    let port =
        "      - {path: /etc/ssh/sshd_config.d/10-port.conf, content: \"Port 2222\\n\", restart: ssh}\n";
    let motto = "content: \"swim\", restart: cron}\n";
    site.edit("hosts.yaml", motto, &format!("{motto}{port}"));
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("SSH to listen elsewhere", || {
                bed().holds(DISPLAY, "ss -ltn | grep -q ':2222 '").then_some(())
            });
            bed().reboot(DISPLAY);
        });
        site.rocade(&["apply", "display", "--yes", "--confirm-within", "40"])
    });
    let ran = ran.ends_with(4);
    assert!(ran.out.contains("the target did it by itself"), "{}", ran.out);
    assert_eq!(differing(&picture(DISPLAY, "/etc/ssh /etc/signage /etc/systemd/system"), &before), [""; 0]);
    wait_for("SSH at its port", || bed().holds(DISPLAY, "ss -ltn | grep -q ':22 '").then_some(()));
    // What was confirmed before the cut stays.
    site.edit("hosts.yaml", "Port 2222", "MaxAuthTries 4");
    site.rocade(&["apply", "display", "--yes"]).ends_with(0);
    bed().reboot(DISPLAY);
    assert_eq!(bed().on(DISPLAY, "cat /etc/ssh/sshd_config.d/10-port.conf"), "MaxAuthTries 4\n");
    assert!(!bed().holds(DISPLAY, "ls /etc/systemd/system | grep -q rocade-revert"));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_gateway_puts_back_at_boot_what_was_armed_when_its_power_went() {
    let _alone = site::untouched();
    let folders = "/etc";
    let name = "rocade-1".to_owned();
    let before = picture(GATEWAY, folders);
    let (path, service) = ("/etc/ssh/sshd_config".to_owned(), "ssh".to_owned());
    let (owner, group) = ("root".to_owned(), "root".to_owned());
    let content = Secret::new("Port 2222\n", "a test");
    bed().order(
        GATEWAY,
        &[
            Order::Keep {
                name: name.clone(),
                things: vec![Thing::File(path.clone()), Thing::Service(service)],
            },
            Order::Arm { name, seconds: 600 },
            Order::Put { path, content, mode: "0600".into(), owner, group },
        ],
    );
    assert_ne!(differing(&picture(GATEWAY, folders), &before), [""; 0]);
    bed().reboot(GATEWAY);
    let kept = "/var/config/rocade/kept/rocade-1";
    wait_for("the gateway to put it back", || {
        bed().holds(GATEWAY, &format!("grep -q . {kept}/reverted")).then_some(())
    });
    assert_eq!(bed().on(GATEWAY, &format!("cat {kept}/reverted")), "ok\n");
    assert_eq!(differing(&picture(GATEWAY, folders), &before), [""; 0]);
    assert!(!bed().holds(GATEWAY, "ls /etc/rc?.d | grep -q rocade-revert"));
    wait_for("SSH at its port", || bed().holds(GATEWAY, "ss -ltn | grep -q ':22 '").then_some(()));
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn a_gateway_drops_by_itself_what_its_api_runs_unsaved() {
    let _alone = site::untouched();
    let (name, settings) = ("rocade-1".to_owned(), api());
    let page = |name: &str| format!("http://127.0.0.1/api/{name}");
    let things = ["loraNetwork", "system"].map(|name| Thing::Page(page(name))).into();
    let body = Secret::new(r#"{"lora":{"netID":"00002A"}}"#, "a test");
    bed().order(
        GATEWAY,
        &[
            Order::Keep { name: name.clone(), things },
            Order::Arm { name, seconds: 2 },
            Order::Send { method: "PUT", url: page("loraNetwork"), body },
        ],
    );
    assert_ne!(api(), settings);
    wait_for("the gateway to put it back", || {
        bed().holds(GATEWAY, "grep -q . /var/config/rocade/kept/rocade-1/reverted").then_some(())
    });
    assert_eq!(api(), settings);
}
