//! The life of a simulated Conduit over its own protocols: from its box through restarts and resets.

use std::time::Duration;

use reqwest::Method;
use rocade::host::kept::HOOKS;
use rocade::host::{Ask, Order, Ruling, Thing};
use rocade::lab::{Device, DevicePlan, Firmware, Lab, LabPlan, firmware_image};
use rocade::model::Secret;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::clients::{Bench, askpass, err, installed, out, run};
use crate::visitor::Visitor;

async fn started(plan: DevicePlan) -> Lab {
    Lab::start(LabPlan { devices: vec![plan], logs: None }).await.unwrap()
}

fn boxed(firmware: &str) -> DevicePlan {
    DevicePlan { boxed: true, firmware: firmware.to_owned(), ..DevicePlan::conduit("pool-gw") }
}

async fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_its_box_it_is_reached_over_ssh_after_a_restart() {
    let lab = started(boxed("6.0.1")).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    assert!(!listens(device.plan.ssh_port).await);
    for (method, path) in [(Method::GET, "system"), (Method::POST, "login")] {
        assert_eq!(visitor.ask(method, path, Value::Null).await.unwrap().0, 409);
    }
    visitor.commission().await;
    let (status, refusal) = visitor.ask(Method::GET, "commissioning", Value::Null).await.unwrap();
    assert_eq!((status.as_u16(), &refusal["error"]), (400, &json!("commissioning is finished")));
    assert_eq!(visitor.get("system/firstTimeSetup").await, true);
    visitor.change(Method::PUT, "system", json!({"firstTimeSetup": false})).await;
    visitor.turn_ssh_on().await;
    assert_eq!(visitor.get("system/dbDirty").await, true);
    visitor.command("save").await;
    assert_eq!(visitor.get("system/dbDirty").await, false);
    assert!(!listens(device.plan.ssh_port).await, "saved is not started");
    visitor.command("restart").await;
    device.until_boots(2).await;
    assert!(listens(device.plan.ssh_port).await);
    assert_eq!(visitor.ask(Method::GET, "system", Value::Null).await.unwrap().0, 401, "the session ended");
    let DevicePlan { user, password, .. } = &device.plan;
    assert_eq!(visitor.login(user, password).await.0, 200);
    assert_eq!(device.host_key_now(), device.host_key, "a restart makes no new host key");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_it_was_given_logs_in_over_ssh() {
    if !installed(&["ssh", "ssh-keygen"]) {
        return;
    }
    let bench = Bench::start(vec![boxed("6.3.1")]).await;
    let device = bench.device("pool-gw");
    let mut visitor = Visitor::new(device);
    visitor.commission().await;
    visitor.turn_ssh_on().await;
    visitor.command("save_apply").await;
    let mut ssh = bench.ssh(device);
    ssh.args(["-o", "PubkeyAuthentication=no", "127.0.0.1", "cat /etc/issue.net /etc/mlinux-version"])
        .env("SSH_ASKPASS", askpass(bench.folder.path(), &device.plan.password))
        .env("SSH_ASKPASS_REQUIRE", "force");
    let output = run(ssh, b"").await;
    assert!(out(&output).starts_with("mPower 6.3.1\nmLinux 6.3.1\n"), "{}", err(&output));
    let line = format!("sudo -S -p '' id -un {}", device.plan.user);
    let sudo = bench.exec(device, &line, format!("{}\n", device.plan.password).as_bytes()).await;
    assert_eq!(out(&sudo), "admin\n", "{}", err(&sudo));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_restarts_nothing_listens_and_what_was_open_ends() {
    let plan = DevicePlan { restart: Duration::from_secs(1), ..DevicePlan::conduit("pool-gw") };
    let lab = started(plan).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    let DevicePlan { user, password, .. } = &device.plan;
    visitor.login(user, password).await;
    let open = TcpStream::connect(("127.0.0.1", device.plan.ssh_port)).await.unwrap();
    let mut banner = Vec::new();
    device.conduit().unwrap().cut_power();
    for port in [device.plan.https_port, device.plan.ssh_port] {
        while listens(port).await {}
    }
    // Whatever was sent before, the end comes.
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut tokio::io::BufReader::new(open), &mut banner).await;
    assert!(visitor.ask(Method::GET, "system", Value::Null).await.is_err());
    assert_eq!(device.boots(), 1);
    device.until_boots(2).await;
    assert_eq!(visitor.login(user, password).await.0, 200);
    assert!(listens(device.plan.ssh_port).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_what_was_not_saved() {
    let lab = started(DevicePlan::conduit("pool-gw")).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    let DevicePlan { user, password, .. } = &device.plan;
    visitor.login(user, password).await;
    visitor.change(Method::PUT, "loraNetwork/lora", json!({"channelPlan": "EU868"})).await;
    visitor.command("save").await;
    visitor.change(Method::PUT, "loraNetwork/mqtt", json!({"enabled": true})).await;
    let volatile = |state: &mut rocade::lab::State| {
        state.files.put("/var/run/pid", b"1".to_vec(), 0o644, "root", "root").unwrap();
        state.files.put("/var/config/kept", b"1".to_vec(), 0o644, "root", "root").unwrap();
    };
    device.with_state(volatile);
    device.conduit().unwrap().cut_power();
    device.until_boots(2).await;
    visitor.login(user, password).await;
    assert_eq!(visitor.get("loraNetwork/mqtt/enabled").await, false);
    assert_eq!(visitor.get("lora/config/lora/channelPlan").await, "EU868");
    let there = |path: &str| device.with_state(|state| state.files.get(path).is_some());
    assert_eq!((there("/var/run/pid"), there("/var/config/kept")), (false, true));
}

/// Presses the button and tells whether the unit has its user afterwards, and whether its host key is the same.
async fn pressed(device: &Device, seconds: u64) -> (bool, bool) {
    let (boots, key) = (device.boots(), device.host_key_now());
    device.conduit().unwrap().press(Duration::from_secs(seconds));
    device.until_boots(boots + 1).await;
    let (status, _) = Visitor::new(device).ask(Method::GET, "commissioning", Value::Null).await.unwrap();
    (status == 400, device.host_key_now() == key)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_restarts_resets_and_resets_for_good() {
    let lab = started(DevicePlan::conduit("pool-gw")).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    let DevicePlan { user, password, .. } = &device.plan;
    visitor.login(user, password).await;
    visitor.change(Method::PUT, "loraNetwork/lora", json!({"channelPlan": "EU868"})).await;
    visitor.command("save_oem").await;
    visitor.change(Method::PUT, "loraNetwork/lora", json!({"channelPlan": "IN865"})).await;
    visitor.command("save").await;
    for path in ["/var/config/app", "/var/persistent/app"] {
        device.with_state(|state| state.files.directory(path, 0o755, "root", "root")).unwrap();
    }
    let there = |path: &str| device.with_state(|state| state.files.get(path).is_some());

    assert_eq!(pressed(device, 2).await, (true, true));
    visitor.login(user, password).await;
    assert_eq!(visitor.get("loraNetwork/lora/channelPlan").await, "IN865");
    assert!(there("/var/config/app"));

    assert_eq!(pressed(device, 8).await, (true, true));
    visitor.login(user, password).await;
    assert_eq!(visitor.get("loraNetwork/lora/channelPlan").await, "EU868");
    assert!(!there("/var/config/app") && there("/var/persistent/app") && there("/var/config/lora"));
    assert!(listens(device.plan.ssh_port).await);

    assert_eq!(pressed(device, 35).await, (false, false));
    assert!(there("/var/persistent/app") && !there("/home/admin"));
    assert!(!listens(device.plan.ssh_port).await);
    assert_eq!(pressed(device, 8).await, (false, false), "there are no user-defined defaults any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_visitor_waits_for_a_logout() {
    let lab = started(DevicePlan::conduit("pool-gw")).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    let DevicePlan { user, password, .. } = &device.plan;
    device.knobs().set(|knobs| knobs.other_session = true);
    let (status, refusal) = visitor.login(user, password).await;
    assert!(status == 401 && refusal["error"].as_str().unwrap().contains("another IP address"), "{refusal}");
    let logout = |password: &str| format!("logout?username={user}&password={password}");
    assert_eq!(visitor.ask(Method::GET, &logout("wrong"), Value::Null).await.unwrap().0, 401);
    assert_eq!(visitor.ask(Method::GET, &logout(password), Value::Null).await.unwrap().0, 200);
    assert_eq!(visitor.login(user, password).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_refused_until_it_is_turned_off() {
    let lab = started(DevicePlan::conduit("pool-gw")).await;
    let device = lab.device("pool-gw").unwrap();
    let visitor = Visitor::new(device);
    let mut statuses = Vec::new();
    for _ in 0..120 {
        statuses.push(visitor.ask(Method::GET, "whoami", Value::Null).await.unwrap().0.as_u16());
    }
    assert!(statuses[..100].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429));
    device.conduit().unwrap().with_api(|api| {
        let off = br#"{"dosAttackPrevention": {"enabled": false}}"#;
        assert_eq!(api.handle("PUT", "/api/remoteAccess", off).status, 200);
        api.handle("POST", "/api/command/save_apply", b"");
    });
    assert_eq!(visitor.ask(Method::GET, "whoami", Value::Null).await.unwrap().0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_replaces_the_root_and_keeps_the_settings() {
    let lab = started(DevicePlan::conduit("pool-gw")).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    let DevicePlan { user, password, .. } = &device.plan;
    visitor.login(user, password).await;
    visitor.change(Method::PUT, "loraNetwork/lora", json!({"channelPlan": "EU868"})).await;
    visitor.command("save").await;
    for path in ["/var/config/app/x", "/etc/init.d/mine"] {
        let put = |state: &mut rocade::lab::State| {
            let _ = state.files.directory("/var/config/app", 0o755, "root", "root");
            state.files.put(path, b"1".to_vec(), 0o755, "root", "root")
        };
        device.with_state(put).unwrap();
    }
    let next = || Firmware::of("6.3.1").unwrap();
    let other = firmware_image("MTCAP", next(), false).unwrap();
    let (status, refusal) = visitor.upload("firmware_upgrade", other).await;
    assert!(status == 400 && refusal["error"].as_str().unwrap().contains("MTCAP"), "{refusal}");
    let image = firmware_image("MTCDT", next(), false).unwrap();
    assert_eq!(visitor.upload("firmware_check", image.clone()).await.0, 200);
    assert_eq!(device.boots(), 1);
    assert_eq!(visitor.upload("firmware_upgrade", image).await.0, 200);
    device.until_boots(2).await;
    assert_eq!(visitor.login(user, password).await.0, 200);
    assert_eq!(visitor.get("system/firmware").await, "6.3.1");
    assert_eq!(visitor.get("loraNetwork/lora/channelPlan").await, "EU868");
    assert_eq!(visitor.get("system/dbDirty").await, false);
    let text = |path: &str| device.with_state(|state| state.files.text(path));
    assert_eq!(text("/etc/issue.net").unwrap(), "mPower 6.3.1\n");
    assert_eq!((text("/etc/init.d/mine"), text("/var/config/app/x").as_deref()), (None, Some("1")));
    assert_eq!(device.with_state(|state| state.facts["python"].clone()), "3.8.13");
    assert!(listens(device.plan.ssh_port).await);
    assert_eq!(device.host_key_now(), device.host_key);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_a_configuration_puts_it_back_into_its_box() {
    let lab = started(DevicePlan { firmware: "5.3.0".to_owned(), ..DevicePlan::conduit("pool-gw") }).await;
    let device = lab.device("pool-gw").unwrap();
    let mut visitor = Visitor::new(device);
    visitor.login(&device.plan.user, &device.plan.password).await;
    let image = |version: &str| firmware_image("MTCDT", Firmware::of(version).unwrap(), true).unwrap();
    let (status, refusal) = visitor.upload("firmware_upgrade", image("6.3.1")).await;
    assert!(status == 400 && refusal["error"].as_str().unwrap().contains("6.0.0"), "{refusal}");
    assert_eq!(device.with_state(|state| state.facts.get("python").cloned()), None);
    visitor.upload("firmware_upgrade", image("6.0.1")).await;
    device.until_boots(2).await;
    assert_eq!(visitor.ask(Method::GET, "system", Value::Null).await.unwrap().0, 409);
    visitor.commission().await;
    assert_eq!(visitor.get("system/firmware").await, "6.0.1");
    assert_ne!(device.host_key_now(), device.host_key);
}

async fn ordered(bench: &Bench, device: &Device, orders: &[Order]) {
    let rulings = bench.order(device, orders).await;
    assert!(rulings.iter().all(|ruling| matches!(ruling, Ruling::Done(_))), "{rulings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_while_a_timer_waits_puts_back_at_boot_what_was_armed() {
    if !installed(&["ssh", "ssh-keygen"]) {
        return;
    }
    let bench = Bench::start(vec![DevicePlan::conduit("pool-gw")]).await;
    let device = bench.device("pool-gw");
    let (path, owner) = ("/etc/motd".to_owned(), "root".to_owned());
    let put = |text: &str| Order::Put {
        path: path.clone(),
        content: Secret::new(text, "a test"),
        mode: "0644".into(),
        owner: owner.clone(),
        group: owner.clone(),
    };
    let keep = |name: &str| Order::Keep { name: name.to_owned(), things: vec![Thing::File(path.clone())] };
    let arm = |name: &str| Order::Arm { name: name.to_owned(), seconds: 600 };
    let text = || device.with_state(|state| state.files.text("/etc/motd").unwrap());
    for (boots, confirmed) in [(2, false), (3, true)] {
        ordered(&bench, device, &[put("as it was")]).await;
        let name = format!("rocade-{boots}");
        ordered(&bench, device, &[keep(&name), arm(&name), put("new")]).await;
        if confirmed {
            ordered(&bench, device, &[Order::Confirm { name }]).await;
        }
        device.conduit().unwrap().cut_power();
        device.until_boots(boots).await;
        bench.ask(device, &[Ask::Facts]).await;
        assert_eq!(text(), if confirmed { "new" } else { "as it was" });
        let hooks =
            device.with_state(|state| HOOKS.iter().filter(|hook| state.files.get(hook).is_some()).count());
        assert_eq!(hooks, 0);
    }
}
