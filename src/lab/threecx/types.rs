//! The properties of the entities a 3CX V20 serves, as far as this simulator keeps them: names, types and the
//! version that first knew them, after the vendor's OpenAPI document (20.0.10) and its history.
//!
//! A line is `Name = property:type ...`, gone on with on lines that begin with spaces. Types are `s` text, `i`
//! integer, `b` boolean, `t` time of day, `d` duration, `a|b|c` words of an enumeration, `{X}` an entity, `[X]` a
//! list of entities, `[s]`, `[i]` lists of scalars. `<` before a type: a navigation, absent without `$expand`.
//! `@9` behind: known from 20.0.9 on.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

const TYPES: &str = "
UserGroup = GroupId:i Name:s Number:s MemberName:s Type:s Rights:{Rights} GroupRights:{Rights} CanDelete:b Id:i
Rights = RoleName:s CanSeeGroupCalls:b CanIntercom:b CanBargeIn:b PerformOperations:b AllowIVR:b AllowParking:b
Destination = Number:s Name:s External:s Type:s Tags:[s]
  To:None|VoiceMail|Extension|Queue|RingGroup|IVR|External|Fax|Boomerang|Deflect|
  VoiceMailOfDestination|Callback|RoutePoint|ProceedWithNoExceptions
Route = IsPromptEnabled:b Prompt:s Route:{Destination}
Period = DayOfWeek:Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday Start:t Stop:t
Schedule = IgnoreHolidays:b Periods:[Period]
  Type:AllHours|OfficeHours|OutOfOfficeHours|SpecificHours|SpecificHoursExcludingHolidays|OutOfSpecificHours|
  OutOfSpecificHoursIncludingHolidays|Never|BreakTime
Concealed = Concealed:b Value:s
Peer = Id:i Number:s Name:s Type:s Hidden:b
PhoneSettings = ProvisionType:LocalLan|RemoteExt|RemoteExtSipProxyMgr|SBC SbcName:s IsSBC:b PhoneLanguage:s
  TimeZone:s RingTone:s Firmware:s Secret:s RemoteSpmHost:s RemoteSpmPort:i LocalSipPort:i Codecs:[s]
Phone = Id:i MacAddress:s Name:s TemplateName:s Interface:s ProvisioningLinkLocal:s ProvisioningLinkExt:s
  Settings:{PhoneSettings}
AvailableRouting = BusyAllCalls:b BusyExternal:{Destination} BusyInternal:{Destination} NoAnswerAllCalls:b
  NoAnswerExternal:{Destination} NoAnswerInternal:{Destination} NotRegisteredAllCalls:b
  NotRegisteredExternal:{Destination} NotRegisteredInternal:{Destination}
AwayRouting = AllHoursExternal:b AllHoursInternal:b External:{Destination} Internal:{Destination}
ForwardingProfile = Id:i Name:s CustomName:s NoAnswerTimeout:i AcceptMultipleCalls:b RingMyMobile:b
  DisableRingGroupCalls:b BlockPushCalls:b OfficeHoursAutoQueueLogOut:b CustomMessage:s
  AvailableRoute:{AvailableRouting} AwayRoute:{AwayRouting}
User = Id:i Number:s Groups:<[UserGroup] TranscriptionMode:Nothing|Voicemail|Recordings|Both|Inherit
  FirstName:s LastName:s DisplayName:s EmailAddress:s Mobile:s Language:s PromptSet:s Enabled:b Internal:b
  HideInPhonebook:b EnableHotdesking:b SendEmailMissedCalls:b CallScreening:b Require2FA:b Enable2FA:b
  OutboundCallerID:s RecordCalls:b RecordExternalCallsOnly:b RecordEmailNotify:b AllowOwnRecordings:b
  MyPhoneShowRecordings:b MyPhoneAllowDeleteRecordings:b ForbidRecording:b@10 VMEnabled:b VMPIN:s
  VMDisablePinAuth:b VMPlayCallerID:b
  VMEmailOptions:None|Notification|Attachment|AttachmentAndDelete|VmailToMembers|EmailToExtrasOnly
  VMPlayMsgDateTime:None|Play12Hr|Play24Hr AuthID:s AuthPassword:s SIPID:s DeskphonePassword:s AccessPassword:s
  AllowLanOnly:b PbxDeliversAudio:b SRTPMode:SRTPDisabled|SRTPEnabled|SRTPEnforced PinProtected:b
  PinProtectTimeout:i PrimaryGroupId:i CurrentProfileName:s QueueStatus:LoggedOut|LoggedIn OfficeHoursProps:[s]
  WebMeetingFriendlyName:s ClickToCallId:s CallUsEnablePhone:b CallUsEnableChat:b Blfs:s Phones:<[Phone]
  ForwardingProfiles:<[ForwardingProfile] IsRegistered:b
