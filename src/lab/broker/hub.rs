//! Who is connected, what is retained, who gets what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rumqttc::mqttbytes::v4::{LastWill, Packet, Publish};
use rumqttc::mqttbytes::{QoS, matches};
use rustls::ServerConfig;
use tokio::sync::mpsc::UnboundedSender;

use super::acl::Client;
use super::settings::Settings;
use crate::lab::held;

/// A connected client.
struct Seat {
    user: Option<String>,
    /// By filter: whether messages are to be acknowledged (QoS 1).
    filters: BTreeMap<String, bool>,
    packets: UnboundedSender<Packet>,
    next_pkid: u16,
    /// Which connection this is: a client id may come back while its old connection still ends.
    connection: u64,
}

/// What all connections share.
pub struct Hub {
    settings: Mutex<Settings>,
    seats: Mutex<BTreeMap<String, Seat>>,
    retained: Mutex<BTreeMap<String, Vec<u8>>>,
    connections: Mutex<u64>,
}

impl Hub {
    /// A hub that follows these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Mutex::new(settings),
            seats: Mutex::default(),
            retained: Mutex::default(),
            connections: Mutex::default(),
        }
    }

    /// Follows other settings from now on; who is connected stays.
    pub fn follow(&self, settings: Settings) {
        *held(&self.settings) = settings;
    }

    /// The TLS of the listener on a port; `None` in clear.
    pub fn tls(&self, port: u16) -> Option<Arc<ServerConfig>> {
        let settings = held(&self.settings);
        settings.listeners.iter().find(|listener| listener.port == port).and_then(|one| one.tls.clone())
    }

    /// Whether this login is let in.
    pub fn admits(&self, login: Option<(&str, &[u8])>) -> bool {
        let settings = held(&self.settings);
        match (login, &settings.accounts) {
            (None, _) => settings.allow_anonymous,
            (Some((user, password)), Some(accounts)) => accounts.fits(user, password),
            (Some(_), None) => settings.allow_anonymous,
        }
    }

    /// Seats a client; an older connection with the same id is told to end: its writer takes
    /// [`Packet::Disconnect`], which a broker never sends, as that.
    pub fn enter(&self, id: &str, user: Option<String>, packets: UnboundedSender<Packet>) -> u64 {
        let mut connections = held(&self.connections);
        *connections += 1;
        let (filters, connection) = (BTreeMap::new(), *connections);
        let seat = Seat { user, filters, packets, next_pkid: 1, connection };
        if let Some(older) = held(&self.seats).insert(id.to_owned(), seat) {
            let _ = older.packets.send(Packet::Disconnect);
        }
        connection
    }

    /// Takes a client's seat away, and publishes what it left to be said.
    pub fn leave(&self, id: &str, connection: u64, will: Option<LastWill>) {
        let user = {
            let mut seats = held(&self.seats);
            let Some(seat) = seats.get(id).filter(|seat| seat.connection == connection) else { return };
            let user = seat.user.clone();
            seats.remove(id);
            user
        };
        if let Some(will) = will {
            let mut message = Publish::new(will.topic, will.qos, will.message.to_vec());
            message.retain = will.retain;
            self.publish(id, user.as_deref(), &message);
        }
    }

    /// Remembers a subscription and sends what is retained for it. The real broker grants every filter and
    /// looks at the ACL when it delivers; so does this one.
    pub fn subscribe(&self, id: &str, filter: &str, acked: bool) {
        if let Some(seat) = held(&self.seats).get_mut(id) {
            seat.filters.insert(filter.to_owned(), acked);
        }
        let retained = held(&self.retained).clone();
        for (topic, payload) in retained.into_iter().filter(|(topic, _)| matches(topic, filter)) {
            self.deliver(id, &topic, &payload, acked, true);
        }
    }

    /// Forgets a subscription.
    pub fn unsubscribe(&self, id: &str, filter: &str) {
        if let Some(seat) = held(&self.seats).get_mut(id) {
            seat.filters.remove(filter);
        }
    }

    /// Passes a message on to those who subscribed and may read it; false when the sender may not publish it.
    pub fn publish(&self, id: &str, user: Option<&str>, message: &Publish) -> bool {
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        let allowed = match &held(&self.settings).acl {
            Some(acl) => acl.may_write(Client { user, id }, &topic),
            None => true,
        };
        if !allowed {
            return false;
        }
        if message.retain {
            let mut retained = held(&self.retained);
            if message.payload.is_empty() {
                retained.remove(&topic);
            } else {
                retained.insert(topic.clone(), message.payload.to_vec());
            }
        }
        let readers: Vec<(String, bool)> = held(&self.seats)
            .iter()
            .filter_map(|(id, seat)| {
                let fitting = seat.filters.iter().filter(|(filter, _)| matches(&topic, filter));
                fitting.map(|(_, acked)| *acked).max().map(|acked| (id.clone(), acked))
            })
            .collect();
        let sent_acked = message.qos != QoS::AtMostOnce;
        for (reader, acked) in readers {
            self.deliver(&reader, &topic, &message.payload, acked && sent_acked, false);
        }
        true
    }

    fn deliver(&self, id: &str, topic: &str, payload: &[u8], acked: bool, retain: bool) {
        let mut seats = held(&self.seats);
        let Some(seat) = seats.get_mut(id) else { return };
        if let Some(acl) = &held(&self.settings).acl
            && !acl.may_read(Client { user: seat.user.as_deref(), id }, topic)
        {
            return;
        }
        let qos = if acked { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let mut message = Publish::new(topic, qos, payload);
        message.retain = retain;
        if acked {
            message.pkid = seat.next_pkid;
            seat.next_pkid = seat.next_pkid.checked_add(1).unwrap_or(1);
        }
        // A reader that has just gone misses it, as on the real broker with a clean session.
        let _ = seat.packets.send(Packet::Publish(message));
    }
}
