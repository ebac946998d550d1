//! A small MQTT 3.1.1 client for `verify`. It speaks TLS to a broker of our own root and nothing else: there
//! is no way to make it speak in clear.
//!
//! The packets are those of the `rumqttc` crate; the connection is our own, so that a fault says which step
//! failed.

use std::collections::VecDeque;
use std::time::Duration;

use rumqttc::mqttbytes::v4::{Connect, Packet, PubAck, Publish, Subscribe, SubscribeReasonCode};
use rumqttc::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::tls::{self, Server, TlsFault};
use crate::model::Secret;

/// The largest packet sent or taken, in bytes. Readings are a few hundred.
const LARGEST_PACKET: usize = 1 << 20;

/// Silence the broker bears, in seconds (it ends the connection at one and a half times that). No pings are
/// sent: a probe is over long before.
const KEEP_ALIVE: u16 = 600;

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    /// The user.
    pub user: &'a str,
    /// Its password.
    pub password: &'a Secret,
    /// The client's name; a second connection with the same one ends the first.
    pub client_id: &'a str,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Kept by the broker from before we subscribed.
    pub retain: bool,
}

/// Why an MQTT step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MqttFault {
    /// The broker refused the login, with the CONNACK's code (MQTT 3.1.1, table 3.1): 4 or 5 is user or
    /// password.
    #[error("broker {whom} refuses {user} (code {code}: {})", refusal(*code))]
    Refused {
        /// Address and port.
        whom: String,
        /// The user.
        user: String,
        /// The return code.
        code: u8,
    },
    /// No verified connection.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// No answer in time.
    #[error("no answer from broker {whom} within {} s to {step}", limit.as_secs_f32())]
    TimedOut {
        /// Address and port.
        whom: String,
        /// What was asked.
        step: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The connection ended.
    #[error("broker {whom} ended the connection")]
    Closed {
        /// Address and port.
        whom: String,
    },
    /// It does not speak MQTT 3.1.1 as we do.
    #[error("broker {whom}: {reason}")]
    Protocol {
        /// Address and port.
        whom: String,
        /// What.
        reason: String,
    },
}

fn refusal(code: u8) -> &'static str {
    match code {
        1 => "protocol version",
        2 => "client identifier",
        3 => "service unavailable",
        4 => "user or password",
        5 => "not authorized",
        _ => "unknown",
    }
}

/// A connection to a broker.
pub struct Client {
    whom: String,
    stream: TlsStream<TcpStream>,
    /// Received and not yet a whole packet.
    inbox: Vec<u8>,
    /// Messages that came while something else was awaited.
    waiting: VecDeque<Message>,
    last_id: u16,
    limit: Duration,
}

impl Client {
    /// Connects and logs in. `limit` holds for each step: connecting, and every answer after.
    ///
    /// # Errors
    /// The step that failed.
    pub async fn connect(
        server: Server<'_>,
        account: &Account<'_>,
        limit: Duration,
    ) -> Result<Self, MqttFault> {
        let stream = tls::connect(server, limit).await?;
        let (inbox, waiting) = (Vec::new(), VecDeque::new());
        let mut client = Self { whom: server.whom(), stream, inbox, waiting, last_id: 0, limit };
        let mut connect = Connect::new(account.client_id);
        connect.keep_alive = KEEP_ALIVE;
        connect.set_credentials(account.user, account.password.reveal().to_vec());
        let answer = client.ask(Packet::Connect(connect), "a login", |packet| match packet {
            Packet::ConnAck(ack) => Some(ack.code as u8),
            _ => None,
        });
        match answer.await? {
            0 => Ok(client),
            code => Err(MqttFault::Refused { whom: client.whom, user: account.user.to_owned(), code }),
        }
    }

