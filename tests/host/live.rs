//! What runs: the system itself, programs, HTTP and services, without a prefix.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rocade::host::{Answer, Ask, LinuxHost, Order, Ruling, ServiceAct, ServiceFacts};
use rocade::transport::Hosting;

use super::{Here, all_done, failed_with, file, hosts, on, order, put, secret, shells};

#[tokio::test]
async fn the_system_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let four = TcpListener::bind("127.0.0.1:0").unwrap();
    let six = TcpListener::bind("[::1]:0").ok();
    for (shell, here) in shells(folder.path()) {
        let host = on(here, None);
        let answers =
            host.ask(&[Ask::Facts, Ask::Listening, Ask::User { name: "root".into() }]).await.unwrap();
        let [Answer::Facts(facts), Answer::Names(sockets), Answer::User(Some(root))] = answers.as_slice()
        else {
            panic!("{shell}: {answers:?}")
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(facts["kernel"], kernel.trim(), "{shell}");
        let init = if Path::new("/run/systemd/system").exists() { "systemd" } else { "sysvinit" };
        assert_eq!(facts["init"], init, "{shell}");
        assert!(facts["clock"].parse::<u64>().unwrap() > 1_700_000_000, "{shell}");
        for listener in [Some(&four), six.as_ref()].into_iter().flatten() {
            let address = listener.local_addr().unwrap().to_string();
            assert!(sockets.contains(&address), "{shell}: {address} in {sockets:?}");
        }
        assert_eq!((root.uid, root.home.as_str()), (0, "/root"), "{shell}");
    }
}

#[tokio::test]
async fn programs_run_with_their_input_and_say_why_they_fail() {
    let folder = tempfile::tempdir().unwrap();
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let run = |words: &[&str], stdin: &[u8]| Order::Run { argv: argv(words), stdin: secret(stdin) };
    let trial = |words: &[&str]| Order::Trial { argv: argv(words), seconds: 1 };
    for (shell, here) in shells(folder.path()) {
        let host = on(here, None);
        let large = b"0123456789abcde\n".repeat(4000);
        let orders = [
            run(&["tr", "a-z", "A-Z"], b"it's \\ in\n"),
            run(&["wc", "-c"], &large),
            run(&["printf", "%s|", "a b", "", "$HOME", "'\"*"], b"nobody reads this"),
            trial(&["sleep", "60"]),
            trial(&["true"]),
            trial(&["sh", "-c", "echo line 3: no such option >&2; exit 4"]),
            run(&["true"], b""),
        ];
        let rulings = order(&host, &orders).await;
        let output = |index: usize| match &rulings[index] {
            Ruling::Done(done) => done.output.trim().to_owned(),
            other => panic!("{shell}: {other:?}"),
        };
        assert_eq!([output(0), output(1), output(2)], ["IT'S \\ IN", "64000", "a b||$HOME|'\"*|"], "{shell}");
        assert!(all_done(&rulings[3..5]), "{shell}: {rulings:?}");
        assert!(failed_with(&rulings[5], "line 3: no such option"), "{shell}: {rulings:?}");
        assert_eq!(rulings[6], Ruling::NotStarted, "{shell}");
        let rulings = order(&host, &[run(&["sh", "-c", "cat >&2; exit 3"], b"said on the way out")]).await;
        assert!(failed_with(&rulings[0], "said on the way out"), "{shell}: {rulings:?}");
    }
}

/// Serves HTTP on loopback: answers by path, tells what it was sent.
fn serve() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (request, reply) = answer(stream);
            drop(reply);
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// Reads one request and answers it; gives its first line and its body.
fn answer(mut stream: TcpStream) -> (String, TcpStream) {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        }
        let length = stream.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..length]);
    };
    let request = head.lines().next().unwrap_or_default().to_owned();
    let (status, page) = match request.split(' ').nth(1).unwrap_or_default() {
        "/missing" => ("404 Not Found", "no such thing\n"),
        "/refused" => ("200 OK", "{\"code\": 400, \"status\" : \"fail\", \"error\": \"bad key\"}"),
        _ => ("200 OK", "{\n  \"status\" : \"success\"\n}\n"),
    };
    let length = page.len();
    let reply = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}");
    stream.write_all(reply.as_bytes()).unwrap();
    (format!("{request} {body}"), stream)
}

