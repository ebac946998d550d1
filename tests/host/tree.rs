//! A tree with its own accounts, services and packages: an image or a chroot.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rocade::host::{Answer, Ask, Order, ServiceAct};
use rocade::transport::Hosting;

use super::{all_done, failed_with, file, hosts, order, own_names, secret};

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nbroker:x:40123:40124:A B:/var/lib/b c:/bin/false\n";
const GROUP: &str = "root:x:0:\nbrokers:x:40124:\nssl:x:40125:root,broker\nsslx:x:9:xbroker\n";

#[tokio::test]
async fn accounts_of_a_tree_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join("etc/passwd"), PASSWD).unwrap();
        fs::write(root.join("etc/group"), GROUP).unwrap();
        let asks = ["broker", "broke"].map(|name| Ask::User { name: name.into() });
        let answers = host.ask(&asks).await.unwrap();
        let [Answer::User(Some(user)), Answer::User(None)] = answers.as_slice() else {
            panic!("{shell}: {answers:?}")
        };
        let words = (user.uid, user.home.as_str(), user.shell.as_str());
        assert_eq!(words, (40123, "/var/lib/b c", "/bin/false"), "{shell}");
        assert_eq!(user.groups, ["brokers", "ssl"], "{shell}");
        if own_names().0 != "root" {
            eprintln!("not root: giving a file away is skipped");
            continue;
        }
        let given = Order::Put {
            path: "/given".into(),
            content: secret("x"),
            mode: "0640".into(),
            owner: "broker".into(),
            group: "brokers".into(),
        };
        let rulings = order(&host, &[given]).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        let facts = fs::metadata(root.join("given")).unwrap();
        assert_eq!((facts.uid(), facts.gid()), (40123, 40124), "{shell}");
        let answers = host.ask(&[file("/given")]).await.unwrap();
        let Answer::File(Some(facts)) = &answers[0] else { panic!("{shell}: {answers:?}") };
        assert_eq!((facts.owner.as_str(), facts.group.as_str()), ("broker", "brokers"), "{shell}");
    }
}

fn enabled(answers: Vec<Answer>) -> Vec<Option<bool>> {
    let flag = |answer: Answer| match answer {
        Answer::Service(facts) => facts.map(|facts| facts.enabled),
        other => panic!("{other:?}"),
    };
    answers.into_iter().map(flag).collect()
}

#[tokio::test]
async fn services_of_a_tree_start_at_boot_by_links() {
    let folder = tempfile::tempdir().unwrap();
    let asks = ["old-way", "new-way", "no-way"].map(|name| Ask::Service { name: name.into(), watch: vec![] });
    let act = |name: &str, act| Order::Service { name: name.into(), act, watch: vec![] };
    for (shell, root, host) in hosts(folder.path()) {
        fs::create_dir_all(root.join("etc/init.d")).unwrap();
        fs::create_dir_all(root.join("lib/systemd/system")).unwrap();
        fs::write(root.join("etc/init.d/old-way"), "#!/bin/sh\n").unwrap();
        fs::write(root.join("lib/systemd/system/new-way.service"), "[Unit]\n").unwrap();
        assert_eq!(enabled(host.ask(&asks).await.unwrap()), [Some(false), Some(false), None], "{shell}");
        let on = [act("old-way", ServiceAct::Enable), act("new-way", ServiceAct::Enable)];
        let rulings = order(&host, &on).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        assert_eq!(enabled(host.ask(&asks).await.unwrap()), [Some(true), Some(true), None], "{shell}");
        let off = [
            act("old-way", ServiceAct::Disable),
            act("new-way", ServiceAct::Disable),
            act("no-way", ServiceAct::Enable),
        ];
        let rulings = order(&host, &off).await;
        assert!(all_done(&rulings[..2]), "{shell}: {rulings:?}");
        assert!(failed_with(&rulings[2], "no service no-way"), "{shell}: {rulings:?}");
        assert_eq!(enabled(host.ask(&asks).await.unwrap()), [Some(false), Some(false), None], "{shell}");
    }
}

#[tokio::test]
async fn packages_of_a_tree_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let asks = ["broker", "gone", "none"].map(|name| Ask::Package { name: name.into() });
    for (shell, root, host) in hosts(folder.path()) {
        if shell == "busybox" {
            let answers = host.ask(&asks).await.unwrap();
            let unread =
                answers.iter().all(|answer| matches!(answer, Answer::Unread(why) if why.contains("dpkg")));
            assert!(unread, "without dpkg nothing is known: {answers:?}");
            continue;
        }
        if !std::path::Path::new("/usr/bin/dpkg-query").exists() {
            eprintln!("dpkg is not installed: skipped");
            return;
        }
        let answers = host.ask(&asks).await.unwrap();
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Version(None))), "{shell}: {answers:?}");
        fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        let entry = |name: &str, status: &str| {
            format!(
                "Package: {name}\nStatus: {status}\nMaintainer: x <x@example.net>\nArchitecture: all\n\
                 Version: 2.0.11-1.2+deb12u1\nDescription: x\n\n"
            )
        };
        let status = entry("broker", "install ok installed") + &entry("gone", "deinstall ok config-files");
        fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
        let answers = host.ask(&asks).await.unwrap();
        let [Answer::Version(Some(version)), Answer::Version(None), Answer::Version(None)] =
            answers.as_slice()
        else {
            panic!("{shell}: {answers:?}")
        };
        assert_eq!(version, "2.0.11-1.2+deb12u1", "{shell}");
    }
}
