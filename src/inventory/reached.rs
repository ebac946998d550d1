//! Where a broker's clients find it: not always where it listens.

use super::{At, Broker, Relay};

impl Broker {
    /// The name or address clients use unless told otherwise.
    pub fn client_address(&self) -> &At<String> {
        self.reached_at.as_ref().and_then(|reached| reached.address.as_ref()).unwrap_or(&self.address)
    }

    /// The port of MQTT over TLS as clients see it.
    pub fn client_port(&self) -> u16 {
        let reached = self.reached_at.as_ref().and_then(|reached| reached.port.as_ref());
        reached.unwrap_or(&self.listeners.mqtts.port).value
    }

    /// The port of clients that show a certificate, as they see it; none where the broker has no such listener.
    pub fn certificate_port(&self) -> Option<u16> {
        let reached = self.reached_at.as_ref().and_then(|reached| reached.certificates.as_ref());
        self.listeners.certificates.as_ref().map(|bound| reached.unwrap_or(&bound.port).value)
    }

    /// Where a relay finds it: its own `via` leads past a port forward. A relay that shows a certificate has a
    /// listener of its own.
    pub fn reached_by<'a>(&'a self, relay: &'a Relay) -> (&'a At<String>, u16) {
        let shows = relay.certificate.as_ref().is_some_and(|certificate| certificate.value);
        let certificates = self.listeners.certificates.as_ref().filter(|_| shows);
        let port = match (&relay.port, &relay.via, certificates) {
            (Some(port), ..) => port.value,
            (None, Some(_), bound) => bound.unwrap_or(&self.listeners.mqtts).port.value,
            (None, None, Some(_)) => self.certificate_port().unwrap_or(self.client_port()),
            (None, None, None) => self.client_port(),
        };
        (relay.via.as_ref().unwrap_or(self.client_address()), port)
    }
}
