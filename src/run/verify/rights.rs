//! Proves that an account reads and publishes nothing that the inventory does not grant it. Only topics of
//! rocade's own are published to: a probe on a real one would reach whoever acts on it.

use std::time::Duration;

use super::{Login, STEP, Subject, nonce};
use crate::providers::mosquitto::{Access, Reach, reach};
use crate::transport::mqtt::MqttFault;

impl Subject {
    /// Subscribes to all there is, to rocade's topics and to what it may read; then whatever it was sent, kept
    /// messages included, must be granted. The wait is over when an answer came after the marker: what was
    /// sent before stands before it in the same connection.
    pub(super) async fn reads_only_what_it_may(&self, user: &str, login: &Login) -> Result<(), String> {
        let grants = self.grants.get(user).map(Vec::as_slice).unwrap_or_default();
        let own = grants.iter().filter(|grant| grant.access == Access::Read).map(|grant| &*grant.filter);
        let mut watcher = self.watcher().await?;
        let mut client = self.login_as(user, login).await.map_err(|fault| fault.to_string())?;
        let (nonce, barrier) = (nonce(), "rocade/verify/none");
        let marker = format!("rocade/verify/marker/{nonce}");
        let tried = async {
            for filter in ["#", "rocade/#", "rocade/verify/#"] {
                client.subscribe(filter).await?;
            }
            for filter in own {
                if !client.subscribe(filter).await? {
                    return Ok(Err(format!("it may not subscribe to {filter}")));
                }
            }
            watcher.publish(&marker, nonce.as_bytes()).await?;
            while let Some(message) = watcher.next(STEP).await? {
                if message.topic == marker {
                    client.subscribe(barrier).await?;
                    let mut sent = Vec::new();
                    while let Some(message) = client.next(Duration::ZERO).await? {
                        sent.push(message.topic);
                    }
                    return Ok(Ok(sent));
                }
            }
            Ok::<_, MqttFault>(Err("nothing arrived".to_owned()))
        };
        let tried = tried.await.map_err(|fault| fault.to_string());
        client.close().await;
        watcher.close().await;
        let sent = tried??;
        let may = |topic: &String| matches!(reach(grants, Access::Read, topic), Reach::Whole(_));
        match sent.iter().find(|topic| !may(topic)) {
            Some(topic) => Err(format!("it was sent {topic}, which it may not read")),
            None => Ok(()),
        }
    }

    /// Topics of rocade's own that an account may not publish to: a verification's, and those of the relays
    /// that it is not.
    pub(super) fn refused_topics(&self, user: &str, nonce: &str) -> Vec<String> {
        let grants = self.grants.get(user).map(Vec::as_slice).unwrap_or_default();
        let of_others = self.accounts.values().filter_map(|login| login.own_topic.clone());
        let all = of_others.chain([format!("rocade/verify/refused/{nonce}")]);
        all.filter(|topic| matches!(reach(grants, Access::Publish, topic), Reach::None)).collect()
    }
}
