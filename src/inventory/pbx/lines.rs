//! The ways in and out: trunks, rules, SBCs, Live Chat.

use schemars::JsonSchema;

use super::{Caller, Destination, Week};
use crate::inventory::At;
use crate::inventory::scalar::{PhoneNumberText, SecretRef};

/// Whether a trunk registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Registration {
    /// It does not: the provider knows the address.
    Nothing,
    /// For calls in.
    IncomingCalls,
    /// For calls out.
    OutgoingCalls,
    /// For both.
    InOutCalls,
}

/// A SIP trunk.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Trunk {
    /// Its name on the PBX.
    pub title: At<String>,
    /// The provider's template on the PBX, a file name such as `1cx.pv.xml`; counts when it is made.
    pub template: At<String>,
    /// The provider's host.
    #[schemars(default)]
    pub host: Option<At<String>>,
    /// The provider's port.
    #[schemars(default)]
    pub port: Option<u16>,
    /// Whether it registers.
    #[schemars(default)]
    pub register: Option<Registration>,
    /// The name to log in with.
    #[schemars(default)]
    pub user: Option<String>,
    /// The password to log in with; the PBX never shows it, so a change of the secret alone is not noticed.
    #[schemars(default)]
    pub password: Option<At<SecretRef>>,
    /// The main number.
    pub number: At<PhoneNumberText>,
    /// All numbers that come in here (DIDs), the whole list.
    #[schemars(default)]
    pub dids: Option<Vec<At<PhoneNumberText>>>,
    /// How many calls at once.
    #[schemars(default)]
    pub calls: Option<u16>,
    /// The number shown to those called.
    #[schemars(default)]
    pub caller_id: Option<At<PhoneNumberText>>,
}

/// What rings for a call from outside. With `did`, calls to that number; with `caller`, calls from those; with
/// neither, all others of the trunk.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct InboundRule {
    /// Its name on the PBX.
    pub title: At<String>,
    /// The trunk the call comes in on.
    pub trunk: At<String>,
    /// The number called.
    #[schemars(default)]
    pub did: Option<At<PhoneNumberText>>,
    /// Who calls: a number, its beginning with `*` behind, or contacts: `{group: best-customers}`, `{contact: pool}`.
    /// Contacts become one rule a number on the PBX.
    #[schemars(default)]
    pub caller: Option<At<Caller>>,
    /// The hours in which `to` rings; the department's office hours when absent.
    #[schemars(default)]
    pub hours: Option<At<Week>>,
    /// Where the call goes.
    pub to: At<Destination>,
    /// Where it goes outside the hours; the same when absent.
    #[schemars(default)]
    pub when_closed: Option<At<Destination>>,
    /// Where it goes on holidays; the same when absent.
    #[schemars(default)]
    pub on_holiday: Option<At<Destination>>,
}

/// Which trunk a call to outside takes.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OutboundRule {
    /// Its name on the PBX.
    pub title: At<String>,
    /// What the number dialled begins with.
    #[schemars(default)]
    pub prefixes: Vec<At<String>>,
    /// How long the number is: `10`, `3-6`.
    #[schemars(default)]
    pub lengths: Vec<At<String>>,
    /// Who may: extensions and ranges, `101`, `100-199`.
    #[schemars(default)]
    pub from: Vec<At<String>>,
    /// Who may: departments.
    #[schemars(default)]
    pub departments: Vec<At<String>>,
    /// The order among the rules, from 1; the order of their names when absent.
    #[schemars(default)]
    pub priority: Option<u16>,
    /// Whether it is for emergency numbers.
    #[schemars(default)]
    pub emergency: Option<bool>,
    /// The trunks tried, in order, at most five; none refuses the call.
    pub routes: Vec<At<OutboundRoute>>,
}

impl OutboundRule {
    /// Whether a number begins as the rule says; prefixes may be lists and ranges: `00,+`, `118-119`.
    pub fn begins(&self, number: &str) -> bool {
        let mut prefixes = self.prefixes.iter().flat_map(|text| text.split(',')).map(str::trim);
        self.prefixes.is_empty()
            || prefixes.any(|prefix| {
                let range = prefix.split_once('-').map(|(first, last)| (first.trim(), last.trim()));
                match range {
                    Some((first, last)) => {
                        number.get(..first.len()).is_some_and(|begin| between(begin, first, last))
                    }
                    None => number.starts_with(prefix),
                }
            })
    }

    /// Whether a number is as long as the rule says: `10`, `3-6`.
    pub fn is_as_long(&self, number: &str) -> bool {
        let length = number.trim_start_matches('+').len();
        let mut ranges = self.lengths.iter().flat_map(|text| text.split(','));
        self.lengths.is_empty()
            || ranges.any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let ends = first.trim().parse().ok().zip(last.trim().parse().ok());
                ends.is_some_and(|(first, last): (usize, usize)| (first..=last).contains(&length))
            })
    }

    /// Whether an extension is among those written: `101`, `100-199`.
    pub fn has_extension(&self, number: &str) -> bool {
        self.from.iter().any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            between(number, first.trim(), last.trim())
        })
    }
}

/// Whether digits lie between two of the same length.
fn between(digits: &str, first: &str, last: &str) -> bool {
    digits.len() == first.len() && digits.len() == last.len() && (first..=last).contains(&digits)
}

/// One way out.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OutboundRoute {
    /// The trunk.
    pub trunk: At<String>,
    /// How many digits are taken off the front.
    #[schemars(default)]
    pub strip: Option<u8>,
    /// What is put in front.
    #[schemars(default)]
    pub prepend: Option<String>,
    /// The number shown.
    #[schemars(default)]
    pub caller_id: Option<At<PhoneNumberText>>,
}

/// The file of an SBC on the machine it runs on.
pub const SBC_FILE: &str = "/etc/3cxsbc.conf";

/// A session border controller.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sbc {
    /// Its name for people.
    #[schemars(default)]
    pub title: Option<String>,
    /// The password it registers with, needed to make it; the PBX never shows it, so a change of the secret
    /// alone is not noticed.
    #[schemars(default)]
    pub password: Option<At<SecretRef>>,
    /// How it speaks with the PBX.
    #[schemars(default)]
    pub security: Option<SbcSecurity>,
    /// The machine it runs on, one of `hosts`: rocade installs it there and tells it its link.
    #[schemars(default)]
    pub host: Option<At<String>>,
    /// The link it fetches its configuration from, `https://FQDN/sbc/KEY` as the PBX shows it once the SBC is
    /// made; whoever has it can be this SBC.
    #[schemars(default)]
    pub provisioning_link: Option<At<SecretRef>>,
}

/// How an SBC speaks with the PBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SbcSecurity {
    /// In clear.
    Tcp,
    /// Encrypted.
    Tls,
}

/// A Live Chat link.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LiveChat {
    /// Its name for people.
    #[schemars(default)]
    pub title: Option<String>,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Who answers: an extension, a ring group or a queue.
    pub to: At<Destination>,
    /// The web sites it is on.
    pub websites: Vec<At<String>>,
    /// Whether visitors can chat.
    #[schemars(default)]
    pub chat: Option<bool>,
    /// Whether visitors can call.
    #[schemars(default)]
    pub calls: Option<bool>,
    /// What visitors must say of themselves.
    #[schemars(default)]
    pub ask: Option<Visitor>,
}

/// What visitors must say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Visitor {
    /// Name and e-mail address.
    Both,
    /// Their name.
    Name,
    /// Their e-mail address.
    Email,
    /// Nothing.
    None,
}
