//! What can be written of a telephone system. References between its objects are by internal number or by
//! name, never by the ids a PBX gives them.

use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::JsonSchema;

use super::At;
use super::scalar::{FeastText, MacText, NumberText, PeriodText, PhoneNumberText, SecretRef};
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
}

impl Unverified {
    /// The word in the inventory.
    pub fn word(self) -> &'static str {
        match self {
            Self::Phones => "phones",
            Self::RouterPhones => "router_phones",
            Self::SharedVoicemail => "shared_voicemail",
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

/// What a person may do in a department.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Role {
    /// Uses the telephone.
    #[default]
    Users,
    /// Handles the calls of others.
    Receptionists,
    /// Supervises.
    Supervisors,
    /// Administers the department.
    GroupAdmins,
    /// Manages the department.
    Managers,
    /// Owns the department.
    GroupOwners,
    /// Administers the system.
    SystemAdmins,
    /// Owns the system.
    SystemOwners,
}

/// A person's or a room's extension.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Extension {
    /// First name.
    pub first_name: String,
    /// Last name.
    #[schemars(default)]
    pub last_name: Option<String>,
    /// E-mail address; unique on a PBX.
    #[schemars(default)]
    pub email: Option<At<String>>,
    /// Mobile number.
    #[schemars(default)]
    pub mobile: Option<At<PhoneNumberText>>,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Its role there; `users` when absent.
    #[schemars(default)]
    pub role: Option<Role>,
    /// Other departments it is in, with its role in each.
    #[schemars(default)]
    #[schemars(transform = super::schema::named)]
    pub also_in: Option<Section<Role>>,
    /// The number shown to those it calls outside.
    #[schemars(default)]
    pub caller_id: Option<At<PhoneNumberText>>,
    /// Whether it may be used.
    #[schemars(default)]
    pub enabled: Option<bool>,
    /// Whether a second factor is needed to log in.
    #[schemars(default)]
    pub two_factor: Option<bool>,
    /// Whether it is left out of the phone book.
    #[schemars(default)]
    pub hide_in_phonebook: Option<bool>,
    /// Its mailbox.
    #[schemars(default)]
    pub voicemail: Option<At<Voicemail>>,
    /// What is recorded.
    #[schemars(default)]
    pub recording: Option<At<Recording>>,
    /// Where its calls go when it does not answer, by profile.
    #[schemars(default)]
    pub forwarding: Option<At<Forwarding>>,
    /// Whether the profile follows the department's hours: `available` in them, `out_of_office` outside.
    #[schemars(default)]
    pub follow_hours: Option<bool>,
    /// Its desk phones.
    #[schemars(default)]
    pub phones: Option<Vec<At<Phone>>>,
    /// Its phones' keys, in order.
    #[schemars(default)]
    pub blf: Option<Vec<At<BlfKey>>>,
}

/// A mailbox.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Voicemail {
    /// Whether it takes messages; true when absent.
    #[schemars(default)]
    pub enabled: Option<bool>,
    /// The PIN to hear them; the PBX never shows it, so a change of the secret alone is not noticed.
    #[schemars(default)]
    pub pin: Option<At<SecretRef>>,
    /// What is mailed.
    #[schemars(default)]
    pub email: Option<VoicemailEmail>,
    /// Whether the caller's number is read out.
    #[schemars(default)]
    pub play_caller_id: Option<bool>,
}

/// What is mailed of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum VoicemailEmail {
    /// Nothing.
    None,
    /// That there is one.
    Notification,
    /// The message.
    Attachment,
    /// The message, which is then deleted.
    AttachmentAndDelete,
}

/// What is recorded of an extension's calls, and who may do what with it. Needs the Enterprise licence.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Recording {
    /// Which calls.
    pub calls: RecordedCalls,
    /// Whether the person may start and stop it.
    #[schemars(default)]
    pub may_control: Option<bool>,
    /// Whether the person sees the recordings.
    #[schemars(default)]
    pub may_see: Option<bool>,
    /// Whether the person may delete them.
    #[schemars(default)]
    pub may_delete: Option<bool>,
}

/// Which calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum RecordedCalls {
    /// None.
    None,
    /// Those with the public network.
    External,
    /// All.
    All,
}