/// A shell whose PATH lacks some programs.
fn without(folder: &Path, missing: &[&str]) -> Here {
    let path = folder.join(format!("without {}", missing.join(" ")));
    fs::create_dir_all(&path).unwrap();
    for entry in fs::read_dir("/usr/bin").unwrap().map(Result::unwrap) {
        if !missing.iter().any(|name| entry.file_name() == **name) {
            symlink(entry.path(), path.join(entry.file_name())).unwrap();
        }
    }
    Here { shell: vec!["/usr/bin/dash".into()], path: Some(path) }
}

#[tokio::test]
async fn pages_are_fetched_and_sent_with_curl_or_python() {
    let folder = tempfile::tempdir().unwrap();
    for (missing, needed) in [("", "curl"), ("curl", "python3")] {
        if !Path::new("/usr/bin").join(needed).exists() {
            eprintln!("/usr/bin/{needed} is not installed: skipped");
            continue;
        }
        let host = on(without(folder.path(), &[missing]), None);
        let (url, told) = serve();
        let page = |path: &str| Ask::Get { url: format!("{url}{path}") };
        let answers = host.ask(&[page("/api/system?a='b'&c"), page("/missing")]).await.unwrap();
        let [Answer::Page(first), Answer::Page(second)] = answers.as_slice() else {
            panic!("{needed}: {answers:?}")
        };
        assert_eq!((first.status, second.status), (200, 404), "{needed}");
        assert_eq!(first.body.reveal_text(), Some("{\n  \"status\" : \"success\"\n}\n"), "{needed}");
        assert_eq!(told.recv().unwrap(), "GET /api/system?a='b'&c HTTP/1.1 ", "{needed}");
        told.recv().unwrap();
        let send = |method, path: &str, body: &str| Order::Send {
            method,
            url: format!("{url}{path}"),
            body: secret(body),
        };
        let large = format!("{{\"key\": \"{}\"}}", "0123456789abcdef".repeat(1000));
        let orders =
            [send("PUT", "/api/x", &large), send("DELETE", "/api/y", ""), send("POST", "/refused", "{}")];
        let rulings = order(&host, &orders).await;
        let good = Ruling::Done(rocade::host::Done::default());
        assert_eq!(rulings[..2], [good.clone(), good], "{needed}: a page may hold keys");
        assert!(failed_with(&rulings[2], "bad key"), "{needed}: {rulings:?}");
        assert_eq!(told.recv().unwrap(), format!("PUT /api/x HTTP/1.1 {large}"), "{needed}");
        assert_eq!(told.recv().unwrap(), "DELETE /api/y HTTP/1.1 ", "{needed}");
        let rulings = order(&host, &[send("PUT", "/missing", "{}")]).await;
        assert!(failed_with(&rulings[0], "answered with 404"), "{needed}: {rulings:?}");
        let nobody = Ask::Get { url: "http://127.0.0.1:9/".into() };
        let answers = host.ask(&[nobody]).await.unwrap();
        assert!(
            matches!(&answers[0], Answer::Unread(why) if why.contains("onnect")),
            "{needed}: {answers:?}"
        );
    }
}

