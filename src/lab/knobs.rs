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
    /// The n-th request from now to the web side of a Conduit, counted from 1, ends like this.
    pub at_request: Option<(u32, RequestFault)>,
    /// The n-th exec from now, counted from 1, is taken and never ends; nothing is done.
    pub stall_at_exec: Option<u32>,
    /// What the n-th exec from now answers, counted from 1, is garbage; all of it is done.
    pub garble_at_exec: Option<u32>,
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

/// What can happen to one request over HTTPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// It is not answered, and from then on nothing listens.
    Refuse,
    /// The connection breaks before it is done.
    CutBefore,
    /// It is done, and the connection breaks before the answer.
    CutAfter,
    /// It is done and the answer is no JSON.
    Garbage,
    /// It is done and the answer ends in the middle.
    Half,
    /// It is never done and never answered.
    Stall,
}

impl FromStr for RequestFault {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "refuse" => Self::Refuse,
            "cut-before" => Self::CutBefore,
            "cut-after" => Self::CutAfter,
            "garbage" => Self::Garbage,
            "half" => Self::Half,
            "stall" => Self::Stall,
            _ => return Err(()),
        })
    }
}

impl FromStr for Knobs {
    type Err = String;

    /// Knobs in words, separated by commas: `refuse`, `hang`, `forget`, `slow=250` (milliseconds),
    /// `cut-after-bytes=N`, `cut-at-exec=N`, `stall-at-exec=N`, `garble-at-exec=N`, `cut-at-order=N`,
    /// `fail-order=N`, `busy=N`, `other-session`, `api=down`, `api=garbage`, `api=half`, `api=503`, and
    /// `at-request=N:FAULT` with `refuse`, `cut-before`, `cut-after`, `garbage`, `half` or `stall`.
    /// `off`: none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut knobs = Self::default();
        if text.trim() == "off" {
            return Ok(knobs);
        }
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
            ("stall-at-exec", _) => self.stall_at_exec = Some(number()?),
            ("garble-at-exec", _) => self.garble_at_exec = Some(number()?),
            ("at-request", _) => {
                let fault = value.split_once(':').and_then(|(at, fault)| {
                    Some((at.parse().ok().filter(|at| *at > 0)?, fault.parse().ok()?))
                });
                self.at_request = Some(fault.ok_or(format!("`{word}`: not a fault of a request"))?);
            }
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

    /// Counts requests down; what happens to this one.
    pub(super) fn request_fault(&self) -> Option<RequestFault> {
        let mut struck = None;
        self.0.send_modify(|knobs| {
            knobs.at_request = match knobs.at_request {
                Some((0 | 1, fault)) => {
                    struck = Some(fault);
                    None
                }
                later => later.map(|(left, fault)| (left - 1, fault)),
            };
        });
        struck
    }

    pub(super) fn exec_is_stalled(&self) -> bool {
        self.strikes(|knobs| &mut knobs.stall_at_exec)
    }

    pub(super) fn exec_is_garbled(&self) -> bool {
        self.strikes(|knobs| &mut knobs.garble_at_exec)
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
        assert_eq!(
            "at-request=3:cut-after".parse::<Knobs>().unwrap().at_request,
            Some((3, RequestFault::CutAfter))
        );
        assert_eq!("off".parse::<Knobs>(), Ok(Knobs::default()));
        for bad in
            ["slow", "api=200", "api", "fast", "hang=1", "at-request=0:half", "at-request=2", "slow=1,off"]
        {
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
