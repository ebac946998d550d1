//! `remoteAccess.dosAttackPrevention`: so many requests at once, then so many a minute. What a real unit does
//! with the others was never recorded; that it answers 429 is assumed.

use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use crate::lab::held;

/// The count of requests.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Option<(f64, Instant)>>);

impl Pace {
    /// Whether one more request is taken under these settings.
    pub fn takes(&self, settings: &Value) -> bool {
        let number = |name: &str| settings[name].as_f64().unwrap_or(0.0);
        let (burst, per_second) = (number("limitBurst"), number("limitPerMinute") / 60.0);
        let mut held = held(&self.0);
        let (left, since) = held.unwrap_or((burst, Instant::now()));
        let left = (left + since.elapsed().as_secs_f64() * per_second).min(burst);
        let takes = left >= 1.0 || settings["enabled"] != Value::Bool(true);
        *held = Some((if takes { (left - 1.0).max(0.0) } else { left }, Instant::now()));
        takes
    }

    /// Starts anew.
    pub fn clear(&self) {
        *held(&self.0) = None;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_no_more() {
        let slow = json!({"enabled": true, "limitBurst": 3, "limitPerMinute": 0});
        let pace = Pace::default();
        let taken: Vec<bool> = (0..5).map(|_| pace.takes(&slow)).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert!(pace.takes(&json!({"enabled": false})));
    }
}
