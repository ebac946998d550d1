//! People: extensions with mailbox, forwarding, phones and keys.

use schemars::JsonSchema;

use super::Destination;
use crate::inventory::scalar::{MacText, PeriodText, PhoneNumberText, SecretRef};
use crate::inventory::{At, Section};

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
    #[schemars(transform = crate::inventory::schema::named)]
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
    /// Whether nobody may record this extension, such as a colleague or a queue; needs 20.0.10.
    #[schemars(default)]
    pub forbid: Option<bool>,
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