/// Forwarding by profile. A profile that is not written stays as it is.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Forwarding {
    /// While available.
    #[schemars(default)]
    pub available: Option<At<Answering>>,
    /// While away.
    #[schemars(default)]
    pub away: Option<At<Absence>>,
    /// Out of office.
    #[schemars(default)]
    pub out_of_office: Option<At<Absence>>,
    /// The first profile of one's own.
    #[schemars(default)]
    pub custom_1: Option<At<Answering>>,
    /// The second profile of one's own.
    #[schemars(default)]
    pub custom_2: Option<At<Answering>>,
}

/// What happens to calls of a person who is there.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Answering {
    /// How long it rings before `no_answer`.
    #[schemars(default)]
    pub ring: Option<At<PeriodText>>,
    /// When nobody answers.
    #[schemars(default)]
    pub no_answer: Option<At<Destination>>,
    /// When the line is busy.
    #[schemars(default)]
    pub busy: Option<At<Destination>>,
    /// When no phone is registered.
    #[schemars(default)]
    pub not_registered: Option<At<Destination>>,
}

/// What happens to calls of a person who is not there.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Absence {
    /// Calls from colleagues.
    #[schemars(default)]
    pub internal: Option<At<Destination>>,
    /// Calls from outside.
    #[schemars(default)]
    pub external: Option<At<Destination>>,
}

/// A desk phone.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Phone {
    /// What it is.
    pub model: PhoneModel,
    /// Its hardware address.
    pub mac: At<MacText>,
    /// The SBC it stands behind; in the PBX's own network when neither this nor `behind` or `router` is
    /// written.
    #[schemars(default)]
    pub sbc: Option<At<String>>,
    /// The router phone it stands behind, by MAC address.
    #[schemars(default)]
    pub behind: Option<At<MacText>>,
    /// Whether it is a router phone: for a teleworker, carrying itself and others to the PBX.
    #[schemars(default)]
    pub router: Option<At<bool>>,
}

/// Phones rocade knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum PhoneModel {
    /// Yealink T41S.
    YealinkT41s,
    /// Yealink T46S.
    YealinkT46s,
    /// Yealink T54W.
    YealinkT54w,
    /// Yealink T57W.
    YealinkT57w,
}

impl PhoneModel {
    /// All models.
    pub const ALL: [Self; 4] = [Self::YealinkT41s, Self::YealinkT46s, Self::YealinkT54w, Self::YealinkT57w];

    /// The word in the inventory.
    pub fn word(self) -> &'static str {
        match self {
            Self::YealinkT41s => "yealink-t41s",
            Self::YealinkT46s => "yealink-t46s",
            Self::YealinkT54w => "yealink-t54w",
            Self::YealinkT57w => "yealink-t57w",
        }
    }

    /// The name in the PBX's list of templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::YealinkT41s => "Yealink T41S",
            Self::YealinkT46s => "Yealink T46S",
            Self::YealinkT54w => "Yealink T54W",
            Self::YealinkT57w => "Yealink T57W",
        }
    }

    /// Whether it can carry other phones, after the vendor's list (T53, T53C, T53W, T54W, T57W).
    pub fn can_route(self) -> bool {
        matches!(self, Self::YealinkT54w | Self::YealinkT57w)
    }
}

/// A key of a phone. Keys count on from the one before; the first is the second of the phone, since the
/// first is its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlfKey {
    /// The position, when it is not the next one.
    pub key: Option<u8>,
    /// What it does.
    pub does: KeyAction,
}

/// What a key does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// Shows whether an extension is busy and calls it; written as its number alone, or `{watch: 102}`.
    Watch(String),
    /// Calls an extension.
    SpeedDial(String),
    /// Calls any number.
    Custom {
        /// The number.
        number: String,
        /// First name shown.
        first_name: String,
        /// Last name shown.
        last_name: String,
    },
    /// Parks and picks up at a shared place such as `SP1`.
    Parking(String),
    /// Logs in to the queues (true) or out of them.
    QueueLogin(bool),
    /// Takes a profile.
    Profile(Profile),
    /// A line.
    Line,
}

/// The profiles a key can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Profile {
    /// Available.
    Available,
    /// Away.
    Away,
    /// Out of office.
    OutOfOffice,
    /// The first of one's own.
    #[schemars(rename = "custom_1")]
    Custom1,
    /// The second of one's own.
    #[schemars(rename = "custom_2")]
    Custom2,
}