Group = Id:i Number:s Name:s Language:s TimeZoneId:s PromptSet:s IsDefault:b HasMembers:b AllowCallService:b
  DisableCustomPrompt:b Hours:{Schedule} BreakTime:{Schedule} OfficeRoute:{Route} OutOfOfficeRoute:{Route}
  BreakRoute:{Route} HolidaysRoute:{Route} OverrideHolidays:b GloballyVisible:b MusicOnHold:s@10
  Members:<[UserGroup] Rights:<[Rights] Props:{GroupProps}
GroupProps = LiveChatMaxCount:i PromptsMaxCount:i
Holiday = Id:i Name:s Day:i DayEnd:i Month:i MonthEnd:i Year:i YearEnd:i TimeOfStartDate:d TimeOfEndDate:d
  IsRecurrent:b HolidayPrompt:s Group:s
Member = Id:i Name:s Number:s
RingGroup = Id:i Number:s Name:s Groups:<[UserGroup] RingStrategy:Hunt|RingAll|Paging RingTime:i
  Members:<[Member] ForwardNoAnswer:{Destination} OutOfOfficeRoute:{Route} BreakRoute:{Route}
  HolidaysRoute:{Route} GreetingFile:s VMEmailList:s@9
  VMEmailOptions:None|Notification|Attachment|AttachmentAndDelete|VmailToMembers|EmailToExtrasOnly@9
  IsRegistered:b
QueueAgent = Id:i Name:s Number:s SkillGroup:s
Queue = Id:i Number:s Name:s Groups:<[UserGroup]
  PollingStrategy:Hunt|RingAll|HuntRandomStart|NextAgent|LongestWaiting|LeastTalkTime|FewestAnswered|
  HuntBy3s|First3Available|SkillBasedRouting_RingAll|
  SkillBasedRouting_HuntRandomStart|SkillBasedRouting_RoundRobin|SkillBasedRouting_FewestAnswered
  Agents:<[QueueAgent] Managers:<[Member] RingTimeout:i MasterTimeout:i WrapUpTime:i SLATime:i
  MaxCallersInQueue:i PriorityQueue:b EnableIntro:b IntroFile:s GreetingFile:s OnHoldFile:s PlayFullPrompt:b
  AnnounceQueuePosition:b AnnouncementInterval:i CallbackEnableTime:i CallbackPrefix:s
  Recording:Disabled|AllowToOptOut|AskToOptIn PromptSet:s ForwardNoAnswer:{Destination}
  OutOfOfficeRoute:{Route} BreakRoute:{Route} HolidaysRoute:{Route} VMEmailList:s@9
  VMEmailOptions:None|Notification|Attachment|AttachmentAndDelete|VmailToMembers|EmailToExtrasOnly@9
  IsRegistered:b
ReceptionistForward = Id:i Input:s
  ForwardType:EndCall|Extension|RingGroup|Queue|IVR|VoiceMail|CallByName|RepeatPrompt|CustomInput ForwardDN:s
  PeerType:s CustomData:s