#[tokio::test]
async fn without_coreutils_openssl_or_python_do() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..=255u8).cycle().take(100_000).collect();
    for missing in [&["base64", "sha256sum"][..], &["base64", "sha256sum", "openssl"]] {
        let root = folder.path().join(missing.len().to_string());
        fs::create_dir_all(&root).unwrap();
        let host = on(without(folder.path(), missing), root.to_str());
        let rulings = order(&host, &[put("/a b", content.clone(), "0644"), put("/c", "", "0644")]).await;
        assert!(all_done(&rulings), "{missing:?}: {rulings:?}");
        let answers = host.ask(&[file("/a b"), Ask::Content { path: "/a b".into() }]).await.unwrap();
        let [Answer::File(Some(facts)), Answer::Content(Some(back))] = answers.as_slice() else {
            panic!("{missing:?}: {answers:?}")
        };
        let verifier = rocade::model::Verifier::Sha256(facts.sha256.clone().unwrap());
        assert!(secret(content.clone()).fits(&verifier), "{missing:?}");
        assert!(back.reveal() == content, "{missing:?}");
    }
}

/// An init script as the relay's is: a background process and its pid file.
const INIT: &str = "#!/bin/sh
case $1 in
    start) [ ! -e /run/rocade-test.pid ] || exit 0; sleep 1000 & echo $! >/run/rocade-test.pid ;;
    stop) kill $(cat /run/rocade-test.pid); rm /run/rocade-test.pid ;;
    restart) $0 stop; $0 start ;;
    reload) ;;
esac
";

/// Whether services can be had as System V has them; says so when not.
pub fn needs_no_systemd() -> bool {
    let systemd = Path::new("/run/systemd/system").exists();
    if systemd {
        eprintln!("this machine runs systemd: the System V service is skipped");
    }
    !systemd
}

/// A shell in a mount namespace of its own, where /etc/init.d and /run are folders of the test.
pub fn enclosed(folder: &Path, shell: &[&str]) -> Option<Here> {
    let (init, run) = (folder.join("init.d"), folder.join("run"));
    fs::create_dir_all(&init).unwrap();
    fs::create_dir_all(&run).unwrap();
    fs::write(init.join("rocade-test"), INIT).unwrap();
    fs::set_permissions(init.join("rocade-test"), fs::Permissions::from_mode(0o755)).unwrap();
    let bind = "mount --bind \"$0\" /etc/init.d && mount --bind \"$1\" /run && shift && exec \"$@\"";
    let mut argv: Vec<String> = ["unshare", "-m", "sh", "-c", bind].map(str::to_owned).into();
    argv.extend([init, run].map(|path: PathBuf| path.display().to_string()));
    argv.extend(shell.iter().map(|word| (*word).to_owned()));
    let mut probe = std::process::Command::new(&argv[0]);
    let allowed = probe.args(&argv[1..]).args(["-c", "true"]).status().is_ok_and(|status| status.success());
    allowed.then_some(Here { shell: argv, path: None })
}

