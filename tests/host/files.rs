//! Files: whole or not at all, and read back as they were put.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rocade::host::{Answer, Ask, Exec, FileKind, LinuxHost, Order, Ruling};
use rocade::model::Verifier;
use rocade::transport::Hosting;
use tokio::io::AsyncWriteExt;

use super::{Here, all_done, failed_with, file, hosts, order, own_names, put, secret};

/// What may be left beside a file that was being written.
fn leftovers(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(".rocade-") {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

fn samples() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let large = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        ("/etc/every byte", (0..=255u8).cycle().take(5000).collect(), "0640"),
        ("/etc/empty", vec![], "0600"),
        ("/etc/it's \"quoted\" $HOME `x` \\ *", b"x\n".to_vec(), "0644"),
        ("/-rf/é", b"no end of line".to_vec(), "4755"),
        ("/opt/large", large, "0644"),
    ]
}

/// Asks for one sample and holds the answers against it.
async fn check(shell: &str, host: &LinuxHost<Here>, (path, content, mode): &(&str, Vec<u8>, &str)) {
    let answers = host.ask(&[file(path), Ask::Content { path: (*path).into() }]).await.unwrap();
    let [Answer::File(Some(facts)), Answer::Content(Some(back))] = answers.as_slice() else {
        panic!("{shell}: {answers:?}")
    };
    assert_eq!(facts.mode, mode.trim_start_matches('0'), "{shell}: {path}");
    assert_eq!((&facts.owner, &facts.group), (&own_names().0, &own_names().1), "{shell}: {path}");
    assert_eq!((facts.kind, facts.size), (FileKind::Regular, content.len() as u64), "{shell}: {path}");
    let verifier = Verifier::Sha256(facts.sha256.clone().unwrap());
    assert!(secret(content.clone()).fits(&verifier), "{shell}: digest of {path}");
    assert!(back.reveal() == content.as_slice(), "{shell}: {path} read back");
}

#[tokio::test]
async fn what_is_put_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let orders: Vec<Order> =
            samples().into_iter().map(|(path, content, mode)| put(path, content, mode)).collect();
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        for sample in samples() {
            let on_disk = fs::read(root.join(sample.0.trim_start_matches('/'))).unwrap();
            assert!(on_disk == sample.1, "{shell}: {} on disk", sample.0);
            check(shell, &host, &sample).await;
        }
        let mut asks: Vec<Ask> = samples().iter().map(|(path, ..)| file(path)).collect();
        asks.push(Ask::Files { directory: "/etc".into() });
        let answers = host.ask(&asks).await.unwrap();
        let Some(Answer::Names(names)) = answers.last() else { panic!("{shell}: {answers:?}") };
        let expected: Vec<&str> = samples()[..3].iter().map(|(path, ..)| *path).collect();
        assert_eq!(*names, [expected[1], expected[0], expected[2]], "{shell}");
        let all = answers[..5].iter().all(|answer| matches!(answer, Answer::File(Some(_))));
        assert!(all, "{shell}: all in one exec: {answers:?}");
        assert_eq!(leftovers(&root), Vec::<String>::new(), "{shell}");
    }
}

#[tokio::test]
async fn absence_is_told_from_what_is_something_else_or_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        fs::create_dir(root.join("folder")).unwrap();
        symlink("folder", root.join("link")).unwrap();
        symlink("circle", root.join("circle")).unwrap();
        fs::write(root.join("plain"), "x").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(root.join("fifo")).status().unwrap().success());
        let content = |path: &str| Ask::Content { path: path.into() };
        let below = |path: &str| Ask::Files { directory: path.into() };
        let cases = [
            (file("/folder"), "Directory"),
            (file("/link"), "Link"),
            (file("/fifo"), "Other"),
            (file("/none"), "none"),
            (file("/none/below"), "none"),
            (file("/plain/below"), "none"),
            (file("/circle/below"), "unread"),
            (file("/plain"), "Regular"),
            (content("/folder"), "unread"),
            (content("/none"), "none"),
            (below("/none"), "0 names"),
            (below("/plain"), "unread"),
            (file("/etc/../x"), "unread"),
        ];
        let answers = host.ask(&cases.clone().map(|(ask, _)| ask)).await.unwrap();
        for ((ask, expected), answer) in cases.iter().zip(&answers) {
            let word = match answer {
                Answer::File(Some(facts)) => format!("{:?}", facts.kind),
                Answer::File(None) | Answer::Content(None) => "none".into(),
                Answer::Names(names) => format!("{} names", names.len()),
                Answer::Unread(_) => "unread".into(),
                other => format!("{other:?}"),
            };
            assert_eq!(word, *expected, "{shell}: {ask:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_first_failure_ends_the_orders() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        fs::create_dir_all(root.join("etc/folder")).unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        symlink("../elsewhere", root.join("etc/link")).unwrap();
        let orders = [
            put("/etc/link", "now a file", "0644"),
            put("/etc/first", "1", "0644"),
            put("/etc/folder", vec![b'x'; 50_000], "0644"),
            put("/etc/never", "3", "0644"),
        ];
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings[..2]), "{shell}: {rulings:?}");
        assert!(failed_with(&rulings[2], "a directory stands"), "{shell}: {rulings:?}");
        assert_eq!(rulings[3], Ruling::NotStarted, "{shell}");
        assert!(fs::symlink_metadata(root.join("etc/link")).unwrap().is_file(), "{shell}");
        assert_eq!(fs::read_dir(root.join("elsewhere")).unwrap().count(), 0, "{shell}");
        assert!(!root.join("etc/never").exists(), "{shell}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_sent_holds_all_back() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let rulings = order(&host, &[put("/good", "x", "0644"), put("/bad\nend", "x", "0644")]).await;
        assert_eq!(rulings[0], Ruling::NotStarted, "{shell}");
        assert!(failed_with(&rulings[1], "control character"), "{shell}: {rulings:?}");
        assert!(!root.join("good").exists(), "{shell}");
    }
}

