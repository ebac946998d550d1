//! A stand-in for the relay program on a simulated Conduit: it takes the configuration and the files rocade
//! pushed, connects as the real one does, says that it is online, and answers probes.
//!
//! It decodes no measures and has no spool: of an uplink it only notes that it was heard. The real relay is
//! the Python package under `templates/conduit/relay/`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{Connect, ConnectReturnCode, LastWill, Packet, Publish};
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::conduit::Uplink;
use super::files::Files;
use super::mqtt::{read_packets, write_packet};
use super::{heard, held, tls};

/// Where the relay's configuration stands on a gateway.
const CONFIG: &str = "/var/config/rocade/relay/config.json";
/// The relay program.
const PROGRAM: &str = "/var/config/rocade/relay/main.py";

/// Where it keeps what was heard over a power cut. The real one writes there seldom; this has no flash to spare.
const HEARD_KEPT: &str = "/var/config/rocade/heard.json";

/// How long it waits between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// The part of `config.json` the stand-in uses.
#[derive(Clone, Debug, Deserialize)]
struct Config {
    gateway: String,
    remote: Remote,
    status_topic: String,
    probe_reply_topic: String,
    #[serde(default)]
    heard_file: Option<String>,
    #[serde(default)]
    sensors: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Remote {
    host: String,
    port: u16,
    ca_file: String,
    username: String,
    password_file: String,
    client_id: String,
    keepalive_s: u16,
    #[serde(default)]
    server_name: Option<String>,
}

/// Everything a relay needs, read when it starts.
#[derive(Clone)]
struct Pack {
    config: Config,
    password: String,
    roots: Arc<rustls::ClientConfig>,
}

impl Pack {
    fn read(files: &Files) -> Result<Self, String> {
        let text = |path: &str| files.text(path).ok_or_else(|| format!("{path}: No such file or directory"));
        text(PROGRAM)?;
        let config: Config =
            serde_json::from_str(&text(CONFIG)?).map_err(|error| format!("{CONFIG}: {error}"))?;
        let roots = tls::client(text(&config.remote.ca_file)?.as_bytes())
            .map_err(|error| format!("{}: {error}", config.remote.ca_file))?;
        let password = text(&config.remote.password_file)?.trim_end_matches(['\r', '\n']).to_owned();
        Ok(Self { config, password, roots })
    }
}

/// The relay of a gateway.
#[derive(Default)]
pub struct Relay {
    running: Mutex<Option<Running>>,
}

struct Running {
    nonces: UnboundedSender<String>,
    /// What it runs with; `None` when that is no good.
    config: Option<Config>,
    /// Ends it when dropped.
    _task: JoinSet<()>,
}

impl Relay {
    /// Ends it.
    pub fn stop(&self) {
        held(&self.running).take();
    }

    /// Starts it again with what is on disk. As with the real one, a bad configuration does not fail the
    /// start: the supervisor runs and the relay says why it does not.
    pub fn start(&self, files: &Files) {
        self.stop();
        let (nonces, probes) = unbounded_channel();
        let mut task = JoinSet::new();
        let config = match Pack::read(files) {
            Ok(pack) => {
                let config = pack.config.clone();
                task.spawn(run(pack, probes));
                Some(config)
            }
            Err(reason) => {
                tracing::debug!(%reason, "simulated relay cannot run");
                None
            }
        };
        *held(&self.running) = Some(Running { nonces, config, _task: task });
    }

    /// The network server publishes an uplink: a relay that runs notes it.
    pub fn hear(&self, files: &mut Files, uplink: &Uplink, counter: u64) {
        let running = held(&self.running);
        let Some(config) = running.as_ref().and_then(|running| running.config.as_ref()) else { return };
        let fresh = config.heard_file.as_deref();
        let so_far = fresh.and_then(|path| files.text(path)).or_else(|| files.text(HEARD_KEPT));
        let configured = config.sensors.contains_key(&uplink.dev_eui.to_string());
        let account = heard::with(so_far.as_deref(), &config.gateway, configured, uplink, counter);
        for path in fresh.into_iter().chain([HEARD_KEPT]) {
            if let Err(reason) = files.put(path, account.clone().into_bytes(), 0o644, "root", "root") {
                tracing::debug!(%reason, "simulated relay cannot write what it heard");
            }
        }
    }

