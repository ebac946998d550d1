//! What a host keeps of itself is put back byte by byte, mode by mode; the timer that does it alone; the lock.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use rocade::host::kept::{LOCK, Line, Was, of_list, read_list};
use rocade::host::{Answer, Ask, Order, Ruling, Thing};
use rocade::transport::Hosting;
use sha2::Digest;

use super::{all_done, failed_with, hosts, order, own_names, put};

const NAME: &str = "rocade-1";

fn keep(paths: &[&str]) -> Order {
    let things = paths.iter().map(|path| Thing::File((*path).to_owned())).collect();
    Order::Keep { name: NAME.to_owned(), things }
}

fn revert() -> Order {
    Order::Revert { name: NAME.to_owned() }
}

fn confirm() -> Order {
    Order::Confirm { name: NAME.to_owned() }
}

fn arm(seconds: u32) -> Order {
    Order::Arm { name: NAME.to_owned(), seconds }
}

fn remove(path: &str) -> Order {
    Order::Remove { path: path.to_owned() }
}

/// Everything below a folder but what rocade keeps there: what it is, its mode, its bytes.
fn picture(root: &Path) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let own = format!("/{}", entry.strip_prefix(root).unwrap().display());
            let facts = fs::symlink_metadata(&entry).unwrap();
            let bytes = if facts.is_symlink() {
                fs::read_link(&entry).unwrap().into_os_string().into_encoded_bytes()
            } else if facts.is_dir() {
                folders.push(entry);
                Vec::new()
            } else {
                fs::read(&entry).unwrap()
            };
            if !own.starts_with("/var") {
                let digest = hex::encode(sha2::Sha256::digest(bytes));
                seen.insert(own, format!("{:o} {digest}", facts.permissions().mode()));
            }
        }
    }
    seen
}

/// Files of all sorts: with every byte, a private one, an empty one, one behind a link, a folder with a mode.
fn furnish(root: &Path) {
    fs::create_dir_all(root.join("etc/private")).unwrap();
    for (name, bytes, mode) in [
        ("etc/every byte", (0..=255).collect(), 0o644),
        ("etc/private/key", b"secret\n".to_vec(), 0o600),
        ("etc/empty", Vec::new(), 0o444),
        ("etc/large", vec![b'x'; 200_000], 0o750),
    ] {
        fs::write(root.join(name), bytes).unwrap();
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(root.join("etc/private"), fs::Permissions::from_mode(0o711)).unwrap();
    symlink("every byte", root.join("etc/link")).unwrap();
}

const TOUCHED: [&str; 7] = [
    "/etc/every byte",
    "/etc/private/key",
    "/etc/empty",
    "/etc/large",
    "/etc/link",
    "/etc/new",
    "/srv/new/deep/file",
];

fn directory(path: &str, mode: &str) -> Order {
    let (owner, group) = own_names();
    Order::Directory { path: path.to_owned(), mode: mode.to_owned(), owner, group }
}

/// Orders that change everything there is.
fn havoc() -> Vec<Order> {
    let (owner, group) = own_names();
    let path = "/etc/empty".to_owned();
    vec![
        put("/etc/every byte", "other", "0600"),
        put("/etc/private/key", "other", "0644"),
        Order::Own { path, mode: "0777".to_owned(), owner, group },
        remove("/etc/large"),
        put("/etc/link", "no link any more", "0644"),
        put("/etc/new", "new", "0644"),
        put("/srv/new/deep/file", "new", "0644"),
        directory("/etc/private", "0700"),
    ]
}

#[tokio::test]
async fn what_is_kept_is_put_back_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        furnish(&root);
        let before = picture(&root);
        let mut paths = TOUCHED.to_vec();
        paths.push("/etc/private");
        let mut orders = vec![keep(&paths)];
        orders.extend(havoc());
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        assert_ne!(picture(&root), before, "{shell}");
        // What is kept first stays: a second keep of the same apply sees the havoc and takes none of it.
        assert!(all_done(&order(&host, &[keep(&paths)]).await), "{shell}");
        let rulings = order(&host, &[revert()]).await;
        let Ruling::Done(done) = &rulings[0] else { panic!("{shell}: {rulings:?}") };
        assert_eq!(picture(&root), before, "{shell}");
        assert!(done.output.contains("/srv/new/deep/file"), "{shell}: {done:?}");
        // All is as it was: nothing is left to put back.
        let again = order(&host, &[revert()]).await;
        assert_eq!(again, [Ruling::Done(Default::default())], "{shell}");
    }
}