/// How members ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum RingStrategy {
    /// One after the other.
    Hunt,
    /// All at once.
    RingAll,
    /// Their loudspeakers take the call.
    Paging,
}

/// A mailbox shared by e-mail (from 20.0.9).
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SharedMailbox {
    /// Whether the members get the message.
    #[schemars(default)]
    pub members: Option<bool>,
    /// Other addresses that get it.
    #[schemars(default)]
    pub also: Vec<At<String>>,
}

/// A ring group.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RingGroup {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Who rings, in order.
    pub members: Vec<At<NumberText>>,
    /// How they ring; all at once when absent.
    #[schemars(default)]
    pub strategy: Option<RingStrategy>,
    /// How long it rings; with `hunt`, each member.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// Where the call goes when nobody answers.
    #[schemars(default)]
    pub no_answer: Option<At<Destination>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
    /// Its shared mailbox.
    #[schemars(default)]
    pub mailbox: Option<At<SharedMailbox>>,
}

/// How a queue chooses the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum QueueStrategy {
    /// In order.
    Hunt,
    /// All at once.
    RingAll,
    /// In order from a random one on.
    HuntRandomStart,
    /// The next in turn.
    NextAgent,
    /// The one who waited longest.
    LongestWaiting,
    /// The one who talked least.
    LeastTalkTime,
    /// The one who answered fewest.
    FewestAnswered,
    /// In threes.
    HuntBy3s,
    /// The first three who are free.
    First3Available,
}

/// Whether a queue's calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum QueueRecording {
    /// They are not.
    Disabled,
    /// They are, unless the caller says no.
    AllowToOptOut,
    /// They are when the caller says yes.
    AskToOptIn,
}

/// A queue.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Queue {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// Who answers, in order.
    pub agents: Vec<At<NumberText>>,
    /// Who manages it.
    #[schemars(default)]
    pub managers: Option<Vec<At<NumberText>>>,
    /// How the agent is chosen.
    #[schemars(default)]
    pub strategy: Option<QueueStrategy>,
    /// How long an agent's phone rings.
    #[schemars(default)]
    pub ring: Option<At<PeriodText>>,
    /// How long a caller waits at most.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// How long an agent is left alone after a call.
    #[schemars(default)]
    pub wrap_up: Option<At<PeriodText>>,
    /// How many callers may wait.
    #[schemars(default)]
    pub max_callers: Option<u16>,
    /// Whether callers hear their position.
    #[schemars(default)]
    pub announce_position: Option<bool>,
    /// What is played first.
    #[schemars(default)]
    pub intro: Option<At<Prompt>>,
    /// What is played while waiting.
    #[schemars(default)]
    pub music: Option<At<Prompt>>,
    /// Whether calls are recorded; needs the Enterprise licence.
    #[schemars(default)]
    pub recording: Option<At<QueueRecording>>,
    /// Where the call goes when the time is over.
    #[schemars(default)]
    pub no_answer: Option<At<Destination>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
    /// Its shared mailbox.
    #[schemars(default)]
    pub mailbox: Option<At<SharedMailbox>>,
}

/// An IVR (digital receptionist).
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ivr {
    /// Its name.
    pub title: String,
    /// The department it belongs to; `default` when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// What it says.
    pub prompt: At<Prompt>,
    /// What each key does.
    #[schemars(transform = super::schema::named)]
    pub keys: Section<Destination>,
    /// How long it waits for a key.
    #[schemars(default)]
    pub timeout: Option<At<PeriodText>>,
    /// Where the call goes when no key is pressed.
    #[schemars(default)]
    pub no_key: Option<At<Destination>>,
    /// Where the call goes after a wrong key: an internal number.
    #[schemars(default)]
    pub wrong_key: Option<At<NumberText>>,
    /// Where calls go while its department is closed.
    #[schemars(default)]
    pub when_closed: Option<At<Route>>,
    /// Where calls go during breaks.
    #[schemars(default)]
    pub on_break: Option<At<Route>>,
    /// Where calls go on holidays.
    #[schemars(default)]
    pub on_holiday: Option<At<Route>>,
}

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
    /// Who calls: a number, or its beginning with `*` behind.
    #[schemars(default)]
    pub caller: Option<At<String>>,
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
