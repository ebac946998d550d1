//! Which state a gateway is in, from what it said. One line each, for people.

use std::fmt;

use semver::VersionReq;

use super::{Dialogue, Identity};
use crate::inventory::Gateway;
use crate::model::{Action, Change};
use crate::providers::conduit::unit::release;

/// The state of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it left the factory, or after a factory reset: there is no user.
    Factory(Dialogue),
    /// It refuses our login: somebody else made its first user.
    CommissionedByOthers {
        /// Its own words.
        words: String,
    },
    /// It is another unit than the inventory names.
    WrongUnit {
        /// What is compared: `serial number`, `MAC address`.
        what: &'static str,
        /// What it says.
        seen: String,
        /// What the inventory says.
        wished: String,
    },
    /// Its firmware is not accepted.
    WrongFirmware {
        /// Its version.
        seen: String,
        /// What the inventory accepts.
        wished: String,
    },
    /// It holds settings that nobody saved: they are not ours.
    Unsaved,
    /// Our login works.
    Ours {
        /// Whether SSH is on.
        ssh: bool,
    },
    /// Our login works, and all that was put on it is gone: it is back at its user-defined defaults.
    OursAtDefaults,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Factory(_) => f.write_str("in its factory state"),
            State::CommissionedByOthers { words } => {
                write!(f, "commissioned by somebody else: it refuses our login ({words})")
            }
            State::WrongUnit { what, seen, wished } => {
                write!(f, "another unit: its {what} is {seen}, the inventory says {wished}")
            }
            State::WrongFirmware { seen, wished } => {
                write!(f, "firmware {seen} is not accepted, the inventory says {wished}")
            }
            State::Unsaved => f.write_str("ours, with changes that were not saved"),
            State::Ours { ssh: true } => f.write_str("ours, SSH is on"),
            State::Ours { ssh: false } => f.write_str("ours, SSH is off"),
            State::OursAtDefaults => f.write_str("ours, but what was put on it is gone"),
        }
    }
}

/// What the inventory expects of a unit.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Serial number.
    pub serial: Option<String>,
    /// Hardware address, 12 upper-case hex digits.
    pub mac: Option<String>,
    /// Accepted firmware.
    pub firmware: Option<VersionReq>,
}

impl Expected {
    /// What an entry of the inventory expects.
    pub fn of(gateway: &Gateway) -> Self {
        Self {
            serial: gateway.serial.as_ref().map(|serial| serial.value.clone()),
            mac: gateway.mac.as_ref().map(|mac| mac.digits().to_owned()),
            firmware: gateway.firmware.as_ref().map(|firmware| firmware.require.0.clone()),
        }
    }

    /// Another unit than the one expected. One that does not say what is asked of it is another.
    pub fn wrong_unit(&self, seen: &Identity) -> Option<State> {
        let wrong = |what, wished: &Option<String>, seen: &Option<String>| {
            let wished = wished.as_ref()?;
            let same = seen.as_ref().is_some_and(|seen| seen.eq_ignore_ascii_case(wished));
            let seen = seen.clone().unwrap_or_else(|| "not said".to_owned());
            (!same).then(|| State::WrongUnit { what, seen, wished: wished.clone() })
        };
        wrong("serial number", &self.serial, &seen.serial)
            .or_else(|| wrong("MAC address", &self.mac, &seen.mac))
    }

    /// A firmware that is not accepted. One that is not said cannot be held against anything.
    pub fn wrong_firmware(&self, seen: &Identity) -> Option<State> {
        let wished = self.firmware.as_ref()?;
        let accepted =
            seen.firmware.as_deref().and_then(release).is_some_and(|version| wished.matches(&version));
        let said = seen.firmware.clone().unwrap_or_else(|| "not said".to_owned());
        (!accepted).then(|| State::WrongFirmware { seen: said, wished: wished.to_string() })
    }
}

impl State {
    /// The state after our login worked on the unit that is meant.
    pub fn ours(identity: &Identity, ssh: bool) -> Self {
        if identity.dirty { State::Unsaved } else { State::Ours { ssh } }
    }

    /// What the plan tells beyond it: a unit of ours on which every file is to be made anew lost them.
    pub fn with_plan(self, changes: &[&Change]) -> Self {
        let mut files = changes.iter().filter(|change| change.address.key.collection == "file").peekable();
        let lost = files.peek().is_some() && files.all(|change| change.action == Action::Create);
        match self {
            State::Ours { .. } if lost => State::OursAtDefaults,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        Expected {
            serial: Some("20412345".into()),
            mac: Some("0008004A2F01".into()),
            firmware: Some(">=6.0.1, <7".parse().unwrap()),
        }
    }

    fn unit() -> Identity {
        Identity {
            serial: Some("20412345".into()),
            mac: Some("0008004A2F01".into()),
            firmware: Some("6.0.1".into()),
            ..Identity::default()
        }
    }

    #[test]
    fn the_unit_that_is_meant_passes() {
        assert_eq!(expected().wrong_unit(&unit()), None);
        assert_eq!(expected().wrong_firmware(&unit()), None);
        assert_eq!(Expected::default().wrong_unit(&Identity::default()), None, "nothing is asked");
    }

    #[test]
    fn another_unit_is_told_by_what_differs_first() {
        let serial = Identity { serial: Some("20499999".into()), ..unit() };
        let wrong = expected().wrong_unit(&serial).unwrap().to_string();
        assert_eq!(wrong, "another unit: its serial number is 20499999, the inventory says 20412345");
        let mac = Identity { mac: None, ..unit() };
        assert!(expected().wrong_unit(&mac).unwrap().to_string().contains("MAC address is not said"));
    }

    #[test]
    fn a_firmware_out_of_range_or_unsaid_is_not_accepted() {
        for firmware in [Some("7.0.0"), Some("5.3.0"), Some("unknown"), None] {
            let seen = Identity { firmware: firmware.map(str::to_owned), ..unit() };
            assert!(expected().wrong_firmware(&seen).is_some(), "{firmware:?}");
        }
        let beta = Identity { firmware: Some("6.3.1-BETA2".into()), ..unit() };
        assert_eq!(expected().wrong_firmware(&beta), None);
    }

    #[test]
    fn unsaved_changes_come_before_the_rest() {
        let dirty = Identity { dirty: true, ..unit() };
        assert_eq!(State::ours(&dirty, true), State::Unsaved);
        assert_eq!(State::ours(&unit(), false).to_string(), "ours, SSH is off");
    }
}