    /// Starts it unless it runs.
    pub fn ensure(&self, files: &Files) {
        if held(&self.running).is_none() {
            self.start(files);
        }
    }

    /// Runs `main.py --probe NONCE`; `None` when the words are not that.
    pub fn probe(&self, files: &Files, argv: &[String]) -> Option<Result<String, String>> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let [python, PROGRAM, "--config", CONFIG, "--probe", nonce] = words[..] else { return None };
        if !python.rsplit('/').next().is_some_and(|name| name.starts_with("python3")) {
            return None;
        }
        Some(Pack::read(files).map(|_| {
            // The local broker takes a probe whether or not a relay hears it; only the answer proves one.
            if let Some(running) = &*held(&self.running) {
                let _ = running.nonces.send(nonce.to_owned());
            }
            String::new()
        }))
    }
}

async fn run(pack: Pack, mut probes: UnboundedReceiver<String>) {
    loop {
        if let Err(reason) = serve(&pack, &mut probes).await {
            tracing::debug!(%reason, gateway = pack.config.gateway, "simulated relay is not connected");
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// One connection, until it breaks.
async fn serve(pack: &Pack, probes: &mut UnboundedReceiver<String>) -> anyhow::Result<()> {
    let remote = &pack.config.remote;
    let name = remote.server_name.clone().unwrap_or_else(|| remote.host.clone());
    let stream = TcpStream::connect((remote.host.as_str(), remote.port)).await?;
    let connector = TlsConnector::from(Arc::clone(&pack.roots));
    let stream = connector.connect(ServerName::try_from(name)?, stream).await?;
    let (reader, mut writer) = tokio::io::split(stream);
    let (heard, mut packets) = unbounded_channel();
    let read = read_packets(reader, heard);
    let talk = async {
        write_packet(&mut writer, &Packet::Connect(connect(pack))).await?;
        match packets.recv().await {
            Some(Packet::ConnAck(ack)) if ack.code == ConnectReturnCode::Success => {}
            Some(Packet::ConnAck(ack)) => anyhow::bail!("the broker refuses the login: {:?}", ack.code),
            _ => anyhow::bail!("the broker does not greet"),
        }
        let online = json!({"state": "online", "gateway": pack.config.gateway});
        write_packet(&mut writer, &message(&pack.config.status_topic, &online, true)).await?;
        let mut ping = tokio::time::interval(Duration::from_secs(u64::from(remote.keepalive_s.max(2) / 2)));
        loop {
            let packet = tokio::select! {
                Some(nonce) = probes.recv() => {
                    let time = jiff::Timestamp::now().to_string();
                    let reply = json!({"nonce": nonce, "gateway": pack.config.gateway, "time": time});
                    message(&pack.config.probe_reply_topic, &reply, false)
                }
                _ = ping.tick() => Packet::PingReq,
                heard = packets.recv() => match heard {
                    Some(_) => continue,
                    None => return Ok(()),
                },
            };
            write_packet(&mut writer, &packet).await?;
        }
    };
    tokio::select! {
        talked = talk => talked,
        read = read => Ok(read?),
    }
}

fn connect(pack: &Pack) -> Connect {
    let remote = &pack.config.remote;
    let mut connect = Connect::new(remote.client_id.clone());
    connect.keep_alive = remote.keepalive_s;
    connect.clean_session = true;
    connect.set_credentials(remote.username.clone(), pack.password.clone().into_bytes());
    let offline = json!({"state": "offline", "gateway": pack.config.gateway}).to_string();
    connect.last_will = Some(LastWill::new(&pack.config.status_topic, offline, QoS::AtLeastOnce, true));
    connect
}

/// A message; QoS 0, since the stand-in has nothing to send again.
fn message(topic: &str, body: &serde_json::Value, retain: bool) -> Packet {
    let mut message = Publish::new(topic, QoS::AtMostOnce, body.to_string());
    message.retain = retain;
    Packet::Publish(message)
}