async fn service(host: &LinuxHost<Here>, watch: &str) -> ServiceFacts {
    let ask = Ask::Service { name: "rocade-test".into(), watch: vec![watch.into()] };
    match host.ask(&[ask]).await.unwrap().remove(0) {
        Answer::Service(Some(facts)) => facts,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_service_runs_with_what_is_on_disk_or_says_that_it_does_not() {
    if !needs_no_systemd() {
        return;
    }
    for shell in [&["dash"][..], &["busybox", "sh"]] {
        let folder = tempfile::tempdir().unwrap();
        let Some(here) = enclosed(folder.path(), shell) else {
            eprintln!("no mount namespace can be made here (not root?): skipped");
            return;
        };
        let host = on(here, None);
        let config = folder.path().join("config.json");
        let watch = config.to_str().unwrap();
        let act = |act| Order::Service { name: "rocade-test".into(), act, watch: vec![watch.into()] };
        let state = |running, current| ServiceFacts { enabled: false, running, current };
        fs::write(&config, "1").unwrap();
        assert_eq!(service(&host, watch).await, state(false, false));
        let rulings = order(&host, &[act(ServiceAct::Start)]).await;
        assert!(all_done(&rulings), "{shell:?}: {rulings:?}");
        assert_eq!(service(&host, watch).await, state(true, true), "{shell:?} after our start");
        fs::write(&config, "2").unwrap();
        assert_eq!(service(&host, watch).await, state(true, false), "{shell:?} after a change");
        assert!(all_done(&order(&host, &[act(ServiceAct::Start)]).await), "{shell:?}");
        assert_eq!(
            service(&host, watch).await,
            state(true, false),
            "{shell:?}: a start of what runs reads nothing"
        );
        assert!(all_done(&order(&host, &[act(ServiceAct::Restart)]).await), "{shell:?}");
        assert_eq!(service(&host, watch).await, state(true, true), "{shell:?} after our restart");
        fs::write(&config, "3").unwrap();
        assert!(all_done(&order(&host, &[act(ServiceAct::Reload)]).await), "{shell:?}");
        assert_eq!(service(&host, watch).await, state(true, true), "{shell:?} after our reload");
        fs::write(&config, "4").unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let by_hand = Order::Run {
            argv: ["setsid", "/etc/init.d/rocade-test", "restart"].map(str::to_owned).into(),
            stdin: secret(""),
        };
        assert!(all_done(&order(&host, &[by_hand]).await), "{shell:?}");
        assert_eq!(service(&host, watch).await, state(true, true), "{shell:?} after a restart by hand");
        assert!(all_done(&order(&host, &[act(ServiceAct::Stop)]).await), "{shell:?}");
        assert_eq!(service(&host, watch).await, state(false, false), "{shell:?} after our stop");
        assert!(
            failed_with(
                &order(
                    &host,
                    &[Order::Service { name: "none".into(), act: ServiceAct::Start, watch: vec![] }]
                )
                .await[0],
                "no service"
            ),
            "{shell:?}"
        );
    }
}

#[tokio::test]
async fn no_content_stands_in_an_argument_or_an_environment() {
    let folder = tempfile::tempdir().unwrap();
    let search = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '";
    let planted = "swordfish-4711-swordfish";
    let armored = "c3dvcmRmaXNoLTQ3MTEtc3dvcmRmaXNo";
    let look = |more: &str| Order::Run {
        argv: ["sh", "-c", search, more].map(str::to_owned).into(),
        stdin: secret(planted),
    };
    for (shell, here) in shells(folder.path()) {
        let host = on(here, None);
        let place = folder.path().join("secret").display().to_string();
        let rulings = order(&host, &[put(&place, planted, "0600"), look("")]).await;
        let [Ruling::Done(_), Ruling::Done(seen)] = rulings.as_slice() else {
            panic!("{shell}: {rulings:?}")
        };
        assert!(seen.output.contains("rocade-host"), "{shell}: the search reads the program's arguments");
        assert!(!seen.output.contains(planted) && !seen.output.contains(armored), "{shell}");
        let rulings = order(&host, &[look("an argument: flounder-0815")]).await;
        let [Ruling::Done(seen)] = rulings.as_slice() else { panic!("{shell}: {rulings:?}") };
        assert!(seen.output.contains("flounder-0815"), "{shell}: the search finds what stands there");
    }
}

#[test]
fn the_program_is_plain_posix_shell() {
    let Ok(mut check) = std::process::Command::new("shellcheck")
        .args(["-s", "sh", "-S", "warning", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    else {
        eprintln!("shellcheck is not installed: skipped");
        return;
    };
    check.stdin.take().unwrap().write_all(rocade::host::program().as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[tokio::test]
async fn what_sudo_says_is_said_clearly() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, root, _) in hosts(folder.path()) {
        let noise = "echo welcome; echo 'sudo: a password is required' >&2; exit 1";
        let here = Here { shell: vec!["sh".into(), "-c".into(), noise.into()], path: None };
        let host = on(here, root.to_str());
        let why = host.ask(&[Ask::Facts]).await.unwrap_err().to_string();
        assert!(why.contains("sudo asks for a password and none is set"), "{shell}: {why}");
        let rulings = order(&host, &[put("/x", "x", "0644"), put("/y", "y", "0644")]).await;
        assert!(failed_with(&rulings[0], "sudo asks for a password"), "{shell}: {rulings:?}");
        assert_eq!(rulings[1], Ruling::NotStarted, "{shell}");
    }
}
