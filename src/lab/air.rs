//! The sensors of the sample site: as soon as the gateway knows them they join, say how they are set, and
//! send their measures every ten minutes.

use std::sync::Arc;
use std::time::Duration;

use super::conduit::{Conduit, Uplink};

/// DevEUI, configuration frame (every ten minutes, a sample every five) and measures of each.
const SENSORS: [(&str, [u8; 11], &[u8]); 2] = [
    ("0018b21000004a2f", [0x10, 0x10, 0, 1, 0, 2, 0, 150, 0, 1, 0], &[0x6a, 0x20, 0, 215, 45, 1, 144]),
    ("0018b21000004a30", [0x10, 0x10, 0, 0, 0, 2, 0, 150, 0, 1, 0], &[0x4c, 0x20, 0, 215, 45]),
];

/// How often they send.
const PERIOD: Duration = Duration::from_secs(600);
/// How often one that is not let in tries again.
const RETRY: Duration = Duration::from_secs(2);

/// Lets all that are let in join and send once; whether all could.
pub fn send(conduit: &Conduit) -> bool {
    let sent = SENSORS.map(|(dev_eui, configuration, measures)| {
        let dev_eui = dev_eui.parse().expect("it is sixteen hex digits");
        let frame = |payload: &[u8]| conduit.hear(&Uplink::new(dev_eui, payload));
        let joins = || conduit.join(dev_eui).and_then(|()| frame(&configuration));
        frame(measures).or_else(|_| joins().and_then(|()| frame(measures))).is_ok()
    });
    sent.iter().all(|sent| *sent)
}

/// Whether all of them are joined: a gateway that was reset has forgotten them.
fn are_joined(conduit: &Conduit) -> bool {
    let known = |dev_eui: &str| dev_eui.parse().is_ok_and(|dev_eui| conduit.has_joined(dev_eui));
    SENSORS.iter().all(|(dev_eui, ..)| known(dev_eui))
}

/// Lets them send until dropped; those that a gateway forgot join again as soon as it lets them in.
pub async fn live(conduit: Arc<Conduit>) -> anyhow::Result<()> {
    let mut next = tokio::time::Instant::now();
    loop {
        let now = tokio::time::Instant::now();
        if (now >= next || !are_joined(&conduit)) && send(&conduit) {
            next = now + PERIOD;
        }
        tokio::time::sleep(RETRY).await;
    }
}