Receptionist = Id:i Number:s Name:s Groups:<[UserGroup] IVRType:Default|CodeBased|ScriptBased|Wakeup
  PromptFilename:s PromptSet:s Timeout:i
  TimeoutForwardType:EndCall|Extension|RingGroup|Queue|IVR|VoiceMail|CallByName|RepeatPrompt|CustomInput
  TimeoutForwardDN:s TimeoutForwardPeerType:s InvalidKeyForwardDN:s TransferEnable:b@8 UseMSExchange:b
  ForwardSmsTo:s OutOfOfficeRoute:{Route} BreakRoute:{Route} HolidaysRoute:{Route}
  Forwards:<[ReceptionistForward] IsRegistered:b
Parking = Id:i Number:s Groups:<[UserGroup]
Gateway = Id:i Name:s Host:s Port:i ProxyHost:s ProxyPort:i Type:s
  RequireRegistrationFor:Nothing|IncomingCalls|OutgoingCalls|InOutCalls TimeBetweenReg:i Codecs:[s] Lines:i
  TemplateFilename:s SRTPMode:s Internal:b
Trunk = Id:i Number:s Groups:<[UserGroup] Gateway:{Gateway} ExternalNumber:s DidNumbers:[s] AuthID:s
  AuthPassword:{Concealed} SeparateAuthId:s UseSeparateAuthId:b SimultaneousCalls:i
  Direction:None|Inbound|Outbound|Both EnableInboundCalls:b EnableOutboundCalls:b OutboundCallerID:s
  TransportRestriction:Any|UDP|TCP|TLS DisableCallTransfer:b@10 IsOnline:b
InboundRule = Id:i RuleName:s
  Condition:NoAnswer|PhoneBusy|PhoneNotRegistered|ForwardAll|BasedOnCallerID|BasedOnDID Data:s
  CallType:AllCalls|InternalCallsOnly|ExternalCallsOnly TrunkDN:<{Peer} Hours:{Schedule}
  OfficeHoursDestination:{Destination} AlterDestinationDuringOutOfOfficeHours:b
  OutOfOfficeHoursDestination:{Destination} AlterDestinationDuringHolidays:b HolidaysDestination:{Destination}
  CustomData:s
DNRange = From:s To:s
OutboundRoute = TrunkId:i TrunkName:s StripDigits:i Prepend:s Append:s CallerID:s
OutboundRule = Id:i Name:s Prefix:s NumberLengthRanges:s DNRanges:[DNRange] GroupIds:[i] GroupNames:[s]
  Priority:i EmergencyRule:b Routes:[OutboundRoute]
Sbc = Name:s DisplayName:s Password:s Group:s LocalIPv4:s PublicIP:s Security:TCP|TLS@7
  LogLevel:None|Low|Medium|Verbose@7 ProvisionLink:s PhoneMAC:s PhoneUserId:i HasConnection:b Version:s
General = Authentication:Both|Name|Email|None Greeting:Disabled|OnlyOnDesktop|OnlyOnMobile|DesktopAndMobile
  AllowSoundNotifications:b DisableOfflineMessages:b EnableOnMobile:b GdprEnabled:b EnableGA:b
Weblink = Id:i Link:s Name:s Group:s DN:{Peer} Website:[s] ChatEnabled:b CallsEnabled:b MeetingEnabled:b
  DefaultRecord:b EnableReCaptcha:b Hidden:b General:{General}
CustomPrompt = Filename:s DisplayName:s FileLink:s CanBeDeleted:b PromptType:File|DepFile|Playlist
PhoneModel = Name:s UserAgent:s AddAllowed:b CanBeSBC:b URL:s
PhoneTemplate = Id:s TemplateType:s AddAllowed:b Models:[PhoneModel]
TrunkTemplate = Id:s Name:s AddAllowed:b TemplateType:s Countries:[s]
Contact = Id:i FirstName:s LastName:s CompanyName:s Title:s Department:s Email:s PhoneNumber:s Mobile2:s Home:s
  Business:s Business2:s BusinessFax:s Other:s Pager:s Tag:s ContactType:3CX|CRM|Google|M365