    /// Subscribes with QoS 1. `false` when the broker does not grant it. Mosquitto with an ACL file grants
    /// every subscription and then leaves out the messages, so a refusal is seen by what does not come.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn subscribe(&mut self, filter: &str) -> Result<bool, MqttFault> {
        let mut subscribe = Subscribe::new(filter, QoS::AtLeastOnce);
        let id = self.next_id();
        subscribe.pkid = id;
        self.ask(Packet::Subscribe(subscribe), "a subscription", |packet| match packet {
            Packet::SubAck(ack) if ack.pkid == id => {
                Some(ack.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))))
            }
            _ => None,
        })
        .await
    }

    /// Publishes with QoS 1, not retained, and waits for the acknowledgement. Mosquitto acknowledges also
    /// what its ACL then drops, so only a subscriber can tell whether a message went through.
    ///
    /// # Errors
    /// When it is not acknowledged.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> Result<(), MqttFault> {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        let id = self.next_id();
        publish.pkid = id;
        self.ask(Packet::Publish(publish), "a publish", |packet| match packet {
            Packet::PubAck(ack) if ack.pkid == id => Some(()),
            _ => None,
        })
        .await
    }

    /// The next message, or `None` when there is none within the limit.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn next(&mut self, limit: Duration) -> Result<Option<Message>, MqttFault> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(Some(message));
            }
            match timeout_at(deadline, self.receive()).await {
                Err(_) => return Ok(None),
                Ok(packet) => self.keep(packet?).await?,
            }
        }
    }

    /// Says goodbye and ends the connection.
    pub async fn close(mut self) {
        let limit = self.limit;
        let goodbye = async {
            let _ended = self.send(&Packet::Disconnect).await;
            let _ended = self.stream.shutdown().await;
        };
        let _gives_up = tokio::time::timeout(limit, goodbye).await;
    }

    /// Packet identifiers are never 0 (MQTT 3.1.1, 2.3.1).
    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    /// Sends a packet and waits for its answer; messages that come meanwhile wait their turn.
    async fn ask<T>(
        &mut self,
        packet: Packet,
        step: &'static str,
        answer: impl Fn(&Packet) -> Option<T>,
    ) -> Result<T, MqttFault> {
        let limit = self.limit;
        let whom = self.whom.clone();
        let asking = async {
            self.send(&packet).await?;
            loop {
                let packet = self.receive().await?;
                match answer(&packet) {
                    Some(answer) => return Ok(answer),
                    None => self.keep(packet).await?,
                }
            }
        };
        let late = |_| MqttFault::TimedOut { whom, step, limit };
        tokio::time::timeout(limit, asking).await.map_err(late)?
    }

    /// Keeps a message and acknowledges it; other packets need nothing.
    async fn keep(&mut self, packet: Packet) -> Result<(), MqttFault> {
        let Packet::Publish(publish) = packet else { return Ok(()) };
        self.waiting.push_back(Message {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload.to_vec(),
            retain: publish.retain,
        });
        if publish.qos == QoS::AtLeastOnce {
            self.send(&Packet::PubAck(PubAck::new(publish.pkid))).await?;
        }
        Ok(())
    }

    async fn send(&mut self, packet: &Packet) -> Result<(), MqttFault> {
        let mut bytes = Default::default();
        packet.write(&mut bytes, LARGEST_PACKET).map_err(|error| self.protocol(&error))?;
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|_| MqttFault::Closed { whom: self.whom.clone() })
    }

    /// The next packet. What was received of it stays in the inbox when this future is dropped.
    async fn receive(&mut self) -> Result<Packet, MqttFault> {
        loop {
            let mut bytes = self.inbox.as_slice().into();
            match Packet::read(&mut bytes, LARGEST_PACKET) {
                Ok(packet) => {
                    self.inbox = bytes.to_vec();
                    return Ok(packet);
                }
                Err(Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(self.protocol(&error)),
            }
            match self.stream.read_buf(&mut self.inbox).await {
                Ok(0) | Err(_) => return Err(MqttFault::Closed { whom: self.whom.clone() }),
                Ok(_) => {}
            }
        }
    }

    fn protocol(&self, error: &Error) -> MqttFault {
        MqttFault::Protocol { whom: self.whom.clone(), reason: error.to_string() }
    }
}
