//! Scalars of the inventory that are text in YAML and more than text to us.

use std::borrow::Cow;
use std::ops::Deref;

use super::decode::{Decode, Decoder, Keys, raw};
use super::tree::{Body, Node};
use crate::model::{ByteSize, DaySpan, Dn, E164, Eui, Feast, Mac, Network, Period, PhoneNumber, Sha256};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Makes a scalar that is parsed from text, with its words and pattern for the JSON Schema. `types` are those
/// that other YAML readers may take an unquoted one for.
macro_rules! text_scalar {
    (
        $(#[$doc:meta])*
        $name:ident($inner:ty), $code:literal, $title:literal, $pattern:literal, $types:tt, $example:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub $inner);

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl Decode for $name {
            fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
                let text = raw(node, decoder, $title)?;
                match text.parse() {
                    Ok(value) => Some($name(value)),
                    Err(fault) => {
                        decoder.refuse($code, node, fault.to_string(), concat!("write ", $title));
                        None
                    }
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": $types, "description": $title, "pattern": $pattern, "examples": [$example],
                })
            }
        }
    };
}

text_scalar!(
    /// An EUI-64.
    EuiText(Eui), "bad-eui", "an EUI-64: 16 hex digits, dashes and colons allowed",
    "^[-: ]*([0-9A-Fa-f][-: ]*){16}$", ["string", "integer", "number"], "0018B21000004A2F"
);
text_scalar!(
    /// A duration with its unit.
    PeriodText(Period), "bad-duration", "a duration with its unit, such as 30s, 10m, 24h, 7d, 1y",
    "^\\s*[0-9]+\\s*(s|m|min|h|d|w|y)\\s*$", "string", "10m"
);
text_scalar!(
    /// A size with its unit.
    ByteSizeText(ByteSize), "bad-size", "a size with its unit, such as 16 MiB",
    "^\\s*[0-9]+\\s*(B|kB|KiB|MB|MiB|GB|GiB)\\s*$", "string", "16 MiB"
);
text_scalar!(
    /// A network.
    NetworkText(Network), "bad-network", "a network such as 192.168.145.0/24, or one address",
    "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", "string", "192.168.145.0/24"
);
text_scalar!(
    /// Accepted versions.
    VersionRange(semver::VersionReq), "bad-version", "accepted versions, such as >=6.0.1, <7",
    "^\\s*[<>=~^0-9*].*$", ["string", "integer", "number"], ">=6.0.1, <7"
);

text_scalar!(
    /// An internal number.
    NumberText(Dn), "bad-number", "an internal number: 2 to 8 digits",
    "^[0-9]{2,8}$", ["string", "integer", "number"], "101"
);
text_scalar!(
    /// A number of the public network.
    PhoneNumberText(PhoneNumber), "bad-phone-number", "a phone number such as +33123456789",
    "^\\s*\\+?([0-9][ .-]*){2,15}$", ["string", "integer", "number"], "+33123456789"
);
text_scalar!(
    /// A number of the public network with its country.
    E164Text(E164), "bad-phone-number", "a number with its country such as +33611223344",
    "^\\s*\\+[1-9][ .-]*([0-9][ .-]*){6,14}$", ["string", "integer", "number"], "+33611223344"
);
text_scalar!(
    /// A hardware address.
    MacText(Mac), "bad-mac", "a MAC address: 12 hex digits, colons and dashes allowed",
    "^[-: .]*([0-9A-Fa-f][-: .]*){12}$", ["string", "integer", "number"], "80:5E:C0:12:34:56"
);
text_scalar!(
    /// A span of a day.
    SpanText(DaySpan), "bad-hours", "a span such as 09:00-12:00 whose end lies after its start",
    "^[0-9]{2}:[0-9]{2}\\s*-\\s*[0-9]{2}:[0-9]{2}$", "string", "09:00-12:00"
);
text_scalar!(
    /// The day of a holiday.
    FeastText(Feast), "bad-day", "a day such as 12-25 (every year), 2026-12-24, or easter+1",
    "^\\s*(([0-9]{4}-)?[0-9]{1,2}-[0-9]{1,2}|easter([+-][0-9]{1,3})?)\\s*$", "string", "12-25"
);

text_scalar!(
    /// A checksum.
    Sha256Text(Sha256), "bad-sha256", "a SHA-256 checksum: 64 hex digits",
    "^\\s*[0-9A-Fa-f]{64}\\s*$", ["string", "integer", "number"],
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

/// The name of a secret. The secret itself is never written in the inventory's YAML.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SecretRef {
    /// Its path in the secrets, such as `gateways/pool-gw/admin`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$"))]
    pub secret: String,
}

impl Decode for SecretRef {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        if let Body::Scalar(_) = &node.body
            && !node.is_empty()
        {
            return in_clear(node, decoder);
        }
        let keys = Keys::open(node, &[&["secret"]], decoder)?;
        let secret: String = keys.take("secret", decoder)?;
        let name = node.get("secret").unwrap_or(node);
        let segment = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        if !(secret.len() <= 200 && secret.contains('/') && secret.split('/').all(segment)) {
            decoder.blank.push(name.bytes.clone());
            let help = "write a path such as `{secret: sensors/pool-hall/app_key}`, never the secret itself";
            decoder.refuse("bad-secret-name", name, "this is not the path of a secret", help);
            return None;
        }
        Some(Self { secret })
    }
}

fn in_clear(node: &Node, decoder: &mut Decoder) -> Option<SecretRef> {
    decoder.blank.push(node.bytes.clone());
    let help = "keep it with `rocade secrets set PATH` and write `{secret: PATH}` here; \
                what was committed in clear must be changed on the device too";
    decoder.refuse("secret-in-clear", node, "a secret is written in clear", help);
    None
}