#[tokio::test]
async fn the_list_of_what_is_kept_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        furnish(&root);
        assert!(all_done(&order(&host, &[keep(&["/etc/link", "/etc/private/key", "/srv/new/x"])]).await));
        let asks = ["/var/config/rocade/kept", "/var/lib/rocade/kept"]
            .map(|directory| Ask::Files { directory: directory.to_owned() });
        let answers = host.ask(&asks).await.unwrap();
        let paths = answers.iter().flat_map(|answer| match answer {
            Answer::Names(paths) => paths.clone(),
            other => panic!("{shell}: {other:?}"),
        });
        let list = paths.into_iter().find(|path| of_list(path).is_some()).expect(shell);
        let answers = host.ask(&[Ask::Content { path: list }]).await.unwrap();
        let [Answer::Content(Some(text))] = answers.as_slice() else { panic!("{shell}: {answers:?}") };
        let lines = read_list(std::str::from_utf8(text.reveal()).unwrap());
        let was = |line: &Line| match line {
            Line::File { path, was } => (path.clone(), was.clone()),
            other => panic!("{shell}: {other:?}"),
        };
        let lines: BTreeMap<String, Was> = lines.iter().map(was).collect();
        assert_eq!(lines["/etc/link"], Was::Link("every byte".to_owned()), "{shell}");
        assert_eq!(lines["/srv"], Was::Absent, "{shell}");
        assert!(matches!(&lines["/etc/private/key"], Was::File(_, _, owner) if owner[0] == "600"), "{shell}");
    }
}

#[tokio::test]
async fn only_the_last_few_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        for number in 1..=8 {
            let name = format!("rocade-{number}");
            let orders = [Order::Keep { name, things: vec![Thing::File("/etc/x".to_owned())] }];
            assert!(all_done(&order(&host, &orders).await), "{shell}");
        }
        let left = fs::read_dir(root.join("var/lib/rocade/kept")).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["rocade-3", "rocade-4", "rocade-5", "rocade-6", "rocade-7", "rocade-8"], "{shell}");
        // From a machine whose clock is late: what it keeps is not thrown away at once.
        let name = "rocade-0".to_owned();
        let late = Order::Keep { name: name.clone(), things: vec![Thing::File("/etc/x".to_owned())] };
        assert!(all_done(&order(&host, &[late, Order::Revert { name }]).await), "{shell}");
    }
}

/// Waits until a file is there; a test that waits for ever is ended by its runner.
async fn until_there(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_nobody_confirms_is_put_back_by_the_host() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        furnish(&root);
        let before = picture(&root);
        let mut orders = vec![keep(&TOUCHED), keep(&["/etc/private"]), arm(1)];
        orders.extend(havoc());
        assert!(all_done(&order(&host, &orders).await), "{shell}");
        assert_ne!(picture(&root), before, "{shell}");
        let place = root.join("var/lib/rocade/kept").join(NAME);
        until_there(&place.join("reverted")).await;
        assert_eq!(fs::read_to_string(place.join("reverted")).unwrap(), "ok\n", "{shell}");
        assert_eq!(picture(&root), before, "{shell}");
        let late = order(&host, &[confirm()]).await;
        assert!(failed_with(&late[0], "the time ran out"), "{shell}: {late:?}");
    }
}

