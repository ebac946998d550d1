//! What the knobs do to single requests, and what a person can do to a running lab from another program.

use std::time::Duration;

use reqwest::Method;
use rocade::host::{Ask, Ruling};
use rocade::lab::{self, Device, DevicePlan, Intervention, Lab, LabPlan, RequestFault};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::{Bench, installed, out};
use crate::visitor::Visitor;

/// Whether the unit has its broker's messages on: what the requests of these tests change.
fn is_done(device: &Device) -> bool {
    let page = device.conduit().unwrap().with_api(|api| api.handle("GET", "/api/loraNetwork/mqtt", b""));
    serde_json::from_str::<Value>(&page.body).unwrap()["result"]["enabled"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_goes_wrong_and_those_before_and_after_do_not() {
    for (fault, done) in [
        (RequestFault::CutBefore, false),
        (RequestFault::CutAfter, true),
        (RequestFault::Garbage, true),
        (RequestFault::Half, true),
        (RequestFault::Stall, false),
        (RequestFault::Refuse, false),
    ] {
        let plan = LabPlan { devices: vec![DevicePlan::conduit("pool-gw")], logs: None };
        let lab = Lab::start(plan).await.unwrap();
        let device = lab.device("pool-gw").unwrap();
        let mut visitor = Visitor::new(device);
        visitor.login(&device.plan.user, &device.plan.password).await;
        device.knobs().set(|knobs| knobs.at_request = Some((2, fault)));
        visitor.get("system").await;
        let body = json!({"enabled": true});
        let sent = visitor.ask(Method::PUT, "loraNetwork/mqtt", body);
        let sent = tokio::time::timeout(Duration::from_millis(700), sent).await;
        assert_eq!(sent.is_err(), fault == RequestFault::Stall, "{fault:?}");
        assert!(sent.is_err() || sent.is_ok_and(|sent| sent.is_err()), "{fault:?}");
        assert_eq!(is_done(device), done, "{fault:?}");
        let mut noted = device.log().entries().into_iter().map(|entry| entry.what);
        assert!(noted.next_back().unwrap().starts_with("PUT /api/loraNetwork/mqtt"), "{fault:?}");
        let after = visitor.ask(Method::GET, "system", Value::Null).await;
        assert_eq!(after.is_err(), fault == RequestFault::Refuse, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exec_stalls_or_says_nonsense() {
    if !installed(&["ssh", "ssh-keygen"]) {
        return;
    }
    let bench = Bench::start(vec![DevicePlan::conduit("pool-gw")]).await;
    let device = bench.device("pool-gw");
    device.knobs().set(|knobs| knobs.stall_at_exec = Some(1));
    let stalled = bench.exec(device, "hostname", b"");
    assert!(tokio::time::timeout(Duration::from_millis(700), stalled).await.is_err());
    device.knobs().set(|knobs| knobs.garble_at_exec = Some(1));
    let garbled = bench.exec(device, "hostname", b"").await;
    assert!(garbled.status.success() && garbled.stdout.len() == "mtcdt\n".len());
    assert_ne!(garbled.stdout, b"mtcdt\n");
    assert_eq!(out(&bench.exec(device, "hostname", b"").await), "mtcdt\n");
    device.knobs().set(|knobs| knobs.garble_at_exec = Some(1));
    let orders = [rocade::host::Order::Remove { path: "/etc/issue.net".to_owned() }];
    let rulings = bench.order(device, &orders).await;
    assert!(matches!(rulings[..], [Ruling::Unknown(_)]), "{rulings:?}");
    let gone = bench.ask(device, &[Ask::File { path: "/etc/issue.net".to_owned() }]).await;
    assert!(matches!(gone[..], [rocade::host::Answer::File(None)]), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_lab_is_handled_from_outside() {
    let folder = TempDir::new().unwrap();
    let lab = lab::up_boxed(folder.path()).await.unwrap();
    let device = lab.device("pool-gw").unwrap();
    let ask = async |name: &str, act: Intervention| {
        lab::ask(folder.path(), name, act).await.map_err(|error| format!("{error:#}"))
    };
    let said = ask("pool-gw", Intervention::Press { seconds: 35 }).await.unwrap();
    assert_eq!(said, "pool-gw goes back to its factory defaults");
    device.until_boots(2).await;
    ask("pool-gw", Intervention::CutPower).await.unwrap();
    device.until_boots(3).await;
    ask("pool-gw", Intervention::Turn { knobs: "at-request=1:half".to_owned() }).await.unwrap();
    assert_eq!(device.knobs().now().at_request, Some((1, RequestFault::Half)));
    ask("pool-gw", Intervention::Turn { knobs: "off".to_owned() }).await.unwrap();
    assert_eq!(device.knobs().now().at_request, None);
    let uplink = |dev_eui: &str| Intervention::Uplink {
        dev_eui: dev_eui.to_owned(),
        frame: "4d".to_owned(),
        fcnt: None,
    };
    for (name, act, reason) in [
        ("pool-gx", Intervention::CutPower, "no `pool-gx`"),
        ("main", Intervention::CutPower, "not a Conduit"),
        ("main", Intervention::Turn { knobs: "fly".to_owned() }, "`fly` is not a knob"),
        ("pool-gw", uplink("0018B21000004A2F"), "does not know this device"),
    ] {
        assert!(ask(name, act).await.unwrap_err().contains(reason), "{name}: {reason}");
    }
    let hosts = std::fs::read_to_string(folder.path().join("inventory/known_hosts")).unwrap();
    assert!(!hosts.contains(&format!(":{} ", device.plan.ssh_port)), "a host key nobody has seen is pinned");
    lab.stop().await;
    assert!(ask("main", Intervention::CutPower).await.unwrap_err().contains("does not run any more"));
    let nowhere = lab::ask(TempDir::new().unwrap().path(), "main", Intervention::CutPower).await;
    assert!(format!("{:#}", nowhere.unwrap_err()).contains("no lab runs here"));
}
