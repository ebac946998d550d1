//! One MQTT connection, from its first packet to its last.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectAuth, ConnectReturnCode, LastWill, Packet, PubAck, PubComp, PubRec, Publish,
    SubAck, Subscribe, SubscribeReasonCode, UnsubAck,
};
use rumqttc::mqttbytes::{Error, QoS, valid_filter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::hub::Hub;
use crate::lab::log::{Channel, Deed, Log};
use crate::lab::mqtt::{read_packets, write_packet};

/// How long the broker waits for the first packet.
const GREETING_LIMIT: Duration = Duration::from_secs(30);

/// Serves a connection to its end: until nothing is left to say, or it breaks.
pub async fn serve(hub: Arc<Hub>, log: Arc<Log>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (reader, mut writer) = tokio::io::split(stream);
    let (heard, packets) = unbounded_channel();
    let (say, mut said) = unbounded_channel::<Packet>();
    let write = async {
        while let Some(packet) = said.recv().await.filter(|packet| *packet != Packet::Disconnect) {
            write_packet(&mut writer, &packet).await?;
        }
        Ok::<(), Error>(())
    };
    // When the stream ends, so does what is heard; when the conversation ends, so does what is said.
    let read_and_talk = async { tokio::join!(read_packets(reader, heard), talk(&hub, &log, packets, say)).0 };
    tokio::pin!(write);
    let ended = tokio::select! {
        ended = &mut write => ended,
        read = read_and_talk => read.and(write.await),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "simulated MQTT connection ended");
    }
}

/// The conversation: answers what is heard until the client goes.
async fn talk(hub: &Hub, log: &Log, mut packets: UnboundedReceiver<Packet>, say: UnboundedSender<Packet>) {
    let first = tokio::time::timeout(GREETING_LIMIT, packets.recv()).await;
    let Ok(Some(Packet::Connect(connect))) = first else { return };
    let login = match &connect.auth {
        ConnectAuth::UsernamePassword { username, password } => Some((username.as_str(), &password[..])),
        ConnectAuth::Username { username } => Some((username.as_str(), &[][..])),
        ConnectAuth::None => None,
    };
    let user = login.map(|(user, _)| user.to_owned());
    let admitted = hub.admits(login);
    let shown = user.as_deref().unwrap_or("anonymous");
    log.note(
        Channel::Mqtt,
        Deed::Read,
        format!("connect {shown}: {}", if admitted { "admitted" } else { "refused" }),
    );
    // Mosquitto answers 5, not authorised, to a wrong password as to a missing one.
    let code = if admitted { ConnectReturnCode::Success } else { ConnectReturnCode::NotAuthorized };
    let _ = say.send(Packet::ConnAck(ConnAck { session_present: false, code }));
    if !admitted {
        return;
    }
    Conversation::open(hub, log, user, &connect, say).run(packets, connect.keep_alive).await;
}

/// A conversation with a client that was let in.
struct Conversation<'a> {
    hub: &'a Hub,
    log: &'a Log,
    id: String,
    user: Option<String>,
    connection: u64,
    /// What is to be published when the client goes without a word.
    will: Option<LastWill>,
    say: UnboundedSender<Packet>,
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        self.hub.leave(&self.id, self.connection, self.will.take());
    }
}

impl<'a> Conversation<'a> {
    fn open(
        hub: &'a Hub,
        log: &'a Log,
        user: Option<String>,
        connect: &Connect,
        say: UnboundedSender<Packet>,
    ) -> Self {
        let id = match connect.client_id.as_str() {
            "" => format!("auto-{:016x}", rand::random::<u64>()),
            id => id.to_owned(),
        };
        let connection = hub.enter(&id, user.clone(), say.clone());
        Self { hub, log, id, user, connection, will: connect.last_will.clone(), say }
    }

    async fn run(mut self, mut packets: UnboundedReceiver<Packet>, keep_alive_s: u16) {
        // The broker waits one and a half times the keep-alive the client promised; 0 is for ever.
        let patience = match keep_alive_s {
            0 => Duration::from_secs(86_400),
            seconds => Duration::from_millis(u64::from(seconds) * 1_500),
        };
        while let Ok(Some(packet)) = tokio::time::timeout(patience, packets.recv()).await {
            match packet {
                Packet::Disconnect => {
                    self.will = None;
                    break;
                }
                Packet::Connect(_) => break,
                packet => self.answer(packet),
            }
        }
    }

    fn answer(&self, packet: Packet) {
        let answer = match packet {
            Packet::Publish(message) => return self.publish(&message),
            Packet::Subscribe(subscribe) => return self.subscribe(&subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                for filter in &unsubscribe.topics {
                    self.hub.unsubscribe(&self.id, filter);
                }
                Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid))
            }
            Packet::PubRel(release) => Packet::PubComp(PubComp::new(release.pkid)),
            Packet::PingReq => Packet::PingResp,
            _ => return,
        };
        self.say(answer);
    }

    fn say(&self, packet: Packet) {
        // The writer ends with the connection; the reader notices next.
        let _ = self.say.send(packet);
    }

    /// A message that may not be published is acknowledged and dropped: MQTT 3.1.1 has no other answer.
    fn publish(&self, message: &Publish) {
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        let taken = self.hub.publish(&self.id, self.user.as_deref(), message);
        let user = self.user.as_deref().unwrap_or("anonymous");
        let verdict = if taken { "" } else { ": denied" };
        self.log.note(Channel::Mqtt, Deed::Write, format!("publish {topic} by {user}{verdict}"));
        match message.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.say(Packet::PubAck(PubAck::new(message.pkid))),
            QoS::ExactlyOnce => self.say(Packet::PubRec(PubRec::new(message.pkid))),
        }
    }

    fn subscribe(&self, subscribe: &Subscribe) {
        let code = |path: &str, qos: QoS| match (valid_filter(path), qos) {
            (false, _) => SubscribeReasonCode::Failure,
            (true, QoS::AtMostOnce) => SubscribeReasonCode::Success(QoS::AtMostOnce),
            (true, _) => SubscribeReasonCode::Success(QoS::AtLeastOnce),
        };
        let codes = subscribe.filters.iter().map(|filter| code(&filter.path, filter.qos)).collect();
        self.say(Packet::SubAck(SubAck::new(subscribe.pkid, codes)));
        for filter in subscribe.filters.iter().filter(|filter| valid_filter(&filter.path)) {
            self.log.note(Channel::Mqtt, Deed::Read, format!("subscribe {}", filter.path));
            self.hub.subscribe(&self.id, &filter.path, filter.qos != QoS::AtMostOnce);
        }
    }
}
