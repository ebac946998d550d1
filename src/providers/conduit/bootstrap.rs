//! What is asked of a gateway's web side from outside, before SSH is there: who it is, its first user, SSH,
//! its firmware. What an answer means is told apart from asking.
//!
//! Which way of commissioning holds is told by what the gateway answers, not by its version.

mod commission;
mod image;
mod state;

use serde_json::{Value as Json, json};

pub use self::commission::{Commissioning, Dialogue, commission};
pub use self::image::{Contents, look_into};
pub use self::state::{Expected, State};
use super::api;
use super::unit::Unit;
use crate::host::Order;
use crate::inventory::Gateway;
use crate::transport::web::{WebFault, WebReading, WebWriting};

/// The form's field of an image, as the vendor documents it; never recorded.
pub const UPLOAD_FIELD: &str = "file";
/// The command that takes a firmware image and restarts.
pub const UPGRADE: &str = "command/firmware_upgrade";

/// Whether the first user can still be made. Needs no login.
///
/// # Errors
/// Why there is no answer at all.
pub async fn look(hand: WebReading<'_>) -> Result<Commissioning, WebFault> {
    match hand.get("commissioning").await {
        Err(fault)
            if fault.is_silence()
                || matches!(fault, WebFault::OtherCertificate { .. } | WebFault::Own(_)) =>
        {
            Err(fault)
        }
        answer => Ok(Commissioning::of(answer)),
    }
}

/// What a gateway says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Serial number.
    pub serial: Option<String>,
    /// Hardware address, 12 upper-case hex digits.
    pub mac: Option<String>,
    /// Firmware version.
    pub firmware: Option<String>,
    /// Hardware version, such as `MTCDT-0.1`.
    pub hardware: Option<String>,
    /// Words for people: model and firmware.
    pub title: String,
    /// Whether it holds settings that a restart would lose.
    pub dirty: bool,
    /// Whether the web page still asks the questions of the first-time set-up.
    pub first_time: bool,
}

impl Identity {
    fn of(system: &Json) -> Self {
        let unit = Unit::of(system);
        let text = |name: &str| system[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let digits = |text: String| text.parse::<crate::model::Mac>().ok().map(|mac| mac.digits().to_owned());
        Self {
            title: unit.title(),
            serial: unit.serial,
            firmware: unit.firmware,
            dirty: unit.dirty,
            mac: text("macAddress").and_then(digits),
            hardware: text("hardwareVersion"),
            first_time: system["firstTimeSetup"].as_bool().unwrap_or(false),
        }
    }
}

/// Asks a gateway who it is.
///
/// # Errors
/// Why it does not say.
pub async fn identify(hand: WebReading<'_>) -> Result<Identity, WebFault> {
    hand.get("system").await.map(|system| Identity::of(&system))
}

/// Dismisses the first-time set-up of the web page.
///
/// # Errors
/// Why there is no good answer.
pub async fn dismiss_first_time(hand: WebWriting<'_>) -> Result<(), WebFault> {
    hand.put("system", &json!({ "firstTimeSetup": false })).await.map(drop)
}

/// The settings of SSH, and whether they let us in from the LAN.
#[derive(Clone, Debug, PartialEq)]
pub struct SshAccess {
    settings: Json,
}

impl SshAccess {
    /// Whether SSH is on for the LAN.
    pub fn is_on(&self) -> bool {
        let ssh = &self.settings["ssh"];
        ssh["enabled"] == json!(true) && ssh["lan"] == json!(true)
    }

    /// The whole object with SSH on: as it was read otherwise.
    fn turned_on(&self) -> Result<Json, WebFault> {
        let mut settings = self.settings.clone();
        let ssh = settings.get_mut("ssh").and_then(Json::as_object_mut);
        let ssh = ssh.ok_or_else(|| WebFault::Own("its remoteAccess has no SSH settings".to_owned()))?;
        ssh.insert("enabled".to_owned(), json!(true));
        ssh.insert("lan".to_owned(), json!(true));
        Ok(settings)
    }
}

/// Reads how SSH is set.
///
/// # Errors
/// Why it does not say.
pub async fn ssh_access(hand: WebReading<'_>) -> Result<SshAccess, WebFault> {
    let settings = hand.get("remoteAccess").await?;
    Ok(SshAccess { settings })
}

/// Turns SSH on for the LAN. It is not saved and not in force yet.
///
/// # Errors
/// Why there is no good answer.
pub async fn turn_ssh_on(hand: WebWriting<'_>, now: &SshAccess) -> Result<(), WebFault> {
    hand.put("remoteAccess", &now.turned_on()?).await.map(drop)
}

/// Keeps the settings over a restart.
///
/// # Errors
/// Why there is no good answer.
pub async fn save(hand: WebWriting<'_>) -> Result<(), WebFault> {
    hand.post("command/save", None).await.map(drop)
}

/// Restarts it.
///
/// # Errors
/// Why there is no good answer. A connection that ends is none: it may be the restart.
pub async fn restart(hand: WebWriting<'_>) -> Result<(), WebFault> {
    match hand.post("command/restart", None).await {
        Err(WebFault::Cut { .. } | WebFault::TimedOut { .. }) | Ok(_) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// The order that makes what runs the user-defined defaults, over SSH: the short reset comes back with them.
pub fn save_as_default(gateway: &Gateway) -> Order {
    let base = gateway.api.as_deref().unwrap_or(api::LOOPBACK);
    api::send("POST", base, "command/save_oem", None)
}

/// Whether the session still holds: it ends with a restart.
pub async fn is_logged_in(hand: WebReading<'_>) -> bool {
    hand.get("whoami").await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_turned_on_and_nothing_else_changes() {
        let settings =
            json!({ "https": { "enabled": true }, "ssh": { "enabled": false, "lan": false, "port": 22 } });
        let access = SshAccess { settings };
        assert!(!access.is_on());
        let on = access.turned_on().unwrap();
        let expected =
            json!({ "https": { "enabled": true }, "ssh": { "enabled": true, "lan": true, "port": 22 } });
        assert_eq!(on, expected);
        assert!(SshAccess { settings: on }.is_on());
        assert!(SshAccess { settings: json!([]) }.turned_on().is_err());
    }

    #[test]
    fn a_unit_says_who_it_is() {
        let identity = Identity::of(&json!({
            "deviceId": "20412345", "macAddress": "00:08:00:4a:2f:01", "firmware": "6.0.1", "dbDirty": true,
            "hardwareVersion": "MTCDT-0.1", "firstTimeSetup": true,
        }));
        assert_eq!(identity.mac.as_deref(), Some("0008004A2F01"));
        assert_eq!(identity.serial.as_deref(), Some("20412345"));
        assert!(identity.dirty && identity.first_time);
        assert_eq!(Identity::of(&json!({ "macAddress": 7 })).mac, None);
    }
}