#[tokio::test]
async fn a_stream_cut_within_a_file_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        fs::write(root.join("config"), "old and whole").unwrap();
        let orders = [put("/config", vec![b'n'; 400_000], "0644")];
        let stream = rocade::host::wire::encode_orders(&orders).unwrap();
        let argv = ["sh", "-c", rocade::host::program(), "rocade-host", "order", root.to_str().unwrap()];
        let mut said = Vec::new();
        let mut hear = |piece: &[u8]| said.extend_from_slice(piece);
        let half = &stream[..stream.len() / 2];
        let limit = Duration::from_secs(60);
        host.exec().exec(&argv.map(str::to_owned), half, &mut hear, limit).await.unwrap();
        assert!(!String::from_utf8_lossy(&said).contains("done"), "{shell}");
        assert_eq!(fs::read(root.join("config")).unwrap(), b"old and whole", "{shell}");
        assert_eq!(leftovers(&root), Vec::<String>::new(), "{shell}");
    }
}

#[tokio::test]
async fn a_killed_program_leaves_the_old_file_and_the_next_one_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        fs::write(root.join("config"), "old and whole").unwrap();
        let orders = [put("/config", vec![b'n'; 400_000], "0750")];
        let stream = rocade::host::wire::encode_orders(&orders).unwrap();
        let mut child = tokio::process::Command::new(&host.exec().shell[0])
            .args(&host.exec().shell[1..])
            .args(["-c", rocade::host::program(), "rocade-host", "order", root.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(&stream[..300_000]).await.unwrap();
        input.flush().await.unwrap();
        while leftovers(&root).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let group = format!("-{}", child.id().unwrap());
        let kill = std::process::Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
        assert!(kill.success());
        child.wait().await.unwrap();
        assert_eq!(fs::read(root.join("config")).unwrap(), b"old and whole", "{shell}");
        let left = leftovers(&root);
        assert_eq!(left.len(), 1, "{shell}");
        let mode = fs::metadata(&left[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{shell}: nobody else may read what was begun");
        assert!(all_done(&order(&host, &[put("/config", "new", "0644")]).await), "{shell}");
        assert_eq!(fs::read(root.join("config")).unwrap(), b"new", "{shell}");
        assert_eq!(leftovers(&root), Vec::<String>::new(), "{shell}");
    }
}

#[tokio::test]
async fn owning_making_and_removing() {
    let folder = tempfile::tempdir().unwrap();
    let (owner, group) = own_names();
    let own = |path: &str, mode: &str| Order::Own {
        path: path.into(),
        mode: mode.into(),
        owner: owner.clone(),
        group: group.clone(),
    };
    let make = |path: &str, mode: &str| Order::Directory {
        path: path.into(),
        mode: mode.into(),
        owner: owner.clone(),
        group: group.clone(),
    };
    let remove = |path: &str| Order::Remove { path: path.into() };
    for (shell, root, host) in hosts(folder.path()) {
        let orders = [
            make("/a b/c", "0750"),
            make("/a b/c", "0750"),
            put("/a b/c/file", "x", "0600"),
            own("/a b/c/file", "0444"),
            put("/gone", "x", "0600"),
            remove("/gone"),
            remove("/never was"),
        ];
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!([mode("a b"), mode("a b/c"), mode("a b/c/file")], [0o755, 0o750, 0o444], "{shell}");
        assert!(!root.join("gone").exists(), "{shell}");
        let rulings = order(&host, &[remove("/a b")]).await;
        assert!(failed_with(&rulings[0], "directory"), "{shell}: {rulings:?}");
        assert!(root.join("a b/c/file").exists(), "{shell}");
        let rulings = order(&host, &[own("/nothing", "0644")]).await;
        assert!(failed_with(&rulings[0], "No such file"), "{shell}: {rulings:?}");
    }
}
