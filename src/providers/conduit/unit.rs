//! Which unit answers. Another serial number, or a firmware the inventory does not accept, and nothing of
//! it is read further: a unit that is not meant must never be written to.

use semver::{Version, VersionReq};
use serde_json::Value as Json;

use super::api;
use crate::inventory::Gateway;
use crate::model::{Fields, Key, Resource, Wish};

/// What the unit is to be, as a resource: the one place where the reading side finds it.
pub(super) fn resource(gateway: &Gateway) -> (Key, Resource) {
    let api = gateway.api.clone().unwrap_or_else(|| api::LOOPBACK.to_owned());
    let mut fields = Fields::from([("api".to_owned(), api.into())]);
    if let Some(serial) = &gateway.serial {
        fields.insert("serial".to_owned(), serial.value.clone().into());
    }
    if let Some(firmware) = &gateway.firmware {
        fields.insert("firmware".to_owned(), firmware.require.0.to_string().into());
    }
    (key(), Resource { fields, ..Resource::default() })
}

fn key() -> Key {
    Key::new("unit", "identity")
}

/// The base of the unit's API.
pub(super) fn base(wish: &Wish) -> &str {
    wished(wish, "api").unwrap_or(api::LOOPBACK)
}

fn wished<'a>(wish: &'a Wish, name: &str) -> Option<&'a str> {
    wish.resources.get(&key())?.fields.get(name)?.as_text()
}

/// What a unit says of itself (`/api/system`).
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Serial number.
    pub serial: Option<String>,
    /// Firmware version.
    pub firmware: Option<String>,
    /// Model, such as `MTCDT-L4E1-246L`.
    pub product: Option<String>,
    /// Whether its settings hold changes that a power cut would lose.
    pub dirty: bool,
}

impl Unit {
    /// Reads the answer of `/api/system`. The published descriptions disagree on `firmware`: text, or an
    /// object with a version in it.
    pub(super) fn of(system: &Json) -> Self {
        let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let firmware = &system["firmware"];
        Self {
            serial: text(&system["deviceId"]),
            firmware: text(firmware).or_else(|| text(&firmware["version"])),
            product: text(&system["productId"]),
            dirty: system["dbDirty"].as_bool().unwrap_or(false),
        }
    }

    /// Such as `MultiTech Conduit MTCDT-L4E1-246L, mPower 6.0.1`.
    pub(super) fn title(&self) -> String {
        let product = self.product.as_deref().map(|product| format!(" {product}")).unwrap_or_default();
        let firmware = self.firmware.as_deref().map(|version| format!(", mPower {version}"));
        let dirty = if self.dirty { ", with unsaved changes (an apply saves them too)" } else { "" };
        format!("MultiTech Conduit{product}{}{dirty}", firmware.unwrap_or_default())
    }
}

/// Holds a unit's word against what is wished: the fields when it is the one meant, `None` when it does
/// not say enough to tell.
///
/// # Errors
/// Why it is not.
pub(super) fn check(wish: &Wish, unit: &Unit) -> Result<Option<(Key, Fields)>, String> {
    if let (Some(wished), Some(serial)) = (wished(wish, "serial"), &unit.serial)
        && !wished.eq_ignore_ascii_case(serial)
    {
        return Err(format!("this is the unit with serial number {serial}, the inventory says {wished}"));
    }
    if let (Some(wished), Some(firmware)) = (wished(wish, "firmware"), &unit.firmware) {
        match (wished.parse::<VersionReq>(), release(firmware)) {
            (Ok(range), Some(version)) if range.matches(&version) => {}
            _ => {
                let name = &wish.target.name;
                return Err(format!(
                    "firmware {firmware} is not accepted, the inventory says {wished}: rocade redeploy {name} --upgrade"
                ));
            }
        }
    }
    Ok(seen(wish, unit).map(|fields| (key(), fields)))
}

/// What agrees, in the inventory's words; `None` when the unit does not say all that is wished of it.
fn seen(wish: &Wish, unit: &Unit) -> Option<Fields> {
    let said = |name: &str| match name {
        "serial" => unit.serial.is_some(),
        "firmware" => unit.firmware.is_some(),
        _ => true,
    };
    let wished = &wish.resources.get(&key())?.fields;
    wished.keys().all(|name| said(name)).then(|| wished.clone())
}

/// A firmware's release: `7.4.0-BETA2` is held against ranges as `7.4.0`.
pub(super) fn release(firmware: &str) -> Option<Version> {
    let numbers = firmware.split(['-', '+', ' ']).next()?;
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let first = parts.next()??;
    Some(Version::new(first, parts.next().flatten().unwrap_or(0), parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Resources, Target};
    use serde_json::json;

    fn wish(wished: &[(&str, &str)]) -> Wish {
        let fields = wished.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let resources = Resources::from([(key(), Resource { fields, ..Resource::default() })]);
        Wish::new(Target::new("gateway", "pool-gw"), "gateway", 30, resources)
    }

    #[test]
    fn another_unit_or_firmware_is_named_and_refused() {
        let unit = Unit::of(&json!({ "deviceId": "20412345", "firmware": "6.0.1", "productId": "MTCDT" }));
        assert_eq!(unit.title(), "MultiTech Conduit MTCDT, mPower 6.0.1");
        assert!(
            check(&wish(&[("serial", "20412345"), ("firmware", ">=6.0.1, <7")]), &unit).unwrap().is_some()
        );
        let other = check(&wish(&[("serial", "20499999")]), &unit).unwrap_err();
        assert!(other.contains("20412345") && other.contains("20499999"), "{other}");
        assert!(check(&wish(&[("firmware", ">=7")]), &unit).unwrap_err().contains("6.0.1"));
    }

    #[test]
    fn a_unit_that_does_not_say_is_not_taken_for_the_one_meant() {
        let silent = Unit::of(&json!({ "firmware": 6 }));
        assert!(check(&wish(&[("serial", "20412345")]), &silent).unwrap().is_none());
        assert!(check(&wish(&[("api", "http://127.0.0.1")]), &silent).unwrap().is_some());
    }

    #[test]
    fn firmware_is_read_in_each_published_form() {
        for (said, release_said) in [
            (json!("7.4.0-BETA2"), Version::new(7, 4, 0)),
            (json!({ "version": "6.3" }), Version::new(6, 3, 0)),
        ] {
            let unit = Unit::of(&json!({ "firmware": said }));
            assert_eq!(release(&unit.firmware.unwrap()), Some(release_said));
        }
        assert_eq!(release("unknown"), None);
    }
}
