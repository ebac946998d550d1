//! What the broker must not let through, tried by clients nobody here wrote; and the display's way in.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use super::bed::{BROKER, bed, output, succeed};
use super::clients::{Client, Listener, Uplink, send};
use super::site::{self, Site};

const SOME_TOPIC: &str = "sites/pool/hall";
const PORT_CLOSED: &str = "Connection refused";

#[track_caller]
fn is_refused(output: &Output, reason: &str) {
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(reason), "{}: {said}", output.status);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn who_may_not_is_refused_at_the_door() {
    let mut site = site::ready();
    let client = Client::signage(&mut site);
    assert!(client.subscribe(&site, SOME_TOPIC).status.success(), "as it should be used, it is let in");

    let wrong = Client { password: "wrong".to_owned(), ..Client::signage(&mut site) };
    is_refused(&wrong.subscribe(&site, SOME_TOPIC), "not authorised");
    let stranger = Client::of(&site, "stranger", "wrong");
    is_refused(&stranger.subscribe(&site, SOME_TOPIC), "not authorised");
    let anonymous = Client::of(&site, "", "");
    is_refused(&anonymous.subscribe(&site, SOME_TOPIC), "not authorised");

    let in_clear = Client { tls: Vec::new(), ..Client::signage(&mut site) };
    assert!(!in_clear.subscribe(&site, SOME_TOPIC).status.success(), "the TLS port took clear text");
    let shakes_hands = |version| {
        let mut command = bed().operator("openssl");
        command.args(["s_client", "-connect", "192.168.145.100:8883", version, "-cipher", "ALL:@SECLEVEL=0"]);
        output(command.stdin(Stdio::null())).status.success()
    };
    assert_eq!(["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"].map(shakes_hands), [false, false, true, true]);
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn clients_can_tell_this_broker_from_another() {
    let mut site = site::ready();
    let other = other_authority(&site);
    let fooled = Client { tls: vec!["--cafile".to_owned(), other], ..Client::signage(&mut site) };
    is_refused(&fooled.subscribe(&site, SOME_TOPIC), "TLS error");

    // On the host's own loopback it is the same broker under a name that the certificate does not hold.
    let from_the_host = |address: &str| {
        let mut command = bed().beside(BROKER, "mosquitto_sub");
        command.args(["-h", address, "-p", "8883", "-t", SOME_TOPIC, "-E", "-W", "30", "--cafile"]);
        output(command.arg(site.path("pki/root.pem")))
    };
    is_refused(&from_the_host("192.168.145.100"), "not authorised");
    is_refused(&from_the_host("127.0.0.1"), "TLS error");

    let names = ["broker.example.net", "192.168.145.100", "192.168.2.1", "example.net"];
    let checks = names.map(|name| {
        let kind = if name.ends_with("net") { "-verify_hostname" } else { "-verify_ip" };
        let mut command = bed().operator("openssl");
        command.args(["s_client", "-connect", "192.168.145.100:8883", "-verify_return_error", kind, name]);
        command.arg("-CAfile").arg(site.path("pki/root.pem")).stdin(Stdio::null());
        output(&mut command).status.success()
    });
    assert_eq!(checks, [true, true, false, false]);
}

/// A certificate of somebody else's, where clients could take it from.
fn other_authority(site: &Site) -> String {
    let (key, certificate) = (site.beside("other.key"), site.beside("other.pem"));
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Other";
    let mut command = bed().operator("openssl");
    succeed(command.args(words.split(' ')).arg("-keyout").arg(key).arg("-out").arg(&certificate));
    certificate.to_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn accounts_publish_and_read_what_is_theirs_and_nothing_else() {
    let mut site = site::ready();
    let signage = Client::signage(&mut site);
    is_refused(&signage.publish(&site, SOME_TOPIC, "forged"), "Not authorized");
    let password = site.secret("gateways/pool-gw/relay");
    let relay = Client::of(&site, "relay-pool-gw", &password);
    for foreign in
        ["sites/pool/none", "sites/pool/hall/more", "rocade/relays/other/status", "rocade/verify/x"]
    {
        is_refused(&relay.publish(&site, foreign, "forged"), "Not authorized");
    }
    assert!(relay.publish(&site, "rocade/relays/pool-gw/verify", "{}").status.success());

    // The relay keeps the order: what it published for others before a reading would have come before it.
    let listener = Listener::open(&site, &signage, "#");
    let verifier = site.secret("brokers/main/verify");
    let watcher = Listener::open(&site, &Client::of(&site, "rocade-verify", &verifier), "rocade/#");
    site.rocade(&["verify"]).ends_with(0);
    send(&[Uplink::new("0018b21000004a2f", 7101, 1, &hex::decode("6a2000d72d0190").unwrap())]);
    listener.reading(SOME_TOPIC, 7101);
    assert!(watcher.received().iter().any(|message| message.topic == "rocade/relays/pool-gw/probe"));
    let foreign = listener.received().into_iter().find(|message| !message.topic.starts_with("sites/"));
    assert!(foreign.is_none(), "{foreign:?}");
}

#[test]
#[ignore = "needs the bed of hosts: tests/run"]
fn clear_text_stays_off_the_network_and_serves_the_display_on_loopback() {
    let mut site = site::ready();
    for port in [1883, 9001] {
        let client = Client { port, tls: Vec::new(), ..Client::signage(&mut site) };
        is_refused(&client.subscribe(&site, SOME_TOPIC), PORT_CLOSED);
    }
    let listening = bed().on(BROKER, "ss -Hltn | awk '{print $4}' | sort -u");
    let open: Vec<&str> = listening.lines().filter(|line| !line.ends_with(":22")).collect();
    assert_eq!(open, ["0.0.0.0:8883", "127.0.0.1:9001", "[::]:8883"]);

    let signage = Client::signage(&mut site);
    let listener = Listener::open(&site, &signage, SOME_TOPIC);
    send(&[Uplink::new("0018b21000004a2f", 7201, 1, &hex::decode("6a2000d72d0190").unwrap())]);
    let sent = listener.reading(SOME_TOPIC, 7201);
    let shown = over_websocket(&signage.password);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert_eq!(String::from_utf8(shown.stdout).unwrap().trim_end().as_bytes(), sent.payload);
    is_refused(&over_websocket("wrong"), "refused");
}

/// What the display reads on its own broker's loopback, with paho-mqtt over WebSocket.
fn over_websocket(password: &str) -> Output {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/relay-venv/bin/python");
    assert!(python.exists(), "there is no {}: tests/relay/run makes it", python.display());
    let mut command = bed().beside(BROKER, python);
    command.args(["-c", include_str!("websocket.py"), "127.0.0.1", "9001", "signage", SOME_TOPIC]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
