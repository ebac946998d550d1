//! A small MQTT 3.1.1 broker that does what the simulated Mosquitto's files say, always on 127.0.0.1 whatever
//! address they bind. TLS and clear listeners are served; WebSocket listeners only show in what listens.

mod accounts;
mod acl;
mod hub;
mod session;
mod settings;

use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use self::hub::Hub;
pub use self::settings::{Listener, Settings};
use super::door::Door;
use super::held;
use super::knobs::KnobBoard;
use super::line::Line;
use super::log::Log;

/// The broker of a host.
#[derive(Default)]
pub struct Broker {
    running: Mutex<Option<Running>>,
}

struct Running {
    hub: Arc<Hub>,
    listening: Vec<String>,
    /// Ends its connections and closes its ports when dropped.
    ports: JoinSet<()>,
}

impl Broker {
    /// Ends it.
    pub fn stop(&self) {
        held(&self.running).take();
    }

    /// Starts it; one that runs ends before.
    ///
    /// # Errors
    /// When a port is taken.
    pub async fn start(
        &self,
        settings: Settings,
        knobs: &Arc<KnobBoard>,
        log: &Arc<Log>,
    ) -> Result<(), String> {
        // A port can be taken again only when the one who had it has ended.
        let before = held(&self.running).take();
        if let Some(mut before) = before {
            before.ports.shutdown().await;
        }
        let hub = Arc::new(Hub::new(settings.clone()));
        let mut ports = JoinSet::new();
        for listener in settings.listeners.iter().filter(|one| one.port != 0 && !one.websockets) {
            let door = Door::open(listener.port).await;
            let door = door.map_err(|error| format!("Error: port {}: {error}", listener.port))?;
            let (hub, log, port) = (Arc::clone(&hub), Arc::clone(log), listener.port);
            let knobs = Arc::clone(knobs);
            ports.spawn(async move {
                let serve = |line| greet(Arc::clone(&hub), Arc::clone(&log), port, line);
                door.attend(knobs, serve).await;
            });
        }
        let listening = shown(&settings.listeners);
        *held(&self.running) = Some(Running { hub, listening, ports });
        Ok(())
    }

    /// Follows other settings without ending a connection, as Mosquitto does on SIGHUP: logins, ACL and
    /// certificates of new connections. Ports stay as they are.
    pub fn reload(&self, settings: Settings) {
        if let Some(running) = &*held(&self.running) {
            running.hub.follow(settings);
        }
    }

    /// The addresses it listens on, as its files say.
    pub fn listening(&self) -> Vec<String> {
        held(&self.running).as_ref().map_or_else(Vec::new, |running| running.listening.clone())
    }
}

fn shown(listeners: &[Listener]) -> Vec<String> {
    if listeners.is_empty() {
        return vec!["127.0.0.1:1883".to_owned()];
    }
    let show = |one: &Listener| match one.bind {
        Some(address) => format!("{address}:{}", one.port),
        None => format!("0.0.0.0:{}", one.port),
    };
    listeners.iter().filter(|one| one.port != 0).map(show).collect()
}

async fn greet(hub: Arc<Hub>, log: Arc<Log>, port: u16, line: Line) {
    match hub.tls(port) {
        None => session::serve(hub, log, line).await,
        Some(tls) => match TlsAcceptor::from(tls).accept(line).await {
            Ok(stream) => session::serve(hub, log, stream).await,
            Err(error) => tracing::debug!(%error, "simulated MQTT over TLS did not start"),
        },
    }
}
