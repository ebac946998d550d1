//! The nouns. This room imports nothing of ours, does no I/O and reads no clock.

mod address;
mod change;
mod checksum;
mod eui;
mod network;
mod outcome;
mod resource;
mod secret;
mod telephony;
mod units;
mod value;

pub use address::{Address, Key, Target};
pub use change::{Action, Change, Impact, Objection, PLAN_FORMAT, Plan, TargetHead};
pub use checksum::{ChecksumFault, Sha256};
pub use eui::{Eui, EuiFault};
pub use network::{Network, NetworkFault};
pub use outcome::{Outcome, Report, Step};
pub use resource::{Collection, Observed, Origin, Owns, Resource, Resources, Unread, Wish};
pub use secret::{Secret, Verifier};
pub use telephony::{DaySpan, Dn, E164, Feast, Mac, PhoneNumber, TelephonyFault, Weekday, easter, weekdays};
pub use units::{ByteSize, Period, UnitFault};
pub use value::{Fields, Value};
