//! The host program on this machine, under every POSIX shell found here: real files, real processes. A folder
//! stands in as the host's root. BusyBox gets nothing but its own applets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::disallowed_methods, reason = "the machine's own programs prepare and check the cases")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::future::BoxFuture;
use rocade::host::{Ask, Become, Ended, Exec, HostLimits, LinuxHost, Order, Ruling};
use rocade::model::Secret;
use rocade::transport::Hosting;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod boot;
mod files;
mod keep;
mod linux;
mod live;
mod tree;

/// Runs programs on this machine; `shell` stands in for the `sh` of the command.
struct Here {
    shell: Vec<String>,
    path: Option<PathBuf>,
}

impl Exec for Here {
    fn exec<'a>(
        &'a self,
        argv: &'a [String],
        stdin: &'a [u8],
        on_stdout: &'a mut (dyn FnMut(&[u8]) + Send),
        limit: Duration,
    ) -> BoxFuture<'a, anyhow::Result<Ended>> {
        let run = async move {
            let mut command = tokio::process::Command::new(&self.shell[0]);
            command.args(&self.shell[1..]).args(&argv[1..]).kill_on_drop(true);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            if let Some(path) = &self.path {
                command.env("PATH", path);
            }
            let mut child = command.spawn()?;
            let mut input = child.stdin.take().expect("it is piped");
            let mut output = child.stdout.take().expect("it is piped");
            let feeding = async move {
                let _closed_early = input.write_all(stdin).await;
            };
            let hearing = async {
                let mut piece = vec![0; 8192];
                while let Ok(length @ 1..) = output.read(&mut piece).await {
                    on_stdout(&piece[..length]);
                }
            };
            futures::join!(feeding, hearing);
            let ended = child.wait_with_output().await?;
            let status = ended.status.code().and_then(|code| u32::try_from(code).ok());
            Ok(Ended { status, stderr: String::from_utf8_lossy(&ended.stderr).into_owned() })
        };
        Box::pin(async move { tokio::time::timeout(limit, run).await? })
    }
}

/// The shells found here by name. BusyBox runs with its applets only.
fn shells(folder: &Path) -> Vec<(&'static str, Here)> {
    let mut shells = Vec::new();
    for name in ["dash", "bash"] {
        match Path::new("/usr/bin").join(name).exists() {
            true => shells.push((name, Here { shell: vec![name.to_owned()], path: None })),
            false => eprintln!("{name} is not installed: skipped"),
        }
    }
    let busybox = Path::new("/usr/bin/busybox");
    if !busybox.exists() {
        eprintln!("busybox is not installed: skipped");
        return shells;
    }
    let path = folder.join("busybox");
    fs::create_dir_all(&path).unwrap();
    let list = std::process::Command::new(busybox).arg("--list").output().unwrap();
    for applet in String::from_utf8(list.stdout).unwrap().lines() {
        symlink(busybox, path.join(applet)).unwrap();
    }
    let shell = vec![busybox.display().to_string(), "sh".to_owned()];
    shells.push(("busybox", Here { shell, path: Some(path) }));
    shells
}

/// A host for each shell, each with its own empty root.
fn hosts(folder: &Path) -> Vec<(&'static str, PathBuf, LinuxHost<Here>)> {
    let host = |(name, here): (&'static str, Here)| {
        let root = folder.join(format!("root of {name}"));
        fs::create_dir_all(&root).unwrap();
        let host = on(here, root.to_str());
        (name, root, host)
    };
    shells(folder).into_iter().map(host).collect()
}

fn on<E: Exec>(exec: E, root: Option<&str>) -> LinuxHost<E> {
    let limits = HostLimits { ask: Duration::from_secs(60), order: Duration::from_secs(60) };
    LinuxHost::new(exec, Become::default(), root, limits)
}

fn secret(bytes: impl Into<Vec<u8>>) -> Secret {
    Secret::new(bytes, "a test")
}

/// This process's own user and group, as the files it makes show them.
fn own_names() -> (String, String) {
    let name = |flag: &str| {
        let out = std::process::Command::new("id").arg(flag).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    (name("-un"), name("-gn"))
}

fn put(path: &str, content: impl Into<Vec<u8>>, mode: &str) -> Order {
    let (owner, group) = own_names();
    Order::Put { path: path.into(), content: secret(content), mode: mode.into(), owner, group }
}

fn file(path: &str) -> Ask {
    Ask::File { path: path.into() }
}

async fn order<E: Exec>(host: &LinuxHost<E>, orders: &[Order]) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    host.order(orders, &mut |index, ruling| {
        assert_eq!(index, rulings.len(), "each once and in order");
        rulings.push(ruling);
    })
    .await;
    assert_eq!(rulings.len(), orders.len());
    rulings
}

fn all_done(rulings: &[Ruling]) -> bool {
    rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_)))
}

/// Whether an order failed with these words.
fn failed_with(ruling: &Ruling, words: &str) -> bool {
    matches!(ruling, Ruling::Failed(why) if why.contains(words))
}
