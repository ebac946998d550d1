//! What can be written of a telephone system. References between its objects are by internal number or by
//! name, never by the ids a PBX gives them.

use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::JsonSchema;

mod calls;
mod contacts;
mod directory;
mod lines;
mod people;

pub use calls::*;
pub use contacts::*;
pub use directory::*;
pub use lines::*;
pub use people::*;

use super::At;
use super::scalar::{FeastText, PhoneNumberText, SecretRef};
use super::spec::Section;
use crate::model::{DaySpan, Weekday};

/// A part of a telephone system: its entries by name, and whether the part was written at all. Only what is
/// written is owned: `unmanaged: delete` deletes nothing of a part that the inventory does not have.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transparent)]
pub struct Part<T> {
    /// The entries.
    #[schemars(transform = super::schema::named)]
    pub entries: Section<T>,
    /// Whether the part's key stands in the inventory.
    #[schemars(skip)]
    pub written: bool,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), written: false }
    }
}

impl<T> Deref for Part<T> {
    type Target = Section<T>;

    fn deref(&self) -> &Section<T> {
        &self.entries
    }
}

/// A telephone system.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pbx {
    /// What it is.
    pub model: PbxModel,
    /// Where its console answers, such as `https://example.my3cx.fr`; in clear on loopback only.
    pub url: At<String>,
    /// The site it serves.
    #[schemars(default)]
    pub site: Option<At<String>>,
    /// The API client made for rocade in the console (Integrations, API; role System Owner).
    pub client_id: String,
    /// The client's key.
    pub client_secret: At<SecretRef>,
    /// A PEM file of this repository with the authority of its certificate, when that is not a public one.
    #[schemars(default)]
    pub ca: Option<At<String>>,
    /// What becomes of objects that are on the PBX and not in a part written here.
    #[schemars(default)]
    pub unmanaged: Unmanaged,
    /// Writes that were never seen to work on a real PBX and are to be tried all the same.
    #[schemars(default)]
    pub accept_unverified: Vec<At<Unverified>>,
    /// Numbers that must always have a route out; `112` when absent.
    #[schemars(default)]
    pub emergency_numbers: Option<Vec<At<PhoneNumberText>>>,
    /// Departments; `default` is the one every PBX has.
    #[schemars(default)]
    pub departments: Part<Department>,
    /// Holidays.
    #[schemars(default)]
    pub holidays: Part<Holiday>,
    /// Extensions by number.
    #[schemars(default)]
    pub extensions: Part<Extension>,
    /// Ring groups by number.
    #[schemars(default)]
    pub ring_groups: Part<RingGroup>,
    /// Queues by number.
    #[schemars(default)]
    pub queues: Part<Queue>,
    /// IVRs (digital receptionists) by number.
    #[schemars(default)]
    pub ivrs: Part<Ivr>,
    /// SIP trunks.
    #[schemars(default)]
    pub trunks: Part<Trunk>,
    /// What rings for a call from outside.
    #[schemars(default)]
    pub inbound_rules: Part<InboundRule>,
    /// Which trunk a call to outside takes.
    #[schemars(default)]
    pub outbound_rules: Part<OutboundRule>,
    /// Session border controllers, by the name the PBX knows them by (at most 12 characters).
    #[schemars(default)]
    pub sbcs: Part<Sbc>,
    /// Live Chat links, by the link's name.
    #[schemars(default)]
    pub live_chat: Part<LiveChat>,
    /// Contacts of the phonebook, by a name that stays; only those made here are ever touched.
    #[schemars(default)]
    pub contacts: Part<Contact>,
    /// Directories whose people are kept in the phonebook, by a name that stays. Written without any, what
    /// they left is deleted; left out, it stays.
    #[schemars(default)]
    pub directories: Part<Directory>,
    /// The settings of the phonebook; left alone when absent.
    #[schemars(default)]
    pub phonebook: Option<Phonebook>,
}

impl Pbx {
    /// The numbers that must always have a route out.
    pub fn emergency(&self) -> Vec<&str> {
        match &self.emergency_numbers {
            Some(numbers) => numbers.iter().map(|number| number.0.0.as_str()).collect(),
            None => vec!["112"],
        }
    }

