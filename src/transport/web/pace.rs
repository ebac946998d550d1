//! The pace of requests. A Conduit counts those above 60 a minute, after a burst of 100, as an attack
//! (`remoteAccess.dosAttackPrevention`); this stays well below both.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// Requests at once.
const BURST: f64 = 40.0;
/// Requests a second in the long run.
const PER_SECOND: f64 = 0.9;

/// The pace at which one device is asked, over all sessions with it.
#[derive(Debug)]
pub struct Pace(Mutex<Bucket>);

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(Bucket { left: BURST, since: Instant::now() }))
    }
}

impl Pace {
    /// Waits until one more request may be sent.
    pub(super) async fn step(&self) {
        let mut bucket = self.0.lock().await;
        let pause = bucket.take(Instant::now());
        // Held while waiting: who comes later waits behind.
        tokio::time::sleep(pause).await;
    }
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    since: Instant,
}

impl Bucket {
    /// Takes a request out and says how long to wait before it is sent.
    fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.left = (self.left + passed * PER_SECOND).min(BURST) - 1.0;
        self.since = now;
        Duration::from_secs_f64((-self.left / PER_SECOND).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_sees_a_burst_and_less_than_one_request_a_second() {
        let begin = Instant::now();
        let mut bucket = Bucket { left: BURST, since: begin };
        let mut now = begin;
        let mut sent = 0;
        while now - begin <= Duration::from_secs(60) {
            now += bucket.take(now);
            sent += 1;
        }
        assert!((90..100).contains(&sent), "{sent}");
        now += Duration::from_secs(3600);
        let at_once = (0..200).filter(|_| bucket.take(now).is_zero()).count();
        assert_eq!(at_once, 40);
    }
}