PhoneBookSettings = ResolvingType:NotResolve|MatchExact|MatchLength ResolvingLength:i
DidNumber = Number:s TrunkId:i TemplateFileName:s
Backup = FileName:s Size:i CreationTime:s DownloadLink:s
PeerRow = Id:i Number:s Name:s Type:s Hidden:b
TimeZone = Id:s IanaName:s Name:s
";

/// The type of a property.
#[derive(Clone, Debug)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    Time,
    Duration,
    Words(Vec<&'static str>),
    Entity(&'static str),
    List(Box<Kind>),
}

/// A property.
#[derive(Clone, Debug)]
pub struct Property {
    pub kind: Kind,
    /// Absent without `$expand`.
    pub navigation: bool,
    /// The patch level of 20.0 that first knew it.
    since: u16,
}

type Types = BTreeMap<&'static str, BTreeMap<&'static str, Property>>;

fn types() -> &'static Types {
    static TEXT: OnceLock<String> = OnceLock::new();
    static READ: OnceLock<Types> = OnceLock::new();
    READ.get_or_init(|| {
        let mut types = Types::new();
        let mut entity = "";
        // Words of an enumeration may go on on the next line.
        let text = TEXT.get_or_init(|| TYPES.replace("|\n  ", "|"));
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, properties) = line.split_once(" = ").unwrap_or((entity, line));
            entity = name;
            types.entry(name).or_default().extend(properties.split_whitespace().filter_map(property));
        }
        types
    })
}

fn property(text: &'static str) -> Option<(&'static str, Property)> {
    let (name, kind) = text.split_once(':')?;
    let (kind, since) = kind.split_once('@').map_or((kind, 0), |(kind, at)| (kind, at.parse().unwrap_or(0)));
    let (kind, navigation) = kind.strip_prefix('<').map_or((kind, false), |kind| (kind, true));
    Some((name, Property { kind: kind_of(kind), navigation, since }))
}

fn kind_of(text: &'static str) -> Kind {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let inner = match inner {
            "s" | "i" => kind_of(inner),
            entity => Kind::Entity(entity),
        };
        return Kind::List(Box::new(inner));
    }
    if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return Kind::Entity(inner);
    }
    match text {
        "s" => Kind::Text,
        "i" => Kind::Integer,
        "b" => Kind::Boolean,
        "t" => Kind::Time,
        "d" => Kind::Duration,
        words => Kind::Words(words.split('|').collect()),
    }
}

/// A property of an entity, when this patch level knows it.
pub fn property_of(entity: &str, name: &str, patch: u16) -> Option<&'static Property> {
    types().get(entity)?.get(name).filter(|property| property.since <= patch)
}

/// Whether a body binds: every property known and of its type. Real systems refuse the whole body otherwise.
pub fn binds(entity: &str, body: &Map<String, Value>, patch: u16) -> bool {
    body.iter().all(|(name, value)| {
        property_of(entity, name, patch).is_some_and(|property| fits(&property.kind, value, patch))
    })
}

fn fits(kind: &Kind, value: &Value, patch: u16) -> bool {
    match (kind, value) {
        (_, Value::Null) => true,
        (Kind::Text, value) => value.is_string(),
        (Kind::Integer, value) => value.is_i64(),
        (Kind::Boolean, value) => value.is_boolean(),
        (Kind::Words(words), Value::String(word)) => words.contains(&word.as_str()),
        (Kind::Time, Value::String(text)) => is_time(text),
        (Kind::Duration, Value::String(text)) => text.starts_with('P') && text.len() > 2,
        (Kind::Entity(entity), Value::Object(body)) => binds(entity, body, patch),
        (Kind::List(inner), Value::Array(values)) => values.iter().all(|value| fits(inner, value, patch)),
        _ => false,
    }
}

/// `HH:MM:SS`, with a fraction allowed.
fn is_time(text: &str) -> bool {
    let whole = text.split('.').next().unwrap_or_default();
    let parts: Vec<&str> = whole.split(':').collect();
    let limits = [24, 60, 60];
    parts.len() == 3
        && parts
            .iter()
            .zip(limits)
            .all(|(part, limit)| part.len() == 2 && part.parse::<u16>().is_ok_and(|number| number < limit))
}
