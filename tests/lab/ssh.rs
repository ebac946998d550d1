//! OpenSSH against the simulated devices' SSH servers.

use rocade::host::{Answer, Ask, FileKind, Order, Ruling, ServiceAct};
use rocade::lab::{Deed, DevicePlan};
use rocade::model::{Secret, Verifier};

use crate::clients::{Bench, askpass, err, installed, out, run};

async fn bench() -> Option<Bench> {
    if !installed(&["ssh", "ssh-keygen"]) {
        return None;
    }
    Some(Bench::start(vec![DevicePlan::conduit("pool-gw"), DevicePlan::debian("main")]).await)
}

fn put(path: &str, content: &[u8]) -> Order {
    Order::Put {
        path: path.to_owned(),
        content: Secret::new(content, "test"),
        mode: "0640".to_owned(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
    }
}

fn text(path: &str) -> Order {
    put(path, b"text")
}

#[tokio::test(flavor = "multi_thread")]
async fn people_can_look_around() {
    let Some(bench) = bench().await else { return };
    let gateway = bench.device("pool-gw");
    for (line, expected) in [
        ("cat /etc/issue.net", "mPower 6.0.1\n"),
        ("uname -m", "armv5tejl\n"),
        ("id -un", "admin\n"),
        ("echo 'two  words' \"and one\"", "two  words and one\n"),
        ("stat -c '%a %U' /etc/init.d/sshd", "644 root\n"),
    ] {
        let output = bench.exec(gateway, line, b"").await;
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), expected), "{line}");
    }
    let page = bench.exec(gateway, "curl -s http://127.0.0.1/api/system", b"").await;
    let page: serde_json::Value = serde_json::from_slice(&page.stdout).unwrap();
    assert_eq!(page["result"]["firmware"], "6.0.1");
    let unknown = bench.exec(gateway, "systemctl status x", b"").await;
    assert_eq!(unknown.status.code(), Some(127));
    assert_eq!(err(&unknown), "systemctl: not found (simulated device)\n");
    assert_eq!(bench.exec(gateway, "test -e /nowhere", b"").await.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_checked_and_three_wrong_ones_lock_out() {
    let Some(bench) = bench().await else { return };
    let gateway = bench.device("pool-gw");
    let login = async |password: &str| {
        let mut ssh = bench.ssh(gateway);
        ssh.args([
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "NumberOfPasswordPrompts=1",
            "127.0.0.1",
            "hostname",
        ])
        .env("SSH_ASKPASS", askpass(bench.folder.path(), password))
        .env("SSH_ASKPASS_REQUIRE", "force");
        run(ssh, b"").await
    };
    assert_eq!(out(&login(&gateway.plan.password).await), "mtcdt\n");
    for _ in 0..3 {
        let refused = login("wrong").await;
        assert!(err(&refused).contains("Permission denied (publickey,password)"), "{}", err(&refused));
    }
    let locked = login(&gateway.plan.password).await;
    assert!(err(&locked).contains("Permission denied"), "{}", err(&locked));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ordered_is_what_is_then_seen() {
    let Some(bench) = bench().await else { return };
    let host = bench.device("main");
    let content: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let orders = [
        Order::Directory {
            path: "/etc/rocade/x".to_owned(),
            mode: "0750".to_owned(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
        },
        put("/etc/rocade/x/file", &content),
        Order::User { name: "signage".to_owned(), home: "/var/lib/signage".to_owned() },
        Order::Install { package: "nftables".to_owned() },
    ];
    let rulings = bench.order(host, &orders).await;
    assert!(rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_))), "{rulings:?}");
    let file = |path: &str| Ask::File { path: path.to_owned() };
    let asks = [
        file("/etc/rocade/x/file"),
        file("/etc/rocade/x"),
        file("/nowhere"),
        Ask::Content { path: "/etc/rocade/x/file".to_owned() },
        Ask::Package { name: "nftables".to_owned() },
        Ask::User { name: "signage".to_owned() },
        Ask::Facts,
    ];
    let answers = bench.ask(host, &asks).await;
    let [
        Answer::File(Some(file)),
        Answer::File(Some(folder)),
        Answer::File(None),
        Answer::Content(Some(seen)),
        rest @ ..,
    ] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert!(Secret::new(content.clone(), "x").fits(&Verifier::Sha256(file.sha256.clone().unwrap())));
    assert_eq!((file.mode.as_str(), file.kind), ("640", FileKind::Regular));
    assert_eq!((folder.mode.as_str(), folder.kind), ("750", FileKind::Directory));
    assert_eq!(seen.reveal(), content);
    let [Answer::Version(Some(_)), Answer::User(Some(user)), Answer::Facts(facts)] = rest else {
        panic!("{rest:?}")
    };
    assert_eq!((user.home.as_str(), facts["init"].as_str()), ("/var/lib/signage", "systemd"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_current_until_a_file_it_reads_changes() {
    let Some(bench) = bench().await else { return };
    let gateway = bench.device("pool-gw");
    let (name, watch) = ("rocade-relay".to_owned(), vec!["/var/config/rocade/relay".to_owned()]);
    let current = async || {
        let ask = [Ask::Service { name: name.clone(), watch: watch.clone() }];
        match bench.ask(gateway, &ask).await.remove(0) {
            Answer::Service(facts) => facts.map(|facts| (facts.running, facts.current)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(current().await, None);
    let folder = Order::Directory {
        path: watch[0].clone(),
        mode: "0755".to_owned(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let act = |act| Order::Service { name: name.clone(), act, watch: watch.clone() };
    let config = "/var/config/rocade/relay/config.json";
    bench.order(gateway, &[folder, text("/etc/init.d/rocade-relay"), text(config)]).await;
    assert_eq!(current().await, Some((false, false)));
    bench.order(gateway, &[act(ServiceAct::Start)]).await;
    assert_eq!(current().await, Some((true, true)));
    bench.order(gateway, &[put(config, b"other")]).await;
    assert_eq!(current().await, Some((true, false)));
    bench.order(gateway, &[act(ServiceAct::Restart)]).await;
    assert_eq!(current().await, Some((true, true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_wants_the_password_and_others_may_not_write() {
    let Some(bench) = bench().await else { return };
    let host = bench.device("main");
    bench.order(host, &[text("/etc/secret")]).await;
    let denied = bench.exec(host, "cat /etc/secret", b"").await;
    assert_eq!(err(&denied), "cat: /etc/secret: Permission denied\n");
    let allowed = format!("{}\n", host.plan.password);
    assert_eq!(out(&bench.exec(host, "sudo -S -p '' cat /etc/secret", allowed.as_bytes()).await), "text");
    let wrong = bench.exec(host, "sudo -S -p '' cat /etc/secret", b"wrong\n").await;
    assert!(err(&wrong).contains("1 incorrect password attempt"), "{}", err(&wrong));
    assert_eq!(wrong.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn knobs_break_what_they_say() {
    let Some(bench) = bench().await else { return };
    let host = bench.device("main");
    let three = ["/etc/a", "/etc/b", "/etc/c"].map(text);
    let there =
        || host.with_state(|state| state.files.names("/etc").into_iter().filter(|n| n.len() == 1).count());

    host.knobs().set(|knobs| knobs.fail_order = Some(2));
    let rulings = bench.order(host, &three).await;
    assert!(matches!(rulings[..], [Ruling::Done(_), Ruling::Failed(_), Ruling::NotStarted]), "{rulings:?}");
    assert_eq!(there(), 1);

    host.knobs().set(|knobs| knobs.cut_at_order = Some(2));
    let rulings = bench.order(host, &three).await;
    // The first answer was sent; OpenSSH may throw it away when it is disconnected before it printed it.
    assert!(matches!(rulings[1..], [Ruling::Unknown(_), Ruling::Unknown(_)]), "{rulings:?}");
    assert_eq!(there(), 2);

    host.knobs().set(|knobs| knobs.forget = true);
    assert!(bench.order(host, &three).await.iter().all(|ruling| matches!(ruling, Ruling::Done(_))));
    assert_eq!(there(), 2);
    host.knobs().set(|knobs| knobs.forget = false);

    host.knobs().set(|knobs| knobs.cut_at_exec = Some(1));
    assert_eq!(bench.exec(host, "hostname", b"").await.status.code(), Some(255));
    assert_eq!(out(&bench.exec(host, "hostname", b"").await), "broker\n");

    host.knobs().set(|knobs| knobs.cut_after_bytes = Some(500));
    assert_eq!(bench.exec(host, "hostname", b"").await.status.code(), Some(255));
    host.knobs().set(|knobs| knobs.cut_after_bytes = None);

    host.knobs().set(|knobs| knobs.refuse = true);
    let mut refused = bench.exec(host, "hostname", b"").await;
    // One connection may still be in the listener's queue when it closes.
    if !err(&refused).contains("Connection refused") {
        refused = bench.exec(host, "hostname", b"").await;
    }
    assert!(err(&refused).contains("Connection refused"), "{}", err(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_wipes_and_the_log_tells_reads_from_writes() {
    let Some(bench) = bench().await else { return };
    let gateway = bench.device("pool-gw");
    let mqtt = "http://127.0.0.1/api/loraNetwork/mqtt";
    let send = Order::Send {
        method: "PUT",
        url: mqtt.to_owned(),
        body: Secret::new(br#"{"enabled": true, "password": "planted-in-a-body"}"#, "test"),
    };
    let rulings = bench.order(gateway, &[put("/var/config/mine", b"planted-in-a-file"), send]).await;
    assert!(rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_))), "{rulings:?}");
    let asks = [Ask::File { path: "/var/config/mine".to_owned() }, Ask::Get { url: mqtt.to_owned() }];
    bench.ask(gateway, &asks).await;
    assert_eq!((gateway.log().execs(), gateway.log().writes()), (2, 2));
    let words: Vec<_> = gateway.log().entries().into_iter().map(|entry| (entry.kind, entry.what)).collect();
    let put = (Deed::Write, "PUT http://127.0.0.1/api/loraNetwork/mqtt".to_owned());
    assert!(words.contains(&put), "{words:?}");
    let file = std::fs::read_to_string(bench.folder.path().join("pool-gw.jsonl")).unwrap();
    assert_eq!(file.lines().count(), 4);
    for planted in ["planted-in-a-body", "planted-in-a-file", gateway.plan.password.as_str()] {
        assert!(!file.contains(planted), "{file}");
    }

    gateway.wipe();
    let answers = bench.ask(gateway, &asks).await;
    let [Answer::File(None), Answer::Page(page)] = &answers[..] else { panic!("{answers:?}") };
    let page: serde_json::Value = serde_json::from_slice(page.body.reveal()).unwrap();
    assert_eq!(page["result"]["enabled"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_gateways_fit_in_one_process() {
    if !installed(&["ssh", "ssh-keygen"]) {
        return;
    }
    let plan = |number| DevicePlan { serial: number, ..DevicePlan::conduit(&format!("gw-{number}")) };
    let bench = Bench::start((1..=50).map(plan).collect()).await;
    let keys: std::collections::BTreeSet<_> = bench.lab.devices().iter().map(|one| &one.host_key).collect();
    assert_eq!(keys.len(), 50);
    let last = bench.exec(bench.device("gw-50"), "curl -s http://127.0.0.1/api/system/deviceId", b"").await;
    assert!(out(&last).contains("00000050"), "{}", out(&last));
}
