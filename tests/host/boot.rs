//! A power cut while a timer waits: what is armed is put back at boot, by what lies on the disk alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rocade::host::kept::HOOKS;
use rocade::host::{Order, Ruling, Thing};

use super::{Here, all_done, failed_with, hosts, order, put};

const NAME: &str = "rocade-1";

fn keep(path: &str) -> Order {
    Order::Keep { name: NAME.to_owned(), things: vec![Thing::File(path.to_owned())] }
}

fn arm() -> Order {
    Order::Arm { name: NAME.to_owned(), seconds: 600 }
}

/// A root with an init: systemd, or one with scripts.
fn with_init(root: &Path, systemd: bool) -> PathBuf {
    fs::create_dir_all(root.join("etc/init.d")).unwrap();
    fs::write(root.join("etc/motd"), "as it was\n").unwrap();
    if systemd {
        fs::create_dir_all(root.join("lib/systemd")).unwrap();
        fs::write(root.join("lib/systemd/systemd"), "").unwrap();
    }
    root.join(&HOOKS[usize::from(!systemd)][1..])
}

/// Runs what a hook runs, as the host does when it boots.
fn boot(shell: &Here, root: &Path, hook: &Path) {
    let text = fs::read_to_string(hook).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let program = words.iter().find(|word| word.ends_with("/program")).expect("it names the program");
    let mut command = Command::new(&shell.shell[0]);
    command.args(&shell.shell[1..]).arg(root.join(&program[1..])).arg("boot").arg(root);
    if let Some(path) = &shell.path {
        command.env("PATH", path);
    }
    let ended = command.output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

fn links(root: &Path) -> usize {
    let folder = |folder: &str| fs::read_dir(root.join(folder)).map_or(0, Iterator::count);
    folder("etc/rc2.d") + folder("etc/rc5.d") + folder("etc/systemd/system/multi-user.target.wants")
}

#[tokio::test]
async fn what_was_armed_when_the_power_went_is_put_back_at_boot() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        for systemd in [false, true] {
            let hook = with_init(&root, systemd);
            let place = root.join("var/lib/rocade/kept").join(NAME);
            let rulings =
                order(&host, &[keep("/etc/motd"), arm(), put("/etc/motd", "changed\n", "0644")]).await;
            assert!(all_done(&rulings), "{shell}: {rulings:?}");
            assert!(
                matches!(&rulings[1], Ruling::Done(done) if done.output.is_empty()),
                "{shell}: {rulings:?}"
            );
            assert!(links(&root) > 0, "{shell}");
            boot(host.exec(), &root, &hook);
            assert_eq!(fs::read_to_string(root.join("etc/motd")).unwrap(), "as it was\n", "{shell}");
            assert_eq!(fs::read_to_string(place.join("reverted")).unwrap(), "ok\n", "{shell}");
            assert!(!hook.exists() && links(&root) == 0, "{shell}: the hook is gone");
            let late = order(&host, &[Order::Confirm { name: NAME.to_owned() }]).await;
            assert!(failed_with(&late[0], "the time ran out"), "{shell}: {late:?}");
            fs::remove_dir_all(&place).unwrap();
        }
    }
}

#[tokio::test]
async fn what_the_power_cut_short_is_gone_on_with_at_boot() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let hook = with_init(&root, false);
        let place = root.join("var/lib/rocade/kept").join(NAME);
        assert!(all_done(&order(&host, &[keep("/etc/motd"), arm(), put("/etc/motd", "x", "0644")]).await));
        // As it stands when the power goes while it is put back; who was at it is dead.
        fs::rename(place.join("armed"), place.join("reverting")).unwrap();
        fs::create_dir_all(root.join("var/lock")).unwrap();
        std::os::unix::fs::symlink("4194305", root.join("var/lock/rocade.turn")).unwrap();
        boot(host.exec(), &root, &hook);
        assert_eq!(fs::read_to_string(root.join("etc/motd")).unwrap(), "as it was\n", "{shell}");
        assert!(place.join("reverted").exists() && !hook.exists(), "{shell}");
    }
}

#[tokio::test]
async fn what_was_confirmed_or_put_back_before_is_left_alone_at_boot() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let hook = with_init(&root, false);
        let confirm = Order::Confirm { name: NAME.to_owned() };
        let orders = [keep("/etc/motd"), arm(), put("/etc/motd", "new\n", "0644")];
        assert!(all_done(&order(&host, &orders).await), "{shell}");
        // The power goes after the confirmation and before the hook was taken away.
        let text = fs::read_to_string(&hook).unwrap();
        assert!(all_done(&order(&host, &[confirm]).await), "{shell}");
        assert!(!hook.exists() && links(&root) == 0, "{shell}");
        fs::write(&hook, text).unwrap();
        boot(host.exec(), &root, &hook);
        assert_eq!(fs::read_to_string(root.join("etc/motd")).unwrap(), "new\n", "{shell}");
        assert!(!hook.exists(), "{shell}");
        // A revert by hand takes it away too, and so does the next apply that is there to keep something.
        for ends in
            [Order::Revert { name: NAME.to_owned() }, Order::Keep { name: "rocade-2".into(), things: vec![] }]
        {
            assert!(all_done(&order(&host, &[arm()]).await), "{shell}");
            assert!(hook.exists(), "{shell}");
            assert!(all_done(&order(&host, &[ends]).await), "{shell}");
            assert!(!hook.exists(), "{shell}");
        }
    }
}

#[tokio::test]
async fn the_hook_stays_while_another_apply_waits() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let hook = with_init(&root, false);
        let other = || "rocade-2".to_owned();
        // The first one's time ran out while the second one was let in.
        let orders = [
            keep("/etc/motd"),
            Order::Keep { name: other(), things: vec![] },
            arm(),
            Order::Arm { name: other(), seconds: 600 },
            Order::Revert { name: NAME.to_owned() },
        ];
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        assert!(hook.exists() && links(&root) > 0, "{shell}: the second one still waits");
        assert!(all_done(&order(&host, &[Order::Confirm { name: other() }]).await), "{shell}");
        assert!(!hook.exists() && links(&root) == 0, "{shell}");
    }
}

#[tokio::test]
async fn a_host_without_a_known_init_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, _, host) in hosts(folder.path()) {
        let rulings =
            order(&host, &[keep("/etc/motd"), arm(), Order::Confirm { name: NAME.to_owned() }]).await;
        let Ruling::Done(done) = &rulings[1] else { panic!("{shell}: {rulings:?}") };
        assert!(done.output.contains("neither systemd nor"), "{shell}: {done:?}");
    }
}

#[tokio::test]
async fn two_that_put_back_at_once_do_it_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        with_init(&root, false);
        assert!(
            all_done(&order(&host, &[keep("/etc/motd"), put("/etc/motd", "x", "0644")]).await),
            "{shell}"
        );
        // Another is at it: this very process stands in for it.
        let turn = root.join("var/lock/rocade.turn");
        fs::create_dir_all(root.join("var/lock")).unwrap();
        std::os::unix::fs::symlink(std::process::id().to_string(), &turn).unwrap();
        let revert = [Order::Revert { name: NAME.to_owned() }];
        let waiting = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            assert_eq!(fs::read_to_string(root.join("etc/motd")).unwrap(), "x", "{shell}: it waits");
            fs::remove_file(&turn).unwrap();
        };
        let (rulings, ()) = tokio::join!(order(&host, &revert), waiting);
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        assert_eq!(fs::read_to_string(root.join("etc/motd")).unwrap(), "as it was\n", "{shell}");
        assert!(fs::symlink_metadata(&turn).is_err(), "{shell}");
    }
}
