//! What can be made to go wrong with a device. A knob is set while the device runs and holds from the next
//! thing it concerns; counts start when the knob is set.

use std::str::FromStr;
use std::time::Duration;

use tokio::sync::watch;

/// What a device does wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knobs {
    /// Nothing listens on its ports.
    pub refuse: bool,
    /// Connections are taken and never answered.
    pub hang: bool,
    /// Every connection made from now on breaks after so many bytes sent by the device.
    pub cut_after_bytes: Option<u64>,
    /// The connection breaks at the n-th exec from now, counted from 1, before anything is done.
    pub cut_at_exec: Option<u32>,
    /// The connection breaks at the n-th order from now, counted from 1, after it was done and before its
    /// answer.
    pub cut_at_order: Option<u32>,
    /// The n-th order from now fails, counted from 1; none after it.
    pub fail_order: Option<u32>,
    /// Waits so long before each exec and each API answer.
    pub slow: Duration,
    /// Orders are confirmed and not done.
    pub forget: bool,
    /// What is wrong with the answers of its API.
    pub api: Option<ApiFault>,
    /// So many requests from now are answered with "too busy, come back at once".
    pub busy: u32,
    /// The user of a Conduit's web side has a session from another address, which keeps others out until a
    /// logout with name and password.
    pub other_session: bool,
}

/// What can be wrong with the answers of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiFault {
    /// Nothing listens.
    Down,
    /// Every request gets this status and no JSON.
    Status(u16),
    /// The body is no JSON.
    Garbage,
    /// The body ends in the middle.
    Half,
}

impl FromStr for Knobs {
    type Err = String;

    /// Knobs in words, separated by commas: `refuse`, `hang`, `forget`, `slow=250` (milliseconds),
    /// `cut-after-bytes=N`, `cut-at-exec=N`, `cut-at-order=N`, `fail-order=N`, `api=down`, `api=garbage`,
    /// `api=half`, `api=503`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut knobs = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            knobs.turn(word)?;
        }
        Ok(knobs)
    }
}

impl Knobs {
    fn turn(&mut self, word: &str) -> Result<(), String> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || value.parse::<u32>().map_err(|_| format!("`{word}`: {name} takes a number"));
        match (name, value) {
            ("refuse", "") => self.refuse = true,
            ("hang", "") => self.hang = true,
            ("forget", "") => self.forget = true,
            ("other-session", "") => self.other_session = true,
            ("slow", _) => self.slow = Duration::from_millis(number()?.into()),
            ("cut-after-bytes", _) => self.cut_after_bytes = Some(number()?.into()),
            ("cut-at-exec", _) => self.cut_at_exec = Some(number()?),
            ("cut-at-order", _) => self.cut_at_order = Some(number()?),
            ("fail-order", _) => self.fail_order = Some(number()?),
            ("busy", _) => self.busy = number()?,
            ("api", "down") => self.api = Some(ApiFault::Down),
            ("api", "garbage") => self.api = Some(ApiFault::Garbage),
            ("api", "half") => self.api = Some(ApiFault::Half),
            ("api", _) => {
                let status = value.parse().ok().filter(|status| (400..600).contains(status));
                self.api = Some(ApiFault::Status(status.ok_or(format!("`{word}`: not a fault of an API"))?));
            }
            _ => return Err(format!("`{word}` is not a knob")),
        }
        Ok(())
    }
}

/// The knobs of one device, shared by all its servers.
#[derive(Debug)]
pub struct KnobBoard(watch::Sender<Knobs>);

impl Default for KnobBoard {
    fn default() -> Self {
        Self(watch::Sender::new(Knobs::default()))
    }
}

impl KnobBoard {
    /// Turns knobs.
    pub fn set(&self, turn: impl FnOnce(&mut Knobs)) {
        self.0.send_modify(turn);
    }

    /// How they stand.
    pub fn now(&self) -> Knobs {
        self.0.borrow().clone()
    }

    /// Waits until refusing is as given.
    pub(super) async fn until_refuse(&self, refuse: bool) {
        // The sender lives in `self`, so the channel cannot be closed while this waits.
        let _ = self.0.subscribe().wait_for(|knobs| knobs.refuse == refuse).await;
    }

    /// Counts one down; true when this was the one it was set for.
    fn strikes(&self, count: impl Fn(&mut Knobs) -> &mut Option<u32>) -> bool {
        let mut struck = false;
        self.0.send_modify(|knobs| {
            let count = count(knobs);
            *count = match *count {
                Some(0 | 1) => {
                    struck = true;
                    None
                }
                Some(left) => Some(left - 1),
                None => None,
            };
        });
        struck
    }

    /// Counts one busy answer down; true while there is one left.
    pub(super) fn is_busy(&self) -> bool {
        let mut busy = false;
        self.0.send_modify(|knobs| {
            busy = knobs.busy > 0;
            knobs.busy = knobs.busy.saturating_sub(1);
        });
        busy
    }

    pub(super) fn exec_is_cut(&self) -> bool {
        self.strikes(|knobs| &mut knobs.cut_at_exec)
    }

    pub(super) fn order_is_cut(&self) -> bool {
        self.strikes(|knobs| &mut knobs.cut_at_order)
    }

    pub(super) fn order_fails(&self) -> bool {
        self.strikes(|knobs| &mut knobs.fail_order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_are_written_as_words() {
        let knobs: Knobs = "slow=250, fail-order=2,api=503".parse().unwrap();
        let expected = Knobs {
            slow: Duration::from_millis(250),
            fail_order: Some(2),
            api: Some(ApiFault::Status(503)),
            ..Knobs::default()
        };
        assert_eq!(knobs, expected);
        for bad in ["slow", "api=200", "api", "fast", "hang=1"] {
            assert!(bad.parse::<Knobs>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_count_strikes_once() {
        let board = KnobBoard::default();
        board.set(|knobs| knobs.fail_order = Some(2));
        let struck: Vec<bool> = (0..4).map(|_| board.order_fails()).collect();
        assert_eq!(struck, [false, true, false, false]);
    }
}