#[tokio::test]
async fn what_is_confirmed_stays() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        furnish(&root);
        let orders = [keep(&["/etc/new"]), arm(2), put("/etc/new", "new", "0644"), confirm()];
        let rulings = order(&host, &orders).await;
        assert!(all_done(&rulings), "{shell}: {rulings:?}");
        let place = root.join("var/lib/rocade/kept").join(NAME);
        assert!(place.join("confirmed").exists() && !place.join("armed").exists(), "{shell}");
        // Longer than the timer was set for: it would have put the file back by now.
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(root.join("etc/new").exists() && !place.join("reverted").exists(), "{shell}");
        let none = order(&host, &[Order::Revert { name: "rocade-2".to_owned() }]).await;
        assert!(failed_with(&none[0], "nothing is kept as rocade-2"), "{shell}: {none:?}");
    }
}

#[tokio::test]
async fn one_at_a_time_has_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let lock = |holder: &str, seconds| Order::Lock {
        holder: holder.to_owned(),
        seconds,
        words: format!("{holder}, from a test"),
    };
    let unlock = |holder: &str| Order::Unlock { holder: holder.to_owned() };
    for (shell, root, host) in hosts(folder.path()) {
        assert!(all_done(&order(&host, &[lock("ada", 600), lock("ada", 600)]).await), "{shell}");
        let others = order(&host, &[lock("bob", 600)]).await;
        assert!(failed_with(&others[0], "ada, from a test"), "{shell}: {others:?}");
        assert!(all_done(&order(&host, &[unlock("bob")]).await), "{shell}");
        assert!(root.join(&LOCK[1..]).exists(), "{shell}: another's lock is left alone");
        assert!(all_done(&order(&host, &[unlock("ada"), lock("bob", 0)]).await), "{shell}");
        assert!(all_done(&order(&host, &[lock("ada", 600)]).await), "{shell}: what has run out is free");
    }
}

#[tokio::test]
async fn what_cannot_be_put_back_holds_up_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        furnish(&root);
        let orders = [
            keep(&["/etc/empty", "/etc/every byte"]),
            put("/etc/empty", "other", "0600"),
            remove("/etc/every byte"),
        ];
        assert!(all_done(&order(&host, &orders).await), "{shell}");
        fs::create_dir(root.join("etc/every byte")).unwrap();
        let rulings = order(&host, &[arm(600), revert()]).await;
        assert!(failed_with(&rulings[1], "a directory stands at /etc/every byte"), "{shell}: {rulings:?}");
        assert_eq!(fs::read(root.join("etc/empty")).unwrap(), b"", "{shell}");
        assert_eq!(fs::read_dir(root.join("etc/every byte")).unwrap().count(), 0, "{shell}");
        let place = root.join("var/lib/rocade/kept").join(NAME);
        let told = fs::read_to_string(place.join("reverted")).unwrap();
        assert!(told.contains("a directory stands"), "{shell}: {told}");
    }
}

#[tokio::test]
async fn a_timer_whose_time_cannot_be_written_runs_out_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        let orders = [keep(&["/etc/new"]), arm(2), put("/etc/new", "new", "0644")];
        assert!(all_done(&order(&host, &orders).await), "{shell}");
        // As a full disk leaves it.
        let place = root.join("var/lib/rocade/kept").join(NAME);
        fs::write(place.join("armed"), "").unwrap();
        until_there(&place.join("reverted")).await;
        assert!(!root.join("etc/new").exists(), "{shell}");
    }
}

#[tokio::test]
async fn nothing_is_done_any_more_once_the_time_ran_out() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, host) in hosts(folder.path()) {
        // Who died between looking and taking left the door shut: it is waited for longer than the timer is set.
        fs::create_dir_all(root.join(format!("{}.door", &LOCK[1..]))).unwrap();
        let lock = Order::Lock { holder: "ada".to_owned(), seconds: 600, words: "ada".to_owned() };
        let orders = [keep(&["/etc/new"]), arm(1), lock, put("/etc/new", "new", "0644")];
        let rulings = order(&host, &orders).await;
        assert!(failed_with(&rulings[2], "the time ran out"), "{shell}: {rulings:?}");
        assert_eq!(rulings[3], Ruling::NotStarted, "{shell}");
        assert!(!root.join("etc/new").exists(), "{shell}");
    }
}
