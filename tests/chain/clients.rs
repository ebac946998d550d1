//! Both ends of the chain as others see them: the gateway's network server, and Mosquitto's own clients at the
//! broker. Passwords stand in the clients' configuration files, never on a command line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use serde_json::{Value, json};

use super::bed::{BROKER, GATEWAY, bed, output, succeed, wait_for};
use super::site::Site;

/// Publishes what stands in its standard input, as the network server would.
const PUBLISH: &str = include_str!("publish.py");

/// The broker's port, and what a client may do otherwise than it should.
pub struct Client {
    pub user: String,
    pub password: String,
    pub address: String,
    pub port: u16,
    /// The options of TLS, `--cafile ROOT` in order.
    pub tls: Vec<String>,
}

impl Client {
    /// The display's own account, as it should be used.
    pub fn signage(site: &mut Site) -> Self {
        let password = site.secret("brokers/main/signage");
        Self::of(site, "signage", &password)
    }

    /// An account, as it should be used.
    pub fn of(site: &Site, user: &str, password: &str) -> Self {
        let root = site.path("pki/root.pem").to_str().unwrap().to_owned();
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            address: bed().host(BROKER, "address"),
            port: 8883,
            tls: vec!["--cafile".to_owned(), root],
        }
    }

    /// `mosquitto_sub` or `mosquitto_pub` with this account.
    pub fn command(&self, site: &Site, program: &str) -> Command {
        let folder = site.beside("clients").join(&self.user);
        fs::create_dir_all(&folder).unwrap();
        let login = match self.user.as_str() {
            "" => String::new(),
            user => format!("-u {user}\n-P {}\n", self.password),
        };
        fs::write(folder.join(program), login).unwrap();
        let mut command = bed().operator(program);
        command.env("XDG_CONFIG_HOME", &folder);
        command.args(["-h", &self.address, "-p", &self.port.to_string()]).args(&self.tls);
        command
    }

    /// Tries to read a topic; succeeds when the broker took the subscription.
    pub fn subscribe(&self, site: &Site, topic: &str) -> Output {
        output(self.command(site, "mosquitto_sub").args(["-t", topic, "-E", "-W", "30"]))
    }

    /// Publishes with MQTT 5, whose acknowledgement says what was refused.
    pub fn publish(&self, site: &Site, topic: &str, text: &str) -> Output {
        output(self.command(site, "mosquitto_pub").args(["-V", "5", "-q", "1", "-t", topic, "-m", text]))
    }
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
}

impl Message {
    /// The payload, which must be JSON in UTF-8.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = std::str::from_utf8(&self.payload).unwrap();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A `mosquitto_sub` that goes on listening, also after the broker was away.
pub struct Listener {
    child: Child,
    received: Arc<Mutex<Vec<Message>>>,
}

impl Listener {
    /// Listens to a filter. The session was made before: what is published from now on is not missed.
    pub fn open(site: &Site, client: &Client, filter: &str) -> Self {
        let id = hex::encode(rand::random::<[u8; 8]>());
        let command = || {
            let mut command = client.command(site, "mosquitto_sub");
            command.args(["-c", "-i", &id, "-q", "1", "-t", filter]);
            command
        };
        succeed(command().arg("-E"));
        let mut child =
            command().args(["-F", "%r %t %x"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&received));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(read_line(&line));
            }
        });
        Self { child, received }
    }

    /// What came so far, in order.
    pub fn received(&self) -> Vec<Message> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for the reading of a topic with a frame counter.
    pub fn reading(&self, topic: &str, counter: u64) -> Message {
        wait_for(&format!("reading {counter} on {topic}"), || {
            self.received()
                .into_iter()
                .find(|message| message.topic == topic && counter_of(message) == Some(counter))
        })
    }

    /// The frame counters of the readings of a topic, in order.
    pub fn counters(&self, topic: &str) -> Vec<u64> {
        let received = self.received();
        received
            .iter()
            .filter(|message| message.topic == topic && !message.retained)
            .filter_map(counter_of)
            .collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_line(line: &str) -> Message {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (retained, topic, payload) = (word() == "1", word().to_owned(), hex::decode(word()).unwrap());
    Message { topic, payload, retained }
}

fn counter_of(message: &Message) -> Option<u64> {
    message.json()["f_cnt"].as_u64()
}

/// An uplink as the network server writes it.
pub struct Uplink {
    pub dev_eui: String,
    pub message: Value,
}

impl Uplink {
    /// A frame of a sensor. `dev_eui` is sixteen hex digits.
    pub fn new(dev_eui: &str, counter: u64, port: u64, payload: &[u8]) -> Self {
        let pairs: Vec<String> =
            dev_eui.as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).into()).collect();
        let dev_eui = pairs.join("-").to_lowercase();
        let message = json!({
            "tmst": 4_293_983_404_u64, "chan": 1, "rfch": 0, "freq": 868.3, "stat": 1, "modu": "LORA",
            "datr": "SF12BW125", "codr": "4/5", "lsnr": 10.2, "rssi": -27, "opts": "", "size": payload.len(),
            "fcnt": counter, "cls": 0, "port": port, "mhdr": format!("40b6feb000{:04x}00", counter & 0xffff),
            "data": base64::engine::general_purpose::STANDARD.encode(payload),
            "appeui": APP_EUI, "deveui": dev_eui, "ack": false, "adr": false,
            "gweui": "00-80-00-00-a0-00-63-c3", "seqn": counter, "time": "2026-01-02T03:04:05.678901Z",
        });
        Self { dev_eui, message }
    }
}

const APP_EUI: &str = "00-18-b2-44-41-52-46-32";

/// Publishes uplinks on the gateway's own broker, each on both topics the network server uses; returns when
/// that broker has them all.
pub fn send(uplinks: &[Uplink]) {
    let mut lines = String::new();
    for uplink in uplinks {
        let app_eui = uplink.message["appeui"].as_str().unwrap_or(APP_EUI);
        lines.push_str(&format!("lora/{}/up {}\n", uplink.dev_eui, uplink.message));
        lines.push_str(&format!("lora/{app_eui}/{}/up {}\n", uplink.dev_eui, uplink.message));
    }
    let mut command = bed().shell(GATEWAY, "exec python3 -c \"$0\"");
    command.arg(PUBLISH).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