    /// Whether a number is one of them.
    pub fn is_emergency(&self, number: &str) -> bool {
        self.emergency().contains(&number)
    }
}

/// Telephone systems rocade knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub enum PbxModel {
    /// 3CX V20 with its Configuration API.
    #[schemars(rename = "3cx")]
    ThreeCx,
}

/// What becomes of what nobody wished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Unmanaged {
    /// It stays and is not spoken of.
    #[default]
    Keep,
    /// It stays and the plan names it.
    Report,
    /// It is deleted, in the parts that are written here; what belongs to the system stays.
    Delete,
}

/// Writes whose form is known from documents only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Unverified {
    /// Adding a phone by its MAC address.
    Phones,
    /// Phones that carry others (router phones) and phones behind them or behind an SBC.
    RouterPhones,
    /// A mailbox shared by e-mail on ring groups and queues.
    SharedVoicemail,
    /// A contact in a department's phonebook.
    ContactDepartment,
    /// Installing SBCs on hosts: what their file must hold is known from public scripts only.
    SbcHosts,
}

impl Unverified {
    /// The word in the inventory.
    pub fn word(self) -> &'static str {
        match self {
            Self::Phones => "phones",
            Self::RouterPhones => "router_phones",
            Self::SharedVoicemail => "shared_voicemail",
            Self::ContactDepartment => "contact_department",
            Self::SbcHosts => "sbc_hosts",
        }
    }
}

/// Opening hours of a week. Days that are not written are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week(pub BTreeMap<Weekday, Vec<DaySpan>>);

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An extension rings.
    Extension(String),
    /// A ring group rings.
    RingGroup(String),
    /// The caller waits in a queue.
    Queue(String),
    /// An IVR speaks.
    Ivr(String),
    /// The mailbox of an extension takes a message.
    Voicemail(String),
    /// A number of the public network.
    External(String),
    /// The call ends.
    End,
    /// The IVR's prompt is played again; on IVR keys only.
    Repeat,
    /// The caller spells a name; on IVR keys only.
    CallByName,
}

/// Where a call goes at certain times, and what is said before.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Route {
    /// Where to.
    pub to: At<Destination>,
    /// What is played before.
    #[schemars(default)]
    pub prompt: Option<At<Prompt>>,
}

/// An audio file: WAV, PCM, 8 kHz, 16 bit, mono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A file under `inventory/prompts/`, uploaded under a name that says its content.
    File(String),
    /// A file that is on the PBX already, by its name there; written `{on_pbx: NAME}`.
    OnPbx(String),
}

/// A department with its hours.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Department {
    /// Its name on the PBX.
    pub title: At<String>,
    /// The language of its prompts, such as `FR`.
    #[schemars(default)]
    pub language: Option<String>,
    /// IANA time zone of its hours, such as `Europe/Paris`.
    #[schemars(default)]
    pub timezone: Option<At<String>>,
    /// When it is open.
    #[schemars(default)]
    pub hours: Option<At<Week>>,
    /// When it pauses.
    #[schemars(default)]
    pub breaks: Option<At<Week>>,
    /// Where its calls go while it is open.
    #[schemars(default)]
    pub when_open: Option<At<Route>>,
    /// Where its calls go while it is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where its calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where its calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
}

/// A holiday of one or several departments.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Holiday {
    /// Its name on the PBX; unique there, so one of several departments gets the department's name behind it.
    pub title: At<String>,
    /// The departments that rest; `default` when absent.
    #[schemars(default)]
    pub departments: Vec<At<String>>,
    /// Its first day.
    pub date: At<FeastText>,
    /// Its last day; the first when absent.
    #[schemars(default)]
    pub until: Option<At<FeastText>>,
    /// The years of a feast that moves with Easter; each becomes a holiday of its own with the year in its
    /// name.
    #[schemars(default)]
    pub years: Vec<At<u16>>,
    /// What callers hear.
    #[schemars(default)]
    pub prompt: Option<At<Prompt>>,
}
